// SoftmaxLab: what the number of dimensions and the temperature do.

import { DARK_INK, type Ink, LIGHT_INK } from "../lib/colours.ts";
import { logSlider, row, slider, toggle } from "../lib/controls.ts";
import { h } from "../lib/dom.ts";
import { dataOf } from "../lib/json.ts";
import { type Parts, type Tools, widget } from "../lib/shell.ts";
import { s, standalone, svgExports } from "../lib/svg.ts";
import {
  DIMENSIONS,
  type Measures,
  measure,
  type Reader,
  START,
  sampleScores,
  VALID,
} from "./model.ts";
import { KEYS, TRAITS } from "./traits.ts";

const STYLE = `
.charts { display: flex; flex-wrap: wrap; gap: .5rem 1.25rem; }
.charts figure { margin: 0; flex: 1 1 275px; max-width: 340px; }
.present .charts { flex-wrap: nowrap; }
.present .charts figure { flex: 1 1 0; }
.charts svg { width: 100%; display: block; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .1rem 1rem; margin: .5rem 0 0; }
dd { margin: 0; font-variant-numeric: tabular-nums; font-weight: 600; }
`;

const [WIDTH, HEIGHT, LEFT, BOTTOM] = [320, 190, 44, 36];

export const mount = widget<Reader>("softmax lab", softmaxLab);

interface Curve {
  scaled: boolean;
  points: { d: number; measures: Measures }[];
}

function softmaxLab(tools: Tools<Reader>): Parts<Reader> {
  const json = dataOf(tools.raw.source);
  const title = String(json.title ?? "");
  const memory = new Map<string, Float64Array>();
  const scores = (d: number, seed: number): Float64Array => {
    const name = `${d} ${seed}`;
    const known = memory.get(name) ?? sampleScores(d, seed);
    if (memory.size > 64) memory.clear();
    memory.set(name, known);
    return known;
  };
  const curves = (state: Reader): Curve[] =>
    [true, false].map((scaled) => ({
      scaled,
      points: DIMENSIONS.map((d) => ({
        d,
        measures: measure(scores(d, state.seed), { ...state, d, scaled }),
      })),
    }));

  const dimensions = logSlider<Reader>({
    label: "dimensions d",
    control: "d",
    range: TRAITS.d.range,
    read: (state) => state.d,
    words: (x) => String(x),
    write: (x) => tools.change({ d: Math.round(x) }),
  });
  const controls = row<Reader>([
    toggle<Reader>(
      "scaled",
      "divide by √d",
      (state) => state.scaled,
      (scaled) => tools.change({ scaled }),
    ),
    logSlider<Reader>({
      label: "temperature τ",
      control: "temperature",
      range: TRAITS.temperature.range,
      read: (state) => state.temperature,
      words: (x) => x.toFixed(2),
      write: (temperature) => tools.change({ temperature }),
    }),
    slider<Reader>({
      label: "sample",
      control: "seed",
      range: [0, 9, 1],
      read: (state) => state.seed,
      words: (x) => `no. ${x}`,
      write: (seed) => tools.change({ seed }),
    }),
  ]);

  const charts = [
    chart("Weights of one query, largest first"),
    chart("Norm of softmax’s gradient over d"),
    chart("Entropy of the weights over d (nats)"),
  ];
  const facts = h("dl", { part: "readout" });
  const body = h(
    "div",
    {},
    h("div", { class: "charts" }, ...charts.map((c) => c.element)),
    facts,
  );

  function now() {
    const state = tools.state();
    return { state, measures: measure(scores(state.d, state.seed), state) };
  }

  function drawings(ink: Ink): SVGElement[][] {
    const { state, measures } = now();
    const lines = curves(state);
    return [
      bars(measures.weights, ink),
      overD(lines, (m) => m.gradient, 0.5, state, measures, ink),
      overD(lines, (m) => m.entropy, Math.log(KEYS), state, measures, ink),
    ];
  }

  function list(): [string, string][] {
    const { state, measures } = now();
    return [
      [
        "spread of q·k",
        `${measures.spread.toFixed(2)} (theory: √d = ${Math.sqrt(state.d).toFixed(2)})`,
      ],
      ["spread of what softmax sees", measures.spreadSeen.toFixed(2)],
      [
        "entropy",
        `${measures.entropy.toFixed(2)} of at most ${Math.log(KEYS).toFixed(2)} nats`,
      ],
      ["norm of the gradient", measures.gradient.toFixed(3)],
      ["largest weight", measures.weights[0].toFixed(3)],
    ];
  }

  function picture() {
    const drawn = drawings(LIGHT_INK);
    const state = tools.state();
    const subtitle =
      `d = ${state.d}, ${state.scaled ? "divided by √d" : "not scaled"}, ` +
      `τ = ${state.temperature}`;
    return standalone(
      3 * WIDTH + 40,
      HEIGHT + 70,
      s("text", { x: 10, y: 20, "font-weight": 600 }, `${title}: ${subtitle}`),
      ...drawn.map((marks, i) =>
        s(
          "g",
          { transform: `translate(${10 + i * (WIDTH + 10)} 60)` },
          s("text", { x: LEFT, y: -10 }, charts[i].title),
          ...marks,
        ),
      ),
    );
  }

  function rows() {
    return [
      ["d", "scaled", "spread", "entropy", "gradient"],
      ...curves(tools.state()).flatMap(({ scaled, points }) =>
        points.map(({ d, measures: m }) => [
          d,
          String(scaled),
          m.spread,
          m.entropy,
          m.gradient,
        ]),
      ),
    ];
  }

  const file = tools.raw.name || "softmax";
  return {
    title,
    note: String(json.note ?? ""),
    hint: "Blue: divided by √d. Orange, dashed: not. The ring is where you are.",
    style: STYLE,
    start: START,
    valid: VALID,
    primary: dimensions.element,
    controls: controls.element,
    body: [body],
    exports: svgExports(file, picture, rows, tools.say),
    draw(state, _changed, dark) {
      dimensions.show(state);
      controls.show(state);
      drawings(dark ? DARK_INK : LIGHT_INK).forEach((marks, i) => {
        charts[i].svg.replaceChildren(...marks);
      });
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

function chart(title: string) {
  const svg = s("svg", {
    viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
    role: "img",
    "aria-label": `${title}. The numbers stand below.`,
  });
  const caption = h("figcaption", {}, title);
  const element = h("figure", {}, caption);
  element.append(svg);
  return { title, svg, element };
}

const y = (value: number, top: number): number =>
  HEIGHT - BOTTOM - (value / top) * (HEIGHT - BOTTOM - 10);

function axis(top: number, xLabel: string, ink: Ink): SVGElement[] {
  const text = { fill: ink.muted, "font-size": 13 };
  return [
    s("line", {
      x1: LEFT,
      x2: WIDTH - 5,
      y1: HEIGHT - BOTTOM,
      y2: HEIGHT - BOTTOM,
      stroke: ink.muted,
    }),
    ...[0, top / 2, top].map((value) =>
      s(
        "text",
        { x: LEFT - 5, y: y(value, top) + 4, "text-anchor": "end", ...text },
        value.toFixed(2),
      ),
    ),
    s(
      "text",
      { x: WIDTH - 5, y: HEIGHT - 3, "text-anchor": "end", ...text },
      xLabel,
    ),
  ];
}

function bars(weights: Float64Array, ink: Ink): SVGElement[] {
  const step = (WIDTH - LEFT - 10) / weights.length;
  return [
    ...axis(1, `${weights.length} keys`, ink),
    ...[...weights].map((weight, i) =>
      s("rect", {
        x: LEFT + 3 + i * step,
        y: y(weight, 1),
        width: step - 1.5,
        height: HEIGHT - BOTTOM - y(weight, 1),
        fill: ink.marks[0],
      }),
    ),
  ];
}

function overD(
  curves: Curve[],
  read: (measures: Measures) => number,
  top: number,
  state: Reader,
  current: Measures,
  ink: Ink,
): SVGElement[] {
  const x = (d: number) => LEFT + 8 + (Math.log2(d) / 10) * (WIDTH - LEFT - 25);
  const text = { fill: ink.muted, "font-size": 13, "text-anchor": "middle" };
  return [
    ...axis(top, "", ink),
    ...[1, 4, 16, 64, 256, 1024].map((d) =>
      s("text", { x: x(d), y: HEIGHT - BOTTOM + 15, ...text }, String(d)),
    ),
    s("text", { x: x(32), y: HEIGHT - 3, ...text }, "d"),
    ...curves.map(({ scaled, points }) =>
      s("polyline", {
        points: points
          .map(
            (p) =>
              `${x(p.d).toFixed(1)},${y(read(p.measures), top).toFixed(1)}`,
          )
          .join(" "),
        fill: "none",
        stroke: ink.marks[scaled ? 0 : 1],
        "stroke-width": 2.5,
        "stroke-dasharray": scaled ? "none" : "6 4",
      }),
    ),
    s("circle", {
      cx: x(state.d),
      cy: y(read(current), top),
      r: 6,
      fill: "none",
      stroke: ink.accent,
      "stroke-width": 2.5,
    }),
  ];
}
