// What Python hands over, before anything is known about it.
export type Json = Record<string, unknown>;

/** The data of a widget; throws an Error where there are none. */
export function dataOf(raw: unknown): Json {
  if (typeof raw !== "object" || raw === null)
    throw new Error("expected the widget's data, got none");
  return raw as Json;
}

/** A list with something in it; throws an Error that names it. */
export function listOf(raw: unknown, name: string): Json[] {
  if (!Array.isArray(raw) || raw.length === 0)
    throw new Error(`expected at least one entry in ${name}, got none`);
  return raw;
}
