// RecordedCurves against the vectors of plain Python loops.
import assert from "node:assert/strict";
import { test } from "node:test";
import { applyChanges, fromLink, toLink } from "../src/lib/state.ts";
import {
  curves,
  defaults,
  parseSource,
  picked,
  type Reader,
  top,
  validators,
} from "../src/recorded_curves/model.ts";
import { load } from "./vectors.ts";

const vectors = load("curves");
const source = parseSource(vectors.source);
const start = defaults(source);
const valid = validators(source);

function take(changes: unknown): Reader {
  const { state, refused } = applyChanges(start, changes, valid);
  assert.deepEqual(refused, []);
  return state;
}

interface Case {
  state: Partial<Reader>;
  lines: Record<
    string,
    { x: number; mean: number; low: number; high: number }[]
  >;
}

vectors.cases.forEach(({ state, lines }: Case, i: number) => {
  test(`curves ${i}: ${JSON.stringify(state)}`, () => {
    const shown = curves(source, take(state));
    assert.deepEqual(
      shown.map((line) => line.label),
      Object.keys(lines),
    );
    for (const { label, points } of shown) {
      assert.deepEqual(
        points.map((p) => p.x),
        lines[label].map((p) => p.x),
      );
      points.forEach((p, j) => {
        for (const name of ["mean", "low", "high"] as const)
          assert.ok(Math.abs(p[name] - lines[label][j][name]) < 1e-6);
        assert.deepEqual(p.seeds, [0, 1, 2]);
      });
    }
  });
});

test("only what is neither axis, line nor seed is picked", () => {
  assert.deepEqual(
    picked(source, "length").map((d) => d.name),
    ["hidden"],
  );
  assert.deepEqual(
    picked(source, "hidden").map((d) => d.name),
    ["length"],
  );
});

test("a seed that was not run leaves the others where they are", () => {
  const holes = structuredClone(vectors.source);
  const seeds = 3 * vectors.lengths.length;
  // The first model with the first size: drop seed 0 at every length.
  for (let i = 0; i < vectors.lengths.length; i++)
    holes.measures[0].values[i] = null;
  assert.ok(holes.measures[0].values.length > seeds);
  const [line] = curves(parseSource(holes), take({ picks: { hidden: "32" } }));
  assert.deepEqual(line.points[0].seeds, [1, 2]);
  assert.equal(line.points[0].values.length, 2);
});

test("the vertical axis ends at 1 for shares, else at a round number", () => {
  assert.equal(top(source, "token"), 1);
  assert.equal(top(source, "loss"), 5);
});

test("a link restores the state; hostile entries are refused", () => {
  const state = take({
    x: "hidden",
    measure: "loss",
    picks: { length: "5" },
    each_seed: true,
    at: 1,
  });
  const back = fromLink(toLink(state, start), start);
  assert.deepEqual(applyChanges(start, back, valid), { state, refused: [] });
  const bad = { x: "seed", measure: "<b>", picks: { hidden: "7" }, at: 99 };
  assert.deepEqual(applyChanges(start, bad, valid).refused, Object.keys(bad));
});

test("bad data says what was expected", () => {
  const spoil = (change: object) => () =>
    parseSource({ ...vectors.source, ...change });
  assert.throws(() => parseSource(null), /expected the widget's data/);
  assert.throws(spoil({ dimensions: [] }), /at least one entry in dimensions/);
  assert.throws(spoil({ lines: "colour" }), /expected one of model/);
  const short = [{ ...vectors.source.measures[0], values: [1] }];
  assert.throws(spoil({ measures: short }), /expected 36 values of token/);
});
