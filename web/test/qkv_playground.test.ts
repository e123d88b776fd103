// QKVPlayground against the vectors of plain Python loops.
import assert from "node:assert/strict";
import { test } from "node:test";
import { applyChanges, fromLink, toLink } from "../src/lib/state.ts";
import {
  attend,
  parseSource,
  parseStart,
  validators,
} from "../src/qkv_playground/model.ts";
import { load, within } from "./vectors.ts";

const vectors = load("playground");
const close = within(vectors.tolerance);

vectors.qkv.forEach((one: Record<string, never>, i: number) => {
  test(`playground ${i}`, () => {
    const source = parseSource(one);
    const start = parseStart(one.state, source);
    const { state, refused } = applyChanges(
      start,
      one.state,
      validators(start),
    );
    assert.deepEqual(refused, []);
    const answer = attend(source, state);
    close(answer.weights, one.weights, "weights");
    close(answer.output, one.output, "output");
  });
});

test("vectors survive a link", () => {
  const one = vectors.qkv[1];
  const source = parseSource(one);
  const start = parseStart(one.state, source);
  const key = start.key.map((row) => row.map((x) => x + 1));
  const moved = applyChanges(start, { key }, validators(start)).state;
  const back = applyChanges(
    start,
    fromLink(toLink(moved, start), start),
    validators(start),
  );
  assert.deepEqual(back, { state: moved, refused: [] });
});

test("a hostile link moves no vector", () => {
  const one = vectors.qkv[0];
  const start = parseStart(one.state, parseSource(one));
  for (const text of [
    "",
    "1,2",
    "1,2,3,4,5,6,7",
    "a,b,c,d,e,f",
    "1e9,0,0,0,0,0",
  ]) {
    const changes = fromLink([["key", text]], start);
    const { state, refused } = applyChanges(start, changes, validators(start));
    assert.deepEqual(state, start, text);
    assert.deepEqual(refused, ["key"], text);
  }
});

test("bad vectors say so", () => {
  const one = vectors.qkv[0];
  assert.throws(() => parseSource(null), /expected the widget's data/);
  assert.throws(() => parseSource({ tokens: [] }), /expected 1 to 6 tokens/);
  const source = parseSource(one);
  const start = one.state;
  for (const state of [
    {},
    { ...start, key: [[1, 2]] },
    { ...start, value: [[Number.NaN], [1], [2]] },
    { ...start, query: [1, 2, 3] },
  ])
    assert.throws(() => parseStart(state, source), /expected/);
});
