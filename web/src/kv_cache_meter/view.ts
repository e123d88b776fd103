// KVCacheMeter: the memory of a KV cache while tokens are generated.
import { axes, ceiling, frameIn, quarters } from "../lib/chart.ts";
import { DARK_INK, type Ink, LIGHT_INK } from "../lib/colours.ts";
import { choice, logSlider, row, slider } from "../lib/controls.ts";
import { h } from "../lib/dom.ts";
import { dataOf } from "../lib/json.ts";
import { button, type Parts, type Tools, widget } from "../lib/shell.ts";
import { s, size, standalone, svgExports } from "../lib/svg.ts";
import {
  bytes,
  defaults,
  inWords,
  parseShapes,
  perLayer,
  type Reader,
  sharings,
  unit,
  validators,
} from "./model.ts";
import { TRAITS } from "./traits.ts";

const STYLE = `
.meter svg { max-width: 100%; display: block; }
dl { display: grid; grid-template-columns: minmax(8em, max-content) 1fr; gap: .15rem 1rem; margin: .5rem 0 0; }
dd { margin: 0; font-variant-numeric: tabular-nums; font-weight: 600; }
.present .meter { display: grid; grid-template-columns: 1fr 330px; gap: 20px; }
.present dl { grid-template-columns: 1fr; align-content: start; gap: 0; margin: 0; }
.present dd { margin-bottom: 6px; }
`;
const MORE = 1000; // tokens a button adds
const LONGEST = TRAITS.length.range[1];
const DASHES = ["6 4", "none", "2 4"];
const MEMORY = 24e9; // bytes of a large graphics card in a desktop computer

const count = (x: number) => x.toLocaleString("en");

export const mount = widget<Reader>("cache meter", meter);

function meter(tools: Tools<Reader>): Parts<Reader> {
  const shapes = parseShapes(tools.raw.source);
  const json = dataOf(tools.raw.source);
  const title = String(json.title ?? "");
  const shape = (state: Reader) =>
    shapes.find(({ name }) => name === state.model) ?? shapes[0];
  /** Heads of keys and values, and whether they are as published. */
  const groups = (state: Reader): [number, boolean] => {
    const { heads, kv_heads } = shape(state);
    const own = state.kv_heads > 0 && heads % state.kv_heads === 0;
    return own ? [state.kv_heads, false] : [kv_heads, true];
  };

  const sharing = slider<Reader>({
    label: "heads of keys and values",
    control: "kv_heads",
    range: [0, 1, 1],
    read: (state) => sharings(shape(state)).indexOf(groups(state)[0]),
    words: (_, state) => {
      const [kvHeads, published] = groups(state);
      return `${kvHeads} for ${shape(state).heads} heads${published ? ", as published" : ""}`;
    },
    write: (i) =>
      tools.change({ kv_heads: sharings(shape(tools.state()))[i] ?? 0 }),
  });
  const length = logSlider<Reader>({
    label: "tokens",
    control: "length",
    range: TRAITS.length.range,
    read: (state) => state.length,
    words: count,
    write: (x) => tools.change({ length: Math.min(LONGEST, Math.round(x)) }),
  });
  const controls = row<Reader>([
    choice<Reader>(
      "model",
      "model",
      shapes.map(({ name }) => name),
      (state) => state.model,
      (model) => tools.change({ model, kv_heads: 0 }),
    ),
    sharing,
    logSlider<Reader>({
      label: "texts at once",
      control: "batch",
      range: TRAITS.batch.range,
      read: (state) => state.batch,
      words: count,
      write: (x) => tools.change({ batch: Math.round(x) }),
    }),
    choice<Reader>(
      "bits",
      "bits of a number",
      TRAITS.bits.choices.map(String),
      (state) => String(state.bits),
      (bits) => tools.change({ bits: Number(bits) }),
    ),
  ]);

  const svg = s("svg", {
    role: "img",
    "aria-label": "Memory over tokens. The numbers stand below.",
  });
  const facts = h("dl", { part: "readout" });
  const chart = h("div");
  chart.append(svg);
  const body = h("div", { class: "meter" }, chart, facts);

  const frame = () => frameIn(chart, tools.room());

  /** Every head its own, what is chosen, one head for all. */
  const lines = (state: Reader): [string, number][] => [
    ["each head its own", shape(state).heads],
    ["chosen", state.kv_heads],
    ["one for all heads", 1],
  ];

  function list(): [string, string][] {
    const state = tools.state();
    const model = shape(state);
    const now = bytes(model, state);
    const one = bytes(model, state, state.kv_heads, 1);
    const [kvHeads, published] = groups(state);
    const kept =
      published && model.latent
        ? `${model.latent} numbers (latent attention)`
        : `2 · ${kvHeads} heads · ${model.d_head}`;
    const factor = (heads: number) => {
      const other = bytes(model, state, heads);
      return `${inWords(other)} (${Number((other / now).toPrecision(2))} ×)`;
    };
    return [
      ["cache", inWords(now)],
      [
        "formula",
        `${model.layers} layers · ${kept} · ${count(state.length)} tokens · ` +
          `${state.batch} ${state.batch === 1 ? "text" : "texts"} · ${state.bits / 8} ${state.bits === 8 ? "byte" : "bytes"}`,
      ],
      ["each token more", inWords(one)],
      ["each head its own", factor(model.heads)],
      ["one for all heads", factor(1)],
      [
        "24 GB are full after",
        `${count(Math.floor(MEMORY / one))} tokens${state.batch === 1 ? "" : " of each text"}, the weights not counted`,
      ],
      ["shape from", model.source],
    ];
  }

  function drawing(ink: Ink): SVGElement[] {
    const state = tools.state();
    const model = shape(state);
    const box = frame();
    const end = Math.max(16, 2 ** Math.ceil(Math.log2(state.length)));
    const all = lines(state).map(([, heads]) =>
      bytes(model, state, heads, end),
    );
    const [size, name] = unit(Math.max(...all));
    const top = ceiling(Math.max(...all) / size);
    const x = (tokens: number) =>
      box.left + (tokens / end) * (box.width - box.left - box.right - 20);
    const y = (value: number) =>
      box.height -
      box.bottom -
      (value / top) * (box.height - box.top - box.bottom);
    const label = `tokens (upwards: ${name})`;
    const ticks = { xTicks: quarters(end), yTicks: quarters(top) };
    return [
      ...axes({ box, x, y, ...ticks, label }, ink),
      ...lines(state).flatMap(([, heads], i) => [
        s("line", {
          x1: x(0),
          y1: y(0),
          x2: x(end),
          y2: y(all[i] / size),
          stroke: ink.marks[i],
          "stroke-width": i === 1 ? 3.5 : 2,
          "stroke-dasharray": DASHES[i],
        }),
        s("circle", {
          cx: x(state.length),
          cy: y(bytes(model, state, heads) / size),
          r: i === 1 ? 6 : 3,
          fill: ink.marks[i],
        }),
      ]),
      ...lines(state).flatMap(([words], i) => [
        s("line", {
          x1: box.left + 12,
          x2: box.left + 42,
          y1: box.top + 12 + 18 * i,
          y2: box.top + 12 + 18 * i,
          stroke: ink.marks[i],
          "stroke-width": 3,
          "stroke-dasharray": DASHES[i],
        }),
        s(
          "text",
          {
            x: box.left + 50,
            y: box.top + 16 + 18 * i,
            fill: ink.ink,
            "font-size": 13,
          },
          words,
        ),
      ]),
    ];
  }

  const words = (state: Reader) =>
    `${state.model}, ${count(state.length)} tokens: ${inWords(bytes(shape(state), state))}`;

  function picture() {
    const box = frame();
    return standalone(
      box.width,
      box.height + 50,
      s("text", { x: 10, y: 20, "font-weight": 600 }, title),
      s("text", { x: 10, y: 40 }, words(tools.state())),
      s("g", { transform: "translate(0 50)" }, ...drawing(LIGHT_INK)),
    );
  }

  const rows = () => [
    ["model", "layers", "numbers a layer keeps of a token", "bytes"],
    ...shapes.map((one) => [
      one.name,
      one.layers,
      perLayer(one, 0),
      bytes(one, tools.state(), 0),
    ]),
  ];

  return {
    title,
    note: String(json.note ?? ""),
    hint: "1 GB is 10⁹ bytes. The dots are where you are.",
    style: STYLE,
    start: defaults(shapes),
    valid: validators(shapes),
    primary: length.element,
    controls: controls.element,
    body: [body],
    buttons: [
      button(`Generate ${count(MORE)} tokens`, () => {
        const length = Math.min(LONGEST, tools.state().length + MORE);
        tools.change({ length });
        tools.say(words({ ...tools.state(), length }));
      }),
    ],
    exports: svgExports(tools.raw.name || "kv-cache", picture, rows, tools.say),
    draw(state, _changed, dark) {
      const input = sharing.element.querySelector("input")!;
      input.max = String(sharings(shape(state)).length - 1);
      length.show(state);
      controls.show(state);
      const box = frame();
      size(svg, box.width, box.height);
      svg.replaceChildren(...drawing(dark ? DARK_INK : LIGHT_INK));
      facts.replaceChildren(
        ...list().flatMap(([name, value]) => [
          h("dt", {}, name),
          h("dd", {}, value),
        ]),
      );
    },
    measured: chart,
  };
}
