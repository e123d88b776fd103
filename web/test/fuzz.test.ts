// Hostile and awkward links and sentences, for each widget: what comes out
// is a state that the widget may have, and all that follows from it is finite.
// The numbers are drawn from a seed, so that every run tries the same.
import assert from "node:assert/strict";
import { test } from "node:test";
import { readLink } from "../src/lib/link.ts";
import { uniform } from "../src/lib/random.ts";
import { applyChanges, fromLink } from "../src/lib/state.ts";
import * as mask from "../src/mask_designer/model.ts";
import * as sentence from "../src/type_a_sentence/model.ts";
import { kindsOf, tokenise } from "../src/type_a_sentence/text.ts";
import { network, SUBJECTS } from "./subjects.ts";

const LINKS = 400; // for each widget
const SENTENCES = 300;

// --- what is tried ----------------------------------------------------------
const PROTOTYPE = ["__proto__", "constructor", "toString", "hasOwnProperty"];
const AWKWARD = [
  ...["", " ", "0", "-0", "1", "2", "3", "-1", "0.5", "1e309", "-1e309"],
  ...["1e308", "5e-324", "NaN", "Infinity", "-Infinity", "0x10", "1e1000000"],
  ...["9007199254740993", "99999999999999999999", "true", "false", "null"],
  ...["undefined", "[]", "{}", '{"a":{"b":[1,2]}}', "[[[[[[]]]]]]", "[1,2]"],
  ...["</script><img src=x onerror=alert(1)>", "javascript:alert(1)", "\0"],
  ...["%", "%E0%A4%A", "%ff", "%00", "+++", "&&&", "a=b=c", "?#?#", "\ud800"],
  ...[
    "שלום",
    "مرحبا",
    "\u202eabc\u202c",
    "हिन्दी",
    "我爱",
    "👩‍👩‍👧",
    "é".normalize("NFD"),
  ],
  ...["0,0", "1,1", "-0,-0", "0,0,0,0", "1,NaN", ",", ",,,,", "1e309,0"],
  ...PROTOTYPE,
];
const PIECES = [
  ...["x ", "x+", "é ", "__ ", "_", "the ", "she ", "cat ", "... ", "-", "’"],
  ...[
    "👩‍👩‍👧",
    "👍🏽 ",
    "א ",
    "ع",
    "\u200d",
    "\u0301",
    "e\u0301\u0323 ",
    "हि",
    "我爱 ",
  ],
  ...[
    "</script>",
    "__proto__ ",
    "constructor ",
    "1e309 ",
    "\u202e",
    "\n",
    "\0",
  ],
];

type Random = () => number;
const among = <T>(random: Random, all: readonly T[]): T =>
  all[Math.floor(random() * all.length)];
const upTo = (random: Random, most: number) =>
  Math.floor(random() * (most + 1));

/** A few pieces, each of them once or many times over. */
function someText(random: Random): string {
  const parts = Array.from({ length: 1 + upTo(random, 3) }, () =>
    among(random, PIECES).repeat(among(random, [1, 2, 9, 40, 110, 300])),
  );
  return parts.join("").slice(0, 1 + upTo(random, 400));
}

/** A value: one that is awkward, one that may fit, or any text. */
function someValue(random: Random, now: unknown): string {
  const kind = upTo(random, 5);
  if (kind === 0) return someText(random);
  if (kind <= 2) return among(random, AWKWARD);
  if (Array.isArray(now)) {
    const length = among(random, [0, 1, 2, 3, 4, 8, 500]);
    return Array.from({ length }, () => upTo(random, 9) - 2).join(",");
  }
  if (typeof now === "number")
    return String(among(random, [now, upTo(random, 20), random() * 10]));
  if (typeof now === "boolean") return String(random() < 0.5);
  return among(random, [String(now), ...Object.keys(mask.PRESETS), "t1", "2"]);
}

/** The part of a link after the question mark. */
function someQuery(random: Random, start: Record<string, unknown>): string {
  const names = [...Object.keys(start), ...PROTOTYPE, "", "."];
  const pairs = Array.from({ length: 1 + upTo(random, 6) }, () => {
    const name = among(random, names);
    const now = Object.hasOwn(start, name) ? start[name] : "";
    const record =
      typeof now === "object" && now !== null && !Array.isArray(now);
    const entry = among(random, [
      ...(record ? Object.keys(now) : []),
      ...PROTOTYPE,
      "1",
    ]);
    const key = record || random() < 0.1 ? `${name}.${entry}` : name;
    const value = record && random() < 0.5 ? Object.values(now)[0] : now;
    return [key, someValue(random, value)] as const;
  });
  const raw = random() < 0.3;
  return raw
    ? pairs.map(([key, value]) => `${key}=${value}`).join("&")
    : String(new URLSearchParams(pairs.map((pair) => [...pair])));
}

for (const [number, [name, make]] of Object.entries(SUBJECTS).entries())
  test(`links: ${name}`, () => {
    const { start, valid, follow } = make();
    const random = uniform(number + 1);
    let accepted = 0;
    for (let i = 0; i < LINKS; i++) {
      const hash = `#attn:x?${someQuery(random, start)}`;
      if (hash.length > 2000) {
        assert.throws(() => readLink("x", hash), /too long/);
        continue;
      }
      const changes = fromLink(readLink("x", hash)!, start);
      const { state, refused } = applyChanges(start, changes, valid);
      assert.deepEqual(Object.keys(state), Object.keys(start), hash);
      assert.equal(Object.getPrototypeOf(state), Object.prototype, hash);
      for (const [key, value] of Object.entries(state)) {
        assert.ok(value === start[key] || valid[key](value), `${hash}: ${key}`);
        if (refused.includes(key)) assert.equal(value, start[key], hash);
      }
      for (const number of follow(state))
        assert.ok(Number.isFinite(number), `${hash}: ${number}`);
      if (Object.keys(changes).length > refused.length) accepted++;
    }
    // Tries that are all refused would try nothing.
    assert.ok(accepted > LINKS / 20, `${accepted} of ${LINKS} links`);
  });

test("sentences", () => {
  const random = uniform(2026);
  const known = new Set(network.words);
  for (let i = 0; i < SENTENCES; i++) {
    const text = someText(random);
    const found = tokenise(text);
    for (const { text: piece, start, end } of found)
      assert.equal(text.slice(start, end), piece);
    const words = found.map(({ word }) => word);
    // What the next word costs must not grow with those before: a few words
    // tell before all of them could fill the memory.
    for (const some of [words.slice(0, 24), words])
      for (const kinds of kindsOf(some, (w) => known.has(w), network.classes))
        assert.equal(new Set(kinds).size, kinds.length, text);
    const outcome = sentence.consider(network, text);
    assert.ok(outcome.offers.length <= 5);
    assert.ok(outcome.answers.length > 0 || outcome.message !== "", text);
  }
});
