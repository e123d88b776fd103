// Attention for one query or all, and what each step shows. Pure.

import { type NumberArray, type Packed, unpack } from "../lib/arrays.ts";
import { dataOf, type Json } from "../lib/json.ts";
import { dotProducts, softmaxRows, weightedSum } from "../lib/softmax.ts";
import { numbers, type Valid } from "../lib/state.ts";
import * as traits from "../lib/traits.ts";
import { MAX_HEADS, MAX_TOKENS, NAMES, RANGE, TRAITS } from "./traits.ts";

export type Step = keyof typeof NAMES;
export type Role = "query" | "key" | "value";
export const ROLES = ["query", "key", "value"] as const;

/** What follows attention in a layer. Matrices act on rows: x · w. */
interface Layer {
  x: NumberArray; // (n_q, m)
  w_o: NumberArray | null; // (heads · d_v, m)
  w_1: NumberArray; // (m, f)
  b_1: NumberArray | null; // (f,)
  w_2: NumberArray; // (f, m)
  b_2: NumberArray | null; // (m,)
}

/** What Python hands over. */
export interface Source {
  title: string;
  note: string;
  tokens: string[]; // (n_k,)
  askers: string[]; // (n_q,)
  at: number[] | null; // where each asker stands among the words
  d_k: number; // what √d takes
  heads: number;
  d: number;
  d_v: number;
  /** 1 = may look, (heads, n_q, n_k). */
  mask: Uint8Array | null;
  /** Each (heads, n, d); null where the reader's own numbers count. */
  vectors: Record<Role, Float64Array> | null;
  layer: Layer | null;
  steps: Step[];
  /** Does it begin to play when it comes into view? */
  autoplay: boolean;
}

/** What the reader may change. The names are the Python traits. */
export interface Reader {
  step: number;
  asks: number; // −1: all
  head: number;
  query: number[][]; // (n_q, d), or empty
  key: number[][]; // (n_k, d)
  value: number[][]; // (n_k, d_v)
}

const words = (raw: unknown, name: string): string[] => {
  const list = Array.isArray(raw) ? raw.map(String) : [];
  if (list.length < 1 || list.length > MAX_TOKENS)
    throw new Error(`expected 1 to ${MAX_TOKENS} ${name}, got ${list.length}`);
  return list;
};

/** An array of this shape; −1 stands for any size. */
function shaped(raw: unknown, name: string, shape: number[]): NumberArray {
  const array = unpack(raw as Packed, name);
  const fits =
    array.shape.length === shape.length &&
    shape.every((n, i) => n === array.shape[i] || (n < 0 && array.shape[i]));
  if (!fits)
    throw new Error(
      `expected ${name} of shape ${shape.map((n) => (n < 0 ? "d" : n)).join("×")}, ` +
        `got ${array.shape.join("×")}`,
    );
  return array;
}

/** Read and check data and first numbers; throws an Error that says what. */
export function parse(raw: unknown, state: unknown): [Source, Reader] {
  const json = dataOf(raw);
  const tokens = words(json.tokens, "tokens");
  const askers = words(json.query_tokens, "query_tokens");
  const [n_q, n_k] = [askers.length, tokens.length];
  const d_k = json.d_k;
  if (!Number.isFinite(d_k) || (d_k as number) <= 0)
    throw new Error(`expected d_k above 0, got ${d_k}`);
  const packed = json.vectors === null ? null : dataOf(json.vectors);
  const first = packed
    ? { query: [], key: [], value: [] }
    : ownVectors(dataOf(state), n_q, n_k);
  const arrays = packed && {
    query: shaped(packed.query, "query", [-1, n_q, -1]),
    key: shaped(packed.key, "key", [-1, n_k, -1]),
    value: shaped(packed.value, "value", [-1, n_k, -1]),
  };
  const heads = arrays?.query.shape[0] ?? 1;
  const d = arrays?.query.shape[2] ?? first.query[0].length;
  const d_v = arrays?.value.shape[2] ?? first.value[0].length;
  if (arrays) {
    shaped(packed?.key, "key", [heads, n_k, d]);
    shaped(packed?.value, "value", [heads, n_k, d_v]);
  }
  if (heads > MAX_HEADS)
    throw new Error(`expected 1 to ${MAX_HEADS} heads, got ${heads}`);
  const mask =
    json.mask == null ? null : shaped(json.mask, "mask", [heads, n_q, n_k]);
  const layer = json.layer == null ? null : parseLayer(json.layer, n_q);
  const source: Source = {
    title: String(json.title ?? ""),
    note: String(json.note ?? ""),
    tokens,
    askers,
    at: places(json.at, n_q, n_k),
    d_k: d_k as number,
    heads,
    d,
    d_v,
    mask: mask && Uint8Array.from(mask.data, (x) => (x ? 1 : 0)),
    vectors: arrays && {
      query: arrays.query.data,
      key: arrays.key.data,
      value: arrays.value.data,
    },
    layer,
    autoplay: json.autoplay === true,
    steps: (Object.keys(NAMES) as Step[]).filter((step) =>
      step === "mask"
        ? mask
        : step === "all"
          ? n_q > 1
          : !["add", "norm", "feed", "norm2"].includes(step) || layer,
    ),
  };
  return [source, { ...traits.defaults(TRAITS), ...first }];
}

/** The vectors that a reader may change: the state begins with them. */
function ownVectors(state: Json, n_q: number, n_k: number) {
  const rows = (name: Role, n: number): number[][] => {
    const found = state[name];
    const width = Array.isArray(found) ? (found[0]?.length ?? 0) : 0;
    const fits =
      width > 0 &&
      (found as unknown[]).length === n &&
      (found as unknown[]).every(numbers(width, -RANGE, RANGE));
    if (!fits) throw new Error(`expected ${name} as ${n} vectors of numbers`);
    return found as number[][];
  };
  const [query, key] = [rows("query", n_q), rows("key", n_k)];
  if (query[0].length !== key[0].length)
    throw new Error("expected query and key of one length");
  return { query, key, value: rows("value", n_k) };
}

function places(raw: unknown, n_q: number, n_k: number): number[] | null {
  if (raw == null) return null;
  const inside = (i: unknown) => Number.isInteger(i) && (i as number) >= 0;
  if (
    !Array.isArray(raw) ||
    raw.length !== n_q ||
    !raw.every((i) => inside(i) && i < n_k)
  )
    throw new Error(`expected at as ${n_q} positions of words`);
  return raw;
}

function parseLayer(raw: unknown, n_q: number): Layer {
  const json = dataOf(raw);
  const part = (name: string, shape: number[]) =>
    json[name] == null ? null : shaped(json[name], name, shape);
  const x = shaped(json.x, "x", [n_q, -1]);
  const m = x.shape[1];
  const w_1 = shaped(json.w_1, "w_1", [m, -1]);
  const f = w_1.shape[1];
  return {
    x,
    w_o: part("w_o", [-1, m]),
    w_1,
    b_1: part("b_1", [f]),
    w_2: shaped(json.w_2, "w_2", [f, m]),
    b_2: part("b_2", [m]),
  };
}

export function validators(source: Source, start: Reader): Valid<Reader> {
  const rows = (first: number[][]) => (x: number[][]) =>
    x.length === first.length &&
    x.every((row) => numbers(first[0].length, -RANGE, RANGE)(row));
  const below = (n: number) => (x: number) => x < n;
  return traits.validators<Reader>(TRAITS, {
    step: below(source.steps.length),
    asks: below(source.askers.length),
    head: below(source.heads),
    query: rows(start.query),
    key: rows(start.key),
    value: rows(start.value),
  });
}

/** Every number of one head. */
export interface Answer {
  query: Float64Array; // (n_q, d)
  key: Float64Array; // (n_k, d)
  value: Float64Array; // (n_k, d_v)
  allowed: Uint8Array | null; // (n_q, n_k)
  scores: Float64Array; // q·k, (n_q, n_k)
  logits: Float64Array; // q·k ÷ √d
  weights: Float64Array;
  output: Float64Array; // (n_q, d_v)
  /** The largest number of each role: what colours and bars end at. */
  top: Record<Role, number>;
}

export function attend(
  source: Source,
  state: Reader,
  head = state.head,
): Answer {
  const { askers, tokens, d, d_v, vectors } = source;
  const [n_q, n_k] = [askers.length, tokens.length];
  const part = (role: Role, size: number): Float64Array =>
    vectors
      ? vectors[role].subarray(head * size, (head + 1) * size)
      : Float64Array.from(state[role].flat());
  const query = part("query", n_q * d);
  const key = part("key", n_k * d);
  const value = part("value", n_k * d_v);
  const size = n_q * n_k;
  const allowed = source.mask?.subarray(head * size, (head + 1) * size) ?? null;
  const scores = dotProducts(query, key, n_q, n_k, d);
  const factor = 1 / Math.sqrt(source.d_k);
  const weights = new Float64Array(size);
  softmaxRows(scores, n_q, n_k, factor, allowed, weights);
  const output = new Float64Array(n_q * d_v);
  for (let i = 0; i < n_q; i++) {
    const row = weights.subarray(i * n_k, (i + 1) * n_k);
    output.set(weightedSum(row, value, d_v), i * d_v);
  }
  const logits = scores.map((x) => x * factor);
  const top = {
    query: largest(query),
    key: largest(key),
    value: largest(value),
  };
  return { query, key, value, allowed, scores, logits, weights, output, top };
}

/** The largest size of a number, at least something. */
export function largest(values: Float64Array): number {
  let most = 1e-9;
  for (const x of values) most = Math.max(most, Math.abs(x));
  return most;
}

/** What a layer makes of one word. */
export interface Further {
  x: Float64Array; // what the word was
  add: Float64Array; // x + attention
  norm: Float64Array;
  feed: Float64Array;
  norm2: Float64Array;
}

/** The rest of the layer, for one query; all heads take part. */
export function further(source: Source, state: Reader, i: number): Further {
  const { x, w_o, w_1, b_1, w_2, b_2 } = source.layer!;
  const { d_v, heads } = source;
  const joined = new Float64Array(heads * d_v);
  for (let head = 0; head < heads; head++) {
    const { output } = attend(source, state, head);
    joined.set(output.subarray(i * d_v, (i + 1) * d_v), head * d_v);
  }
  const m = x.shape[1];
  const before = x.data.subarray(i * m, (i + 1) * m);
  const told = w_o ? weightedSum(joined, w_o.data, m) : joined;
  const add = before.map((a, j) => a + told[j]);
  const norm = normalise(add);
  const inner = plus(weightedSum(norm, w_1.data, w_1.shape[1]), b_1);
  const feed = plus(
    weightedSum(
      inner.map((a) => Math.max(0, a)),
      w_2.data,
      m,
    ),
    b_2,
  );
  return {
    x: before,
    add,
    norm,
    feed,
    norm2: normalise(norm.map((a, j) => a + feed[j])),
  };
}

const plus = (a: Float64Array, b: NumberArray | null): Float64Array =>
  b ? a.map((x, i) => x + b.data[i]) : a;

/** Mean 0 and variance 1 (Ba et al. 2016), without gain and bias. */
export function normalise(a: Float64Array): Float64Array {
  const mean = a.reduce((s, x) => s + x, 0) / a.length;
  const variance = a.reduce((s, x) => s + (x - mean) ** 2, 0) / a.length;
  return a.map((x) => (x - mean) / Math.sqrt(variance + 1e-5));
}

/** A key as it lies to the query, in the plane of both. */
export interface Projection {
  along: number; // of the key, in the direction of the query
  across: number; // what is left of it
}

/** |q|, and each key's place beside the query. */
export function projections(
  query: Float64Array,
  key: Float64Array,
  scores: Float64Array,
): { length: number; keys: Projection[] } {
  const d = query.length;
  const length = Math.hypot(...query);
  const keys = Array.from(scores, (score, j) => {
    const whole = Math.hypot(...key.subarray(j * d, (j + 1) * d));
    const along = length > 0 ? score / length : 0;
    return { along, across: Math.sqrt(Math.max(0, whole ** 2 - along ** 2)) };
  });
  return { length, keys };
}
