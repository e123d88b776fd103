// What a heatmap is given, what a reader may change, and how both are
// checked: from Python, from a page's JSON, from a link.
import {
  type NumberArray,
  type Packed,
  product,
  unpack,
} from "../lib/arrays.ts";
import { dataOf, type Json } from "../lib/json.ts";
import { type Valid, whole } from "../lib/state.ts";
import * as traits from "../lib/traits.ts";
import { MAX_OFF, MAX_TOKENS, TRAITS } from "./traits.ts";

/** One picker: the name of a leading axis and a label for each step. */
export interface Axis {
  name: string;
  labels: string[];
}

/** The data. Exactly one of scores, query with key, or weights is given. */
export interface Source {
  axes: Axis[];
  scores: NumberArray | null; // (...axes, n_q, n_k)
  query: NumberArray | null; // (...axes, n_q, d_k)
  key: NumberArray | null; // (...axes, n_k, d_k)
  weights: NumberArray | null; // (...axes, n_q, n_k)
  value: NumberArray | null; // (...axes, n_k, d_v)
  odd_rows: boolean; // does some row of the weights not sum to 1?
  mask: Uint8Array | null; // (n_q, n_k), 1 = may look
  d_k: number | null;
  query_tokens: string[];
  key_tokens: string[];
  query_words: (number | null)[] | null;
  key_words: (number | null)[] | null;
  query_special: number[];
  key_special: number[];
  title: string;
  note: string;
}

/** What the reader may change. The names are the Python traits. */
export interface Reader {
  selection: Record<string, string>;
  temperature: number;
  scaled: boolean;
  causal: boolean;
  threshold: number;
  hide_special: boolean;
  merge_words: boolean;
  normalise: boolean; // weights: make each row sum to 1
  cell: number[]; // [row, column] under the cross-hair, or []
  locked: number[]; // rows kept for comparison
}

/** Check the data; throws an Error that says what was expected. */
export function parseSource(raw: unknown): Source {
  const json = dataOf(raw);
  const query_tokens = tokens(json.query_tokens, "query_tokens");
  const key_tokens = tokens(json.key_tokens, "key_tokens");
  const [n_q, n_k] = [query_tokens.length, key_tokens.length];
  const axes = parseAxes(json.axes);
  const lead = axes.map((axis) => axis.labels.length);
  const read = (name: string, tail: (number | null)[]): NumberArray | null => {
    if (json[name] === null || json[name] === undefined) return null;
    const array = unpack(json[name] as Packed, name);
    checkShape(array.shape, [...lead, ...tail], name);
    return array;
  };
  const source: Source = {
    axes,
    scores: read("scores", [n_q, n_k]),
    query: read("query", [n_q, null]),
    key: read("key", [n_k, null]),
    weights: read("weights", [n_q, n_k]),
    value: read("value", [n_k, null]),
    odd_rows: false,
    mask: null,
    d_k: typeof json.d_k === "number" ? json.d_k : null,
    query_tokens,
    key_tokens,
    query_words: wordIds(json.query_words, n_q, "query_words"),
    key_words: wordIds(json.key_words, n_k, "key_words"),
    query_special: positions(json.query_special, n_q, "query_special"),
    key_special: positions(json.key_special, n_k, "key_special"),
    title: String(json.title ?? ""),
    note: String(json.note ?? ""),
  };
  if (json.mask) {
    const mask = unpack(json.mask as Packed, "mask");
    checkShape(mask.shape, [n_q, n_k], "mask");
    const other = mask.data.find((x) => x !== 0 && x !== 1);
    if (other !== undefined)
      throw new Error(`expected mask of 0 and 1 (1 = may look), got ${other}`);
    source.mask = Uint8Array.from(mask.data);
  }
  const given = [source.scores, source.query && source.key, source.weights];
  if (given.filter(Boolean).length !== 1)
    throw new Error("expected one of scores, query with key, or weights");
  if (source.query && source.key) {
    const [d_q, d_k] = [source.query.shape.at(-1)!, source.key.shape.at(-1)!];
    if (d_q !== d_k)
      throw new Error(
        `expected key with d_k=${d_q} to match query, got ${d_k}`,
      );
    source.d_k = d_q;
  }
  if (source.weights?.data.some((w) => w < 0))
    throw new Error("expected weights of at least 0, got a negative one");
  if (source.weights) source.odd_rows = oddRows(source.weights.data, n_k);
  return source;
}

function tokens(raw: unknown, name: string): string[] {
  if (!Array.isArray(raw) || raw.length === 0)
    throw new Error(`expected at least one token in ${name}, got none`);
  if (raw.length > MAX_TOKENS)
    throw new Error(
      `expected at most ${MAX_TOKENS} tokens in ${name}, got ${raw.length}`,
    );
  return raw.map(String);
}

function parseAxes(raw: unknown): Axis[] {
  const axes = Array.isArray(raw) ? raw : [];
  return axes.map((axis) => {
    const labels = (axis as Json)?.labels;
    if (!Array.isArray(labels) || labels.length === 0)
      throw new Error("expected each axis to have a name and labels");
    return { name: String((axis as Json).name), labels: labels.map(String) };
  });
}

function checkShape(got: number[], want: (number | null)[], name: string) {
  const fits =
    got.length === want.length &&
    want.every((n, i) => n === null || n === got[i]);
  if (!fits)
    throw new Error(
      `expected ${name} of shape (${want.map((n) => n ?? "d").join(", ")}), ` +
        `got (${got.join(", ")})`,
    );
}

function wordIds(raw: unknown, n: number, name: string) {
  if (raw === null || raw === undefined) return null;
  if (!Array.isArray(raw) || raw.length !== n)
    throw new Error(`expected one word for each of ${n} tokens in ${name}`);
  return raw.map((w) => (Number.isInteger(w) ? (w as number) : null));
}

function positions(raw: unknown, n: number, name: string): number[] {
  const list = Array.isArray(raw) ? raw : [];
  if (!list.every(whole(0, n - 1)))
    throw new Error(`expected positions from 0 to ${n - 1} in ${name}`);
  return list as number[];
}

/** The number of the chosen map among all of them. */
export function mapIndex(axes: Axis[], selection: Record<string, string>) {
  return axes.reduce(
    (index, { name, labels }) =>
      index * labels.length + Math.max(0, labels.indexOf(selection[name])),
    0,
  );
}

/** How many maps there are. */
export const mapCount = (axes: Axis[]): number =>
  product(axes.map((axis) => axis.labels.length));

/** Is a token left out, such as [CLS]? Is there any word in pieces? */
export const hasSpecial = (s: Source): boolean =>
  s.query_special.length + s.key_special.length > 0;
export const hasPieces = (s: Source): boolean =>
  [s.query_words, s.key_words].some((words) => {
    const known = words?.filter((w) => w !== null) ?? [];
    return new Set(known).size < known.length;
  });

/** Are the weights shown just as they were given? */
export const asGiven = (source: Source, state: Reader): boolean =>
  source.weights !== null && !state.normalise;

/** Is a row's sum too far from 1 for rounding to explain it? */
export const isOdd = (sum: number): boolean => Math.abs(sum - 1) > MAX_OFF;

function oddRows(weights: Float64Array, n_k: number): boolean {
  for (let c = 0; c < weights.length; c += n_k)
    if (isOdd(weights.subarray(c, c + n_k).reduce((a, b) => a + b)))
      return true;
  return false;
}

/** For each thing that a reader may change: is this a value it may take? */
export function validators(source: Source): Valid<Reader> {
  const inside = (i: number, tokens: string[]) => i >= 0 && i < tokens.length;
  const [queries, keys] = [source.query_tokens, source.key_tokens];
  return traits.validators<Reader>(TRAITS, {
    selection: (chosen) =>
      Object.entries(chosen).every(([name, label]) =>
        source.axes.some((a) => a.name === name && a.labels.includes(label)),
      ),
    normalise: (on) => on || source.weights !== null,
    cell: (cell) =>
      cell.length === 0 ||
      (cell.length === 2 && inside(cell[0], queries) && inside(cell[1], keys)),
    locked: (rows) =>
      new Set(rows).size === rows.length &&
      rows.every((i) => inside(i, queries)),
  });
}

/** The state before anyone touched anything. */
export const defaults = (source: Source): Reader => ({
  ...traits.defaults(TRAITS),
  selection: Object.fromEntries(
    source.axes.map(({ name, labels }) => [name, labels[0]]),
  ),
  scaled: source.d_k !== null,
});
