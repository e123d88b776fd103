// Heads in the page against the vectors that plain Python loops wrote.
import assert from "node:assert/strict";
import { test } from "node:test";
import * as heads from "../src/head_browser/model.ts";
import { shadeMatrix } from "../src/lib/matrix.ts";
import { applyChanges, fromLink, toLink } from "../src/lib/state.ts";
import { load, pack, type Vectors } from "./vectors.ts";

const { browse } = load("heads");

function source(c: Vectors, changes: object = {}) {
  const [layers, count] = [c.score.length, c.score[0].length];
  const earned = c.labelled.flat();
  const reading = {
    score: pack(c.score),
    others: null,
    uniform: 0.1,
    labelled: [...earned.keys()].filter((i: number) => earned[i]),
  };
  return {
    measures: [{ name: "a", text: "" }, { name: "b" }],
    models: [
      {
        name: "m",
        layers,
        heads: count,
        readings: [reading, null],
        ...changes,
      },
    ],
    threshold: 0.5,
  };
}

for (const [i, c] of browse.entries())
  test(`browse ${i}: the highest head and the labels`, () => {
    const parsed = heads.parseSource(source(c));
    const state = heads.defaults(parsed);
    const found = heads.summary(heads.readingOf(parsed, state)!);
    const wide = c.score[0].length;
    assert.equal(found.labels, c.labels);
    assert.equal(found.best, (c.layer - 1) * wide + c.head - 1);
    assert.equal(heads.readingOf(parsed, { ...state, measure: "b" }), null);
  });

/** A measure that could not be taken in some heads. */
const partly = (score: number[][], missing: number[]) => ({
  score: { ...pack(score), missing },
  others: { ...pack(score), missing },
  uniform: null,
  labelled: null,
});

test("a head that could not be measured is never the highest", () => {
  const of = (missing: number[]) => {
    const readings = [partly([[0.9, 0.2, 0.5]], missing), null];
    const parsed = heads.parseSource(
      source(browse[0], { layers: 1, heads: 3, readings }),
    );
    return heads.readingOf(parsed, heads.defaults(parsed))!;
  };
  assert.equal(heads.summary(of([])).best, 0);
  assert.equal(heads.summary(of([0])).best, 2);
  assert.equal(heads.summary(of([0, 2])).best, 1);
  assert.equal(heads.summary(of([0, 1, 2])).best, -1);
  const { score, others } = of([1]);
  assert.deepEqual([...score], [Math.fround(0.9), Number.NaN, 0.5]);
  assert.ok(Number.isNaN(others![1]));
  const cells = shadeMatrix(score, { top: 1, clipped: false, root: false });
  assert.deepEqual(
    [0, 1, 2].map((c) => [cells.colour(c) === null, cells.empty(c)]),
    [
      [false, false],
      [true, true],
      [false, false],
    ],
  );
});

test("a large map is drawn with fewer cells, none of them lost", () => {
  const n = 5;
  const data = Float64Array.from({ length: n * n }, (_, c) => c);
  const maps = { tokens: [..."abcde"], data };
  assert.equal(heads.pooled(maps, 0, 5).weights.length, 25);
  const { tokens, weights } = heads.pooled(maps, 0, 3);
  assert.deepEqual(tokens, ["a", "c", "e"]);
  assert.deepEqual([...weights], [6, 8, 9, 16, 18, 19, 21, 23, 24]);
});

test("a pick outside a smaller model shows its last head", () => {
  const [small, , tall] = browse.map((c: Vectors) => source(c).models[0]);
  const parsed = heads.parseSource({
    ...source(browse[0]),
    models: [
      { ...small, name: "small" },
      { ...tall, name: "tall" },
    ],
  });
  const start = heads.defaults(parsed);
  const changes = fromLink(
    toLink({ ...start, model: "tall", layer: 5, head: 2 }, start),
    start,
  );
  const valid = heads.validators(parsed);
  const { state, refused } = applyChanges(start, changes, valid);
  assert.deepEqual(refused, []);
  const at = (name: string) =>
    heads.cellOf(heads.modelOf(parsed, { ...state, model: name }), state);
  assert.deepEqual(at("tall"), { row: 4, col: 1, c: 9 });
  assert.deepEqual(at("small"), { row: 0, col: 0, c: 0 });
  const hostile = { model: "x", measure: "y", layer: 6, head: 1.5 };
  assert.equal(applyChanges(start, hostile, valid).refused.length, 4);
});

test("the map of a head is its own", () => {
  const [weights] = [
    [
      [
        [
          [1, 0],
          [0.5, 0.5],
        ],
        [
          [0, 1],
          [1, 0],
        ],
      ],
    ],
  ];
  const c = { score: [[0.1, 0.2]], labelled: [[false, false]] };
  const parsed = heads.parseSource(
    source(c, { weights: pack(weights), tokens: ["a", "b"] }),
  );
  const maps = parsed.models[0].maps!;
  assert.deepEqual([...heads.mapOf(maps, 1)], [0, 1, 1, 0]);
});

for (const [what, changes, message] of [
  ["no readings", { readings: [] }, /at least one entry in readings of m/],
  ["a wrong size", { layers: 9 }, /expected a of m as 9×3, got 2×3/],
  ["too many layers", { layers: 1e9 }, /1 to 256 each, got 1000000000/],
  [
    "a label far away",
    {
      readings: [
        { ...source(browse[1]).models[0].readings[0]!, labelled: [1e9] },
        null,
      ],
    },
    /expected places of labels from 0 to 5, got 1000000000/,
  ],
  [
    "a label with a name",
    {
      readings: [
        { ...source(browse[1]).models[0].readings[0]!, labelled: ["length"] },
        null,
      ],
    },
    /expected places of labels from 0 to 5, got length/,
  ],
  [
    "a place that is not there",
    { layers: 1, heads: 1, readings: [partly([[1]], [-1]), null] },
    /expected places of a from 0 to 0, got -1/,
  ],
  ["no tokens", { weights: pack([[[[]]]]), tokens: [] }, /1 to 2048 tokens/],
  ["no layers", { layers: 0 }, /layers and heads of m, 1 to 256 each, got 0/],
  [
    "a reading missing",
    { readings: [null] },
    /expected 2 readings of m, got 1/,
  ],
] as const)
  test(`bad data is named: ${what}`, () => {
    assert.throws(() => heads.parseSource(source(browse[1], changes)), message);
  });
