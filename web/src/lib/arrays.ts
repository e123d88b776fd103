// Numbers that travel as JSON: the twin of attn_course.data.packing.

import { whole } from "./state.ts";

export interface Packed {
  dtype: keyof typeof DTYPES;
  shape: number[];
  step: number | null;
  base64: string;
}

export interface NumberArray {
  shape: number[];
  data: Float64Array;
}

/** For each kind of number the bytes that it takes, and how to read them. */
const DTYPES = {
  float32: [4, (bytes: ArrayBuffer) => new Float32Array(bytes)],
  float16: [
    2,
    (bytes: ArrayBuffer) => Array.from(new Uint16Array(bytes), half),
  ],
  int16: [2, (bytes: ArrayBuffer) => new Int16Array(bytes)],
} as const;

/** The number that 16 bits stand for (IEEE 754, binary16). */
export function half(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction ? Number.NaN : sign * Infinity;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

export const product = (shape: number[]): number =>
  shape.reduce((a, b) => a * b, 1);

/** The largest number that a float32 holds: what lies beyond becomes it. */
export const LARGEST = (2 - 2 ** -23) * 2 ** 127;

const clipped = (x: number): number => Math.max(-LARGEST, Math.min(LARGEST, x));

/**
 * Decode a packed array; throws an Error that says what is wrong with it.
 * Numbers beyond float32 are clipped, as Python clips them; NaN is refused.
 */
export function unpack(packed: Packed, name: string): NumberArray {
  const { dtype, shape, step, base64 } = packed ?? {};
  if (!Array.isArray(shape) || !shape.every(whole(0, Infinity)))
    throw new Error(`expected ${name} to have a shape, got ${shape}`);
  if (!Object.hasOwn(DTYPES, dtype))
    throw new Error(
      `expected ${name} as ${Object.keys(DTYPES).join(" or ")}, got ${dtype}`,
    );
  const [size, read] = DTYPES[dtype];
  const bytes = decode(base64, name);
  if (bytes.length !== size * product(shape))
    throw new Error(
      `expected ${name} of shape ${shape.join("×")}, ` +
        `got ${bytes.length / size} numbers`,
    );
  const data = Float64Array.from(read(bytes.buffer));
  const unit = step ?? 1;
  for (let i = 0; i < data.length; i++) {
    data[i] = clipped(data[i] * unit);
    if (Number.isNaN(data[i]))
      throw new Error(`expected numbers in ${name}, got NaN`);
  }
  return { shape, data };
}

/** Pack an array as float32: what `unpack` reads. */
export function encode(data: Float64Array, shape: number[]): Packed {
  const bytes = new Uint8Array(Float32Array.from(data, clipped).buffer);
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return { dtype: "float32", shape, step: null, base64: btoa(text) };
}

export function decode(base64: unknown, name: string): Uint8Array<ArrayBuffer> {
  let text: string;
  try {
    text = atob(String(base64));
  } catch {
    throw new Error(`expected ${name} in base64, got something else`);
  }
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}
