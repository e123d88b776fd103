// A sentence from top to bottom, and arcs from one word to the words that it
// looks at: it fits a phone, and it can be taken away.
import type { Ink } from "../lib/colours.ts";
import { s } from "../lib/svg.ts";
import { shorten } from "../lib/text.ts";

export interface Looks {
  words: string[];
  /** The word that looks; null when none is asked. */
  from: number | null;
  /** How much weight each word gets from it. */
  weights: number[];
  nouns: boolean[];
}

const ROW = 23;
const ARCS = 62; // room for the arcs, left of the words
const LABEL = ARCS + 108;

export const height = (looks: Looks): number => looks.words.length * ROW + 8;

/** Arcs to each word, the words, and weights as bars and numbers. */
export function drawLooks(looks: Looks, width: number, ink: Ink): Node[] {
  const { words, from, weights, nouns } = looks;
  const y = (i: number) => (i + 0.5) * ROW + 4;
  const room = width - LABEL - 46;
  const labels = words.map((word, i) =>
    s(
      "text",
      {
        x: ARCS + 9,
        y: y(i) + 4.5,
        "font-weight": i === from || nouns[i] ? 700 : 400,
        fill: i === from ? ink.accent : ink.ink,
      },
      shorten(word, 13),
    ),
  );
  if (from === null) return labels;
  const colour = (i: number) => (nouns[i] ? ink.marks[0] : ink.muted);
  const bars = weights.flatMap((weight, i) => [
    s("rect", {
      x: LABEL,
      y: y(i) - 7,
      width: Math.max(1, room * weight),
      height: 14,
      fill: colour(i),
    }),
    s(
      "text",
      {
        x: LABEL + room * weight + 5,
        y: y(i) + 4.5,
        fill: ink.muted,
        "font-size": 12,
      },
      weight.toFixed(2),
    ),
  ]);
  const arcs = weights.flatMap((weight, i) => {
    if (i === from || weight < 0.02) return [];
    const bend = ARCS * (1 - Math.min(1.25, 0.3 + Math.abs(i - from) / 9));
    const [a, b] = [y(from), y(i)];
    return s("path", {
      d: `M ${ARCS} ${a} C ${bend} ${a} ${bend} ${b} ${ARCS} ${b}`,
      fill: "none",
      stroke: colour(i),
      "stroke-width": 1 + 5 * weight,
      "stroke-opacity": 0.35 + 0.65 * weight,
    });
  });
  const dot = s("circle", { cx: ARCS, cy: y(from), r: 4.5, fill: ink.accent });
  return [...arcs, dot, ...labels, ...bars];
}
