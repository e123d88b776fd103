// The pictures of FlashStepper: scores in tiles, bytes as bars, a legend.

import type { Ink } from "../lib/colours.ts";
import {
  colourBar,
  drawCells,
  drawFrame,
  type Layout,
  layOut,
} from "../lib/matrix.ts";
import { hex, isBright, shade } from "../lib/palette.ts";
import { s } from "../lib/svg.ts";
import {
  blockOf,
  type Reader,
  type Source,
  type Step,
  scoresOf,
  standardBytes,
} from "./model.ts";

const DONE = "#8c959f66"; // seen through on light and dark
export const [LEGEND_WIDTH, LEGEND_HEIGHT, BARS_HEIGHT] = [316, 44, 62];

const names = (letter: string, count: number) =>
  Array.from({ length: count }, (_, i) => `${letter}${i + 1}`);

/** Where the scores stand in a given width. */
export const place = (
  { query, key }: Source,
  width: number,
  cell = 34,
): Layout =>
  layOut(
    {
      rows: names("q", query.length),
      cols: names("k", key.length),
      names: ["query ↓", "key →"],
    },
    width,
    false,
    Math.min(34, cell),
  );

/** A number as short as it fits into a cell. */
export const short = (x: number): string =>
  x.toFixed(Math.abs(x) < 9.95 ? 1 : 0).replace("-", "−");

/** The scores of the tile at hand; of the others, whether they are done. */
export function drawTiles(
  source: Source,
  state: Reader,
  done: Step[],
  layout: Layout,
  ink: Ink,
): SVGElement[] {
  const n = source.key.length;
  const scores = scoresOf(source).flat();
  const [low, high] = [Math.min(...scores), Math.max(...scores)];
  const when = new Map<number, number>();
  done.forEach(({ tile: [i, j] }, step) => {
    for (const q of blockOf(i, state.block_q, source.query.length))
      for (const k of blockOf(j, state.block_k, n)) when.set(q * n + k, step);
  });
  const masked = (c: number) => state.causal && c % n > Math.floor(c / n);
  const now = (c: number) => !masked(c) && when.get(c) === done.length - 1;
  const shades = scores.map((x) => shade(x - low, high - low || 1));
  const cells = drawCells(
    {
      colour: (c) =>
        masked(c) || !when.has(c) ? null : now(c) ? hex(shades[c]) : DONE,
      empty: masked,
      text: (c) =>
        now(c) ? { text: short(scores[c]), dark: isBright(shades[c]) } : null,
    },
    layout,
    ink,
  );
  return [
    ...cells,
    ...drawFrame(layout, ink),
    ...ring(state, done, layout, ink),
  ];
}

/** A line around the tile at hand. */
function ring(
  { block_q, block_k }: Reader,
  done: Step[],
  { left, top, cell, rows, cols }: Layout,
  ink: Ink,
): SVGElement[] {
  const last = done[done.length - 1];
  if (!last) return [];
  const [i, j] = last.tile;
  const high = cell * blockOf(i, block_q, rows.length).length;
  const wide = cell * blockOf(j, block_k, cols.length).length;
  const [x, y] = [left + j * block_k * cell, top + i * block_q * cell];
  const box = { x, y, width: wide, height: high, fill: "none" };
  return [
    s("rect", { ...box, stroke: "#ffffff", "stroke-width": 5 }),
    s("rect", { ...box, stroke: ink.accent, "stroke-width": 3 }),
  ];
}

/** What the looks of a cell mean, and which colour is which score. */
export function drawLegend(source: Source, ink: Ink): SVGElement[] {
  const scores = scoresOf(source).flat();
  const text = { "font-size": 12, fill: ink.muted };
  const swatch = (x: number, words: string, ...inside: SVGElement[]) => [
    ...inside,
    s("rect", {
      x,
      y: 1,
      width: 13,
      height: 13,
      fill: "none",
      stroke: ink.line,
    }),
    s("text", { x: x + 18, y: 12, ...text }, words),
  ];
  const filled = { y: 1, width: 13, height: 13 };
  return [
    ...swatch(1, "done, not kept", s("rect", { x: 1, ...filled, fill: DONE })),
    ...swatch(118, "to come"),
    ...swatch(
      200,
      "masked",
      s("path", { d: "M200 14l13 -13", stroke: ink.line }),
    ),
    s("text", { x: 1, y: 36, ...text }, "score"),
    s(
      "text",
      { x: 78, y: 36, ...text, "text-anchor": "end" },
      short(Math.min(...scores)),
    ),
    ...colourBar(84, 27, 120),
    s("text", { x: 210, y: 36, ...text }, short(Math.max(...scores))),
  ];
}

/** Bytes moved so far, beside what standard attention moves in all. */
export function drawBytes(
  source: Source,
  step: Step,
  last: Step,
  width: number,
  ink: Ink,
): SVGElement[] {
  const standard = standardBytes(source);
  const left = 88;
  const most = Math.max(standard, last.read + last.written);
  const scale = (bytes: number) => (bytes / most) * (width - left - 2);
  const read = scale(step.read);
  const text = { "font-size": 12, fill: ink.ink };
  const bar = (x: number, y: number, width: number, fill: string) =>
    s("rect", { x, y, width, height: 13, fill });
  return [
    s("text", { x: 0, y: 12, ...text }, "these tiles"),
    bar(left, 1, read, ink.marks[0]),
    bar(left + read, 1, scale(step.written), ink.marks[1]),
    s("path", {
      d: `M${left + scale(last.read + last.written)} 0v16`,
      stroke: ink.ink,
      "stroke-width": 2,
    }),
    s("text", { x: 0, y: 32, ...text }, "standard"),
    bar(left, 21, scale(standard), DONE),
    bar(left, 46, 12, ink.marks[0]),
    s("text", { x: left + 17, y: 56, ...text, fill: ink.muted }, "read"),
    bar(left + 58, 46, 12, ink.marks[1]),
    s("text", { x: left + 75, y: 56, ...text, fill: ink.muted }, "written"),
    s("path", {
      d: `M${left + 140} 44v16`,
      stroke: ink.ink,
      "stroke-width": 2,
    }),
    s("text", { x: left + 147, y: 56, ...text, fill: ink.muted }, "at the end"),
  ];
}
