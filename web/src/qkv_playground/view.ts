// QKVPlayground: move a query, keys and values; watch the weights.

import { DARK_INK, type Ink, LIGHT_INK } from "../lib/colours.ts";
import { logSlider, row, toggle } from "../lib/controls.ts";
import { h } from "../lib/dom.ts";
import { DARK, LIGHT } from "../lib/roles.ts";
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
import { type Arrow, boxAround, createPlane, SIZE } from "./plane.ts";
import { RANGE, TRAITS } from "./traits.ts";

const STYLE = `
.attn { container-type: inline-size; }
.planes { display: flex; flex-wrap: wrap; gap: .5rem 1.5rem; }
.plane-box { margin: 0; flex: 1 1 240px; max-width: 330px; }
.plane { width: 100%; display: block; touch-action: none; overflow: visible; }
.handle { cursor: grab; }
.handle:focus-visible { outline: none; stroke: var(--lock); stroke-width: 3; }
.scroll { overflow-x: auto; margin-top: .4rem; }
table { font-size: .95em; }
td.bar { min-width: 5rem; text-align: left; }
td.bar i { display: block; height: .7em; border-radius: 2px; min-width: 1px; background: var(--attn-weight); }
input[type=number] {
  font: inherit; width: 3.6em; min-height: 28px; color: inherit; background: var(--field);
  border: 1px solid var(--line); border-radius: 5px; padding: 0 .2em; box-sizing: border-box;
}
input[aria-invalid=true] { border: 2px solid var(--accent); }
.vector { display: inline-flex; flex-wrap: wrap; gap: .2rem; align-items: center; }
.error { color: var(--accent); font-weight: 600; font-size: .9em; flex-basis: 100%; text-align: left; }
.present .play { display: grid; grid-template-columns: auto 1fr; gap: 16px; align-items: start; }
.present .planes { flex-wrap: nowrap; gap: 12px; width: 524px; }
.present .planes:empty { width: 0; }
.present .plane-box { flex: 1 1 0; }
.present .scroll { margin: 0; overflow: visible; }
.present td.bar { min-width: 3rem; }
/* No table fits a phone: a card for each key. */
@container (max-width: 560px) {
  .by-hand thead { position: absolute; clip-path: inset(50%); }
  .by-hand, .by-hand tbody { display: block; }
  .by-hand tr { display: flex; flex-wrap: wrap; gap: .2rem .9rem; align-items: center; padding: .4rem 0; border-bottom: 1px solid var(--line); }
  .by-hand :is(th, td) { border: 0; padding: 0; }
  .by-hand th { flex-basis: 100%; text-align: left; }
  .by-hand td[data-label]::before { content: attr(data-label) " "; color: var(--attn-soft); }
  .by-hand td.wide { flex-basis: 100%; text-align: left; }
  .by-hand td.weight { font-weight: 700; color: var(--attn-weight); }
  .by-hand td.bar { flex: 1 1 4rem; }
}
`;

/** A number that can be typed. */
interface Field {
  input: HTMLInputElement;
  bad: boolean;
  seen: number; // what it showed of the state
  read(state: Reader): number;
  mark(): void;
}

/** A copy of a list with one entry replaced. */
const replace = <T>(list: T[], i: number, to: T): T[] =>
  list.map((entry, j) => (i === j ? to : entry));

export const mount = widget<Reader>("playground", playground);

function playground(tools: Tools<Reader>): Parts<Reader> {
  const source = parseSource(tools.raw.source);
  const start = parseStart(tools.raw.state, source);
  const flat = start.query.length === 2;
  const flatValues = start.value[0].length === 2;
  const keyPlane = createPlane(
    "query and keys",
    ["axis 1", "axis 2"],
    boxAround([start.query, ...start.key]),
  );
  const valuePlane = createPlane(
    "values and output",
    ["axis 1", "axis 2"],
    boxAround(start.value),
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
    { class: "play" },
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

  const tonesOf = (ink: Ink) => (ink === DARK_INK ? DARK : LIGHT);

  function keyArrows(state: Reader, ink: Ink): Arrow[] {
    const tones = tonesOf(ink);
    const query = `q: ${source.query_token}`;
    return [
      {
        name: query,
        at: state.query,
        colour: tones.query,
        width: 4,
        move: (query) => tools.change({ query }),
        now: () => tools.state().query,
      },
      ...state.key.map((at, i) => ({
        name: source.tokens[i],
        at,
        colour: tones.key,
        along: query,
        width: 2.5,
        move: (to: number[]) =>
          tools.change({ key: replace(tools.state().key, i, to) }),
        now: () => tools.state().key[i],
      })),
    ];
  }

  function valueArrows(state: Reader, answer: Answer, ink: Ink): Arrow[] {
    const tones = tonesOf(ink);
    return [
      ...state.value.map((at, i) => ({
        name: source.tokens[i],
        at,
        colour: tones.value,
        width: 1 + 6 * answer.weights[i],
        move: (to: number[]) =>
          tools.change({ value: replace(tools.state().value, i, to) }),
        now: () => tools.state().value[i],
      })),
      {
        name: "output",
        at: [...answer.output],
        colour: tones.output,
        width: 4,
      },
    ];
  }

  /** Number fields, for vectors that no plane can hold. */
  function createFields() {
    const fields: Field[] = [];
    /** The numbers of one vector, and a place for what is wrong with them. */
    const vector = (
      label: string,
      count: number,
      read: (state: Reader, d: number) => number,
      write: (d: number, x: number) => void,
    ) => {
      const error = h("span", { class: "error", role: "alert", hidden: true });
      error.textContent = `A number from −${RANGE} to ${RANGE}, please.`;
      const own = Array.from({ length: count }, (_, d) => {
        const input = h("input", {
          type: "number",
          step: 0.1,
          min: -RANGE,
          max: RANGE,
          "aria-label": `${label}, number ${d + 1}`,
        });
        const field: Field = {
          input,
          bad: false,
          seen: Number.NaN,
          read: (state) => read(state, d),
          mark,
        };
        input.addEventListener("input", () => {
          const x = Number(input.value);
          field.bad = input.value.trim() === "" || !(Math.abs(x) <= RANGE);
          mark();
          if (field.bad) tools.redraw();
          else write(d, x);
        });
        return field;
      });
      function mark() {
        for (const { input, bad } of own)
          input.setAttribute("aria-invalid", String(bad));
        error.hidden = own.every(({ bad }) => !bad);
      }
      fields.push(...own);
      const inputs = own.map(({ input }) => input);
      return h("span", { class: "vector" }, ...inputs, error);
    };
    return {
      query: () =>
        vector(
          `query ${source.query_token}`,
          start.query.length,
          (state, d) => state.query[d],
          (d, x) => tools.change({ query: replace(tools.state().query, d, x) }),
        ),
      /** The key or the value of one word. */
      row: (name: "key" | "value", i: number) =>
        vector(
          `${name} ${source.tokens[i]}`,
          start[name][i].length,
          (state, d) => state[name][i][d],
          (d, x) => {
            const rows = tools.state()[name];
            tools.change({ [name]: replace(rows, i, replace(rows[i], d, x)) });
          },
        ),
      isBad: () => fields.some(({ bad }) => bad),
      show(state: Reader) {
        for (const field of fields) {
          const x = field.read(state);
          // What can't be read stays until something else is to be shown.
          if (field.bad && x === field.seen) continue;
          if (
            field.bad ||
            Number(field.input.value) !== x ||
            field.input.value === ""
          )
            field.input.value = String(x);
          field.bad = false;
          field.seen = x;
          field.mark();
        }
      },
    };
  }

  function createTable() {
    const byHand = !flat || !flatValues;
    const cell = (label: string, name = "") =>
      h("td", { "data-label": label, class: name, role: "cell" });
    const column = (text: string) =>
      h("th", { scope: "col", role: "columnheader" }, text);
    const head = h(
      "tr",
      { role: "row" },
      column("key"),
      ...(flat ? [] : [column("vector")]),
      ...(flatValues ? [] : [column("value")]),
      ...["q·k", "softmax sees", "weight"].map(column),
      h("td", { role: "cell" }),
    );
    const vector = (name: "key" | "value", i: number) => {
      const made = cell(name, "wide");
      made.append(fields.row(name, i));
      return made;
    };
    const rows = source.tokens.map((token, i) => {
      const cells = {
        score: cell("q·k"),
        logit: cell("softmax sees"),
        weight: cell("weight", "weight"),
      };
      const bar = h("i");
      const line = h(
        "tr",
        { role: "row" },
        h("th", { scope: "row", role: "rowheader" }, token),
        ...(flat ? [] : [vector("key", i)]),
        ...(flatValues ? [] : [vector("value", i)]),
        cells.score,
        cells.logit,
        cells.weight,
        h("td", { class: "bar", role: "cell" }, bar),
      );
      return { line, bar, ...cells };
    });
    const output = h("p", { class: "output", part: "readout" });
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
          { role: "table", class: byHand && "by-hand", part: "readout" },
          h("thead", { role: "rowgroup" }, head),
          h("tbody", { role: "rowgroup" }, ...rows.map((r) => r.line)),
        ),
        output,
      ),
      /** Without an answer: nothing that an earlier number gave. */
      show(answer: Answer | null) {
        rows.forEach(({ score, logit, weight, bar }, i) => {
          score.textContent = answer ? answer.scores[i].toFixed(2) : "–";
          logit.textContent = answer ? answer.logits[i].toFixed(2) : "–";
          weight.textContent = answer ? answer.weights[i].toFixed(3) : "–";
          bar.style.width = `${(100 * (answer?.weights[i] ?? 0)).toFixed(1)}%`;
        });
        const numbers = [...(answer?.output ?? [])].map((x) => x.toFixed(2));
        output.textContent = answer
          ? `output Σ w·v = [${numbers.join(", ")}]`
          : "No output: one of the numbers can't be read.";
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
      table.show(fields.isBad() ? null : answer);
    },
    measured: body,
  };
}
