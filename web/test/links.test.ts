// Links that people have kept: each still opens the state that it opened
// when it was copied. A link names a widget of a page and its traits.
import assert from "node:assert/strict";
import { test } from "node:test";
import { readLink } from "../src/lib/link.ts";
import { applyChanges, fromLink } from "../src/lib/state.ts";
import { SUBJECTS } from "./subjects.ts";

const KEPT: [widget: string, link: string, state: object][] = [
  [
    "heatmap, second layer, third head",
    "#attn:heatmap?selection.layer=1&temperature=0.5&scaled=false&cell=2%2C1&locked=0%2C3&threshold=0.1",
    {
      selection: { layer: "1", head: "1" },
      temperature: 0.5,
      scaled: false,
      cell: [2, 1],
      locked: [0, 3],
      threshold: 0.1,
    },
  ],
  [
    "cocktail",
    "#attn:cocktail?angle=30&attending=true&mixture=1&first=-20&temperature=0.1",
    { angle: 30, attending: true, mixture: 1, first: -20, temperature: 0.1 },
  ],
  [
    "flash",
    "#attn:tiles?block_q=2&block_k=1&step=0&causal=true&order=keys&broken=true",
    {
      block_q: 2,
      block_k: 1,
      step: 0,
      causal: true,
      order: "keys",
      broken: true,
    },
  ],
  [
    "gaze",
    "#attn:gaze?x=0.2&y=0.8&degrees=40&path=your+own&own=0.1%2C0.2&step=3&picture=two",
    {
      x: 0.2,
      y: 0.8,
      degrees: 40,
      path: "your own",
      own: [0.1, 0.2],
      step: 3,
      picture: "two",
    },
  ],
  ["heads", "#attn:heads-page?head=3&layer=2", { head: 3, layer: 2 }],
  [
    "switches",
    "#attn:board?subset=5&show=accuracy&log=true&way=toString",
    { subset: 5, show: "accuracy", log: true, way: "toString" },
  ],
  [
    "kv-cache",
    "#attn:kv-cache?length=1024&batch=8&bits=8&kv_heads=1",
    { length: 1024, batch: 8, bits: 8, kv_heads: 1 },
  ],
  [
    "mask of 5",
    "#attn:mask?painted.1=Ag&cell=0%2C4&window=2&layer=3&zoom=true&preset.1=causal",
    {
      painted: { 1: "Ag", 2: "", 3: "" },
      cell: [0, 4],
      window: 2,
      layer: 3,
      zoom: true,
      preset: { 1: "causal", 2: "full", 3: "full" },
    },
  ],
  [
    "qkv",
    "#attn:tie?scaled=false&query=1%2C2&temperature=2",
    { scaled: false, query: [1, 2], temperature: 2 },
  ],
  [
    "curves",
    "#attn:bottleneck?each_seed=true&at=0",
    { each_seed: true, at: 0 },
  ],
  [
    "softmax lab",
    "#attn:softmax-lab?d=1024&seed=9&scaled=false&temperature=0.1",
    { d: 1024, seed: 9, scaled: false, temperature: 0.1 },
  ],
  [
    "sentence",
    "#attn:type?sentence=The+queen+watched+the+wolves.&head=2",
    { sentence: "The queen watched the wolves.", head: 2 },
  ],
];

for (const [widget, link, wanted] of KEPT)
  test(`a kept link: ${widget}`, () => {
    const { start, valid } = SUBJECTS[widget]();
    const name = link.slice("#attn:".length).split("?")[0];
    const changes = fromLink(readLink(name, link)!, start);
    const { state, refused } = applyChanges(start, changes, valid);
    assert.deepEqual(refused, []);
    assert.deepEqual(state, { ...start, ...wanted });
  });
