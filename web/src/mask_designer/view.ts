// MaskDesigner: paint masks over tokens and layers, see what leaks.

import { DARK_INK, type Ink, LIGHT_INK } from "../lib/colours.ts";
import { type Control, choice, row, slider, toggle } from "../lib/controls.ts";
import { h } from "../lib/dom.ts";
import { type At, keyGrid } from "../lib/grid.ts";
import {
  cellAt,
  drawCells,
  drawFrame,
  drawOver,
  type Layout,
  layOut,
  MARK,
  pointIn,
  tokenLabels,
} from "../lib/matrix.ts";
import { hex } from "../lib/palette.ts";
import { button, type Parts, type Tools, widget } from "../lib/shell.ts";
import { s, standalone, svgExports } from "../lib/svg.ts";
import { foldedTable, tableOf } from "../lib/table.ts";
import {
  FEW,
  layerShade,
  leastWidth,
  maskMatrix,
  reachMatrix,
  stepOf,
} from "./draw.ts";
import {
  cost,
  defaults,
  emptyRows,
  firstHeard,
  layerNames,
  layersUntilConnected,
  leaks,
  masks,
  metAfter,
  type Numbers,
  owner,
  PRESETS,
  pack,
  parseSource,
  plain,
  type Reader,
  range,
  trace,
  validators,
} from "./model.ts";
import { BYTES, MAX_PAINTED, TRAITS } from "./traits.ts";

const STYLE = `
.pair { display: grid; gap: .4rem 20px; grid-template-columns: minmax(0, 1fr); }
.pair.wide { grid-template-columns: repeat(2, minmax(0, 1fr)); }
.pair p { margin: 0; font-weight: 600; }
.scroll { overflow: auto; }
.zoom .scroll { max-height: 34rem; }
.grid { width: max-content; border-radius: 3px; touch-action: pan-y; cursor: crosshair; }
.zoom .grid { touch-action: pan-x pan-y; }
.grid svg, .key svg { display: block; }
.key { list-style: none; display: flex; flex-wrap: wrap; gap: .1rem .8rem; margin: .2rem 0 0; padding: 0; font-size: .9em; }
.key li { display: flex; align-items: center; gap: .3rem; }
.said { margin: .6rem 0 0; display: grid; gap: .25rem; }
.said p { margin: 0; border-left: 4px solid var(--line); padding-left: .5rem; overflow-wrap: anywhere; }
.said .warn { border-color: var(--accent); }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .1rem 1rem; margin: .6rem 0 0; }
dd { margin: 0; font-variant-numeric: tabular-nums; font-weight: 600; }
@container (max-width: 480px) { dl { grid-template-columns: 1fr; } dd { margin-bottom: .2rem; } }
.attn { container-type: inline-size; }
.present .designer { display: grid; grid-template-columns: 1fr 250px; gap: 16px; }
.present .said { margin: 0; }
.present dl { grid-template-columns: 1fr; }
.present .scroll { max-height: 330px; }
.table td { text-align: left; }
`;

const SLIDERS: [keyof Numbers, string][] = [
  ["padded", "padding tokens"],
  ["window", "neighbours on each side"],
  ["dilation", "step between keys"],
  ["block", "block size"],
  ["n_global", "global tokens"],
  ["n_random", "random keys a query"],
  ["seed", "draw"],
];
const LISTED = 3;
const MAX_UNDO = 100;

export const mount = widget<Reader>("mask designer", maskDesigner);

function maskDesigner(tools: Tools<Reader>): Parts<Reader> {
  const source = parseSource(tools.raw.source);
  const { tokens, layers } = source;
  const n = tokens.length;
  const labels = tokenLabels(tokens);
  const { state, change } = tools;
  const quoted = (i: number) => `“${tokens[i]}”`;

  // --- what follows from the state --------------------------------------
  let stack: Uint8Array[] = [];
  let first: Uint8Array = new Uint8Array();
  let layout: Layout = layOut(labels, 320, false);
  let framed = ""; // the labels and lines that stand there

  const shownMask = () => stack[state().layer - 1];
  const at = (): At | null => {
    const [row, col] = state().cell;
    return row === undefined ? null : { row, col };
  };
  const way = (): ReturnType<typeof trace> => {
    const here = at();
    const below = stack.slice(0, state().layer);
    return here && trace(below, first, n, here.row, here.col);
  };

  // --- undo: what stood before each change of the masks -----------------
  const past: Partial<Reader>[] = [];
  let lastTag = "";
  function edit(changes: Partial<Reader>, tag = "") {
    // Moving one slider is one step back, not a hundred.
    if (tag === "" || tag !== lastTag) {
      const { layer, mark_future, zoom, cell, ...rest } = state();
      past.push(rest);
      if (past.length > MAX_UNDO) past.shift();
    }
    lastTag = tag;
    change(changes);
  }
  const undo = button("Undo", () => {
    lastTag = "";
    const before = past.pop();
    if (before) change(before);
  });

  // --- controls ---------------------------------------------------------
  const mine = () => owner(state(), state().layer);
  const sparse = source.presets.some((name) =>
    PRESETS[name].uses.some((use) => use !== "padded"),
  );
  const everyLayer = (value: string) =>
    Object.fromEntries(layerNames(source).map((name) => [name, value]));
  const preset = choice<Reader>(
    "preset",
    "mask",
    source.presets,
    (now) => now.preset[owner(now, now.layer)],
    (name) => edit({ preset: { [mine()]: name }, painted: { [mine()]: "" } }),
  );
  const sliders = SLIDERS.filter(([name]) =>
    source.presets.some((p) => PRESETS[p].uses.includes(name)),
  ).map(([name, label]) => ({
    name,
    control: slider<Reader>({
      label,
      control: name,
      range: [...range(name, n), 1],
      read: (now) => now[name],
      words: String,
      write: (x) => edit({ [name]: x, painted: cleared(name) }, name),
    }),
  }));
  /** What was painted over a preset goes when the preset changes. */
  function cleared(name: keyof Numbers) {
    const { preset, painted } = state();
    return Object.fromEntries(
      Object.keys(painted)
        .filter((layer) => PRESETS[preset[layer]].uses.includes(name))
        .map((layer) => [layer, ""]),
    );
  }
  const offered: [string, boolean, () => Control<Reader>][] = [
    [
      "causal",
      sparse,
      () =>
        toggle<Reader>(
          "causal",
          "and hide later keys",
          (now) => now.causal,
          (causal) => edit({ causal, painted: everyLayer("") }),
        ),
    ],
    [
      "layer",
      layers > 1,
      () =>
        slider<Reader>({
          label: "layer",
          control: "layer",
          range: [TRAITS.layer.range[0], layers, 1],
          read: (now) => now.layer,
          words: (x) => `${x} of ${layers}`,
          write: (layer) => change({ layer }),
        }),
    ],
    [
      "same",
      layers > 1,
      () =>
        toggle<Reader>(
          "same",
          "same mask in every layer",
          (now) => now.same,
          setSame,
        ),
    ],
    [
      "mark_future",
      true,
      () =>
        toggle<Reader>(
          "mark_future",
          "mark what hears of its future",
          (now) => now.mark_future,
          (mark_future) => change({ mark_future }),
        ),
    ],
    [
      "zoom",
      n > FEW,
      () =>
        toggle<Reader>(
          "zoom",
          "large cells",
          (now) => now.zoom,
          (zoom) => change({ zoom }),
        ),
    ],
  ];
  function setSame(same: boolean) {
    const { preset, painted, layer } = state();
    const from = same ? String(layer) : "1";
    const copy = (record: Record<string, string>) =>
      same ? { 1: record[from] } : everyLayer(record[from]);
    edit({ same, preset: copy(preset), painted: copy(painted) });
  }
  const wants = (name: string) => tools.raw.controls?.includes(name) ?? true;
  const [primary, ...others] = [
    ...(wants("preset") && source.presets.length > 1 ? [preset] : []),
    ...offered
      .filter(([name, fits]) => fits && wants(name))
      .map(([, , make]) => make()),
    ...(wants("numbers") ? sliders.map(({ control }) => control) : []),
  ];
  const controls = row<Reader>(others);

  // --- the two matrices -------------------------------------------------
  const pane = (label: string, act?: () => void) => {
    // Cells, frame, cross-hair: each is drawn again only when it must be.
    const parts = [s("g"), s("g"), s("g")];
    const svg = s("svg", { "aria-hidden": "true" }, ...parts);
    const walk = keyGrid({
      label: `${source.title}: ${label}. Rows are queries, columns are keys.`,
      picture: [svg],
      readonly: !act,
      at,
      size: () => [n, n],
      moveTo: choose,
      act,
    });
    const caption = h("p");
    const key = h("ul", { class: "key" });
    const scroll = h("div", { class: "scroll" }, walk.element);
    const element = h("div", {}, caption, scroll, key);
    return { svg, parts, walk, caption, key, element };
  };
  const left = pane("who may look at whom", toggleCell);
  const right = pane("who can have heard of whom");
  const pair = h("div", { class: "pair" }, left.element, right.element);
  const said = h("div", { class: "said", role: "status", part: "readout" });
  const facts = h("dl", { part: "readout" });
  const table = foldedTable("Table", `${source.title}: table`, numbers);

  function choose(row: number, col: number) {
    change({ cell: [row, col] });
  }

  // --- painting ---------------------------------------------------------
  function paint(cells: At[], value: number, tag: string) {
    if (n > MAX_PAINTED) {
      tools.say(
        `With more than ${MAX_PAINTED} tokens a mask comes from a preset.`,
      );
      return;
    }
    const mask = shownMask().slice();
    for (const { row, col } of cells) mask[row * n + col] = value;
    const base = plain(source, state(), state().preset[mine()]);
    const painted = { [mine()]: pack(mask.map((open, c) => open ^ base[c])) };
    const { row, col } = cells[cells.length - 1];
    edit({ painted, cell: [row, col] }, tag);
    compute();
  }
  const opposite = ({ row, col }: At) => 1 - shownMask()[row * n + col];
  function toggleCell() {
    const here = at();
    if (here) paint([here], opposite(here), "");
  }

  let strokes = 0;
  let stroke: { last: At; value: number; tag: string; drawn: boolean } | null =
    null;
  const pointed = (pane: typeof left, event: MouseEvent) =>
    cellAt(layout, ...pointIn(pane.svg, layout.width, event));
  const grid = left.walk.element;
  grid.addEventListener("pointerdown", (event) => {
    const hit = event.button === 0 ? pointed(left, event) : null;
    if (!hit) return;
    stroke = {
      last: hit,
      value: opposite(hit),
      tag: `stroke ${++strokes}`,
      drawn: false,
    };
    // A finger may be about to scroll: wait until it moves along a row.
    if (event.pointerType !== "touch") lay([hit]);
    grid.setPointerCapture(event.pointerId);
  });
  grid.addEventListener("pointermove", (event) => {
    const hit = stroke && pointed(left, event);
    if (!stroke || !hit) return;
    const { last } = stroke;
    if (hit.row === last.row && hit.col === last.col) return;
    const scrolls = state().zoom || (!stroke.drawn && hit.col === last.col);
    if (event.pointerType === "touch" && scrolls) return;
    lay([...(stroke.drawn ? [] : [last]), ...between(last, hit)]);
  });
  grid.addEventListener("pointerup", () => {
    if (stroke && !stroke.drawn) lay([stroke.last]);
    stroke = null;
  });
  grid.addEventListener("pointercancel", () => {
    stroke = null;
  });
  function lay(cells: At[]) {
    if (!stroke) return;
    paint(cells, stroke.value, stroke.tag);
    stroke.drawn = true;
    stroke.last = cells[cells.length - 1];
  }
  right.walk.element.addEventListener("click", (event) => {
    const hit = pointed(right, event);
    if (hit) choose(hit.row, hit.col);
  });

  // --- drawing ----------------------------------------------------------
  const VIEW = new Set<keyof Reader>(["layer", "mark_future", "zoom", "cell"]);
  function compute() {
    stack = masks(source, state());
    first = firstHeard(stack, n);
  }

  function draw(now: Reader, changed: Set<keyof Reader>, dark: boolean) {
    if (![...changed].every((name) => VIEW.has(name))) compute();
    const moved = changed.size === 1 && changed.has("cell");
    const ink = dark ? DARK_INK : LIGHT_INK;
    const width = Math.max(240, pair.clientWidth);
    const half = (width - 20) / 2;
    const wide = half >= leastWidth(n);
    pair.classList.toggle("wide", wide);
    pair.classList.toggle("zoom", now.zoom);
    layout = layOut(labels, wide ? half : width, now.zoom || n <= FEW);
    primary?.show(now);
    controls.show(now);
    const { uses } = PRESETS[now.preset[owner(now, now.layer)]];
    for (const { name, control } of sliders)
      control.element.toggleAttribute("hidden", !uses.includes(name));
    undo.disabled = past.length === 0;
    const key = JSON.stringify([layout, ink]);
    [left, right].forEach(({ svg, parts, caption }, i) => {
      if (key !== framed) {
        svg.setAttribute("width", String(layout.width));
        svg.setAttribute("height", String(layout.height));
        parts[1].replaceChildren(...drawFrame(layout, ink));
      }
      if (!moved)
        parts[0].replaceChildren(...drawCells(matrix(i, ink), layout, ink));
      parts[2].replaceChildren(...drawOver(layout, at(), ring(i), ink));
      caption.textContent = captions(now)[i];
    });
    framed = key;
    keys(ink);
    speak();
    said.replaceChildren(
      ...sentences().map(([text, warn]) =>
        h("p", { class: warn ? "warn" : "" }, text),
      ),
    );
    facts.replaceChildren(
      ...list().flatMap(([name, value]) => [
        h("dt", {}, name),
        h("dd", {}, value),
      ]),
    );
    table.refresh();
  }

  const captions = (now: Reader) => [
    now.same && layers > 1
      ? "Every layer: who may look at whom"
      : `Layer ${now.layer}: who may look at whom`,
    `After layer ${now.layer}: who has heard of whom`,
  ];

  /** The mask, or who can have heard of whom. */
  const matrix = (side: number, ink: Ink) =>
    side === 0
      ? maskMatrix(shownMask(), ink)
      : reachMatrix(first, n, state().layer, state().mark_future);
  const ring = (side: number) =>
    side === 0 ? stepOf(way(), state().layer) : null;

  /** What the colours mean, in words. */
  function keys(ink: Ink) {
    const swatch = (...inside: SVGElement[]) =>
      s("svg", { width: 14, height: 14 }, ...inside);
    const box = { width: 13, height: 13, x: 0.5, y: 0.5, stroke: ink.line };
    const full = (fill: string) => swatch(s("rect", { ...box, fill }));
    const empty = swatch(
      s("rect", { ...box, fill: "none" }),
      s("path", { d: "M0 14L14 0", stroke: ink.line }),
    );
    const item = (picture: SVGElement, text: string) => {
      const made = h("li", {}, text);
      made.prepend(picture);
      return made;
    };
    const { layer, mark_future } = state();
    left.key.replaceChildren(
      item(full(ink.marks[0]), "may look"),
      item(empty.cloneNode(true) as SVGElement, "may not"),
    );
    const reached = Array.from({ length: layer + 1 }, (_, k) =>
      item(
        full(hex(layerShade(k))),
        k === 0 ? "0: itself" : `${k}: after layer ${k}`,
      ),
    );
    const corner = s("path", { d: "M14 0v11l-11 -11z", fill: MARK });
    right.key.replaceChildren(
      ...reached,
      item(empty, "not heard of"),
      ...(mark_future ? [item(swatch(corner), "hears of its future")] : []),
    );
  }

  function speak() {
    const here = at();
    if (!here) return [left, right].map(({ walk }) => walk.speak(""));
    const c = here.row * n + here.col;
    const { layer } = state();
    const names = `query ${tokens[here.row]}, key ${tokens[here.col]}: `;
    left.walk.speak(`${names}${shownMask()[c] ? "may look" : "may not look"}`);
    right.walk.speak(
      first[c] > layer
        ? `${names}not heard of after layer ${layer}`
        : `${names}heard of ${first[c] ? `after layer ${first[c]}` : "itself"}`,
    );
  }

  // --- in words ---------------------------------------------------------
  function sentences(): [text: string, warn: boolean][] {
    const { layer, mark_future } = state();
    const lines: [string, boolean][] = [];
    const empty = emptyRows(shownMask(), n);
    if (empty.length > 0)
      lines.push([
        `${some(empty, quoted)} may look at nothing in layer ${layer}: ` +
          "its attention output is zero.",
        true,
      ]);
    if (mark_future) {
      const found = leaks(first, n, layer);
      const name = ([i, j]: number[]) => `${quoted(i)} of ${quoted(j)}`;
      lines.push(
        found.length === 0
          ? [`After layer ${layer} no token hears of a later one.`, false]
          : [
              `After layer ${layer} a token hears of a later one in ` +
                `${found.length} ${found.length > 1 ? "pairs" : "pair"}: ` +
                `${some(found, name)}.`,
              true,
            ],
      );
    }
    lines.push([wayInWords(), false]);
    return lines;
  }

  const some = <T>(all: T[], name: (one: T) => string) =>
    all.slice(0, LISTED).map(name).join(", ") +
    (all.length > LISTED ? ` and ${all.length - LISTED} more` : "");

  function wayInWords(): string {
    const here = at();
    const { layer } = state();
    if (!here) return "Choose a pair on either side to follow its way.";
    const [query, key] = [quoted(here.row), quoted(here.col)];
    const steps = way();
    if (!steps)
      return `${query} can't have heard of ${key} after layer ${layer}.`;
    if (steps.length === 1)
      return `${query} knows itself: the residual connection keeps it.`;
    // As everywhere: from who looks to what it looks at.
    const names = steps
      .map(
        (step) =>
          tokens[step.token] + (step.layer > 0 ? ` (layer ${step.layer})` : ""),
      )
      .reverse();
    return `${query} can have heard of ${key}: ${names.join(" → ")}.`;
  }

  function list(): [string, string][] {
    const { pairs, fraction, most_keys } = cost(shownMask(), n);
    const bytes = BYTES[source.dtype];
    const number = (x: number) => x.toLocaleString("en");
    return [
      [
        `pairs in layer ${state().layer}`,
        `${number(pairs)} of ${number(n * n)} (${(100 * fraction).toFixed(0)} %)`,
      ],
      ["most keys of one query", number(most_keys)],
      [
        "scores of one head, stored",
        `${number(n * n * bytes)} bytes in ${source.dtype}; ` +
          `these pairs alone: ${number(pairs * bytes)}`,
      ],
      ["any two tokens have met", met()],
    ];
  }

  function met(): string {
    const alike = stack.every((mask) =>
      mask.every((x, c) => x === stack[0][c]),
    );
    const after = alike ? layersUntilConnected(stack[0], n) : metAfter(first);
    if (after !== null) return `after ${after} layer${after === 1 ? "" : "s"}`;
    return alike ? "never, in any number of layers" : `not in ${layers} layers`;
  }

  function numbers() {
    const { layer } = state();
    const listed = (has: (c: number) => boolean, row: number) => {
      const found = tokens.filter((_, j) => has(row * n + j));
      if (found.length === 0) return "nothing";
      if (found.length === n) return "all";
      return n > 16 ? `${found.length} tokens` : found.join(", ");
    };
    const mask = shownMask();
    return tableOf(
      [
        "query",
        `may look at (layer ${layer})`,
        `can have heard of (after layer ${layer})`,
      ],
      tokens.map((token, i) => [
        token,
        [listed((c) => mask[c] === 1, i), listed((c) => first[c] <= layer, i)],
      ]),
    );
  }

  // --- taking the picture away ------------------------------------------
  function picture() {
    const paper = layOut(labels, 420, n <= FEW);
    const now = state();
    const lines = [...sentences().map(([text]) => text), ...list().map(joined)];
    const height = paper.height + 70 + 18 * lines.length;
    return standalone(
      2 * paper.width + 50,
      height,
      s("text", { x: 10, y: 22, "font-weight": 600 }, source.title),
      ...[0, 1].map((i) =>
        s(
          "g",
          { transform: `translate(${10 + i * (paper.width + 30)} 55)` },
          s("text", { x: 0, y: -10 }, captions(now)[i]),
          ...drawCells(matrix(i, LIGHT_INK), paper, LIGHT_INK),
          ...drawFrame(paper, LIGHT_INK),
          ...drawOver(paper, at(), ring(i), LIGHT_INK),
        ),
      ),
      ...lines.map((text, i) =>
        s("text", { x: 10, y: paper.height + 75 + 18 * i }, text),
      ),
    );
  }
  const joined = ([name, value]: [string, string]) => `${name}: ${value}`;

  const rows = () => [
    ["layer", "query", "key", "query_token", "key_token", "may_look", "heard"],
    ...stack.flatMap((mask, index) =>
      [...mask].map((open, c) => {
        const [i, j] = [Math.floor(c / n), c % n];
        const heard = first[c] <= index + 1 ? 1 : 0;
        return [index + 1, i, j, tokens[i], tokens[j], open, heard];
      }),
    ),
  ];

  return {
    title: source.title,
    note: source.note,
    hint:
      "Left: click or tap opens and closes a cell, dragging paints; arrow " +
      "keys and space do the same. Right: choose a pair to follow its way.",
    style: STYLE,
    start: defaults(source),
    valid: validators(source),
    primary: primary?.element,
    controls: controls.element,
    body: [h("div", { class: "designer" }, pair, h("div", {}, said, facts))],
    buttons: [undo],
    exports: svgExports(tools.raw.name || "mask", picture, rows, tools.say),
    footer: [table.element],
    draw,
    measured: pair,
  };
}

/** The cells on the way from one to another, without the first. */
function between(from: At, to: At): At[] {
  const [rows, cols] = [to.row - from.row, to.col - from.col];
  const steps = Math.max(Math.abs(rows), Math.abs(cols));
  return Array.from({ length: steps }, (_, k) => ({
    row: Math.round(from.row + (rows * (k + 1)) / steps),
    col: Math.round(from.col + (cols * (k + 1)) / steps),
  }));
}
