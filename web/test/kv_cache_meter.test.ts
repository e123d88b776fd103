// KVCacheMeter against the vectors of plain Python loops.
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  bytes,
  inWords,
  parseShapes,
  sharings,
  validators,
} from "../src/kv_cache_meter/model.ts";
import { applyChanges } from "../src/lib/state.ts";
import { load } from "./vectors.ts";

const vectors = load("kv_cache_meter");

vectors.forEach((one: Record<string, never>, i: number) => {
  test(`cache ${i}`, () => {
    const [shape] = parseShapes({ models: [one.shape] });
    const state = one.state as never as Parameters<typeof bytes>[1];
    const start = { ...state, length: 1, batch: 1, bits: 16, kv_heads: 0 };
    const taken = applyChanges(start, state, validators([shape]));
    assert.deepEqual(taken.refused, []);
    assert.equal(bytes(shape, taken.state), one.bytes);
  });
});

test("states that can't be are refused", () => {
  const shapes = parseShapes({ models: [vectors[0].shape] });
  const start = { model: "small", kv_heads: 0, length: 1, batch: 1, bits: 16 };
  const wrong = { model: "x", kv_heads: -1, length: 0, batch: 0.5, bits: 4 };
  const { refused } = applyChanges(start, wrong, validators(shapes));
  assert.deepEqual(refused, Object.keys(wrong));
});

test("shapes that are none are refused", () => {
  for (const json of [null, {}, { models: [] }, { models: [{ name: "x" }] }])
    assert.throws(() => parseShapes(json), /expected the shapes/);
});

test("no model has a million heads, and none a latent text", () => {
  const { shape } = vectors[0];
  for (const wrong of [{ heads: 1e6 }, { kv_heads: 1025 }, { latent: "x" }])
    assert.throws(
      () => parseShapes({ models: [{ ...shape, ...wrong }] }),
      /expected the shapes/,
    );
});

test("heads can be shared evenly", () => {
  assert.deepEqual(sharings({ ...vectors[0].shape, heads: 6 }), [1, 2, 3, 6]);
});

test("bytes in words", () => {
  assert.equal(inWords(1073741824), "1.07 GB");
  assert.equal(inWords(999), "999 bytes");
  assert.equal(inWords(131072), "131 kB");
});
