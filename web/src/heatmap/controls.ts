// The controls of the heatmap: which there are depends on the data.
import { h } from "../lib/dom.ts";
import {
  hasPieces,
  hasSpecial,
  type Reader,
  type Source,
  TEMPERATURES,
} from "./state.ts";

export interface Controls {
  element: HTMLElement;
  /** Make every control show this state. */
  show(state: Reader): void;
}

type Change = (changes: Partial<Reader>) => void;
type Control = { element: HTMLElement; show(state: Reader): void };

const [COLDEST, HOTTEST] = TEMPERATURES;
const MANY_LABELS = 24;

export function createControls(
  source: Source,
  wanted: string[] | null,
  change: Change,
): Controls {
  const offered: [string, boolean, () => Control[]][] = [
    ["pickers", true, () => pickers(source, change)],
    ["temperature", true, () => [temperature(source, change)]],
    [
      "scaled",
      source.d_k !== null && !source.weights,
      () => [toggle("scaled", `divide by √d (d = ${source.d_k})`, change)],
    ],
    [
      "causal",
      source.query_tokens.length === source.key_tokens.length,
      () => [toggle("causal", "causal mask", change)],
    ],
    ["threshold", true, () => [threshold(change)]],
    [
      "hide_special",
      hasSpecial(source),
      () => [toggle("hide_special", "hide special tokens", change)],
    ],
    [
      "merge_words",
      hasPieces(source),
      () => [toggle("merge_words", "join word pieces", change)],
    ],
  ];
  const made = offered
    .filter(([name, fits]) => fits && (wanted?.includes(name) ?? true))
    .flatMap(([, , make]) => make());
  return {
    element: h("div", { class: "controls" }, ...made.map((c) => c.element)),
    show(state) {
      for (const control of made) control.show(state);
    },
  };
}

function pickers(source: Source, change: Change): Control[] {
  return source.axes
    .filter(({ labels }) => labels.length > 1)
    .map(({ name, labels }) => {
      const pick = (i: number) => change({ selection: { [name]: labels[i] } });
      return labels.length > MANY_LABELS || name === "step"
        ? slider({
            label: name,
            range: [0, labels.length - 1, 1],
            read: (state) => labels.indexOf(state.selection[name]),
            words: (i) => labels[i],
            write: pick,
          })
        : choice(name, labels, pick);
    });
}

function choice(
  name: string,
  labels: string[],
  pick: (i: number) => void,
): Control {
  const select = h(
    "select",
    { "data-control": `axis.${name}` },
    ...labels.map((label) => h("option", { value: label }, label)),
  );
  select.addEventListener("change", () => pick(select.selectedIndex));
  return {
    element: h("label", {}, name, select),
    show(state) {
      select.value = state.selection[name];
    },
  };
}

function temperature(source: Source, change: Change): Control {
  const span = Math.log(HOTTEST / COLDEST);
  return slider({
    label: source.weights ? "temperature τ (on log-weights)" : "temperature τ",
    control: "temperature",
    range: [0, 200, 1],
    read: (state) =>
      Math.round((Math.log(state.temperature / COLDEST) / span) * 200),
    words: (_, state) => state.temperature.toFixed(2),
    write: (x) =>
      change({
        temperature: Number(
          (COLDEST * Math.exp((x / 200) * span)).toPrecision(3),
        ),
      }),
  });
}

function threshold(change: Change): Control {
  return slider({
    label: "hide below",
    control: "threshold",
    range: [0, 0.5, 0.01],
    read: (state) => state.threshold,
    words: (_, state) => state.threshold.toFixed(2),
    write: (threshold) => change({ threshold }),
  });
}

interface Slider {
  label: string;
  control?: string;
  range: [number, number, number];
  read(state: Reader): number;
  words(x: number, state: Reader): string;
  write(x: number): void;
}

function slider({
  label,
  control,
  range,
  read,
  words,
  write,
}: Slider): Control {
  const [min, max, step] = range;
  const input = h("input", {
    type: "range",
    min,
    max,
    step,
    "data-control": control ?? `axis.${label}`,
  });
  const output = h("output");
  input.addEventListener("input", () => write(Number(input.value)));
  return {
    element: h("label", {}, label, input, output),
    show(state) {
      const x = read(state);
      input.value = String(x);
      output.textContent = words(x, state);
      input.setAttribute("aria-valuetext", words(x, state));
    },
  };
}

function toggle(
  name: "scaled" | "causal" | "hide_special" | "merge_words",
  label: string,
  change: Change,
): Control {
  const input = h("input", { type: "checkbox", "data-control": name });
  input.addEventListener("change", () => change({ [name]: input.checked }));
  return {
    element: h("label", {}, input, label),
    show(state) {
      input.checked = state[name];
    },
  };
}
