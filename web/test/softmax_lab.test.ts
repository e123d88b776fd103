// SoftmaxLab against the vectors of plain Python loops.
import assert from "node:assert/strict";
import { test } from "node:test";
import { measure, sampleScores, VALID } from "../src/softmax_lab/model.ts";
import { load, within } from "./vectors.ts";

const vectors = load("playground");
const close = within(vectors.tolerance);

vectors.softmax_lab.forEach((one: Record<string, never>, i: number) => {
  test(`softmax lab ${i}`, () => {
    const state = one.state as never as Parameters<typeof measure>[1];
    const got = measure(sampleScores(state.d, state.seed), state);
    for (const name of ["spread", "entropy", "gradient"] as const)
      close([got[name]], [one[name]], name);
  });
});

test("the lab takes whole dimensions only", () => {
  for (const d of [0, 1.5, 2000, "8"]) assert.equal(VALID.d(d), false);
  assert.equal(VALID.d(8), true);
});
