// Every query at once: one row each, which is the matrix.

import { s } from "../lib/svg.ts";
import { shorten } from "../lib/text.ts";
import { colour, type Num, num, set, tell, vector, write } from "./marks.ts";
import {
  type Answer,
  largest,
  type Reader,
  type Source,
  type Step,
} from "./model.ts";
import { percent, short } from "./words.ts";

export interface All {
  node: SVGElement;
  height: number;
  /** `stepped`: nothing but the step has changed since the last time. */
  show(state: Reader, answer: Answer, stepped: boolean): void;
}

const LETTER = 7.4;

/** Where the cells of the matrix stand. */
function frame(source: Source, width: number, height: number) {
  const { tokens, askers } = source;
  const longest = (texts: string[]) =>
    Math.max(...texts.map((text) => [...text].length)) * LETTER + 16;
  const strip = width >= 540 ? 92 : 0;
  const label = Math.min(86, longest(askers));
  const output = Math.min(92, width * 0.16);
  const left = 4 + strip + label;
  const cell = Math.min(88, (width - left - output - 10) / tokens.length);
  const upright = longest(tokens) - 10 <= cell;
  const top = (strip ? 34 : 6) + (upright ? 22 : Math.min(74, longest(tokens)));
  const room = (height - top - 40) / askers.length;
  const high = Math.max(24, Math.min(56, room));
  return {
    strip,
    label,
    left,
    cell,
    high,
    upright,
    top,
    output: { x: left + tokens.length * cell + 8, w: output },
    bottom: top + askers.length * high,
  };
}

export function createAll(
  source: Source,
  width: number,
  height: number,
  hatch: string,
): All {
  const { tokens, askers, d, d_v } = source;
  const at = frame(source, width, height);
  const rows = askers.map((_, i) => at.top + i * at.high);
  const cols = tokens.map((_, j) => at.left + j * at.cell);
  const strip = (
    role: string,
    count: number,
    x: number,
    y: number,
    w: number,
  ) =>
    vector({
      role,
      count,
      box: { x, y, w, h: 22 },
      cells: false,
      editable: false,
    });

  const queries = at.strip
    ? rows.map((y) => strip("query", d, 4, y + at.high / 2 - 11, at.strip - 8))
    : [];
  const keys = at.strip
    ? cols.map((x) => strip("key", d, x + 2, 4, at.cell - 4))
    : [];
  const values = cols.map((x) =>
    strip("value", d_v, x + 2, at.bottom + 8, at.cell - 4),
  );
  const outputs = rows.map((y) =>
    strip("output", d_v, at.output.x, y + at.high / 2 - 11, at.output.w),
  );
  const cells = rows.flatMap((y, i) => cols.map((x, j) => cellAt(i, j, x, y)));
  const aside = Math.max(0, (width - at.output.x - at.output.w - 4) / 2);
  const name = (role: string, x: number, y: number, end = false) =>
    s(
      "text",
      { x, y, class: end ? "name end" : "name", fill: colour(role) },
      role === "query" ? "queries" : `${role}s`,
    );
  const names = {
    query: at.strip ? [name("query", 8, at.top - 9)] : [],
    key: at.strip ? [name("key", at.left - 8, 20, true)] : [],
    value: [name("value", at.left - 8, at.bottom + 24, true)],
    output: at.strip ? [name("output", at.output.x + 2, at.top - 9)] : [],
  };
  const group = (step: Step, nodes: SVGElement[]) => ({
    step,
    node: s("g", { class: `stage ${step}` }, ...nodes),
  });
  const nodes = (list: { node: SVGElement }[]) => list.map((one) => one.node);
  const stages = [
    group("words", [...rows.map(rowName), ...cols.map(colName)]),
    group("query", [...nodes(queries), ...names.query]),
    group("scores", [...nodes(keys), ...nodes(cells), ...names.key]),
    group("values", [...nodes(values), ...names.value]),
    group("output", [...nodes(outputs), ...names.output]),
  ];

  function rowName(y: number, i: number): SVGElement {
    const text = s(
      "text",
      { x: at.left - 8, y: y + at.high / 2 + 5, class: "word end" },
      shorten(askers[i], Math.max(3, Math.floor((at.label - 10) / LETTER))),
    );
    const touch = s("rect", {
      class: "touch",
      x: at.left - at.label,
      y,
      width: at.label - 2,
      height: at.high,
      rx: 6,
    });
    return s(
      "g",
      {
        class: "pill stop row",
        role: "button",
        tabindex: -1,
        "data-asks": i,
        "aria-label": `let “${askers[i]}” ask alone`,
      },
      touch,
      text,
    );
  }

  function colName(x: number, j: number): SVGElement {
    const centre = x + at.cell / 2;
    const text = shorten(tokens[j], 9);
    return at.upright
      ? s("text", { x: centre, y: at.top - 7, class: "word" }, text)
      : s(
          "text",
          {
            class: "word start",
            transform: `translate(${centre + 5} ${at.top - 6}) rotate(-90)`,
          },
          text,
        );
  }

  function cellAt(i: number, j: number, x: number, y: number) {
    const size = { width: at.cell - 2, height: at.high - 2, rx: 4 };
    const tint = s("rect", { x: x + 1, y: y + 1, ...size, class: "tint" });
    const lines = s("rect", { x: x + 1, y: y + 1, ...size, fill: hatch });
    const text = s("text", {
      x: x + at.cell / 2,
      y: y + at.high / 2 + 4.5,
      class: "figure",
    });
    const label = `“${askers[i]}” looks at “${tokens[j]}”`;
    const it: Num = num("score", i, j, label, false, tint, lines, text);
    return { node: it.node, it, tint, lines, text };
  }

  function showCell(c: number, answer: Answer, reached: (s: Step) => boolean) {
    const { it, tint, lines, text } = cells[c];
    const hidden = reached("mask") && answer.allowed?.[c] === 0;
    const known = reached("softmax");
    const number = reached("scale") ? answer.logits[c] : answer.scores[c];
    const score = short(number);
    const weight = answer.weights[c];
    it.role = known ? "weight" : reached("scale") ? "logit" : "score";
    const strength = known ? weight : Math.abs(number) / strongest;
    set(tint, "fill", known ? colour("weight") : colour("soft"));
    set(
      tint,
      "fill-opacity",
      hidden
        ? 0
        : (known ? 0.04 + 0.96 * strength : 0.34 * strength).toFixed(3),
    );
    set(lines, "opacity", hidden ? 1 : 0);
    set(text, "class", known && weight > 0.55 ? "figure on" : "figure");
    const room = at.cell / LETTER;
    const shown = known ? String(Math.round(100 * weight)) : score;
    write(text, hidden || [...shown].length > room ? "" : shown);
    tell(it, null, hidden ? "hidden" : known ? percent(weight) : score);
  }
  let strongest = 1;

  return {
    node: s(
      "g",
      { class: "all", transform: `translate(${aside.toFixed(1)} 0)` },
      ...stages.map((one) => one.node),
    ),
    height: at.bottom + 40,
    show(state, answer, stepped) {
      const reached = (step: Step) => {
        const found = source.steps.indexOf(step);
        return found >= 0 && found <= state.step;
      };
      for (const { step, node } of stages)
        node.classList.toggle("off", !reached(step));
      strongest = largest(reached("scale") ? answer.logits : answer.scores);
      for (let c = 0; c < cells.length; c++) showCell(c, answer, reached);
      if (stepped) return;
      const part = (all: Float64Array, size: number, i: number) =>
        all.subarray(i * size, (i + 1) * size);
      queries.forEach((one, i) => {
        one.show(
          part(answer.query, d, i),
          answer.top.query,
          i,
          `“${askers[i]}”`,
        );
      });
      keys.forEach((one, j) => {
        one.show(part(answer.key, d, j), answer.top.key, j, `“${tokens[j]}”`);
      });
      values.forEach((one, j) => {
        one.show(
          part(answer.value, d_v, j),
          answer.top.value,
          j,
          `“${tokens[j]}”`,
        );
      });
      outputs.forEach((one, i) => {
        one.show(
          part(answer.output, d_v, i),
          answer.top.value,
          i,
          `“${askers[i]}”`,
        );
      });
    },
  };
}
