// A widget's state: what a reader may change, checked wherever it comes from
// (Python, a page's JSON, a link).

import type { Json } from "./json.ts";

/** For each name: is this a value that it may take? */
export type Valid<S> = { [K in keyof S]: (value: unknown) => boolean };

export const isRecord = (x: unknown): x is Json =>
  typeof x === "object" && x !== null && !Array.isArray(x);

/**
 * `base` with the valid entries of `changes`; `refused` names the others.
 * A record may name some of its entries: the rest stay.
 */
export function applyChanges<S extends object>(
  base: S,
  changes: unknown,
  valid: Valid<S>,
): { state: S; refused: string[] } {
  const state = { ...base } as Json;
  const refused: string[] = [];
  for (const [name, value] of Object.entries((changes ?? {}) as Json)) {
    const test = Object.hasOwn(valid, name) ? valid[name as keyof S] : null;
    if (!test?.(value)) refused.push(name);
    else if (isRecord(value)) {
      const merged = { ...(state[name] as Json), ...value };
      if (!same(merged, state[name])) state[name] = merged;
    } else if (!same(value, state[name])) state[name] = value;
  }
  return { state: state as S, refused };
}

/** Do two plain values say the same? */
export const same = (a: unknown, b: unknown): boolean =>
  a === b || JSON.stringify(a) === JSON.stringify(b);

/** The state in words for a link: only what differs from `start`. */
export function toLink(state: object, start: object): [string, string][] {
  const pairs: [string, string][] = [];
  const first = start as Json;
  for (const [name, value] of Object.entries(state)) {
    if (same(value, first[name])) continue;
    if (isRecord(value)) {
      for (const [entry, text] of Object.entries(value))
        if (!same(text, (first[name] as Json)[entry]))
          pairs.push([`${name}.${entry}`, String(text)]);
    } else pairs.push([name, String(value)]);
  }
  return pairs;
}

/**
 * Read what `toLink` wrote; `start` tells which kind each value is. Nothing
 * here is trusted: `applyChanges` decides.
 */
export function fromLink(
  pairs: Iterable<[string, string]>,
  start: object,
): Json {
  // Without a prototype even “__proto__” is an entry, to be refused by name.
  const changes: Json = Object.create(null);
  for (const [key, text] of pairs) {
    const [name, entry] = split(key);
    const kind = Object.hasOwn(start, name) ? (start as Json)[name] : text;
    if (entry !== null && isRecord(kind))
      changes[name] = { ...(changes[name] as Json), [entry]: text };
    else if (typeof kind === "number")
      changes[key] = text.trim() === "" ? text : Number(text);
    else if (typeof kind === "boolean")
      changes[key] = text === "true" ? true : text === "false" ? false : text;
    else if (Array.isArray(kind)) changes[key] = parseList(text, kind);
    else changes[key] = text;
  }
  return changes;
}

/** A list of numbers, or of vectors as long as those of `kind`. */
function parseList(text: string, kind: unknown[]): unknown[] {
  const flat = text === "" ? [] : text.split(",").map(Number);
  const width = Array.isArray(kind[0]) ? kind[0].length : 0;
  if (width === 0) return flat;
  return Array.from({ length: Math.ceil(flat.length / width) }, (_, i) =>
    flat.slice(i * width, (i + 1) * width),
  );
}

function split(key: string): [string, string | null] {
  const dot = key.indexOf(".");
  return dot < 0 ? [key, null] : [key.slice(0, dot), key.slice(dot + 1)];
}

/** A test for a number between two others. */
export const within =
  (low: number, high: number) =>
  (x: unknown): boolean =>
    typeof x === "number" && x >= low && x <= high;

/** A test for a whole number between two others. */
export const whole = (low: number, high: number) => {
  const inside = within(low, high);
  return (x: unknown): x is number => Number.isInteger(x) && inside(x);
};

/** A test for one of these. */
export const among =
  (all: readonly unknown[]) =>
  (x: unknown): boolean =>
    all.includes(x);

export const isBoolean = (x: unknown): boolean => typeof x === "boolean";

/** A test for a list of numbers, each between two others. */
export const numbers =
  (count: number, low: number, high: number) =>
  (x: unknown): boolean =>
    Array.isArray(x) && x.length === count && x.every(within(low, high));
