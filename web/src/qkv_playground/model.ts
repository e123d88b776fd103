// One query and a few keys and values: from vectors to an output. Pure.

import { dataOf, type Json } from "../lib/json.ts";
import { dotProducts, softmaxRows, weightedSum } from "../lib/softmax.ts";
import { numbers, type Valid } from "../lib/state.ts";
import * as traits from "../lib/traits.ts";
import { MAX_D, MAX_KEYS, RANGE, TRAITS } from "./traits.ts";

/** What Python hands over. */
export interface Source {
  title: string;
  note: string;
  query_token: string;
  tokens: string[];
  d_k: number; // what √d takes: the vectors' own d, or that before projection
}

/** What the reader may change. The names are the Python traits. */
export interface Reader {
  query: number[]; // (d,)
  key: number[][]; // (n, d)
  value: number[][]; // (n, d_v)
  scaled: boolean;
  temperature: number;
}

export function parseSource(raw: unknown): Source {
  const json = dataOf(raw);
  const tokens = Array.isArray(json.tokens) ? json.tokens.map(String) : [];
  if (tokens.length < 1 || tokens.length > MAX_KEYS)
    throw new Error(`expected 1 to ${MAX_KEYS} tokens, got ${tokens.length}`);
  if (!Number.isFinite(json.d_k) || (json.d_k as number) < 1)
    throw new Error(`expected d_k of at least 1, got ${json.d_k}`);
  return {
    title: String(json.title ?? ""),
    note: String(json.note ?? ""),
    query_token: String(json.query_token ?? "query"),
    tokens,
    d_k: json.d_k as number,
  };
}

/** The first state, checked: shapes can't change afterwards. */
export function parseStart(raw: unknown, source: Source): Reader {
  const json = (raw ?? {}) as Json;
  const n = source.tokens.length;
  const matrix = (name: string): number[][] => {
    const rows = json[name];
    const width = Array.isArray(rows) ? (rows[0]?.length ?? 0) : 0;
    const fits =
      Array.isArray(rows) &&
      rows.length === n &&
      width >= 1 &&
      width <= MAX_D &&
      rows.every(numbers(width, -RANGE, RANGE));
    if (!fits)
      throw new Error(
        `expected ${name} as ${n} vectors of 1 to ${MAX_D} numbers`,
      );
    return rows as number[][];
  };
  const [key, value] = [matrix("key"), matrix("value")];
  if (!numbers(key[0].length, -RANGE, RANGE)(json.query))
    throw new Error(`expected a query of ${key[0].length} numbers`);
  const query = json.query as number[];
  return { ...traits.defaults(TRAITS), query, key, value };
}

export function validators(start: Reader): Valid<Reader> {
  const rows = (first: number[][]) => (x: number[][]) =>
    x.length === first.length &&
    x.every(numbers(first[0].length, -RANGE, RANGE));
  return traits.validators<Reader>(TRAITS, {
    query: numbers(start.query.length, -RANGE, RANGE),
    key: rows(start.key),
    value: rows(start.value),
  });
}

export interface Answer {
  scores: Float64Array; // q·k, (n,)
  logits: Float64Array; // what softmax sees, (n,)
  weights: Float64Array; // (n,)
  output: Float64Array; // (d_v,)
}

export function attend(source: Source, state: Reader): Answer {
  const n = state.key.length;
  const d = state.query.length;
  const scores = dotProducts(
    Float64Array.from(state.query),
    Float64Array.from(state.key.flat()),
    1,
    n,
    d,
  );
  const scale = state.scaled ? 1 / Math.sqrt(source.d_k) : 1;
  const factor = scale / state.temperature;
  const weights = softmaxRows(scores, 1, n, factor, null, new Float64Array(n));
  const d_v = state.value[0].length;
  const values = Float64Array.from(state.value.flat());
  return {
    scores,
    logits: scores.map((x) => x * factor),
    weights,
    output: weightedSum(weights, values, d_v),
  };
}
