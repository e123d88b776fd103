// Short texts: cut where a letter ends, and weights as numbers.

/** The first letters of a text; a letter of two code units stays whole. */
export function firstLetters(text: string, most: number): string {
  // Nothing beyond is looked at, however long the text is.
  const near = text.slice(0, 2 * most);
  return text.length <= most ? text : [...near].slice(0, most).join("");
}

/** Has a text at most so many letters? */
export const fitsIn = (text: string, most: number): boolean =>
  text.length <= 2 * most && [...text].length <= most;

/** A text of at most so many letters, the last one an ellipsis if need be. */
export const shorten = (text: string, most: number): string =>
  fitsIn(text, most) ? text : `${firstLetters(text, most - 1)}…`;

/**
 * A weight to read: three decimals, and two digits of what is so small that
 * three decimals would hide it. Of a thousand keys each has about 0.001.
 */
export const weightText = (x: number): string =>
  x === 0 || x >= 0.01 ? x.toFixed(3) : x.toPrecision(2);

/** The same in less room: two decimals, or one digit. */
export const shortWeight = (x: number): string =>
  x === 0 || x >= 0.01 ? x.toFixed(2) : x.toPrecision(1);
