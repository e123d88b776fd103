// A picture of cells that keys walk through and a screen reader hears.
import { h, uniqueId } from "./dom.ts";

export interface At {
  row: number;
  col: number;
}

export interface GridParts {
  label: string;
  /** The picture; hidden from screen readers. */
  picture: Element[];
  readonly: boolean;
  /** The cell chosen, if any, and how many rows and columns there are. */
  at(): At | null;
  size(): [rows: number, cols: number];
  /** Choose a cell; it lies inside. */
  moveTo(row: number, col: number): void;
  /** What Enter, space and Escape do. */
  act?(): void;
  escape?(): void;
}

export interface KeyGrid {
  element: HTMLElement;
  moveTo(row: number, col: number): void;
  /** Tell how large the grid is and what the chosen cell says. */
  speak(text: string): void;
}

export function keyGrid(parts: GridParts): KeyGrid {
  const id = uniqueId("attn-cell");
  // Two cells in turn: a screen reader speaks when the active one changes.
  const spoken = [0, 1].map((i) =>
    h("div", { role: "gridcell", id: `${id}-${i}` }),
  );
  const element = h(
    "div",
    {
      class: "grid",
      role: "grid",
      tabindex: 0,
      "aria-label": parts.label,
      "aria-readonly": String(parts.readonly),
    },
    ...parts.picture,
    ...spoken.map((cell) => h("div", { class: "hidden", role: "row" }, cell)),
  );

  const clamp = (x: number, n: number) => Math.max(0, Math.min(n - 1, x));
  function moveTo(row: number, col: number) {
    const [rows, cols] = parts.size();
    parts.moveTo(clamp(row, rows), clamp(col, cols));
  }

  element.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const { row, col } = parts.at() ?? { row: 0, col: 0 };
    const far = event.shiftKey ? 10 : 1;
    const moves: Record<string, (() => void) | undefined> = {
      ArrowUp: () => moveTo(row - far, col),
      ArrowDown: () => moveTo(row + far, col),
      ArrowLeft: () => moveTo(row, col - far),
      ArrowRight: () => moveTo(row, col + far),
      PageUp: () => moveTo(row - 10, col),
      PageDown: () => moveTo(row + 10, col),
      Home: () => moveTo(row, 0),
      End: () => moveTo(row, parts.size()[1] - 1),
      Enter: parts.act,
      " ": parts.act,
      Escape: parts.escape,
    };
    const move = Object.hasOwn(moves, event.key) && moves[event.key];
    if (!move) return;
    event.preventDefault();
    move();
  });

  let turn = 0;
  function speak(text: string) {
    const [rows, cols] = parts.size();
    element.setAttribute("aria-rowcount", String(rows));
    element.setAttribute("aria-colcount", String(cols));
    const at = parts.at();
    if (!at) {
      element.removeAttribute("aria-activedescendant");
      return;
    }
    if (spoken[turn].textContent !== text) turn = 1 - turn;
    spoken[turn].textContent = text;
    spoken[turn].setAttribute("aria-colindex", String(at.col + 1));
    spoken[turn].parentElement!.setAttribute(
      "aria-rowindex",
      String(at.row + 1),
    );
    element.setAttribute("aria-activedescendant", spoken[turn].id);
  }

  return { element, moveTo, speak };
}
