// Two matrices: who may look at whom, who can have heard of whom.

import type { Ink } from "../lib/colours.ts";
import type { At } from "../lib/grid.ts";
import { type Matrix, touchWidth } from "../lib/matrix.ts";
import { hex, isBright } from "../lib/palette.ts";
import type { Way } from "./model.ts";

/** So many tokens are large enough to touch on a phone. */
export const FEW = 12;

/** The narrowest half in which nothing has to be scrolled. */
export const leastWidth = (n: number): number =>
  n <= FEW ? touchWidth(n) : 280;

export function maskMatrix(mask: Uint8Array, ink: Ink): Matrix {
  return {
    colour: (c) => (mask[c] === 1 ? ink.marks[0] : null),
    empty: (c) => mask[c] === 0,
  };
}

/** A colour for each layer: cividis from dark to bright. */
export const layerShade = (layer: number): number => 10 + 60 * layer;

export function reachMatrix(
  first: Uint8Array,
  n: number,
  layer: number,
  future: boolean,
): Matrix {
  return {
    colour: (c) => (first[c] <= layer ? hex(layerShade(first[c])) : null),
    empty: (c) => first[c] > layer,
    text: (c) =>
      first[c] > layer || n > 16
        ? null
        : { text: String(first[c]), dark: isBright(layerShade(first[c])) },
    marked: (c) => future && first[c] <= layer && c % n > Math.floor(c / n),
  };
}

/** The step of a way that lies in one layer, as a cell. */
export function stepOf(way: Way | null, layer: number): At | null {
  const place = way?.findIndex((step) => step.layer === layer) ?? -1;
  if (!way || place < 1) return null;
  return { row: way[place].token, col: way[place - 1].token };
}
