// What attn_course.widgets.qkv_playground states of QKVPlayground:
// written by tools/widget_traits.py, not by hand.
export const TAG = "attn-qkv";

export const TRAITS = {
  query: { kind: "list", default: [], of: { kind: "number" } },
  key: { kind: "list", default: [], of: { kind: "list", of: { kind: "number" } } },
  value: { kind: "list", default: [], of: { kind: "list", of: { kind: "number" } } },
  scaled: { kind: "flag", default: true },
  temperature: { kind: "number", default: 1, range: [0.1, 10] },
} as const;

export const MAX_KEYS = 6;
export const MAX_D = 8;
export const RANGE = 100;
