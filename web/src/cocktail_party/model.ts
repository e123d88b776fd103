// Two voices, two ears: attention to a direction, from the mixture alone.
// Pure; attn_course.hearing is the Python twin and says where each formula
// comes from. Functions marked * do long work in small steps.
import { normal, uniform } from "../lib/random.ts";
import { type Complex, complex, fft } from "./fft.ts";

export const RATE = 16_000; // samples a second
export const WINDOW = 512;
export const HOP = 256;
export const BINS = WINDOW / 2 + 1;
/** Degrees; 0 is ahead, 90 to the right. */
export const DIRECTIONS = Array.from({ length: 37 }, (_, i) => 5 * i - 90);

const AROUND = 0.0875 / 343; // radius of the head over the speed of sound
const LEVEL_UNIT = 10; // decibels
const BEAM = 15; // degrees to either side of the query
const NOISE_DIRECTIONS = Array.from({ length: 12 }, (_, i) => 15 * i - 82.5);

const SINE = Float64Array.from({ length: WINDOW }, (_, i) =>
  Math.sin((Math.PI * (i + 0.5)) / WINDOW),
);

/** What the left and right ear hear, sample by sample. */
export interface Ears {
  left: Float64Array;
  right: Float64Array;
}

/** Work that may pause wherever it yields. */
export type Steps<T> = Generator<void, T, void>;

/** Do such work at once. */
export function finish<T>(steps: Steps<T>): T {
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
  }
}

/** The ear at the left (0) or right (1). */
export const ear = (ears: Ears, side: number): Float64Array =>
  side === 0 ? ears.left : ears.right;

export const nearEar = (angle: number): number => (angle >= 0 ? 1 : 0);

// A head (Brown and Duda 1998)

/** The factor of one ear at a frequency in Hz: [real, imaginary]. */
function headAt(angle: number, side: number, hertz: number): [number, number] {
  const theta = (angle * Math.PI) / 180;
  const incidence = Math.PI / 2 + (side === 0 ? theta : -theta);
  const delay =
    AROUND *
    (1 +
      (incidence < Math.PI / 2
        ? -Math.cos(incidence)
        : incidence - Math.PI / 2));
  const alpha = 1.05 + 0.95 * Math.cos((incidence * 180) / 150);
  const omega = 2 * Math.PI * hertz;
  const x = (omega * AROUND) / 2;
  // (1 + iαx) / (1 + ix), then the delay's turn.
  const size = 1 + x * x;
  const re = (1 + alpha * x * x) / size;
  const im = (alpha * x - x) / size;
  const [c, s] = [Math.cos(omega * delay), -Math.sin(omega * delay)];
  return [re * c - im * s, re * s + im * c];
}

/**
 * Add a spectrum, seen by both ears, to left + i·right. `k` counts the
 * frequencies from 0 to n/2; numbers at 0 and n/2 have no imaginary part.
 */
function addBothEars(
  out: Complex,
  k: number,
  re: number,
  im: number,
  angle: number,
): void {
  const n = out.re.length;
  const hertz = (k * RATE) / n;
  const [lr, li] = headAt(angle, 0, hertz);
  const [rr, ri] = headAt(angle, 1, hertz);
  const edge = k === 0 || k === n / 2;
  const left = [re * lr - im * li, edge ? 0 : re * li + im * lr];
  const right = [re * rr - im * ri, edge ? 0 : re * ri + im * rr];
  out.re[k] += left[0] - right[1];
  out.im[k] += left[1] + right[0];
  if (edge) return;
  out.re[n - k] += left[0] + right[1];
  out.im[n - k] += right[0] - left[1];
}

const fftSize = (n: number): number => 2 ** Math.ceil(Math.log2(n + 64));

/** What both ears hear of a voice from a direction. */
export function* place(voice: Float64Array, angle: number): Steps<Ears> {
  const spectrum = complex(fftSize(voice.length));
  spectrum.re.set(voice);
  fft(spectrum, -1);
  yield;
  const both = complex(spectrum.re.length);
  for (let k = 0; k <= both.re.length / 2; k++) {
    addBothEars(both, k, spectrum.re[k], spectrum.im[k], angle);
    if (k % 4096 === 0) yield;
  }
  fft(both, 1);
  return cut(both, voice.length);
}

const cut = ({ re, im }: Complex, n: number): Ears => ({
  left: re.slice(0, n),
  right: im.slice(0, n),
});

/** Noise from twelve directions, with a mean square of 1. */
export function* diffuseNoise(n: number, seed: number): Steps<Ears> {
  const both = complex(fftSize(n));
  const bins = both.re.length / 2 + 1;
  const random = uniform(seed);
  for (const angle of NOISE_DIRECTIONS) {
    const block = 4096;
    for (let start = 0; start < bins; start += block) {
      const count = Math.min(block, bins - start);
      const numbers = normal(2 * count, random);
      for (let i = 0; i < count; i++) {
        const k = start + i;
        const hertz = (k * RATE) / both.re.length;
        const level = 1 / Math.sqrt(Math.max(hertz, 200));
        const [re, im] = [numbers[2 * i] * level, numbers[2 * i + 1] * level];
        addBothEars(both, k, re, im, angle);
      }
      yield;
    }
  }
  fft(both, 1);
  const noise = cut(both, n);
  return scale(noise, 1 / rms(noise));
}

const scale = ({ left, right }: Ears, by: number): Ears => ({
  left: left.map((x) => x * by),
  right: right.map((x) => x * by),
});

const energy = (x: Float64Array): number => {
  let sum = 0;
  for (const one of x) sum += one * one;
  return sum;
};

export const rms = ({ left, right }: Ears): number =>
  Math.sqrt((energy(left) + energy(right)) / (2 * left.length));

/** Both voices and the noise, `noise` decibels below the voices. */
export function mix(voices: Ears[], hiss: Ears, noise: number): Ears {
  const sum = (side: "left" | "right") =>
    voices[0][side].map((x, i) => x + voices[1][side][i]);
  const both = { left: sum("left"), right: sum("right") };
  const level = rms(both) * 10 ** (noise / 20);
  for (const side of ["left", "right"] as const)
    for (let i = 0; i < both[side].length; i++)
      both[side][i] += level * hiss[side][i];
  return both;
}

// From sound to cells and back

/** The spectra of left + i·right: one of 512 numbers a frame. */
export interface Cells {
  frames: number;
  length: number; // samples of the sound
  spectra: Complex[];
}

export function* stft({ left, right }: Ears): Steps<Cells> {
  const n = left.length;
  const frames = Math.ceil(n / HOP) + 1;
  const spectra: Complex[] = [];
  for (let t = 0; t < frames; t++) {
    const frame = complex(WINDOW);
    for (let i = 0; i < WINDOW; i++) {
      const at = (t - 1) * HOP + i;
      if (at < 0 || at >= n) continue;
      frame.re[i] = left[at] * SINE[i];
      frame.im[i] = right[at] * SINE[i];
    }
    fft(frame, -1);
    spectra.push(frame);
    if (t % 16 === 15) yield;
  }
  return { frames, length: n, spectra };
}

/** Weigh each cell, the same at both ears, and make it sound again. */
export function* resynthesise(
  cells: Cells,
  weights: ArrayLike<number>,
): Steps<Ears> {
  const n = cells.length;
  const out = { left: new Float64Array(n), right: new Float64Array(n) };
  const frame = complex(WINDOW);
  for (let t = 0; t < cells.frames; t++) {
    const { re, im } = cells.spectra[t];
    for (let k = 0; k < WINDOW; k++) {
      const w = weights[t * BINS + Math.min(k, WINDOW - k)];
      frame.re[k] = re[k] * w;
      frame.im[k] = im[k] * w;
    }
    fft(frame, 1);
    for (let i = 0; i < WINDOW; i++) {
      const at = (t - 1) * HOP + i;
      if (at < 0 || at >= n) continue;
      out.left[at] += frame.re[i] * SINE[i];
      out.right[at] += frame.im[i] * SINE[i];
    }
    if (t % 16 === 15) yield;
  }
  return out;
}

// Keys, queries, scores, weights. Cells lie frame by frame: t · 257 + f.

/** Both ears' number in a cell: [left re, left im, right re, right im]. */
function split({ re, im }: Complex, k: number): number[] {
  const m = (WINDOW - k) % WINDOW;
  return [
    (re[k] + re[m]) / 2,
    (im[k] - im[m]) / 2,
    (im[k] + im[m]) / 2,
    (re[m] - re[k]) / 2,
  ];
}

/** Write the key of left and right into out[at …]: cos, sin, level. */
function writeKey(
  out: Float32Array | Float64Array,
  at: number,
  [lr, li, rr, ri]: number[],
): void {
  const re = rr * lr + ri * li;
  const im = ri * lr - rr * li;
  const size = Math.hypot(re, im);
  const silent = size < 1e-15;
  out[at] = silent ? 1 : re / size;
  out[at + 1] = silent ? 0 : im / size;
  const level =
    20 * Math.log10((Math.hypot(rr, ri) + 1e-9) / (Math.hypot(lr, li) + 1e-9));
  out[at + 2] = Math.max(-60, Math.min(60, level)) / LEVEL_UNIT;
}

/** The keys of all cells, three numbers each, and their energy. */
export function* keysOf(
  cells: Cells,
): Steps<{ keys: Float64Array; energy: Float64Array }> {
  const count = cells.frames * BINS;
  const keys = new Float64Array(3 * count);
  const loud = new Float64Array(count);
  for (let t = 0; t < cells.frames; t++) {
    for (let k = 0; k < BINS; k++) {
      const cell = split(cells.spectra[t], k);
      const at = t * BINS + k;
      writeKey(keys, 3 * at, cell);
      for (const x of cell) loud[at] += x * x;
    }
    if (t % 8 === 7) yield;
  }
  return { keys, energy: loud };
}

/** What a voice from each direction would leave: (37 × 257 × 3). */
export function expectedKeys(): Float64Array {
  const out = new Float64Array(DIRECTIONS.length * BINS * 3);
  DIRECTIONS.forEach((angle, d) => {
    for (let k = 0; k < BINS; k++) {
      const hertz = (k * RATE) / WINDOW;
      const both = [...headAt(angle, 0, hertz), ...headAt(angle, 1, hertz)];
      writeKey(out, 3 * (d * BINS + k), both);
    }
  });
  return out;
}

/** Scores −½‖query − key‖² of all cells, (cells × 37). */
export function* directionScores(
  keys: Float64Array,
  queries: Float64Array,
): Steps<Float32Array> {
  const many = DIRECTIONS.length;
  const count = keys.length / 3;
  const out = new Float32Array(count * many);
  for (let at = 0; at < count; at++) {
    const k = at % BINS;
    const [c, s, level] = [keys[3 * at], keys[3 * at + 1], keys[3 * at + 2]];
    for (let d = 0; d < many; d++) {
      const q = 3 * (d * BINS + k);
      const off = queries[q + 2] - level;
      out[at * many + d] =
        queries[q] * c + queries[q + 1] * s - 1 - 0.5 * off * off;
    }
    if (k === BINS - 1) yield;
  }
  return out;
}

/** Each cell divides itself among the directions, (cells × 37). */
export function* directionWeights(
  scores: Float32Array,
  temperature: number,
  out: Float32Array,
): Steps<Float32Array> {
  const many = DIRECTIONS.length;
  const shares = new Float64Array(many);
  for (let start = 0; start < scores.length; start += many) {
    let peak = Number.NEGATIVE_INFINITY;
    for (let d = 0; d < many; d++)
      if (scores[start + d] > peak) peak = scores[start + d];
    let total = 0;
    for (let d = 0; d < many; d++) {
      shares[d] = Math.exp((scores[start + d] - peak) / temperature);
      total += shares[d];
    }
    for (let d = 0; d < many; d++) out[start + d] = shares[d] / total;
    if ((start / many) % BINS === BINS - 1) yield;
  }
  return out;
}

/** Sum the shares of the directions within 15° of the query. */
export function beamWeights(
  weights: Float32Array,
  angle: number,
  out: Float32Array,
): Float32Array {
  const many = DIRECTIONS.length;
  const inside = DIRECTIONS.map((d) => Math.abs(d - angle) <= BEAM + 1e-9);
  const [low, high] = [inside.indexOf(true), inside.lastIndexOf(true)];
  for (let at = 0; at < out.length; at++) {
    let sum = 0;
    for (let d = low; d <= high; d++) sum += weights[at * many + d];
    out[at] = sum;
  }
  return out;
}

/** How much of the energy comes from each direction, 37 shares. */
export function* whoIsWhere(
  weights: Float32Array,
  loud: Float64Array,
): Steps<Float64Array> {
  const many = DIRECTIONS.length;
  const shares = new Float64Array(many);
  let total = 0;
  for (let at = 0; at < loud.length; at++) {
    total += loud[at];
    for (let d = 0; d < many; d++)
      shares[d] += weights[at * many + d] * loud[at];
    if (at % (16 * BINS) === 0) yield;
  }
  return total > 0 ? shares.map((x) => x / total) : shares;
}

/** Signal against everything else, in decibels (Le Roux et al. 2019). */
export function siSdr(estimate: Float64Array, target: Float64Array): number {
  let cross = 0;
  for (let i = 0; i < target.length; i++) cross += estimate[i] * target[i];
  const signal = cross ** 2 / energy(target);
  const rest = Math.max(energy(estimate) - signal, 1e-30);
  return 10 * Math.log10(Math.max(signal, 1e-30) / rest);
}
