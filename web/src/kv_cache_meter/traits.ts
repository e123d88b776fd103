// What attn_course.widgets.kv_cache_meter states of KVCacheMeter:
// written by tools/widget_traits.py, not by hand.
export const TAG = "attn-kv-cache";

export const TRAITS = {
  model: { kind: "text", default: "" },
  kv_heads: { kind: "whole", default: 0, range: [0, 1024] },
  length: { kind: "whole", default: 4096, range: [1, 131072] },
  batch: { kind: "whole", default: 1, range: [1, 256] },
  bits: { kind: "choice", default: 16, choices: [8, 16, 32] },
} as const;

export const MOST_HEADS = 1024;
