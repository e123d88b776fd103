// Flash attention tile by tile. Pure; attn_course.flash.steps is the twin.
import { type Valid, within } from "../lib/state.ts";
import * as traits from "../lib/traits.ts";
import { LARGEST, LONGEST, MOST, TRAITS } from "./traits.ts";

export interface Reader {
  step: number; // tiles done
  block_q: number;
  block_k: number;
  causal: boolean;
  order: string; // the outer loop
  broken: boolean; // leave out the factor exp(m_old − m_new)
}

export type Tiling = Omit<Reader, "step">;

export interface Source {
  query: number[][];
  key: number[][];
  value: number[][];
}

/** Everything after one tile; every array covers all rows. */
export interface Step {
  tile: [query: number, key: number];
  m: number[];
  l: number[];
  output: number[][]; // not yet divided by l
  factors: number[];
  expected: number[][]; // attention over the keys seen so far
  read: number; // bytes since the beginning
  written: number;
}

const BYTES = 4; // of a number, float32

export function parseSource(json: unknown): Source {
  const { query, key, value } = (json ?? {}) as Source;
  const table = (x: unknown, most: number): boolean =>
    Array.isArray(x) &&
    x.length >= 1 &&
    x.length <= MOST &&
    x.every(
      (row) =>
        Array.isArray(row) &&
        row.length >= 1 &&
        row.length <= most &&
        row.length === x[0].length &&
        row.every(within(-LARGEST, LARGEST)),
    );
  const fits =
    table(query, LONGEST.query) &&
    table(key, LONGEST.key) &&
    table(value, LONGEST.value);
  if (!fits)
    throw new Error(
      `expected query, key and value: 1 to ${MOST} vectors of numbers each`,
    );
  if (query[0].length !== key[0].length || key.length !== value.length)
    throw new Error(
      "expected key vectors as long as the queries' and a value for each, " +
        `got ${query[0].length} and ${key[0].length} numbers, ` +
        `${key.length} keys and ${value.length} values`,
    );
  return { query, key, value };
}

export const validators = ({ query, key }: Source): Valid<Reader> =>
  traits.validators<Reader>(TRAITS, {
    step: (step) => step <= query.length * key.length,
    block_q: (size) => size <= query.length,
    block_k: (size) => size <= key.length,
  });

/** The state before anyone touched anything. */
export function defaults({ query, key }: Source): Reader {
  const start = traits.defaults(TRAITS);
  return {
    ...start,
    block_q: Math.min(start.block_q, query.length),
    block_k: Math.min(start.block_k, key.length),
  };
}

/** The indices from `block · size` on that a block has. */
export const blockOf = (block: number, size: number, n: number): number[] =>
  Array.from(
    { length: Math.min(size, n - block * size) },
    (_, i) => block * size + i,
  );

/** Tiles in the order in which they are computed; skipped ones are not. */
export function tiles(source: Source, state: Tiling): [number, number][] {
  const [n, m] = [source.query.length, source.key.length];
  const found: [number, number][] = [];
  for (let i = 0; i * state.block_q < n; i++)
    for (let j = 0; j * state.block_k < m; j++) {
      const last = Math.min((i + 1) * state.block_q, n) - 1;
      if (!state.causal || j * state.block_k <= last) found.push([i, j]);
    }
  return state.order === "queries" ? found : found.sort((a, b) => a[1] - b[1]);
}

/** All tiles, skipped ones too. */
export const tileCount = ({ query, key }: Source, state: Tiling): number =>
  Math.ceil(query.length / state.block_q) *
  Math.ceil(key.length / state.block_k);

/** q·k/√d of every query and key. */
export const scoresOf = ({ query, key }: Source): number[][] =>
  query.map((q) =>
    key.map(
      (k) => q.reduce((sum, x, c) => sum + x * k[c], 0) / q.length ** 0.5,
    ),
  );

/** Bytes if S and P go to slow memory and back (Dao et al. 2022, alg. 0). */
export const standardBytes = ({ query, key, value }: Source): number =>
  BYTES *
  (4 * query.length * key.length +
    (query.length + key.length) * (key[0].length + value[0].length));

/** What stands there before the first tile. */
export const nothing = ({ query, value }: Source): Step => ({
  tile: [-1, -1],
  m: query.map(() => -Infinity),
  l: query.map(() => 0),
  output: query.map(() => value[0].map(() => 0)),
  factors: query.map(() => 1),
  expected: query.map(() => value[0].map(() => 0)),
  read: 0,
  written: 0,
});

/** Go through the tiles and keep every step. */
export function steps(source: Source, state: Tiling): Step[] {
  const { query, key, value } = source;
  const scores = scoresOf(source);
  const walk = tiles(source, state);
  let now = nothing(source);
  const seen: number[][] = query.map(() => []);
  return walk.map(([i, j], number) => {
    const rows = blockOf(i, state.block_q, query.length);
    const keys = blockOf(j, state.block_k, key.length);
    const next: Step = {
      ...moved(now, source, state, walk, number),
      tile: [i, j],
      m: [...now.m],
      l: [...now.l],
      output: [...now.output],
      factors: query.map(() => 1),
      expected: [...now.expected],
    };
    for (const q of rows) {
      const met = keys.filter((k) => !state.causal || k <= q);
      seen[q] = [...seen[q], ...met];
      const m = Math.max(now.m[q], ...met.map((k) => scores[q][k]));
      // A row that has seen no key has nothing to rescale.
      const factor = now.m[q] === -Infinity ? 0 : Math.exp(now.m[q] - m);
      const used = state.broken ? 1 : factor;
      const shares = met.map((k) => Math.exp(scores[q][k] - m));
      next.m[q] = m;
      next.factors[q] = factor;
      next.l[q] = used * now.l[q] + sum(shares);
      next.output[q] = now.output[q].map(
        (x, c) => used * x + sum(met.map((k, n) => shares[n] * value[k][c])),
      );
      next.expected[q] = attend(scores[q], value, seen[q]);
    }
    now = next;
    return next;
  });
}

const sum = (numbers: number[]): number => numbers.reduce((a, b) => a + b, 0);

/** Attention of one row over some keys, by plain softmax. */
function attend(scores: number[], value: number[][], keys: number[]) {
  const top = Math.max(...keys.map((k) => scores[k]));
  const shares = keys.map((k) => Math.exp(scores[k] - top));
  return value[0].map((_, c) =>
    keys.length === 0
      ? 0
      : sum(keys.map((k, n) => shares[n] * value[k][c])) / sum(shares),
  );
}

/** The bytes read and written up to the end of a step. */
function moved(
  before: Step,
  { query, key, value }: Source,
  state: Tiling,
  walk: [number, number][],
  number: number,
): Step {
  const [d, v] = [query[0].length, value[0].length];
  const [i, j] = walk[number];
  const rows = blockOf(i, state.block_q, query.length).length;
  const keys = blockOf(j, state.block_k, key.length).length;
  const outer = (at: number) => walk[at]?.[state.order === "keys" ? 1 : 0];
  const begins = outer(number - 1) !== outer(number) ? 1 : 0;
  const ends = outer(number + 1) !== outer(number) ? 1 : 0;
  const row = v + 2; // O, m and l
  const [read, written] =
    state.order === "keys"
      ? [begins * keys * (d + v) + rows * (d + row), rows * row]
      : [begins * rows * d + keys * (d + v), ends * rows * (v + 1)];
  return {
    ...before,
    read: before.read + BYTES * read,
    written: before.written + BYTES * written,
  };
}

/** Output divided by l; zeros where nothing was seen. */
export const normalized = ({ output, l }: Step): number[][] =>
  output.map((row, q) => row.map((x) => (l[q] > 0 ? x / l[q] : 0)));

/** The largest distance of each row from what it must be. */
export function errors(step: Step): number[] {
  const got = normalized(step);
  return step.expected.map((row, q) =>
    Math.max(...row.map((x, c) => Math.abs(got[q][c] - x))),
  );
}
