// What attn_course.widgets.flash_stepper states of FlashStepper:
// written by tools/widget_traits.py, not by hand.
export const TAG = "attn-flash";

export const TRAITS = {
  step: { kind: "whole", default: 1, range: [0, Infinity] },
  block_q: { kind: "whole", default: 4, range: [1, Infinity] },
  block_k: { kind: "whole", default: 4, range: [1, Infinity] },
  causal: { kind: "flag", default: false },
  order: { kind: "choice", default: "queries", choices: ["queries", "keys"] },
  broken: { kind: "flag", default: false },
} as const;

export const MOST = 16;
export const LONGEST = { query: 8, key: 8, value: 2 } as const;
export const LARGEST = 100;
export const RIGHT = 1e-09;
