// A sentence from top to bottom, and arcs from one word to the words that it
// looks at: it fits a phone, and it can be taken away.
import { type Ink, s } from "../lib/svg.ts";

export interface Looks {
  words: string[];
  /** The word that looks; null when none is asked. */
  from: number | null;
  /** How much weight each word gets from it. */
  weights: number[];
  nouns: boolean[];
}

const ROW = 23;
const LABEL = 118;
const NUMBER = 46;

export const height = (looks: Looks): number => looks.words.length * ROW + 8;

/** Words, weights as numbers and bars, and an arc to each word. */
export function drawLooks(looks: Looks, width: number, ink: Ink): Node[] {
  const { words, from, weights, nouns } = looks;
  const y = (i: number) => (i + 0.5) * ROW + 4;
  const bars = LABEL + NUMBER;
  const arcs = Math.min(90, (width - bars) * 0.45);
  const room = width - bars - arcs - 14;
  const nodes: Node[] = [];
  words.forEach((word, i) => {
    const strong = i === from || nouns[i];
    nodes.push(
      s(
        "text",
        {
          x: LABEL - 8,
          y: y(i) + 4.5,
          "text-anchor": "end",
          "font-weight": strong ? 700 : 400,
          fill: i === from ? ink.accent : ink.ink,
        },
        word.length > 13 ? `${word.slice(0, 12)}…` : word,
      ),
    );
    if (from === null) return;
    nodes.push(
      s("rect", {
        x: LABEL,
        y: y(i) - 7,
        width: Math.max(1, room * weights[i]),
        height: 14,
        fill: nouns[i] ? ink.marks[0] : ink.line,
      }),
      s(
        "text",
        {
          x: LABEL + room * weights[i] + 5,
          y: y(i) + 4.5,
          fill: ink.muted,
          "font-size": 12,
        },
        weights[i].toFixed(2),
      ),
    );
  });
  if (from === null) return nodes;
  const edge = width - arcs;
  words.forEach((_, i) => {
    if (i === from || weights[i] < 0.02) return;
    const bend = edge + arcs * Math.min(1, 0.25 + Math.abs(i - from) / 9);
    nodes.push(
      s("path", {
        d: `M ${edge} ${y(from)} C ${bend} ${y(from)} ${bend} ${y(i)} ${edge} ${y(i)}`,
        fill: "none",
        stroke: nouns[i] ? ink.marks[0] : ink.muted,
        "stroke-width": 1 + 6 * weights[i],
        "stroke-opacity": 0.35 + 0.65 * weights[i],
      }),
    );
  });
  nodes.push(s("circle", { cx: edge, cy: y(from), r: 4.5, fill: ink.accent }));
  return nodes;
}
