// CocktailParty against the vectors of plain Python loops, and its files.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { angleOf, spot } from "../src/cocktail_party/draw.ts";
import { complex, fft } from "../src/cocktail_party/fft.ts";
import {
  BINS,
  beamWeights,
  diffuseNoise,
  directionScores,
  directionWeights,
  ear,
  expectedKeys,
  finish,
  keysOf,
  mix,
  nearEar,
  place,
  RATE,
  resynthesise,
  siSdr,
  stft,
  whoIsWhere,
} from "../src/cocktail_party/model.ts";
import { Pipeline, type Settings } from "../src/cocktail_party/pipeline.ts";
import { parseSource } from "../src/cocktail_party/source.ts";
import { readWav, writeWav } from "../src/cocktail_party/wav.ts";
import { normal, uniform } from "../src/lib/random.ts";
import { load, within } from "./vectors.ts";

const vectors = load("cocktail");
const close = within(vectors.tolerance);

const settings = (one: Record<string, never>): Settings => ({
  voices: (one.voices as number[][]).map((v) => Float64Array.from(v)),
  noise: one.noise,
  seed: one.seed,
  angles: one.angles,
  temperature: one.temperature,
  angle: one.angle,
});

vectors.cocktail.forEach((one: Record<string, never>, i: number) => {
  test(`each stage agrees with the loops, case ${i}`, () => {
    const want = one as Record<string, never> & { [name: string]: never };
    const { voices, seed, noise, angles, temperature, angle } = settings(one);
    const hiss = finish(diffuseNoise(voices[0].length, seed));
    const parts = voices.map((v, k) => finish(place(v, angles[k])));
    const ears = mix(parts, hiss, noise);
    close(ears.left, want.ears[0], "left ear");
    close(ears.right, want.ears[1], "right ear");
    const cells = finish(stft(ears));
    const { keys, energy } = finish(keysOf(cells));
    close(keys, (want.keys as number[][]).flat(), "keys");
    const scores = finish(directionScores(keys, expectedKeys()));
    const listed = want.listed as number[];
    (want.scores as number[][]).forEach((row, cell) => {
      row.forEach((w, d) => {
        const off = Math.abs(scores[cell * 37 + listed[d]] - w);
        assert.ok(off <= 1e-6 * Math.max(1, Math.abs(w)), `score ${cell} ${d}`);
      });
    });
    const shares = finish(
      directionWeights(scores, temperature, new Float32Array(scores.length)),
    );
    const beam = new Float32Array(cells.frames * BINS);
    close(beamWeights(shares, angle as number, beam), want.weights, "weights");
    close(finish(whoIsWhere(shares, energy)), want.shares, "shares");
    const heard = finish(resynthesise(cells, beam));
    close(heard.left, want.heard[0], "heard left");
    close(heard.right, want.heard[1], "heard right");
    parts.forEach((part, v) => {
      const side = nearEar(angles[v]);
      const target = ear(part, side);
      const [before, after] = want.gains[v] as number[];
      // Decibels of 32-bit weights: to a ten-thousandth.
      const off = Math.abs(siSdr(ear(heard, side), target) - after);
      assert.ok(off < 1e-4, `after ${v}`);
      close([siSdr(ear(ears, side), target)], [before], `before ${v}`);
    });
  });
});

test("the pipeline gives what its stages give, and follows the last query", async () => {
  const one = settings(vectors.cocktail[0]);
  const stages: number[] = [];
  const pipeline = new Pipeline((stage) => stages.push(stage));
  pipeline.set({ ...one, angle: -90 });
  pipeline.set(one);
  while (!pipeline.idle) await new Promise((go) => setTimeout(go, 1));
  close(pipeline.results.sound!.left, vectors.cocktail[0].heard[0], "sound");
  assert.deepEqual(stages.slice(0, 2), [0, 1]);
  pipeline.set({ ...one, angle: null });
  while (!pipeline.idle) await new Promise((go) => setTimeout(go, 1));
  close(pipeline.results.sound!.left, vectors.cocktail[0].ears[0], "all");
  const [{ before, after }] = pipeline.results.gains!;
  assert.ok(Math.abs(before - after) < 1e-9);
});

test("what plays is neither clipped nor silent", async () => {
  const one = settings(vectors.cocktail[0]);
  const pipeline = new Pipeline(() => {});
  pipeline.set({ ...one, angle: null });
  while (!pipeline.idle) await new Promise((go) => setTimeout(go, 1));
  const { sound, level } = pipeline.results;
  const peak = Math.max(...sound!.left.map((x) => Math.abs(level! * x)));
  assert.ok(peak > 0.05 && peak <= 0.9, String(peak));
});

test("the transform back undoes the transform", () => {
  const z = complex(64);
  z.re.set(normal(64, uniform(1)));
  z.im.set(normal(64, uniform(2)));
  const before = [...z.re, ...z.im];
  fft(z, -1);
  fft(z, 1);
  close([...z.re, ...z.im], before, "z");
});

test("a WAV file keeps its samples, cut at ±1", () => {
  const ears = {
    left: Float64Array.from([0, 0.5, -0.25, 3]),
    right: Float64Array.from([0.1, 0, 0, -3]),
  };
  const view = new DataView(writeWav(ears, 1));
  const samples = Array.from({ length: 8 }, (_, i) =>
    view.getInt16(44 + 2 * i, true),
  );
  assert.deepEqual(
    samples,
    [0, 3277, 16384, 0, -8192, 0, 32767, -32767].map((x) => x + 0),
  );
  assert.equal(view.byteLength, 60);
});

test("a voice's WAV file is read, another kind refused", () => {
  const folder = "../../src/attn_course/data/sounds/";
  const file = readFileSync(new URL(`${folder}gregson.wav`, import.meta.url));
  const uri = `data:audio/wav;base64,${file.toString("base64")}`;
  const voice = readWav(uri);
  assert.equal(voice.length, 51_200);
  const loud = Math.sqrt(voice.reduce((a, x) => a + x * x, 0) / voice.length);
  assert.ok(Math.abs(loud - 0.05) < 1e-4);
  file.writeUInt16LE(2, 22); // two channels
  assert.throws(
    () => readWav(`,${file.toString("base64")}`),
    /expected mono 16-bit samples at 16000 Hz, got 2 channels/,
  );
  assert.throws(() => readWav(`,${btoa("GIF89a")}`), /expected a WAV file/);
  const long = new Float64Array(31 * RATE);
  const bytes = new Uint8Array(writeWav({ left: long, right: long }, 1));
  bytes[22] = 1; // one channel, twice as long
  const sound = Buffer.from(bytes).toString("base64");
  assert.throws(() => readWav(`,${sound}`), /at most 30 s of sound/);
});

test("a point in the picture has the angle that it was drawn at", () => {
  for (const angle of [-90, -35, 0, 5, 90])
    assert.equal(angleOf(...spot(angle, 100)), angle);
  assert.equal(angleOf(320, 400), 90);
});

test("bad data says what is wrong", () => {
  const mixture = { label: "x", voices: [0, 1], angles: [0, 0] };
  const good = {
    voices: [{}, {}],
    mixtures: [mixture],
    noise: -15,
    seed: 0,
    seconds: 3.2,
  };
  assert.equal(parseSource(good).mixtures.length, 1);
  const bad: [unknown, RegExp][] = [
    [null, /expected voices and mixtures, got none/],
    [{ ...good, mixtures: [] }, /expected a mixture, got none/],
    [
      { ...good, mixtures: [{ ...mixture, voices: [0, 2] }] },
      /two voices and two angles/,
    ],
    [
      { ...good, mixtures: [{ ...mixture, angles: [0, 91] }] },
      /two voices and two angles/,
    ],
    [{ ...good, noise: "loud" }, /as numbers/],
  ];
  for (const [json, message] of bad)
    assert.throws(() => parseSource(json), message);
});
