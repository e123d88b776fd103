// A number of the picture under the reader's hand: arrow keys, or typing.
import { h } from "../lib/dom.ts";
import { type Num, numOf } from "./marks.ts";
import type { Reader, Role } from "./model.ts";
import { RANGE } from "./traits.ts";

export interface Editor {
  element: HTMLInputElement;
  open(it: Num, first?: string): void;
  close(): void;
}

/** The state with one number of a vector replaced. */
export const withNumber = (
  state: Reader,
  { role, i, j }: Pick<Num, "role" | "i" | "j">,
  x: number,
): Partial<Reader> => ({
  [role]: state[role as Role].map((row, r) =>
    r === i ? row.map((old, d) => (d === j ? x : old)) : row,
  ),
});

/** Rounded to what is shown, and inside the range. */
const tidy = (x: number): number =>
  Math.max(-RANGE, Math.min(RANGE, Math.round(x * 100) / 100));

export function createEditor(
  box: HTMLElement,
  state: () => Reader,
  change: (changes: Partial<Reader>) => void,
  say: (text: string) => void,
): Editor {
  const element = h("input", {
    class: "typed",
    type: "text",
    inputmode: "decimal",
    autocomplete: "off",
    "aria-label": "new number",
    hidden: true,
  });
  let it: Num | null = null;
  let before = 0;

  const numberAt = ({ role, i, j }: Num) => state()[role as Role][i][j];

  function take() {
    if (!it) return;
    const text = element.value.replace("−", "-").replace(",", ".").trim();
    const x = Number(text);
    const fits = text !== "" && Math.abs(x) <= RANGE;
    element.setAttribute("aria-invalid", String(!fits));
    say(fits ? "" : `Expected a number from −${RANGE} to ${RANGE}.`);
    if (fits) change(withNumber(state(), it, x));
  }

  function open(wanted: Num, first?: string) {
    it = wanted;
    before = numberAt(wanted);
    const [outer, cell] = [box, wanted.node].map((e) =>
      e.getBoundingClientRect(),
    );
    Object.assign(element.style, {
      left: `${cell.left + cell.width / 2 - outer.left}px`,
      top: `${cell.top + cell.height / 2 - outer.top}px`,
    });
    element.value = first ?? String(before);
    element.setAttribute("aria-label", wanted.label);
    element.setAttribute("aria-invalid", "false");
    element.hidden = false;
    element.focus();
    if (first === undefined) element.select();
    else take();
  }

  function close() {
    if (!it) return;
    const { node } = it;
    it = null;
    element.hidden = true;
    (node as unknown as HTMLElement).focus();
  }

  element.addEventListener("input", take);
  element.addEventListener("blur", () => {
    it = null;
    element.hidden = true;
  });
  element.addEventListener("keydown", (event) => {
    event.stopPropagation();
    if (event.key === "Enter") close();
    if (event.key === "Escape" && it) {
      change(withNumber(state(), it, before));
      say("");
      close();
    }
  });

  box.addEventListener("click", (event) => {
    const clicked = numOf(event.target);
    if (clicked?.node.classList.contains("edit")) open(clicked);
  });
  box.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const one = numOf(event.target);
    if (!one?.node.classList.contains("edit")) return;
    const size = event.shiftKey ? 1 : 0.1;
    const by = { ArrowUp: size, ArrowDown: -size }[event.key];
    if (by !== undefined) {
      event.preventDefault();
      change(withNumber(state(), one, tidy(numberAt(one) + by)));
    } else if (/^[-\d.]$/.test(event.key)) {
      event.preventDefault();
      open(one, event.key);
    } else if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      open(one);
    }
  });
  return { element, open, close };
}
