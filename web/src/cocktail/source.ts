// What Python hands over: voices, mixtures, the noise.

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
  for (const { voices: two, angles } of mixtures) {
    const fits =
      Array.isArray(two) &&
      two.length === 2 &&
      two.every((v) => Number.isInteger(v) && v >= 0 && v < voices.length) &&
      Array.isArray(angles) &&
      angles.length === 2 &&
      angles.every((a) => Math.abs(a) <= 90);
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
