// Masks over tokens and layers: what they let through, and what they cost.
// Pure; attn_course.masks and attn_course.widgets.mask_designer hold the Python twins.

import { dataOf, type Json } from "../lib/json.ts";
import { uniform } from "../lib/random.ts";
import { type Valid, whole } from "../lib/state.ts";
import * as traits from "../lib/traits.ts";
import { BYTES, LETTERS, MAX_PAINTED, MAX_TOKENS, TRAITS } from "./traits.ts";

export interface Source {
  tokens: string[];
  layers: number;
  presets: string[]; // those that the reader may choose
  dtype: keyof typeof BYTES;
  title: string;
  note: string;
}

/** The numbers that presets depend on; each has a slider. */
export interface Numbers {
  padded: number; // tokens at the end that are padding
  window: number; // neighbours on each side
  dilation: number; // every which neighbour
  block: number; // tokens in a block
  n_global: number; // first tokens that see all and are seen by all
  n_random: number; // keys that each query draws
  seed: number;
}

/** What the reader may change. The names are the Python traits. */
export interface Reader extends Numbers {
  preset: Record<string, string>; // for each layer, counted from 1
  painted: Record<string, string>; // cells that differ from it, packed
  same: boolean; // layer 1's mask in every layer
  causal: boolean; // hide later keys as well
  layer: number;
  mark_future: boolean;
  zoom: boolean;
  cell: number[]; // [query, key], or []
}

type Rule = (x: Numbers, n: number) => (i: number, j: number) => boolean;

interface Preset {
  rule: Rule;
  uses: (keyof Numbers)[];
}

const near: Rule = (x) => (i, j) => Math.abs(i - j) <= x.window;
const central: Rule = (x) => (i, j) => i < x.n_global || j < x.n_global;
const either =
  (...rules: Rule[]): Rule =>
  (x, n) => {
    const made = rules.map((rule) => rule(x, n));
    return (i, j) => {
      for (const allows of made) if (allows(i, j)) return true;
      return false;
    };
  };

export const PRESETS: Record<string, Preset> = {
  full: { rule: () => () => true, uses: [] },
  causal: { rule: () => (i, j) => j <= i, uses: [] },
  padding: { rule: (x, n) => (_, j) => j < n - x.padded, uses: ["padded"] },
  "causal and padding": {
    rule: (x, n) => (i, j) => j <= i && j < n - x.padded,
    uses: ["padded"],
  },
  "sliding window": { rule: near, uses: ["window"] },
  "dilated window": {
    rule: (x) => (i, j) =>
      (i - j) % x.dilation === 0 && Math.abs(i - j) <= x.window * x.dilation,
    uses: ["window", "dilation"],
  },
  blocks: {
    rule: (x) => (i, j) => Math.floor(i / x.block) === Math.floor(j / x.block),
    uses: ["block"],
  },
  "global tokens": { rule: central, uses: ["n_global"] },
  "window and global tokens": {
    rule: either(near, central),
    uses: ["window", "n_global"],
  },
  "BigBird-like": {
    rule: either(near, central, lots),
    uses: ["window", "n_global", "n_random", "seed"],
  },
};

/** Each query draws keys among those that it does not see otherwise. */
function lots(x: Numbers, n: number): (i: number, j: number) => boolean {
  const seen = either(near, central)(x, n);
  const random = uniform(x.seed);
  const drawn = new Uint8Array(n * n);
  for (let i = 0; i < n; i++) {
    const lot = Array.from({ length: n }, random);
    [...lot.keys()]
      .filter((j) => !seen(i, j))
      .sort((a, b) => lot[a] - lot[b])
      .slice(0, x.n_random)
      .forEach((j) => {
        drawn[i * n + j] = 1;
      });
  }
  return (i, j) => drawn[i * n + j] === 1;
}

/** Check the data; throws an Error that says what was expected. */
export function parseSource(raw: unknown): Source {
  const json = dataOf(raw);
  const tokens = Array.isArray(json.tokens) ? json.tokens.map(String) : [];
  if (tokens.length < 1 || tokens.length > MAX_TOKENS)
    throw new Error(`expected 1 to ${MAX_TOKENS} tokens, got ${tokens.length}`);
  const { layers } = json;
  const [least, most] = TRAITS.layer.range;
  if (!whole(least, most)(layers))
    throw new Error(`expected ${least} to ${most} layers, got ${layers}`);
  const presets = Array.isArray(json.presets) ? json.presets.map(String) : [];
  const unknown = presets.filter((name) => !Object.hasOwn(PRESETS, name));
  if (presets.length === 0 || unknown.length > 0)
    throw new Error(
      `expected presets among ${Object.keys(PRESETS).join(", ")}, ` +
        `got ${unknown.join(", ") || "none"}`,
    );
  const dtype = String(json.dtype);
  if (!Object.hasOwn(BYTES, dtype))
    throw new Error(
      `expected a dtype among ${Object.keys(BYTES).join(", ")}, got ${dtype}`,
    );
  return {
    tokens,
    layers,
    presets,
    dtype: dtype as Source["dtype"],
    title: String(json.title ?? ""),
    note: String(json.note ?? ""),
  };
}

/** The numbers of the layers, as records name them. */
export const layerNames = ({ layers }: Source): string[] =>
  Array.from({ length: layers }, (_, i) => String(i + 1));

const everyLayer = <T>(source: Source, value: T): Record<string, T> =>
  Object.fromEntries(layerNames(source).map((name) => [name, value]));

/** How far each slider goes. */
export function range(name: keyof Numbers, n: number): [number, number] {
  const [low, high] = TRAITS[name].range;
  return [low, name === "seed" ? high : n];
}

/** For each thing that a reader may change: is this a value it may take? */
export function validators(source: Source): Valid<Reader> {
  const n = source.tokens.length;
  const names = layerNames(source);
  const record = (fits: (text: string) => boolean) => (given: Json) =>
    Object.entries(given).every(
      ([name, text]) =>
        names.includes(name) && typeof text === "string" && fits(text),
    );
  const upToAll = (x: number) => x <= n;
  return traits.validators<Reader>(TRAITS, {
    preset: record((text) => source.presets.includes(text)),
    painted: record((text) => isPacked(text, n)),
    layer: (layer) => layer <= source.layers,
    padded: upToAll,
    window: upToAll,
    dilation: upToAll,
    block: upToAll,
    n_global: upToAll,
    n_random: upToAll,
    cell: (cell) =>
      cell.length === 0 ||
      (cell.length === 2 && cell.every((i) => i >= 0 && i < n)),
  });
}

/** The state before anyone touched anything. */
export function defaults(source: Source): Reader {
  const start = traits.defaults(TRAITS);
  // Short sentences have fewer neighbours than the numbers start with.
  const short = (name: "padded" | "dilation" | "block") =>
    Math.min(start[name], source.tokens.length);
  return {
    ...start,
    preset: everyLayer(source, source.presets[0]),
    painted: everyLayer(source, ""),
    padded: short("padded"),
    dilation: short("dilation"),
    block: short("block"),
  };
}

// --- painted cells, six to a character ------------------------------------
/** Cells as text, row by row; what is left out at the end is zeros. */
export function pack(cells: Uint8Array): string {
  let text = "";
  for (let c = 0; c < cells.length; c += 6) {
    let six = 0;
    for (let k = 0; k < 6; k++) six = 2 * six + (cells[c + k] ?? 0);
    text += LETTERS[six];
  }
  return text.replace(/A+$/, "");
}

export function unpack(text: string, n: number): Uint8Array {
  const cells = new Uint8Array(n * n);
  [...text].forEach((letter, place) => {
    const six = LETTERS.indexOf(letter);
    for (let k = 0; k < 6; k++)
      if ((six >> (5 - k)) & 1) cells[6 * place + k] = 1;
  });
  return cells;
}

/** Text that `pack` may have written; nothing lies outside the matrix. */
const isPacked = (text: string, n: number): boolean =>
  text === "" ||
  (n <= MAX_PAINTED &&
    text.length <= Math.ceil((n * n) / 6) &&
    /^[\w-]+$/.test(text) &&
    pack(unpack(text, n)) === text);

// --- masks ----------------------------------------------------------------

/** Whose preset and paint a layer has: its own, or layer 1's. */
export const owner = (state: Reader, layer: number): string =>
  state.same ? "1" : String(layer);

/** The mask of a layer before anything was painted, (n × n), 1 = may look. */
export function plain(source: Source, state: Reader, name: string): Uint8Array {
  const n = source.tokens.length;
  const allows = PRESETS[name].rule(state, n);
  const mask = new Uint8Array(n * n);
  for (let i = 0; i < n; i++)
    for (let j = 0; j < n; j++)
      if (allows(i, j) && (j <= i || !state.causal)) mask[i * n + j] = 1;
  return mask;
}

/** The mask of each layer. */
export function masks(source: Source, state: Reader): Uint8Array[] {
  const n = source.tokens.length;
  const made = new Map<string, Uint8Array>();
  return layerNames(source).map((_, index) => {
    const name = owner(state, index + 1);
    let mask = made.get(name);
    if (!mask) {
      mask = plain(source, state, state.preset[name]);
      const flips = unpack(state.painted[name], n);
      for (let c = 0; c < mask.length; c++) mask[c] ^= flips[c];
      made.set(name, mask);
    }
    return mask;
  });
}

/** NEVER: no layer lets this through. */
export const NEVER = 255;

/**
 * The first layer after which token i can have heard of token j: 0 for
 * itself; the residual connection keeps what is known.
 */
export function firstHeard(stack: Uint8Array[], n: number): Uint8Array {
  const first = new Uint8Array(n * n).fill(NEVER);
  for (let i = 0; i < n; i++) first[i * n + i] = 0;
  stack.forEach((mask, index) => {
    const before = first.slice();
    for (let i = 0; i < n; i++) {
      if (!before.subarray(i * n, i * n + n).includes(NEVER)) continue;
      for (let m = 0; m < n; m++) {
        if (!mask[i * n + m]) continue;
        for (let j = 0; j < n; j++)
          if (before[m * n + j] !== NEVER && first[i * n + j] === NEVER)
            first[i * n + j] = index + 1;
      }
    }
  });
  return first;
}

/** Tokens with the layer in which each looked at the one before. */
export type Way = { token: number; layer: number }[];

/** The way on which a key reaches a query; null: it never arrives. */
export function trace(
  stack: Uint8Array[],
  first: Uint8Array,
  n: number,
  query: number,
  key: number,
): Way | null {
  if (first[query * n + key] === NEVER) return null;
  const way: Way = [];
  let here = query;
  for (let layer = stack.length; layer > 0; layer--) {
    const heard = (token: number) => first[token * n + key] < layer;
    if (heard(here)) continue;
    way.unshift({ token: here, layer });
    const row = stack[layer - 1].subarray(here * n, here * n + n);
    here = row.findIndex((open, m) => open === 1 && heard(m));
  }
  return [{ token: key, layer: 0 }, ...way];
}

/** Pairs of a query and a later key that it can have heard of by `layer`. */
export function leaks(first: Uint8Array, n: number, layer: number) {
  const found: [number, number][] = [];
  for (let i = 0; i < n; i++)
    for (let j = i + 1; j < n; j++)
      if (first[i * n + j] <= layer) found.push([i, j]);
  return found;
}

/** Queries that may look at nothing. */
export const emptyRows = (mask: Uint8Array, n: number): number[] =>
  Array.from({ length: n }, (_, i) => i).filter(
    (i) => !mask.subarray(i * n, i * n + n).includes(1),
  );

export interface Cost {
  pairs: number;
  fraction: number;
  most_keys: number;
}

export function cost(mask: Uint8Array, n: number): Cost {
  const keys = Array.from({ length: n }, (_, i) =>
    mask.subarray(i * n, i * n + n).reduce((a, b) => a + b, 0),
  );
  const pairs = keys.reduce((a, b) => a + b, 0);
  return { pairs, fraction: pairs / (n * n), most_keys: Math.max(...keys) };
}

/**
 * Layers with this mask until every token can have heard of every other:
 * the longest of the shortest ways. Null: never.
 */
export function layersUntilConnected(
  mask: Uint8Array,
  n: number,
): number | null {
  let longest = 0;
  for (let start = 0; start < n; start++) {
    const seen = new Uint8Array(n);
    seen[start] = 1;
    let edge = [start];
    let count = 1;
    for (let layers = 1; count < n; layers++) {
      const next: number[] = [];
      for (const i of edge)
        for (let j = 0; j < n; j++)
          if (mask[i * n + j] && !seen[j]) {
            seen[j] = 1;
            next.push(j);
          }
      if (next.length === 0) return null;
      count += next.length;
      longest = Math.max(longest, layers);
      edge = next;
    }
  }
  return longest;
}

/** The first layer after which all have met; null: not within these. */
export function metAfter(first: Uint8Array): number | null {
  const last = first.reduce((a, b) => Math.max(a, b), 0);
  return last === NEVER ? null : last;
}
