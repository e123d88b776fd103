// What attn_course.widgets.gaze_explorer states of GazeExplorer:
// written by tools/widget_traits.py, not by hand.
export const TAG = "attn-gaze";

export const TRAITS = {
  picture: { kind: "text", default: "" },
  x: { kind: "number", default: 0.5, range: [0, 1] },
  y: { kind: "number", default: 0.5, range: [0, 1] },
  degrees: { kind: "number", default: 20, range: [5, 80] },
  regions: { kind: "flag", default: false },
  path: { kind: "text", default: "free look" },
  step: { kind: "whole", default: 15, range: [1, 15] },
  own: { kind: "list", default: [], of: { kind: "number", range: [0, 1] }, most: 30 },
} as const;

export const OWN = "your own";
