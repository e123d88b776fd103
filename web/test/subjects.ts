// One of each widget: where it starts, what it allows, what follows from it.
import { createModel, strongest } from "../src/attention_heatmap/compute.ts";
import * as heatmap from "../src/attention_heatmap/state.ts";
import * as steps from "../src/attention_steps/model.ts";
import { sentence as said } from "../src/attention_steps/words.ts";
import * as cocktail from "../src/cocktail_party/source.ts";
import * as flash from "../src/flash_stepper/model.ts";
import * as gaze from "../src/gaze_explorer/model.ts";
import * as heads from "../src/head_browser/model.ts";
import * as switches from "../src/head_switches/model.ts";
import * as kvCacheMeter from "../src/kv_cache_meter/model.ts";
import { decode, encode } from "../src/lib/arrays.ts";
import { shadeOn } from "../src/lib/scale.ts";
import type { Valid } from "../src/lib/state.ts";
import * as mask from "../src/mask_designer/model.ts";
import * as qkv from "../src/qkv_playground/model.ts";
import * as curves from "../src/recorded_curves/model.ts";
import * as softmaxLab from "../src/softmax_lab/model.ts";
import * as sentence from "../src/type_a_sentence/model.ts";
import { parseNetwork } from "../src/type_a_sentence/transformer.ts";
import { load } from "./vectors.ts";

/** One widget: where it starts, what it allows, what follows from a state. */
export interface Subject<S extends object> {
  start: S;
  valid: Valid<S>;
  follow(state: S): Iterable<number>;
}
type AnySubject = Subject<Record<string, unknown>>;
const subject = <S extends object>(parts: Subject<S>) =>
  parts as unknown as AnySubject;

const tokens = (n: number) => Array.from({ length: n }, (_, i) => `t${i}`);
const numbers = (shape: number[], make: (i: number) => number) => {
  const size = shape.reduce((a, b) => a * b, 1);
  return encode(
    Float64Array.from({ length: size }, (_, i) => make(i)),
    shape,
  );
};

// --- the widgets ------------------------------------------------------------
function heatmapSubject(raw: unknown) {
  const source = heatmap.parseSource(raw);
  const model = createModel(source);
  return subject<heatmap.Reader>({
    start: heatmap.defaults(source),
    valid: heatmap.validators(source),
    *follow(state) {
      const picture = model.picture(state);
      yield* picture.weights;
      yield* picture.sums;
      yield picture.scale.top;
      for (const weight of picture.weights)
        yield shadeOn(picture.scale, weight);
      for (const row of picture.rows.keys())
        yield strongest(picture, row, 5).length;
      const [row, col] = state.cell;
      if (row === undefined) return;
      yield model.steps(state, row, col).weight;
      yield* model.output(state, row) ?? [];
    },
  });
}

function headsSubject() {
  const [layers, count, n] = [2, 3, 4];
  const score = numbers([layers, count], (i) => i / 10);
  const reading = (missing: number[]) => ({
    score: { ...score, missing },
    others: { ...score, missing },
    uniform: null,
    labelled: [1],
  });
  const model = (name: string, missing: number[]) => ({
    name,
    layers,
    heads: count,
    readings: [reading(missing), null],
    weights: numbers([layers, count, n, n], () => 1 / n),
    tokens: tokens(n),
  });
  const source = heads.parseSource({
    measures: [{ name: "a" }, { name: "__proto__" }],
    models: [model("m", []), model("constructor", [0, 1, 2, 3, 4, 5])],
  });
  return subject<heads.Reader>({
    start: heads.defaults(source),
    valid: heads.validators(source),
    *follow(state) {
      const model = heads.modelOf(source, state);
      const reading = heads.readingOf(source, state);
      if (reading) yield heads.summary(reading).best;
      const { c } = heads.cellOf(model, state);
      yield* heads.pooled(model.maps!, c, 3).weights;
    },
  });
}

function maskSubject(n: number) {
  const source = mask.parseSource({
    tokens: tokens(n),
    layers: 3,
    presets: Object.keys(mask.PRESETS),
    dtype: "float32",
  });
  return subject<mask.Reader>({
    start: mask.defaults(source),
    valid: mask.validators(source),
    *follow(state) {
      const stack = mask.masks(source, state);
      const first = mask.firstHeard(stack, n);
      yield* first;
      for (const one of stack) {
        yield mask.cost(one, n).fraction;
        yield mask.layersUntilConnected(one, n) ?? 0;
      }
      const [row, col] = state.cell;
      if (row === undefined) return;
      yield mask.trace(stack, first, n, row, col)?.length ?? 0;
    },
  });
}

function curvesSubject() {
  const source = curves.parseSource(load("curves").source);
  return subject<curves.Reader>({
    start: curves.defaults(source),
    valid: curves.validators(source),
    *follow(state) {
      yield curves.top(source, state.measure);
      for (const { points } of curves.curves(source, state))
        for (const { mean, low, high } of points) yield* [mean, low, high];
    },
  });
}

function flashSubject() {
  const one = load("flash").cases[0];
  const source = flash.parseSource(one.source);
  return subject<flash.Reader>({
    start: flash.defaults(source),
    valid: flash.validators(source),
    *follow(state) {
      for (const step of flash.steps(source, state)) {
        yield* flash.errors(step);
        yield step.read + step.written;
      }
    },
  });
}

function qkvSubject() {
  const one = load("playground").qkv[0];
  const source = qkv.parseSource(one);
  const start = qkv.parseStart(one.state, source);
  return subject<qkv.Reader>({
    start,
    valid: qkv.validators(start),
    *follow(state) {
      const { logits, weights, output } = qkv.attend(source, state);
      yield* [...logits, ...weights, ...output];
    },
  });
}

function stepsSubject() {
  const words = tokens(3);
  const [source, start] = steps.parse(
    {
      tokens: words,
      query_tokens: words,
      at: [0, 1, 2],
      d_k: 2,
      mask: numbers([1, 3, 3], (i) => Number(i % 4 === 0 || i > 4)),
      vectors: null,
      layer: null,
    },
    {
      query: [
        [1, 0],
        [0, 1],
        [2, -2],
      ],
      key: [
        [1, 2],
        [0, 1],
        [-1, 0],
      ],
      value: [[1], [2], [3]],
    },
  );
  return subject<steps.Reader>({
    start,
    valid: steps.validators(source, start),
    *follow(state) {
      const answer = steps.attend(source, state);
      yield* [...answer.logits, ...answer.weights, ...answer.output];
      yield said(source, state, answer).length;
    },
  });
}

function cocktailSubject() {
  const voice = { asset: "", speaker: "", words: "" };
  const party = { label: "a", voices: [0, 1], angles: [-40, 30] };
  const source = cocktail.parseSource({
    voices: [voice, voice],
    mixtures: [party, { ...party, voices: [1, 0] }],
    noise: -15,
    seed: 0,
    seconds: 3.2,
  });
  return subject<cocktail.Reader>({
    start: cocktail.defaults(source),
    valid: cocktail.validators(source),
    *follow(state) {
      yield* source.mixtures[state.mixture].angles;
      yield* [state.first, state.second, state.angle, state.temperature];
    },
  });
}

function gazeSubject() {
  const photo = (name: string) => ({
    name,
    width: 30,
    height: 20,
    regions: [{ kind: "face", label: "a", box: [1, 1, 5, 5] }],
    paths: name === "one" ? { constructor: [[0.5, 0.5]] } : {},
  });
  const source = gaze.parseSource({ photos: [photo("one"), photo("two")] });
  return subject<gaze.Reader>({
    start: gaze.defaults(source),
    valid: gaze.validators(source),
    *follow(state) {
      const photo = source.photos.find(({ name }) => name === state.picture)!;
      const places = gaze.fixationsNow(photo, state);
      const { width, height, regions } = photo;
      yield gaze.sharpFraction(width, height, places, state.degrees);
      for (const { box } of regions)
        yield gaze.fixationsNeeded(box, photo, places, state.degrees) ?? 0;
    },
  });
}

function switchesSubject() {
  const names = ["x", "toString"];
  const loss = numbers([2, 2, 2, 16], (i) => i / 7);
  const source = switches.parseSource({
    layers: 2,
    heads: 2,
    ways: names,
    tests: names,
    seeds: names,
    loss,
    accuracy: loss,
  });
  return subject<switches.Reader>({
    start: switches.defaults(source),
    valid: switches.validators(source),
    *follow(state) {
      const values = switches.valuesOf(source, state, state.show);
      yield values[state.subset];
      const size = switches.sizeOf(state.subset);
      yield* switches.ranked(values, size, state.show);
    },
  });
}

function kvCacheMeterSubject() {
  const shapes = kvCacheMeter.parseShapes({
    models: [load("kv_cache_meter")[0].shape],
  });
  return subject<kvCacheMeter.Reader>({
    start: kvCacheMeter.defaults(shapes),
    valid: kvCacheMeter.validators(shapes),
    *follow(state) {
      yield kvCacheMeter.bytes(shapes[0], state);
      yield kvCacheMeter.sharings(shapes[0]).length;
    },
  });
}

const softmaxSubject = () =>
  subject<softmaxLab.Reader>({
    start: softmaxLab.START,
    valid: softmaxLab.VALID,
    *follow(state) {
      const scores = softmaxLab.sampleScores(state.d, state.seed);
      const { entropy, gradient, spread } = softmaxLab.measure(scores, state);
      yield* [entropy, gradient, spread];
    },
  });

export const network = parseNetwork(decode(load("sentence").file, "the file"));

function sentenceSubject() {
  const source = sentence.parseSource({ layers: 1, heads: 2 });
  return subject<sentence.Reader>({
    start: { sentence: "", layer: 1, head: 1 },
    valid: sentence.validators(source),
    *follow(state) {
      const { answers } = sentence.consider(network, state.sentence);
      for (const { candidates } of answers)
        yield* candidates.map(({ chance }) => chance);
    },
  });
}

const cases = load("heatmap").cases as { name: string; source: unknown }[];
export const SUBJECTS: Record<string, () => AnySubject> = {
  ...Object.fromEntries(
    cases.map(({ name, source }) => [
      `heatmap, ${name}`,
      () => heatmapSubject(source),
    ]),
  ),
  heads: headsSubject,
  "mask of 5": () => maskSubject(5),
  "mask of 64": () => maskSubject(64),
  curves: curvesSubject,
  flash: flashSubject,
  qkv: qkvSubject,
  steps: stepsSubject,
  cocktail: cocktailSubject,
  gaze: gazeSubject,
  switches: switchesSubject,
  "kv-cache": kvCacheMeterSubject,
  "softmax lab": softmaxSubject,
  sentence: sentenceSubject,
};
