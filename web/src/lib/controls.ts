// Native controls with labels. Each shows the state and changes it.
import { h } from "./dom.ts";

export interface Control<S> {
  element: HTMLElement;
  show(state: S): void;
}

export interface Slider<S> {
  label: string;
  control: string;
  range: readonly [min: number, max: number, step: number];
  read(state: S): number;
  words(x: number, state: S): string;
  enabled?(state: S): boolean;
  write(x: number): void;
}

export function slider<S>(parts: Slider<S>): Control<S> {
  const [min, max, step] = parts.range;
  const input = h("input", {
    type: "range",
    min,
    max,
    step,
    "data-control": parts.control,
  });
  const output = h("output");
  input.addEventListener("input", () => parts.write(Number(input.value)));
  return {
    element: h("label", {}, parts.label, input, output),
    show(state) {
      const x = parts.read(state);
      input.value = String(x);
      input.disabled = !(parts.enabled?.(state) ?? true);
      output.textContent = parts.words(x, state);
      input.setAttribute("aria-valuetext", parts.words(x, state));
    },
  };
}

export function toggle<S>(
  control: string,
  label: string,
  read: (state: S) => boolean,
  write: (on: boolean) => void,
): Control<S> {
  const input = h("input", { type: "checkbox", "data-control": control });
  input.addEventListener("change", () => write(input.checked));
  return {
    element: h("label", {}, input, label),
    show(state) {
      input.checked = read(state);
    },
  };
}

export function choice<S>(
  control: string,
  label: string,
  options: readonly string[],
  read: (state: S) => string,
  write: (option: string) => void,
): Control<S> {
  const select = h(
    "select",
    { "data-control": control },
    ...options.map((text) => h("option", { value: text }, text)),
  );
  select.addEventListener("change", () => write(select.value));
  return {
    element: h("label", {}, label, select),
    show(state) {
      select.value = read(state);
    },
  };
}

/** A choice among the values of one part of the state. */
export const pick = <S>(
  name: keyof S & string,
  label: string,
  options: readonly string[],
  change: (changes: Partial<S>) => void,
): Control<S> =>
  choice(
    name,
    label,
    options,
    (state) => String(state[name]),
    (option) => change({ [name]: option } as Partial<S>),
  );

/** Several controls in one row. */
export function row<S>(controls: Control<S>[]): Control<S> {
  return {
    element: h("div", { class: "controls" }, ...controls.map((c) => c.element)),
    show(state) {
      for (const control of controls) control.show(state);
    },
  };
}

/** A slider that moves evenly in the logarithm of what it sets. */
export function logSlider<S>(
  parts: Omit<Slider<S>, "range"> & { range: readonly [number, number] },
): Control<S> {
  const [low, high] = parts.range;
  const span = Math.log(high / low);
  const STEPS = 200;
  return slider({
    ...parts,
    range: [0, STEPS, 1],
    read: (state) =>
      Math.round((Math.log(parts.read(state) / low) / span) * STEPS),
    words: (_, state) => parts.words(parts.read(state), state),
    write: (x) =>
      parts.write(Number((low * Math.exp((x / STEPS) * span)).toPrecision(3))),
  });
}
