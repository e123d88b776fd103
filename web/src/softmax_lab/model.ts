// Random queries and keys with unit variance: what d and τ do to softmax.
// Pure; attn_course.widgets.softmax_lab holds the Python twin.
import { normal, uniform } from "../lib/random.ts";
import { dotProducts, softmaxRows } from "../lib/softmax.ts";
import * as traits from "../lib/traits.ts";
import { KEYS, QUERIES, TRAITS } from "./traits.ts";

export interface Reader {
  d: number; // dimensions of q and k
  temperature: number;
  scaled: boolean;
  seed: number;
}

/** Where the curves over d are computed. */
export const DIMENSIONS = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024];

export const START: Reader = traits.defaults(TRAITS);
export const VALID = traits.validators<Reader>(TRAITS);

/** q·k of 64 queries and 32 keys in d dimensions, (64 × 32). */
export function sampleScores(d: number, seed: number): Float64Array {
  const random = uniform(seed * 4096 + d);
  const query = normal(QUERIES * d, random);
  const key = normal(KEYS * d, random);
  return dotProducts(query, key, QUERIES, KEYS, d);
}

export interface Measures {
  spread: number; // standard deviation of q·k
  spreadSeen: number; // of what softmax sees
  entropy: number; // nats, mean over queries
  gradient: number; // Frobenius norm of softmax's Jacobian, mean over queries
  weights: Float64Array; // of the first query, largest first
}

export function measure(scores: Float64Array, state: Reader): Measures {
  const scale = state.scaled ? 1 / Math.sqrt(state.d) : 1;
  const factor = scale / state.temperature;
  const all = softmaxRows(
    scores,
    QUERIES,
    KEYS,
    factor,
    null,
    new Float64Array(scores.length),
  );
  let [entropy, gradient] = [0, 0];
  for (let i = 0; i < QUERIES; i++) {
    const p = all.subarray(i * KEYS, (i + 1) * KEYS);
    entropy += rowEntropy(p) / QUERIES;
    gradient += jacobianNorm(p) / QUERIES;
  }
  const spread = deviation(scores);
  return {
    spread,
    spreadSeen: spread * factor,
    entropy,
    gradient,
    weights: all.slice(0, KEYS).sort().reverse(),
  };
}

function deviation(numbers: Float64Array): number {
  const mean = numbers.reduce((a, b) => a + b, 0) / numbers.length;
  const square = numbers.reduce((a, b) => a + (b - mean) ** 2, 0);
  return Math.sqrt(square / numbers.length);
}

/** −Σ p ln p, in nats. */
export function rowEntropy(p: Float64Array): number {
  let sum = 0;
  for (const x of p) if (x > 0) sum -= x * Math.log(x);
  return sum;
}

/**
 * The Frobenius norm of diag(p) − p pᵀ, the Jacobian of softmax. Its square
 * is Σ p² − 2 Σ p³ + (Σ p²)².
 */
export function jacobianNorm(p: Float64Array): number {
  let [squares, cubes] = [0, 0];
  for (const x of p) {
    squares += x * x;
    cubes += x * x * x;
  }
  return Math.sqrt(Math.max(0, squares - 2 * cubes + squares * squares));
}
