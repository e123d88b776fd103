// Recorded results over conditions: which curves a reader's picks give.
// Pure; attn_course.widgets.recorded_curves holds the Python twin.
import { ceiling } from "../lib/chart.ts";
import { dataOf, type Json, listOf } from "../lib/json.ts";
import { same, type Valid } from "../lib/state.ts";
import * as traits from "../lib/traits.ts";
import { SEED, TRAITS } from "./traits.ts";

export type Level = string | number;

/** One thing that was varied, and the levels that it took. */
export interface Dimension {
  name: string;
  label: string;
  levels: Level[];
  log: boolean;
}

export interface Measure {
  name: string;
  label: string;
  values: (number | null)[]; // one for each combination of levels, row-major
}

export interface Source {
  dimensions: Dimension[];
  measures: Measure[];
  lines: string; // the dimension whose levels become lines
  xs: string[]; // the dimensions that may be the horizontal axis
  title: string;
  note: string;
}

/** What the reader may change. The names are the Python traits. */
export interface Reader {
  x: string;
  measure: string;
  picks: Record<string, string>;
  each_seed: boolean;
  at: number; // the point whose numbers are read off
}

export interface Point {
  x: number;
  values: number[]; // one for each seed that was run
  seeds: number[]; // which seeds those are, counted from 0
  mean: number;
  low: number;
  high: number;
}

export interface Line {
  label: string;
  points: Point[];
}

/** Check the data; throws an Error that says what was expected. */
export function parseSource(raw: unknown): Source {
  const json = dataOf(raw);
  const dimensions = listOf(json.dimensions, "dimensions").map(dimension);
  const size = dimensions.reduce((n, d) => n * d.levels.length, 1);
  const measures = listOf(json.measures, "measures").map((m) =>
    measure(m, size),
  );
  const names = dimensions.map((d) => d.name);
  const lines = String(json.lines);
  const xs = Array.isArray(json.xs) ? json.xs.map(String) : [];
  for (const name of [lines, ...xs])
    if (!names.includes(name))
      throw new Error(`expected one of ${names.join(", ")}, got ${name}`);
  if (xs.length === 0) throw new Error("expected an axis, got none");
  return {
    dimensions,
    measures,
    lines,
    xs,
    title: String(json.title ?? ""),
    note: String(json.note ?? ""),
  };
}

function dimension(json: Json): Dimension {
  const levels = json.levels;
  if (!Array.isArray(levels) || levels.length === 0)
    throw new Error(`expected levels of ${json.name}, got none`);
  return {
    name: String(json.name),
    label: String(json.label ?? json.name),
    levels: levels as Level[],
    log: json.log === true,
  };
}

function measure(json: Json, size: number): Measure {
  const values = Array.isArray(json.values) ? json.values : [];
  if (values.length !== size)
    throw new Error(
      `expected ${size} values of ${json.name}, got ${values.length}`,
    );
  const good = (x: unknown) => x === null || Number.isFinite(x);
  if (!values.every(good))
    throw new Error(`expected numbers or null in ${json.name}`);
  return {
    name: String(json.name),
    label: String(json.label ?? json.name),
    values,
  };
}

export const find = (source: Source, name: string): Dimension =>
  source.dimensions.find((d) => d.name === name)!;

/** What is left to pick when `x` is the horizontal axis; never the seed. */
export const picked = (source: Source, x: string): Dimension[] =>
  source.dimensions.filter(
    (d) =>
      d.name !== x &&
      d.name !== source.lines &&
      d.name !== SEED &&
      d.levels.length > 1,
  );

/** One line for each level of `source.lines`; without records, no points. */
export function curves(source: Source, state: Reader): Line[] {
  const { values } = source.measures.find((m) => m.name === state.measure)!;
  const x = find(source, state.x);
  const seeds = source.dimensions.find((d) => d.name === SEED);
  return find(source, source.lines).levels.map((line, lineIndex) => ({
    label: String(line),
    points: x.levels.flatMap((level, i) => {
      const all = (seeds?.levels ?? [null]).map(
        (_, seed) =>
          values[place(source, state, { line: lineIndex, x: i, seed })],
      );
      return all.every((v) => v === null) ? [] : [point(Number(level), all)];
    }),
  }));
}

function place(
  source: Source,
  state: Reader,
  at: { line: number; x: number; seed: number },
): number {
  return source.dimensions.reduce((index, { name, levels }) => {
    const pick = levels.findIndex((l) => String(l) === state.picks[name]);
    const here =
      name === source.lines
        ? at.line
        : name === state.x
          ? at.x
          : name === SEED
            ? at.seed
            : Math.max(0, pick);
    return index * levels.length + here;
  }, 0);
}

function point(x: number, all: (number | null)[]): Point {
  const values = all.filter((v) => v !== null);
  return {
    x,
    values,
    seeds: [...all.keys()].filter((i) => all[i] !== null),
    mean: values.reduce((a, b) => a + b, 0) / values.length,
    low: Math.min(...values),
    high: Math.max(...values),
  };
}

/** The vertical axis: from 0, to 1 for shares, else to a round number. */
export function top(source: Source, name: string): number {
  const { values } = source.measures.find((m) => m.name === name)!;
  return ceiling(values.reduce((most: number, v) => Math.max(most, v ?? 0), 0));
}

/** For each thing that a reader may change: is this a value it may take? */
export function validators(source: Source): Valid<Reader> {
  const longest = Math.max(
    ...source.xs.map((x) => find(source, x).levels.length),
  );
  return traits.validators<Reader>(TRAITS, {
    x: (x) => source.xs.includes(x),
    measure: (measure) => source.measures.some((m) => m.name === measure),
    picks: (picks) =>
      Object.entries(picks).every(([name, level]) =>
        source.dimensions.some(
          (d) =>
            d.name === name && d.levels.some((l) => same(String(l), level)),
        ),
      ),
    at: (at) => at < longest,
  });
}

/** The state before anyone touched anything. */
export const defaults = (source: Source): Reader => ({
  ...traits.defaults(TRAITS),
  x: source.xs[0],
  measure: source.measures[0].name,
  picks: Object.fromEntries(
    source.dimensions
      .filter((d) => d.name !== SEED && d.name !== source.lines)
      .map((d) => [d.name, String(d.levels.at(-1))]),
  ),
  at: find(source, source.xs[0]).levels.length - 1,
});
