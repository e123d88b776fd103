// Every head of some models, with what was measured of each. Pure;
// attn_course.widgets.head_browser holds the Python twin.
import { type Packed, unpack } from "../lib/arrays.ts";
import { type Json, listOf } from "../lib/json.ts";
import { type Valid, whole } from "../lib/state.ts";
import * as traits from "../lib/traits.ts";
import { MOST, MOST_TOKENS, TRAITS } from "./traits.ts";

/**
 * One kind of target, measured in every head of one model; NaN where it
 * could not be measured.
 */
export interface Reading {
  score: Float64Array; // (layers × heads)
  others: Float64Array | null; // a control: what other words give the targets
  uniform: number | null; // a control: what equal weights would give
  labelled: boolean[] | null; // which heads earn the label
}

/** What one head does in one sentence. */
export interface Maps {
  tokens: string[];
  data: Float64Array; // (layers × heads × n × n)
  causal: boolean; // no token of any head looks at a later one
}

export interface Model {
  name: string;
  layers: number;
  heads: number;
  readings: (Reading | null)[]; // one for each measure
  maps: Maps | null;
}

export interface Source {
  measures: { name: string; text: string }[];
  models: Model[];
  threshold: number | null;
  rule: string;
  title: string;
  note: string;
}

/** What the reader may change. The names are the Python traits. */
export interface Reader {
  model: string;
  measure: string;
  layer: number; // both counted from 1
  head: number;
}

/** Check the data; throws an Error that says what was expected. */
export function parseSource(raw: unknown): Source {
  const json = (raw ?? {}) as Json;
  const measures = listOf(json.measures, "measures").map(({ name, text }) => ({
    name: String(name),
    text: String(text ?? ""),
  }));
  return {
    measures,
    models: listOf(json.models, "models").map((model) =>
      parseModel(
        model,
        measures.map(({ name }) => name),
      ),
    ),
    threshold: typeof json.threshold === "number" ? json.threshold : null,
    rule: String(json.rule ?? ""),
    title: String(json.title ?? ""),
    note: String(json.note ?? ""),
  };
}

function parseModel(json: Json, measures: string[]): Model {
  const [name, layers, heads] = [String(json.name), json.layers, json.heads];
  for (const count of [layers, heads])
    if (!whole(1, MOST)(count))
      throw new Error(
        `expected layers and heads of ${name}, 1 to ${MOST} each, got ${count}`,
      );
  const shape = [layers as number, heads as number];
  const read = (packed: unknown, what: string, wanted = shape) => {
    const array = unpack(packed as Packed, `${what} of ${name}`);
    if (array.shape.join() !== wanted.join())
      throw new Error(
        `expected ${what} of ${name} as ${wanted.join("×")}, ` +
          `got ${array.shape.join("×")}`,
      );
    return array.data;
  };
  const measured = (packed: unknown, what: string) => {
    const data = read(packed, what);
    const { missing } = packed as { missing?: unknown };
    for (const c of places(missing, data.length, what)) data[c] = Number.NaN;
    return data;
  };
  const readings = listOf(json.readings, `readings of ${name}`);
  if (readings.length !== measures.length)
    throw new Error(
      `expected ${measures.length} readings of ${name}, got ${readings.length}`,
    );
  const labels = (cells: unknown) => {
    const labelled = Array<boolean>(shape[0] * shape[1]).fill(false);
    for (const c of places(cells, labelled.length, "labels"))
      labelled[c] = true;
    return labelled;
  };
  const tokens = Array.isArray(json.tokens) ? json.tokens.map(String) : [];
  const n = tokens.length;
  if (json.weights && !whole(1, MOST_TOKENS)(n))
    throw new Error(
      `expected 1 to ${MOST_TOKENS} tokens for the maps of ${name}, got ${n}`,
    );
  return {
    name,
    layers: shape[0],
    heads: shape[1],
    readings: readings.map(
      (reading, m) =>
        reading && {
          score: measured(reading.score, measures[m]),
          others:
            reading.others &&
            measured(reading.others, `control of ${measures[m]}`),
          uniform: typeof reading.uniform === "number" ? reading.uniform : null,
          labelled: reading.labelled && labels(reading.labelled),
        },
    ) as (Reading | null)[],
    maps: json.weights
      ? mapsOf(tokens, read(json.weights, "maps", [...shape, n, n]))
      : null,
  };
}

function mapsOf(tokens: string[], data: Float64Array): Maps {
  const n = tokens.length;
  const isLater = (c: number) => c % n > Math.floor((c % n ** 2) / n);
  return {
    tokens,
    data,
    causal: n > 1 && data.every((weight, c) => weight === 0 || !isLater(c)),
  };
}

/** Who may look at whom in a causal model of n tokens, (n × n). */
export const earlier = (n: number): Uint8Array =>
  Uint8Array.from({ length: n * n }, (_, c) =>
    c % n <= Math.floor(c / n) ? 1 : 0,
  );

/** Places in a flat array, each inside. */
function places(list: unknown, size: number, what: string): number[] {
  const all = Array.isArray(list) ? list : [];
  const inside = whole(0, size - 1);
  const outside = all.find((c) => !inside(c));
  if (outside !== undefined)
    throw new Error(
      `expected places of ${what} from 0 to ${size - 1}, got ${outside}`,
    );
  return all;
}

export const modelOf = (source: Source, state: Reader): Model =>
  source.models.find(({ name }) => name === state.model)!;

export function readingOf(source: Source, state: Reader): Reading | null {
  const { readings } = modelOf(source, state);
  return readings[source.measures.findIndex((m) => m.name === state.measure)];
}

/** Where the picked head stands: a model may have fewer than another. */
export function cellOf(model: Model, { layer, head }: Reader) {
  const row = Math.min(layer, model.layers) - 1;
  const col = Math.min(head, model.heads) - 1;
  return { row, col, c: row * model.heads + col };
}

/** How many heads earn the label, and which scores highest; −1: none has. */
export function summary({ score, labelled }: Reading) {
  // A score that could not be measured is larger than none.
  const best = score.reduce(
    (most, x, c) => (x > (score[most] ?? -Infinity) ? c : most),
    -1,
  );
  return { labels: labelled?.filter(Boolean).length ?? null, best };
}

/** The map of one head, (n × n). */
export function mapOf(
  { tokens, data }: Omit<Maps, "causal">,
  c: number,
): Float64Array {
  const size = tokens.length ** 2;
  return data.subarray(c * size, (c + 1) * size);
}

/** The map of one head, at most so many cells a side: the largest of each. */
export function pooled(maps: Omit<Maps, "causal">, c: number, most: number) {
  const n = maps.tokens.length;
  const side = Math.ceil(n / most);
  if (side === 1) return { tokens: maps.tokens, weights: mapOf(maps, c) };
  const tokens = maps.tokens.filter((_, i) => i % side === 0);
  const weights = new Float64Array(tokens.length ** 2);
  mapOf(maps, c).forEach((weight, at) => {
    const [row, col] = [Math.floor(at / n), at % n];
    const to = Math.floor(row / side) * tokens.length + Math.floor(col / side);
    weights[to] = Math.max(weights[to], weight);
  });
  return { tokens, weights };
}

/** For each thing that a reader may change: is this a value it may take? */
export function validators(source: Source): Valid<Reader> {
  const named = (all: { name: string }[]) => (one: string) =>
    all.some(({ name }) => name === one);
  return traits.validators<Reader>(TRAITS, {
    model: named(source.models),
    measure: named(source.measures),
    layer: whole(1, Math.max(...source.models.map(({ layers }) => layers))),
    head: whole(1, Math.max(...source.models.map(({ heads }) => heads))),
  });
}

/** The state before anyone touched anything. */
export const defaults = (source: Source): Reader => ({
  ...traits.defaults(TRAITS),
  model: source.models[0].name,
  measure: source.measures[0].name,
});
