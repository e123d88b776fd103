// The browser takes what Python takes and refuses what Python refuses.
import assert from "node:assert/strict";
import { test } from "node:test";
import { defaults, type Trait, validators } from "../src/lib/traits.ts";
import { load } from "./vectors.ts";

type Answers = Record<string, [value: unknown, taken: boolean][]>;

for (const [name, answers] of Object.entries<Answers>(load("traits")))
  test(`traits: ${name}`, async () => {
    const { TRAITS } = (await import(`../src/${name}/traits.ts`)) as {
      TRAITS: Record<string, Trait>;
    };
    assert.deepEqual(Object.keys(TRAITS).sort(), Object.keys(answers).sort());
    const valid = validators<Record<string, unknown>>(TRAITS);
    for (const [trait, tries] of Object.entries(answers))
      for (const [value, taken] of tries)
        assert.equal(valid[trait](value), taken, `${trait}: ${value}`);
    const start = defaults(TRAITS);
    for (const trait of Object.keys(TRAITS))
      assert.ok(valid[trait](start[trait]), trait);
  });

test("no number is infinite, and none is NaN", () => {
  const valid = validators<{ x: number; n: number }>({
    x: { kind: "number", default: 0, range: [0, Infinity] },
    n: { kind: "whole", default: 0 },
  });
  for (const one of [Infinity, -Infinity, Number.NaN, "1", true]) {
    assert.equal(valid.x(one), false);
    assert.equal(valid.n(one), false);
  }
});
