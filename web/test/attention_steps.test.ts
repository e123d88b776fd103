// AttentionSteps against the vectors of plain Python loops.
import assert from "node:assert/strict";
import { test } from "node:test";
import { layOut } from "../src/attention_steps/layout.ts";
import {
  attend,
  further,
  parse,
  projections,
  validators,
} from "../src/attention_steps/model.ts";
import {
  most,
  outputSum,
  pieces,
  scaleSum,
  scoreSum,
  sentence,
  short,
  weightSum,
} from "../src/attention_steps/words.ts";
import { applyChanges, fromLink, toLink } from "../src/lib/state.ts";
import { load, pack, within } from "./vectors.ts";

const vectors = load("attention_steps");
const close = within(vectors.tolerance);
const names = (n: number, stem: string) =>
  Array.from({ length: n }, (_, i) => `${stem}${i}`);

type Case = (typeof vectors.cases)[number];

/** A case as Python hands it over. */
function given(one: Case) {
  const [heads, n_q, n_k] = [
    one.query.length,
    one.query[0].length,
    one.key[0].length,
  ];
  const { query, key, value, layer } = one;
  const d = query[0][0].length;
  const own = heads === 1 && Math.max(d, value[0][0].length) <= 8;
  return {
    source: {
      tokens: names(n_k, "k"),
      query_tokens: names(n_q, "q"),
      at: null,
      d_k: one.d_k ?? d,
      mask: one.mask && pack(one.mask.flat(2).map(Number)),
      vectors: own
        ? null
        : { query: pack(query), key: pack(key), value: pack(value) },
      layer:
        layer &&
        Object.fromEntries(
          Object.entries(layer).map(([name, part]) => [name, pack(part)]),
        ),
    },
    state: own ? { query: query[0], key: key[0], value: value[0] } : {},
    shape: [heads, n_q, n_k],
  };
}

function started(one: Case) {
  const { source: raw, state, shape } = given(one);
  if (raw.mask) raw.mask.shape = shape;
  return parse(raw, state);
}

vectors.cases.forEach((one: Case, c: number) => {
  test(`steps ${c}`, () => {
    const [source, start] = started(one);
    for (let head = 0; head < source.heads; head++) {
      const answer = attend(source, { ...start, head });
      close(answer.scores, one.scores[head].flat(), "scores");
      close(answer.weights, one.weights[head].flat(), "weights");
      close(answer.output, one.output[head].flat(), "output");
    }
    one.after?.forEach((want: Record<string, number[]>, i: number) => {
      const after = further(source, start, i);
      for (const kind of ["add", "norm", "feed", "norm2"] as const)
        close(after[kind], want[kind], `${kind} of ${i}`);
    });
  });

  test(`projections ${c}: |q| times the reach is q·k, lengths stay`, () => {
    const [source, start] = started(one);
    const answer = attend(source, start);
    const { d, tokens } = source;
    const query = answer.query.subarray(0, d);
    const scores = answer.scores.subarray(0, tokens.length);
    const { length, keys } = projections(query, answer.key, scores);
    keys.forEach(({ along, across }, j) => {
      const key = answer.key.subarray(j * d, (j + 1) * d);
      close([length * along], [scores[j]], "q·k");
      close([Math.hypot(along, across)], [Math.hypot(...key)], "|k|");
    });
  });

  for (const width of [300, 500, 700, 1000])
    test(`layout ${c}: everything stays inside ${width}`, () => {
      const [source] = started(one);
      const layout = layOut(source, width);
      const boxes = [
        ...layout.slots.flatMap((slot) => Object.values(slot)),
        ...layout.askers,
        ...layout.query,
        ...layout.output,
        ...layout.further.flat(),
      ];
      for (const { x, y, w, h } of boxes) {
        assert.ok(x >= 0 && x + w <= width, `${x} + ${w} in ${width}`);
        assert.ok(y >= 0 && y + h <= layout.height, `${y} + ${h}`);
      }
    });
});

test("a state survives its link", () => {
  const [source, start] = started(vectors.cases[1]);
  const key = start.key.map((row) => row.map((x) => x + 1));
  const valid = validators(source, start);
  const changes = { step: 4, asks: -1, key };
  const moved = applyChanges(start, changes, valid);
  assert.deepEqual(moved.refused, []);
  const back = applyChanges(
    start,
    fromLink(toLink(moved.state, start), start),
    valid,
  );
  assert.deepEqual(back, { state: moved.state, refused: [] });
});

test("a hostile link changes nothing", () => {
  for (const one of vectors.cases) {
    const [source, start] = started(one);
    const valid = validators(source, start);
    for (const [name, text] of [
      ["step", "99"],
      ["step", "0.5"],
      ["asks", "-2"],
      ["asks", "15"],
      ["head", "7"],
      ["query", "1"],
      ["key", "1e9,1"],
      ["value", "a,b"],
    ] as [string, string][]) {
      const changes = fromLink([[name, text]], start);
      const { state, refused } = applyChanges(start, changes, valid);
      assert.deepEqual(state, start, name);
      assert.deepEqual(refused, [name], text);
    }
  }
});

/** The article's example, as its page shows it. */
function article() {
  return parse(
    {
      tokens: ["cat", "sat", "mat"],
      query_tokens: ["it"],
      at: null,
      d_k: 4,
      mask: null,
      vectors: null,
      layer: null,
    },
    {
      query: [[1, 0, 1, 0]],
      key: [
        [1, 1, 0, 0],
        [0, 1, 1, 0],
        [0, 0, 1, 1],
      ],
      value: [
        [3, 0, 0, 1],
        [0, 3, 0, 1],
        [0, 0, 3, 1],
      ],
    },
  );
}

test("the arithmetic of the article's example", () => {
  const [source, start] = article();
  const answer = attend(source, start);
  assert.equal(
    scoreSum(source, answer, 0, 0),
    "q·k = 1·1 + 0·1 + 1·0 + 0·0 = 1",
  );
  assert.equal(scaleSum(source, answer, 0, 0), "1 ÷ √4 = 0.5");
  assert.equal(
    weightSum(source, answer, 0, 0),
    "e^0.5 ÷ (e^0.5 + e^0.5 + e^0.5) = 1.65 ÷ 4.95 = 0.333",
  );
  assert.equal(outputSum(source, answer, 0, 0), "0.33·3 + 0.33·0 + 0.33·0 = 1");
});

test("every step has its sentence, and roles are told apart", () => {
  for (const [source, start] of [article(), ...vectors.cases.map(started)])
    for (const asks of source.askers.length > 1 ? [0, -1] : [0])
      source.steps.forEach((_: string, step: number) => {
        const state = { ...start, step, asks };
        const text = sentence(source, state, attend(source, state));
        assert.doesNotMatch(text, /[{}]|undefined/);
        const plain = pieces(text).map((piece) => piece.text);
        assert.doesNotMatch(plain.join(""), /\*/);
      });
  assert.deepEqual(pieces("the *keys* of <b>"), [
    { text: "the ", role: null },
    { text: "keys", role: "key" },
    { text: " of <b>", role: null },
  ]);
});

test("who gets most, and ties", () => {
  const words = ["cat", "sat"];
  assert.equal(
    most(words, Float64Array.of(0.75, 0.25)),
    "“cat” gets most, 75 %",
  );
  assert.equal(
    most(words, Float64Array.of(0.5, 0.5)),
    "2 words get the same, 50 % each",
  );
  assert.match(most(words, Float64Array.of(0, 0)), /nobody/);
});

test("numbers are short", () => {
  const wanted = { "-0.5": "−0.5", 2: "2", "-0.001": "0", 1.005: "1" };
  for (const [x, text] of Object.entries(wanted))
    assert.equal(short(Number(x)), text);
  assert.match(short(-1.5e9), /^−1\.5e\+9$/);
});

const broken: [string, Record<string, unknown>, RegExp][] = [
  ["no words", { tokens: [] }, /1 to 16 tokens, got 0/],
  ["d_k", { d_k: 0 }, /d_k above 0/],
  ["at", { at: [9] }, /at as 1 positions/],
  ["mask", { mask: pack([1, 0, 1]) }, /mask of shape/],
  ["vectors", { vectors: { query: pack([1]) } }, /query of shape/],
  ["layer", { layer: { x: pack([[1]]) } }, /w_1/],
];
for (const [what, changes, message] of broken)
  test(`bad data says so: ${what}`, () => {
    const raw = {
      tokens: ["a", "b", "c"],
      query_tokens: ["q"],
      at: null,
      d_k: 1,
      mask: null,
      vectors: null,
      layer: null,
      ...changes,
    };
    const state = {
      query: [[1]],
      key: [[1], [2], [3]],
      value: [[1], [2], [3]],
    };
    assert.throws(() => parse(raw, state), message);
  });

test("no data, and vectors that don't fit, say so", () => {
  assert.throws(() => parse(null, {}), /expected the widget's data/);
  const raw = {
    tokens: ["a"],
    query_tokens: ["q"],
    d_k: 1,
    vectors: null,
    layer: null,
  };
  for (const state of [
    {},
    { query: [[1]], key: [[1, 2]], value: [[1]] },
    { query: [[Number.NaN]], key: [[1]], value: [[1]] },
  ])
    assert.throws(() => parse(raw, state), /expected/);
});
