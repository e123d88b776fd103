// What comes from outside: data, traits, links.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { createModel } from "../src/attention_heatmap/compute.ts";
import {
  defaults,
  parseSource,
  validators,
} from "../src/attention_heatmap/state.ts";
import { encode } from "../src/lib/arrays.ts";
import { readLink } from "../src/lib/link.ts";
import { applyChanges, fromLink, toLink } from "../src/lib/state.ts";
import { csvCell } from "../src/lib/svg.ts";

const path = new URL("../../tests/vectors/heatmap.json", import.meta.url);
const { cases } = JSON.parse(readFileSync(path, "utf8"));
const raw = (name: string) =>
  structuredClone(cases.find((c: { name: string }) => c.name === name).source);

test("a state survives its own link", () => {
  const source = parseSource(raw("second layer, third head"));
  const start = defaults(source);
  const { state } = applyChanges(
    start,
    {
      selection: { layer: "2" },
      temperature: 0.5,
      scaled: false,
      causal: true,
      cell: [1, 2],
      locked: [0, 3],
    },
    validators(source),
  );
  const hash = `#attn:x?${new URLSearchParams(toLink(state, start))}`;
  const pairs = readLink("x", hash)!;
  const back = applyChanges(start, fromLink(pairs, start), validators(source));
  assert.deepEqual(back.refused, []);
  assert.deepEqual(back.state, state);
});

test("a hostile or corrupt link changes nothing", () => {
  const source = parseSource(raw("second layer, third head"));
  const start = defaults(source);
  for (const [name, text] of [
    ["temperature", "-1"],
    ["temperature", "NaN"],
    ["temperature", "1e99"],
    ["threshold", ""],
    ["cell", "999,999"],
    ["cell", "<img>"],
    ["locked", "0,0,0"],
    ["locked", "0,1,2,3,4,0"],
    ["selection.layer", "</script>"],
    ["selection.__proto__", "1"],
    ["__proto__", "polluted"],
    ["constructor", "1"],
    ["causal", "maybe"],
    ["nonsense", "1"],
  ] as [string, string][]) {
    const { state, refused } = applyChanges(
      start,
      fromLink([[name, text]], start),
      validators(source),
    );
    assert.deepEqual(state, start, name);
    assert.deepEqual(refused, [name.split(".")[0]], `${name}=${text}`);
  }
  assert.equal(({} as Record<string, unknown>).polluted, undefined);
});

test("a link for another widget, or none, is not ours", () => {
  assert.equal(readLink("x", "#attn:y?causal=true"), null);
  assert.equal(readLink("x", "#section"), null);
  assert.equal(readLink("x", "#attn:%E0%A4%A?causal=true"), null);
  assert.throws(() => readLink("x", `#attn:x?${"a".repeat(3000)}`), /too long/);
});

/** Numbers as Python sends a mask. */
const packed = (numbers: number[], shape: number[]) =>
  encode(Float64Array.from(numbers), shape);

for (const hidden of [-1e4, 0.5, 2, -Infinity])
  test(`an additive mask is refused, as in Python: ${hidden}`, () => {
    const mask = packed([0, hidden, 0, 0], [2, 2]);
    const scores = packed([0, 0, 0, 0], [2, 2]);
    const two = ["a", "b"];
    const source = { scores, mask, query_tokens: two, key_tokens: two };
    assert.throws(() => parseSource(source), /expected mask of 0 and 1/);
  });

test("a score beyond float32 is drawn as Python draws it", () => {
  const scores = packed([0, -Number.MAX_VALUE, 0, 0], [2, 2]);
  const two = ["a", "b"];
  const source = parseSource({ scores, query_tokens: two, key_tokens: two });
  const { weights, allowed } = createModel(source).picture(defaults(source));
  assert.deepEqual([...weights], [1, 0, 0.5, 0.5]);
  assert.equal(allowed, null);
});

const broken: [string, (source: Record<string, unknown>) => void, RegExp][] = [
  [
    "no tokens",
    (s) => Object.assign(s, { query_tokens: [] }),
    /at least one token/,
  ],
  [
    "shape",
    (s) => Object.assign(s, { key_tokens: ["a"] }),
    /expected scores of shape/,
  ],
  [
    "no data",
    (s) => Object.assign(s, { scores: null }),
    /expected one of scores/,
  ],
  [
    "bytes",
    (s) => Object.assign(s.scores as object, { base64: "AAAA" }),
    /of shape 5×5/,
  ],
  [
    "not base64",
    (s) => Object.assign(s.scores as object, { base64: "<b>" }),
    /base64/,
  ],
  [
    "dtype",
    (s) => Object.assign(s.scores as object, { dtype: "bool" }),
    /float32 or float16 or int16, got bool/,
  ],
  [
    "NaN",
    (s) =>
      Object.assign(s.scores as object, {
        base64: Buffer.from(
          new Float32Array(25).fill(Number.NaN).buffer,
        ).toString("base64"),
      }),
    /expected numbers in scores, got NaN/,
  ],
  [
    "special",
    (s) => Object.assign(s, { key_special: [9] }),
    /positions from 0 to 4/,
  ],
  ["words", (s) => Object.assign(s, { key_words: [1] }), /one word for each/],
  [
    "axes",
    (s) => Object.assign(s, { axes: [{ name: "head" }] }),
    /name and labels/,
  ],
];
for (const [name, breakIt, message] of broken)
  test(`bad data says so: ${name}`, () => {
    const source = raw("plain scores");
    breakIt(source);
    assert.throws(() => parseSource(source), message);
  });

test("no data at all says so", () => {
  assert.throws(() => parseSource(null), /expected the widget's data/);
  assert.throws(() => parseSource("x"), /expected the widget's data/);
});

test("a token is never a spreadsheet's formula", () => {
  assert.equal(csvCell('=1+1,"x"'), `"'=1+1,""x"""`);
  assert.equal(csvCell("@a"), `"'@a"`);
  assert.equal(csvCell("cat"), `"cat"`);
  assert.equal(csvCell(-0.5), "-0.5");
});
