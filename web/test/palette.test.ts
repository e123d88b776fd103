// Cividis as matplotlib has it, at a few places and in both forms.
import assert from "node:assert/strict";
import { test } from "node:test";
import { hex, words } from "../src/lib/palette.ts";

test("the palette is cividis", () => {
  const known = {
    0: "#00224e",
    100: "#656870",
    200: "#c4b468",
    255: "#fee838",
  };
  for (const [index, colour] of Object.entries(known))
    assert.equal(hex(Number(index)), colour);
  for (let i = 0; i < 256; i++) {
    const bytes = [
      words[i] & 255,
      (words[i] >> 8) & 255,
      (words[i] >> 16) & 255,
    ];
    const text = bytes.map((x) => x.toString(16).padStart(2, "0")).join("");
    assert.equal(`#${text}`, hex(i));
    assert.equal(words[i] >>> 24, 255);
  }
});
