// A matrix in SVG: labels, coloured cells, a cross-hair. For 512 tokens the
// heatmap has a canvas of its own.

import { type Ink, LIGHT_INK } from "./colours.ts";
import type { At } from "./grid.ts";
import { hex } from "./palette.ts";
import { type Scale, shadeOn } from "./scale.ts";
import { s } from "./svg.ts";

/** Where a matrix stands, in CSS pixels. */
export interface Place {
  left: number;
  top: number;
  cell: number;
  font: number;
  every: number; // label each row, or each second one, …
  width: number;
  height: number;
}

export interface Layout extends Place, Labels {
  upright: boolean; // are the labels of columns short?
  everyCol: number; // label each column, or each second one, …
}

export interface Labels {
  rows: string[];
  cols: string[];
  names: [row: string, col: string]; // what rows and columns are
}

/** A folded corner: it lies on cividis, in every theme. */
export const MARK = LIGHT_INK.accent;
export const TOUCH = 24;
const [MAX_CELL, MIN_LEFT, MAX_LABEL] = [34, 40, 84];
const LETTER = 7; // the width of one, more or less
const SHORT = 2; // labels of so many letters need not be turned

/** The labels of a map over tokens. */
export const tokenLabels = (tokens: string[]): Labels => ({
  rows: tokens,
  cols: tokens,
  names: ["query ↓", "key →"],
});

/** Fit a matrix into a width; `touch` keeps cells as large as fingers. */
export function layOut(
  labels: Labels,
  width: number,
  touch: boolean,
  largest = MAX_CELL,
): Layout {
  const { rows, cols } = labels;
  const [rowLabel, colLabel] = [rows, cols].map((texts) =>
    Math.min(
      MAX_LABEL,
      Math.max(...texts.map((text) => [...text].length)) * LETTER + 8,
    ),
  );
  const upright = colLabel <= SHORT * LETTER + 8;
  const least = upright ? 0 : MIN_LEFT;
  let left = Math.max(least, rowLabel);
  let cell = Math.min(largest, (width - left - 2) / cols.length);
  if (cell < TOUCH && touch) {
    left = Math.max(least, Math.min(left, width - 2 - cols.length * TOUCH));
    cell = TOUCH;
  }
  if (cell > 8) cell = Math.floor(cell);
  const font = Math.max(11, Math.min(12, cell - 2));
  const every = cell >= font ? 1 : Math.ceil((font + 2) / cell);
  const top = upright ? 34 : colLabel + 20;
  return {
    ...labels,
    left,
    top,
    cell,
    font,
    every,
    everyCol: upright ? Math.ceil((colLabel - 2) / cell) : every,
    upright,
    width: left + cols.length * cell + 2,
    height: top + rows.length * cell + 2,
  };
}

/** The narrowest picture of so many tokens that large cells fit into. */
export const touchWidth = (n: number): number => MIN_LEFT + n * TOUCH + 2;

/** The cell under a point, or null. */
export function cellAt(
  layout: Place & { rows: unknown[]; cols: unknown[] },
  x: number,
  y: number,
): At | null {
  const col = Math.floor((x - layout.left) / layout.cell);
  const row = Math.floor((y - layout.top) / layout.cell);
  const { rows, cols } = layout;
  return rows[row] !== undefined && cols[col] !== undefined
    ? { row, col }
    : null;
}

/** Where an event lies in a picture, in the picture's own pixels. */
export function pointIn(
  picture: Element,
  width: number,
  event: { clientX: number; clientY: number },
): [x: number, y: number] {
  const box = picture.getBoundingClientRect();
  const unit = width / (box.width || width);
  return [(event.clientX - box.left) * unit, (event.clientY - box.top) * unit];
}

/** What stands in the cells of one matrix. */
export interface Matrix {
  colour(c: number): string | null;
  empty(c: number): boolean;
  text?(c: number): { text: string; dark: boolean } | null;
  marked?(c: number): boolean;
}

/** Values on a scale in cividis, in 64 steps; what is missing is empty. */
export function shadeMatrix(
  values: ArrayLike<number>,
  scale: Scale,
): Matrix & { shades: Uint8Array } {
  const shades = Uint8Array.from(values, (x) => shadeOn(scale, x) & 252);
  const empty = (c: number) => Number.isNaN(values[c]);
  return { colour: (c) => (empty(c) ? null : hex(shades[c])), empty, shades };
}

/** What does not change while the reader paints: labels and lines. */
export function drawFrame(layout: Layout, ink: Ink): SVGElement[] {
  const { left, top, cell, rows, cols } = layout;
  const [wide, high] = [cols, rows].map((all) => round(all.length * cell));
  // Lines around each cell, or around all where they would hide them.
  const starts = (count: number) =>
    cell < 3
      ? [0, round(count * cell)]
      : Array.from({ length: count + 1 }, (_, i) => round(i * cell));
  const lines = [
    ...starts(rows.length).map((y) => `M${left} ${top + y}h${wide}`),
    ...starts(cols.length).map((x) => `M${left + x} ${top}v${high}`),
  ];
  const thick = cell >= 8 ? 1 : 0.25;
  const grid = { d: lines.join(""), stroke: ink.line, "stroke-width": thick };
  return [...labels(layout, ink), s("path", grid)];
}

/** What stands in the cells: a path for each colour, numbers, corners. */
export function drawCells(
  matrix: Matrix,
  layout: Layout,
  ink: Ink,
): SVGElement[] {
  const { left, top, cell, rows, cols } = layout;
  const n = cols.length;
  const x = (c: number) => round(left + (c % n) * cell);
  const y = (c: number) => round(top + Math.floor(c / n) * cell);
  const cells = Array.from({ length: rows.length * n }, (_, c) => c);
  // Strokes of cells on one diagonal join; in small cells they are fewer.
  const apart = Math.ceil(7 / cell);
  const isStroked = (c: number) =>
    cell >= 2 && ((c % n) + Math.floor(c / n)) % apart === 0;
  const strokes = cells
    .filter((c) => isStroked(c) && matrix.empty(c))
    .map((c) => `M${x(c)} ${y(c) + cell}l${cell} ${-cell}`);
  const nodes = [
    s("path", { d: strokes.join(""), stroke: ink.line }),
    ...[...runs(layout, matrix)].map(([fill, d]) => s("path", { d, fill })),
  ];
  if (matrix.text && cell >= 14)
    for (const c of cells) {
      const shown = matrix.text(c);
      if (!shown) continue;
      const place = {
        x: x(c) + cell / 2,
        y: y(c) + cell / 2 + 4,
        "text-anchor": "middle",
        "font-size": 11,
        fill: shown.dark ? "#000000" : "#ffffff",
      };
      nodes.push(s("text", place, shown.text));
    }
  const marked = cells.filter((c) => matrix.marked?.(c));
  return [...nodes, corners(layout, marked)];
}

/** The cross-hair, and a ring around a step of the way. */
export function drawOver(
  layout: Layout,
  at: At | null,
  ring: At | null,
  ink: Ink,
): SVGElement[] {
  const { left, top, cell, rows, cols } = layout;
  const nodes: SVGElement[] = [];
  if (at) {
    const [x, y] = [left + at.col * cell, top + at.row * cell];
    nodes.push(
      ...frame(left, y, cols.length * cell, cell, ink, 1),
      ...frame(x, top, cell, rows.length * cell, ink, 1),
      ...frame(x, y, cell, cell, ink, 2.5),
    );
  }
  if (ring) {
    const place = {
      cx: left + (ring.col + 0.5) * cell,
      cy: top + (ring.row + 0.5) * cell,
      r: Math.max(2, cell * 0.3),
      fill: "none",
    };
    nodes.push(
      s("circle", { ...place, stroke: "#ffffff", "stroke-width": 4 }),
      s("circle", { ...place, stroke: ink.accent, "stroke-width": 2 }),
    );
  }
  return nodes;
}

const round = (x: number) => Math.round(x * 100) / 100;

/**
 * A path for each colour; cells that touch in a row are one rectangle. Each
 * cell is looked at once, however many colours there are.
 */
function runs(layout: Layout, matrix: Matrix): Map<string, string> {
  const { left, top, cell, rows, cols } = layout;
  const n = cols.length;
  const paths = new Map<string, string>();
  for (let i = 0; i < rows.length; i++)
    for (let start = 0, end = 0; start < n; start = end) {
      const colour = matrix.colour(i * n + start);
      do end++;
      while (end < n && matrix.colour(i * n + end) === colour);
      if (colour === null) continue;
      const wide = round((end - start) * cell);
      const run =
        `M${round(left + start * cell)} ${round(top + i * cell)}` +
        `h${wide}v${round(cell)}h${-wide}z`;
      paths.set(colour, (paths.get(colour) ?? "") + run);
    }
  return paths;
}

/** A corner folded over: a token that hears of a later one. */
function corners(layout: Layout, marked: number[]): SVGElement {
  const { left, top, cell, cols } = layout;
  const n = cols.length;
  const size = round(cell < 12 ? cell : cell * 0.38);
  const path = marked.map((c) => {
    const x = round(left + ((c % n) + 1) * cell);
    const y = round(top + Math.floor(c / n) * cell);
    return `M${x} ${y}v${size}l${-size} ${-size}z`;
  });
  const white = cell < 12 ? 0 : 1;
  return s("path", {
    d: path.join(""),
    fill: MARK,
    stroke: "#ffffff",
    "stroke-width": white,
  });
}

/** A line on a white one: seen on every colour. */
const frame = (
  x: number,
  y: number,
  width: number,
  height: number,
  ink: Ink,
  line: number,
) =>
  [
    ["#ffffff", line + 2],
    [ink.accent, line],
  ].map(([stroke, thick]) =>
    s("rect", {
      x,
      y,
      width,
      height,
      fill: "none",
      stroke,
      "stroke-width": thick,
    }),
  );

function labels(layout: Layout, ink: Ink): SVGElement[] {
  const { left, top, cell, font, upright, rows, cols, names } = layout;
  const cut = (text: string, room: number) => {
    const letters = [...text];
    const most = Math.max(2, Math.floor(room / (font * 0.58)));
    return letters.length <= most
      ? text
      : `${letters.slice(0, most - 1).join("")}…`;
  };
  const text = { "font-size": font, fill: ink.ink };
  const small = { "font-size": 11, "font-style": "italic", fill: ink.muted };
  const shown = (all: string[], every: number) =>
    [...all.keys()].filter((i) => i % every === 0);
  const middle = (i: number) => (i + 0.5) * cell;
  return [
    s("text", { x: upright ? left + 30 : left, y: 11, ...small }, names[1]),
    s("text", { x: 0, y: upright ? 11 : top - 8, ...small }, names[0]),
    ...shown(rows, layout.every).map((i) => {
      const place = { x: left - 5, y: top + middle(i) + font / 3 };
      return s(
        "text",
        { ...place, "text-anchor": "end", ...text },
        cut(rows[i], left - 8),
      );
    }),
    ...shown(cols, layout.everyCol).map((i) => {
      const [x, y] = [left + middle(i), top - 5];
      return upright
        ? s("text", { x, y, "text-anchor": "middle", ...text }, cols[i])
        : s(
            "text",
            {
              transform: `translate(${x + font / 3} ${y}) rotate(-90)`,
              ...text,
            },
            cut(cols[i], top - 22),
          );
    }),
  ];
}

/** The colours from left to right, as a bar. */
export const colourBar = (x: number, y: number, width: number, height = 8) =>
  Array.from({ length: 32 }, (_, i) =>
    s("rect", {
      x: x + (i * width) / 32,
      y,
      width: width / 32 + 0.5,
      height,
      fill: hex(Math.round((i / 31) * 255)),
    }),
  );
