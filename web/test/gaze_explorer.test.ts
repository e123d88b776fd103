// GazeExplorer's numbers against the vectors of plain Python loops.
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  gaussianBlur,
  makeCopies,
  mix,
  nearest,
} from "../src/gaze_explorer/blur.ts";
import {
  blurRadius,
  FREE,
  fixationsNeeded,
  fixationsNow,
  LEVELS,
  levelOf,
  minimumAngle,
  parseSource,
  type Reader,
  sharpFraction,
  validators,
  ways,
} from "../src/gaze_explorer/model.ts";
import { OWN } from "../src/gaze_explorer/traits.ts";
import { applyChanges, fromLink, toLink } from "../src/lib/state.ts";
import { load, within } from "./vectors.ts";

const vectors = load("seeing");
const near = within(vectors.tolerance);
const close = (got: number, want: number, what: string) =>
  near([got], [want], what);

for (const one of vectors.law)
  test(`the law at ${one.eccentricity} degrees`, () => {
    const sigma = blurRadius(one.eccentricity, one.scale);
    close(minimumAngle(one.eccentricity), one.minimum_angle, "angle");
    close(sigma, one.blur_radius, "blur");
    close(levelOf(sigma), one.level, "level");
  });

for (const one of vectors.sharp)
  test(`${one.places.length} fixations, ${one.degrees} degrees`, () => {
    const { width, height, degrees, places } = one;
    close(
      sharpFraction(width, height, places, degrees),
      one.fraction,
      "fraction",
    );
    for (const { box, needed } of one.boxes)
      assert.equal(fixationsNeeded(box, one, places, degrees), needed);
  });

for (const { sigma, picture, blurred } of vectors.blur)
  test(`a blur of ${sigma} pixels`, () => {
    const [height, width] = [picture.length, picture[0].length];
    const got = gaussianBlur(
      Float32Array.from(picture.flat()),
      width,
      height,
      1,
      sigma,
    );
    blurred.flat().forEach((want: number, i: number) => {
      close(got[i], want, `pixel ${i}`);
    });
  });

test("each pixel is mixed from two copies", async () => {
  const [width, height] = [40, 30];
  const pixels = new Uint8ClampedArray(4 * width * height).map((_, i) =>
    i % 4 === 3 ? 255 : (i * 37) % 256,
  );
  const copies = await makeCopies(pixels, width, height);
  const bytes = new Uint8ClampedArray(copies.words.buffer);
  const out = new Uint32Array(width * height);
  const got = new Uint8ClampedArray(out.buffer);
  // One pixel is one degree: a small picture that fills the view.
  const at: [number, number] = [0.3, 0.6];
  mix(copies, at, null, width, out);
  for (const [x, y] of [
    [12, 18],
    [0, 0],
    [39, 29],
  ]) {
    const distance = Math.hypot(
      x + 0.5 - at[0] * width,
      y + 0.5 - at[1] * height,
    );
    const level = levelOf(blurRadius(distance, 1));
    const low = Math.min(Math.floor(level), LEVELS.length - 2);
    for (let c = 0; c < 3; c++) {
      const i = 4 * (y * width + x) + c;
      const [a, b] = [low, low + 1].map(
        (k) => bytes[4 * width * height * k + i],
      );
      const want = a + (b - a) * (level - low);
      assert.ok(Math.abs(got[i] - want) <= 4, `${got[i]}, not ${want}`);
    }
    assert.equal(got[4 * (y * width + x) + 3], 255);
  }
  // An earlier fixation at a pixel makes it as sharp as looking there now.
  const here: [number, number] = [39.5 / width, 0.5 / height];
  mix(copies, at, nearest(width, height, [here]), width, out);
  const two = got.slice(4 * 39, 4 * 39 + 4);
  mix(copies, here, null, width, out);
  for (let c = 0; c < 4; c++)
    assert.ok(Math.abs(two[c] - got[4 * 39 + c]) <= 4);
});

const raw = {
  title: "t",
  photos: [
    {
      name: "one",
      width: 40,
      height: 20,
      asset: "pictures/one.jpg",
      regions: [{ kind: "face", label: "a face", box: [0, 0, 4, 4] }],
      paths: {
        saliency: [
          [0.1, 0.1],
          [0.9, 0.9],
        ],
      },
    },
  ],
};
const start: Reader = {
  picture: "one",
  x: 0.5,
  y: 0.5,
  degrees: 20,
  regions: false,
  path: FREE,
  step: 15,
  own: [],
};

test("which fixations made the picture", () => {
  const source = parseSource(raw);
  const [photo] = source.photos;
  assert.deepEqual(ways(source), [FREE, "saliency", OWN]);
  assert.deepEqual(fixationsNow(photo, start), [[0.5, 0.5]]);
  assert.deepEqual(
    fixationsNow(photo, { ...start, path: "saliency", step: 1 }),
    [[0.1, 0.1]],
  );
  assert.deepEqual(
    fixationsNow(photo, { ...start, path: OWN, own: [0.2, 0.3] }),
    [
      [0.2, 0.3],
      [0.5, 0.5],
    ],
  );
  // A place that was just added is not looked at a second time.
  assert.deepEqual(
    fixationsNow(photo, { ...start, path: OWN, own: [0.2, 0.3, 0.5, 0.5] }),
    [
      [0.2, 0.3],
      [0.5, 0.5],
    ],
  );
});

test("a link restores the state, and nothing impossible", () => {
  const valid = validators(parseSource(raw));
  const state = {
    ...start,
    x: 0.125,
    path: OWN,
    own: [0.1, 0.2, 0.3, 0.4],
    degrees: 40,
  };
  const again = applyChanges(
    start,
    fromLink(toLink(state, start), start),
    valid,
  );
  assert.deepEqual(again, { state, refused: [] });
  for (const [name, text] of [
    ["x", "1.5"],
    ["y", ""],
    ["degrees", "NaN"],
    ["step", "16"],
    ["step", "2.5"],
    ["own", "0.1"],
    ["own", "0.1,7"],
    ["own", Array(32).fill("0.5").join(",")],
    ["path", "<b>"],
    ["picture", "two"],
  ] as [string, string][]) {
    const { state: kept, refused } = applyChanges(
      start,
      fromLink([[name, text]], start),
      valid,
    );
    assert.deepEqual([kept, refused], [start, [name]], `${name}=${text}`);
  }
});

test("bad data says what was expected", () => {
  const photo = raw.photos[0];
  for (const [bad, message] of [
    [null, /expected the widget's data, got none/],
    [{ photos: [] }, /at least one photo/],
    [{ photos: [{ ...photo, width: 0 }] }, /width of “one” in pixels, got 0/],
    [
      { photos: [{ ...photo, regions: [{ box: [1, 2] }] }] },
      /box of four numbers in “one”/,
    ],
    [{ photos: [{ ...photo, paths: { a: [[2, 0]] } }] }, /places from 0 to 1/],
  ] as [unknown, RegExp][])
    assert.throws(() => parseSource(bad), message);
});
