// RecordedCurves: pick the conditions of a recorded experiment, see its curves.
import { axes, type Frame, frameIn, quarters, round } from "../lib/chart.ts";
import { DARK_INK, type Ink, LIGHT_INK } from "../lib/colours.ts";
import { type Control, choice, row, slider, toggle } from "../lib/controls.ts";
import { h, uniqueId } from "../lib/dom.ts";
import { type Parts, type Tools, widget } from "../lib/shell.ts";
import { s, size, standalone, svgExports } from "../lib/svg.ts";
import { foldedTable, tableOf } from "../lib/table.ts";
import {
  curves,
  type Dimension,
  defaults,
  find,
  type Line,
  parseSource,
  picked,
  type Reader,
  top,
  validators,
} from "./model.ts";
import { SEED } from "./traits.ts";

const STYLE = `
.chart svg { max-width: 100%; display: block; touch-action: pan-y; }
.legend { list-style: none; margin: .2rem 0 0; padding: 0; display: grid; gap: .15rem; }
.legend svg { width: 34px; height: 12px; vertical-align: middle; margin-right: .5rem; }
.legend b { font-variant-numeric: tabular-nums; }
.missing { color: var(--muted); }
.present .curves { display: grid; grid-template-columns: 1fr 300px; gap: 16px; }
`;

const DASHES = ["none", "7 4", "2 3", "10 3 2 3", "5 2", "1 3"];

export const mount = widget<Reader>("recorded experiment", recordedCurves);

function recordedCurves(tools: Tools<Reader>): Parts<Reader> {
  const source = parseSource(tools.raw.source);
  const bars = source.measures.map((m) => m.label);
  const offered = tools.raw.controls;
  const wants = (name: string) => offered?.includes(name) ?? true;
  const fixed = [
    ...(source.measures.length > 1 && wants("measure")
      ? [
          choice<Reader>(
            "measure",
            "show",
            bars,
            (state) => bars[indexOf(state.measure)],
            (label) =>
              tools.change({
                measure: source.measures[bars.indexOf(label)].name,
              }),
          ),
        ]
      : []),
    ...(source.xs.length > 1 && wants("x") ? [axisChoice()] : []),
  ];
  const pickers = source.dimensions
    .filter(
      (d) => d.levels.length > 1 && d.name !== source.lines && d.name !== SEED,
    )
    .map((d) => ({ name: d.name, control: picker(d) }));
  const seeds = source.dimensions.find((d) => d.name === SEED);
  const rest = [
    slider<Reader>({
      label: "read off at",
      control: "at",
      range: [0, longest() - 1, 1],
      read: (state) => Math.min(state.at, levels(state).length - 1),
      words: (i, state) =>
        `${find(source, state.x).label} ${levels(state)[i] ?? ""}`,
      write: (at) => tools.change({ at }),
    }),
    ...(seeds && seeds.levels.length > 1 && wants("each_seed")
      ? [
          toggle<Reader>(
            "each_seed",
            "show each seed",
            (state) => state.each_seed,
            (each_seed) => tools.change({ each_seed }),
          ),
        ]
      : []),
  ];
  // What sets the curves is moved first; without it, where they are read.
  const [primary, ...others] = [
    ...pickers.map((p) => p.control),
    ...fixed,
    ...rest,
  ];
  const controls = row<Reader>(others);

  const label = uniqueId("curves");
  const svg = s("svg", { role: "img", "aria-labelledby": label });
  const caption = h("p", { class: "hidden", id: label });
  const chart = h("div", { class: "chart" }, caption);
  chart.append(svg);
  const legend = h("ul", { class: "legend", part: "readout" });
  const body = h("div", { class: "curves" }, chart, legend);
  svg.addEventListener("pointermove", (event) => point(event as PointerEvent));
  svg.addEventListener("pointerdown", (event) => point(event as PointerEvent));

  function levels(state: Reader) {
    return find(source, state.x).levels;
  }

  function longest() {
    return Math.max(...source.xs.map((x) => find(source, x).levels.length));
  }

  function indexOf(measure: string) {
    return source.measures.findIndex((m) => m.name === measure);
  }

  function axisChoice(): Control<Reader> {
    const names = source.xs.map((x) => find(source, x).label);
    return choice<Reader>(
      "x",
      "against",
      names,
      (state) => find(source, state.x).label,
      (name) => {
        const x = source.xs[names.indexOf(name)];
        tools.change({ x, at: find(source, x).levels.length - 1 });
      },
    );
  }

  function picker({ name, label, levels }: Dimension): Control<Reader> {
    const words = levels.map(String);
    const pick = (level: string) => tools.change({ picks: { [name]: level } });
    return levels.every((level) => typeof level === "number")
      ? slider<Reader>({
          label,
          control: `pick.${name}`,
          range: [0, levels.length - 1, 1],
          read: (state) => words.indexOf(state.picks[name]),
          words: (i) => words[i],
          write: (i) => pick(words[i]),
        })
      : choice<Reader>(
          `pick.${name}`,
          label,
          words,
          (state) => state.picks[name],
          pick,
        );
  }

  const frame = () => frameIn(chart, tools.room());

  /** Where a level of the horizontal axis lies, and a height on the other. */
  function places(state: Reader, box: Frame) {
    const axis = find(source, state.x);
    const xs = axis.levels.map(Number);
    const scale = axis.log ? Math.log : (x: number) => x;
    const [low, high] = [scale(Math.min(...xs)), scale(Math.max(...xs))];
    const inner = box.width - box.left - box.right - 20;
    const ceiling = top(source, state.measure);
    const tall = box.height - box.top - box.bottom;
    return {
      ceiling,
      x: (x: number) =>
        box.left + 10 + ((scale(x) - low) / (high - low || 1)) * inner,
      y: (y: number) => box.height - box.bottom - (y / ceiling) * tall,
    };
  }

  function point(event: PointerEvent) {
    const state = tools.state();
    const box = frame();
    const rect = svg.getBoundingClientRect();
    const x = ((event.clientX - rect.left) / rect.width) * box.width;
    const { x: place } = places(state, box);
    const distances = levels(state).map((l) => Math.abs(place(Number(l)) - x));
    const at = distances.indexOf(Math.min(...distances));
    if (at !== state.at) tools.change({ at });
  }

  function ground(state: Reader, box: Frame, ink: Ink): SVGElement[] {
    const { x, y, ceiling } = places(state, box);
    const axis = find(source, state.x);
    const ticks = { xTicks: spaced(axis, x), yTicks: quarters(ceiling) };
    return axes({ box, x, y, ...ticks, label: axis.label }, ink);
  }

  function drawing(state: Reader, lines: Line[], ink: Ink): SVGElement[] {
    const box = frame();
    const { x, y } = places(state, box);
    const mark = Number(levels(state)[state.at] ?? levels(state).at(-1));
    const path = (points: [number, number][]) =>
      points.map(([a, b]) => `${x(a).toFixed(1)},${y(b).toFixed(1)}`).join(" ");
    return [
      ...ground(state, box, ink),
      s("line", {
        x1: x(mark),
        x2: x(mark),
        y1: box.top,
        y2: box.height - box.bottom,
        stroke: ink.muted,
        "stroke-dasharray": "3 3",
      }),
      ...lines.flatMap(({ points }, i) => {
        const colour = ink.marks[i % ink.marks.length];
        const line = {
          fill: "none",
          stroke: colour,
          "stroke-dasharray": DASHES[i % DASHES.length],
        };
        const seedLines = state.each_seed ? eachSeed(points) : [];
        return [
          s("polygon", {
            points: path([
              ...points.map((p): [number, number] => [p.x, p.low]),
              ...points.map((p): [number, number] => [p.x, p.high]).reverse(),
            ]),
            fill: colour,
            "fill-opacity": 0.18,
          }),
          ...seedLines.map((one) =>
            s("polyline", { points: path(one), ...line, "stroke-width": 1 }),
          ),
          s("polyline", {
            points: path(points.map((p) => [p.x, p.mean])),
            ...line,
            "stroke-width": 2.5,
          }),
          ...points.map((p) =>
            s("circle", {
              cx: x(p.x),
              cy: y(p.mean),
              r: p.x === mark ? 5 : 3,
              fill: colour,
            }),
          ),
        ];
      }),
    ];
  }

  function legendItems(state: Reader, lines: Line[], ink: Ink) {
    const mark = Number(levels(state)[state.at] ?? levels(state).at(-1));
    return lines.map(({ label, points }, i) => {
      const sample = s(
        "svg",
        { viewBox: "0 0 34 12", "aria-hidden": "true" },
        s("line", {
          x1: 0,
          x2: 34,
          y1: 6,
          y2: 6,
          stroke: ink.marks[i % ink.marks.length],
          "stroke-width": 3,
          "stroke-dasharray": DASHES[i % DASHES.length],
        }),
      );
      const found = points.find((p) => p.x === mark);
      const item = h("li", {});
      item.append(sample, `${label}: `);
      if (found)
        item.append(
          h("b", {}, round(found.mean)),
          found.values.length > 1
            ? ` (${round(found.low)} to ${round(found.high)} over ${found.values.length} seeds)`
            : " (one run)",
        );
      else
        item.append(
          h("span", { class: "missing" }, "not recorded with these choices"),
        );
      return item;
    });
  }

  function rows() {
    const state = tools.state();
    return [
      [source.lines, state.x, "mean", "lowest", "highest", "runs"],
      ...curves(source, state).flatMap(({ label, points }) =>
        points.map((p) => [label, p.x, p.mean, p.low, p.high, p.values.length]),
      ),
    ];
  }

  function numbers() {
    const state = tools.state();
    const axis = find(source, state.x);
    const lines = curves(source, state);
    return tableOf(
      [axis.label, ...lines.map((line) => line.label)],
      axis.levels.map((level) => [
        String(level),
        lines.map(({ points }) => {
          const p = points.find((one) => one.x === Number(level));
          return p
            ? `${round(p.mean)} (${round(p.low)} to ${round(p.high)})`
            : "not recorded";
        }),
      ]),
    );
  }

  function words(state: Reader): string {
    const chosen = picked(source, state.x).map(
      (d) => `${d.label} ${state.picks[d.name]}`,
    );
    const measure = source.measures[indexOf(state.measure)].label;
    const against = `${measure} against ${find(source, state.x).label}`;
    return chosen.length > 0 ? `${against}; ${chosen.join(", ")}` : against;
  }

  function picture() {
    const state = tools.state();
    const box = frame();
    const lines = curves(source, state);
    return standalone(
      box.width,
      box.height + 60 + 20 * lines.length,
      s("text", { x: 10, y: 20, "font-weight": 600 }, source.title),
      s("text", { x: 10, y: 40 }, words(state)),
      s(
        "g",
        { transform: "translate(0 50)" },
        ...drawing(state, lines, LIGHT_INK),
      ),
      ...lines.flatMap(({ label }, i) => [
        s("line", {
          x1: 12,
          x2: 46,
          y1: box.height + 62 + 20 * i,
          y2: box.height + 62 + 20 * i,
          stroke: LIGHT_INK.marks[i % LIGHT_INK.marks.length],
          "stroke-width": 3,
          "stroke-dasharray": DASHES[i % DASHES.length],
        }),
        s("text", { x: 54, y: box.height + 66 + 20 * i }, label),
      ]),
    );
  }

  const table = foldedTable(
    "The numbers as a table",
    `${source.title}: table`,
    numbers,
  );
  return {
    title: source.title,
    note: source.note,
    hint: "Lines: the mean over the seeds. Bands: from the lowest to the highest. Point at the chart, or use “read off at”.",
    style: STYLE,
    start: defaults(source),
    valid: validators(source),
    primary: primary.element,
    controls: controls.element,
    body: [body],
    exports: svgExports(tools.raw.name || "curves", picture, rows, tools.say),
    footer: [table.element],
    draw(state, _changed, dark) {
      primary.show(state);
      controls.show(state);
      for (const { name, control } of pickers)
        control.element.hidden = name === state.x;
      const at =
        controls.element.querySelector<HTMLInputElement>("[data-control=at]")!;
      at.max = String(levels(state).length - 1);
      at.value = String(Math.min(state.at, levels(state).length - 1));
      const ink = dark ? DARK_INK : LIGHT_INK;
      const lines = curves(source, state);
      const box = frame();
      size(svg, box.width, box.height);
      svg.replaceChildren(...drawing(state, lines, ink));
      caption.textContent = `${words(state)}. The numbers stand in the table below.`;
      legend.replaceChildren(...legendItems(state, lines, ink));
      table.refresh();
    },
    measured: chart,
  };
}

/** For each seed its own points, where it was run. */
function eachSeed(points: Line["points"]): [number, number][][] {
  const seeds = new Set(points.flatMap((p) => p.seeds));
  return [...seeds].map((seed) =>
    points.flatMap((p): [number, number][] => {
      const i = p.seeds.indexOf(seed);
      return i < 0 ? [] : [[p.x, p.values[i]]];
    }),
  );
}

/** Levels far enough apart to be written below the axis. */
function spaced(axis: Dimension, x: (level: number) => number): number[] {
  const kept: number[] = [];
  for (const level of axis.levels.map(Number))
    if (kept.length === 0 || x(level) - x(kept.at(-1)!) > 26) kept.push(level);
  return kept;
}
