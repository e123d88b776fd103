// What the picture is made of: nodes that are kept, and change only where
// something differs.

import { s } from "../lib/svg.ts";
import { fitsIn, shorten } from "../lib/text.ts";
import type { Box } from "./layout.ts";
import { short } from "./words.ts";

export const INK = "var(--attn-ink)";
export const SOFT = "var(--attn-soft)";
export const LINE = "var(--attn-line)";
export const colour = (role: string) => `var(--attn-${role})`;

/** What a node was told last: asking the node itself takes longer. */
interface Kept extends Element {
  told?: Record<string, string | number>;
}

/** Set an attribute where it differs. */
export function set(node: Kept, name: string, value: string | number): void {
  node.told ??= {};
  if (node.told[name] === value) return;
  node.told[name] = value;
  node.setAttribute(name, String(value));
}

/** Set a text where it differs. */
export function write(node: Kept, text: string): void {
  node.told ??= {};
  if (node.told.text === text) return;
  node.told.text = text;
  if (node.firstChild) node.firstChild.nodeValue = text;
  else node.textContent = text;
}

export const place = (node: Element, x: number, y: number): void =>
  set(node, "transform", `translate(${tenth(x)} ${tenth(y)})`);

/** A number (or a strip of many) that can be pointed at. */
export interface Num {
  node: SVGElement;
  /** What it is: role, row and place in it. */
  role: string;
  i: number;
  j: number;
  /** What a screen reader calls it, without its value. */
  label: string;
}

const nums = new WeakMap<Element, Num>();

/** The number that a node, or what is in it, belongs to. */
export const numOf = (target: EventTarget | null): Num | null => {
  const node = (target as Element | null)?.closest?.(".num");
  return (node && nums.get(node)) ?? null;
};

export function num(
  role: string,
  i: number,
  j: number,
  label: string,
  editable: boolean,
  ...inside: SVGElement[]
): Num {
  const node = s(
    "g",
    {
      class: editable ? "num stop edit" : "num stop",
      role: editable ? "spinbutton" : "img",
      tabindex: -1,
      "aria-label": label,
      "data-num": `${role} ${i} ${j}`,
    },
    ...inside,
  );
  const made = { node, role, i, j, label };
  nums.set(node, made);
  return made;
}

/** Tell a screen reader the value; what is edited is a spin button. */
export function tell(it: Num, value: number | null, text: string): void {
  if (it.node.classList.contains("edit")) {
    set(it.node, "aria-label", it.label);
    set(it.node, "aria-valuenow", value ?? 0);
    set(it.node, "aria-valuetext", text);
  } else set(it.node, "aria-label", `${it.label}: ${text}`);
}

/** A vector: cells with numbers, or a strip of bars. */
export interface Vector {
  node: SVGElement;
  nums: Num[];
  /** `fade`: how much of it counts, 0 to 1. */
  show(
    values: Float64Array,
    top: number,
    i: number,
    name: string,
    fade?: number,
  ): void;
}

export interface VectorParts {
  role: string; // its colour
  row?: number; // which vector of its role it is
  count: number;
  box: Box;
  cells: boolean;
  editable: boolean;
  what?: string; // what a screen reader calls it
}

export function vector(parts: VectorParts): Vector {
  const node = s("g", { class: "vector" });
  place(node, parts.box.x, parts.box.y);
  return parts.cells ? inCells(node, parts) : asStrip(node, parts);
}

/** A number in little room: −.02 for −0.02, 1.7 for 1.72. */
export function fitted(x: number, room: number): string {
  const text = short(x);
  if (text.length <= room) return text;
  const bare = text.replace(/^(−?)0\./, "$1.");
  return bare.length <= room ? bare : short(Math.round(x * 10) / 10);
}

function inCells(node: SVGElement, parts: VectorParts): Vector {
  const { role, count, box, editable } = parts;
  const wide = box.w / count;
  const tight = wide < 32;
  const room = Math.floor((wide - 2) / (tight ? 6.4 : 7.1)); // letters
  const cells = Array.from({ length: count }, (_, j) => {
    const tint = s("rect", {
      x: (j * wide + 1).toFixed(2),
      width: (wide - 2).toFixed(2),
      height: box.h,
      rx: 4,
      fill: colour(role),
      stroke: colour(role),
    });
    const text = s("text", {
      x: ((j + 0.5) * wide).toFixed(2),
      y: box.h / 2 + 4.5,
      class: tight ? "figure tight" : "figure",
    });
    const it = num(role, parts.row ?? 0, j, "", editable, tint, text);
    node.append(it.node);
    return { it, tint, text };
  });
  return {
    node,
    nums: cells.map(({ it }) => it),
    show(values, top, i, name, fade = 1) {
      cells.forEach(({ it, tint, text }, j) => {
        const x = values[j];
        it.i = i;
        it.label = `${parts.what ?? role} of ${name}, number ${j + 1}`;
        const strength = Math.min(1, Math.abs(x) / top) * fade;
        set(tint, "fill-opacity", (0.05 + 0.33 * strength).toFixed(3));
        set(tint, "stroke-opacity", (0.15 + 0.6 * fade).toFixed(2));
        write(text, fitted(x, room));
        tell(it, x, short(x));
      });
    },
  };
}

function asStrip(node: SVGElement, parts: VectorParts): Vector {
  const { role, count, box } = parts;
  const frame = s("rect", {
    width: box.w.toFixed(1),
    height: box.h,
    rx: 4,
    fill: colour(role),
    "fill-opacity": 0.09,
  });
  const bars = s("path", { fill: colour(role) });
  const it = num(role, parts.row ?? 0, -1, "", false, frame, bars);
  node.append(it.node);
  const wide = (box.w - 6) / count;
  const gap = wide > 3 ? 1 : wide / 4;
  const half = box.h / 2 - 2;
  const base = box.h / 2;
  const starts = Array.from(
    { length: count },
    (_, j) => `M${(3 + j * wide).toFixed(1)} ${base}v`,
  );
  const across = `h${(wide - gap).toFixed(1)}v`;
  return {
    node,
    nums: [it],
    show(values, top, i, name, fade = 1) {
      it.i = i;
      it.label = `${parts.what ?? role} of ${name}`;
      let d = "";
      for (let j = 0; j < count; j++) {
        const part = Math.max(-1, Math.min(1, values[j] / top));
        const high = Math.round(part * half * 4) / 4;
        d += `${starts[j]}${-high}${across}${high}z`;
      }
      set(bars, "d", d);
      set(bars, "opacity", (0.2 + 0.8 * fade).toFixed(2));
      tell(it, null, `${count} numbers`);
    },
  };
}

/** A word in its pill. */
export function pill(box: Box, token: string) {
  const frame = s("rect", {
    x: box.x,
    y: box.y,
    width: box.w,
    height: box.h,
    rx: 10,
  });
  const text = s("text", {
    x: box.x + box.w / 2,
    y: box.y + box.h / 2 + 5,
    class: "word",
  });
  // A longer word is set in smaller letters before it is cut.
  const tight = !fitsIn(token, Math.floor((box.w - 8) / 8));
  const room = tight ? (box.w - 2) / 6 : (box.w - 8) / 8;
  if (tight) text.classList.add("tight");
  write(text, shorten(token, Math.max(3, Math.floor(room))));
  const title = s("title", {}, token);
  return { node: s("g", { class: "pill" }, title, frame, text), text };
}

/** An arrow's head at (x, y) that points right, turned by `angle`. */
export const head = (x: number, y: number, angle: number, size: number) =>
  `translate(${tenth(x)} ${tenth(y)}) rotate(${angle}) scale(${tenth(size)})`;
export const HEAD = "M0 0L-1.6 -1L-1.6 1z";

/** Rounded to a tenth. */
export const tenth = (x: number): number => Math.round(x * 10) / 10;

/** The path of an arrow with its head. */
export function arrow(x1: number, y1: number, x2: number, y2: number): string {
  const long = Math.hypot(x2 - x1, y2 - y1) || 1;
  const size = Math.min(3, long / 2);
  const [u, v] = [((x2 - x1) / long) * size, ((y2 - y1) / long) * size];
  const corner = (side: number) =>
    `${tenth(x2 - 1.6 * u - side * v)} ${tenth(y2 - 1.6 * v + side * u)}`;
  return (
    `M${tenth(x1)} ${tenth(y1)}L${tenth(x2 - u)} ${tenth(y2 - v)}` +
    `M${tenth(x2)} ${tenth(y2)}L${corner(1)}L${corner(-1)}z`
  );
}
