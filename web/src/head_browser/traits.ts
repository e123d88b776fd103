// What attn_course.widgets.head_browser states of HeadBrowser:
// written by tools/widget_traits.py, not by hand.
export const TAG = "attn-heads";

export const TRAITS = {
  model: { kind: "text", default: "" },
  measure: { kind: "text", default: "" },
  layer: { kind: "whole", default: 1 },
  head: { kind: "whole", default: 1 },
} as const;

export const MOST = 256;
export const MOST_TOKENS = 2048;
