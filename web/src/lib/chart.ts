// A chart's frame: where numbers lie, and the lines and words around them.
import type { Ink } from "./colours.ts";
import { s } from "./svg.ts";

export interface Frame {
  width: number;
  height: number;
  left: number;
  right: number;
  top: number;
  bottom: number;
}

export interface Chart {
  box: Frame;
  x(value: number): number;
  y(value: number): number;
  xTicks: number[];
  yTicks: number[];
  label: string; // of the horizontal axis
}

const [LEAST, MOST, UNKNOWN] = [280, 720, 520];

/** The frame of a chart as wide as an element and no higher than `room`. */
export function frameIn(element: Element, room = Infinity): Frame {
  // Pixel by pixel: letters keep their size on a phone.
  const width = Math.max(LEAST, Math.min(MOST, element.clientWidth || UNKNOWN));
  const height = Math.min(width < UNKNOWN ? 300 : 340, Math.max(200, room));
  return { width, height, left: 52, right: 16, top: 14, bottom: 46 };
}

export function axes(chart: Chart, ink: Ink): SVGElement[] {
  const { box, x, y, xTicks, yTicks, label } = chart;
  const text = { fill: ink.muted, "font-size": 13 };
  const middle = { ...text, "text-anchor": "middle" };
  return [
    ...yTicks.flatMap((value, i) => [
      s("line", {
        x1: box.left,
        x2: box.width - box.right,
        y1: y(value),
        y2: y(value),
        stroke: ink.line,
        "stroke-width": i === 0 ? 1.5 : 0.6,
      }),
      s(
        "text",
        { x: box.left - 7, y: y(value) + 4, ...text, "text-anchor": "end" },
        String(Number(round(value))),
      ),
    ]),
    ...xTicks.map((value) =>
      s(
        "text",
        { x: x(value), y: box.height - box.bottom + 18, ...middle },
        String(value),
      ),
    ),
    s(
      "text",
      { x: (box.left + box.width) / 2, y: box.height - 8, ...middle },
      label,
    ),
  ];
}

/** Where an axis from 0 ends: 1 for shares, else a round number. */
export function ceiling(largest: number): number {
  if (largest <= 1) return 1;
  const unit = 10 ** Math.floor(Math.log10(largest));
  return Math.ceil(largest / unit) * unit;
}

/** From 0 to the end in four steps. */
export const quarters = (end: number): number[] =>
  [0, 0.25, 0.5, 0.75, 1].map((share) => share * end);

/** A number as short as it can be read. */
export const round = (x: number): string => {
  if (x !== 0 && Math.abs(x) < 0.01) return x.toPrecision(1);
  return Math.abs(x) < 10 ? x.toFixed(2) : x.toFixed(0);
};
