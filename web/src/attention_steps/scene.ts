// One query meets its keys: everything that the steps show, made once for a
// layout.

import { s } from "../lib/svg.ts";
import type { Box, Layout, Slot } from "./layout.ts";
import {
  arrow,
  colour,
  HEAD,
  head,
  num,
  pill,
  place,
  SOFT,
  set,
  tell,
  tenth,
  type Vector,
  vector,
  write,
} from "./marks.ts";
import {
  type Answer,
  type Further,
  largest,
  projections,
  type Reader,
  type Source,
  type Step,
} from "./model.ts";
import { percent, short } from "./words.ts";

/** A part of the picture that shows what a state holds. */
interface Part {
  node: SVGElement;
  show(now: Now): void;
  /** Does it look different in another step? */
  steps?: boolean;
}

/** What a part needs to know. */
export interface Now {
  i: number; // who asks
  answer: Answer;
  after: Further | null;
  reached(step: Step): boolean;
}

export interface Scene {
  node: SVGElement;
  /** `stepped`: nothing but the step has changed since the last time. */
  show(
    state: Reader,
    answer: Answer,
    after: Further | null,
    stepped: boolean,
  ): void;
}

const middle = (box: Box): number => box.x + box.w / 2;
const low = (box: Box): number => box.y + box.h;

export function createScene(
  source: Source,
  layout: Layout,
  hatch: string,
): Scene {
  const editable = source.vectors === null;
  const stage = (step: Step, parts: Part[]) => ({
    step,
    parts,
    late: true,
    node: s("g", { class: `stage ${step}` }, ...parts.map((p) => p.node)),
  });
  const each = (make: (slot: Slot, j: number) => Part): Part[] =>
    layout.slots.map(make);
  const planes = planesOf(source, layout);
  const stages = [
    stage("words", [askersOf(source, layout), ...each(wordOf(source, layout))]),
    stage("scores", each(arcOf(source, layout))),
    stage("query", [queryOf(source, layout, editable)]),
    stage("scores", [...each(keyOf(source, layout, editable)), planes]),
    stage("scores", each(scoreOf(source))),
    stage("scale", each(logitOf(source))),
    stage("softmax", each(shareOf(source, layout))),
    stage("values", each(valuesOf(source, layout, editable))),
    stage("output", [...each(mixOf(layout)), outputOf(source, layout)]),
    ...afterOf(source, layout).map(([step, part]) => stage(step, [part])),
    ...(source.mask
      ? [stage("mask", each(hatchOf(source, layout, hatch)))]
      : []),
  ];
  const band = s("rect", { class: "band", rx: 8, x: 0, width: layout.width });
  const names = layout.names.map(({ role, text, step, y }) => ({
    step,
    node: s("text", { x: 8, y, class: "name", fill: colour(role) }, text),
  }));
  const ghosts = ghostsOf(source, layout);
  const node = s(
    "g",
    { class: "one" },
    band,
    ...names.map((name) => name.node),
    ...ghosts.map((ghost) => ghost.node),
    ...stages.map((one) => one.node),
  );
  return {
    node,
    show(state, answer, after, stepped) {
      const step = source.steps[state.step];
      const reached = (name: Step) => {
        const at = source.steps.indexOf(name);
        return at >= 0 && at <= state.step;
      };
      const now = { i: Math.max(0, state.asks), answer, after, reached };
      for (const one of stages) {
        const on = reached(one.step);
        one.node.classList.toggle("off", !on);
        // What can't be seen is brought up to date when it comes.
        const all = !stepped || one.late;
        one.late = !on && all;
        if (!on) continue;
        for (const part of one.parts) if (all || part.steps) part.show(now);
      }
      for (const ghost of ghosts)
        ghost.node.classList.toggle("off", reached(ghost.step));
      for (const name of names) {
        name.node.classList.toggle("now", name.step === step);
        name.node.classList.toggle("later", !reached(name.step as Step));
      }
      const [top, bottom] = layout.bands[step] ?? [0, 0];
      set(band, "y", top);
      set(band, "height", bottom - top);
    },
  };
}

// --- words, and who looks at whom -------------------------------------------
/** The words that ask, where they stand apart. */
function askersOf(source: Source, layout: Layout): Part {
  const apart = layout.askers.map((box, i) => {
    const made = pill(box, source.askers[i]);
    if (layout.kind === "columns") mayAsk(made.node, source, i);
    return made;
  });
  return {
    node: s("g", {}, ...apart.map(({ node }) => node)),
    show({ i }) {
      if (layout.kind !== "columns") {
        apart[0].node.classList.add("asks");
        write(apart[0].text, source.askers[i].slice(0, 10));
      } else
        apart.forEach(({ node }, other) => {
          asksNow(node, other === i);
        });
    },
  };
}

const wordOf = (source: Source, layout: Layout) => (slot: Slot, j: number) => {
  const asker = source.at?.indexOf(j) ?? -1;
  const { node } = pill(slot.word, source.tokens[j]);
  const chosen = source.at !== null && layout.kind !== "columns";
  if (asker >= 0) mayAsk(node, source, asker);
  return {
    node,
    show({ i }: Now) {
      asksNow(node, asker === i && (asker >= 0 || chosen));
    },
  };
};

/** A word that can be chosen to ask. */
function mayAsk(node: SVGElement, source: Source, i: number): void {
  if (source.askers.length < 2) return;
  node.classList.add("stop");
  set(node, "role", "button");
  set(node, "tabindex", -1);
  set(node, "data-asks", i);
  set(node, "aria-label", `let “${source.askers[i]}” ask`);
}

function asksNow(node: SVGElement, on: boolean): void {
  node.classList.toggle("asks", on);
  if (node.hasAttribute("data-asks")) set(node, "aria-pressed", String(on));
}

/** From the word that looks to the word that it looks at. */
const arcOf =
  (source: Source, layout: Layout) =>
  (slot: Slot, j: number): Part => {
    const path = s("path", { fill: "none", "stroke-linecap": "butt" });
    const tip = s("path", { d: HEAD });
    let from = -1; // for whom the way is drawn
    let to = { d: "", x: 0, y: 0, angle: 0 };
    return {
      node: s("g", { class: "arc" }, path, tip),
      steps: true,
      show({ i, answer, reached }) {
        const c = i * source.tokens.length + j;
        const hidden = reached("mask") && answer.allowed?.[c] === 0;
        const known = reached("softmax");
        const weight = known ? answer.weights[c] : 0;
        if (from !== i) to = arcTo(source, layout, slot, i, j);
        from = i;
        set(path, "d", to.d);
        set(path, "stroke-width", (known ? 0.8 + 11 * weight : 1.1).toFixed(2));
        set(tip, "transform", head(to.x, to.y, to.angle, 3.4 + 4 * weight));
        for (const [mark, name] of [
          [path, "stroke"],
          [tip, "fill"],
        ] as const)
          set(mark, name, known ? colour("weight") : SOFT);
        set(path, "opacity", hidden ? 0 : known ? 0.35 + 0.65 * weight : 0.5);
        set(tip, "opacity", hidden ? 0 : 1);
      },
    };
  };

function arcTo(
  source: Source,
  layout: Layout,
  slot: Slot,
  i: number,
  j: number,
) {
  const { query, bend, kind } = layout;
  const { word } = slot;
  if (kind !== "columns") {
    const [x, y] = [word.x - 1, word.y + word.h / 2];
    const d = `M${bend} 35V${y - 12}Q${bend} ${y} ${x - 5} ${y}`;
    return { d, x, y, angle: 0 };
  }
  const from = query[i];
  const x = middle(word);
  if (source.at === null) {
    const start = low(from) + 3;
    const y = word.y - 2;
    const d = `M${middle(from)} ${start}C${middle(from)} ${bend} ${x} ${bend} ${x} ${y - 5}`;
    return { d, x, y, angle: 90 };
  }
  if (source.at[i] === j) {
    const out = Math.max(from.x + from.w, word.x + word.w);
    const y = word.y + word.h / 2;
    const d = `M${from.x + from.w + 2} ${from.y + 12}C${out + 15} ${from.y + 8} ${out + 17} ${y} ${word.x + word.w + 7} ${y}`;
    return { d, x: word.x + word.w + 2, y, angle: 180 };
  }
  const y = word.y - 2;
  const start = from.y - 3;
  const span = Math.min(1, 0.3 + Math.abs(x - middle(from)) / layout.width);
  const top = start - 1.3 * span * (start - bend);
  const d = `M${middle(from).toFixed(1)} ${start}C${middle(from).toFixed(1)} ${top.toFixed(1)} ${x.toFixed(1)} ${top.toFixed(1)} ${x.toFixed(1)} ${y - 5}`;
  return { d, x, y, angle: 90 };
}

// --- query, keys, scores ----------------------------------------------------
function queryOf(source: Source, layout: Layout, editable: boolean): Part {
  const { d } = source;
  const box = layout.query[0];
  const one = vector({
    role: "query",
    count: d,
    box,
    cells: layout.cells.query,
    editable,
  });
  return {
    node: one.node,
    show({ i, answer }) {
      const { x, y } = layout.query[i];
      place(one.node, x, y);
      const values = answer.query.subarray(i * d, (i + 1) * d);
      one.show(values, answer.top.query, i, `“${source.askers[i]}”`);
    },
  };
}

const keyOf =
  (source: Source, layout: Layout, editable: boolean) =>
  ({ key }: Slot, j: number): Part => {
    const { d, tokens } = source;
    const cells = layout.cells.key;
    const one = vector({
      role: "key",
      row: j,
      count: d,
      box: key,
      cells,
      editable,
    });
    return {
      node: one.node,
      show({ answer }) {
        const values = answer.key.subarray(j * d, (j + 1) * d);
        one.show(values, answer.top.key, j, `“${tokens[j]}”`);
      },
    };
  };

/** For each key how far it reaches along the query. */
function planesOf(source: Source, layout: Layout): Part {
  const { d, tokens } = source;
  const drawings = layout.slots.map(({ plane }) => {
    const line = (stroke: string, width: number) =>
      s("path", { stroke, fill: stroke, "stroke-width": width });
    const marks = {
      reach: line(colour("key"), 7),
      drop: line(SOFT, 1),
      query: line(colour("query"), 2),
      key: line(colour("key"), 2),
    };
    set(marks.reach, "opacity", 0.4);
    set(marks.drop, "stroke-dasharray", "2 2");
    const node = s("g", { class: "plane" }, ...Object.values(marks));
    place(node, plane.x, plane.y);
    return { node, marks };
  });
  return {
    node: s(
      "g",
      { "aria-hidden": "true" },
      ...drawings.map(({ node }) => node),
    ),
    show({ i, answer }) {
      const n = tokens.length;
      const { length, keys } = projections(
        answer.query.subarray(i * d, (i + 1) * d),
        answer.key,
        answer.scores.subarray(i * n, (i + 1) * n),
      );
      const left = Math.min(0, ...keys.map(({ along }) => along));
      const right = Math.max(length, ...keys.map(({ along }) => along));
      const high = Math.max(...keys.map(({ across }) => across), 1e-9);
      drawings.forEach(({ marks }, j) => {
        const { w, h } = layout.slots[j].plane;
        const unit = Math.min(
          (w - 10) / Math.max(right - left, 1e-9),
          (h - 12) / high,
        );
        const x = (w - (right - left) * unit) / 2 - left * unit;
        const y = h - 6;
        const { along, across } = keys[j];
        const foot = tenth(x + along * unit);
        const tip = tenth(y - across * unit);
        set(marks.reach, "d", `M${tenth(x)} ${y}H${foot}`);
        set(marks.drop, "d", `M${foot} ${tip}V${y}`);
        set(marks.query, "d", arrow(x, y, x + length * unit, y));
        set(marks.key, "d", arrow(x, y, foot, tip));
      });
    },
  };
}

/** A computed number: a text that can be pointed at. */
function figure(role: string, j: number, box: Box, label: string) {
  const touch = s("rect", {
    x: box.x,
    y: box.y,
    width: box.w,
    height: box.h,
    rx: 4,
    class: "touch",
  });
  const text = s("text", { class: "figure", x: middle(box), y: box.y + 13 });
  const it = num(role, 0, j, label, false, touch, text);
  return {
    it,
    node: it.node,
    text,
    show(i: number, x: string, said: string) {
      it.i = i;
      write(text, x);
      tell(it, null, said);
    },
  };
}

/** The line of the score, or of what it is after division. */
function scoreLine({ score }: Slot, line: 0 | 1): Box {
  const half = score.w / 2;
  return score.h < 30
    ? { ...score, x: score.x + line * half, w: half }
    : { ...score, y: score.y + (line * score.h) / 2, h: score.h / 2 };
}

const scoreOf =
  (source: Source) =>
  (slot: Slot, j: number): Part => {
    const box = scoreLine(slot, 0);
    const one = figure("score", j, box, `score of “${source.tokens[j]}”`);
    const before = box.w > 92 || slot.score.h < 30 ? "q·k = " : "";
    return {
      node: one.node,
      show({ i, answer }) {
        const text = short(answer.scores[i * source.tokens.length + j]);
        one.show(i, before + text, text);
      },
    };
  };

const logitOf =
  (source: Source) =>
  (slot: Slot, j: number): Part => {
    const box = scoreLine(slot, 1);
    const label = `divided score of “${source.tokens[j]}”`;
    const one = figure("logit", j, box, label);
    one.text.classList.add("strong");
    const root = short(Math.sqrt(source.d_k));
    const before = box.w > 118 || slot.score.h < 30 ? `÷ ${root} = ` : "";
    return {
      node: one.node,
      show({ i, answer }) {
        const text = short(answer.logits[i * source.tokens.length + j]);
        one.show(i, before + text, text);
      },
    };
  };

/** What may not be looked at is hatched. */
const hatchOf =
  (source: Source, { kind, width }: Layout, hatch: string) =>
  ({ plane, score, bar, word, value }: Slot, j: number): Part => {
    const box =
      kind === "columns"
        ? { x: score.x + 3, y: plane.y, w: score.w - 6, h: low(bar) - plane.y }
        : kind === "cards"
          ? { x: bar.x, y: word.y, w: width - bar.x - 14, h: WORD_HEIGHT }
          : {
              x: plane.x,
              y: word.y - 2,
              w: value.x - plane.x - 4,
              h: WORD_HEIGHT + 4,
            };
    const lines = s("rect", {
      x: box.x,
      y: box.y,
      width: box.w,
      height: box.h,
      rx: 6,
      fill: hatch,
      stroke: SOFT,
      "stroke-opacity": 0.5,
      class: "hatch",
    });
    const inside = kind === "columns" ? bar : box;
    const at = { x: middle(box), y: inside.y + inside.h / 2 + 4.5 };
    const text = s("text", { ...at, class: "figure hidden-word" }, "hidden");
    const node = s("g", {}, lines, text);
    return {
      node,
      show({ i, answer }) {
        const open = answer.allowed?.[i * source.tokens.length + j] !== 0;
        set(node, "opacity", open ? 0 : 1);
      },
    };
  };
const WORD_HEIGHT = 30;

// --- weights, values, output ------------------------------------------------
/** Where the bars end: few words share one whole, many a part of it. */
const topOf = (weights: Float64Array): number => {
  const most = Math.max(...weights);
  return weights.length <= 4 ? 1 : ([0.25, 0.5].find((t) => most <= t) ?? 1);
};

const shareOf =
  (source: Source, { kind }: Layout) =>
  ({ bar, share }: Slot, j: number): Part => {
    const n = source.tokens.length;
    const upright = kind === "columns";
    const whole = s("rect", {
      x: bar.x,
      y: bar.y,
      width: bar.w,
      height: bar.h,
      rx: 4,
      fill: colour("weight"),
      "fill-opacity": 0.08,
    });
    const filled = s("rect", {
      class: upright ? "bar" : "bar flat",
      x: bar.x,
      y: bar.y,
      width: bar.w,
      height: bar.h,
      rx: 4,
      fill: colour("weight"),
    });
    const text = s("text", { class: "figure strong share", x: middle(share) });
    const label = `weight of “${source.tokens[j]}”`;
    const it = num("weight", 0, j, label, false, whole, filled, text);
    return {
      node: it.node,
      show({ i, answer }) {
        const weight = answer.weights[i * n + j];
        const row = answer.weights.subarray(i * n, (i + 1) * n);
        const part = weight / topOf(row);
        const open = answer.allowed?.[i * n + j] !== 0;
        if (upright) {
          set(filled, "y", (low(bar) - part * bar.h).toFixed(1));
          set(filled, "height", (part * bar.h).toFixed(1));
          set(text, "y", (low(bar) - part * bar.h - 5).toFixed(1));
        } else {
          set(filled, "width", (part * bar.w).toFixed(1));
          set(text, "y", share.y);
        }
        it.i = i;
        write(text, open ? percent(weight) : "");
        tell(it, null, open ? percent(weight) : "hidden");
      },
    };
  };

const valuesOf =
  (source: Source, layout: Layout, editable: boolean) =>
  ({ value }: Slot, j: number): Part => {
    const { d_v, tokens } = source;
    const n = tokens.length;
    const one = vector({
      role: "value",
      row: j,
      count: d_v,
      box: value,
      cells: layout.cells.value,
      editable,
    });
    return {
      node: one.node,
      show({ i, answer }) {
        const values = answer.value.subarray(j * d_v, (j + 1) * d_v);
        const row = answer.weights.subarray(i * n, (i + 1) * n);
        const most = Math.max(...row, 1e-9);
        one.show(values, answer.top.value, j, `“${tokens[j]}”`, row[j] / most);
      },
    };
  };

const mixOf =
  (layout: Layout) =>
  ({ value }: Slot, j: number): Part => {
    const node = s("path", {
      class: "mix",
      fill: "none",
      stroke: colour("value"),
    });
    let into = -1; // for whom the way is drawn
    return {
      node,
      show({ i, answer }) {
        const weight = answer.weights[i * layout.slots.length + j];
        if (into !== i)
          set(node, "d", mixPath(layout, value, layout.output[i]));
        into = i;
        set(
          node,
          "stroke-width",
          (weight > 0 ? 0.6 + 11 * weight : 0).toFixed(2),
        );
      },
    };
  };

function mixPath({ kind, width }: Layout, from: Box, to: Box): string {
  if (kind === "columns") {
    const [x, y] = [middle(from), low(from) + 3];
    const turn = (y + to.y) / 2 + 4;
    return `M${x.toFixed(1)} ${y}C${x.toFixed(1)} ${turn} ${middle(to).toFixed(1)} ${turn - 8} ${middle(to).toFixed(1)} ${to.y - 3}`;
  }
  const [x, y] = [from.x + from.w + 3, from.y + from.h / 2];
  const end = to.y + to.h / 2;
  const edge = width - 8;
  return `M${x.toFixed(1)} ${y}C${edge} ${y} ${edge} ${y} ${edge} ${y + 14}V${end - 14}C${edge} ${end} ${edge} ${end} ${(to.x + to.w + 3).toFixed(1)} ${end}`;
}

function outputOf(source: Source, layout: Layout): Part {
  const { d_v } = source;
  const one = vector({
    role: "output",
    count: d_v,
    box: layout.output[0],
    cells: layout.cells.output,
    editable: false,
  });
  return {
    node: s("g", { class: "settle" }, one.node),
    show({ i, answer }) {
      const { x, y } = layout.output[i];
      place(one.node, x, y);
      const values = answer.output.subarray(i * d_v, (i + 1) * d_v);
      one.show(values, answer.top.value, i, `“${source.askers[i]}”`);
    },
  };
}

/** What follows in a layer: each with the step that shows it. */
function afterOf(source: Source, layout: Layout): [Step, Part][] {
  if (!source.layer) return [];
  const count = source.layer.x.shape[1];
  const kinds = ["x", "add", "norm", "feed", "norm2"] as const;
  return kinds.map((kind, r) => {
    const one: Vector = vector({
      role: kind === "x" ? "ink" : "output",
      what: AFTER[kind],
      count,
      box: layout.further[0][r],
      cells: layout.cells.layer,
      editable: false,
    });
    for (const it of one.nums) it.role = kind;
    const part = {
      node: one.node,
      show({ i, after }: Now) {
        if (!after) return;
        const { x, y } = layout.further[i][r];
        place(one.node, x, y);
        const values = after[kind];
        one.show(values, largest(values), i, `“${source.askers[i]}”`);
      },
    };
    return [kind === "x" ? "add" : kind, part];
  });
}
const AFTER = {
  x: "what was before",
  add: "sum",
  norm: "normalised sum",
  feed: "feed-forward part",
  norm2: "end of the layer",
};

// --- what is still to come --------------------------------------------------
function ghostsOf(source: Source, layout: Layout) {
  const frame = ({ x, y, w, h }: Box) =>
    s("rect", { x, y, width: w, height: h, rx: 5, class: "ghost" });
  const ghost = (step: Step, boxes: Box[]) => ({
    step,
    node: s("g", { class: "ghosts" }, ...boxes.map(frame)),
  });
  return [
    ghost(
      "scores",
      layout.slots.map(({ key }) => key),
    ),
    ghost(
      "softmax",
      layout.slots.map(({ bar }) => bar),
    ),
    ghost(
      "values",
      layout.slots.map(({ value }) => value),
    ),
    ...(source.askers.length === 1
      ? [ghost("query", layout.query), ghost("output", layout.output)]
      : []),
  ];
}
