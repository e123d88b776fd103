// What a KV cache weighs. Pure; attn_course.widgets.kv_cache_meter is the twin.
import { type Valid, whole } from "../lib/state.ts";
import * as traits from "../lib/traits.ts";
import { MOST_HEADS, TRAITS } from "./traits.ts";

export interface Reader {
  model: string;
  kv_heads: number; // 0: as published
  length: number; // tokens
  batch: number; // texts at once
  bits: number; // of a number
}

/** A model's published shape, and where it is published. */
export interface Shape {
  name: string;
  layers: number;
  heads: number;
  kv_heads: number;
  d_head: number;
  latent: number; // numbers kept in place of keys and values, or 0
  source: string;
}

export function parseShapes(json: unknown): Shape[] {
  const shapes = (json as { models?: unknown } | null)?.models;
  const size = whole(1, 1e6);
  const heads = whole(1, MOST_HEADS);
  const fits = (x: Shape) =>
    typeof x?.name === "string" &&
    [x.layers, x.d_head].every(size) &&
    [x.heads, x.kv_heads].every(heads) &&
    whole(0, 1e6)(x.latent);
  if (!Array.isArray(shapes) || shapes.length === 0 || !shapes.every(fits))
    throw new Error("expected the shapes of models");
  return shapes;
}

export const validators = (shapes: Shape[]): Valid<Reader> =>
  traits.validators<Reader>(TRAITS, {
    model: (name) => shapes.some((shape) => shape.name === name),
  });

/** The state before anyone touched anything. */
export const defaults = (shapes: Shape[]): Reader => ({
  ...traits.defaults(TRAITS),
  model: shapes[0].name,
});

/** How many heads of keys and values a model can have: it is shared evenly. */
export const sharings = ({ heads }: Shape): number[] =>
  Array.from({ length: heads }, (_, i) => i + 1).filter(
    (groups) => heads % groups === 0,
  );

/** The numbers a layer keeps of a token; 0 heads: as published. */
export const perLayer = (shape: Shape, kvHeads: number): number =>
  kvHeads > 0 && shape.heads % kvHeads === 0
    ? 2 * kvHeads * shape.d_head
    : shape.latent || 2 * shape.kv_heads * shape.d_head;

/** Bytes of the whole cache. */
export const bytes = (
  shape: Shape,
  state: Reader,
  kvHeads = state.kv_heads,
  length = state.length,
): number =>
  (shape.layers *
    perLayer(shape, kvHeads) *
    length *
    state.batch *
    state.bits) /
  8;

const UNITS: [number, string][] = [
  [1e12, "TB"],
  [1e9, "GB"],
  [1e6, "MB"],
  [1e3, "kB"],
];

/** The largest unit that leaves at least 1: its size and its name. */
export const unit = (x: number): [number, string] =>
  UNITS.find(([size]) => x >= size) ?? [1, "bytes"];

export function inWords(x: number): string {
  const [size, name] = unit(x);
  return `${Number((x / size).toPrecision(3))} ${name}`;
}
