// Every head as a small picture to click, in place of two lists of numbers.
import { DARK_INK, LIGHT_INK } from "../lib/colours.ts";
import { h } from "../lib/dom.ts";
import { keyGrid } from "../lib/grid.ts";
import {
  cellAt,
  drawFrame,
  type Labels,
  type Layout,
  layOut,
  pointIn,
} from "../lib/matrix.ts";
import { paintPixels } from "../lib/pixels.ts";
import { s, size } from "../lib/svg.ts";
import type { Picture } from "./compute.ts";
import type { Axis, Reader, Source } from "./state.ts";

const MOST_LABELS = 24;
const MOST_NUMBERS = 2 ** 21; // of all maps together
const [LARGEST, SHARP] = [28, 2];

/** The axes that the pictures stand along: the last ones, two at most. */
export function pictured(source: Source): Axis[] {
  const cells = source.query_tokens.length * source.key_tokens.length;
  const fits = ({ name, labels }: Axis) =>
    labels.length > 1 && labels.length <= MOST_LABELS && name !== "step";
  const axes: Axis[] = [];
  let maps = 1;
  for (const axis of source.axes.filter(({ labels }) => labels.length > 1))
    maps *= axis.labels.length;
  if (maps * cells > MOST_NUMBERS) return [];
  for (const axis of [...source.axes].reverse()) {
    if (axes.length === 2 || !fits(axis)) break;
    axes.unshift(axis);
  }
  return axes;
}

/** One picture for each pair of labels; `look` computes one of them. */
export function createThumbs(
  axes: Axis[],
  state: () => Reader,
  look: (selection: Record<string, string>) => Picture,
  choose: (selection: Record<string, string>) => void,
) {
  const [down, across] = axes.length === 2 ? axes : [null, axes[0]];
  const image = s("image", { "image-rendering": "pixelated" });
  const [frame, over] = [s("g"), s("g")];
  const svg = s("svg", { "aria-hidden": "true" }, image, frame, over);
  let layout: Layout;
  let painted = "";

  const selection = (row: number, col: number) => ({
    ...(down ? { [down.name]: down.labels[row] } : {}),
    [across.name]: across.labels[col],
  });
  const at = () => ({
    row: down ? down.labels.indexOf(state().selection[down.name]) : 0,
    col: across.labels.indexOf(state().selection[across.name]),
  });
  const names = axes.map(({ name }) => name);
  const walk = keyGrid({
    label: `Pictures of all maps: ${names.join(" by ")}.`,
    picture: [svg],
    readonly: true,
    at,
    size: () => [down?.labels.length ?? 1, across.labels.length],
    moveTo: (row, col) => choose(selection(row, col)),
  });
  walk.element.className = "maps";
  svg.addEventListener("click", (event) => {
    const point = pointIn(svg, layout.width, event as MouseEvent);
    const hit = cellAt(layout, ...point);
    if (hit) walk.moveTo(hit.row, hit.col);
  });

  /** The pictures of all maps in one, as sharp as a screen needs. */
  function paint() {
    const { cell, cols, rows } = layout;
    const side = Math.round(cell * SHARP);
    const canvas = h("canvas", {
      width: side * cols.length,
      height: side * rows.length,
    });
    const context = canvas.getContext("2d")!;
    rows.forEach((_, row) => {
      cols.forEach((_, col) => {
        const { weights, scale, allowed, cols } = look(selection(row, col));
        context.imageSmoothingEnabled = cols.length > side;
        const cells = { weights, cols: cols.length, scale, allowed };
        const pixels = paintPixels(cells);
        const [x, y] = [col * side, row * side];
        context.drawImage(pixels, x, y, side - SHARP, side - SHARP);
      });
    });
    image.setAttribute("href", canvas.toDataURL());
  }

  return {
    element: h("div", { class: "thumbs" }, walk.element),
    /** Draw; `others` is what the pictures depend on besides their own axes. */
    show(width: number, others: string, dark: boolean) {
      const ink = dark ? DARK_INK : LIGHT_INK;
      const labels: Labels = {
        rows: down?.labels ?? [""],
        cols: across.labels,
        names: [down ? `${down.name} ↓` : "", `${across.name} →`],
      };
      layout = layOut(labels, width, true, LARGEST);
      const now = JSON.stringify([layout, others]);
      if (now !== painted) {
        painted = now;
        size(svg, layout.width, layout.height);
        const { left, top, cell, cols, rows } = layout;
        const place = {
          x: left + 1,
          y: top + 1,
          width: cols.length * cell,
          height: rows.length * cell,
        };
        for (const [name, value] of Object.entries(place))
          image.setAttribute(name, String(value));
        paint();
      }
      frame.replaceChildren(...drawFrame(layout, ink));
      const { row, col } = at();
      over.replaceChildren(...chosen(layout, row, col, ink.lock));
      walk.speak(
        axes.map(({ name }) => `${name} ${state().selection[name]}`).join(", "),
      );
    },
  };
}

const chosen = (
  { left, top, cell }: Layout,
  row: number,
  col: number,
  colour: string,
): SVGElement[] => {
  const box = {
    x: left + col * cell,
    y: top + row * cell,
    width: cell,
    height: cell,
    fill: "none",
  };
  return [
    s("rect", { ...box, stroke: "#ffffff", "stroke-width": 5 }),
    s("rect", { ...box, stroke: colour, "stroke-width": 3 }),
  ];
};
