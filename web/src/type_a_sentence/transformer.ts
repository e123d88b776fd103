// The forward pass of attn_course.transformer.Transformer on one sentence,
// from a file in the format safetensors. attn_course.pronouns.weights is the
// Python twin.
import { half } from "../lib/arrays.ts";
import { dotProducts, softmaxRows } from "../lib/softmax.ts";

const EPS = 1e-5;
const MAX_HEADER = 1_000_000;

interface Tensor {
  shape: number[];
  data: Float64Array;
}

export interface Network {
  words: string[];
  classes: Map<string, string[]>;
  layers: number;
  heads: number;
  d_model: number;
  maxWords: number;
  tensors: Map<string, Tensor>;
}

/** What the model makes of n words. */
export interface Reading {
  n: number;
  d_head: number;
  /** q·k of every head: (layers × heads × n × n). */
  scores: Float64Array;
  /** softmax(q·k / √d): the same shape. */
  weights: Float64Array;
  /** The last layer's vectors, normalised: (n × d_model). */
  states: Float64Array;
}

/** Read a file; throws an Error that says what is wrong with it. */
export function parseNetwork(bytes: Uint8Array): Network {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const long = bytes.length > 8 ? view.getUint32(0, true) : 0;
  if (long < 2 || long > MAX_HEADER || 8 + long > bytes.length)
    throw new Error("expected a file of weights (safetensors), got another");
  const text = new TextDecoder().decode(bytes.subarray(8, 8 + long));
  const header = JSON.parse(text) as Record<string, Entry>;
  const tensors = new Map<string, Tensor>();
  for (const [name, entry] of Object.entries(header))
    if (name !== "__metadata__")
      tensors.set(name, readTensor(view, 8 + long, name, entry));
  const about = header.__metadata__ as unknown as Record<string, string>;
  return assemble(tensors, about);
}

interface Entry {
  dtype: string;
  shape: number[];
  data_offsets: [number, number];
}

function readTensor(view: DataView, start: number, name: string, e: Entry) {
  const [first, end] = e.data_offsets;
  const count = e.shape.reduce((a, b) => a * b, 1);
  // Before room for them is made, the numbers must be there.
  const there = first >= 0 && start + end <= view.byteLength;
  if (e.dtype !== "F16" || end - first !== 2 * count || !there)
    throw new Error(`expected ${name} as ${count} float16 numbers`);
  const data = new Float64Array(count);
  for (let i = 0; i < count; i++)
    data[i] = half(view.getUint16(start + first + 2 * i, true));
  if (!data.every(Number.isFinite))
    throw new Error(`expected finite numbers in ${name}`);
  return { shape: e.shape, data };
}

function assemble(
  tensors: Map<string, Tensor>,
  about: Record<string, string>,
): Network {
  const words = JSON.parse(about?.words ?? "[]") as string[];
  const classes = JSON.parse(about?.classes ?? "{}") as Record<
    string,
    string[]
  >;
  const [count, d_model] = tensors.get("embed.weight")?.shape ?? [];
  const layers = [...tensors.keys()].filter((name) =>
    name.endsWith(".query.weight"),
  ).length;
  const heads = Number(about?.heads);
  if (!count || count !== words.length || !layers || d_model % heads !== 0)
    throw new Error(
      `expected weights for ${words.length} words, got ${count ?? "none"}`,
    );
  return {
    words,
    classes: new Map(Object.entries(classes)),
    layers,
    heads,
    d_model,
    maxWords: tensors.get("places")?.shape[0] ?? 0,
    tensors,
  };
}

/** Read a sentence of word numbers. */
export function read(network: Network, words: number[]): Reading {
  const { d_model, layers, heads } = network;
  const n = words.length;
  const embed = get(network, "embed.weight").data;
  const places = get(network, "places").data;
  const x = new Float64Array(n * d_model);
  for (let i = 0; i < n; i++)
    for (let d = 0; d < d_model; d++)
      x[i * d_model + d] =
        embed[words[i] * d_model + d] + places[i * d_model + d];
  const scores = new Float64Array(layers * heads * n * n);
  const weights = new Float64Array(layers * heads * n * n);
  for (let layer = 0; layer < layers; layer++) {
    const span = heads * n * n;
    const here = (all: Float64Array) =>
      all.subarray(layer * span, (layer + 1) * span);
    oneLayer(network, `layers.${layer}.`, x, n, here(scores), here(weights));
  }
  const states = norm(network, "norm", x, n);
  return { n, d_head: d_model / heads, scores, weights, states };
}

/** The probability of every word as the answer at one place. */
export function answer(
  network: Network,
  reading: Reading,
  place: number,
): Float64Array {
  const d = network.d_model;
  const state = reading.states.subarray(place * d, (place + 1) * d);
  const scores = linear(network, "output", state, 1);
  return softmaxRows(scores, 1, scores.length, 1, null, scores);
}

/** One layer, which normalises first; x becomes its output. */
function oneLayer(
  network: Network,
  name: string,
  x: Float64Array,
  n: number,
  scores: Float64Array,
  weights: Float64Array,
) {
  const { d_model, heads } = network;
  const d_head = d_model / heads;
  const h = norm(network, `${name}norm_1`, x, n);
  const [q, k, v] = ["query", "key", "value"].map((part) =>
    linear(network, name + part, h, n),
  );
  const merged = new Float64Array(n * d_model);
  for (let head = 0; head < heads; head++) {
    const from = head * d_head;
    const [qh, kh] = [q, k].map((all) =>
      columns(all, n, d_model, from, d_head),
    );
    const span = n * n;
    const mine = weights.subarray(head * span, (head + 1) * span);
    const dots = dotProducts(qh, kh, n, n, d_head);
    scores.set(dots, head * span);
    softmaxRows(dots, n, n, 1 / Math.sqrt(d_head), null, mine);
    for (let i = 0; i < n; i++)
      for (let j = 0; j < n; j++)
        for (let d = from; d < from + d_head; d++)
          merged[i * d_model + d] += mine[i * n + j] * v[j * d_model + d];
  }
  add(x, linear(network, `${name}output`, merged, n));
  const second = norm(network, `${name}norm_2`, x, n);
  const wide = linear(network, `${name}widen`, second, n).map(gelu);
  add(x, linear(network, `${name}narrow`, wide, n));
}

function get(network: Network, name: string): Tensor {
  const tensor = network.tensors.get(name);
  if (!tensor) throw new Error(`expected weights named ${name}, got none`);
  return tensor;
}

function columns(
  x: Float64Array,
  n: number,
  width: number,
  from: number,
  count: number,
) {
  const out = new Float64Array(n * count);
  for (let i = 0; i < n; i++)
    out.set(x.subarray(i * width + from, i * width + from + count), i * count);
  return out;
}

function add(x: Float64Array, y: Float64Array) {
  for (let i = 0; i < x.length; i++) x[i] += y[i];
}

/** x Wᵀ + b, row by row. */
function linear(network: Network, name: string, x: Float64Array, n: number) {
  const { shape, data } = get(network, `${name}.weight`);
  const bias = get(network, `${name}.bias`).data;
  const [d_out, d_in] = shape;
  const out = dotProducts(x, data, n, d_out, d_in);
  for (let i = 0; i < out.length; i++) out[i] += bias[i % d_out];
  return out;
}

/** Layer normalisation. */
function norm(network: Network, name: string, x: Float64Array, n: number) {
  const gain = get(network, `${name}.weight`).data;
  const bias = get(network, `${name}.bias`).data;
  const d = gain.length;
  const out = new Float64Array(n * d);
  for (let i = 0; i < n; i++) {
    const row = x.subarray(i * d, (i + 1) * d);
    const mean = row.reduce((a, b) => a + b, 0) / d;
    const variance = row.reduce((a, b) => a + (b - mean) ** 2, 0) / d;
    const size = Math.sqrt(variance + EPS);
    for (let j = 0; j < d; j++)
      out[i * d + j] = ((row[j] - mean) / size) * gain[j] + bias[j];
  }
  return out;
}

/** Each number, weighed with the normal distribution below it. */
const gelu = (x: number): number => (x / 2) * (1 + erf(x / Math.SQRT2));

/** The error function, to 1.5e-7 (Abramowitz and Stegun 1964, 7.1.26). */
export function erf(x: number): number {
  const t = 1 / (1 + 0.3275911 * Math.abs(x));
  const sum =
    t *
    (0.254829592 +
      t *
        (-0.284496736 +
          t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
  return Math.sign(x) * (1 - sum * Math.exp(-x * x));
}
