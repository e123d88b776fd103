// A plane of arrows whose tips can be dragged, or moved by the arrow keys.

import type { Ink } from "../lib/colours.ts";
import { h } from "../lib/dom.ts";
import { pointIn } from "../lib/matrix.ts";
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
  /** Show how far it reaches along the arrow of this name. */
  along?: string;
}

/** The square that a plane shows: its lower left corner, and its side. */
export interface Box {
  low: [number, number];
  side: number;
}

const AIR = 1.35; // room to drag into

/** A square around the origin and some vectors. */
export function boxAround(vectors: number[][]): Box {
  const ends = [0, 1].map((axis) => {
    const all = [0, ...vectors.map((vector) => vector[axis])];
    return [Math.min(...all), Math.max(...all)];
  });
  const side = AIR * Math.max(0.5, ...ends.map(([low, high]) => high - low));
  const [x, y] = ends.map(([low, high]) => (low + high - side) / 2);
  return { low: [x, y], side };
}

export interface Plane {
  element: HTMLElement;
  show(arrows: Arrow[], ink: Ink): void;
  /** The same as marks for a file. */
  marks(arrows: Arrow[], ink: Ink): SVGElement;
}

export const SIZE = 300;
const [EDGE, FONT] = [14, 14];

export function createPlane(
  title: string,
  axes: [string, string],
  box: Box,
): Plane {
  const marks = s("g");
  const svg = s(
    "svg",
    { viewBox: `0 0 ${SIZE} ${SIZE}`, class: "plane" },
    marks,
  );
  const handles = new Map<string, SVGElement>();
  let shown: Arrow[] = [];
  const unit = (SIZE - 2 * EDGE) / box.side;
  const place = ([x, y]: number[]): [number, number] => [
    EDGE + (x - box.low[0]) * unit,
    SIZE - EDGE - (y - box.low[1]) * unit,
  ];
  const origin = place([0, 0]);
  /** In steps of 0.05, inside the plane. */
  const inside = ([x, y]: number[]) =>
    [x, y].map((part, axis) => {
      const [low, high] = [box.low[axis], box.low[axis] + box.side];
      return Math.max(low, Math.min(high, Math.round(part * 20) / 20));
    });

  function drag(name: string, event: PointerEvent) {
    const [left, top] = pointIn(svg, SIZE, event);
    const x = box.low[0] + (left - EDGE) / unit;
    const y = box.low[1] + (SIZE - EDGE - top) / unit;
    shown.find((a) => a.name === name)?.move?.(inside([x, y]));
  }

  function makeHandle(name: string) {
    const handle = s("circle", {
      r: 14,
      class: "handle",
      fill: "transparent",
      tabindex: 0,
      role: "slider",
      "aria-label": `${title}: ${name}`,
      "aria-valuemin": Math.min(...box.low),
      "aria-valuemax": Math.max(...box.low) + box.side,
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
      arrow?.move?.(inside([x + dx * size, y + dy * size]));
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
    const [left, top] = origin;
    const line = { stroke: ink.line, "stroke-width": 1 };
    const small = { fill: ink.muted, "font-size": FONT };
    const taken: Rect[] = [
      around([SIZE - 22, top + 10], 46, FONT),
      around([left + 26, 8], 46, FONT),
      ...arrows.map(({ at }) => around(place(at), 10, 10)),
    ];
    return [
      s("line", { x1: 4, x2: SIZE - 4, y1: top, y2: top, ...line }),
      s("line", { x1: left, x2: left, y1: 4, y2: SIZE - 4, ...line }),
      s(
        "text",
        { x: SIZE - 2, y: top + 14, "text-anchor": "end", ...small },
        axes[0],
      ),
      s("text", { x: left + 5, y: 13, ...small }, axes[1]),
      ...arrows.flatMap((arrow) => projection(arrow, arrows)),
      ...arrows.flatMap(drawArrow),
      ...arrows.map((arrow) => label(arrow, taken, ink)),
    ];
  }

  /** A dashed line down to the arrow that it is compared with. */
  function projection({ at, along, colour }: Arrow, all: Arrow[]) {
    const onto = all.find(({ name }) => name === along)?.at;
    const square = onto ? onto[0] ** 2 + onto[1] ** 2 : 0;
    if (!onto || square === 0) return [];
    const share = (at[0] * onto[0] + at[1] * onto[1]) / square;
    const [x2, y2] = place([share * onto[0], share * onto[1]]);
    const [x1, y1] = place(at);
    const [x0, y0] = origin;
    const thin = { stroke: colour, "stroke-opacity": 0.8 };
    return [
      // The foot may lie beyond the arrow's ends.
      s("line", { x1: x0, y1: y0, x2, y2, ...thin, "stroke-width": 1 }),
      s("line", { x1, y1, x2, y2, ...thin, "stroke-dasharray": "4 3" }),
      s("circle", { cx: x2, cy: y2, r: 3.5, fill: colour }),
    ];
  }

  function drawArrow({ at, colour, width, move }: Arrow): SVGElement[] {
    const [x, y] = place(at);
    const [dx, dy] = [x - origin[0], y - origin[1]];
    const length = Math.hypot(dx, dy);
    const size = Math.min(length, 7 + width);
    const [ux, uy] = length > 0 ? [dx / length, dy / length] : [1, 0];
    const [bx, by] = [x - size * ux, y - size * uy]; // where the head begins
    const half = size * 0.5;
    return [
      s("line", {
        x1: origin[0],
        y1: origin[1],
        x2: bx,
        y2: by,
        stroke: colour,
        "stroke-width": width,
      }),
      s("path", {
        d: `M${x} ${y}L${bx - half * uy} ${by + half * ux}L${bx + half * uy} ${by - half * ux}z`,
        fill: colour,
      }),
      ...(move ? [s("circle", { cx: x, cy: y, r: 3, fill: colour })] : []),
    ];
  }

  /** The name, where it covers no other; in the arrow's direction at best. */
  function label({ name, at, colour }: Arrow, taken: Rect[], ink: Ink) {
    const [x, y] = place(at);
    const ahead = Math.atan2(y - origin[1], x - origin[0]);
    const [wide, high] = [name.length * 7.2, FONT + 2];
    const spots = TURNS.flatMap((turn) =>
      [14, 26].map((far) => {
        const [cos, sin] = [Math.cos(ahead + turn), Math.sin(ahead + turn)];
        const middle: [number, number] = [
          x + cos * (far + (wide / 2) * Math.abs(cos)),
          y + sin * far,
        ];
        return around(middle, wide, high);
      }),
    );
    const fits = (spot: Rect) =>
      spot.left >= 0 &&
      spot.right <= SIZE &&
      spot.top >= 0 &&
      spot.bottom <= SIZE &&
      !taken.some((other) => overlap(spot, other));
    const spot = spots.find(fits) ?? spots[0];
    taken.push(spot);
    return s(
      "text",
      {
        x: (spot.left + spot.right) / 2,
        y: spot.bottom - 4,
        fill: ink.ink,
        stroke: "none",
        "font-size": FONT,
        "font-weight": colour === ink.ink ? 400 : 600,
        "text-anchor": "middle",
      },
      name,
    );
  }
}

const TURNS = [0, 0.8, -0.8, 1.57, -1.57, 2.4, -2.4, 3.14];

interface Rect {
  left: number;
  right: number;
  top: number;
  bottom: number;
}

const around = (
  [x, y]: [number, number],
  wide: number,
  high: number,
): Rect => ({
  left: x - wide / 2,
  right: x + wide / 2,
  top: y - high / 2,
  bottom: y + high / 2,
});

const overlap = (a: Rect, b: Rect): boolean =>
  a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
