// Masks in the page against the vectors that plain Python loops wrote.
import assert from "node:assert/strict";
import { test } from "node:test";
import { applyChanges, fromLink, toLink } from "../src/lib/state.ts";
import {
  cost,
  defaults,
  emptyRows,
  firstHeard,
  layersUntilConnected,
  leaks,
  masks,
  metAfter,
  NEVER,
  PRESETS,
  pack,
  parseSource,
  type Reader,
  type Source,
  trace,
  unpack,
  validators,
  type Way,
} from "../src/mask_designer/model.ts";
import { load, type Vectors } from "./vectors.ts";

const { cases } = load("masks");

const source = (n: number, layers: number, presets?: string[]): Source =>
  parseSource({
    tokens: Array.from({ length: n }, (_, i) => `t${i}`),
    layers,
    presets: presets ?? Object.keys(PRESETS),
    dtype: "float32",
    title: "",
  });

function told(c: Vectors): { source: Source; state: Reader } {
  const made = source(c.n, c.masks.length);
  const painted = c.presets.map((_: string, index: number) => {
    const cells = new Uint8Array(c.n * c.n);
    for (const [layer, i, j] of c.paint)
      if (layer === index + 1) cells[i * c.n + j] = 1;
    return [String(index + 1), pack(cells)];
  });
  const { state, refused } = applyChanges(
    defaults(made),
    {
      ...c.numbers,
      same: c.same,
      causal: c.causal,
      preset: Object.fromEntries(
        c.presets.map((name: string, i: number) => [String(i + 1), name]),
      ),
      painted: Object.fromEntries(painted),
    },
    validators(made),
  );
  assert.deepEqual(refused, []);
  return { source: made, state };
}

for (const c of cases)
  test(`masks: ${c.name}`, () => {
    const { n } = c;
    const { source, state } = told(c);
    const stack = masks(source, state);
    assert.deepEqual(
      stack.map((mask) => [...mask]),
      c.masks.map((mask: number[][]) => mask.flat()),
    );
    const first = firstHeard(stack, n);
    assert.deepEqual(
      [...first].map((x) => (x === NEVER ? null : x)),
      c.first.flat(),
    );
    assert.deepEqual(leaks(first, n, stack.length), c.leaks);
    assert.deepEqual(
      stack.map((mask) => cost(mask, n).pairs),
      c.pairs,
    );
    assert.deepEqual(
      stack.map((mask) => cost(mask, n).most_keys),
      c.most_keys,
    );
    assert.equal(layersUntilConnected(stack[0], n), c.connected);
    for (let i = 0; i < n; i++)
      for (let j = 0; j < n; j++) {
        const way = trace(stack, first, n, i, j);
        assert.equal(way === null, first[i * n + j] === NEVER);
        if (!way) continue;
        assert.deepEqual(way[0], { token: j, layer: 0 });
        assert.equal(way.at(-1)!.token, i);
        for (let k = 1; k < way.length; k++) {
          const { token, layer }: Way[number] = way[k];
          assert.ok(layer > way[k - 1].layer);
          assert.equal(stack[layer - 1][token * n + way[k - 1].token], 1);
        }
      }
  });

test("paint survives packing, and zeros at the end cost nothing", () => {
  const cells = new Uint8Array(49);
  cells[0] = cells[5] = cells[48] = 1;
  assert.deepEqual(unpack(pack(cells), 7), cells);
  cells[48] = 0;
  assert.equal(pack(cells), "h");
  assert.equal(pack(new Uint8Array(49)), "");
});

test("a state survives its own link, which stays short", () => {
  const made = source(32, 4);
  const start = defaults(made);
  const all = pack(new Uint8Array(32 * 32).fill(1));
  const { state, refused } = applyChanges(
    start,
    {
      preset: { 2: "BigBird-like" },
      painted: { 1: all, 2: all, 3: all, 4: all },
      same: false,
      window: 3,
      layer: 4,
      cell: [31, 0],
    },
    validators(made),
  );
  assert.deepEqual(refused, []);
  const query = new URLSearchParams(toLink(state, start)).toString();
  assert.ok(query.length < 1000);
  const changes = fromLink(new URLSearchParams(query), start);
  const back = applyChanges(start, changes, validators(made));
  assert.deepEqual(back.refused, []);
  assert.deepEqual(back.state, state);
});

test("a hostile or corrupt link changes nothing", () => {
  const made = source(5, 2, ["causal", "full"]);
  const start = defaults(made);
  for (const [name, text] of [
    ["preset.1", "blocks"],
    ["preset.3", "full"],
    ["preset.__proto__", "full"],
    ["preset", "full"],
    ["painted.1", "<img src=x>"],
    ["painted.1", "AAAAA"],
    ["painted.1", "____________"],
    ["painted.1", "AAAAg"],
    ["painted.1", "A".repeat(1000)],
    ["painted.9", "B"],
    ["layer", "3"],
    ["layer", "1.5"],
    ["window", "-1"],
    ["window", "6"],
    ["dilation", "0"],
    ["seed", "1e9"],
    ["cell", "5,0"],
    ["cell", "0"],
    ["same", "perhaps"],
    ["__proto__", "x"],
    ["nonsense", "1"],
  ] as [string, string][]) {
    const { state } = applyChanges(
      start,
      fromLink([[name, text]], start),
      validators(made),
    );
    const kept = name === "painted.1" && text === "AAAAg";
    if (kept) assert.notDeepEqual(state, start);
    else assert.deepEqual(state, start, `${name}=${text}`);
  }
});

test("more tokens than a link can hold are not painted", () => {
  const large = source(64, 1);
  assert.equal(validators(large).painted({ 1: "g" }), false);
  assert.equal(validators(large).painted({ 1: "" }), true);
});

test("a query that may look at nothing is found", () => {
  const mask = Uint8Array.from([1, 0, 0, 0]);
  assert.deepEqual(emptyRows(mask, 2), [1]);
  assert.equal(metAfter(firstHeard([mask], 2)), null);
  assert.equal(metAfter(firstHeard([mask, mask.map(() => 1)], 2)), 2);
});

const good = { tokens: ["a"], layers: 1, presets: ["full"], dtype: "float16" };
for (const [name, change, message] of [
  ["no tokens", { tokens: [] }, /1 to 64 tokens, got 0/],
  ["many", { tokens: new Array(65).fill("a") }, /1 to 64 tokens, got 65/],
  ["layers", { layers: 5 }, /1 to 4 layers, got 5/],
  ["no layers", { layers: null }, /1 to 4 layers/],
  ["presets", { presets: ["diagonal"] }, /presets among full.*got diagonal/],
  ["no presets", { presets: [] }, /got none/],
  ["dtype", { dtype: "int8" }, /a dtype among float16/],
] as [string, object, RegExp][])
  test(`bad masks say so: ${name}`, () => {
    assert.throws(() => parseSource({ ...good, ...change }), message);
    assert.throws(() => parseSource(null), /expected the widget's data/);
  });
