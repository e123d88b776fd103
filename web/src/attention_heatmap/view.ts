// AttentionHeatmap: the matrix, its controls and its read-out in one element.
import { DARK_INK, LIGHT_INK } from "../lib/colours.ts";
import { download, h, pixelRatio } from "../lib/dom.ts";
import { type At, keyGrid } from "../lib/grid.ts";
import { cellAt } from "../lib/matrix.ts";
import { button, type Parts, type Tools, widget } from "../lib/shell.ts";
import { saveCsv, saveSvg } from "../lib/svg.ts";
import { foldedTable } from "../lib/table.ts";
import {
  cellText,
  createModel,
  type Picture,
  selectionName,
} from "./compute.ts";
import { createControls } from "./controls.ts";
import {
  drawBase,
  drawCells,
  drawOverlay,
  frameKey,
  type Layout,
  layOutMap,
  PAPER,
  toRows,
  toSvg,
} from "./draw.ts";
import { createPanel } from "./panel.ts";
import { defaults, parseSource, type Reader, validators } from "./state.ts";
import { HEATMAP_STYLE } from "./style.ts";
import { buildTable } from "./table.ts";
import { TRAITS } from "./traits.ts";

export const mount = widget<Reader>("heatmap", heatmap);

function heatmap(tools: Tools<Reader>): Parts<Reader> {
  const { raw, state } = tools;
  const source = parseSource(raw.source);
  const model = createModel(source);
  let picture: Picture;
  let layout: Layout;
  let theme = LIGHT_INK;
  let drawn = ""; // the frame that stands on the canvas

  // --- the page of the widget -------------------------------------------
  const base = h("canvas", { "aria-hidden": "true" });
  const overlay = h("canvas", { "aria-hidden": "true" });
  const walk = keyGrid({
    label: `${source.title}. Rows are queries, columns are keys.`,
    picture: [base, overlay],
    readonly: true,
    at: whereAt,
    size: () => [picture.rows.length, picture.cols.length],
    moveTo: choose,
    act: toggleLock,
    escape: () => tools.change({ locked: [] }),
  });
  const { element: grid, moveTo } = walk;
  const controls = createControls(source, raw.controls, tools.change);
  const panel = createPanel();
  const table = foldedTable(
    "Table of weights",
    `${source.title}: table of weights`,
    () => buildTable(picture),
  );
  const lockButton = button("Lock row", toggleLock);

  // --- drawing ----------------------------------------------------------
  const OVER = new Set<keyof Reader>(["cell", "locked"]);

  function draw(now: Reader, changed: Set<keyof Reader>, dark: boolean) {
    const matrix = [...changed].some((name) => !OVER.has(name));
    theme = dark ? DARK_INK : LIGHT_INK;
    if (matrix) drawMatrix(now);
    const at = whereAt();
    const locked = now.locked.map(rowOf).filter((row) => row >= 0);
    paint(overlay, (context) =>
      drawOverlay(context, layout, picture, at, locked, theme),
    );
    controls.show(now);
    showPanel(at, locked);
    speak(at);
    lockButton.disabled = !at;
    const isLocked = at !== null && locked.includes(at.row);
    lockButton.textContent = isLocked ? "Unlock row" : "Lock row";
    if (matrix) table.refresh();
  }

  function drawMatrix(now: Reader) {
    picture = model.picture(now);
    // A grid that is not in the page yet has no width.
    const width = Math.max(240, grid.clientWidth);
    layout = layOutMap(picture, width, base.getContext("2d")!);
    const key = `${frameKey(layout, picture, theme)} ${devicePixelRatio}`;
    const drawOn = key === drawn ? drawCells : drawBase;
    drawn = key;
    paint(base, (context) =>
      drawOn(context, layout, picture, now.threshold, theme),
    );
  }

  function paint(
    canvas: HTMLCanvasElement,
    paintOn: (context: CanvasRenderingContext2D) => void,
  ) {
    const ratio = pixelRatio(layout);
    const [width, height] = [layout.width * ratio, layout.height * ratio];
    if (
      canvas.width !== Math.round(width) ||
      canvas.height !== Math.round(height)
    ) {
      canvas.width = Math.round(width);
      canvas.height = Math.round(height);
      canvas.style.width = `${layout.width}px`;
      canvas.style.height = `${layout.height}px`;
    }
    const context = canvas.getContext("2d")!;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    paintOn(context);
  }

  // --- the cross-hair ---------------------------------------------------
  const rowOf = (i: number) =>
    picture.rows.findIndex(({ members }) => members.includes(i));
  const colOf = (j: number) =>
    picture.cols.findIndex(({ members }) => members.includes(j));

  function whereAt(): At | null {
    if (state().cell.length === 0) return null;
    const at = { row: rowOf(state().cell[0]), col: colOf(state().cell[1]) };
    return at.row < 0 || at.col < 0 ? null : at;
  }

  function choose(row: number, col: number) {
    const cell = [picture.rows[row].members[0], picture.cols[col].members[0]];
    if (String(cell) !== String(state().cell)) tools.change({ cell });
  }

  function toggleLock() {
    const at = whereAt();
    if (!at) return;
    const { members } = picture.rows[at.row];
    const others = state().locked.filter((i) => !members.includes(i));
    const locked =
      others.length < state().locked.length
        ? others
        : [...others, members[0]].slice(-TRAITS.locked.most);
    tools.change({ locked });
  }

  function showPanel(at: At | null, locked: number[]) {
    const single =
      at &&
      picture.rows[at.row].members.length === 1 &&
      picture.cols[at.col].members.length === 1;
    panel.show({
      source,
      state: state(),
      picture,
      at,
      steps: single
        ? model.steps(state(), state().cell[0], state().cell[1])
        : null,
      output: single ? model.output(state(), state().cell[0]) : null,
      locked,
    });
  }

  function speak(at: At | null) {
    if (!at) return walk.speak("");
    const c = at.row * picture.cols.length + at.col;
    walk.speak(
      `query ${picture.rows[at.row].label}, ` +
        `key ${picture.cols[at.col].label}: ${cellText(picture, c)}`,
    );
  }

  // --- the pointer ------------------------------------------------------
  const pointed = (event: PointerEvent | MouseEvent) => {
    const box = grid.getBoundingClientRect();
    const { rows, cols } = picture;
    return cellAt(
      { ...layout, rows, cols },
      event.clientX - box.left,
      event.clientY - box.top,
    );
  };
  grid.addEventListener("pointermove", (event) => {
    const hit = pointed(event);
    if (hit) moveTo(hit.row, hit.col);
  });
  grid.addEventListener("click", (event) => {
    const hit = pointed(event);
    if (!hit) return;
    const before = whereAt();
    const wasThere = before?.row === hit.row && before?.col === hit.col;
    moveTo(hit.row, hit.col);
    // A first tap points; a mouse points before it clicks.
    const touch = (event as PointerEvent).pointerType === "touch";
    if (!touch || wasThere) toggleLock();
  });

  // --- taking the picture away ------------------------------------------
  const fileName = () =>
    `${raw.name || "attention"}-${selectionName(source.axes, state().selection)}`
      .replace(/[^\p{L}\p{M}\p{N}]+/gu, "-")
      .replace(/^-+|-+$/g, "");
  const heading = () =>
    [source.title, selectionName(source.axes, state().selection)]
      .filter(Boolean)
      .join(", ");
  const paperLayout = () =>
    layOutMap(
      picture,
      Math.max(560, layout.width),
      base.getContext("2d")!,
      heading(),
    );

  function savePng() {
    const paper = paperLayout();
    const canvas = document.createElement("canvas");
    const ratio = pixelRatio(paper, 2);
    canvas.width = Math.round(paper.width * ratio);
    canvas.height = Math.round(paper.height * ratio);
    const context = canvas.getContext("2d")!;
    context.scale(ratio, ratio);
    drawBase(context, paper, picture, state().threshold, PAPER);
    canvas.toBlob((blob) => {
      if (blob) download(`${fileName()}.png`, blob);
      else tools.say("The browser refused to make the picture.");
    });
  }

  const takeSvg = () =>
    saveSvg(
      `${fileName()}.svg`,
      toSvg(paperLayout(), picture, state().threshold),
    );

  const takeCsv = () => saveCsv(`${fileName()}.csv`, toRows(picture));

  return {
    title: source.title,
    note: source.note,
    hint:
      "Point or use the arrow keys (Shift: ten cells); click or Enter locks " +
      "a row to compare, Escape unlocks all.",
    style: HEATMAP_STYLE,
    start: defaults(source),
    valid: validators(source),
    controls: controls.element,
    body: [h("div", { class: "body" }, grid, panel.element)],
    buttons: [lockButton],
    exports: [
      ["PNG", savePng],
      ["SVG", takeSvg],
      ["CSV", takeCsv],
    ],
    footer: [table.element],
    draw,
    measured: grid,
  };
}
