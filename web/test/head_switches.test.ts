// HeadSwitches against the vectors of plain Python loops.
import assert from "node:assert/strict";
import { test } from "node:test";
import * as switches from "../src/head_switches/model.ts";
import { applyChanges, fromLink, toLink } from "../src/lib/state.ts";
import { load, pack, type Vectors, within } from "./vectors.ts";

const { switch: cases } = load("heads");
const NAMES = ["x", "y"];
const recorded = (c: Vectors) => ({
  layers: c.layers,
  heads: c.heads,
  ways: NAMES,
  tests: NAMES,
  seeds: NAMES,
  loss: pack(c.loss),
  accuracy: pack(c.accuracy),
});

for (const [i, c] of cases.entries())
  test(`switch ${i}: the values and the ranks of every pick`, () => {
    const parsed = switches.parseSource(recorded(c));
    for (const pick of c.picks) {
      const state = {
        ...switches.defaults(parsed),
        seed: NAMES[pick.seed],
        way: NAMES[pick.way],
        test: NAMES[pick.test],
      };
      const values = switches.valuesOf(parsed, state, pick.show);
      within(1e-6)(values, pick.values, pick.show);
      pick.ranked.forEach((wanted: number[], size: number) => {
        assert.deepEqual(switches.ranked(values, size, pick.show), wanted);
      });
    }
  });

test("switches refuse what was not recorded", () => {
  const parsed = switches.parseSource(recorded(cases[2]));
  const start = switches.defaults(parsed);
  assert.equal(start.subset, 15);
  const valid = switches.validators(parsed);
  const bad = { subset: 16, way: "z", test: "", seed: 0, show: "all", log: 1 };
  assert.equal(applyChanges(start, bad, valid).refused.length, 6);
  const told = toLink({ ...start, subset: 5, show: "accuracy" }, start);
  const back = applyChanges(start, fromLink(told, start), valid);
  assert.deepEqual(back.refused, []);
  assert.equal(back.state.subset, 5);
});

for (const [changes, message] of [
  [{ heads: 9 }, /expected 1 to 10 heads in all, got 2 × 9/],
  [{ layers: 0.5, heads: 8 }, /expected 1 to 10 heads in all, got 0.5 × 8/],
  [{ heads: 1 }, /expected loss of shape 2×2×2×4, got 2×2×2×16/],
  [{ seeds: [] }, /expected at least one entry in seeds/],
] as const)
  test(`bad switches are named: ${JSON.stringify(changes)}`, () => {
    const bad = { ...recorded(cases[2]), ...changes };
    assert.throws(() => switches.parseSource(bad), message);
  });
