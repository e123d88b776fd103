// A matrix as pixels, one for each cell: a page can't hold a million marks.
import { words } from "./palette.ts";
import type { Scale } from "./scale.ts";

export interface Cells {
  weights: Float64Array; // (rows × cols)
  cols: number;
  scale: Scale;
  /** Cells that are masked, or below, stay clear. */
  allowed?: Uint8Array | null;
  threshold?: number;
}

/** Kept: a new canvas a frame costs more than filling it. */
let kept: HTMLCanvasElement | null = null;
let image: ImageData | null = null;

/** Paint a matrix; take what is on the canvas before the next one comes. */
export function paintPixels(cells: Cells): HTMLCanvasElement {
  const { weights, cols, scale, allowed = null, threshold = 0 } = cells;
  kept ??= document.createElement("canvas");
  const [width, height] = [cols, weights.length / cols];
  if (kept.width !== width) kept.width = width;
  if (kept.height !== height) kept.height = height;
  const context = kept.getContext("2d")!;
  if (image?.width !== width || image.height !== height)
    image = context.createImageData(width, height);
  const pixels = new Uint32Array(image.data.buffer);
  if (threshold > 0 || allowed) pixels.fill(0);
  // As `shadeOn` has it, without a call for each of a million cells.
  const unit = 255 / scale.top;
  for (let c = 0; c < pixels.length; c++) {
    if (weights[c] < threshold || (allowed && !allowed[c])) continue;
    const share = weights[c] * unit;
    const place = scale.root ? Math.sqrt(share * 255) : share;
    pixels[c] = words[place < 255 ? (place + 0.5) | 0 : 255];
  }
  context.putImageData(image, 0, 0);
  return kept;
}
