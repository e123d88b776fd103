// FlashStepper: flash attention tile by tile, with all that it holds.

import { DARK_INK, type Ink, LIGHT_INK } from "../lib/colours.ts";
import { type Control, choice, row, slider, toggle } from "../lib/controls.ts";
import { h } from "../lib/dom.ts";
import { dataOf } from "../lib/json.ts";
import { cellAt, type Layout, pointIn } from "../lib/matrix.ts";
import { button, type Parts, type Tools, widget } from "../lib/shell.ts";
import { s, size, standalone, svgExports } from "../lib/svg.ts";
import {
  BARS_HEIGHT,
  drawBytes,
  drawLegend,
  drawTiles,
  LEGEND_HEIGHT,
  LEGEND_WIDTH,
  place,
} from "./draw.ts";
import {
  blockOf,
  defaults,
  errors,
  normalized,
  nothing,
  parseSource,
  type Reader,
  type Step,
  standardBytes,
  steps,
  tileCount,
  tiles,
  validators,
} from "./model.ts";
import { RIGHT, TRAITS } from "./traits.ts";

const STYLE = `
.both { display: flex; flex-wrap: wrap; gap: .4rem 12px; align-items: flex-start; }
.both svg, .bytes { display: block; max-width: 100%; }
.tiles { cursor: pointer; }
.rows { overflow-x: auto; max-width: 100%; min-width: 0; }
.rows table { font-size: .8125rem; line-height: 1.2; }
.rows :is(th, td) { padding: 0 .35rem; height: calc(var(--cell) - 1px); white-space: nowrap; }
.rows thead th { height: 34px; vertical-align: bottom; }
.rows td span + span { margin-left: .6em; }
.rows .now { background: var(--soft); }
.rows .wrong :is(th, td:nth-last-child(-n + 2)) { color: var(--accent); font-weight: 700; }
.bytes { margin-top: .7rem; }
.said { border-left: 4px solid var(--line); padding-left: .5rem; margin: .3rem 0 .6rem; min-height: 2.8em; }
.said.wrong { border-color: var(--accent); }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .1rem 1rem; margin: .6rem 0 0; }
dd { margin: 0; font-variant-numeric: tabular-nums; font-weight: 600; }
.attn { container-type: inline-size; }
.present .said { min-height: 0; margin: 0 0 4px; }
.present dl { display: none; }
.present .bytes { margin-top: 4px; }
@container (max-width: 780px) {
  .rows table { font-size: .75rem; line-height: 1.05; }
  .rows :is(th, td) { padding: 0 .2rem; }
  .rows td span { display: block; }
  .rows td span + span { margin-left: 0; }
}
/* The factor stands beside the tile that made it. */
@container (min-width: 540px) { .both { flex-wrap: nowrap; } }
@container (max-width: 480px) {
  dl { grid-template-columns: 1fr; } dd { margin-bottom: .2rem; }
}
`;
// From this width on, what the rows hold stands beside the tiles.
const [SIDE_BY_SIDE, ROWS] = [540, 300];
const PAUSE = 1100; // milliseconds between steps while it plays
const HEAD = ["row", "m", "l", "factor", "O", "O / l", "off by"];

const count = (x: number) => x.toLocaleString("en");
const two = (x: number): string =>
  x === -Infinity ? "−∞" : x.toFixed(2).replace("-", "−");
const met = (x: number) => (x === -Infinity ? "none" : x);
const off = (x: number): string => (x < RIGHT ? "0" : x.toPrecision(2));
const span = (indices: number[]): string =>
  indices.length === 1
    ? `${indices[0] + 1}`
    : `${indices[0] + 1}–${indices[indices.length - 1] + 1}`;
const listed = (indices: number[]): string =>
  `${indices.length === 1 ? "row" : "rows"} ${indices.map((q) => q + 1).join(", ")}`;

export const mount = widget<Reader>("flash stepper", flashStepper);

function flashStepper(tools: Tools<Reader>): Parts<Reader> {
  const source = parseSource(tools.raw.source);
  const json = dataOf(tools.raw.source);
  const title = String(json.title ?? "");
  const rows = source.query.length;
  const { state, change } = tools;

  // --- what follows from the state --------------------------------------
  let kept: Step[] = [];
  let keptOf = "";
  function run(): Step[] {
    const { step, ...tiling } = state();
    const name = JSON.stringify(tiling);
    if (name !== keptOf) kept = steps(source, tiling);
    keptOf = name;
    return kept;
  }
  const at = () => Math.min(state().step, run().length);
  const now = (): Step => run()[at() - 1] ?? nothing(source);
  const last = () => run()[run().length - 1];
  const inTile = (step: Step): number[] =>
    at() === 0 ? [] : blockOf(step.tile[0], state().block_q, rows);
  const wrong = (step: Step): number[] =>
    errors(step).flatMap((error, q) => (error > RIGHT ? [q] : []));

  // --- controls ---------------------------------------------------------
  const goTo = (step: number) =>
    change({ step: Math.max(0, Math.min(run().length, step)) });
  /** Other tiles: begin again, or stay at the end. */
  function retile(changes: Partial<Reader>) {
    const ended = at() === run().length;
    const after = tiles(source, { ...state(), ...changes }).length;
    change({ ...changes, step: ended ? after : Math.min(1, at()) });
  }
  const sizes = (n: number) => Array.from({ length: n }, (_, i) => `${i + 1}`);
  const position = slider<Reader>({
    label: "tiles done",
    control: "step",
    range: [0, 1, 1],
    read: at,
    words: (x) => `${x} of ${run().length}`,
    write: goTo,
  });
  const play = button("▶ Play", playOrPause);
  const walk: Control<Reader> = {
    element: h(
      "div",
      { class: "controls" },
      button("◀ Back", () => goTo(at() - 1)),
      button("Step ▶", () => goTo(at() + 1)),
      play,
      position.element,
    ),
    show(shown) {
      position.element.querySelector("input")!.max = String(run().length);
      position.show(shown);
    },
  };
  const settings = row<Reader>([
    choice<Reader>(
      "block_q",
      "queries a tile",
      sizes(rows),
      ({ block_q }) => String(block_q),
      (size) => retile({ block_q: Number(size) }),
    ),
    choice<Reader>(
      "block_k",
      "keys a tile",
      sizes(source.key.length),
      ({ block_k }) => String(block_k),
      (size) => retile({ block_k: Number(size) }),
    ),
    choice<Reader>(
      "order",
      "outer loop over",
      TRAITS.order.choices,
      ({ order }) => order,
      (order) => retile({ order }),
    ),
    toggle<Reader>(
      "causal",
      "causal",
      ({ causal }) => causal,
      (causal) => retile({ causal }),
    ),
    toggle<Reader>(
      "broken",
      "leave out the factor",
      ({ broken }) => broken,
      (broken) => change({ broken }),
    ),
  ]);

  // --- playing ----------------------------------------------------------
  let timer = 0;
  let expected = -1;
  function pause() {
    clearTimeout(timer);
    timer = 0;
    play.textContent = "▶ Play";
  }
  function playOrPause() {
    if (timer) return pause();
    if (matchMedia("(prefers-reduced-motion: reduce)").matches)
      return goTo(run().length);
    if (at() === run().length) goTo(0);
    play.textContent = "❚❚ Pause";
    expected = at();
    timer = window.setTimeout(tick, PAUSE);
  }
  function tick() {
    // Who moves the slider meanwhile takes over.
    if (at() !== expected || !tools.root.isConnected) return pause();
    goTo(at() + 1);
    expected = at();
    if (expected === run().length) return pause();
    timer = window.setTimeout(tick, PAUSE);
  }

  // --- the picture and the rows beside it -------------------------------
  const picture = s("svg", { role: "img", class: "tiles" });
  const legend = s("svg", {
    role: "img",
    "aria-label": "Colours go from the lowest to the highest score.",
    viewBox: `0 0 ${LEGEND_WIDTH} ${LEGEND_HEIGHT}`,
    width: LEGEND_WIDTH,
  });
  const bars = s("svg", { role: "img", class: "bytes" });
  const said = h("p", { class: "said", role: "status", part: "readout" });
  const facts = h("dl", { part: "readout" });
  const table = h("div", {
    class: "rows",
    part: "readout",
    tabindex: 0,
    role: "region",
    "aria-label": "What each row holds",
  });
  const left = h("div");
  left.append(picture, legend);
  const body = h("div", {});
  body.append(said, h("div", { class: "both" }, left, table), bars, facts);
  let layout: Layout = place(source, 320);

  picture.addEventListener("click", (event) => {
    const hit = cellAt(
      layout,
      ...pointIn(picture, layout.width, event as MouseEvent),
    );
    if (!hit) return;
    const [i, j] = [hit.row / state().block_q, hit.col / state().block_k];
    const found = run().findIndex(
      ({ tile }) => tile[0] === Math.floor(i) && tile[1] === Math.floor(j),
    );
    if (found >= 0) goTo(found + 1);
    else tools.say("This tile is skipped: none of its queries may look there.");
  });

  /** What one row holds; a list where there are several numbers. */
  function cells(step: Step, q: number): string[][] {
    return [
      [two(step.m[q])],
      [two(step.l[q])],
      [inTile(step).includes(q) ? two(step.factors[q]) : "–"],
      step.output[q].map(two),
      normalized(step)[q].map(two),
      [off(errors(step)[q])],
    ];
  }

  const heads = () =>
    HEAD.map((name) =>
      name === "factor" && state().broken ? "(factor)" : name,
    );

  function rowTable(step: Step): HTMLTableElement {
    const line = (q: number) => {
      const classes = [
        inTile(step).includes(q) ? "now" : "",
        errors(step)[q] > RIGHT ? "wrong" : "",
      ];
      return h(
        "tr",
        { class: classes.join(" ") },
        h("th", { scope: "row" }, `q${q + 1}`),
        ...cells(step, q).map((texts) =>
          h("td", {}, ...texts.map((text) => h("span", {}, text))),
        ),
      );
    };
    return h(
      "table",
      {},
      h(
        "thead",
        {},
        h("tr", {}, ...heads().map((text) => h("th", { scope: "col" }, text))),
      ),
      h("tbody", {}, ...source.query.map((_, q) => line(q))),
    );
  }

  /** What happened in this step, in words. */
  function words(): string {
    const step = now();
    const met = inTile(step);
    if (met.length === 0)
      return `Nothing is computed yet; ${run().length} tiles are to come.`;
    const keys = blockOf(step.tile[1], state().block_k, source.key.length);
    const rose = met.filter((q) => step.factors[q] > 0 && step.factors[q] < 1);
    const fresh = met.every((q) => step.factors[q] === 0);
    const they = rose.length === 1 ? "it" : "they";
    const held = state().broken
      ? `The factor is left out, so what ${they} held is too large.`
      : `What ${they} held is multiplied by the factor.`;
    const said = fresh
      ? "These rows had seen no key before: nothing to rescale."
      : rose.length === 0
        ? "No largest score rose: every factor is 1."
        : `The largest score rose in ${listed(rose)}. ${held}`;
    return `Tile ${at()} of ${run().length}: queries ${span(met)} meet keys ${span(keys)}. ${said}`;
  }

  function verdict(step: Step): string {
    const bad = wrong(step);
    const which = at() === run().length ? "all keys" : "the keys seen so far";
    if (at() === 0) return "–";
    if (bad.length === 0) return `attention over ${which}, in every row`;
    const most = Math.max(...errors(step));
    return `wrong in ${listed(bad)}, by up to ${off(most)}`;
  }

  function list(): [string, string][] {
    const { block_q, block_k } = state();
    const step = now();
    const skipped = tileCount(source, state()) - run().length;
    return [
      [
        "tiles",
        `${at()} of ${run().length}${skipped ? `; ${skipped} skipped, none of their queries may look there` : ""}`,
      ],
      [
        "scores held at once",
        `${block_q * block_k} of ${rows * source.key.length}`,
      ],
      [
        "bytes moved",
        `${count(step.read)} read, ${count(step.written)} written; at the end ${count(last().read + last().written)}`,
      ],
      [
        "standard attention",
        `${count(standardBytes(source))}, with S and P written and read back`,
      ],
      ["O / l is", verdict(step)],
    ];
  }

  // --- to take away -----------------------------------------------------
  /** The table of rows, as text in a picture. */
  function rowTexts(x: number, y: number, cell: number): SVGElement[] {
    const ends = [20, 70, 115, 180, 285, 395, 450];
    const line = (texts: string[], at: number) =>
      texts.map((text, i) =>
        s("text", { x: x + ends[i], y: at, "text-anchor": "end" }, text),
      );
    const step = now();
    return [
      ...line(heads(), y - 8),
      ...source.query.flatMap((_, q) =>
        line(
          [`q${q + 1}`, ...cells(step, q).map((texts) => texts.join(", "))],
          y + (q + 0.5) * cell + 4,
        ),
      ),
    ];
  }

  function whole() {
    const paper = place(source, 320);
    const said = words().split(/(?<=\.) /);
    const high = 30 + 18 * said.length;
    const low = high + paper.height + 20;
    const shift = (y: number, ...inside: SVGElement[]) =>
      s("g", { transform: `translate(10 ${y})` }, ...inside);
    const done = run().slice(0, at());
    return standalone(
      800,
      low + 70 + BARS_HEIGHT,
      s("text", { x: 10, y: 20, "font-weight": 600 }, title),
      ...said.map((text, i) => s("text", { x: 10, y: 40 + 18 * i }, text)),
      shift(high, ...drawTiles(source, state(), done, paper, LIGHT_INK)),
      shift(high, ...rowTexts(paper.width + 10, paper.top, paper.cell)),
      shift(low, ...drawLegend(source, LIGHT_INK)),
      shift(low + 60, ...drawBytes(source, now(), last(), 600, LIGHT_INK)),
    );
  }

  const numbers = () => [
    [
      ...["step", "query tile", "key tile", "row", "m", "l", "factor"],
      ...source.value[0].map((_, c) => `O ${c + 1}`),
      ...source.value[0].map((_, c) => `O / l ${c + 1}`),
      ...["off by", "bytes read", "bytes written"],
    ],
    ...run().flatMap((step, number) =>
      source.query.map((_, q) => [
        ...[number + 1, step.tile[0] + 1, step.tile[1] + 1, q + 1],
        ...[met(step.m[q]), step.l[q], step.factors[q]],
        ...[...step.output[q], ...normalized(step)[q]],
        ...[errors(step)[q], step.read, step.written],
      ]),
    ),
  ];

  return {
    title,
    note: String(json.note ?? ""),
    hint: "m is the largest score a row has seen, l the sum of exp(score − m), O the same sum over the values; the factor is exp(m_old − m_new). “Off by” compares O / l with attention over the keys seen so far. The outer loop is over keys in FlashAttention (2022), over queries in FlashAttention-2 (2023).",
    style: STYLE,
    start: defaults(source),
    valid: validators(source),
    primary: walk.element,
    controls: settings.element,
    next: () => goTo(at() + 1),
    back: () => goTo(at() - 1),
    body: [body],
    exports: svgExports(tools.raw.name || "flash", whole, numbers, tools.say),
    draw(shown, _changed, dark) {
      const ink: Ink = dark ? DARK_INK : LIGHT_INK;
      settings.show(shown);
      walk.show(shown);
      const width = body.clientWidth || 320;
      const beside = width >= SIDE_BY_SIDE ? width - ROWS : width;
      const tall = (tools.room() - 190) / rows;
      layout = place(source, Math.min(beside, 320), Math.max(20, tall));
      size(picture, layout.width, layout.height);
      picture.setAttribute("aria-label", `Scores in tiles. ${words()}`);
      const done = run().slice(0, at());
      picture.replaceChildren(...drawTiles(source, shown, done, layout, ink));
      legend.replaceChildren(...drawLegend(source, ink));
      table.style.setProperty("--cell", `${layout.cell}px`);
      table.replaceChildren(rowTable(now()));
      said.textContent = words();
      said.classList.toggle("wrong", wrong(now()).length > 0);
      const long = Math.min(width, 720);
      size(bars, long, BARS_HEIGHT);
      bars.setAttribute("aria-label", list()[2].join(": "));
      bars.replaceChildren(...drawBytes(source, now(), last(), long, ink));
      facts.replaceChildren(
        ...list().flatMap(([name, value]) => [
          h("dt", {}, name),
          h("dd", {}, value),
        ]),
      );
    },
    measured: body,
  };
}
