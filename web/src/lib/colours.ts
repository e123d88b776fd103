// The colours of every widget, on a light or a dark surface: of its page, of
// what is drawn in it, of a picture to take away.

export interface Ink {
  ink: string;
  muted: string;
  line: string; // in a picture
  edge: string; // of controls, of cells that are hidden
  soft: string;
  accent: string;
  lock: string;
  field: string;
  marks: string[];
}

// The marks are Okabe and Ito's: told apart by colour-blind eyes.
export const LIGHT_INK: Ink = {
  ink: "#1b1f24",
  muted: "#57606a",
  line: "#c3cad2",
  edge: "#8c959f",
  soft: "#eef1f4",
  accent: "#b3261e",
  lock: "#0b57d0",
  field: "#ffffff",
  marks: ["#0072b2", "#a85400", "#007a5a", "#9c3f78", "#6b5b00", "#3a3f8f"],
};

export const DARK_INK: Ink = {
  ink: "#e6e9ed",
  muted: "#a9b1ba",
  line: "#4a525c",
  edge: "#8b949e",
  soft: "#2a3038",
  accent: "#ff8a7a",
  lock: "#8ab4f8",
  field: "#1b1f24",
  marks: ["#56b4e9", "#e69f00", "#2fc49a", "#e59cc6", "#f0e442", "#aab0ff"],
};
