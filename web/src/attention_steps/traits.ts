// What attn_course.widgets.attention_steps states of AttentionSteps:
// written by tools/widget_traits.py, not by hand.
export const TAG = "attn-steps";

export const TRAITS = {
  step: { kind: "whole", default: 0, range: [0, 12] },
  asks: { kind: "whole", default: 0, range: [-1, 15] },
  head: { kind: "whole", default: 0, range: [0, 7] },
  query: { kind: "list", default: [], of: { kind: "list", of: { kind: "number" } } },
  key: { kind: "list", default: [], of: { kind: "list", of: { kind: "number" } } },
  value: { kind: "list", default: [], of: { kind: "list", of: { kind: "number" } } },
} as const;

export const MAX_TOKENS = 16;
export const MAX_HEADS = 8;
export const MAX_DRAWN = 8;
export const RANGE = 100;
export const NAMES = { words: "words", query: "query", scores: "q·k", scale: "÷ √d", mask: "mask", softmax: "softmax", values: "values", output: "output", add: "add", norm: "norm", feed: "feed-forward", norm2: "add, norm", all: "all rows" } as const;
export const SENTENCES = { words: "{asker} asks: which of these words matter to me?", query: "{asker} makes a *query*, a row of numbers that says what it is looking for.", scores: "Every word offers a *key*. How far the *key* reaches along the *query*, times the length of the *query*, is its score: q·k.", scale: "Every score is divided by √{d} = {root}, so that vectors with more numbers do not make larger scores.", mask: "{asker} may not look at the hatched words ({hidden}): their scores do not count.", open: "Nothing is hidden from {asker}: it may look at every word here.", softmax: "Softmax turns the scores into *weights*, shares of one whole: {most}.", values: "Every word hands over its *value*, as much of it as its *weight* says.", output: "The parts of the *values* add up to the *output*: this is what {asker} has learned from the words.", add: "The *output* is added to what {asker} was before, so nothing is lost.", norm: "The sum is normalised: its numbers get mean 0 and variance 1, whatever their size was.", feed: "A small network, the feed-forward part, works on {asker} alone and looks at no other word.", norm2: "Its result is added and normalised again: this is what {asker} takes to the next layer.", all: "All words ask at once: each row holds the *weights* of one *query*, and the rows together are the matrix softmax(QKᵀ / √d)." } as const;
export const SENTENCES_OF_ALL = { words: "Every word asks, and every word can be looked at.", query: "Every word makes a *query*: one row for each who asks.", scores: "Every *query* meets every *key*, one column for each word that is looked at. A cell holds their score: q·k.", mask: "The hatched cells may not be looked at: they do not count.", open: "The hatched cells may not be looked at: they do not count.", softmax: "Softmax turns each row of scores into *weights*, shares of one whole.", output: "For each row the parts of the *values* add up to an *output*: what the word has learned." } as const;
