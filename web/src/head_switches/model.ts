// Losses of a small model with every subset of its heads. Pure;
// attn_course.widgets.head_switches holds the Python twin.
import { type NumberArray, type Packed, unpack } from "../lib/arrays.ts";
import { type Json, listOf } from "../lib/json.ts";
import { among, type Valid, whole } from "../lib/state.ts";
import * as traits from "../lib/traits.ts";
import { MAX_HEADS, TRAITS } from "./traits.ts";

export interface Source {
  layers: number;
  heads: number;
  ways: string[]; // what stands in for a head that is off
  tests: string[];
  seeds: string[];
  loss: NumberArray; // (seeds, ways, tests, subsets)
  accuracy: NumberArray;
  title: string;
  note: string;
}

/** What the reader may change. The names are the Python traits. */
export interface Reader {
  /** Head h of layer l (from 0) is on where bit l · heads + h is 1. */
  subset: number;
  way: string;
  test: string;
  seed: string;
  show: string;
  log: boolean;
}

export const SHOWN = TRAITS.show.choices;

/** Check the data; throws an Error that says what was expected. */
export function parseSource(raw: unknown): Source {
  const json = (raw ?? {}) as Json;
  const [layers, heads] = [Number(json.layers), Number(json.heads)];
  const total = layers * heads;
  if (![layers, heads].every(whole(1, MAX_HEADS)) || total > MAX_HEADS)
    throw new Error(
      `expected 1 to ${MAX_HEADS} heads in all, got ${layers} × ${heads}`,
    );
  const names = (name: string) => listOf(json[name], name).map(String);
  const [ways, tests, seeds] = ["ways", "tests", "seeds"].map(names);
  const shape = [seeds.length, ways.length, tests.length, 2 ** total];
  const read = (name: string) => {
    const array = unpack(json[name] as Packed, name);
    if (array.shape.join() !== shape.join())
      throw new Error(
        `expected ${name} of shape ${shape.join("×")}, ` +
          `got ${array.shape.join("×")}`,
      );
    return array;
  };
  return {
    layers,
    heads,
    ways,
    tests,
    seeds,
    loss: read("loss"),
    accuracy: read("accuracy"),
    title: String(json.title ?? ""),
    note: String(json.note ?? ""),
  };
}

/** What every subset gives: with one seed, that of the reader unless told. */
export function valuesOf(
  source: Source,
  state: Reader,
  name: string,
  seed = source.seeds.indexOf(state.seed),
): Float64Array {
  const { shape, data } = name === "loss" ? source.loss : source.accuracy;
  const [, ways, tests, subsets] = shape;
  const way = source.ways.indexOf(state.way);
  const test = source.tests.indexOf(state.test);
  const place = (seed * ways + way) * tests + test;
  return data.subarray(place * subsets, (place + 1) * subsets);
}

/** How many heads are on. */
export function sizeOf(subset: number): number {
  let size = 0;
  for (let rest = subset; rest > 0; rest >>= 1) size += rest & 1;
  return size;
}

/** All subsets of so many heads, the best first. */
export function ranked(
  values: Float64Array,
  size: number,
  name: string,
): number[] {
  const sign = name === "loss" ? 1 : -1;
  return [...values.keys()]
    .filter((subset) => sizeOf(subset) === size)
    .sort((a, b) => sign * (values[a] - values[b]) || a - b);
}

/** For each thing that a reader may change: is this a value it may take? */
export const validators = (source: Source): Valid<Reader> =>
  traits.validators<Reader>(TRAITS, {
    subset: (subset) => subset >= 0 && subset < source.loss.shape[3],
    way: among(source.ways),
    test: among(source.tests),
    seed: among(source.seeds),
  });

/** The state before anyone touched anything: every head is on. */
export const defaults = (source: Source): Reader => ({
  ...traits.defaults(TRAITS),
  subset: source.loss.shape[3] - 1,
  way: source.ways[0],
  test: source.tests[0],
  seed: source.seeds[0],
});
