// The controls of the heatmap: which there are depends on the data.
import {
  type Control,
  choice,
  logSlider,
  row,
  slider,
  toggle,
} from "../lib/controls.ts";
import { roundUp } from "../lib/scale.ts";
import { shortWeight } from "../lib/text.ts";
import {
  type Axis,
  asGiven,
  hasPieces,
  hasSpecial,
  type Reader,
  type Source,
} from "./state.ts";
import { TRAITS } from "./traits.ts";

type Change = (changes: Partial<Reader>) => void;
type Switch =
  | "scaled"
  | "causal"
  | "hide_special"
  | "merge_words"
  | "normalise";

const MANY_LABELS = 24;

/** The control above the picture, if there is one, and those under More. */
export interface Controls {
  primary: Control<Reader> | null;
  more: Control<Reader>;
}

/** `pictured` axes have pictures to click; `step` is a change that moves. */
export function createControls(
  source: Source,
  wanted: string[] | null,
  pictured: Axis[],
  change: Change,
  step: Change,
): Controls {
  const wants = (name: string) => wanted?.includes(name) ?? true;
  const onOff = (name: Switch, label: string) =>
    toggle<Reader>(
      name,
      label,
      (state) => state[name],
      (on) => step({ [name]: on }),
    );
  const offered: [string, boolean, () => Control<Reader>][] = [
    [
      "normalise",
      source.odd_rows,
      () => onOff("normalise", "make each row sum to 1"),
    ],
    ["temperature", true, () => temperature(source, change, step)],
    [
      "scaled",
      source.d_k !== null && !source.weights,
      () => onOff("scaled", `divide by √d (d = ${source.d_k})`),
    ],
    [
      "causal",
      source.query_tokens.length === source.key_tokens.length,
      () => onOff("causal", "causal mask"),
    ],
    ["threshold", true, () => threshold(source, change)],
    [
      "hide_special",
      hasSpecial(source),
      () => onOff("hide_special", "hide special tokens"),
    ],
    [
      "merge_words",
      hasPieces(source),
      () => onOff("merge_words", "join word pieces"),
    ],
  ];
  const others = offered
    .filter(([name, fits]) => fits && wants(name))
    .map(([, , make]) => make());
  const own = wants("pickers") ? pickers(source, pictured, change, step) : [];
  if (own.length > 0 || pictured.length > 0)
    return { primary: row(own), more: row(others) };
  const [primary, ...rest] = others;
  return { primary: primary ?? null, more: row(rest) };
}

function pickers(
  source: Source,
  pictured: Axis[],
  change: Change,
  step: Change,
): Control<Reader>[] {
  return source.axes
    .filter((axis) => axis.labels.length > 1 && !pictured.includes(axis))
    .map(({ name, labels }) => {
      const control = `axis.${name}`;
      const pick = (label: string) => ({ selection: { [name]: label } });
      return labels.length > MANY_LABELS || name === "step"
        ? slider<Reader>({
            label: name,
            control,
            range: [0, labels.length - 1, 1],
            read: (state) => labels.indexOf(state.selection[name]),
            words: (i) => labels[i],
            write: (i) => change(pick(labels[i])),
          })
        : choice<Reader>(
            control,
            name,
            labels,
            (state) => state.selection[name],
            (label) => step(pick(label)),
          );
    });
}

/** Dragged it draws at once; a key moves it by a step. */
function temperature(source: Source, change: Change, step: Change) {
  let keyed = false;
  const control = logSlider<Reader>({
    label: source.weights ? "temperature τ (on log-weights)" : "temperature τ",
    control: "temperature",
    range: TRAITS.temperature.range,
    read: (state) => state.temperature,
    words: (x, state) => (asGiven(source, state) ? "no effect" : x.toFixed(2)),
    enabled: (state) => !asGiven(source, state),
    write: (x) => (keyed ? step : change)({ temperature: x }),
  });
  control.element.addEventListener("keydown", ({ repeat }) => {
    keyed = !repeat;
  });
  control.element.addEventListener("input", () => {
    keyed = false;
  });
  return control;
}

/** In fifty steps; over many keys they are small, since weights are. */
const threshold = (source: Source, change: Change) => {
  const end = Math.min(0.5, roundUp(16 / source.key_tokens.length));
  return slider<Reader>({
    label: "hide below",
    control: "threshold",
    range: [0, end, end / 50],
    read: (state) => state.threshold,
    words: shortWeight,
    write: (x) => change({ threshold: x }),
  });
};
