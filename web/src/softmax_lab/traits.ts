// What attn_course.widgets.softmax_lab states of SoftmaxLab:
// written by tools/widget_traits.py, not by hand.
export const TAG = "attn-softmax-lab";

export const TRAITS = {
  d: { kind: "whole", default: 64, range: [1, 1024] },
  temperature: { kind: "number", default: 1, range: [0.1, 10] },
  scaled: { kind: "flag", default: true },
  seed: { kind: "whole", default: 0, range: [0, 1000] },
} as const;

export const QUERIES = 64;
export const KEYS = 32;
