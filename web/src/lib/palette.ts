// Cividis (Nuñez, Anderton & Renslow 2018): reads the same to colour-blind
// eyes and in grey print. 256 colours: the first, then a letter for each
// step to the next, number 43 + 15 · red + 5 · green + blue.
const FIRST = [0, 34, 78];
const STEPS =
  "122,221-22-12-22-12,0,?lWl]XNNHNNNI>N:N?N9?N:?N:?>:?N?:??:??:??:" +
  "???:??:??:??:@??:?0:??;???:?1:??:@??+?@:??@:0?;??@:0@:?@?,??@:??" +
  ":0??:@??:?>?:???:???:?0?9????:>??:?>??:>??:>???9??>??9N>??9?>??>" +
  ":>?>?>:>?>?>>I>>?>?>>9?>>>N>>>9?>>>>M>>>>>8>M>>=>>=M=>==L==?117";
const COLOURS = [FIRST];
for (const letter of STEPS) {
  const step = letter.charCodeAt(0) - 41; // blue: from -2 to 2
  const [r, g, b] = COLOURS[COLOURS.length - 1];
  const [red, green] = [Math.floor(step / 15), Math.floor(step / 5) % 3];
  COLOURS.push([r + red, g + green, b + (step % 5) - 2]);
}

/** Colour number 0…255 as #rrggbb. */
export const hex = (index: number): string =>
  `#${COLOURS[index].map((x) => x.toString(16).padStart(2, "0")).join("")}`;

/** The palette as 32-bit words for ImageData (little-endian ABGR). */
export const words: Uint32Array = Uint32Array.from(
  COLOURS,
  ([r, g, b]) => ((255 << 24) | (b << 16) | (g << 8) | r) >>> 0,
);

/** Is black better read on this colour than white? */
export const isBright = (index: number): boolean => index >= 120;

/** Where a weight falls in the palette, for weights from 0 to `top`. */
export const shade = (weight: number, top: number): number =>
  Math.max(0, Math.min(255, Math.round((weight / top) * 255)));
