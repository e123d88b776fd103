// Numbers that travel as JSON: the twin of attn_course.data.packing.

export interface Packed {
  dtype: "float32" | "int16";
  shape: number[];
  step: number | null;
  base64: string;
}

export interface NumberArray {
  shape: number[];
  data: Float64Array;
}

export const product = (shape: number[]): number =>
  shape.reduce((a, b) => a * b, 1);

/** Decode a packed array; throws an Error that says what is wrong with it. */
export function unpack(packed: Packed, name: string): NumberArray {
  const { dtype, shape, step, base64 } = packed ?? {};
  if (!Array.isArray(shape) || !shape.every((n) => Number.isInteger(n)))
    throw new Error(`expected ${name} to have a shape, got ${shape}`);
  if (dtype !== "float32" && dtype !== "int16")
    throw new Error(`expected ${name} as float32 or int16, got ${dtype}`);
  const bytes = decode(base64, name);
  const size = dtype === "float32" ? 4 : 2;
  if (bytes.length !== size * product(shape))
    throw new Error(
      `expected ${name} of shape ${shape.join("×")}, ` +
        `got ${bytes.length / size} numbers`,
    );
  const numbers =
    dtype === "float32"
      ? new Float32Array(bytes.buffer)
      : new Int16Array(bytes.buffer);
  const data = Float64Array.from(numbers);
  const unit = step ?? 1;
  if (unit !== 1) for (let i = 0; i < data.length; i++) data[i] *= unit;
  if (!data.every(Number.isFinite))
    throw new Error(`expected finite numbers in ${name}, got NaN or inf`);
  return { shape, data };
}

/** Pack an array as float32: what `unpack` reads. */
export function encode(data: Float64Array, shape: number[]): Packed {
  const bytes = new Uint8Array(Float32Array.from(data).buffer);
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
