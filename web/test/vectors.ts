// The vectors that plain Python loops wrote, and how near we must come.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { encode, type Packed } from "../src/lib/arrays.ts";

// biome-ignore lint/suspicious/noExplicitAny: each file has its own shape.
export type Vectors = any;

/** Read tests/vectors/NAME.json. */
export function load(name: string): Vectors {
  const path = new URL(`../../tests/vectors/${name}.json`, import.meta.url);
  return JSON.parse(readFileSync(path, "utf8"));
}

/** A check that numbers lie within a tolerance of those wanted. */
export const within =
  (tolerance: number) =>
  (got: ArrayLike<number>, want: ArrayLike<number>, what: string): void => {
    assert.equal(got.length, want.length, what);
    Array.from(want).forEach((w, i) => {
      const off = Math.abs(got[i] - w);
      assert.ok(off <= tolerance, `${what}[${i}]: ${got[i]}, not ${w}`);
    });
  };

/** Nested numbers as Python sends an array. */
export function pack(nested: unknown): Packed {
  const shape: number[] = [];
  for (let x = nested; Array.isArray(x); x = x[0]) shape.push(x.length);
  const flat = (nested as unknown[]).flat(9) as number[];
  return encode(Float64Array.from(flat), shape);
}
