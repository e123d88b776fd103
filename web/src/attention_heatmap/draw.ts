// Drawing the matrix: where things stand, on a canvas, as SVG.
import { type Ink, LIGHT_INK } from "../lib/colours.ts";
import { pixelRatio } from "../lib/dom.ts";
import { colourBar, type Place } from "../lib/matrix.ts";
import { hex, isBright } from "../lib/palette.ts";
import { paintPixels } from "../lib/pixels.ts";
import { shadeOn, ticksOf } from "../lib/scale.ts";
import { s, standalone } from "../lib/svg.ts";
import { shorten } from "../lib/text.ts";
import { cellText, isMasked, type Picture } from "./compute.ts";
import { isOdd } from "./state.ts";

/** Without a surface, what lies behind shows through. */
export type Theme = Ink & { surface?: string };

/** For slides and papers: ink on white. */
export const PAPER: Theme = { ...LIGHT_INK, surface: "#ffffff" };

/** Where everything stands, in CSS pixels. */
export interface Layout extends Place {
  sums: boolean;
  odd: boolean[]; // rows whose sum is marked: it is not 1
  legend: number; // y of the colour bar
  title: string;
}

const FAMILY = "system-ui, sans-serif";
const GAP = 6;
const SUM_WIDTH = 38;
const MAX_CELL = 44;
const MIN_LABELLED = 10;
const BELOW = 44; // room for the legend
// A canvas that is higher stays blank in some browsers.
const MAX_HEIGHT = 8192;
const BAR = 128; // the colour bar's width
const MOST_LETTERS = 60; // of a label

/** No label has room for more: a token may be a page long. */
const cut = (label: string) => shorten(label, MOST_LETTERS);
// From so many cells on, an SVG holds them as one image.
const MANY_CELLS = 10_000;

/** Fit a map into a width: labels as wide as the canvas measures them. */
export function layOutMap(
  picture: Picture,
  width: number,
  context: CanvasRenderingContext2D,
  title = "",
  tallest = MAX_HEIGHT,
): Layout {
  const [rows, cols] = [picture.rows.length, picture.cols.length];
  const widest = (labels: { label: string }[], font: number) =>
    Math.max(
      ...labels.map(({ label }) =>
        textWidth(context, `${font}px ${FAMILY}`, label),
      ),
    );
  const cap = Math.min(110, width * 0.28);
  const room = (left: number) => (width - left - SUM_WIDTH - GAP) / cols;
  let font = 13;
  let left = Math.max(54, Math.min(cap, widest(picture.rows, font)) + 2 * GAP);
  const sums = room(left) >= MIN_LABELLED;
  const head = title ? 26 : 0;
  const above = (font: number) =>
    head + 18 + Math.max(24, Math.min(110, widest(picture.cols, font)) + GAP);
  let cell = Math.min(
    MAX_CELL,
    MAX_HEIGHT / rows,
    Math.max(2, (tallest - above(font) - BELOW) / rows),
    sums ? room(left) : (width - left) / cols,
  );
  if (cell >= 4) cell = Math.floor(cell);
  if (cell < 15) {
    font = Math.max(MIN_LABELLED + 1, Math.min(13, cell - 2));
    left = Math.max(54, Math.min(cap, widest(picture.rows, font)) + 2 * GAP);
  }
  const top = above(font);
  const legend = top + rows * cell + 14;
  return {
    width,
    height: legend + BELOW - 14,
    left,
    top,
    cell,
    font,
    every: Math.max(1, cell >= font - 2 ? 1 : Math.ceil((font + 2) / cell)),
    sums,
    odd: [...(picture.totals ?? [])].map(isOdd),
    legend,
    title,
  };
}

/** What a cell shows: masked, below the threshold, or a colour 0…255. */
type Fill = "masked" | "below" | number;

function fill(picture: Picture, c: number, threshold: number): Fill {
  if (isMasked(picture, c)) return "masked";
  if (picture.weights[c] < threshold) return "below";
  return shadeOn(picture.scale, picture.weights[c]);
}

/** Everything: for a picture to take away, or when the frame changed. */
export function drawBase(
  context: CanvasRenderingContext2D,
  layout: Layout,
  picture: Picture,
  threshold: number,
  theme: Theme,
): void {
  drawFrame(context, layout, picture, theme);
  drawCells(context, layout, picture, threshold, theme);
}

/** What the frame depends on: while it stays, only cells are drawn. */
export function frameKey(layout: Layout, picture: Picture, theme: Theme) {
  const labels = [picture.rows, picture.cols].map((groups) =>
    groups.map(({ label }) => label).join("\n"),
  );
  const sums = layout.sums ? [...picture.sums].map((x) => x.toFixed(2)) : [];
  return [JSON.stringify(layout), theme.ink, sums, labels].flat().join("\n");
}

/** The matrix: cells, hatching, and numbers where there is room. */
export function drawCells(
  context: CanvasRenderingContext2D,
  layout: Layout,
  picture: Picture,
  threshold: number,
  theme: Theme,
): void {
  const { left, top, cell } = layout;
  const [rows, cols] = [picture.rows.length, picture.cols.length];
  surface(context, left, top, cols * cell, rows * cell, theme);
  if (picture.allowed)
    hatch(context, left, top, cols * cell, rows * cell, theme);
  context.imageSmoothingEnabled = cell < 1;
  const { weights, scale, allowed } = picture;
  const pixels = paintPixels({ weights, cols, scale, allowed, threshold });
  context.drawImage(pixels, left, top, cols * cell, rows * cell);
  blank(context, layout, picture, threshold, theme);
  if (cell >= 34) drawNumbers(context, layout, picture, threshold);
  drawTicks(context, layout, ticksOf(picture.scale), theme);
}

/** Fill with the theme's surface, or let what lies behind show through. */
function surface(
  context: CanvasRenderingContext2D,
  x: number,
  y: number,
  width: number,
  height: number,
  theme: Theme,
): void {
  if (theme.surface) {
    context.fillStyle = theme.surface;
    context.fillRect(x, y, width, height);
  } else context.clearRect(x, y, width, height);
}

/** Title, axis titles, token labels, row sums, colour bar. */
function drawFrame(
  context: CanvasRenderingContext2D,
  layout: Layout,
  picture: Picture,
  theme: Theme,
): void {
  const { left, top, cell, font } = layout;
  const cols = picture.cols.length;
  surface(context, 0, 0, layout.width, layout.height, theme);
  context.fillStyle = theme.ink;
  context.textBaseline = "middle";
  if (layout.title) {
    context.font = `600 15px ${FAMILY}`;
    context.fillText(layout.title, GAP, 14, layout.width - 2 * GAP);
  }
  context.font = `${font}px ${FAMILY}`;
  context.fillStyle = theme.ink;
  context.textAlign = "right";
  picture.rows.forEach(({ label }, r) => {
    if (r % layout.every === 0)
      context.fillText(
        fit(context, label, left - 2 * GAP),
        left - GAP,
        top + (r + 0.5) * cell,
      );
  });
  context.textAlign = "left";
  picture.cols.forEach(({ label }, c) => {
    if (c % layout.every > 0) return;
    context.save();
    context.translate(left + (c + 0.5) * cell, top - GAP);
    context.rotate(-Math.PI / 2);
    context.fillText(fit(context, label, 106), 0, 0);
    context.restore();
  });
  if (layout.sums) {
    context.fillStyle = theme.muted;
    const x = left + cols * cell + GAP;
    context.fillText("row Σ", x, top - 10, SUM_WIDTH);
    picture.sums.forEach((sum, r) => {
      if (r % layout.every > 0) return;
      const y = top + (r + 0.5) * cell;
      const odd = layout.odd[r];
      context.fillStyle = odd ? theme.accent : theme.muted;
      context.font = `${odd ? 700 : 400} ${font}px ${FAMILY}`;
      context.fillText(sum.toFixed(2), x, y, SUM_WIDTH - 4);
      if (!odd) return;
      context.strokeStyle = theme.accent;
      context.lineWidth = 1.5;
      context.strokeRect(...sumBox(layout, cols, r));
    });
  }
  drawAxisTitles(context, layout, theme);
  drawLegend(context, layout, theme);
  if (layout.odd.includes(true)) {
    context.textAlign = "right";
    const end = Math.max(cols * cell + GAP + SUM_WIDTH, 220);
    context.fillText(FRAMED, left + end, layout.legend + 18);
    context.textAlign = "left";
  }
}

const FRAMED = "framed: not 1";

/** The frame around a row's sum that is not 1: x, y, width, height. */
function sumBox(
  { left, top, cell, font }: Layout,
  cols: number,
  row: number,
): [number, number, number, number] {
  const height = Math.min(cell - 1, font + 5);
  const y = top + (row + 0.5) * cell - height / 2;
  return [left + cols * cell + GAP - 3, y, SUM_WIDTH - 1, height];
}

function drawAxisTitles(
  context: CanvasRenderingContext2D,
  { left, top, title }: Layout,
  theme: Theme,
): void {
  context.font = `italic 12px ${FAMILY}`;
  context.fillStyle = theme.muted;
  context.textAlign = "left";
  context.fillText("key →", left, (title ? 26 : 0) + 8);
  context.textAlign = "right";
  context.fillText("query ↓", left - GAP, top - 10);
  context.textAlign = "left";
}

/** The colours, and that they are weights. */
function drawLegend(
  context: CanvasRenderingContext2D,
  { left, legend }: Layout,
  theme: Theme,
): void {
  for (let i = 0; i < 32; i++) {
    context.fillStyle = hex(Math.round((i / 31) * 255));
    context.fillRect(left + (i * BAR) / 32, legend, BAR / 32 + 0.5, 8);
  }
  context.font = `11px ${FAMILY}`;
  context.fillStyle = theme.muted;
  context.fillText("weight", left + BAR + GAP, legend + 5);
}

/** The numbers below the colours: they change more often than the frame. */
function drawTicks(
  context: CanvasRenderingContext2D,
  { left, legend }: Layout,
  ticks: string[],
  theme: Theme,
): void {
  surface(context, left - 2, legend + 9, BAR + 4, 20, theme);
  context.font = `11px ${FAMILY}`;
  context.fillStyle = theme.muted;
  context.textBaseline = "middle";
  (["left", "center", "right"] as const).forEach((align, i) => {
    context.textAlign = align;
    context.fillText(ticks[i], left + (i * BAR) / 2, legend + 18);
  });
  context.textAlign = "left";
}

/** Diagonal strokes: what may not be looked at is not a weight of zero. */
function hatch(
  context: CanvasRenderingContext2D,
  x: number,
  y: number,
  width: number,
  height: number,
  theme: Theme,
): void {
  context.save();
  context.beginPath();
  context.rect(x, y, width, height);
  context.clip();
  context.strokeStyle = theme.edge;
  context.lineWidth = 1;
  context.globalAlpha = 0.55;
  context.beginPath();
  for (let offset = -height; offset < width; offset += 7) {
    context.moveTo(x + offset, y + height);
    context.lineTo(x + offset + height, y);
  }
  context.stroke();
  context.restore();
}

/** Cells below the threshold: empty, with a dot in the middle. */
function blank(
  context: CanvasRenderingContext2D,
  { left, top, cell }: Layout,
  picture: Picture,
  threshold: number,
  theme: Theme,
): void {
  if (threshold <= 0) return;
  const cols = picture.cols.length;
  picture.weights.forEach((_, c) => {
    if (fill(picture, c, threshold) !== "below") return;
    const x = left + (c % cols) * cell;
    const y = top + Math.floor(c / cols) * cell;
    surface(context, x, y, cell, cell, theme);
    if (cell < 6) return;
    context.fillStyle = theme.muted;
    context.fillRect(x + cell / 2 - 1, y + cell / 2 - 1, 2, 2);
  });
}

function drawNumbers(
  context: CanvasRenderingContext2D,
  { left, top, cell }: Layout,
  picture: Picture,
  threshold: number,
): void {
  const cols = picture.cols.length;
  context.font = `12px ${FAMILY}`;
  context.textAlign = "center";
  context.textBaseline = "middle";
  picture.weights.forEach((weight, c) => {
    const shown = fill(picture, c, threshold);
    if (typeof shown !== "number") return;
    context.fillStyle = isBright(shown) ? "#000000" : "#ffffff";
    context.fillText(
      weight.toFixed(2),
      left + ((c % cols) + 0.5) * cell,
      top + (Math.floor(c / cols) + 0.5) * cell,
    );
  });
  context.textAlign = "left";
}

/** Measuring 512 labels takes longer than drawing them: remember. */
const widths = new Map<string, Map<string, number>>();
export function textWidth(
  context: CanvasRenderingContext2D,
  font: string,
  label: string,
): number {
  const text = cut(label);
  const known = widths.get(font) ?? new Map<string, number>();
  widths.set(font, known);
  let width = known.get(text);
  if (width === undefined) {
    context.font = font;
    width = context.measureText(text).width;
    if (known.size > 10_000) known.clear();
    known.set(text, width);
  }
  return width;
}

/** Cut a label that is too wide, with an ellipsis. */
function fit(context: CanvasRenderingContext2D, label: string, width: number) {
  const { font } = context; // as the canvas writes it
  const text = cut(label);
  if (textWidth(context, font, text) <= width) return text;
  const letters = [...text];
  while (letters.length > 1) {
    letters.pop();
    if (textWidth(context, font, `${letters.join("")}…`) <= width) break;
  }
  return `${letters.join("")}…`;
}

/** Locked rows and the cross-hair, over the matrix. */
export function drawOverlay(
  context: CanvasRenderingContext2D,
  layout: Layout,
  picture: Picture,
  at: { row: number; col: number } | null,
  locked: number[],
  theme: Theme,
): void {
  const { left, top, cell } = layout;
  const [rows, cols] = [picture.rows.length, picture.cols.length];
  const frame = (
    x: number,
    y: number,
    width: number,
    height: number,
    colour: string,
    weight: number,
  ) => {
    for (const [style, line] of [
      ["#ffffff", weight + 2],
      [colour, weight],
    ] as const) {
      context.strokeStyle = style;
      context.lineWidth = line;
      context.strokeRect(x, y, width, height);
    }
  };
  context.clearRect(0, 0, layout.width, layout.height);
  for (const row of locked) {
    frame(left, top + row * cell, cols * cell, cell, theme.lock, 2);
    context.fillStyle = theme.lock;
    context.fillRect(left - 5, top + row * cell, 4, cell);
  }
  if (!at) return;
  context.globalAlpha = 0.75;
  frame(left, top + at.row * cell, cols * cell, cell, theme.accent, 1);
  frame(left + at.col * cell, top, cell, rows * cell, theme.accent, 1);
  context.globalAlpha = 1;
  const size = Math.max(cell, 3);
  frame(
    left + at.col * cell,
    top + at.row * cell,
    size,
    size,
    theme.accent,
    2.5,
  );
}

/** The same picture as SVG, for slides and papers. */
export function toSvg(
  layout: Layout,
  picture: Picture,
  threshold: number,
): SVGElement {
  const { left, top, cell, font, legend, title, every, sums } = layout;
  const cols = picture.cols.length;
  const small = { "font-size": 12, fill: PAPER.muted };
  const text = { "font-size": font, fill: PAPER.ink };
  const end = { "text-anchor": "end" };
  const beside = left + cols * cell + GAP;
  const low = legend + 21;
  const cells =
    picture.weights.length < MANY_CELLS
      ? cellMarks(layout, picture, threshold)
      : [cellImage(layout, picture, threshold)];
  const rows = picture.rows.flatMap(({ label }, r) => {
    if (r % every > 0) return [];
    const y = top + (r + 0.5) * cell + font / 3;
    const made = [s("text", { x: left - GAP, y, ...end, ...text }, cut(label))];
    if (!sums) return made;
    made.push(
      s("text", { x: beside, y, ...small }, picture.sums[r].toFixed(2)),
    );
    if (!layout.odd[r]) return made;
    const [bx, by, width, height] = sumBox(layout, cols, r);
    const box = { x: bx, y: by, width, height, fill: "none" };
    return [...made, s("rect", { ...box, stroke: PAPER.accent })];
  });
  const heads = picture.cols.flatMap(({ label }, c) => {
    if (c % every > 0) return [];
    const [x, y] = [left + (c + 0.5) * cell + font / 3, top - GAP];
    const transform = `translate(${x} ${y}) rotate(-90)`;
    return [s("text", { transform, ...text }, cut(label))];
  });
  const bold = { "font-size": 15, "font-weight": 600, fill: PAPER.ink };
  return standalone(
    layout.width,
    layout.height,
    s("title", {}, title),
    s("text", { x: GAP, y: 19, ...bold }, title),
    s("text", { x: left, y: 38, ...small }, "key →"),
    s("text", { x: left - GAP, y: top - 6, ...end, ...small }, "query ↓"),
    ...cells,
    ...rows,
    ...(sums ? [s("text", { x: beside, y: top - 6, ...small }, "row Σ")] : []),
    ...heads,
    ...colourBar(left, legend, BAR),
    ...ticksOf(picture.scale).map((text, i) => {
      const place = { x: left + (i * BAR) / 2, y: low, ...small };
      const anchor = ["start", "middle", "end"][i];
      return s("text", { ...place, "text-anchor": anchor }, text);
    }),
    s("text", { x: left + BAR + GAP, y: legend + 8, ...small }, "weight"),
  );
}

/** A mark for each cell, with its weight as a title. */
function cellMarks(
  { left, top, cell }: Layout,
  picture: Picture,
  threshold: number,
): SVGElement[] {
  const cols = picture.cols.length;
  return [...picture.weights].flatMap((_, c) => {
    const shown = fill(picture, c, threshold);
    if (shown === "below") return [];
    const [row, col] = [Math.floor(c / cols), c % cols];
    const [x, y] = [left + col * cell, top + row * cell];
    const names = `${picture.rows[row].label} → ${picture.cols[col].label}`;
    const title = s("title", {}, `${names}: ${cellText(picture, c)}`);
    if (shown === "masked") {
      const d = `M${x} ${y + cell}l${cell} ${-cell}`;
      return [s("path", { d, stroke: PAPER.edge }, title)];
    }
    const box = { x, y, width: cell, height: cell, fill: hex(shown) };
    return [s("rect", box, title)];
  });
}

/** All cells as one image: a page can't hold a million marks. */
function cellImage(
  layout: Layout,
  picture: Picture,
  threshold: number,
): SVGElement {
  const { left, top, cell } = layout;
  const canvas = document.createElement("canvas");
  const [cols, rows] = [picture.cols.length, picture.rows.length];
  const [width, height] = [cols * cell, rows * cell];
  const ratio = pixelRatio({ width, height }, 2);
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  const context = canvas.getContext("2d")!;
  context.scale(ratio, ratio);
  context.translate(-left, -top);
  drawCells(context, layout, picture, threshold, PAPER);
  const href = canvas.toDataURL();
  return s("image", { href, x: left, y: top, width, height });
}

/** The whole matrix, one row a pair, with a heading. */
export function* toRows(picture: Picture): Generator<(string | number)[]> {
  yield ["query", "key", "query_token", "key_token", "weight"];
  const { rows, cols, weights } = picture;
  for (let c = 0; c < weights.length; c++) {
    const [row, col] = [Math.floor(c / cols.length), c % cols.length];
    const weight = isMasked(picture, c) ? "masked" : weights[c];
    yield [row, col, rows[row].label, cols[col].label, weight];
  }
}
