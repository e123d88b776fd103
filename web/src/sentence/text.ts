// From what the reader types to the words that the model knows.

export interface Token {
  /** As typed. */
  text: string;
  /** As the vocabulary writes it. */
  word: string;
  start: number;
  end: number;
}

export const BLANK = "<blank>";
const PIECES = /_{2,}|[\p{L}\p{N}]+(?:['’-][\p{L}\p{N}]+)*|\S/gu;

/** Words in lower case, and each mark of punctuation by itself. */
export const tokenise = (text: string): Token[] =>
  [...text.matchAll(PIECES)].map((match) => ({
    text: match[0],
    word: match[0].startsWith("__")
      ? BLANK
      : match[0].toLowerCase().replaceAll("’", "'"),
    start: match.index,
    end: match.index + match[0].length,
  }));

/**
 * How many letters must be put in, taken out, changed, or exchanged with
 * their neighbour, to turn one word into the other.
 */
export function edits(a: string, b: string): number {
  const wide = b.length + 1;
  const table = new Uint16Array((a.length + 1) * wide);
  for (let j = 0; j < wide; j++) table[j] = j;
  for (let i = 1; i <= a.length; i++) {
    table[i * wide] = i;
    for (let j = 1; j < wide; j++) {
      const change = a[i - 1] === b[j - 1] ? 0 : 1;
      let least = Math.min(
        table[(i - 1) * wide + j] + 1,
        table[i * wide + j - 1] + 1,
        table[(i - 1) * wide + j - 1] + change,
      );
      const swapped =
        i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (swapped) least = Math.min(least, table[(i - 2) * wide + j - 2] + 1);
      table[i * wide + j] = least;
    }
  }
  return table[a.length * wide + wide - 1];
}

const NEAR = 3;
const FITTING = 3;

/** What may follow a word of a class. */
const FOLLOWS: Record<string, string[]> = {
  determiners: ["nouns", "adjectives"],
  adjectives: ["nouns"],
  nouns: ["verbs"],
  pronouns: ["verbs"],
  prepositions: ["determiners"],
  verbs: ["determiners", "adverbs"],
  was: ["adjectives", "adverbs"],
};

/** Known words near by spelling, then those of a class that fits here. */
export function suggestions(
  word: string,
  before: string | null,
  words: string[],
  classes: Map<string, string[]>,
): string[] {
  const long = word.slice(0, 30);
  const known = words.filter((each) => !each.startsWith("<"));
  const far = new Map(known.map((each) => [each, edits(long, each)]));
  const nearest = (some: string[], most: number, count: number) =>
    some
      .filter((each) => (far.get(each) ?? 99) <= most)
      .sort((a, b) => far.get(a)! - far.get(b)!)
      .slice(0, count);
  const near = nearest(known, Math.max(1, Math.floor(long.length / 3)), NEAR);
  const fits = fittingClasses(before, classes);
  const others = fits.flatMap((name) => classes.get(name) ?? []);
  const fitting = nearest(
    others.filter((each) => !near.includes(each)),
    98,
    FITTING,
  );
  return [...near, ...fitting];
}

function fittingClasses(
  before: string | null,
  classes: Map<string, string[]>,
): string[] {
  if (before === null) return ["determiners"];
  const kinds =
    before === "was" || before === "were"
      ? ["was"]
      : [...classes]
          .filter(([, words]) => words.includes(before))
          .map(([name]) => (name.endsWith(" nouns") ? "nouns" : name));
  const ends = kinds.flatMap((kind) => FOLLOWS[kind] ?? []);
  return [...classes.keys()].filter((name) =>
    ends.some((end) => name === end || name.endsWith(` ${end}`)),
  );
}
