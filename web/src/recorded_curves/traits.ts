// What attn_course.widgets.recorded_curves states of RecordedCurves:
// written by tools/widget_traits.py, not by hand.
export const TAG = "attn-curves";

export const TRAITS = {
  x: { kind: "text", default: "" },
  measure: { kind: "text", default: "" },
  picks: { kind: "record", default: {} },
  each_seed: { kind: "flag", default: false },
  at: { kind: "whole", default: 0, range: [0, Infinity] },
} as const;

export const SEED = "seed";
