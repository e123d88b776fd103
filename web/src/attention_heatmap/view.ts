// AttentionHeatmap: the matrix, its controls and its read-out in one element.
import { DARK_INK, LIGHT_INK } from "../lib/colours.ts";
import { download, h, pixelRatio } from "../lib/dom.ts";
import { type At, keyGrid } from "../lib/grid.ts";
import { cellAt, pointIn } from "../lib/matrix.ts";
import { createMove, isStill } from "../lib/motion.ts";
import { button, type Parts, type Tools, widget } from "../lib/shell.ts";
import { s, saveCsv, saveSvg, size } from "../lib/svg.ts";
import { foldedTable } from "../lib/table.ts";
import { drawArcs, placeWords } from "./arcs.ts";
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
  textWidth,
  toRows,
  toSvg,
} from "./draw.ts";
import { createPanel } from "./panel.ts";
import { defaults, parseSource, type Reader, validators } from "./state.ts";
import { HEATMAP_STYLE } from "./style.ts";
import { buildTable } from "./table.ts";
import { createThumbs, pictured } from "./thumbs.ts";
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
  let [width, fullWidth] = [0, 0];
  let sharpness = 1; // pixels of a canvas for one of the page
  let over = ""; // what lies over the matrix

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
  const axes =
    (raw.controls?.includes("pickers") ?? true) ? pictured(source) : [];
  const controls = createControls(
    source,
    raw.controls,
    axes,
    tools.change,
    step,
  );
  const looks = createModel(source);
  const thumbs =
    axes.length === 0
      ? null
      : createThumbs(
          axes,
          state,
          (selection) =>
            looks.picture({
              ...defaults(source),
              causal: state().causal,
              normalise: state().normalise,
              selection: { ...state().selection, ...selection },
            }),
          (selection) => step({ selection }),
        );
  const primary = h(
    "div",
    {},
    ...(controls.primary ? [controls.primary.element] : []),
    ...(thumbs ? [thumbs.element] : []),
  );
  const arcs = s("svg", { class: "arcs", "aria-hidden": "true" });
  const panel = createPanel();
  const table = foldedTable(
    "Table of weights",
    `${source.title}: table of weights`,
    () => buildTable(picture),
  );
  const body = h("div", { class: "body" }, grid, panel.element);
  body.prepend(arcs);
  const lockButton = button("Lock row", toggleLock);

  // --- drawing ----------------------------------------------------------
  const OVER = new Set<keyof Reader>(["cell", "locked"]);
  // While nothing else changes, labels and sums stay.
  const CELLS = new Set<keyof Reader>([...OVER, "temperature", "scaled"]);
  const only = (changed: Set<keyof Reader>, some: Set<keyof Reader>) =>
    [...changed].every((name) => some.has(name));

  function draw(now: Reader, changed: Set<keyof Reader>, dark: boolean) {
    const matrix = !only(changed, OVER);
    // A redraw for a new width or theme names everything as changed.
    const all = changed.size === Object.keys(now).length;
    theme = dark ? DARK_INK : LIGHT_INK;
    if (all) measure(now);
    if (matrix) drawMatrix(now, !all && only(changed, CELLS));
    const at = whereAt();
    const locked = now.locked.map(rowOf).filter((row) => row >= 0);
    drawOver(at, locked);
    if (matrix || changed.has("cell")) drawRow(shown ?? picture);
    controls.primary?.show(now);
    controls.more.show(now);
    if (!all && changed.has("selection")) showThumbs(now);
    showPanel(at, locked);
    speak(at);
    lockButton.disabled = !at;
    const isLocked = at !== null && locked.includes(at.row);
    lockButton.textContent = isLocked ? "Unlock row" : "Lock row";
    if (matrix) table.refresh();
  }

  /** How much room there is: to ask makes the browser lay the page out. */
  function measure(now: Reader) {
    over = "";
    showThumbs(now);
    const onStage = tools.room() < Infinity;
    body.style.setProperty(
      "--beside",
      onStage ? `${primary.offsetHeight + 12}px` : "0px",
    );
    // A grid that is not in the page yet has no width.
    width = Math.max(240, grid.clientWidth);
    const box = grid.getBoundingClientRect();
    fullWidth = Math.max(240, body.clientWidth);
    sharpness = devicePixelRatio * (box.width / grid.clientWidth || 1);
  }

  function showThumbs(now: Reader) {
    if (!thumbs) return;
    const others = Object.entries(now.selection).filter(
      ([name]) => !axes.some((axis) => axis.name === name),
    );
    const depends = JSON.stringify([others, now.causal, now.normalise]);
    thumbs.show(primary.clientWidth || 300, depends, theme === DARK_INK);
  }

  function drawMatrix(now: Reader, sameFrame: boolean) {
    const before =
      moving && picture && !isStill()
        ? { ...(shown ?? picture), weights: (shown ?? picture).weights.slice() }
        : null;
    moving = false;
    move.stop();
    shown = null;
    picture = model.picture(now);
    const kept = sameFrame && picture.whole && now.threshold === 0;
    const asIs = kept && drawn !== "" && picture.totals === null;
    if (!asIs) {
      const context = base.getContext("2d")!;
      const words = wordsOf(picture.rows.length - 1)?.height ?? 0;
      const tallest = tools.room() - words;
      layout = layOutMap(picture, width, context, "", tallest);
    }
    const key = asIs
      ? drawn
      : `${frameKey(layout, picture, theme)} ${sharpness}`;
    const drawOn = key === drawn ? drawCells : drawBase;
    drawn = key;
    if (before?.weights.length === picture.weights.length) {
      from = before;
      shown = between(0);
      move.start();
    }
    const first = shown ?? picture;
    paint(base, (context) =>
      drawOn(context, layout, first, now.threshold, theme),
    );
  }

  // --- a change that moves ----------------------------------------------
  let moving = false;
  let from: Picture;
  let shown: Picture | null = null; // on the way from one to the other
  function step(changes: Partial<Reader>) {
    moving = true;
    tools.change(changes);
  }
  const move = createMove((share) => {
    shown = share < 1 ? between(share) : null;
    paint(base, (context) =>
      drawCells(context, layout, shown ?? picture, state().threshold, theme),
    );
    drawRow(shown ?? picture);
  });
  function between(share: number): Picture {
    const { weights: a } = from;
    const { weights: b } = picture;
    const top = from.scale.top + (picture.scale.top - from.scale.top) * share;
    return {
      ...picture,
      weights: b.map((weight, c) => a[c] + (weight - a[c]) * share),
      scale: { ...picture.scale, top },
    };
  }

  // --- the words above --------------------------------------------------
  const wordsOf = (row: number) =>
    placeWords(picture, row, arcsWidth(), (text) =>
      textWidth(base.getContext("2d")!, "700 13px system-ui, sans-serif", text),
    );
  const arcsWidth = () => (tools.room() < Infinity ? width : fullWidth);

  function drawRow(some: Picture) {
    const row = whereAt()?.row ?? picture.rows.length - 1;
    const place = wordsOf(row);
    arcs.toggleAttribute("hidden", place === null);
    if (!place) return;
    size(arcs, place.width, place.height);
    const dark = theme === DARK_INK;
    arcs.replaceChildren(...drawArcs(place, some, row, theme, dark));
  }

  function drawOver(at: At | null, locked: number[]) {
    const now = JSON.stringify([layout, at, locked, theme.ink]);
    if (now === over) return;
    over = now;
    paint(overlay, (context) =>
      drawOverlay(context, layout, picture, at, locked, theme),
    );
  }

  function paint(
    canvas: HTMLCanvasElement,
    paintOn: (context: CanvasRenderingContext2D) => void,
  ) {
    const ratio = pixelRatio(layout, sharpness);
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
    const { rows, cols } = picture;
    const place = { ...layout, rows, cols };
    return cellAt(place, ...pointIn(base, layout.width, event));
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
    primary,
    controls: controls.more.element,
    body: [body],
    buttons: [lockButton],
    exports: [
      ["PNG", savePng],
      ["SVG", takeSvg],
      ["CSV", takeCsv],
    ],
    footer: [table.element],
    draw,
    measured: body,
  };
}
