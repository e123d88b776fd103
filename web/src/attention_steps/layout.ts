// Where everything stands, in units of a letter's size: columns of words
// where there is room, else one card or one row a word.

import type { Source } from "./model.ts";
import { MAX_DRAWN } from "./traits.ts";

export interface Box {
  x: number;
  y: number;
  w: number;
  h: number;
}

/** One key and what is drawn for it. */
export interface Slot {
  word: Box;
  key: Box;
  plane: Box;
  score: Box; // two lines: q·k, and divided
  bar: Box;
  share: Box; // the weight as text
  value: Box;
}

export interface Layout {
  kind: "columns" | "cards" | "rows";
  width: number;
  height: number;
  slots: Slot[]; // (n_k,)
  /** Who asks where they aren't among the words, (n_q,), or only one. */
  askers: Box[];
  /** The query and the output of each asker, (n_q,). */
  query: Box[];
  output: Box[];
  /** What follows in a layer, from the output down: five vectors. */
  further: Box[][];
  /** Where arcs turn: a line above the words, or one left of them. */
  bend: number;
  /** The rows' names, where there is room for them. */
  names: { role: string; text: string; step: string; y: number }[];
  /** The band behind what a step is about. */
  bands: Record<string, [top: number, bottom: number]>;
  /** Are numbers written into the vectors? */
  cells: Record<"query" | "key" | "value" | "output" | "layer", boolean>;
}

const CELL = { most: 36, least: 23 };
const [VECTOR, WORD, LINE] = [24, 30, 17];
const NARROW = 540;
const LEAST_COLUMN = 40;
const MOST_CARDS = 6;

/** How wide a vector is drawn, and whether its numbers find room. */
function vector(d: number, room: number): { w: number; cells: boolean } {
  const cells = d <= MAX_DRAWN && room / d >= CELL.least;
  return { w: cells ? Math.min(CELL.most, room / d) * d : room, cells };
}

/** `low`: save height, for letters that are large on a screen. */
export function layOut(source: Source, width: number, low = false): Layout {
  const columns = (width - 68) / source.tokens.length;
  return width < NARROW || columns < LEAST_COLUMN
    ? stacked(source, width)
    : inColumns(source, width, low);
}

const around = (x: number, y: number, w: number, h: number): Box => ({
  x: x - w / 2,
  y,
  w,
  h,
});

function inColumns(source: Source, width: number, low: boolean): Layout {
  const air = low ? 0 : 1;
  const { tokens, askers, at, d, d_v, layer } = source;
  const n = tokens.length;
  const left = 76;
  const column = Math.min(172, (width - left - 4) / n);
  const start = left + (width - left - 4 - n * column) / 2;
  const middle = (j: number) => start + (j + 0.5) * column;
  const spread = (i: number) =>
    start + ((i + 0.5) * n * column) / askers.length;
  const home = askers.map((_, i) => (at ? middle(at[i]) : spread(i)));

  const room = Math.min(column - 8, 150);
  const key = vector(d, d <= MAX_DRAWN ? column - 8 : room);
  const value = vector(d_v, d_v <= MAX_DRAWN ? column - 8 : room);
  const query = { ...key, y: at ? 46 + 16 * air : 40 };
  const word = at ? query.y + VECTOR + 8 : query.y + VECTOR + 44 + 18 * air;
  const keys = word + WORD + 12;
  const plane = keys + VECTOR + 8;
  const drawn = 48 + 16 * air;
  const score = plane + drawn + 6;
  const bars = score + 2 * LINE + 18;
  const tall = 64 + 14 * air;
  const values = bars + tall + 12;
  const outputs = values + VECTOR + 38 + 14 * air;
  const m = layer?.x.shape[1] ?? 0;
  const wide = vector(m, Math.min(m * 34, width - left - 150));
  const rows = layer ? 5 : 0;
  // Where words are many, their room is for letters.
  const pill = Math.min(column - (column < 60 ? 2 : 6), 104);

  const slots = tokens.map((_, j) => {
    const x = middle(j);
    return {
      word: around(x, word, pill, WORD),
      key: around(x, keys, key.w, VECTOR),
      plane: around(x, plane, Math.min(column - 10, 140), drawn),
      score: around(x, score, column, 2 * LINE),
      bar: around(x, bars, Math.min(column - 14, 52), tall),
      share: around(x, bars, column, 0),
      value: around(x, values, value.w, VECTOR),
    };
  });
  const inside = (x: number, w: number) =>
    Math.max(left + w / 2, Math.min(width - 2 - w / 2, x));
  const asker = Math.min(104, (n * column) / askers.length - 4);
  return {
    kind: "columns",
    width,
    height: outputs + VECTOR + 8 + rows * (VECTOR + 10),
    slots,
    askers: at ? [] : home.map((x) => around(x, 4, asker, WORD)),
    query: home.map((x) =>
      around(inside(x, query.w), query.y, query.w, VECTOR),
    ),
    output: home.map((x) =>
      around(inside(x, value.w), outputs, value.w, VECTOR),
    ),
    further: home.map((x) =>
      Array.from({ length: rows }, (_, r) =>
        around(
          inside(x, wide.w),
          outputs + (r + 1) * (VECTOR + 10),
          wide.w,
          VECTOR,
        ),
      ),
    ),
    bend: at ? 4 : word - 34,
    names: [
      { role: "query", text: "query", step: "query", y: query.y + 17 },
      { role: "key", text: "keys", step: "scores", y: keys + 17 },
      { role: "soft", text: "q·k", step: "scores", y: score + 13 },
      { role: "soft", text: "÷ √d", step: "scale", y: score + 13 + LINE },
      { role: "weight", text: "weights", step: "softmax", y: bars + tall - 4 },
      { role: "value", text: "values", step: "values", y: values + 17 },
      { role: "output", text: "output", step: "output", y: outputs + 17 },
      ...(layer
        ? ["before", "added", "normalised", "feed-forward", "normalised"].map(
            (text, r) => ({
              role: "soft",
              text,
              step: ["add", "add", "norm", "feed", "norm2"][r],
              y: outputs + (r + 1) * (VECTOR + 10) + 17,
            }),
          )
        : []),
    ],
    bands: {
      query: [query.y - 5, query.y + VECTOR + 5],
      scores: [keys - 6, score + LINE + 1],
      scale: [score + LINE - 1, score + 2 * LINE + 4],
      mask: [keys - 6, bars + tall + 6],
      softmax: [score + 2 * LINE + 4, bars + tall + 6],
      values: [values - 6, values + VECTOR + 6],
      output: [outputs - 6, outputs + VECTOR + 6],
      ...(layer
        ? Object.fromEntries(
            ["add", "norm", "feed", "norm2"].map((step, r) => {
              const y = outputs + (r + 2) * (VECTOR + 10);
              return [step, [y - 5, y + VECTOR + 5]];
            }),
          )
        : {}),
    },
    cells: {
      query: key.cells,
      key: key.cells,
      value: value.cells,
      output: value.cells,
      layer: wide.cells,
    },
  };
}

/** One word below the other: cards with numbers, or rows where many. */
function stacked(source: Source, width: number): Layout {
  const { tokens, askers, d, d_v, layer } = source;
  const gutter = 26;
  const right = 14;
  const room = width - gutter - right;
  const cards = tokens.length <= MOST_CARDS;
  const strip = { w: 0.13 * room, cells: false };
  const key = cards ? vector(d, room - 100) : strip;
  const value = cards ? vector(d_v, room - 8) : strip;
  const asked = vector(d, room - 78);
  const top = WORD + 22;
  const high = cards ? 126 : 44;
  const slots = tokens.map((_, j) => {
    const y = top + j * high;
    return cards
      ? cardOf(y, gutter, width - right, key.w, value.w)
      : rowOf(y, gutter, room, key.w);
  });
  const outputs = top + tokens.length * high + 14;
  const told = vector(d_v, room - 78);
  const m = layer?.x.shape[1] ?? 0;
  const wide = vector(m, Math.min(m * 34, room - 92));
  const rows = layer ? 5 : 0;
  const same = <T>(box: T): T[] => askers.map(() => box);
  const line = (r: number, w: number, x = gutter + 78) => ({
    x,
    y: outputs + r * (VECTOR + 10),
    w,
    h: VECTOR,
  });
  return {
    kind: cards ? "cards" : "rows",
    width,
    height: outputs + VECTOR + 10 + rows * (VECTOR + 10),
    slots,
    askers: [{ x: 2, y: 4, w: gutter + 62, h: WORD }],
    query: same({ x: gutter + 74, y: 7, w: asked.w, h: VECTOR }),
    output: same(line(0, told.w)),
    further: same(
      Array.from({ length: rows }, (_, r) => line(r + 1, wide.w, gutter + 92)),
    ),
    bend: 10,
    names: [
      { role: "output", text: "output", step: "output", y: outputs + 17 },
      ...(layer
        ? ["before", "added", "normalised", "feed-forward", "normalised"].map(
            (text, r) => ({
              role: "soft",
              text,
              step: ["add", "add", "norm", "feed", "norm2"][r],
              y: outputs + (r + 1) * (VECTOR + 10) + 17,
            }),
          )
        : []),
    ],
    bands: {},
    cells: {
      query: asked.cells,
      key: key.cells,
      value: value.cells,
      output: told.cells,
      layer: wide.cells,
    },
  };
}

function cardOf(
  y: number,
  x: number,
  end: number,
  key: number,
  value: number,
): Slot {
  return {
    word: { x, y: y + 4, w: 76, h: WORD },
    bar: { x: x + 84, y: y + 9, w: end - x - 84 - 54, h: 20 },
    share: { x: end - 50, y: y + 25, w: 50, h: 0 },
    key: { x, y: y + 40, w: key, h: VECTOR },
    plane: { x: end - 90, y: y + 36, w: 88, h: 48 },
    score: { x, y: y + 66, w: end - 94 - x, h: LINE },
    value: { x, y: y + 88, w: value, h: VECTOR },
  };
}

function rowOf(y: number, x: number, room: number, strip: number): Slot {
  const part = (from: number, w: number, top: number, h: number) => ({
    x: x + from * room,
    y: y + top,
    w: w * room,
    h,
  });
  return {
    word: part(0, 0.205, 6, WORD),
    key: { ...part(0.22, 0, 9, VECTOR), w: strip },
    plane: part(0.36, 0.14, 4, 34),
    score: part(0.505, 0.15, 4, 2 * LINE),
    share: part(0.665, 0.19, 18, 0),
    bar: part(0.665, 0.19, 24, 10),
    value: { ...part(0.87, 0, 9, VECTOR), w: strip },
  };
}
