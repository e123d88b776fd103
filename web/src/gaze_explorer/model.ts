// What one look delivers: acuity, blur, sharp places. Pure; attn_course.seeing
// is the Python twin, whose documentation gives the sources.
import { dataOf, type Json } from "../lib/json.ts";
import { type Valid, whole, within } from "../lib/state.ts";
import * as traits from "../lib/traits.ts";
import { OWN, TRAITS } from "./traits.ts";

export const MAR0 = 1 / 60; // degrees
export const E2 = 2.3; // degrees
export const MARGIN = 1; // degrees
export const CONTRAST = 1 / 64;
/** Standard deviations, in pixels, of the blurred copies. */
export const LEVELS = [0, 1, 2, 4, 8];
export const MAX_STEPS = TRAITS.step.range[1];

/** A place as fractions of the picture's width and height. */
export type Place = [x: number, y: number];

export interface Region {
  kind: string;
  label: string;
  box: number[]; // left, top, right, bottom in pixels
}

export interface Photo {
  name: string;
  title: string;
  alt: string;
  credit: string;
  width: number;
  height: number;
  asset: string;
  regions: Region[];
  paths: Record<string, Place[]>;
}

export interface Source {
  title: string;
  note: string;
  photos: Photo[];
}

/** What the reader may change. The names are the Python traits. */
export interface Reader {
  picture: string;
  x: number;
  y: number;
  degrees: number; // width of the picture
  regions: boolean;
  path: string;
  step: number;
  own: number[]; // x, y, x, y, …
}

export const FREE = TRAITS.path.default;

export function parseSource(raw: unknown): Source {
  const json = dataOf(raw);
  if (!Array.isArray(json.photos) || json.photos.length === 0)
    throw new Error("expected at least one photo, got none");
  return {
    title: String(json.title ?? ""),
    note: String(json.note ?? ""),
    photos: json.photos.map(parsePhoto),
  };
}

function parsePhoto(raw: unknown): Photo {
  const json = (raw ?? {}) as Json;
  const name = String(json.name ?? "");
  const size = (key: "width" | "height") => {
    const n = json[key];
    if (!whole(1, 2000)(n))
      throw new Error(`expected the ${key} of “${name}” in pixels, got ${n}`);
    return n;
  };
  const [width, height] = [size("width"), size("height")];
  const regions = Array.isArray(json.regions) ? json.regions : [];
  const paths = Object.entries((json.paths ?? {}) as Json);
  return {
    name,
    title: String(json.title ?? name),
    alt: String(json.alt ?? ""),
    credit: String(json.credit ?? ""),
    width,
    height,
    asset: String(json.asset ?? ""),
    regions: regions.map((region) => parseRegion(region, name)),
    paths: Object.fromEntries(
      paths.map(([kind, path]) => [kind, parsePath(path, name)]),
    ),
  };
}

function parseRegion(raw: unknown, name: string): Region {
  const json = (raw ?? {}) as Json;
  const box = json.box;
  if (!Array.isArray(box) || box.length !== 4 || !box.every(Number.isFinite))
    throw new Error(`expected a box of four numbers in “${name}”, got ${box}`);
  return {
    kind: String(json.kind ?? ""),
    label: String(json.label ?? ""),
    box,
  };
}

function parsePath(raw: unknown, name: string): Place[] {
  const fits =
    Array.isArray(raw) &&
    raw.length >= 1 &&
    raw.length <= MAX_STEPS &&
    raw.every(
      (place) =>
        Array.isArray(place) && place.length === 2 && place.every(isFraction),
    );
  if (!fits)
    throw new Error(
      `expected a path of 1 to ${MAX_STEPS} places from 0 to 1 in “${name}”`,
    );
  return raw as Place[];
}

const isFraction = within(...TRAITS.x.range);

/** The ways to look that this widget knows. */
export const ways = (source: Source): string[] => [
  FREE,
  ...Object.keys(source.photos[0].paths),
  OWN,
];

export const validators = (source: Source): Valid<Reader> =>
  traits.validators<Reader>(TRAITS, {
    picture: (name) => source.photos.some((photo) => photo.name === name),
    path: (path) => ways(source).includes(path),
    own: (numbers) => numbers.length % 2 === 0,
  });

/** The state before anyone touched anything. */
export const defaults = (source: Source): Reader => ({
  ...traits.defaults(TRAITS),
  picture: source.photos[0].name,
});

/** The reader's own path as places. */
export const ownPath = (state: Reader): Place[] =>
  Array.from({ length: state.own.length / 2 }, (_, i) => [
    state.own[2 * i],
    state.own[2 * i + 1],
  ]);

/** Every fixation that made what the picture shows now, the last one last. */
export function fixationsNow(photo: Photo, state: Reader): Place[] {
  const here: Place = [state.x, state.y];
  if (state.path === FREE) return [here];
  if (state.path === OWN) {
    const own = ownPath(state);
    const last = own[own.length - 1];
    const added = last?.[0] === here[0] && last[1] === here[1];
    return added ? own : [...own, here];
  }
  const path = Object.hasOwn(photo.paths, state.path)
    ? photo.paths[state.path]
    : [here];
  return path.slice(0, state.step);
}

/** MAR(e): the smallest angle that the eye resolves, in degrees. */
export const minimumAngle = (eccentricity: number): number =>
  MAR0 * (1 + eccentricity / E2);

const BLUR = Math.sqrt(2 * Math.log(1 / CONTRAST)) / Math.PI;

/** The blur, in pixels, that hides what the eye can't see there. */
export const blurRadius = (eccentricity: number, scale: number): number =>
  BLUR * minimumAngle(eccentricity) * scale;

/** Where a blur lies among the copies: 1.5 is halfway from 1 to 2. */
export function levelOf(sigma: number): number {
  const last = LEVELS.length - 1;
  for (let k = 0; k < last; k++)
    if (sigma <= LEVELS[k + 1])
      return k + (sigma - LEVELS[k]) / (LEVELS[k + 1] - LEVELS[k]);
  return last;
}

/** Pixels for each degree of visual angle. */
export const pixelsPerDegree = (width: number, degrees: number): number =>
  width / degrees;

/** The columns [from, to) of one row that a disc covers. */
function covered(
  width: number,
  cx: number,
  dy: number,
  radius: number,
): [from: number, to: number] {
  const square = radius * radius - dy * dy;
  if (square < 0) return [0, 0];
  const half = Math.sqrt(square);
  const inside = (column: number) => {
    const dx = column + 0.5 - cx;
    return dx * dx + dy * dy <= radius * radius;
  };
  // The root may be wrong by its last digit: the pixels themselves decide.
  let from = Math.ceil(cx - 0.5 - half) - 1;
  let to = Math.floor(cx - 0.5 + half) + 2;
  while (from < to && !inside(from)) from++;
  while (from < to && !inside(to - 1)) to--;
  return [Math.max(0, from), Math.min(width, to)];
}

/** Which part of the picture at least one fixation shows sharply. */
export function sharpFraction(
  width: number,
  height: number,
  fixations: Place[],
  degrees: number,
): number {
  const radius = E2 * pixelsPerDegree(width, degrees);
  let count = 0;
  for (let row = 0; row < height; row++) {
    const runs = fixations
      .map(([x, y]) =>
        covered(width, x * width, row + 0.5 - y * height, radius),
      )
      .filter(([from, to]) => from < to)
      .sort(([a], [b]) => a - b);
    let end = 0;
    for (const [from, to] of runs) {
      count += Math.max(0, to - Math.max(from, end));
      end = Math.max(end, to);
    }
  }
  return count / (width * height);
}

/** Does one fixation land on a region, or at most 1° beside it? */
export function regionSeen(
  box: number[],
  photo: { width: number; height: number },
  [x, y]: Place,
  degrees: number,
): boolean {
  const [left, top, right, bottom] = box;
  const [px, py] = [x * photo.width, y * photo.height];
  const beside = Math.max(left - px, px - right, 0);
  const above = Math.max(top - py, py - bottom, 0);
  const scale = pixelsPerDegree(photo.width, degrees);
  return Math.sqrt(beside ** 2 + above ** 2) / scale <= MARGIN;
}

/** Fixations until a region is seen; null when the path misses it. */
export function fixationsNeeded(
  box: number[],
  photo: { width: number; height: number },
  path: Place[],
  degrees: number,
): number | null {
  const at = path.findIndex((place) => regionSeen(box, photo, place, degrees));
  return at < 0 ? null : at + 1;
}

/** The distance to the farthest corner, in degrees. */
export function farthest(photo: Photo, [x, y]: Place, degrees: number): number {
  const dx = Math.max(x, 1 - x) * photo.width;
  const dy = Math.max(y, 1 - y) * photo.height;
  return Math.hypot(dx, dy) / pixelsPerDegree(photo.width, degrees);
}
