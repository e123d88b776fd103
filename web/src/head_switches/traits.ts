// What attn_course.widgets.head_switches states of HeadSwitches:
// written by tools/widget_traits.py, not by hand.
export const TAG = "attn-head-switches";

export const TRAITS = {
  subset: { kind: "whole", default: 0 },
  way: { kind: "text", default: "" },
  test: { kind: "text", default: "" },
  seed: { kind: "text", default: "" },
  show: { kind: "choice", default: "loss", choices: ["loss", "accuracy"] },
  log: { kind: "flag", default: false },
} as const;

export const MAX_HEADS = 10;
