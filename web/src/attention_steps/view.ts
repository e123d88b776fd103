// AttentionSteps: the one figure of the course, attention step by step.

import { inView } from "../lib/assets.ts";
import { choice, row } from "../lib/controls.ts";
import { h, uniqueId } from "../lib/dom.ts";
import { LIGHT } from "../lib/roles.ts";
import { type Parts, type Tools, widget } from "../lib/shell.ts";
import { s, standalone, svgExports } from "../lib/svg.ts";
import { foldedTable, tableOf } from "../lib/table.ts";
import { createEditor } from "./edit.ts";
import { layOut } from "./layout.ts";
import { type Num, numOf, SOFT, set } from "./marks.ts";
import { type All, createAll } from "./matrix.ts";
import {
  type Answer,
  attend,
  type Further,
  further,
  parse,
  type Reader,
  type Source,
  validators,
} from "./model.ts";
import { createPlayer } from "./player.ts";
import { createScene, type Scene } from "./scene.ts";
import { STYLE } from "./style.ts";
import { NAMES } from "./traits.ts";
import {
  outputSum,
  pieces,
  scaleSum,
  scoreSum,
  sentence,
  short,
  vectorText,
  weightSum,
} from "./words.ts";

const WIDEST = 1000; // units: beyond, letters grow with the picture
const LETTER = 15; // pixels, of the text around
const AROUND = 230; // pixels, of what stands above and below the picture
const LARGE = 1.3; // from this size on height is scarce

export const mount = widget<Reader>("figure", steps);

function steps(tools: Tools<Reader>): Parts<Reader> {
  const [source, start] = parse(tools.raw.source, tools.raw.state);
  const say = h("p", { class: "say", "aria-live": "polite" });
  const picture = createPicture(source);
  const sums = h("p", { class: "sum", id: uniqueId("attn-sum") });
  const player = createPlayer({
    names: source.steps.map((step) => NAMES[step]),
    now: () => tools.state().step,
    go: (step) => tools.change({ step }),
  });
  const box = h(
    "div",
    { class: "figure-box" },
    picture.svg as unknown as HTMLElement,
  );
  const editor = createEditor(box, tools.state, tools.change, tools.say);
  box.append(editor.element);
  const controls = controlsOf(source, tools);
  const body = h(
    "div",
    { class: "figure-body" },
    say,
    box,
    sums,
    player.element,
  );
  const table = foldedTable("Numbers as a table", "scores and weights", () =>
    tableOfRow(source, tools.state(), answer),
  );
  let answer: Answer;
  let after: Further | null;
  let pointed: Num | null = null;

  function showSum() {
    const text = pointed ? sumOf(source, answer, after, pointed) : "";
    const parts = text.split(/\^(−?[\d.]+(?:e\+?\d+)?|−∞)/);
    const shown = parts.map((part, i) => (i % 2 ? h("sup", {}, part) : part));
    const idle = "Point at a number, or tap it, to see where it comes from.";
    sums.replaceChildren(...(text ? [h("b", {}, ...shown)] : [idle]));
  }

  function point(it: Num | null) {
    if (it === pointed) return;
    pointed?.node.classList.remove("hot");
    it?.node.classList.add("hot");
    pointed = it;
    showSum();
  }
  box.addEventListener("pointerover", (event) => point(numOf(event.target)));
  box.addEventListener("pointerleave", () => point(null));
  box.addEventListener("focusin", (event) => {
    const it = numOf(event.target);
    if (it) point(it);
  });
  picture.svg.addEventListener("click", (event) => {
    const asks = asked(event.target);
    if (asks === null) return;
    tools.change(leaveAll(source, tools.state(), asks));
  });
  const walk = createWalk(picture.svg, (target) => {
    const asks = asked(target);
    if (asks !== null) tools.change(leaveAll(source, tools.state(), asks));
    return asks !== null;
  });

  if (source.autoplay && !stillness())
    inView(tools.root).then(() => {
      if (tools.state().step === start.step) player.toggle();
    });

  const names = Object.keys(start).length;
  function draw(state: Reader, changed: Set<keyof Reader>) {
    // All has changed where the shell asks for a new picture: in another
    // width, or another theme.
    const anew = changed.size === names;
    if (anew && picture.fit(box)) pointed = null;
    const turned = (["step", "asks", "head"] as const).some((name) =>
      changed.has(name),
    );
    const stepped = changed.size === 1 && changed.has("step");
    picture.moving(turned && !anew);
    if (!stepped) {
      answer = attend(source, state);
      after = source.layer
        ? further(source, state, Math.max(0, state.asks))
        : null;
    }
    picture.show(state, answer, after, stepped);
    const text = sentence(source, state, answer);
    if (say.dataset.text !== text) {
      say.dataset.text = text;
      say.replaceChildren(
        ...pieces(text).map(({ text: part, role }) =>
          role ? h("b", { "data-role": role }, part) : part,
        ),
      );
    }
    walk.check();
    player.show(state.step);
    controls.show(state);
    table.refresh();
    if (anew || pointed) showSum();
  }

  return {
    title: source.title,
    note: source.note,
    hint: source.vectors
      ? "The arrow keys move through the steps and the numbers."
      : "The numbers of queries, keys and values that are written out can be " +
        "changed: click one and type, or press ↑ and ↓.",
    style: STYLE,
    start,
    valid: validators(source, start),
    controls: controls.element,
    body: [body],
    exports: svgExports(
      tools.raw.name || "attention-steps",
      () => picture.file(source.title),
      () => csvRows(source, attend(source, tools.state())),
      tools.say,
    ),
    footer: [table.element],
    draw,
    measured: body,
  };
}

/** Does the reader want nothing to move? */
const stillness = (): boolean =>
  window.matchMedia("(prefers-reduced-motion: reduce)").matches;

/** The word that a click lets ask, or null. */
const asked = (target: EventTarget | null): number | null => {
  const word = (target as Element | null)?.closest?.("[data-asks]");
  return word ? Number(word.getAttribute("data-asks")) : null;
};

/** Let one word ask; the last step shows all, so it gives way. */
function leaveAll(source: Source, state: Reader, asks: number) {
  const last = source.steps[state.step] === "all";
  return { asks, step: last ? state.step - 1 : state.step };
}

// --- the picture ------------------------------------------------------------
function createPicture(source: Source) {
  const id = uniqueId("attn-hatch");
  const svg = s("svg", {
    role: "group",
    "aria-label": `${source.title}: the picture`,
  });
  const hatch = s(
    "defs",
    {},
    s(
      "pattern",
      {
        id,
        width: 7,
        height: 7,
        patternUnits: "userSpaceOnUse",
        patternTransform: "rotate(45)",
      },
      s("rect", {
        width: 7,
        height: 7,
        fill: "var(--attn-card)",
        "fill-opacity": 0.72,
      }),
      s("rect", { width: 1.6, height: 7, fill: SOFT }),
    ),
  );
  let known = "";
  let one: Scene;
  let all: All | null = null;
  let size = { width: 0, height: 0 };

  /** Build again where the room has changed; says whether it has. */
  function fit(box: HTMLElement): boolean {
    const pixels = box.clientWidth || 640;
    const letter = Number.parseFloat(getComputedStyle(box).fontSize) || LETTER;
    const high = window.innerHeight - AROUND;
    const grown = Math.min(
      pixels / WIDEST,
      high / layOut(source, WIDEST, true).height,
    );
    const unit = Math.max(letter / LETTER, grown);
    if (known === `${pixels} ${unit}`) return false;
    known = `${pixels} ${unit}`;
    const width = pixels / unit;
    const layout = layOut(source, width, unit > LARGE);
    one = createScene(source, layout, `url(#${id})`);
    all =
      source.askers.length > 1
        ? createAll(source, width, layout.height, `url(#${id})`)
        : null;
    size = { width, height: Math.max(layout.height, 0) };
    svg.replaceChildren(hatch, one.node, ...(all ? [all.node] : []));
    return true;
  }

  return {
    svg,
    fit,
    moving(on: boolean) {
      svg.classList.toggle("moving", on);
    },
    show(
      state: Reader,
      answer: Answer,
      after: Further | null,
      stepped: boolean,
    ) {
      const whole =
        all !== null && (state.asks < 0 || source.steps[state.step] === "all");
      const same = stepped && one.node.classList.contains("away") === whole;
      one.node.classList.toggle("away", whole);
      all?.node.classList.toggle("away", !whole);
      if (whole) all?.show(state, answer, same);
      else one.show(state, answer, after, same);
      const height = Math.max(size.height, all?.height ?? 0);
      set(svg, "viewBox", `0 0 ${size.width.toFixed(1)} ${height.toFixed(1)}`);
    },
    /** The picture as a file of its own, in light colours. */
    file(title: string): Element {
      const height = Math.max(size.height, all?.height ?? 0);
      const colours = Object.entries(LIGHT)
        .map(([name, tone]) => `--attn-${name}: ${tone};`)
        .join(" ");
      const inside = [...svg.childNodes].map((node) => node.cloneNode(true));
      return standalone(
        size.width + 20,
        height + 50,
        s("style", {}, `svg { ${colours} } ${STYLE}`),
        s("text", { x: 10, y: 24, "font-weight": 600 }, title),
        s("g", { transform: "translate(10 40)" }, ...inside),
      );
    },
  };
}

// --- keys -------------------------------------------------------------------
const stops = (svg: Element): HTMLElement[] =>
  [...svg.querySelectorAll<HTMLElement>(".stop")].filter(
    (stop) => !stop.closest(".stage.off, .away"),
  );

/** One stop of Tab in the picture, the one used last, and keys to walk. */
function createWalk(
  svg: SVGElement,
  act: (target: EventTarget | null) => boolean,
) {
  let current: Element | null = null;

  function stopAt(stop: Element | null) {
    current?.setAttribute("tabindex", "-1");
    stop?.setAttribute("tabindex", "0");
    current = stop;
  }
  svg.addEventListener("focusin", (event) =>
    stopAt((event.target as Element).closest(".stop")),
  );
  svg.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if ((event.key === "Enter" || event.key === " ") && act(event.target))
      return event.preventDefault();
    const by = { ArrowLeft: -1, ArrowRight: 1, Home: -1e4, End: 1e4 }[
      event.key
    ];
    if (by === undefined) return;
    event.preventDefault();
    const all = stops(svg);
    const at = all.indexOf((event.target as Element).closest(".stop")!);
    all[Math.max(0, Math.min(all.length - 1, at + by))]?.focus();
  });
  return {
    /** Where the last stop is not there any more, take the first. */
    check() {
      const there =
        current?.isConnected && !current.closest(".stage.off, .away");
      if (!there)
        stopAt(
          svg.querySelector(":scope > g:not(.away) > .stage:not(.off) .stop"),
        );
    },
  };
}

// --- words and numbers ------------------------------------------------------
function controlsOf(source: Source, tools: Tools<Reader>) {
  const { askers, heads } = source;
  const all = "all words at once";
  const label = (i: number) => `${i + 1}. ${askers[i]}`;
  return row<Reader>([
    ...(askers.length > 1
      ? [
          choice<Reader>(
            "asks",
            "who asks",
            [...askers.map((_, i) => label(i)), all],
            (state) => (state.asks < 0 ? all : label(state.asks)),
            (chosen) =>
              tools.change({
                asks: chosen === all ? -1 : Number.parseInt(chosen, 10) - 1,
              }),
          ),
        ]
      : []),
    ...(heads > 1
      ? [
          choice<Reader>(
            "head",
            "head",
            Array.from({ length: heads }, (_, i) => String(i + 1)),
            (state) => String(state.head + 1),
            (chosen) => tools.change({ head: Number(chosen) - 1 }),
          ),
        ]
      : []),
  ]);
}

/** How the number that is pointed at came about. */
function sumOf(
  source: Source,
  answer: Answer,
  after: Further | null,
  { role, i, j, label }: Num,
): string {
  const part = (all: Float64Array, size: number) =>
    all.subarray(i * size, (i + 1) * size);
  switch (role) {
    case "score":
      return scoreSum(source, answer, i, j);
    case "logit":
      return scaleSum(source, answer, i, j);
    case "weight":
      return weightSum(source, answer, i, j);
    case "output":
      return j < 0
        ? `${label}: Σ weight · value, ${vectorText(part(answer.output, source.d_v))}`
        : outputSum(source, answer, i, j);
    case "query":
      return given(label, part(answer.query, source.d), j);
    case "key":
      return given(label, part(answer.key, source.d), j);
    case "value":
      return given(label, part(answer.value, source.d_v), j);
    default:
      return after ? layerSum(after, role as keyof Further, j, label) : "";
  }
}

const given = (label: string, values: Float64Array, j: number): string =>
  `${label}: ${j < 0 ? vectorText(values) : short(values[j])}`;

function layerSum(
  after: Further,
  kind: keyof Further,
  j: number,
  label: string,
): string {
  if (j < 0) return given(label, after[kind], j);
  const [x, add, norm, feed, norm2] = [
    after.x,
    after.add,
    after.norm,
    after.feed,
    after.norm2,
  ].map((vector) => short(vector[j]));
  const told = short(after.add[j] - after.x[j]);
  return {
    x: `${label}: ${x}`,
    add: `${x} + ${told} = ${add}`,
    norm: `(${add} − mean) ÷ spread = ${norm}`,
    feed: `${label}: ${feed}`,
    norm2: `${norm} + ${feed}, normalised = ${norm2}`,
  }[kind];
}

/** What one query makes of each word, or the weights of all. */
function tableOfRow(source: Source, state: Reader, answer: Answer) {
  const { tokens, askers } = source;
  const n = tokens.length;
  const share = (c: number) =>
    answer.allowed?.[c] === 0 ? "hidden" : answer.weights[c].toFixed(3);
  if (state.asks < 0)
    return tableOf(
      ["who asks", ...tokens],
      askers.map((asker, i) => [asker, tokens.map((_, j) => share(i * n + j))]),
      "weights",
    );
  const from = state.asks * n;
  return tableOf(
    ["key", "q·k", "÷ √d", "weight"],
    tokens.map((token, j) => [
      token,
      [
        short(answer.scores[from + j]),
        short(answer.logits[from + j]),
        share(from + j),
      ],
    ]),
    `“${askers[state.asks]}” asks`,
  );
}

function csvRows(source: Source, answer: Answer): (string | number)[][] {
  const n = source.tokens.length;
  return [
    ["query", "key", "score", "divided", "weight"],
    ...source.askers.flatMap((asker, i) =>
      source.tokens.map((token, j) => [
        asker,
        token,
        answer.scores[i * n + j],
        answer.logits[i * n + j],
        answer.weights[i * n + j],
      ]),
    ),
  ];
}
