// What lies over the picture: the sharp disc, the path, the regions.
import { DARK_INK } from "../lib/colours.ts";
import { type Attributes, s } from "../lib/svg.ts";
import { E2, type Photo, type Place, pixelsPerDegree } from "./model.ts";

// Light marks on a dark rim that keeps them visible on any picture.
const [BLUE, ORANGE, , , YELLOW] = DARK_INK.marks;
const [RIM, WHITE] = ["#000000", "#ffffff"];
const KINDS: Record<string, { colour: string; dash: string }> = {
  face: { colour: BLUE, dash: "none" },
  red: { colour: YELLOW, dash: "7 4" },
  text: { colour: WHITE, dash: "2 3" },
};

/** Draw twice: a dark rim, and the line in its colour. */
function lined(tag: string, marks: Attributes, colour: string, width: number) {
  return [
    s(tag, { ...marks, fill: "none", stroke: RIM, "stroke-width": 2 * width }),
    s(tag, { ...marks, fill: "none", stroke: colour, "stroke-width": width }),
  ];
}

function words(
  text: string,
  at: { x: number; y: number },
  size: number,
  more: Attributes = {},
) {
  return s(
    "text",
    {
      ...at,
      "font-size": size,
      fill: WHITE,
      stroke: RIM,
      "stroke-width": size / 4,
      "paint-order": "stroke",
      "stroke-linejoin": "round",
      ...more,
    },
    text,
  );
}

/** `unit`: how many of the picture's pixels one pixel of the screen holds. */
export function overlay(
  photo: Photo,
  places: Place[],
  degrees: number,
  regions: boolean,
  unit: number,
): SVGElement[] {
  const { width, height } = photo;
  const radius = E2 * pixelsPerDegree(width, degrees);
  const spots = places.map(([x, y]) => ({ x: x * width, y: y * height }));
  const now = spots[spots.length - 1];
  const line = 1.5 * unit;
  return [
    ...(regions ? photo.regions.flatMap((r) => region(r, photo, unit)) : []),
    ...(spots.length > 1
      ? lined(
          "polyline",
          { points: spots.map(({ x, y }) => `${x},${y}`).join(" ") },
          WHITE,
          0.8 * unit,
        )
      : []),
    ...spots
      .slice(0, -1)
      .map(({ x, y }) =>
        s("circle", { cx: x, cy: y, r: 3 * unit, fill: WHITE }),
      ),
    ...lined("circle", { cx: now.x, cy: now.y, r: radius }, ORANGE, line),
    ...lined(
      "path",
      {
        d:
          `M${now.x - 7 * unit} ${now.y}h${14 * unit}` +
          `M${now.x} ${now.y - 7 * unit}v${14 * unit}`,
      },
      ORANGE,
      line,
    ),
    ...(spots.length > 1
      ? spots.map(({ x, y }, i) =>
          words(
            String(i + 1),
            {
              x: x + 5 * unit + (x > width - 24 * unit ? -26 * unit : 0),
              y: y + (y < 20 * unit ? 16 : -5) * unit,
            },
            13 * unit,
          ),
        )
      : []),
  ];
}

function region(
  { kind, box }: Photo["regions"][number],
  photo: Photo,
  unit: number,
): SVGElement[] {
  const [left, top, right, bottom] = box;
  const { colour, dash } = KINDS[kind] ?? KINDS.text;
  const size = 12 * unit;
  const low = top < size * 1.4;
  const end = left > photo.width / 2;
  return [
    ...lined(
      "rect",
      {
        x: left,
        y: top,
        width: right - left,
        height: bottom - top,
        "stroke-dasharray": dash
          .split(" ")
          .map((x) => (x === "none" ? x : Number(x) * unit))
          .join(" "),
      },
      colour,
      1.5 * unit,
    ),
    words(
      kind,
      {
        x: end ? right : left,
        y: low ? top + size : top - size / 3,
      },
      size,
      { "text-anchor": end ? "end" : "start" },
    ),
  ];
}
