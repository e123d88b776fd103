// The picture as fixations deliver it: blurred copies, mixed pixel by pixel.
import {
  blurRadius,
  LEVELS,
  levelOf,
  type Place,
  pixelsPerDegree,
} from "./model.ts";

/** A picture and its blurred copies, one after the other, as RGBA words. */
export interface Copies {
  width: number;
  height: number;
  words: Uint32Array; // (levels × height × width)
}

const breath = () => new Promise((go) => setTimeout(go, 0));

/** Blur a picture (RGBA bytes) as often as needed, with pauses to draw. */
export async function makeCopies(
  pixels: Uint8ClampedArray,
  width: number,
  height: number,
): Promise<Copies> {
  const size = width * height;
  const words = new Uint32Array(LEVELS.length * size);
  const bytes = new Uint8ClampedArray(words.buffer);
  const numbers = Float32Array.from(pixels);
  for (const [k, sigma] of LEVELS.entries()) {
    const blurred =
      sigma === 0 ? numbers : gaussianBlur(numbers, width, height, 4, sigma);
    bytes.set(blurred, 4 * size * k);
    await breath();
  }
  return { width, height, words };
}

/**
 * A Gaussian blur along rows and columns, cut off at 3 σ; beyond the edge
 * the edge continues. pixels: (height × width × channels)
 */
export function gaussianBlur(
  pixels: Float32Array,
  width: number,
  height: number,
  channels: number,
  sigma: number,
): Float32Array {
  const reach = Math.ceil(3 * sigma);
  const offsets = Array.from({ length: 2 * reach + 1 }, (_, i) => i - reach);
  const raw = offsets.map((x) => Math.exp(-(x * x) / (2 * sigma * sigma)));
  const total = raw.reduce((a, b) => a + b, 0);
  const kernel = raw.map((x) => x / total);
  const row = width * channels;
  const across = new Float32Array(pixels.length);
  const down = new Float32Array(pixels.length);
  // One row with its edges continued, so that the sums run straight on.
  const wide = new Float32Array((width + 2 * reach) * channels);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width + 2 * reach; x++) {
      const from = Math.max(0, Math.min(width - 1, x - reach));
      for (let c = 0; c < channels; c++)
        wide[x * channels + c] = pixels[y * row + from * channels + c];
    }
    for (let i = 0; i < kernel.length; i++)
      for (let j = 0; j < row; j++)
        across[y * row + j] += kernel[i] * wide[i * channels + j];
  }
  for (let y = 0; y < height; y++)
    for (let i = 0; i < kernel.length; i++) {
      const from = Math.max(0, Math.min(height - 1, y + i - reach));
      for (let j = 0; j < row; j++)
        down[y * row + j] += kernel[i] * across[from * row + j];
    }
  return down;
}

// Sixty-four steps from one copy to the next, four for each pixel of distance.
const [SHARES, FINE] = [64, 4];

/** For each quarter of a pixel of distance: 64 × the level. */
function levelTable(reach: number, scale: number): Uint16Array {
  const table = new Uint16Array(Math.ceil(reach * FINE) + 2);
  for (let i = 0; i < table.length; i++) {
    const sigma = blurRadius(i / FINE / scale, scale);
    table[i] = Math.round(levelOf(sigma) * SHARES);
  }
  return table;
}

/** Distances need not be kept for each pixel: one for a block of 2 × 2. */
export interface Near {
  columns: number;
  squares: Float32Array; // of the distance in pixels, (rows × columns)
}

/** The distance to the nearest of several fixations. */
export function nearest(width: number, height: number, places: Place[]): Near {
  const [columns, rows] = [(width + 1) >> 1, (height + 1) >> 1];
  const squares = new Float32Array(columns * rows).fill(Number.MAX_VALUE);
  const across = new Float32Array(columns);
  for (const [px, py] of places) {
    for (let x = 0; x < columns; x++) {
      const dx = 2 * x + 1 - px * width;
      across[x] = dx * dx;
    }
    for (let y = 0, i = 0; y < rows; y++) {
      const dy = 2 * y + 1 - py * height;
      const down = dy * dy;
      for (let x = 0; x < columns; x++, i++) {
        const square = across[x] + down;
        if (square < squares[i]) squares[i] = square;
      }
    }
  }
  return { columns, squares };
}

/**
 * Mix the copies into `out`: each pixel as sharp as the nearest fixation
 * makes it, this one or one of those `before` it.
 */
export function mix(
  copies: Copies,
  [px, py]: Place,
  before: Near | null,
  degrees: number,
  out: Uint32Array,
): void {
  const { width, height, words } = copies;
  const size = width * height;
  const scale = pixelsPerDegree(width, degrees);
  const table = levelTable(Math.hypot(width, height), scale);
  for (let y = 0, i = 0; y < height; y++) {
    const dy = y + 0.5 - py * height;
    const row = before === null ? 0 : (y >> 1) * before.columns;
    for (let x = 0; x < width; x++, i++) {
      const dx = x + 0.5 - px * width;
      let square = dx * dx + dy * dy;
      if (before !== null)
        square = Math.min(square, before.squares[row + (x >> 1)]);
      const level = table[(Math.sqrt(square) * FINE) | 0];
      const at = (level >> 6) * size + i;
      const share = level & 63;
      const a = words[at];
      if (share === 0) {
        out[i] = a;
        continue;
      }
      // Red and blue together, then green: integers of at most 31 bits.
      const b = words[at + size];
      const rest = SHARES - share;
      const two = ((a & 0xff00ff) * rest + (b & 0xff00ff) * share) >> 6;
      const one = (((a >> 8) & 255) * rest + ((b >> 8) & 255) * share) >> 6;
      out[i] = 0xff000000 | (two & 0xff00ff) | (one << 8);
    }
  }
}
