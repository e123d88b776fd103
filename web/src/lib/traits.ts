// What Python's traits allow: the browser takes the same values. Each
// widget's traits stand in its traits.ts, which Python writes.
import { among, isBoolean, isRecord, type Valid, within } from "./state.ts";

interface Bounded {
  kind: "whole" | "number";
  range?: readonly [low: number, high: number];
}

/** What one value may be. */
type Kind =
  | Bounded
  | { kind: "flag" | "text" | "record" }
  | { kind: "choice"; choices: readonly unknown[] }
  | { kind: "list"; of: Kind; most?: number };

/** A trait: what it may be, and what it is at first. */
export type Trait = Kind & { default: unknown };

type Value<T> = T extends { kind: "flag" }
  ? boolean
  : T extends Bounded
    ? number
    : T extends { kind: "text" }
      ? string
      : T extends { kind: "choice"; choices: readonly (infer C)[] }
        ? C
        : T extends { kind: "list" }
          ? never[]
          : Record<string, string>;

/** The state that traits start from. */
export const defaults = <T extends Record<string, Trait>>(traits: T) =>
  Object.fromEntries(
    Object.entries(traits).map(([name, trait]) => [name, trait.default]),
  ) as { -readonly [K in keyof T]: Value<T[K]> };

/** Tests for what traits allow and, of that, what these data allow. */
export const validators = <S extends object>(
  traits: { [K in keyof S]: Trait },
  own: { [K in keyof S]?: (value: S[K]) => boolean } = {},
): Valid<S> =>
  Object.fromEntries(
    Object.entries<Trait>(traits).map(([name, trait]) => {
      const fits = testOf(trait);
      const mine = own[name as keyof S] as typeof fits | undefined;
      return [name, (x: unknown) => fits(x) && (mine?.(x) ?? true)];
    }),
  ) as Valid<S>;

function testOf(kind: Kind): (x: unknown) => boolean {
  switch (kind.kind) {
    case "flag":
      return isBoolean;
    case "text":
      return (x) => typeof x === "string";
    case "record":
      return isRecord;
    case "choice":
      return among(kind.choices);
    case "list": {
      const { most = Infinity } = kind;
      const fits = testOf(kind.of);
      return (x) => Array.isArray(x) && x.length <= most && x.every(fits);
    }
    default: {
      const inside = within(...(kind.range ?? [-Infinity, Infinity]));
      const sort = kind.kind === "whole" ? Number.isInteger : Number.isFinite;
      return (x) => sort(x) && inside(x);
    }
  }
}
