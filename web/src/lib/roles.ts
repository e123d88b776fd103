// The colours of attn_course.colours:
// written by tools/widget_traits.py, not by hand.
export const LIGHT = { query: "#0075d2", key: "#bd3c00", value: "#2e6a4d", weight: "#603297", output: "#843863", ink: "#1d2430", soft: "#5b6675", line: "#d9dee6", paper: "#ffffff", card: "#fbfcfe" } as const;
export const DARK = { query: "#4b80fd", key: "#faa456", value: "#4fd1a5", weight: "#b0a9f0", output: "#f5cae9", ink: "#e7ebf2", soft: "#9aa5b5", line: "#333c4a", paper: "#14181f", card: "#1a1f28" } as const;
