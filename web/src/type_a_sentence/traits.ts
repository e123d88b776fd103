// What attn_course.widgets.type_a_sentence states of TypeASentence:
// written by tools/widget_traits.py, not by hand.
export const TAG = "attn-sentence";

export const TRAITS = {
  sentence: { kind: "text", default: "" },
  layer: { kind: "whole", default: 1, range: [1, Infinity] },
  head: { kind: "whole", default: 1, range: [1, Infinity] },
} as const;

export const MAX_LETTERS = 300;
