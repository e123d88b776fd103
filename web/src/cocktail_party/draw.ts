// The pictures: a head seen from above, and two spectrograms.

import type { Ink } from "../lib/colours.ts";
import { hex, words } from "../lib/palette.ts";
import { s } from "../lib/svg.ts";
import { BINS, DIRECTIONS, RATE } from "./model.ts";

export const [TOP_WIDTH, TOP_HEIGHT] = [320, 202];
const [CX, CY, INNER, OUTER, VOICE] = [160, 178, 34, 112, 138];

/** A point at an angle (0 ahead, 90 right) and a distance from the head. */
export const spot = (angle: number, r: number): [number, number] => {
  const t = (angle * Math.PI) / 180;
  return [CX + r * Math.sin(t), CY - r * Math.cos(t)];
};

/** The angle of a point in the picture, in steps of 5°. */
export function angleOf(x: number, y: number): number {
  const degrees = (Math.atan2(x - CX, CY - y) * 180) / Math.PI;
  return Math.max(-90, Math.min(90, 5 * Math.round(degrees / 5)));
}

function wedge(from: number, to: number, r0: number, r1: number): string {
  const p = (angle: number, r: number) =>
    spot(angle, r)
      .map((x) => x.toFixed(1))
      .join(" ");
  return (
    `M${p(from, r0)}L${p(from, r1)}A${r1} ${r1} 0 0 1 ${p(to, r1)}` +
    `L${p(to, r0)}A${r0} ${r0} 0 0 0 ${p(from, r0)}Z`
  );
}

export interface TopView {
  attending: boolean;
  angle: number; // the query
  angles: number[]; // of the voices
  shares: ArrayLike<number> | null;
}

export const HANDLE = OUTER + 2;

/** A head, who is where, and the beam. */
export function topView(view: TopView, ink: Ink): SVGElement[] {
  const { attending, angle, angles, shares } = view;
  const inside = (d: number) => attending && Math.abs(d - angle) <= 15;
  const top = shares ? Math.max(...Array.from(shares), 1e-9) : 1;
  const low = Math.max(-92.5, angle - 17.5);
  const high = Math.min(92.5, angle + 17.5);
  return [
    s("path", {
      d: wedge(low, high, INNER, OUTER + 6),
      fill: ink.marks[2],
      "fill-opacity": attending ? 0.2 : 0.08,
    }),
    ...[-90, -45, 0, 45, 90].map((d) => {
      const [x1, y1] = spot(d, INNER);
      const [x2, y2] = spot(d, OUTER);
      return s("line", { x1, y1, x2, y2, stroke: ink.line });
    }),
    s("path", {
      d: wedge(-90, 90, OUTER, OUTER).replace("Z", ""),
      fill: "none",
      stroke: ink.line,
    }),
    ...DIRECTIONS.map((d, i) =>
      s("path", {
        d: wedge(
          d - 2.2,
          d + 2.2,
          INNER,
          INNER + ((shares?.[i] ?? 0) / top) * (OUTER - INNER - 4),
        ),
        fill: inside(d) ? ink.marks[2] : ink.muted,
      }),
    ),
    s("circle", {
      cx: CX,
      cy: CY,
      r: 17,
      fill: "none",
      stroke: ink.ink,
      "stroke-width": 2,
    }),
    s("path", {
      d: `M${CX - 4} ${CY - 17}L${CX} ${CY - 24}L${CX + 4} ${CY - 17}`,
      fill: "none",
      stroke: ink.ink,
      "stroke-width": 2,
    }),
    ...[-1, 1].map((side) =>
      s("ellipse", {
        cx: CX + 19 * side,
        cy: CY,
        rx: 3,
        ry: 6,
        fill: ink.ink,
      }),
    ),
    ...angles.flatMap((at, v) => voiceMark(v, at, angles, ink)),
    ...beamHandle(angle, ink),
    ...[
      [-90, "left −90°", "start", 8],
      [90, "right 90°", "end", TOP_WIDTH - 8],
    ].map(([, words_, anchor, x]) =>
      s(
        "text",
        {
          x,
          y: TOP_HEIGHT - 4,
          "text-anchor": anchor,
          "font-size": 14,
          fill: ink.muted,
        },
        String(words_),
      ),
    ),
  ];
}

function beamHandle(angle: number, ink: Ink): SVGElement[] {
  const [x, y] = spot(angle, HANDLE);
  return [
    s("circle", { cx: x, cy: y, r: 7, fill: ink.marks[2] }),
    s("circle", { cx: x, cy: y, r: 3, fill: "#ffffff" }),
  ];
}

/** Two voices in one place stand behind each other. */
export function voiceRadius(v: number, angles: number[]): number {
  const close = Math.abs(angles[0] - angles[1]) < 10;
  return close && v === 1 ? VOICE + 22 : VOICE;
}

function voiceMark(v: number, at: number, angles: number[], ink: Ink) {
  const [x, y] = spot(at, voiceRadius(v, angles));
  return [
    s("circle", {
      cx: x,
      cy: y,
      r: 10,
      fill: "none",
      stroke: ink.marks[v],
      "stroke-width": 2,
    }),
    s(
      "text",
      {
        x,
        y: y + 4.5,
        "text-anchor": "middle",
        "font-size": 14,
        "font-weight": 700,
        fill: ink.marks[v],
      },
      "AB"[v],
    ),
  ];
}

/** One pixel a cell, the lowest frequency at the bottom. */
export function paint(
  canvas: HTMLCanvasElement,
  frames: number,
  shade: (cell: number) => number,
): void {
  if (canvas.width !== frames || canvas.height !== BINS) {
    canvas.width = frames;
    canvas.height = BINS;
  }
  const context = canvas.getContext("2d")!;
  const image = context.createImageData(frames, BINS);
  const pixels = new Uint32Array(image.data.buffer);
  for (let t = 0; t < frames; t++)
    for (let k = 0; k < BINS; k++)
      pixels[(BINS - 1 - k) * frames + t] = words[shade(t * BINS + k)];
  context.putImageData(image, 0, 0);
}

/** Louder is brighter, over 60 decibels below the loudest cell. */
export function loudShade(energy: Float64Array): (cell: number) => number {
  let top = 1e-12;
  for (const e of energy) top = Math.max(top, e);
  return (cell) => {
    const decibels = 10 * Math.log10((energy[cell] + 1e-15) / top);
    return Math.max(0, Math.min(255, Math.round(255 * (1 + decibels / 60))));
  };
}

export const KILOHERTZ = [0, 2, 4, 6, 8];

/** Where a frequency stands, as a share of the height from the top. */
export const height = (kilohertz: number): number =>
  1 - kilohertz / (RATE / 2000);

/** The colours from 0 to 255 in a row. */
export const gradient = `linear-gradient(to right, ${[0, 51, 102, 153, 204, 255]
  .map(hex)
  .join(", ")})`;
