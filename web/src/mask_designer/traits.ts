// What attn_course.widgets.mask_designer states of MaskDesigner:
// written by tools/widget_traits.py, not by hand.
export const TAG = "attn-mask";

export const TRAITS = {
  preset: { kind: "record", default: {} },
  painted: { kind: "record", default: {} },
  same: { kind: "flag", default: true },
  causal: { kind: "flag", default: false },
  layer: { kind: "whole", default: 1, range: [1, 4] },
  padded: { kind: "whole", default: 2, range: [0, Infinity] },
  window: { kind: "whole", default: 1, range: [0, Infinity] },
  dilation: { kind: "whole", default: 2, range: [1, Infinity] },
  block: { kind: "whole", default: 4, range: [1, Infinity] },
  n_global: { kind: "whole", default: 1, range: [0, Infinity] },
  n_random: { kind: "whole", default: 1, range: [0, Infinity] },
  seed: { kind: "whole", default: 0, range: [0, 9] },
  mark_future: { kind: "flag", default: true },
  zoom: { kind: "flag", default: false },
  cell: { kind: "list", default: [], of: { kind: "whole" } },
} as const;

export const MAX_TOKENS = 64;
export const MAX_PAINTED = 32;
export const BYTES = { float16: 2, bfloat16: 2, float32: 4 } as const;
export const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
