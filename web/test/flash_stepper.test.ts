// FlashStepper against the vectors of plain Python loops.
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  errors,
  normalized,
  parseSource,
  type Reader,
  type Step,
  standardBytes,
  steps,
  tileCount,
  tiles,
  validators,
} from "../src/flash_stepper/model.ts";
import { applyChanges } from "../src/lib/state.ts";
import { load, within } from "./vectors.ts";

const vectors = load("flash");
const near = within(vectors.tolerance);

interface Case {
  source: unknown;
  state: Omit<Reader, "step">;
  steps: (Step & { m: (number | null)[] })[];
}

vectors.cases.forEach((one: Case, number: number) => {
  test(`tiles ${number}: ${Object.values(one.state).join(" ")}`, () => {
    const found = steps(parseSource(one.source), one.state);
    assert.equal(found.length, one.steps.length);
    found.forEach((step, i) => {
      const wanted = one.steps[i];
      assert.deepEqual(step.tile, wanted.tile);
      assert.equal(step.read, wanted.read);
      assert.equal(step.written, wanted.written);
      const m = wanted.m.map((x) => x ?? -Infinity);
      const met = (x: number) => x > -Infinity;
      assert.deepEqual(step.m.map(met), m.map(met));
      near(step.m.filter(met), m.filter(met), "m");
      near(step.l, wanted.l, "l");
      near(step.factors, wanted.factors, "factors");
      near(step.output.flat(), wanted.output.flat(), "output");
      near(step.expected.flat(), wanted.expected.flat(), "expected");
    });
  });
});

const SOURCE = parseSource(vectors.cases[0].source);
const START: Reader = { ...vectors.cases[0].state, step: 0 };

test("right at every step, wrong only where the largest score rose", () => {
  for (const step of steps(SOURCE, START))
    assert.ok(Math.max(...errors(step)) < 1e-12);
  const broken = steps(SOURCE, { ...START, broken: true });
  const rose = SOURCE.query.map((_, q) =>
    broken.some(({ factors }) => factors[q] > 0 && factors[q] < 1),
  );
  const wrong = errors(broken[broken.length - 1]).map((x) => x > 1e-9);
  assert.deepEqual(wrong, rose);
  assert.ok(rose.includes(true));
});

test("a row that saw nothing is zero", () => {
  const [first] = steps(SOURCE, { ...START, block_q: 1 });
  assert.deepEqual(normalized(first)[3], [0, 0]);
  assert.equal(errors(first)[3], 0);
});

test("causal skips tiles", () => {
  const causal = { ...START, causal: true };
  assert.equal(tileCount(SOURCE, causal), 4);
  assert.deepEqual(tiles(SOURCE, causal), [
    [0, 0],
    [1, 0],
    [1, 1],
  ]);
});

test("standard attention moves 4 n² + 4 n d numbers", () => {
  assert.equal(standardBytes(SOURCE), 4 * (4 * 4 * 4 + 4 * 4 * 2));
});

test("states that can't be are refused", () => {
  const wrong = {
    step: -1,
    block_q: 5,
    block_k: 1.5,
    causal: 1,
    order: "rows",
    broken: "true",
  };
  const { refused } = applyChanges(START, wrong, validators(SOURCE));
  assert.deepEqual(refused, Object.keys(wrong));
});

test("data that can't be is named", () => {
  const one = [[1, 2]];
  const bad = [
    null,
    {},
    { query: one, key: one, value: [[1, 2, 3]] },
    { query: [[1, Number.NaN]], key: one, value: one },
    { query: [[1, 2], [1]], key: one, value: one },
    { query: Array(17).fill([1, 2]), key: one, value: one },
  ];
  for (const json of bad)
    assert.throws(() => parseSource(json), /expected query, key and value/);
  assert.throws(
    () => parseSource({ query: [[1]], key: one, value: one }),
    /got 1 and 2 numbers, 1 keys and 1 values/,
  );
});
