// The words in a row, and arcs from the one that looks to those it looks at.
import type { Ink } from "../lib/colours.ts";
import { DARK, LIGHT } from "../lib/roles.ts";
import { s } from "../lib/svg.ts";
import { shorten, shortWeight } from "../lib/text.ts";
import { isMasked, type Picture, strongest } from "./compute.ts";

/** A row with more words has no room for them. */
export const MOST_WORDS = 40;
const [FONT, GAP, LETTERS] = [13, 9, 14];
const [LEAST_STEP, ARC, TOP] = [15, 64, 20];
const [THINNEST, THICKEST, FAINT] = [1, 9, 0.01];
const UPRIGHT = 62; // the longest word that stands on end

/** A word: where its middle is, and how wide it is. */
interface Spot {
  text: string;
  x: number;
}

export interface Row {
  query: string;
  /** Which word of the row looks; −1 when it is not among them. */
  from: number;
  spots: Spot[];
  turned: boolean;
  width: number;
  height: number;
}

/** Words side by side, or on end where they do not fit; null: not at all. */
export function placeWords(
  picture: Picture,
  row: number,
  width: number,
  measure: (text: string) => number,
): Row | null {
  const { rows, cols } = picture;
  const query = rows[row].label;
  const own = picture.rows.length === cols.length && cols[row]?.label === query;
  // Words of another text: the one that looks stands in front.
  const lead = own ? 0 : measure(`${query} →`) + 2 * GAP;
  const room = width - lead;
  if (cols.length > MOST_WORDS || room < cols.length * LEAST_STEP) return null;
  const texts = cols.map(({ label }) => shorten(label, LETTERS));
  const widths = texts.map(measure);
  const needed = widths.reduce((sum, wide) => sum + wide + GAP, 0);
  const turned = needed > room && texts.some((text) => text.length > 2);
  const step = room / texts.length;
  const gap = Math.min(GAP * 2, GAP + (room - needed) / texts.length);
  let x = lead;
  const spots = texts.map((text, i) => {
    const wide = turned ? step : widths[i] + gap;
    x += wide;
    return { text, x: x - wide / 2 };
  });
  const tall = turned ? Math.min(UPRIGHT, Math.max(...widths)) : FONT;
  return {
    query,
    from: own ? row : -1,
    spots,
    turned,
    width: turned ? width : Math.ceil(x),
    height: TOP + ARC + tall + 14,
  };
}

/** Arcs as wide as weights; the strongest says its weight. */
export function drawArcs(
  place: Row,
  picture: Picture,
  row: number,
  ink: Ink,
  dark: boolean,
): SVGElement[] {
  const { spots, from, turned } = place;
  const tones = dark ? DARK : LIGHT;
  const n = picture.cols.length;
  const ground = TOP + ARC;
  const best = strongest(picture, row, 1)[0];
  const weight = (i: number) => picture.weights[row * n + i];
  const masked = (i: number) => isMasked(picture, row * n + i);
  const start = from < 0 ? 8 : spots[from].x;
  const most = Math.max(1, ...spots.map(({ x }) => Math.abs(x - start)));
  const arcs = spots.flatMap(({ x }, i) =>
    masked(i) || weight(i) < FAINT
      ? []
      : arc(start, x, most, ground, weight(i), tones.weight, i === best?.col),
  );
  const words = spots.map(({ text, x }, i) => {
    const looked = i === best?.col;
    const fill =
      i === from
        ? tones.query
        : masked(i)
          ? ink.muted
          : looked
            ? tones.key
            : ink.ink;
    const look = {
      fill,
      "font-size": FONT,
      "font-weight": i === from || looked ? 700 : 400,
      ...(masked(i) ? { "text-decoration": "line-through" } : {}),
    };
    return turned
      ? s(
          "text",
          {
            ...look,
            "text-anchor": "end",
            transform: `translate(${x + FONT / 3} ${ground + 10}) rotate(-90)`,
          },
          text,
        )
      : s(
          "text",
          { ...look, "text-anchor": "middle", x, y: ground + 10 + FONT },
          text,
        );
  });
  const front =
    from < 0
      ? [
          s(
            "text",
            {
              x: 0,
              y: ground + 10 + FONT,
              fill: tones.query,
              "font-size": FONT,
              "font-weight": 700,
            },
            `${place.query} →`,
          ),
        ]
      : [];
  return [
    ...arcs,
    ...front,
    ...words,
    ...number(best, spots, start, most, ink),
  ];

  function number(
    found: typeof best | undefined,
    all: Spot[],
    from: number,
    most: number,
    { ink }: Ink,
  ): SVGElement[] {
    if (!found) return [];
    const x = (from + all[found.col].x) / 2;
    const y = ground - 0.75 * rise(all[found.col].x - from, most) - 9;
    return [
      s(
        "text",
        {
          x,
          y,
          fill: ink,
          "font-size": FONT,
          "font-weight": 700,
          "text-anchor": "middle",
        },
        shortWeight(found.weight),
      ),
    ];
  }
}

/** How far an arc's handles lie above the words. */
const rise = (across: number, most: number): number =>
  18 + (ARC * 1.33 - 18) * Math.sqrt(Math.abs(across) / most);

/** From the word that looks to the word it looks at, with a head there. */
function arc(
  a: number,
  b: number,
  most: number,
  ground: number,
  weight: number,
  stroke: string,
  best: boolean,
): SVGElement[] {
  const thick = THINNEST + (THICKEST - THINNEST) * Math.min(1, weight);
  const up = rise(b - a, most);
  const opacity = best ? 1 : 0.25 + 0.5 * Math.min(1, weight);
  const head = 3 + thick / 2;
  const end = ground - head;
  // A word that looks at itself: a loop.
  const [c, d] = a === b ? [a - 16, b + 16] : [a, b];
  return [
    s("path", {
      d: `M${a} ${ground}C${c} ${ground - up} ${d} ${ground - up} ${b} ${end}`,
      fill: "none",
      stroke,
      "stroke-width": thick.toFixed(2),
      "stroke-opacity": opacity.toFixed(2),
    }),
    s("path", {
      d: `M${b - head} ${end - 1}h${2 * head}l${-head} ${head + 3}z`,
      fill: stroke,
      "fill-opacity": opacity.toFixed(2),
    }),
  ];
}
