// The maths of the page against the vectors that plain Python loops wrote.
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  cellText,
  createModel,
  type Picture,
  strongest,
} from "../src/attention_heatmap/compute.ts";
import {
  defaults,
  parseSource,
  validators,
} from "../src/attention_heatmap/state.ts";
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

/** A picture of one query. */
function oneRow(weights: number[], allowed: number[] | null = null): Picture {
  return {
    rows: [{ label: "a", members: [0] }],
    cols: weights.map((_, i) => ({ label: `k${i}`, members: [i] })),
    weights: Float64Array.from(weights),
    allowed: allowed && Uint8Array.from(allowed),
    sums: Float64Array.from([1]),
    totals: null,
    whole: true,
    scale: { top: 0.5, clipped: false, root: false },
  };
}
const columns = (picture: Picture, count: number) =>
  strongest(picture, 0, count).map(({ col }) => col);

test("the strongest keys come in order, ties from the left", () => {
  assert.deepEqual(columns(oneRow([0.25, 0.5, 0.25]), 2), [1, 0]);
});

test("a masked key is never among those looked at most", () => {
  assert.deepEqual(columns(oneRow([0, 1, 0], [1, 1, 0]), 3), [1, 0]);
  assert.deepEqual(columns(oneRow([0, 1, 0], [0, 1, 0]), 3), [1]);
  assert.deepEqual(columns(oneRow([0, 0, 0], [0, 0, 0]), 3), []);
});

test("a masked cell says so, and a small weight is not zero", () => {
  const picture = oneRow(
    [0, 0, 1 / 1024, 3e-9, 0.0096, 0.0123],
    [0, 1, 1, 1, 1, 1],
  );
  assert.deepEqual(
    picture.cols.map((_, c) => cellText(picture, c)),
    ["masked", "0.000", "0.00098", "3.0e-9", "0.0096", "0.012"],
  );
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
