// Hostile and awkward links and sentences, for each widget: what comes out
// is a state that the widget may have, and all that follows from it is finite.
// The numbers are drawn from a seed, so that every run tries the same.
import assert from "node:assert/strict";
import { test } from "node:test";
import { createModel, strongest } from "../src/attention_heatmap/compute.ts";
import * as heatmap from "../src/attention_heatmap/state.ts";
import * as flash from "../src/flash_stepper/model.ts";
import * as gaze from "../src/gaze_explorer/model.ts";
import * as heads from "../src/head_browser/model.ts";
import * as switches from "../src/head_switches/model.ts";
import * as kvCacheMeter from "../src/kv_cache_meter/model.ts";
import { decode, encode } from "../src/lib/arrays.ts";
import { readLink } from "../src/lib/link.ts";
import { uniform } from "../src/lib/random.ts";
import { shadeOn } from "../src/lib/scale.ts";
import { applyChanges, fromLink, type Valid } from "../src/lib/state.ts";
import * as mask from "../src/mask_designer/model.ts";
import * as qkv from "../src/qkv_playground/model.ts";
import * as curves from "../src/recorded_curves/model.ts";
import * as softmaxLab from "../src/softmax_lab/model.ts";
import * as sentence from "../src/type_a_sentence/model.ts";
import { kindsOf, tokenise } from "../src/type_a_sentence/text.ts";
import { parseNetwork } from "../src/type_a_sentence/transformer.ts";
import { load } from "./vectors.ts";

const LINKS = 400; // for each widget
const SENTENCES = 300;

/** One widget: where it starts, what it allows, what follows from a state. */
interface Subject<S extends object> {
  start: S;
  valid: Valid<S>;
  follow(state: S): Iterable<number>;
}
const subject = <S extends object>(parts: Subject<S>) =>
  parts as unknown as Subject<Record<string, unknown>>;

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
    start: { ...one.state, step: 0 },
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

const network = parseNetwork(decode(load("sentence").file, "the file"));

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
const SUBJECTS = {
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
  gaze: gazeSubject,
  switches: switchesSubject,
  "kv-cache": kvCacheMeterSubject,
  "softmax lab": softmaxSubject,
  sentence: sentenceSubject,
};

// --- what is tried ----------------------------------------------------------
const PROTOTYPE = ["__proto__", "constructor", "toString", "hasOwnProperty"];
const AWKWARD = [
  ...["", " ", "0", "-0", "1", "2", "3", "-1", "0.5", "1e309", "-1e309"],
  ...["1e308", "5e-324", "NaN", "Infinity", "-Infinity", "0x10", "1e1000000"],
  ...["9007199254740993", "99999999999999999999", "true", "false", "null"],
  ...["undefined", "[]", "{}", '{"a":{"b":[1,2]}}', "[[[[[[]]]]]]", "[1,2]"],
  ...["</script><img src=x onerror=alert(1)>", "javascript:alert(1)", "\0"],
  ...["%", "%E0%A4%A", "%ff", "%00", "+++", "&&&", "a=b=c", "?#?#", "\ud800"],
  ...[
    "שלום",
    "مرحبا",
    "\u202eabc\u202c",
    "हिन्दी",
    "我爱",
    "👩‍👩‍👧",
    "é".normalize("NFD"),
  ],
  ...["0,0", "1,1", "-0,-0", "0,0,0,0", "1,NaN", ",", ",,,,", "1e309,0"],
  ...PROTOTYPE,
];
const PIECES = [
  ...["x ", "x+", "é ", "__ ", "_", "the ", "she ", "cat ", "... ", "-", "’"],
  ...[
    "👩‍👩‍👧",
    "👍🏽 ",
    "א ",
    "ع",
    "\u200d",
    "\u0301",
    "e\u0301\u0323 ",
    "हि",
    "我爱 ",
  ],
  ...[
    "</script>",
    "__proto__ ",
    "constructor ",
    "1e309 ",
    "\u202e",
    "\n",
    "\0",
  ],
];

type Random = () => number;
const among = <T>(random: Random, all: readonly T[]): T =>
  all[Math.floor(random() * all.length)];
const upTo = (random: Random, most: number) =>
  Math.floor(random() * (most + 1));

/** A few pieces, each of them once or many times over. */
function someText(random: Random): string {
  const parts = Array.from({ length: 1 + upTo(random, 3) }, () =>
    among(random, PIECES).repeat(among(random, [1, 2, 9, 40, 110, 300])),
  );
  return parts.join("").slice(0, 1 + upTo(random, 400));
}

/** A value: one that is awkward, one that may fit, or any text. */
function someValue(random: Random, now: unknown): string {
  const kind = upTo(random, 5);
  if (kind === 0) return someText(random);
  if (kind <= 2) return among(random, AWKWARD);
  if (Array.isArray(now)) {
    const length = among(random, [0, 1, 2, 3, 4, 8, 500]);
    return Array.from({ length }, () => upTo(random, 9) - 2).join(",");
  }
  if (typeof now === "number")
    return String(among(random, [now, upTo(random, 20), random() * 10]));
  if (typeof now === "boolean") return String(random() < 0.5);
  return among(random, [String(now), ...Object.keys(mask.PRESETS), "t1", "2"]);
}

/** The part of a link after the question mark. */
function someQuery(random: Random, start: Record<string, unknown>): string {
  const names = [...Object.keys(start), ...PROTOTYPE, "", "."];
  const pairs = Array.from({ length: 1 + upTo(random, 6) }, () => {
    const name = among(random, names);
    const now = Object.hasOwn(start, name) ? start[name] : "";
    const record =
      typeof now === "object" && now !== null && !Array.isArray(now);
    const entry = among(random, [
      ...(record ? Object.keys(now) : []),
      ...PROTOTYPE,
      "1",
    ]);
    const key = record || random() < 0.1 ? `${name}.${entry}` : name;
    const value = record && random() < 0.5 ? Object.values(now)[0] : now;
    return [key, someValue(random, value)] as const;
  });
  const raw = random() < 0.3;
  return raw
    ? pairs.map(([key, value]) => `${key}=${value}`).join("&")
    : String(new URLSearchParams(pairs.map((pair) => [...pair])));
}

for (const [number, [name, make]] of Object.entries(SUBJECTS).entries())
  test(`links: ${name}`, () => {
    const { start, valid, follow } = make();
    const random = uniform(number + 1);
    let accepted = 0;
    for (let i = 0; i < LINKS; i++) {
      const hash = `#attn:x?${someQuery(random, start)}`;
      if (hash.length > 2000) {
        assert.throws(() => readLink("x", hash), /too long/);
        continue;
      }
      const changes = fromLink(readLink("x", hash)!, start);
      const { state, refused } = applyChanges(start, changes, valid);
      assert.deepEqual(Object.keys(state), Object.keys(start), hash);
      assert.equal(Object.getPrototypeOf(state), Object.prototype, hash);
      for (const [key, value] of Object.entries(state)) {
        assert.ok(value === start[key] || valid[key](value), `${hash}: ${key}`);
        if (refused.includes(key)) assert.equal(value, start[key], hash);
      }
      for (const number of follow(state))
        assert.ok(Number.isFinite(number), `${hash}: ${number}`);
      if (Object.keys(changes).length > refused.length) accepted++;
    }
    // Tries that are all refused would try nothing.
    assert.ok(accepted > LINKS / 20, `${accepted} of ${LINKS} links`);
  });

test("sentences", () => {
  const random = uniform(2026);
  const known = new Set(network.words);
  for (let i = 0; i < SENTENCES; i++) {
    const text = someText(random);
    const found = tokenise(text);
    for (const { text: piece, start, end } of found)
      assert.equal(text.slice(start, end), piece);
    const words = found.map(({ word }) => word);
    // What the next word costs must not grow with those before: a few words
    // tell before all of them could fill the memory.
    for (const some of [words.slice(0, 24), words])
      for (const kinds of kindsOf(some, (w) => known.has(w), network.classes))
        assert.equal(new Set(kinds).size, kinds.length, text);
    const outcome = sentence.consider(network, text);
    assert.ok(outcome.offers.length <= 5);
    assert.ok(outcome.answers.length > 0 || outcome.message !== "", text);
  }
});
