// Beside the matrix: how one weight came about, and where rows look.
import { h } from "../lib/dom.ts";
import { roundUp } from "../lib/scale.ts";
import { shortWeight, weightText } from "../lib/text.ts";
import { cellText, type Picture, type Steps, strongest } from "./compute.ts";
import { asGiven, isOdd, type Reader, type Source } from "./state.ts";

const BARS = 5;

export interface Panel {
  element: HTMLElement;
  show(view: PanelView): void;
}

export interface PanelView {
  source: Source;
  state: Reader;
  picture: Picture;
  at: { row: number; col: number } | null; // in the picture
  steps: Steps | null; // null for a joined word
  output: Float64Array | null;
  locked: number[]; // rows of the picture
}

export function createPanel(): Panel {
  const element = h("div", { class: "panel", part: "readout" });
  return {
    element,
    show(view) {
      element.replaceChildren(...build(view));
    },
  };
}

function build(view: PanelView): Node[] {
  const { picture, at, locked } = view;
  const nodes: Node[] = [];
  const others = locked.filter((row) => row !== at?.row);
  const full = longest(picture, at ? [at.row, ...others] : others);
  if (!at)
    nodes.push(
      h(
        "p",
        { class: "hint" },
        "Choose a cell: point, tap, or use the arrow keys.",
      ),
    );
  else {
    nodes.push(
      h(
        "p",
        { class: "pair" },
        h("bdi", {}, picture.rows[at.row].label),
        " → ",
        h("bdi", {}, picture.cols[at.col].label),
      ),
      stepList(view, at),
      ...rowBars(picture, at.row, "row", full, view.output),
    );
  }
  for (const row of others)
    nodes.push(...rowBars(picture, row, "lock", full, null));
  return nodes;
}

/** What a bar over the whole width stands for, the same in all rows. */
function longest(picture: Picture, rows: number[]): number {
  const most = rows.map((row) => strongest(picture, row, 1)[0]?.weight ?? 0);
  const largest = Math.max(0, ...most);
  return largest >= 1 ? largest : roundUp(largest) || 1;
}

const number = (x: number): string =>
  Math.abs(x) >= 1000 ? x.toPrecision(4) : x.toFixed(2);

function stepList(view: PanelView, at: { row: number; col: number }) {
  const { source, state, picture, steps } = view;
  const weight = cellText(picture, at.row * picture.cols.length + at.col);
  const lines: [string, string][] = [];
  if (!steps) lines.push(["joined from", "word pieces"]);
  else if (!steps.allowed) lines.push(["mask", "may not look"]);
  else {
    if (steps.score !== null)
      lines.push([source.d_k ? "q·k" : "score", number(steps.score)]);
    if (steps.scaled !== null)
      lines.push([`÷ √${source.d_k}`, number(steps.scaled)]);
    if (state.temperature !== 1 && steps.logit !== null)
      lines.push([`÷ τ ${state.temperature.toFixed(2)}`, number(steps.logit)]);
  }
  const asIs = asGiven(source, state);
  if (steps?.allowed && !asIs && steps.given !== null && source.odd_rows)
    lines.push(["as printed", weightText(steps.given)]);
  const name = asIs ? "weight, as printed" : "weight";
  lines.push([source.weights ? name : "softmax → weight", weight]);
  return h(
    "ol",
    { class: "steps" },
    ...lines.map(([name, value]) => h("li", {}, name, h("b", {}, value))),
  );
}

function rowBars(
  picture: Picture,
  row: number,
  kind: "row" | "lock",
  full: number,
  output: Float64Array | null,
): Node[] {
  const name = h(
    "p",
    { class: `row-name ${kind}` },
    h("bdi", {}, picture.rows[row].label),
    kind === "lock" ? " (locked) looks at" : " looks at",
  );
  const bars = h("div", { class: "bars" });
  const found = strongest(picture, row, BARS);
  if (found.length === 0) name.append(" nothing: every key is masked");
  for (const { col, weight } of found) {
    const bar = h("i");
    bar.style.width = `${((100 * weight) / full).toFixed(1)}%`;
    bars.append(
      h("bdi", {}, picture.cols[col].label),
      h("div", {}, bar),
      h("span", {}, shortWeight(weight)),
    );
  }
  const nodes: Node[] = [name, bars];
  const total = picture.totals?.[row] ?? 1;
  if (isOdd(total)) {
    const text = `This row sums to ${total.toFixed(2)}, not to 1.`;
    nodes.push(h("p", { class: "note" }, text));
  }
  if (output) {
    const numbers = [...output].map((x) => x.toFixed(2)).join(", ");
    nodes.push(h("p", { class: "note" }, `output Σ w·v = [${numbers}]`));
  }
  return nodes;
}
