// Recorded results over conditions: which curves a reader's picks give.
// Pure; attn_course.widgets.curves holds the Python twin.
import { ceiling } from "../lib/chart.ts";
import { isBoolean, same, type Valid } from "../lib/state.ts";

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

/** Chance is not picked: all seeds are shown. */
export const SEED = "seed";

type Json = Record<string, unknown>;

/** Check the data; throws an Error that says what was expected. */
export function parseSource(raw: unknown): Source {
  if (typeof raw !== "object" || raw === null)
    throw new Error("expected the widget's data, got none");
  const json = raw as Json;
  const list = (name: string): Json[] => {
    const entries = json[name];
    if (!Array.isArray(entries) || entries.length === 0)
      throw new Error(`expected at least one entry in ${name}, got none`);
    return entries as Json[];
  };
  const dimensions = list("dimensions").map(dimension);
  const size = dimensions.reduce((n, d) => n * d.levels.length, 1);
  const measures = list("measures").map((m) => measure(m, size));
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
    title: String(json.title ?? "Recorded curves"),
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

/** What is left for the reader to pick when `x` is the horizontal axis. */
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
  return {
    x: (v) => source.xs.includes(v as string),
    measure: (v) => source.measures.some((m) => m.name === v),
    picks: (v) =>
      typeof v === "object" &&
      v !== null &&
      Object.entries(v).every(([name, level]) =>
        source.dimensions.some(
          (d) =>
            d.name === name && d.levels.some((l) => same(String(l), level)),
        ),
      ),
    each_seed: isBoolean,
    at: (v) =>
      Number.isInteger(v) && (v as number) >= 0 && (v as number) < longest,
  };
}

/** The state before anyone touched anything. */
export const defaults = (source: Source): Reader => ({
  x: source.xs[0],
  measure: source.measures[0].name,
  picks: Object.fromEntries(
    source.dimensions
      .filter((d) => d.name !== SEED && d.name !== source.lines)
      .map((d) => [d.name, String(d.levels.at(-1))]),
  ),
  each_seed: false,
  at: find(source, source.xs[0]).levels.length - 1,
});
