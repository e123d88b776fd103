// What is said: a sentence for each step, and the arithmetic of a number.

import type { Answer, Reader, Source } from "./model.ts";
import { MAX_DRAWN, SENTENCES, SENTENCES_OF_ALL } from "./traits.ts";

/** A number with at most two decimals. */
export function short(x: number): string {
  if (Math.abs(x) >= 1e6) return x.toExponential(1).replace("-", "−");
  const rounded = Math.round(x * 100) / 100;
  return rounded === 0 ? "0" : String(rounded).replace("-", "−");
}

/** A share of one whole. */
export function percent(w: number): string {
  if (w > 0 && w < 0.005) return "< 1 %";
  if (w < 1 && w > 0.995) return "> 99 %";
  return `${Math.round(100 * w)} %`;
}

/** Who gets most, in words. */
export function most(tokens: string[], weights: Float64Array): string {
  const top = Math.max(...weights);
  if (top === 0) return "here nobody gets anything";
  const best = tokens.filter((_, j) => weights[j] > top - 5e-4);
  const share = `${Math.round(100 * top)} %`;
  return best.length === 1
    ? `“${best[0]}” gets most, ${share}`
    : `${best.length} words get the same, ${share} each`;
}

/** The sentence of a step; roles stand between asterisks. */
export function sentence(
  source: Source,
  state: Reader,
  answer: Answer,
): string {
  const step = source.steps[state.step];
  const i = Math.max(0, state.asks);
  const n = source.tokens.length;
  const hidden = source.tokens.filter(
    (_, j) => answer.allowed?.[i * n + j] === 0,
  );
  const facts: Record<string, string> = {
    asker: `“${source.askers[i]}”`,
    d: short(source.d_k),
    root: short(Math.sqrt(source.d_k)),
    hidden: hidden.map((token) => `“${token}”`).join(", "),
    most: most(source.tokens, answer.weights.subarray(i * n, (i + 1) * n)),
  };
  const one = step === "mask" && hidden.length === 0 ? "open" : step;
  return template(one, state.asks < 0).replace(
    /\{(\w+)\}/g,
    (_, name: string) => facts[name],
  );
}

type Said = keyof typeof SENTENCES;

const template = (step: Said, all: boolean): string =>
  (all && (SENTENCES_OF_ALL as Partial<Record<Said, string>>)[step]) ||
  SENTENCES[step];

/** A sentence as pieces: text, and the role that it names. */
export const pieces = (text: string): { text: string; role: string | null }[] =>
  text
    .split(/\*((?:query|key|value|weight|output)s?)\*/)
    .map((piece, i) => ({
      text: piece,
      role: i % 2 ? piece.replace(/s$/, "") : null,
    }))
    .filter((piece) => piece.text !== "");

/** Factors with a sign in brackets: 2·(−1). */
const factor = (x: number): string =>
  short(x).startsWith("−") ? `(${short(x)})` : short(x);

/** a·b + a·b + … = what it comes to; long sums are cut. */
function sumOfProducts(
  a: ArrayLike<number>,
  b: ArrayLike<number>,
  result: number,
): string {
  const terms = Array.from(
    { length: Math.min(a.length, MAX_DRAWN) },
    (_, i) => `${factor(a[i])}·${factor(b[i])}`,
  );
  const rest = a.length > MAX_DRAWN ? ` + … (${a.length} products)` : "";
  return `${terms.join(" + ")}${rest} = ${short(result)}`;
}

/** How a score came about: q·k = 1·1 + 0·1 = 1. */
export function scoreSum(
  source: Source,
  answer: Answer,
  i: number,
  j: number,
): string {
  const { d, tokens } = source;
  const query = answer.query.subarray(i * d, (i + 1) * d);
  const key = answer.key.subarray(j * d, (j + 1) * d);
  const score = answer.scores[i * tokens.length + j];
  return `q·k = ${sumOfProducts(query, key, score)}`;
}

/** 1 ÷ √4 = 0.5 */
export const scaleSum = (
  source: Source,
  answer: Answer,
  i: number,
  j: number,
): string => {
  const at = i * source.tokens.length + j;
  return `${short(answer.scores[at])} ÷ √${short(source.d_k)} = ${short(answer.logits[at])}`;
};

/** e^0.5 ÷ (e^0.5 + …) = 0.33; the powers are marked by ^. */
export function weightSum(
  source: Source,
  answer: Answer,
  i: number,
  j: number,
): string {
  const n = source.tokens.length;
  if (answer.allowed?.[i * n + j] === 0)
    return "hidden by the mask: it counts as e^−∞ = 0";
  const open = Array.from({ length: n }, (_, c) => c).filter(
    (c) => answer.allowed?.[i * n + c] !== 0,
  );
  const power = (c: number) => Math.exp(answer.logits[i * n + c]);
  const shown = open
    .slice(0, 6)
    .map((c) => `e^${short(answer.logits[i * n + c])}`);
  const rest = open.length > 6 ? " + …" : "";
  const total = open.reduce((sum, c) => sum + power(c), 0);
  const own = power(j);
  const middle =
    total < 1e6 && own >= 0.005 ? `${short(own)} ÷ ${short(total)} = ` : "";
  const weight = answer.weights[i * n + j];
  return (
    `e^${short(answer.logits[i * n + j])} ÷ (${shown.join(" + ")}${rest}) = ` +
    `${middle}${Number(weight.toPrecision(3))}`
  );
}

/** 0.33·3 + 0.33·0 + 0.33·0 = 1 */
export function outputSum(
  source: Source,
  answer: Answer,
  i: number,
  dim: number,
): string {
  const { d_v, tokens } = source;
  const n = tokens.length;
  const column = tokens.map((_, j) => answer.value[j * d_v + dim]);
  return sumOfProducts(
    answer.weights.subarray(i * n, (i + 1) * n),
    column,
    answer.output[i * d_v + dim],
  );
}

/** A vector in words. */
export const vectorText = (x: ArrayLike<number>): string =>
  x.length <= MAX_DRAWN
    ? `[${Array.from(x, short).join(", ")}]`
    : `${x.length} numbers, length ${short(Math.hypot(...Array.from(x)))}`;
