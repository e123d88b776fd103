// WAV files of 16-bit samples: read one channel, write two.
import { type Ears, RATE } from "./model.ts";

// Each second holds a million weights, and more to make them.
const MOST_SECONDS = 30;

/** The samples within ±1 of a mono WAV file in a data URI. */
export function readWav(uri: string): Float64Array {
  const text = atob(uri.slice(uri.indexOf(",") + 1));
  const bytes = Uint8Array.from(text, (c) => c.charCodeAt(0));
  const view = new DataView(bytes.buffer);
  const word = (at: number) => text.slice(at, at + 4);
  if (word(0) !== "RIFF" || word(8) !== "WAVE")
    throw new Error("expected a WAV file, got something else");
  let at = 12;
  while (at + 8 <= bytes.length && word(at) !== "data") {
    if (word(at) === "fmt ") checkFormat(view, at + 8);
    at += 8 + view.getUint32(at + 4, true);
  }
  if (at + 8 > bytes.length) throw new Error("expected sound, got none");
  const length = Math.min(view.getUint32(at + 4, true), bytes.length - at - 8);
  if (length > 2 * RATE * MOST_SECONDS)
    throw new Error(`expected at most ${MOST_SECONDS} s of sound, got more`);
  return Float64Array.from(
    { length: length >> 1 },
    (_, i) => view.getInt16(at + 8 + 2 * i, true) / 32768,
  );
}

function checkFormat(view: DataView, at: number): void {
  const [kind, channels] = [
    view.getUint16(at, true),
    view.getUint16(at + 2, true),
  ];
  const rate = view.getUint32(at + 4, true);
  const bits = view.getUint16(at + 14, true);
  if (kind !== 1 || channels !== 1 || rate !== RATE || bits !== 16)
    throw new Error(
      `expected mono 16-bit samples at ${RATE} Hz, got ${channels} channels ` +
        `of ${bits} bits at ${rate} Hz`,
    );
}

/** Two channels as a WAV file, `gain` applied; what is beyond ±1 is cut. */
export function writeWav({ left, right }: Ears, gain: number): ArrayBuffer {
  const size = 4 * left.length;
  const view = new DataView(new ArrayBuffer(44 + size));
  const put = (at: number, text: string) => {
    for (let i = 0; i < text.length; i++)
      view.setUint8(at + i, text.charCodeAt(i));
  };
  put(0, "RIFF");
  view.setUint32(4, 36 + size, true);
  put(8, "WAVEfmt ");
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true); // plain samples
  view.setUint16(22, 2, true); // channels
  view.setUint32(24, RATE, true);
  view.setUint32(28, 4 * RATE, true); // bytes a second
  view.setUint16(32, 4, true); // bytes for both ears
  view.setUint16(34, 16, true); // bits
  put(36, "data");
  view.setUint32(40, size, true);
  const sample = (x: number) =>
    Math.round(32767 * Math.max(-1, Math.min(1, gain * x)));
  for (let i = 0; i < left.length; i++) {
    view.setInt16(44 + 4 * i, sample(left[i]), true);
    view.setInt16(46 + 4 * i, sample(right[i]), true);
  }
  return view.buffer as ArrayBuffer;
}
