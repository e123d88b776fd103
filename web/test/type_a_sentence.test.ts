// TypeASentence's numbers against the vectors of plain Python loops.
import assert from "node:assert/strict";
import { test } from "node:test";
import { decode, half } from "../src/lib/arrays.ts";
import { applyChanges, fromLink, toLink } from "../src/lib/state.ts";
import {
  consider,
  parseSource,
  validators,
} from "../src/type_a_sentence/model.ts";
import { edits, kindsOf, tokenise } from "../src/type_a_sentence/text.ts";
import { MAX_LETTERS } from "../src/type_a_sentence/traits.ts";
import {
  answer,
  erf,
  parseNetwork,
  read,
} from "../src/type_a_sentence/transformer.ts";
import { load, within } from "./vectors.ts";

const vectors = load("sentence");
const near = within(vectors.tolerance);
const file = () => decode(vectors.file, "the file");
const network = parseNetwork(file());

for (const one of vectors.sentences)
  test(`the tiny model reads “${one.words.join(" ")}”`, () => {
    const reading = read(network, one.numbers);
    near(reading.scores, one.scores, "scores");
    near(reading.weights, one.weights, "weights");
    one.chances.forEach((row: number[], place: number) => {
      near(answer(network, reading, place), row, `chances ${place}`);
    });
  });

for (const [text, words] of vectors.texts)
  test(`“${text}” in words`, () => {
    const tokens = tokenise(text);
    assert.deepEqual(
      tokens.map(({ word }) => word),
      words,
    );
    for (const token of tokens)
      assert.equal(text.slice(token.start, token.end), token.text);
  });

for (const [text, count] of [
  ["हिन्दी", 1],
  ["க்ஷ தமிழ்", 2],
  ["e\u0301te\u0301", 1],
  ["می\u200cخواهم", 1],
  ["שָׁלוֹם", 1],
  ["ภาษาไทย", 1],
  ["\u{1f469}\u200d\u{1f469}\u200d\u{1f467}", 1],
  ["\u{1f44d}\u{1f3fd}\u{1f44d}", 2],
  ["\u{1f1e9}\u{1f1ea}\u{1f1eb}\u{1f1f7}", 2],
  ["!\u0301?", 2],
] as const)
  test(`letters stay whole: ${text}`, () => {
    assert.equal(tokenise(text).length, count);
  });

for (const [a, b, count] of vectors.edits)
  test(`from “${a}” to “${b}”`, () => {
    assert.equal(edits(a, b), count);
    assert.equal(edits(b, a), count);
  });

test("half-precision numbers of every kind", () => {
  const known: [number, number][] = [
    [0x3c00, 1],
    [0xc000, -2],
    [0x0001, 2 ** -24],
    [0x7bff, 65504],
    [0x3555, 0.333251953125],
    [0x7c00, Infinity],
  ];
  for (const [bits, value] of known) assert.equal(half(bits), value);
  assert.ok(Number.isNaN(half(0x7e00)));
});

test("the error function", () => {
  const known = [0, 0.1124629160182849, 0.8427007929497149, 0.9999779095030014];
  [0, 0.1, 1, 3].forEach((x, i) => {
    assert.ok(Math.abs(erf(x) - known[i]) < 2e-7);
    assert.ok(Math.abs(erf(-x) + known[i]) < 2e-7);
  });
});

test("no answer while a word is unknown, and none is guessed", () => {
  const outcome = consider(network, "The Cta saw it zzzzzz");
  assert.deepEqual(
    outcome.unknown.map(({ text }) => text),
    ["Cta", "zzzzzz"],
  );
  assert.equal(outcome.reading, null);
  assert.deepEqual(outcome.answers, []);
  assert.ok(outcome.offers[0].known.includes("cat"));
  assert.match(outcome.message, /Replace each .* no answer/);
});

test("words of a class that fits are offered", () => {
  const offered = (sentence: string) =>
    consider(network, sentence).offers[0].known;
  assert.deepEqual(offered("the zzzzzz").sort(), ["cat", "mat"]);
  assert.deepEqual(offered("the cat zzzzzz"), ["saw"]);
  assert.deepEqual(offered("zzzzzz"), ["the"]);
  assert.deepEqual(offered(". zzzzzz"), []);
  for (const text of ["<", "pad", "<blank>"])
    assert.ok(!offered(text).some((each) => each.startsWith("<")));
});

test("a word that stands there twice is offered once, five at most", () => {
  const outcome = consider(network, "aa bb aa cc dd ee ff gg");
  assert.equal(outcome.unknown.length, 8);
  const offered = outcome.offers.map(({ token }) => token.text);
  assert.deepEqual(offered, ["aa", "bb", "cc", "dd", "ee"]);
});

test("the kind of an unknown word is guessed from the one before", () => {
  const outcome = consider(network, "the zzzzzz yyyyyy");
  assert.deepEqual(outcome.offers[1].known, ["saw", "cat", "mat"]);
});

test("kinds are named once each, however many words are unknown", () => {
  for (const count of [1, 2, 10, 20, 300]) {
    const words = new Array(count).fill("x");
    for (const kinds of kindsOf(words, () => false, network.classes))
      assert.equal(new Set(kinds).size, kinds.length);
  }
});

test("a sentence of nothing but unknown words gets its message", () => {
  for (const word of ["x ", "👩 ", "é-"]) {
    const outcome = consider(network, word.repeat(110));
    assert.match(outcome.message, /not among the .* words/);
    assert.ok(outcome.offers.length > 0);
  }
});

test("each obstacle is named", () => {
  const said = (text: string) => consider(network, text).message;
  assert.match(said("   "), /Type a sentence/);
  assert.match(said("the cat saw the mat"), /no pronoun/);
  assert.match(said("the ".repeat(9)), /8 words at most.* has 9/);
  assert.equal(said("the cat saw it"), "");
  assert.equal(consider(network, "the cat saw ___").answers.length, 1);
});

test("every noun of the sentence is among the candidates", () => {
  const [one] = consider(network, "the cat saw the mat it saw").answers;
  const here = one.candidates.filter((each) => each.here);
  assert.deepEqual(here.map(({ word }) => word).sort(), ["cat", "mat"]);
  const chances = one.candidates.map(({ chance }) => chance);
  assert.deepEqual(
    chances,
    [...chances].sort((a, b) => b - a),
  );
  assert.ok(one.candidates.length >= 3);
});

test("a damaged file is an error", () => {
  assert.throws(() => parseNetwork(new Uint8Array(4)), /safetensors/);
  const cut = file().slice(0, -2);
  assert.throws(() => parseNetwork(cut));
  const broken = file();
  broken[broken.length - 1] = 0x7e; // NaN
  assert.throws(() => parseNetwork(broken), /finite/);
});

for (const [shape, data_offsets] of [
  [[1e9], [0, 2e9]],
  [[4], [1e12, 1e12 + 8]],
  [[4], [-8, 0]],
])
  test(`weights that are not in the file: ${data_offsets}`, () => {
    const header = { x: { dtype: "F16", shape, data_offsets } };
    const text = new TextEncoder().encode(JSON.stringify(header));
    const bytes = new Uint8Array(8 + text.length + 8);
    new DataView(bytes.buffer).setUint32(0, text.length, true);
    bytes.set(text, 8);
    assert.throws(() => parseNetwork(bytes), /expected x as/);
  });

const source = parseSource({ layers: 2, heads: 4, examples: [null, 5] });

test("a link carries a hostile sentence unharmed, and no long one", () => {
  const start = { sentence: "", layer: 1, head: 1 };
  const valid = validators(source);
  const state = { sentence: `<img src=x onerror="a">&=#`, layer: 2, head: 4 };
  const pairs = toLink(state, start);
  const back = applyChanges(start, fromLink(pairs, start), valid);
  assert.deepEqual(back, { state, refused: [] });
  const long = { sentence: "a".repeat(MAX_LETTERS + 1), layer: 3, head: 0.5 };
  assert.deepEqual(applyChanges(start, long, valid).refused, [
    "sentence",
    "layer",
    "head",
  ]);
});

test("letters are counted as Python counts them, and never cut", () => {
  const { sentence } = validators(source);
  assert.ok(sentence("𝒳".repeat(MAX_LETTERS)));
  assert.ok(!sentence("𝒳".repeat(MAX_LETTERS + 1)));
  const [{ sentence: cut }] = parseSource({
    layers: 1,
    heads: 1,
    examples: [{ sentence: `a${"𝒳".repeat(MAX_LETTERS)}` }],
  }).examples;
  assert.equal(cut, `a${"𝒳".repeat(MAX_LETTERS - 1)}`);
});

test("bad data is an error that says what was expected", () => {
  assert.throws(() => parseSource(null), /expected the widget's data/);
  assert.throws(() => parseSource({ layers: 2 }), /expected heads/);
});
