// A plane of arrows whose tips can be dragged, or moved by the arrow keys.

import type { Ink } from "../lib/colours.ts";
import { h } from "../lib/dom.ts";
import { s } from "../lib/svg.ts";

/** One arrow; without `move` it can only be looked at. */
export interface Arrow {
  name: string;
  at: number[]; // [x, y]
  colour: string;
  width: number;
  move?: (to: number[]) => void;
  /** Where it is now: two keys may come before the next frame. */
  now?: () => number[];
}

export interface Plane {
  element: HTMLElement;
  show(arrows: Arrow[], ink: Ink): void;
  /** The same as marks for a file. */
  marks(arrows: Arrow[], ink: Ink): SVGElement;
}

export const SIZE = 300;

export function createPlane(
  title: string,
  axes: [string, string],
  reach: number,
): Plane {
  const marks = s("g");
  const svg = s(
    "svg",
    { viewBox: `0 0 ${SIZE} ${SIZE}`, class: "plane" },
    marks,
  );
  const handles = new Map<string, SVGElement>();
  let shown: Arrow[] = [];
  const unit = (SIZE / 2 - 18) / reach;
  const place = ([x, y]: number[]) => [
    SIZE / 2 + x * unit,
    SIZE / 2 - y * unit,
  ];
  const round = (x: number) =>
    Math.max(-reach, Math.min(reach, Math.round(x * 20) / 20));

  function drag(name: string, event: PointerEvent) {
    const box = svg.getBoundingClientRect();
    const scale = SIZE / box.width;
    const x = ((event.clientX - box.left) * scale - SIZE / 2) / unit;
    const y = (SIZE / 2 - (event.clientY - box.top) * scale) / unit;
    shown.find((a) => a.name === name)?.move?.([round(x), round(y)]);
  }

  function makeHandle(name: string) {
    const handle = s("circle", {
      r: 14,
      class: "handle",
      fill: "transparent",
      tabindex: 0,
      role: "slider",
      "aria-label": `${title}: ${name}`,
      "aria-valuemin": -reach,
      "aria-valuemax": reach,
      "data-handle": name,
    });
    handle.addEventListener("pointerdown", (event) => {
      event.preventDefault();
      handle.focus();
      handle.setPointerCapture(event.pointerId);
    });
    handle.addEventListener("pointermove", (event) => {
      if (handle.hasPointerCapture(event.pointerId)) drag(name, event);
    });
    handle.addEventListener("keydown", (event) => {
      const steps: Record<string, [number, number]> = {
        ArrowLeft: [-1, 0],
        ArrowRight: [1, 0],
        ArrowUp: [0, 1],
        ArrowDown: [0, -1],
      };
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      if (!Object.hasOwn(steps, event.key)) return;
      event.preventDefault();
      const size = event.shiftKey ? 0.5 : 0.1;
      const [dx, dy] = steps[event.key];
      const arrow = shown.find((a) => a.name === name);
      const [x, y] = arrow?.now?.() ?? [0, 0];
      arrow?.move?.([round(x + dx * size), round(y + dy * size)]);
    });
    handles.set(name, handle);
    svg.append(handle);
    return handle;
  }

  return {
    element: h(
      "figure",
      { class: "plane-box", role: "group", "aria-label": title },
      h("figcaption", {}, title),
      svg as unknown as HTMLElement,
    ),
    show(arrows, ink) {
      shown = arrows;
      marks.replaceChildren(...draw(arrows, ink));
      for (const { name, at, move } of arrows) {
        if (!move) continue;
        const handle = handles.get(name) ?? makeHandle(name);
        const [x, y] = place(at);
        handle.setAttribute("cx", x.toFixed(1));
        handle.setAttribute("cy", y.toFixed(1));
        handle.setAttribute("aria-valuenow", at[0].toFixed(2));
        handle.setAttribute(
          "aria-valuetext",
          `${at[0].toFixed(2)}, ${at[1].toFixed(2)}`,
        );
      }
    },
    marks: (arrows, ink) => s("g", {}, ...draw(arrows, ink)),
  };

  function draw(arrows: Arrow[], ink: Ink): SVGElement[] {
    const middle = SIZE / 2;
    const line = { stroke: ink.line, "stroke-width": 1 };
    const small = { fill: ink.muted, "font-size": 11 };
    return [
      s("line", { x1: 8, x2: SIZE - 8, y1: middle, y2: middle, ...line }),
      s("line", { x1: middle, x2: middle, y1: 8, y2: SIZE - 8, ...line }),
      s(
        "text",
        { x: SIZE - 4, y: middle + 14, "text-anchor": "end", ...small },
        axes[0],
      ),
      s("text", { x: middle + 5, y: 12, ...small }, axes[1]),
      ...arrows.flatMap((arrow) => drawArrow(arrow, ink)),
    ];
  }

  function drawArrow({ name, at, colour, width, move }: Arrow, ink: Ink) {
    const [x, y] = place(at);
    const [dx, dy] = [x - SIZE / 2, y - SIZE / 2];
    const length = Math.hypot(dx, dy) || 1;
    const label = s(
      "text",
      {
        x: x + (14 * dx) / length,
        y: y + (14 * dy) / length + 4,
        fill: ink.ink,
        "font-size": 13,
        "text-anchor":
          dx < -length / 3 ? "end" : dx > length / 3 ? "start" : "middle",
      },
      name,
    );
    const line = s("line", {
      x1: SIZE / 2,
      y1: SIZE / 2,
      x2: x,
      y2: y,
      stroke: colour,
      "stroke-width": width,
      "stroke-linecap": "round",
    });
    const tip = s("circle", {
      cx: x,
      cy: y,
      r: move ? 6 : 4,
      fill: colour,
    });
    return [line, tip, label];
  }
}
