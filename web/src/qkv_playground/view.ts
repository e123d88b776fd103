// QKVPlayground: move a query, keys and values; watch the weights.

import { DARK_INK, type Ink, LIGHT_INK } from "../lib/colours.ts";
import { logSlider, row, toggle } from "../lib/controls.ts";
import { h } from "../lib/dom.ts";
import { type Parts, type Tools, widget } from "../lib/shell.ts";
import { s, standalone, svgExports } from "../lib/svg.ts";
import {
  type Answer,
  attend,
  parseSource,
  parseStart,
  type Reader,
  validators,
} from "./model.ts";
import { type Arrow, createPlane, SIZE } from "./plane.ts";
import { RANGE, TRAITS } from "./traits.ts";

const STYLE = `
.planes { display: flex; flex-wrap: wrap; gap: .5rem 1.5rem; }
.plane-box { margin: 0; flex: 1 1 240px; max-width: 330px; }
.plane { width: 100%; display: block; touch-action: none; overflow: visible; }
.handle { cursor: grab; }
.handle:focus-visible { outline: none; stroke: var(--lock); stroke-width: 3; }
.scroll { overflow-x: auto; margin-top: .4rem; }
table { font-size: .95em; }
td.bar { min-width: 5rem; text-align: left; }
td.bar i { display: block; height: .7em; border-radius: 2px; min-width: 1px; background: var(--lock); }
input[type=number] {
  font: inherit; width: 4.2em; min-height: 28px; color: inherit; background: var(--field);
  border: 1px solid var(--line); border-radius: 5px; padding: 0 .2em;
}
.vector { display: inline-flex; gap: .2rem; }
`;

/** A copy of a list with one entry replaced. */
const replace = <T>(list: T[], i: number, to: T): T[] =>
  list.map((entry, j) => (i === j ? to : entry));

export const mount = widget<Reader>("playground", playground);

function playground(tools: Tools<Reader>): Parts<Reader> {
  const source = parseSource(tools.raw.source);
  const start = parseStart(tools.raw.state, source);
  const flat = start.query.length === 2;
  const flatValues = start.value[0].length === 2;
  const far = (vectors: number[][]) =>
    Math.max(1, ...vectors.flat().map(Math.abs)) * 1.3;
  const keyPlane = createPlane(
    "query and keys",
    ["axis 1", "axis 2"],
    far([start.query, ...start.key]),
  );
  const valuePlane = createPlane(
    "values and output",
    ["axis 1", "axis 2"],
    far(start.value),
  );
  const temperature = logSlider<Reader>({
    label: "temperature τ",
    control: "temperature",
    range: TRAITS.temperature.range,
    read: (state) => state.temperature,
    words: (x) => x.toFixed(2),
    write: (temperature) => tools.change({ temperature }),
  });
  const controls = row<Reader>([
    toggle<Reader>(
      "scaled",
      `divide by √d (d = ${source.d_k})`,
      (state) => state.scaled,
      (scaled) => tools.change({ scaled }),
    ),
  ]);
  const planes = h(
    "div",
    { class: "planes" },
    ...(flat ? [keyPlane.element] : []),
    ...(flatValues ? [valuePlane.element] : []),
  );
  const fields = createFields();
  const table = createTable();
  const body = h(
    "div",
    {},
    planes,
    h(
      "div",
      {
        class: "scroll",
        tabindex: 0,
        role: "region",
        "aria-label": `${source.title}: scores and weights`,
      },
      table.element,
    ),
  );

  function keyArrows(state: Reader, ink: Ink): Arrow[] {
    return [
      {
        name: `q: ${source.query_token}`,
        at: state.query,
        colour: ink.accent,
        width: 4,
        move: (query) => tools.change({ query }),
        now: () => tools.state().query,
      },
      ...state.key.map((at, i) => ({
        name: source.tokens[i],
        at,
        colour: ink.marks[i],
        width: 2.5,
        move: (to: number[]) =>
          tools.change({ key: replace(tools.state().key, i, to) }),
        now: () => tools.state().key[i],
      })),
    ];
  }

  function valueArrows(state: Reader, answer: Answer, ink: Ink): Arrow[] {
    return [
      ...state.value.map((at, i) => ({
        name: source.tokens[i],
        at,
        colour: ink.marks[i],
        width: 1 + 6 * answer.weights[i],
        move: (to: number[]) =>
          tools.change({ value: replace(tools.state().value, i, to) }),
        now: () => tools.state().value[i],
      })),
      {
        name: "output",
        at: [...answer.output],
        colour: ink.accent,
        width: 4,
      },
    ];
  }

  /** Number fields, for vectors that no plane can hold. */
  function createFields() {
    const inputs: { input: HTMLInputElement; read(state: Reader): number }[] =
      [];
    const field = (
      label: string,
      read: (state: Reader) => number,
      write: (x: number) => void,
    ) => {
      const input = h("input", {
        type: "number",
        step: 0.1,
        min: -RANGE,
        max: RANGE,
        "aria-label": label,
      });
      input.addEventListener("input", () => {
        const x = Number(input.value);
        const fits = input.value.trim() !== "" && Math.abs(x) <= RANGE;
        input.setAttribute("aria-invalid", String(!fits));
        if (fits) write(x);
        else tools.say(`Expected a number from −${RANGE} to ${RANGE}.`);
      });
      inputs.push({ input, read });
      return input;
    };
    return {
      query: () =>
        h(
          "span",
          { class: "vector" },
          ...start.query.map((_, d) =>
            field(
              `query ${source.query_token}, number ${d + 1}`,
              (state) => state.query[d],
              (x) =>
                tools.change({ query: replace(tools.state().query, d, x) }),
            ),
          ),
        ),
      key: (i: number) =>
        h(
          "span",
          { class: "vector" },
          ...start.query.map((_, d) =>
            field(
              `key ${source.tokens[i]}, number ${d + 1}`,
              (state) => state.key[i][d],
              (x) => {
                const { key } = tools.state();
                tools.change({
                  key: replace(key, i, replace(key[i], d, x)),
                });
              },
            ),
          ),
        ),
      show(state: Reader) {
        for (const { input, read } of inputs)
          if (Number(input.value) !== read(state) || input.value === "") {
            input.value = String(read(state));
            input.setAttribute("aria-invalid", "false");
          }
      },
    };
  }

  function createTable() {
    const cell = () => h("td");
    const head = h(
      "tr",
      {},
      h("th", { scope: "col" }, "key"),
      ...(flat ? [] : [h("th", { scope: "col" }, "vector")]),
      ...["q·k", "softmax sees", "weight"].map((text) =>
        h("th", { scope: "col" }, text),
      ),
      h("td"),
    );
    const rows = source.tokens.map((token, i) => {
      const cells = { score: cell(), logit: cell(), weight: cell() };
      const bar = h("i");
      const line = h(
        "tr",
        {},
        h("th", { scope: "row" }, token),
        ...(flat ? [] : [h("td", {}, fields.key(i))]),
        cells.score,
        cells.logit,
        cells.weight,
        h("td", { class: "bar" }, bar),
      );
      return { line, bar, ...cells };
    });
    const output = h("p", { class: "output" });
    const asked = flat
      ? []
      : [h("p", {}, `query of “${source.query_token}”: `, fields.query())];
    return {
      element: h(
        "div",
        {},
        ...asked,
        h(
          "table",
          {},
          h("thead", {}, head),
          h("tbody", {}, ...rows.map((r) => r.line)),
        ),
        output,
      ),
      show(answer: Answer) {
        rows.forEach(({ score, logit, weight, bar }, i) => {
          score.textContent = answer.scores[i].toFixed(2);
          logit.textContent = answer.logits[i].toFixed(2);
          weight.textContent = answer.weights[i].toFixed(3);
          bar.style.width = `${(100 * answer.weights[i]).toFixed(1)}%`;
        });
        const numbers = [...answer.output].map((x) => x.toFixed(2)).join(", ");
        output.textContent = `output Σ w·v = [${numbers}]`;
      },
    };
  }

  function picture() {
    const state = tools.state();
    const answer = attend(source, state);
    const title = { x: 10, y: 20, "font-weight": 600, fill: LIGHT_INK.ink };
    const at = (x: number, y: number, group: SVGElement) =>
      s("g", { transform: `translate(${x} ${y})` }, group);
    const lines = source.tokens.map((token, i) =>
      s(
        "text",
        { x: 10, y: SIZE + 60 + 20 * i, fill: LIGHT_INK.ink },
        `${token}: q·k ${answer.scores[i].toFixed(2)}, ` +
          `weight ${answer.weights[i].toFixed(3)}`,
      ),
    );
    return standalone(
      2 * SIZE + 30,
      SIZE + 60 + 20 * lines.length,
      s("text", title, source.title),
      ...(flat
        ? [at(10, 30, keyPlane.marks(keyArrows(state, LIGHT_INK), LIGHT_INK))]
        : []),
      ...(flatValues
        ? [
            at(
              SIZE + 20,
              30,
              valuePlane.marks(
                valueArrows(state, answer, LIGHT_INK),
                LIGHT_INK,
              ),
            ),
          ]
        : []),
      ...lines,
    );
  }

  function rows() {
    const answer = attend(source, tools.state());
    return [
      ["key", "score", "softmax_sees", "weight"],
      ...source.tokens.map((token, i) => [
        token,
        answer.scores[i],
        answer.logits[i],
        answer.weights[i],
      ]),
    ];
  }

  const file = tools.raw.name || "query-key-value";
  return {
    title: source.title,
    note: source.note,
    hint: flat
      ? "Drag the tips of the arrows, or choose one with Tab and use the " +
        "arrow keys (Shift: larger steps)."
      : "Change any number.",
    style: STYLE,
    start,
    valid: validators(start),
    primary: temperature.element,
    controls: controls.element,
    body: [body],
    exports: svgExports(file, picture, rows, tools.say),
    draw(state, _changed, dark) {
      const ink = dark ? DARK_INK : LIGHT_INK;
      const answer = attend(source, state);
      temperature.show(state);
      controls.show(state);
      if (flat) keyPlane.show(keyArrows(state, ink), ink);
      if (flatValues) valuePlane.show(valueArrows(state, answer, ink), ink);
      fields.show(state);
      table.show(answer);
    },
    measured: body,
  };
}
