// What attn_course.widgets.cocktail_party states of CocktailParty:
// written by tools/widget_traits.py, not by hand.
export const TAG = "attn-cocktail";

export const TRAITS = {
  mixture: { kind: "whole", default: 0, range: [0, Infinity] },
  first: { kind: "number", default: 0, range: [-90, 90] },
  second: { kind: "number", default: 0, range: [-90, 90] },
  attending: { kind: "flag", default: false },
  angle: { kind: "number", default: 0, range: [-90, 90] },
  temperature: { kind: "number", default: 0.05, range: [0.01, 1] },
} as const;
