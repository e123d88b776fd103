// Which colour a weight has: differences show, however many keys there are.
import assert from "node:assert/strict";
import { test } from "node:test";
import { roundUp, scaleOf, shadeOn, ticksOf } from "../src/lib/scale.ts";

const of = (weights: number[], cols: number, allowed?: number[]) =>
  scaleOf(
    Float64Array.from(weights),
    cols,
    allowed ? Uint8Array.from(allowed) : null,
  );
const linear = (top: number, clipped = false) => ({
  top,
  clipped,
  root: false,
});
/** The colours of some weights on their own scale. */
const shades = (weights: number[], cols: number) => {
  const scale = of(weights, cols);
  return weights.map((weight) => shadeOn(scale, weight));
};

test("colours end where at most one cell in 200 lies above", () => {
  assert.deepEqual(of([0.04, 0.05], 2), linear(0.05));
  assert.deepEqual(of([0.04, 0.7], 2), linear(1));
  const many = [1, ...new Array(399).fill(0.01)];
  assert.deepEqual(of(many, 20), linear(0.05, true));
});

test("colours reach weights above 1", () => {
  assert.deepEqual(of([1, 0.5], 2), linear(1));
  assert.deepEqual(of([1.2, 0.5], 2), linear(2));
  assert.deepEqual(of([31, 0.5], 2), linear(50));
  const rare = [1.4, ...new Array(399).fill(0.9)];
  assert.deepEqual(of(rare, 20), linear(1, true));
});

for (const n of [2, 13, 64, 65, 200, 512, 777, 1024, 2048])
  test(`equal weights of ${n} keys are bright`, () => {
    const [first] = shades(new Array(2 * n).fill(1 / n), n);
    assert.ok(first >= 110, `${first}`);
  });

test("equal weights that travelled as float16 are bright", () => {
  const [first] = shades(new Array(2000).fill(0.00100041), 1000);
  assert.ok(first >= 110, `${first}`);
});

for (const n of [128, 512, 1024])
  test(`a causal map of ${n} equal weights shows how long rows are`, () => {
    const weights = new Float64Array(n * n);
    const allowed = new Uint8Array(n * n);
    for (let i = 0; i < n; i++) {
      weights.fill(1 / (i + 1), i * n, i * n + i + 1);
      allowed.fill(1, i * n, i * n + i + 1);
    }
    const scale = scaleOf(weights, n, allowed);
    const rows = [n / 8, n / 4, n / 2, n].map((i) => shadeOn(scale, 1 / i));
    for (let i = 1; i < rows.length; i++)
      assert.ok(rows[i - 1] - rows[i] >= 15, `${rows}`);
    assert.ok(rows[3] >= 40, `${rows}`);
  });

test("a row of equal weights shows beside rows with one key each", () => {
  const n = 512;
  const weights = Array.from({ length: n * n }, (_, c) =>
    c < n ? 1 / n : Math.floor(c / n) === c % n ? 1 : 0,
  );
  const scale = of(weights, n);
  assert.ok(shadeOn(scale, 1 / n) - shadeOn(scale, 0) >= 100);
});

test("masked cells don't count", () => {
  const open = new Array(200).fill(0.02);
  const masked = new Array(19_800).fill(0);
  const allowed = [...open.map(() => 1), ...masked.map(() => 0)];
  assert.equal(of([...open, ...masked], 100, allowed).top, 0.02);
});

test("nothing, or next to nothing, has a scale", () => {
  assert.deepEqual(of([0, 0], 2), linear(1));
  assert.deepEqual(of([1, 1], 2, [0, 0]), linear(1));
  for (const least of [5e-324, 1e-300, 3e-9])
    assert.ok(of([least, 0], 2).top >= least);
});

test("the numbers below the bar fit the colours", () => {
  for (const [top, n] of [
    [1, 2],
    [0.02, 100],
    [0.001, 1024],
  ]) {
    const scale = of(new Array(n).fill(top), n);
    const [low, middle, end] = ticksOf(scale).map(Number);
    assert.deepEqual([low, end], [0, top]);
    assert.ok(Math.abs(shadeOn(scale, middle) - 127.5) < 3);
  }
  assert.equal(ticksOf(linear(0.2, true))[2], "≥ 0.2");
});

test("round numbers", () => {
  for (const [x, up] of [
    [1 / 1024, 0.001],
    [0.0011, 0.002],
    [0.05, 0.05],
    [0.1 + 0.2, 0.5],
    [1, 1],
    [1.01, 2],
    [31, 50],
    [3.4e38, 5e38],
  ])
    assert.equal(roundUp(x), up);
});
