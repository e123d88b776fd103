// Two matrices in SVG: who may look at whom, who can have heard of whom.
import type { At } from "../lib/grid.ts";
import { hex } from "../lib/palette.ts";
import { type Ink, s } from "../lib/svg.ts";
import type { Way } from "./model.ts";

/** Where things stand, in CSS pixels. */
export interface Layout {
  n: number;
  left: number;
  top: number;
  cell: number;
  font: number;
  every: number; // label each token, or each second one, …
  width: number;
  height: number;
}

export const TOUCH = 24;
/** So many tokens are large enough to touch on a phone. */
export const FEW = 12;
const [MAX_CELL, MIN_LEFT, MAX_LABEL] = [34, 40, 84];
const LETTER = 7; // the width of one, more or less

export function layOut(tokens: string[], width: number, zoom: boolean): Layout {
  const n = tokens.length;
  const longest = Math.max(...tokens.map((token) => [...token].length));
  const label = Math.min(MAX_LABEL, longest * LETTER + 8);
  let left = Math.max(MIN_LEFT, label);
  let cell = Math.min(MAX_CELL, (width - left - 2) / n);
  if (cell < TOUCH && (zoom || n <= FEW)) {
    left = Math.max(MIN_LEFT, Math.min(left, width - 2 - n * TOUCH));
    cell = TOUCH;
  }
  if (cell > 8) cell = Math.floor(cell);
  const font = Math.max(9, Math.min(12, cell - 2));
  const top = label + 20;
  return {
    n,
    left,
    top,
    cell,
    font,
    every: cell >= font ? 1 : Math.ceil((font + 2) / cell),
    width: left + n * cell + 2,
    height: top + n * cell + 2,
  };
}

/** The narrowest half in which nothing has to be scrolled. */
export const leastWidth = (n: number): number =>
  n <= FEW ? MIN_LEFT + n * TOUCH + 2 : 280;

/** The cell under a point, or null. */
export function cellAt(layout: Layout, x: number, y: number): At | null {
  const col = Math.floor((x - layout.left) / layout.cell);
  const row = Math.floor((y - layout.top) / layout.cell);
  const inside = (i: number) => i >= 0 && i < layout.n;
  return inside(row) && inside(col) ? { row, col } : null;
}

/** What stands in the cells of one matrix. */
export interface Matrix {
  fills: { colour: string; has: (c: number) => boolean }[];
  empty(c: number): boolean;
  text?(c: number): { text: string; dark: boolean } | null;
  marked?(c: number): boolean;
}

export function maskMatrix(mask: Uint8Array, ink: Ink): Matrix {
  return {
    fills: [{ colour: ink.marks[0], has: (c) => mask[c] === 1 }],
    empty: (c) => mask[c] === 0,
  };
}

/** A colour for each layer: cividis from dark to bright. */
export const layerShade = (layer: number): number => 10 + 60 * layer;

export function reachMatrix(
  first: Uint8Array,
  n: number,
  layer: number,
  future: boolean,
): Matrix {
  return {
    fills: Array.from({ length: layer + 1 }, (_, k) => ({
      colour: hex(layerShade(k)),
      has: (c) => first[c] === k,
    })),
    empty: (c) => first[c] > layer,
    text: (c) =>
      first[c] > layer || n > 16
        ? null
        : { text: String(first[c]), dark: layerShade(first[c]) >= 140 },
    marked: (c) => future && first[c] <= layer && c % n > Math.floor(c / n),
  };
}

/** What does not change while the reader paints: labels and lines. */
export function drawFrame(
  layout: Layout,
  tokens: string[],
  ink: Ink,
): SVGElement[] {
  const { left, top, cell, n } = layout;
  const long = round(n * cell);
  const lines = Array.from({ length: n + 1 }, (_, i) => {
    const step = round(i * cell);
    return `M${left} ${top + step}h${long}M${left + step} ${top}v${long}`;
  });
  const thick = cell >= 8 ? 1 : 0.25;
  const grid = { d: lines.join(""), stroke: ink.line, "stroke-width": thick };
  return [...labels(layout, tokens, ink), s("path", grid)];
}

/** What stands in the cells: a path for each colour, numbers, corners. */
export function drawCells(
  matrix: Matrix,
  layout: Layout,
  ink: Ink,
): SVGElement[] {
  const { left, top, cell, n } = layout;
  const x = (c: number) => round(left + (c % n) * cell);
  const y = (c: number) => round(top + Math.floor(c / n) * cell);
  const cells = Array.from({ length: n * n }, (_, c) => c);
  const strokes = cells
    .filter((c) => cell >= 10 && matrix.empty(c))
    .map((c) => `M${x(c)} ${y(c) + cell}l${cell} ${-cell}`);
  const nodes = [
    s("path", { d: strokes.join(""), stroke: ink.line }),
    ...matrix.fills.map(({ colour, has }) =>
      s("path", { d: runs(layout, has), fill: colour }),
    ),
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
  return [...nodes, corners(layout, marked, ink)];
}

/** The cross-hair, and a ring around a step of the way. */
export function drawOver(
  layout: Layout,
  at: At | null,
  ring: At | null,
  ink: Ink,
): SVGElement[] {
  const { left, top, cell, n } = layout;
  const nodes: SVGElement[] = [];
  if (at) {
    const [x, y] = [left + at.col * cell, top + at.row * cell];
    nodes.push(
      ...frame(left, y, n * cell, cell, ink, 1),
      ...frame(x, top, cell, n * cell, ink, 1),
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

/** Cells in one path: those that touch in a row are one rectangle. */
function runs(layout: Layout, has: (c: number) => boolean): string {
  const { left, top, cell, n } = layout;
  let path = "";
  for (let i = 0; i < n; i++)
    for (let j = 0; j < n; j++) {
      const start = j;
      while (j < n && has(i * n + j)) j++;
      if (j === start) continue;
      const wide = round((j - start) * cell);
      path +=
        `M${round(left + start * cell)} ${round(top + i * cell)}` +
        `h${wide}v${round(cell)}h${-wide}z`;
    }
  return path;
}

/** A corner folded over: a token that hears of a later one. */
function corners(layout: Layout, marked: number[], ink: Ink): SVGElement {
  const { left, top, cell, n } = layout;
  const size = round(cell < 12 ? cell : cell * 0.42);
  const path = marked.map((c) => {
    const x = round(left + ((c % n) + 1) * cell);
    const y = round(top + Math.floor(c / n) * cell);
    return `M${x} ${y}v${size}l${-size} ${-size}z`;
  });
  const white = cell < 12 ? 0 : 1;
  return s("path", {
    d: path.join(""),
    fill: ink.accent,
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

function labels(layout: Layout, tokens: string[], ink: Ink): SVGElement[] {
  const { left, top, cell, font, every } = layout;
  const cut = (text: string, room: number) => {
    const letters = [...text];
    const most = Math.max(2, Math.floor(room / (font * 0.58)));
    return letters.length <= most
      ? text
      : `${letters.slice(0, most - 1).join("")}…`;
  };
  const text = { "font-size": font, fill: ink.ink };
  const small = { "font-size": 10.5, "font-style": "italic", fill: ink.muted };
  return [
    s("text", { x: left, y: 11, ...small }, "key →"),
    s("text", { x: 0, y: top - 8, ...small }, "query ↓"),
    ...tokens.flatMap((token, i) => {
      if (i % every > 0) return [];
      const middle = (i + 0.5) * cell + font / 3;
      const [x, y] = [left + middle, top - 5];
      return [
        s(
          "text",
          { x: left - 5, y: top + middle, "text-anchor": "end", ...text },
          cut(token, left - 8),
        ),
        s(
          "text",
          { transform: `translate(${x} ${y}) rotate(-90)`, ...text },
          cut(token, top - 22),
        ),
      ];
    }),
  ];
}

/** The step of a way that lies in one layer, as a cell. */
export function stepOf(way: Way | null, layer: number): At | null {
  const place = way?.findIndex((step) => step.layer === layer) ?? -1;
  if (!way || place < 1) return null;
  return { row: way[place].token, col: way[place - 1].token };
}
