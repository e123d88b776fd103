// Packed numbers: every kind, and what lies beyond.
import assert from "node:assert/strict";
import { test } from "node:test";
import { encode, LARGEST, type Packed, unpack } from "../src/lib/arrays.ts";

const packed = (
  bytes: Float32Array | Int16Array | Uint16Array,
  dtype: Packed["dtype"],
  step: number | null = null,
): Packed => ({
  dtype,
  shape: [bytes.length],
  step,
  base64: Buffer.from(bytes.buffer).toString("base64"),
});
const floats = (...numbers: number[]) =>
  packed(Float32Array.from(numbers), "float32");

test("numbers beyond float32 are clipped, as in Python", () => {
  assert.equal(LARGEST, Math.fround(LARGEST));
  const { data } = unpack(floats(-Infinity, Infinity, 1), "scores");
  assert.deepEqual([...data], [-LARGEST, LARGEST, 1]);
  const far = packed(Int16Array.from([-2, 0, 2]), "int16", 1e308);
  assert.deepEqual([...unpack(far, "x").data], [-LARGEST, 0, LARGEST]);
  const back = unpack(encode(Float64Array.from([-1e300, 2]), [2]), "x");
  assert.deepEqual([...back.data], [-LARGEST, 2]);
});

test("what is no number is refused", () => {
  assert.throws(() => unpack(floats(1, Number.NaN), "scores"), /got NaN/);
  const steps = packed(Int16Array.from([0, 1]), "int16", Infinity);
  assert.throws(() => unpack(steps, "scores"), /got NaN/);
});

test("halves are read", () => {
  const bits = Uint16Array.from([0x3c00, 0xc000, 0x1800, 0x7c00]);
  const { data } = unpack(packed(bits, "float16"), "maps");
  assert.deepEqual([...data], [1, -2, 2 ** -9, LARGEST]);
});

for (const shape of [[-2, -1], [2.5], [1e9, 1e9], "2", null])
  test(`a shape that the bytes don't have: ${shape}`, () => {
    const bad = { ...floats(1, 2), shape } as Packed;
    assert.throws(() => unpack(bad, "x"), /expected x/);
  });
