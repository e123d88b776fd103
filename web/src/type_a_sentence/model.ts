// What the widget is given, what a reader may change, and what the model
// says of a sentence. attn_course.widgets.type_a_sentence is the Python twin.
import { dataOf, type Json } from "../lib/json.ts";
import { type Valid, whole } from "../lib/state.ts";
import { firstLetters, fitsIn } from "../lib/text.ts";
import * as traits from "../lib/traits.ts";
import { BLANK, kindsOf, suggestions, type Token, tokenise } from "./text.ts";
import { MAX_LETTERS, TRAITS } from "./traits.ts";
import { answer, type Network, type Reading, read } from "./transformer.ts";

export const NONE = "<none>";
const TOP = 3;
const MOST_EXAMPLES = 20;
const MOST_OFFERS = 5;

export interface Example {
  label: string;
  sentence: string;
}

export interface Source {
  title: string;
  note: string;
  asset: string;
  /** The weights themselves, in base64; else the asset is loaded. */
  weights: string | null;
  examples: Example[];
  /** Names of further lists of words for the reader. */
  lists: [string, string[]][];
  layers: number;
  heads: number;
}

/** What the reader may change. The names are the Python traits. */
export interface Reader {
  sentence: string;
  layer: number; // from 1
  head: number; // from 1
}

export function parseSource(raw: unknown): Source {
  const json = dataOf(raw);
  const count = (name: "layers" | "heads") => {
    const n = json[name];
    if (!whole(1, 64)(n))
      throw new Error(`expected ${name} from 1 to 64, got ${n}`);
    return n;
  };
  const examples = Array.isArray(json.examples) ? json.examples : [];
  const lists = Object.entries((json.lists ?? {}) as Json);
  return {
    title: String(json.title ?? ""),
    note: String(json.note ?? ""),
    asset: String(json.asset ?? ""),
    weights: typeof json.weights === "string" ? json.weights : null,
    examples: examples.slice(0, MOST_EXAMPLES).map((one) => ({
      label: String(one?.label ?? ""),
      sentence: firstLetters(String(one?.sentence ?? ""), MAX_LETTERS),
    })),
    lists: lists.map(([name, words]) => [
      name,
      Array.isArray(words) ? words.map(String) : [],
    ]),
    layers: count("layers"),
    heads: count("heads"),
  };
}

export const validators = (source: Source): Valid<Reader> =>
  traits.validators<Reader>(TRAITS, {
    sentence: (text) => fitsIn(text, MAX_LETTERS),
    layer: (layer) => layer <= source.layers,
    head: (head) => head <= source.heads,
  });

/** Known words in place of an unknown one. */
export interface Offer {
  token: Token;
  known: string[];
}

/** One word with its probability as the answer. */
export interface Candidate {
  word: string;
  chance: number;
  /** Is it a noun of this sentence? */
  here: boolean;
}

/** What the model says at one pronoun or blank. */
export interface Answer {
  place: number;
  candidates: Candidate[];
}

/** A sentence, as far as the model can read it. */
export interface Outcome {
  tokens: Token[];
  unknown: Token[];
  offers: Offer[];
  /** What stands in the way of an answer. */
  message: string;
  reading: Reading | null;
  answers: Answer[];
}

const quoted = (texts: string[]) => texts.map((text) => `“${text}”`).join(", ");

/** Everything about one sentence; nothing is answered by a guess. */
export function consider(network: Network, sentence: string): Outcome {
  const tokens = tokenise(sentence);
  const place = new Map(network.words.map((word, i) => [word, i]));
  const bad = tokens.filter(({ word }) => !place.has(word));
  const outcome: Outcome = {
    tokens,
    unknown: [],
    offers: [],
    message: "",
    reading: null,
    answers: [],
  };
  if (tokens.length === 0)
    outcome.message = "Type a sentence, or take one of the examples.";
  else if (bad.length > 0) {
    const kinds = kindsOf(
      tokens.map(({ word }) => word),
      (word) => place.has(word),
      network.classes,
    );
    // A line for each word, however often it stands there.
    const offered = bad
      .filter(({ word }, i) => bad.findIndex((t) => t.word === word) === i)
      .slice(0, MOST_OFFERS);
    outcome.unknown = bad;
    outcome.offers = offered.map((token) => ({
      token,
      known: suggestions(
        token.word,
        kinds[tokens.indexOf(token)],
        network.words,
        network.classes,
      ),
    }));
    const [are, each] = bad.length === 1 ? ["is", "it"] : ["are", "each"];
    outcome.message =
      `${quoted([...new Set(bad.map(({ text }) => text))].slice(0, 8))} ${are} ` +
      `not among the ${network.words.length} words that the model knows. ` +
      `Replace ${each} by a known word: until then there is no answer.`;
  } else if (tokens.length > network.maxWords)
    outcome.message =
      `The model reads ${network.maxWords} words at most, punctuation ` +
      `included; this sentence has ${tokens.length}. Make it shorter.`;
  else {
    const numbers = tokens.map(({ word }) => place.get(word)!);
    const reading = read(network, numbers);
    outcome.reading = reading;
    outcome.answers = asked(network, tokens).map((i) => ({
      place: i,
      candidates: candidates(network, tokens, answer(network, reading, i)),
    }));
    if (outcome.answers.length === 0)
      outcome.message =
        `There is no pronoun to explain. Use one of ` +
        `${(network.classes.get("pronouns") ?? []).join(", ")}, or ___ for ` +
        `a pronoun that the model is to find.`;
  }
  return outcome;
}

/** Where there is a pronoun or a blank. */
function asked(network: Network, tokens: Token[]): number[] {
  const pronouns = new Set([...(network.classes.get("pronouns") ?? []), BLANK]);
  return tokens.flatMap(({ word }, i) => (pronouns.has(word) ? [i] : []));
}

/** The most likely words, and every noun of the sentence. */
function candidates(
  network: Network,
  tokens: Token[],
  chances: Float64Array,
): Candidate[] {
  const nouns = new Set(
    [...network.classes].flatMap(([name, words]) =>
      name.endsWith(" nouns") ? words : [],
    ),
  );
  const here = new Set(
    tokens.map(({ word }) => word).filter((word) => nouns.has(word)),
  );
  return network.words
    .map((word, i) => ({ word, chance: chances[i], here: here.has(word) }))
    .sort((a, b) => b.chance - a.chance)
    .filter((each, rank) => rank < TOP || each.here);
}
