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
// A letter keeps its marks and joiners, an emoji its parts, a flag its two.
const LETTERS = String.raw`(?:[\p{L}\p{N}][\p{M}\u200c\u200d]*)+`;
const SIGN =
  String.raw`\p{RI}{2}|\p{ExtPict}[\p{EMod}\ufe0f]*` +
  String.raw`(?:\u200d\p{ExtPict}[\p{EMod}\ufe0f]*)*|\S\p{M}*`;
const PIECES = new RegExp(`_{2,}|${LETTERS}(?:['’-]${LETTERS})*|${SIGN}`, "gu");

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

/** What may follow a word of a kind. */
const FOLLOWS: Record<string, string[]> = {
  start: ["determiners"],
  determiners: ["nouns", "adjectives"],
  adjectives: ["nouns"],
  nouns: ["verbs"],
  pronouns: ["verbs"],
  prepositions: ["determiners"],
  conjunctions: ["determiners", "pronouns"],
  verbs: ["determiners", "adverbs"],
  was: ["adjectives", "adverbs"],
};

type Classes = Map<string, string[]>;

/** The classes of a kind: there are several of nouns. */
const classesOf = (kind: string, classes: Classes) =>
  [...classes].filter(([name]) => name === kind || name.endsWith(` ${kind}`));

/**
 * The kinds of each word; those of an unknown one are guessed. Each kind is
 * named once: what may follow would otherwise double with every word.
 */
export function kindsOf(
  words: string[],
  isKnown: (word: string) => boolean,
  classes: Classes,
): string[][] {
  let before = ["start"];
  return words.map((word) => {
    const known = Object.keys(FOLLOWS).filter((kind) =>
      kind === "was"
        ? word === "was" || word === "were"
        : classesOf(kind, classes).some(([, some]) => some.includes(word)),
    );
    before = isKnown(word)
      ? known
      : [...new Set(before.flatMap((kind) => FOLLOWS[kind] ?? []))];
    return before;
  });
}

/** Known words near by spelling, then those of a kind that fits here. */
export function suggestions(
  word: string,
  kinds: string[],
  words: string[],
  classes: Classes,
): string[] {
  const long = word.slice(0, 30);
  const known = words.filter((each) => !each.startsWith("<"));
  const far = new Map(known.map((each) => [each, edits(long, each)]));
  const ending = (each: string) => (each.endsWith(long.slice(-2)) ? 0 : 1);
  const byLikeness = (a: string, b: string) =>
    ending(a) - ending(b) || far.get(a)! - far.get(b)!;
  const most = Math.max(1, Math.floor(long.length / 3));
  const near = known
    .filter((each) => far.get(each)! <= most)
    .sort((a, b) => far.get(a)! - far.get(b)!)
    .slice(0, NEAR);
  // The most alike of each class in turn: no class hides the others.
  const lists = kinds
    .flatMap((kind) => classesOf(kind, classes))
    .map(([, some]) =>
      some.filter((each) => !near.includes(each)).sort(byLikeness),
    );
  const fitting = Array.from({ length: FITTING }, (_, i) =>
    lists.map((list) => list[i]),
  ).flat();
  return [...near, ...fitting.filter(Boolean).slice(0, FITTING)];
}
