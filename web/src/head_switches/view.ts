// HeadSwitches: switch heads of a small model off, see its recorded loss.
import { axes, type Frame, frameIn, quarters, round } from "../lib/chart.ts";
import { DARK_INK, type Ink, LIGHT_INK } from "../lib/colours.ts";
import { type Control, pick, row, toggle } from "../lib/controls.ts";
import { h, uniqueId } from "../lib/dom.ts";
import { button, type Parts, type Tools, widget } from "../lib/shell.ts";
import { s, size, standalone, svgExports } from "../lib/svg.ts";
import { foldedTable, tableOf } from "../lib/table.ts";
import {
  defaults,
  parseSource,
  type Reader,
  ranked,
  SHOWN,
  sizeOf,
  validators,
  valuesOf,
} from "./model.ts";

const STYLE = `
.switches { display: grid; gap: .3rem; margin: 0 0 .6rem; }
.switches div { display: flex; flex-wrap: wrap; gap: .3rem; align-items: center; }
.switches button { min-width: 2.6rem; min-height: 32px; }
.switches [aria-pressed=true] { background: var(--lock); border-color: var(--lock); color: var(--field); font-weight: 600; }
.switches [aria-pressed=false] { border-style: dashed; text-decoration: line-through; color: var(--muted); }
.chart svg { max-width: 100%; display: block; cursor: pointer; }
.said { margin: .2rem 0 .5rem; border-left: 4px solid var(--accent); padding-left: .5rem; }
.facts { overflow-x: auto; margin-bottom: .6rem; }
.facts th:first-child { text-align: left; }
.present .both { display: grid; grid-template-columns: 1fr 400px; gap: 16px; }
`;
// How wide the dots of one number of heads may spread.
const SPREAD = 0.74;
const POWERS = [0.01, 0.1, 1, 10, 100];

export const mount = widget<Reader>("head switches", headSwitches);

function headSwitches(tools: Tools<Reader>): Parts<Reader> {
  const source = parseSource(tools.raw.source);
  const { layers, heads } = source;
  const total = layers * heads;
  const whole = 2 ** total - 1;
  const { state, change } = tools;

  // --- controls ---------------------------------------------------------
  const offer = (
    name: keyof Reader & string,
    label: string,
    options: readonly string[],
  ) => (options.length > 1 ? [pick<Reader>(name, label, options, change)] : []);
  const log = toggle<Reader>(
    "log",
    "logarithmic",
    (now) => now.log,
    (on) => change({ log: on }),
  );
  const controls = row<Reader>([
    ...offer("way", "a head that is off gives", source.ways),
    ...offer("test", "sentences", source.tests),
    ...offer("seed", "training", source.seeds),
    ...offer("show", "show", SHOWN),
    log,
  ]);

  const switches: Control<Reader>[] = Array.from({ length: total }, (_, i) => {
    const [layer, head] = [Math.floor(i / heads) + 1, (i % heads) + 1];
    const element = button(String(head), () =>
      change({ subset: state().subset ^ (1 << i) }),
    );
    element.setAttribute("aria-label", `layer ${layer}, head ${head}`);
    return {
      element,
      show: ({ subset }) =>
        element.setAttribute("aria-pressed", String(isOn(subset, i))),
    };
  });
  const board = h(
    "div",
    { class: "switches", role: "group", "aria-label": "Heads that are on" },
    ...Array.from({ length: layers }, (_, l) =>
      h(
        "div",
        {},
        h("span", {}, `layer ${l + 1}, heads`),
        ...switches
          .slice(l * heads, (l + 1) * heads)
          .map(({ element }) => element),
      ),
    ),
  );
  const jump = (label: string, to: () => number) =>
    button(label, () => change({ subset: to() }));
  const jumps = [
    jump("All on", () => whole),
    jump("Best of this size", () => peers()[0]),
    jump("Worst of this size", () => peers().at(-1)!),
  ];

  // --- what follows from the state --------------------------------------
  const values = () => valuesOf(source, state(), state().show);
  const peers = () => ranked(values(), sizeOf(state().subset), state().show);

  /** The heads that are on, as “1.2 1.4 2.1”: layer, then head. */
  function naming(subset: number): string {
    const on = Array.from({ length: total }, (_, i) => i).filter((i) =>
      isOn(subset, i),
    );
    if (on.length === 0) return "none";
    if (on.length === total) return "all";
    return on
      .map((i) => `${Math.floor(i / heads) + 1}.${(i % heads) + 1}`)
      .join(" ");
  }

  /** Few that are off are quicker read than many that are on. */
  function shortly(subset: number): string {
    const off = total - sizeOf(subset);
    return off === 0 || off > 2 || total - off <= off
      ? naming(subset)
      : `all but ${naming(whole ^ subset)}`;
  }

  function sentence(): string {
    const { subset, way, show } = state();
    const size = sizeOf(subset);
    const same = peers();
    const value = values()[subset];
    // Subsets that are equally good share the better rank.
    const rank = same.findIndex((other) => values()[other] === value) + 1;
    const place =
      same.length === 1
        ? ""
        : `, number ${rank} of ${same.length} such subsets`;
    const off = size === total ? "" : ` The other ${total - size} give ${way}.`;
    return `${size} of ${total} heads are on: ${show} ${round(value)}${place}.${off} Recorded.`;
  }

  /** The subset, the best and the worst of its size, and the whole model. */
  function facts(): HTMLTableElement {
    const { subset, show } = state();
    // Of the whole model there is one; beside it stand those that lack a head.
    const size = Math.min(sizeOf(subset), total - 1);
    const same = ranked(values(), size, show);
    const line = (
      name: string,
      chosen: number,
      ofSeed: (seed: number) => number,
    ): [string, string[]] => [
      name,
      [
        shortly(chosen),
        ...SHOWN.map((measure) =>
          round(valuesOf(source, state(), measure)[chosen]),
        ),
        spread(
          source.seeds.map(
            (_, seed) => valuesOf(source, state(), show, seed)[ofSeed(seed)],
          ),
        ),
      ],
    ];
    const spread = (all: number[]) =>
      `${round(Math.min(...all))} to ${round(Math.max(...all))}`;
    const ends = (place: number) => (seed: number) =>
      ranked(valuesOf(source, state(), show, seed), size, show).at(place)!;
    const plural = size === 1 ? "head" : "heads";
    return tableOf(
      ["heads on", "which", ...SHOWN, `${show}, all trainings`],
      [
        line("chosen", subset, () => subset),
        line(`best ${size} ${plural}`, same[0], ends(0)),
        line(`worst ${size} ${plural}`, same.at(-1)!, ends(-1)),
        line("whole model", whole, () => whole),
      ],
    );
  }

  /** For each number of heads the best and the worst subset. */
  function bySize(): HTMLTableElement {
    const { show, way, test } = state();
    return tableOf(
      ["heads on", "subsets", "best", `its ${show}`, "worst", `its ${show}`],
      Array.from({ length: total + 1 }, (_, size) => {
        const same = ranked(values(), size, show);
        const [best, worst] = [same[0], same.at(-1)!];
        const cells = [
          String(same.length),
          ...[best, worst].flatMap((one) => [
            naming(one),
            round(values()[one]),
          ]),
        ];
        return [String(size), cells];
      }),
      `${show}, ${test}, off heads give ${way}, ${state().seed}`,
    );
  }

  // --- the chart --------------------------------------------------------
  const label = uniqueId("subsets");
  const caption = h("p", { class: "hidden", id: label });
  const svg = s("svg", { role: "img", "aria-labelledby": label });
  const said = h("p", { class: "said", role: "status", part: "readout" });
  const chart = h("div", { class: "chart" }, caption);
  chart.append(svg);
  const factsBox = h("div", {
    class: "facts",
    part: "readout",
    tabindex: 0,
    role: "region",
    "aria-label": "The chosen heads beside others",
  });
  const body = h(
    "div",
    { class: "both" },
    h("div", {}, chart),
    h("div", {}, said, factsBox),
  );
  const table = foldedTable(
    "Best and worst of every size",
    `${source.title}: table`,
    bySize,
  );

  const frame = () => frameIn(chart, tools.room());
  const isLog = () => state().log && state().show === "loss";

  function places(box: Frame) {
    const { show } = state();
    const end = show === "loss" ? 4 * Math.ceil(Math.max(...values()) / 4) : 1;
    const inner = box.width - box.left - box.right;
    const tall = box.height - box.top - box.bottom;
    const base = box.height - box.bottom;
    const step = inner / (total + 1);
    const [least] = POWERS;
    const scale = (value: number) =>
      isLog()
        ? Math.log(Math.max(value, least) / least) / Math.log(end / least)
        : value / end;
    return {
      x: (size: number) => box.left + (size + 0.5) * step,
      y: (value: number) => base - scale(value) * tall,
      step,
      yTicks: isLog() ? POWERS.filter((p) => p <= end) : quarters(end),
    };
  }

  /** Where each subset's dot lies: sizes side by side, the best leftmost. */
  function dots(box: Frame): [x: number, y: number][] {
    const { x, y, step } = places(box);
    const found: [number, number][] = [];
    for (let size = 0; size <= total; size++) {
      const same = ranked(values(), size, state().show);
      same.forEach((subset, i) => {
        const aside = same.length > 1 ? i / (same.length - 1) - 0.5 : 0;
        found[subset] = [x(size) + SPREAD * step * aside, y(values()[subset])];
      });
    }
    return found;
  }

  function drawing(box: Frame, ink: Ink): SVGElement[] {
    const { x, y, yTicks } = places(box);
    const all = dots(box);
    const { subset } = state();
    const level = y(values()[whole]);
    const [cx, cy] = all[subset];
    const ring = { cx, cy, r: 7, fill: "none" };
    const sizes = Array.from({ length: total + 1 }, (_, i) => i);
    const frame = { box, x, y, xTicks: sizes, yTicks };
    return [
      ...axes({ ...frame, label: "heads that are on" }, ink),
      s(
        "text",
        { x: box.left, y: 10, fill: ink.muted, "font-size": 13 },
        `${state().show} ↑`,
      ),
      s("path", {
        d: `M${box.left} ${level}H${box.width - box.right}`,
        stroke: ink.muted,
        "stroke-dasharray": "5 4",
      }),
      ...all.map(([dx, dy]) =>
        s("circle", {
          cx: dx.toFixed(1),
          cy: dy.toFixed(1),
          r: 3,
          fill: ink.marks[0],
          "fill-opacity": 0.6,
        }),
      ),
      s("circle", { ...ring, stroke: "#ffffff", "stroke-width": 5 }),
      s("circle", { ...ring, stroke: ink.accent, "stroke-width": 3 }),
      s("circle", { cx, cy, r: 3, fill: ink.accent }),
    ];
  }

  svg.addEventListener("click", (event) => {
    const { clientX, clientY } = event as MouseEvent;
    const box = frame();
    const rect = svg.getBoundingClientRect();
    const unit = box.width / rect.width;
    const [x, y] = [clientX - rect.left, clientY - rect.top];
    const far = dots(box).map(([a, b]) =>
      Math.hypot(a - x * unit, b - y * unit),
    );
    change({ subset: far.indexOf(Math.min(...far)) });
  });

  const words = () => {
    const { show, test, way, seed } = state();
    return `${show} on ${test} against the number of heads that are on; the others give ${way}; ${seed}`;
  };

  function picture() {
    const box = frame();
    return standalone(
      box.width,
      box.height + 90,
      s("text", { x: 10, y: 20, "font-weight": 600 }, source.title),
      s("text", { x: 10, y: 40 }, words()),
      s(
        "text",
        { x: 10, y: 60 },
        `On: ${naming(state().subset)}. ${sentence()}`,
      ),
      s("g", { transform: "translate(0 75)" }, ...drawing(box, LIGHT_INK)),
    );
  }

  const rows = () => [
    ["training", "off", "test", "subset", "heads_on", "which", ...SHOWN],
    ...source.seeds.flatMap((seed) =>
      source.ways.flatMap((way) =>
        source.tests.flatMap((test) => {
          const picked = { ...state(), seed, way, test };
          const [loss, accuracy] = SHOWN.map((name) =>
            valuesOf(source, picked, name),
          );
          return [...loss].map((value, c) => [
            seed,
            way,
            test,
            c,
            sizeOf(c),
            naming(c),
            value,
            accuracy[c],
          ]);
        }),
      ),
    ),
  ];

  return {
    title: source.title,
    note: source.note,
    hint:
      "Each dot is one subset of heads, the best of a size to the left; the " +
      "ring marks the chosen one, the dashed line the whole model. Press a " +
      "head, or pick a dot. Another training has other heads: number 1 of " +
      "one is not number 1 of the next.",
    style: STYLE,
    start: defaults(source),
    valid: validators(source),
    primary: board,
    controls: controls.element,
    body: [body],
    buttons: jumps,
    exports: svgExports(tools.raw.name || "switches", picture, rows, tools.say),
    footer: [table.element],
    draw(now, _changed, dark) {
      controls.show(now);
      for (const one of switches) one.show(now);
      log.element.hidden = now.show !== "loss";
      const box = frame();
      size(svg, box.width, box.height);
      svg.replaceChildren(...drawing(box, dark ? DARK_INK : LIGHT_INK));
      caption.textContent = `${words()}. The numbers stand in the tables.`;
      said.textContent = sentence();
      factsBox.replaceChildren(facts());
      table.refresh();
    },
    measured: chart,
  };
}

const isOn = (subset: number, i: number): boolean => ((subset >> i) & 1) === 1;
