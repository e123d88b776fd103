// What attn_course.widgets.attention_heatmap states of AttentionHeatmap:
// written by tools/widget_traits.py, not by hand.
export const TAG = "attn-heatmap";

export const TRAITS = {
  selection: { kind: "record", default: {} },
  temperature: { kind: "number", default: 1, range: [0.1, 10] },
  scaled: { kind: "flag", default: true },
  causal: { kind: "flag", default: false },
  threshold: { kind: "number", default: 0, range: [0, 1] },
  hide_special: { kind: "flag", default: false },
  merge_words: { kind: "flag", default: false },
  normalise: { kind: "flag", default: true },
  cell: { kind: "list", default: [], of: { kind: "whole" } },
  locked: { kind: "list", default: [], of: { kind: "whole" }, most: 4 },
} as const;

export const MAX_TOKENS = 2048;
export const MAX_OFF = 0.001;
export const MAX_TABLE_CELLS = 1024;
