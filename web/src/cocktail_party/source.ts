// What Python hands over: voices, mixtures, the noise; what a reader changes.
import { type Valid, whole, within } from "../lib/state.ts";
import * as traits from "../lib/traits.ts";
import { TRAITS } from "./traits.ts";

/** What the reader may change. The names are the Python traits. */
export interface Reader {
  mixture: number;
  first: number; // where voice A is, in degrees
  second: number; // where voice B is
  attending: boolean;
  angle: number; // the query
  temperature: number;
}

export interface VoiceInfo {
  asset: string;
  speaker: string;
  words: string;
}

export interface MixtureInfo {
  label: string;
  voices: number[]; // two numbers of voices
  angles: number[]; // degrees
}

export interface Source {
  title: string;
  note: string;
  voices: VoiceInfo[];
  mixtures: MixtureInfo[];
  noise: number; // decibels
  seed: number;
  seconds: number;
}

/** Check the data; throws an Error that says what is wrong with it. */
export function parseSource(json: unknown): Source {
  const given = (json ?? {}) as Partial<Source>;
  const { voices, mixtures, noise, seed, seconds } = given;
  if (!Array.isArray(voices) || !Array.isArray(mixtures))
    throw new Error("expected voices and mixtures, got none");
  const known = whole(0, voices.length - 1);
  for (const { voices: two, angles } of mixtures) {
    const fits =
      Array.isArray(two) &&
      two.length === 2 &&
      two.every(known) &&
      Array.isArray(angles) &&
      angles.length === 2 &&
      angles.every(within(...TRAITS.angle.range));
    if (!fits)
      throw new Error("expected two voices and two angles in each mixture");
  }
  if (mixtures.length === 0) throw new Error("expected a mixture, got none");
  const numbers = [noise, seed, seconds].map(Number);
  if (!numbers.every(Number.isFinite))
    throw new Error("expected the level, seed and seconds as numbers");
  return {
    title: String(given.title ?? ""),
    note: String(given.note ?? ""),
    voices,
    mixtures: mixtures.map((m) => ({ ...m, label: String(m.label) })),
    noise: numbers[0],
    seed: numbers[1],
    seconds: numbers[2],
  };
}

export const validators = (source: Source): Valid<Reader> =>
  traits.validators<Reader>(TRAITS, {
    mixture: (mixture) => mixture < source.mixtures.length,
  });

/** The state before anyone touched anything. */
export function defaults({ mixtures }: Source): Reader {
  const [first, second] = mixtures[0].angles;
  return { ...traits.defaults(TRAITS), first, second };
}
