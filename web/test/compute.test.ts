// The maths of the page against the vectors that plain Python loops wrote.
import assert from "node:assert/strict";
import { test } from "node:test";
import { colourTop, createModel, strongest } from "../src/heatmap/compute.ts";
import { defaults, parseSource, validators } from "../src/heatmap/state.ts";
import { applyChanges } from "../src/lib/state.ts";
import { load, within } from "./vectors.ts";

const { tolerance, cases } = load("heatmap");
const close = within(tolerance);

for (const {
  name,
  source: raw,
  state: changes,
  weights,
  output,
  picture,
} of cases)
  test(`vectors: ${name}`, () => {
    const source = parseSource(raw);
    const { state, refused } = applyChanges(
      defaults(source),
      changes,
      validators(source),
    );
    assert.deepEqual(refused, []);
    const model = createModel(source);
    const got = model.picture(state);
    assert.deepEqual(
      got.rows.map((g) => g.members),
      picture.rows,
    );
    assert.deepEqual(
      got.cols.map((g) => g.members),
      picture.cols,
    );
    close(got.weights, picture.weights.flat(), "weights");
    close(got.sums, picture.sums, "row sums");
    weights.forEach((row: number[], i: number) => {
      row.forEach((w, j) => {
        close([model.steps(state, i, j).weight], [w], "steps");
      });
      if (output) close(model.output(state, i)!, output[i], "output");
    });
  });

test("the strongest keys come in order, ties from the left", () => {
  const picture = {
    rows: [{ label: "a", members: [0] }],
    cols: [0, 1, 2].map((i) => ({ label: `k${i}`, members: [i] })),
    weights: Float64Array.from([0.25, 0.5, 0.25]),
    allowed: null,
    sums: Float64Array.from([1]),
    totals: null,
    top: 0.5,
    clipped: false,
  };
  assert.deepEqual(
    strongest(picture, 0, 2).map(({ col }) => col),
    [1, 0],
  );
});

test("colours end where at most one cell in 200 lies above", () => {
  const of = (weights: number[]) => colourTop(Float64Array.from(weights));
  assert.deepEqual(of([0.04, 0.05]), { top: 0.05, clipped: false });
  assert.deepEqual(of([0.04, 0.7]), { top: 1, clipped: false });
  const many = [1, ...new Array(399).fill(0.01)];
  assert.deepEqual(of(many), { top: 0.05, clipped: true });
});

test("colours reach weights above 1", () => {
  const of = (weights: number[]) => colourTop(Float64Array.from(weights));
  assert.deepEqual(of([1, 0.5]), { top: 1, clipped: false });
  assert.deepEqual(of([1.2, 0.5]), { top: 2, clipped: false });
  assert.deepEqual(of([31, 0.5]), { top: 50, clipped: false });
  const rare = [1.4, ...new Array(399).fill(0.9)];
  assert.deepEqual(of(rare), { top: 1, clipped: true });
});

test("rows as given know their true sums", () => {
  const raw = structuredClone(
    cases.find((c: { name: string }) => c.name === "weights as given").source,
  );
  const source = parseSource(raw);
  assert.ok(source.odd_rows);
  const state = { ...defaults(source), normalise: false, threshold: 0.5 };
  const { totals, sums } = createModel(source).picture(state);
  const first = source.weights!.data.subarray(0, 5);
  close([totals![0]], [first.reduce((a, b) => a + b)], "total");
  assert.ok(sums[0] < totals![0]);
});

test("only weights can be shown as given", () => {
  const scores = parseSource(
    cases.find((c: { name: string }) => c.name === "plain scores").source,
  );
  const { refused } = applyChanges(
    defaults(scores),
    { normalise: false },
    validators(scores),
  );
  assert.deepEqual(refused, ["normalise"]);
});
