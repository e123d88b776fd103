// HeadBrowser: every head of a model at a glance, by a measured score.

import { DARK_INK, type Ink, LIGHT_INK } from "../lib/colours.ts";
import { pick, row } from "../lib/controls.ts";
import { h } from "../lib/dom.ts";
import { keyGrid } from "../lib/grid.ts";
import {
  cellAt,
  colourBar,
  drawCells,
  drawFrame,
  drawOver,
  type Labels,
  type Layout,
  layOut,
  MARK,
  type Matrix,
  pointIn,
  shadeMatrix,
  tokenLabels,
} from "../lib/matrix.ts";
import { isBright } from "../lib/palette.ts";
import { paintPixels } from "../lib/pixels.ts";
import { type Scale, scaleOf, ticksOf } from "../lib/scale.ts";
import { button, type Parts, type Tools, widget } from "../lib/shell.ts";
import { s, standalone, svgExports } from "../lib/svg.ts";
import { foldedTable, tableOf } from "../lib/table.ts";
import { shortWeight } from "../lib/text.ts";
import {
  cellOf,
  defaults,
  earlier,
  mapOf,
  modelOf,
  parseSource,
  pooled,
  type Reader,
  readingOf,
  summary,
  validators,
} from "./model.ts";

// More layers than this: cells as small as fingers allow, or the page is long.
const MANY_LAYERS = 12;
const [BAR, LEGEND, MAP_BAR] = [160, 290, 128];
// From this width on, the panel stands beside the grid, so far away.
const [WIDE, GAP] = [680, 24];

const STYLE = `
.attn { container-type: inline-size; }
.body { display: grid; gap: .5rem ${GAP}px; grid-template-columns: minmax(0, 1fr); }
@container (min-width: ${WIDE}px) { .body { grid-template-columns: max-content minmax(0, 1fr); } }
.grid { width: max-content; max-width: 100%; overflow-x: auto; touch-action: pan-y; cursor: pointer; border-radius: 3px; }
svg { display: block; max-width: none; }
.text, .said { margin: 0 0 .4rem; }
.said { border-left: 4px solid var(--line); padding-left: .5rem; }
.panel p { margin: .2rem 0; font-weight: 600; }
.panel table { margin-bottom: .6rem; }
.panel :is(th, td) { padding: .15rem .2rem; }
.panel thead th { font-size: .9em; }
.panel th:first-child { text-align: left; }
.panel .now { background: var(--soft); }
`;
const SCORES: Scale = { top: 1, clipped: false, root: false };
// A map has no room for more cells on a side, and no need for more marks.
const [MOST_CELLS, MARKED_CELLS] = [256, 64 * 64];

/** A part of a map, and what it depends on; null: on everything. */
interface MapLayer {
  key: unknown[] | null;
  draw(): SVGElement[];
}

/** A number for a file; empty where nothing was measured. */
const known = (x: number | undefined): number | string =>
  Number.isFinite(x) ? x! : "";

/** A score in words; “–” where nothing was measured. */
const two = (x: number | null | undefined): string =>
  Number.isFinite(x) ? x!.toFixed(2) : "–";
const count = (n: number) => Array.from({ length: n }, (_, i) => `${i + 1}`);

export const mount = widget<Reader>("head browser", headBrowser);

function headBrowser(tools: Tools<Reader>): Parts<Reader> {
  const source = parseSource(tools.raw.source);
  const { state, change } = tools;
  const model = () => modelOf(source, state());
  const reading = () => readingOf(source, state());
  const measureNow = () =>
    source.measures.findIndex((m) => m.name === state().measure);
  const at = () => cellOf(model(), state());
  const name = (c: number) => {
    const { heads } = model();
    return `layer ${Math.floor(c / heads) + 1}, head ${(c % heads) + 1}`;
  };

  // --- controls ---------------------------------------------------------
  const names = (all: { name: string }[]) => all.map(({ name }) => name);
  const measure = pick<Reader>(
    "measure",
    "score",
    names(source.measures),
    change,
  );
  const controls = row<Reader>(
    source.models.length > 1
      ? [pick<Reader>("model", "model", names(source.models), change)]
      : [],
  );

  // --- the grid of heads ------------------------------------------------
  const parts = [s("g"), s("g"), s("g")];
  const svg = s("svg", { "aria-hidden": "true" }, ...parts);
  const walk = keyGrid({
    label: `${source.title}. Rows are layers, columns are heads.`,
    picture: [svg],
    readonly: true,
    at,
    size: () => [model().layers, model().heads],
    moveTo: (row, col) => change({ layer: row + 1, head: col + 1 }),
  });
  svg.addEventListener("click", (event) => {
    const point = pointIn(svg, layout.width, event as MouseEvent);
    const hit = cellAt(layout, ...point);
    if (hit) walk.moveTo(hit.row, hit.col);
  });
  const text = h("p", { class: "text" });
  const said = h("p", { class: "said", role: "status", part: "readout" });
  const legend = s("svg", {
    role: "img",
    "aria-label": source.rule,
    width: LEGEND,
    height: 30,
  });
  const panelTitle = h("p");
  const [panelTable, panelMap] = [h("div"), h("div")];
  // Cells, frame, colour bar: each is drawn again only when it must be.
  const mapParts = [s("g"), s("g"), s("g")];
  const mapSvg = s("svg", {}, ...mapParts);
  const mapKeys: (string | null)[] = [];
  const panel = h(
    "div",
    { class: "panel", part: "readout" },
    panelTitle,
    panelTable,
    panelMap,
  );
  const left = h("div", {}, walk.element);
  left.append(legend);
  const body = h("div", { class: "body" }, left, panel);
  const measured = h("div", {}, text, said, body);
  let layout: Layout;
  let framed = "";

  const labels = (): Labels => ({
    rows: count(model().layers),
    cols: count(model().heads),
    names: ["layer ↓", "head →"],
  });
  const place = (width: number) =>
    layOut(labels(), width, true, model().layers > MANY_LAYERS ? 24 : 34);

  /** Scores as colours and hundredths; a folded corner for a label. */
  function matrix(): Matrix {
    const now = reading();
    if (!now) return { colour: () => null, empty: () => true };
    const { shades, ...made } = shadeMatrix(now.score, SCORES);
    return {
      ...made,
      text: (c) =>
        made.empty(c)
          ? null
          : {
              text: two(now.score[c]).replace(/^0/, "").slice(0, 3),
              dark: isBright(shades[c]),
            },
      marked: (c) => now.labelled?.[c] === true,
    };
  }

  /** The colour bar, with the threshold on it, and the mark. */
  function key(ink: Ink): SVGElement[] {
    const { threshold } = source;
    const labels = reading()?.labelled;
    const small = { "font-size": 11, fill: ink.muted };
    const middle = { ...small, "text-anchor": "middle" };
    const line = (threshold ?? 0) * BAR;
    const marks =
      labels && threshold !== null
        ? [
            s("path", {
              d: `M${line} 0v14`,
              stroke: ink.accent,
              "stroke-width": 2,
            }),
            s("text", { x: line, y: 26, ...middle }, `≥ ${threshold}`),
          ]
        : [];
    const corner = [
      s("path", { d: "M190 2v10l-10 -10z", fill: MARK }),
      s("text", { x: 196, y: 12, ...small }, "earns the label"),
    ];
    return [
      ...colourBar(0, 2, BAR, 10),
      s("text", { x: 0, y: 26, ...small }, "0"),
      s("text", { x: BAR, y: 26, ...middle, "text-anchor": "end" }, "1"),
      ...marks,
      ...(labels ? corner : []),
    ];
  }

  /** The head with the highest score; −1 where none could be measured. */
  const bestNow = () => {
    const now = reading();
    return now ? summary(now).best : -1;
  };

  const highest = button("Highest score", () => {
    const best = bestNow();
    const { heads } = model();
    if (best < 0) return;
    change({ layer: Math.floor(best / heads) + 1, head: (best % heads) + 1 });
  });

  // --- in words ---------------------------------------------------------
  function sentence(): string {
    const now = reading();
    const { model: who, measure } = state();
    if (!now || bestNow() < 0)
      return `“${measure}” can't be measured in ${who}.`;
    const { labels, best } = summary(now);
    const controls = [
      now.others ? `other words ${two(now.others[best])}` : "",
      now.uniform === null ? "" : `equal weights ${two(now.uniform)}`,
    ].filter(Boolean);
    const highest =
      `Highest: ${two(now.score[best])} at ${name(best)}` +
      (controls.length ? ` (${controls.join(", ")}).` : ".");
    return labels === null
      ? highest
      : `${labels} of ${now.score.length} heads ${labels === 1 ? "earns" : "earn"} the label. ${highest}`;
  }

  /** All that was measured of the picked head. */
  function scores(): HTMLTableElement {
    const { c } = at();
    const { readings } = model();
    const table = tableOf(
      ["score", "this head", "other words", "equal weights", "label"],
      source.measures.map(({ name }, m) => {
        const one = readings[m];
        const label = one?.labelled ? (one.labelled[c] ? "yes" : "no") : "–";
        const others = two(one?.others?.[c]);
        return [name, [two(one?.score[c]), others, two(one?.uniform), label]];
      }),
    );
    table.tBodies[0].rows[measureNow()].className = "now";
    return table;
  }

  /** Which colour a weight has. */
  function mapKey(scale: Scale, ink: Ink): SVGElement[] {
    const small = { "font-size": 11, fill: ink.muted };
    return [
      ...colourBar(0, 2, MAP_BAR, 8),
      ...ticksOf(scale).map((text, i) => {
        const anchor = ["start", "middle", "end"][i];
        const place = { x: (i * MAP_BAR) / 2, y: 24, ...small };
        return s("text", { ...place, "text-anchor": anchor }, text);
      }),
      s("text", { x: MAP_BAR + 6, y: 10, ...small }, "weight"),
    ];
  }

  /** A large map as one image. */
  function cellImage(
    weights: Float64Array,
    layout: Layout,
    scale: Scale,
    allowed: Uint8Array | null,
  ) {
    const { left, top, cell, cols, rows } = layout;
    const pixels = paintPixels({ weights, cols: cols.length, scale, allowed });
    return s("image", {
      href: pixels.toDataURL(),
      x: left,
      y: top,
      width: cols.length * cell,
      height: rows.length * cell,
      "image-rendering": "pixelated",
    });
  }

  /** The map of the picked head, as large as its place: three layers. */
  function map(width: number, ink: Ink) {
    const { maps } = model();
    if (!maps) return null;
    const { tokens, weights } = pooled(maps, at().c, MOST_CELLS);
    const layout = layOut(tokenLabels(tokens), width, false, 24);
    const allowed = maps.causal ? earlier(tokens.length) : null;
    const scale = scaleOf(weights, tokens.length, allowed);
    const masked = (c: number) => allowed?.[c] === 0;
    const cells = shadeMatrix(weights, scale);
    const hatched = {
      colour: (c: number) => (masked(c) ? null : cells.colour(c)),
      empty: masked,
    };
    const below = `translate(${layout.left} ${layout.height + 8})`;
    const layers: MapLayer[] = [
      {
        key: null,
        draw: () =>
          weights.length > MARKED_CELLS
            ? [
                ...drawCells({ ...hatched, colour: () => null }, layout, ink),
                cellImage(weights, layout, scale, allowed),
              ]
            : drawCells(hatched, layout, ink),
      },
      { key: [layout, ink], draw: () => drawFrame(layout, ink) },
      {
        key: [layout, scale, ink],
        draw: () => [s("g", { transform: below }, ...mapKey(scale, ink))],
      },
    ];
    return { width: layout.width, height: layout.height + 38, layers };
  }

  function allScores(): HTMLTableElement {
    const { layers, heads } = model();
    const now = reading();
    return tableOf(
      ["layer", ...count(heads).map((head) => `head ${head}`)],
      count(layers).map((layer, row) => [
        layer,
        count(heads).map((_, col) => {
          const c = row * heads + col;
          const mark = now?.labelled?.[c] ? " (label)" : "";
          return `${two(now?.score[c])}${mark}`;
        }),
      ]),
      `${state().measure}, ${state().model}`,
    );
  }
  const table = foldedTable(
    "Table of scores",
    `${source.title}: table`,
    allScores,
  );

  // --- drawing ----------------------------------------------------------
  function draw(now: Reader, changed: Set<keyof Reader>, dark: boolean) {
    // Read before anything is written: the page is laid out once.
    const width = Math.max(240, measured.clientWidth);
    const ink = dark ? DARK_INK : LIGHT_INK;
    measure.show(now);
    controls.show(now);
    if (changed.has("model") || changed.has("measure")) {
      layout = place(width);
      const frame = JSON.stringify([layout, ink]);
      if (frame !== framed) {
        svg.setAttribute("width", String(layout.width));
        svg.setAttribute("height", String(layout.height));
        parts[1].replaceChildren(...drawFrame(layout, ink));
        framed = frame;
      }
      parts[0].replaceChildren(...drawCells(matrix(), layout, ink));
      legend.replaceChildren(...key(ink));
      text.textContent = source.measures[measureNow()].text;
      said.textContent = sentence();
      highest.disabled = bestNow() < 0;
      table.refresh();
    }
    parts[2].replaceChildren(...drawOver(layout, at(), null, ink));
    speak();
    panelTitle.textContent = `${now.model}, ${name(at().c)}`;
    panelTable.replaceChildren(scores());
    if (changed.size > 1 || !changed.has("measure")) {
      const beside = width - Math.max(layout.width, LEGEND) - GAP;
      showMap(width < WIDE ? width : beside, ink);
    }
  }

  function speak() {
    const { c } = at();
    const now = reading();
    const label = now?.labelled?.[c] ? ", earns the label" : "";
    walk.speak(`${name(c)}: ${two(now?.score[c])}${label}`);
  }

  function showMap(room: number, ink: Ink) {
    const drawn = map(Math.min(380, room), ink);
    if (!drawn) {
      panelMap.replaceChildren(...withMaps());
      return;
    }
    const { width, height, layers } = drawn;
    const spoken = { role: "img", "aria-label": mapInWords(), width, height };
    for (const [name, value] of Object.entries(spoken))
      mapSvg.setAttribute(name, String(value));
    layers.forEach(({ key, draw }, i) => {
      const now = key && JSON.stringify(key);
      if (now === null || now !== mapKeys[i])
        mapParts[i].replaceChildren(...draw());
      mapKeys[i] = now;
    });
    if (!mapSvg.isConnected)
      panelMap.replaceChildren(
        h("p", {}, "Where it looks in one sentence"),
        mapSvg as unknown as HTMLElement,
      );
  }

  /** Nothing, or where maps are. */
  function withMaps(): HTMLElement[] {
    const found = names(source.models.filter(({ maps }) => maps !== null));
    if (found.length === 0) return [];
    const text = `A map of one sentence is recorded for ${found.join(" and ")}.`;
    return [h("div", { class: "hint" }, text)];
  }

  /** For each token the one that it looks at most. */
  function mapInWords(): string {
    const { tokens } = model().maps!;
    const weights = mapOf(model().maps!, at().c);
    const n = tokens.length;
    return tokens
      .map((token, i) => {
        const line = weights.subarray(i * n, (i + 1) * n);
        const most = line.reduce((a, b) => Math.max(a, b));
        return most > 0
          ? `${token} looks most at ${tokens[line.indexOf(most)]} (${shortWeight(most)})`
          : `${token} looks at nothing`;
      })
      .join("; ");
  }

  // --- taking the picture away ------------------------------------------
  function picture() {
    const paper = place(460);
    const drawn = map(380, LIGHT_INK);
    const width = Math.max(560, paper.width + 20);
    const mapTop = 100 + paper.height + 50;
    const group = (y: number, ...inside: Node[]) =>
      s("g", { transform: `translate(10 ${y})` }, ...inside);
    return standalone(
      width,
      mapTop + (drawn ? drawn.height + 30 : 0),
      s("text", { x: 10, y: 22, "font-weight": 600 }, source.title),
      s("text", { x: 10, y: 44 }, `${state().model}: ${state().measure}`),
      s("text", { x: 10, y: 64 }, sentence()),
      group(
        80,
        ...drawCells(matrix(), paper, LIGHT_INK),
        ...drawFrame(paper, LIGHT_INK),
        ...drawOver(paper, at(), null, LIGHT_INK),
      ),
      group(95 + paper.height, ...key(LIGHT_INK)),
      ...(drawn
        ? [
            s("text", { x: 10, y: mapTop + 10 }, name(at().c)),
            group(mapTop + 20, ...drawn.layers.flatMap(({ draw }) => draw())),
          ]
        : []),
    );
  }

  const rows = () => [
    [
      "model",
      "layer",
      "head",
      "measure",
      "score",
      "others",
      "uniform",
      "label",
    ],
    ...source.models.flatMap((one) =>
      source.measures.flatMap(({ name }, m) => {
        const now = one.readings[m];
        return now
          ? [...now.score].map((score, c) => [
              one.name,
              Math.floor(c / one.heads) + 1,
              (c % one.heads) + 1,
              name,
              known(score),
              known(now.others?.[c]),
              now.uniform ?? "",
              now.labelled ? Number(now.labelled[c]) : "",
            ])
          : [];
      }),
    ),
  ];

  return {
    title: source.title,
    note: source.note,
    hint: `Click or tap a head, or use the arrow keys. ${source.rule}`,
    style: STYLE,
    start: defaults(source),
    valid: validators(source),
    primary: measure.element,
    controls: controls.element,
    body: [measured],
    buttons: [highest],
    exports: svgExports(tools.raw.name || "heads", picture, rows, tools.say),
    footer: [table.element],
    draw,
    measured,
  };
}
