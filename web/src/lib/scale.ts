// Which colour a weight has. Weights scale with the number of keys: what is
// much among a thousand would be black on a scale that fits ten.
import { shade } from "./palette.ts";

export interface Scale {
  /** Where the colours end. */
  top: number;
  /** Does a weight lie above? */
  clipped: boolean;
  /** Do colours follow the square root of a weight? */
  root: boolean;
}

const FEW = 1 / 200; // of all cells
const SAMPLE = 40_000; // cells
const MANY_KEYS = 64;
const ROUNDING = 1 + 1e-3; // of weights that travelled as float16

/**
 * The scale of a map, (… × cols): it ends at the smallest of 1, 2, 5, 10, …
 * that at most one cell in 200 exceeds, so that a few weights near 1 don't
 * leave the rest in the dark. Masked cells don't count. Over many keys
 * colours follow the square root: long rows are told from short ones. `most`
 * is the largest weight, for who knows it.
 */
export function scaleOf(
  weights: Float64Array,
  cols: number,
  allowed: Uint8Array | null = null,
  most = largest(weights, allowed),
): Scale {
  const root = cols > MANY_KEYS;
  const tops = steps(roundUp(1 / cols));
  const above = sharesAbove(weights, cols, allowed, tops);
  const chosen = tops.findIndex((_, i) => above[i] <= FEW);
  // All as small as equal weights, or many larger than 1: up to the largest.
  if (chosen < 0 || most <= tops[0] * ROUNDING) {
    const top = most > 0 ? roundUp(most) || most : 1;
    return { top, clipped: false, root };
  }
  return { top: tops[chosen], clipped: most > tops[chosen] * ROUNDING, root };
}

/** For each top the share of cells that exceed it, counted in a sample. */
function sharesAbove(
  weights: Float64Array,
  cols: number,
  allowed: Uint8Array | null,
  tops: number[],
): number[] {
  const ends = Float64Array.from(tops, (top) => top * ROUNDING);
  const above = new Uint32Array(tops.length);
  let cells = 0;
  const stride = strideOf(weights.length, cols);
  for (let c = 0; c < weights.length; c += stride) {
    if (allowed !== null && allowed[c] === 0) continue;
    cells++;
    const weight = weights[c];
    for (let i = 0; i < ends.length && weight > ends[i]; i++) above[i]++;
  }
  return Array.from(above, (count) => count / Math.max(1, cells));
}

/** From one cell of the sample to the next: all columns have their turn. */
function strideOf(cells: number, cols: number): number {
  let stride = Math.ceil(cells / SAMPLE);
  while (common(stride, cols) > 1) stride++;
  return stride;
}

const common = (a: number, b: number): number => (b ? common(b, a % b) : a);

/** 1, 2, 5, 10, … from `first` up to 1. */
function steps(first: number): number[] {
  const tops = [first];
  while (tops[tops.length - 1] < 1)
    tops.push(roundUp(1.5 * tops[tops.length - 1]));
  return tops;
}

/** The next of 1, 2, 5, 10, 20, … */
export function roundUp(x: number): number {
  const ten = 10 ** Math.floor(Math.log10(x));
  const times = [1, 2, 5].find((n) => x <= n * ten * ROUNDING) ?? 10;
  return Number((times * ten).toPrecision(1));
}

function largest(weights: Float64Array, allowed: Uint8Array | null): number {
  let most = 0;
  for (let c = 0; c < weights.length; c++) {
    const weight = weights[c];
    if (weight > most && (allowed === null || allowed[c] === 1)) most = weight;
  }
  return most;
}

/** The number of a weight's colour, 0…255. */
export const shadeOn = ({ top, root }: Scale, weight: number): number =>
  root ? shade(Math.sqrt(weight / top), 1) : shade(weight, top);

/** The numbers below a colour bar: its beginning, middle and end. */
export const ticksOf = ({ top, clipped, root }: Scale): string[] => [
  "0",
  String(Number((top / (root ? 4 : 2)).toPrecision(2))),
  `${clipped ? "≥ " : ""}${top}`,
];
