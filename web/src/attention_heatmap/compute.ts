// From the data and the reader's state to the matrix that is drawn. Pure:
// no page, no canvas. attn_course.widgets.attention_heatmap holds the Python twin.
import { type Scale, scaleOf } from "../lib/scale.ts";
import { dotProducts, softmaxRows, weightedSum } from "../lib/softmax.ts";
import { weightText } from "../lib/text.ts";
import {
  type Axis,
  asGiven,
  mapIndex,
  type Reader,
  type Source,
} from "./state.ts";

/** A row or column of the picture: one token, or a word made of pieces. */
export interface Group {
  label: string;
  members: number[];
}

/** The matrix as drawn. */
export interface Picture {
  rows: Group[];
  cols: Group[];
  weights: Float64Array; // (rows × cols)
  allowed: Uint8Array | null; // (rows × cols), null = everything
  sums: Float64Array; // what is left visible of each row
  totals: Float64Array | null; // rows as given: what each sums to
  scale: Scale; // which colour a weight has
  whole: boolean; // is each token a row and a column of its own?
}

/** How one weight came about, for the cross-hair. */
export interface Steps {
  given: number | null; // a weight as it was given
  score: number | null;
  scaled: number | null;
  logit: number | null; // after √d and temperature: what softmax sees
  weight: number;
  allowed: boolean;
}

export interface Model {
  picture(state: Reader): Picture;
  steps(state: Reader, row: number, col: number): Steps;
  output(state: Reader, row: number): Float64Array | null;
}

/** The factor between the data's scores and what the softmax sees. */
export function factor(source: Source, state: Reader): number {
  const scale = state.scaled && source.d_k ? 1 / Math.sqrt(source.d_k) : 1;
  return scale / state.temperature;
}

/** Keep what does not change while the reader drags: scores and masks. */
export function createModel(source: Source): Model {
  const [n_q, n_k] = [source.query_tokens.length, source.key_tokens.length];
  const weights = new Float64Array(n_q * n_k);
  const tops = new Float64Array(n_q); // the largest weight of each row
  const scores = remember((map: number) => mapScores(source, map));
  const allowed = remember((causal: number) =>
    allowedCells(source.mask, n_q, n_k, causal === 1),
  );

  const compute = (state: Reader) => {
    const map = mapIndex(source.axes, state.selection);
    const mask = allowed(Number(state.causal));
    if (asGiven(source, state)) {
      weights.set(slice(source.weights!.data, map, n_q * n_k));
      if (mask) for (let c = 0; c < n_q * n_k; c++) weights[c] *= mask[c];
      return weights;
    }
    const scale = factor(source, state);
    return softmaxRows(scores(map), n_q, n_k, scale, mask, weights, tops);
  };

  return {
    picture(state) {
      const rows = groups(
        source.query_tokens,
        state.merge_words ? source.query_words : null,
        state.hide_special ? source.query_special : [],
      );
      const cols = groups(
        source.key_tokens,
        state.merge_words ? source.key_words : null,
        state.hide_special ? source.key_special : [],
      );
      const mask = allowed(Number(state.causal));
      const whole = rows.length * cols.length === n_q * n_k;
      const shown = whole
        ? compute(state)
        : gather(compute(state), n_k, rows, cols);
      let summed: Float64Array | null = null;
      const open = whole || !mask ? mask : anyAllowed(mask, n_k, rows, cols);
      return {
        rows,
        cols,
        weights: shown,
        allowed: open,
        // Not every drawing shows them.
        get sums() {
          summed ??= rowSums(shown, rows.length, cols.length, state.threshold);
          return summed;
        },
        whole,
        totals: asGiven(source, state) ? rowTotals(weights, n_k, rows) : null,
        scale:
          whole && !asGiven(source, state)
            ? scaleOf(shown, cols.length, open, Math.max(...tops))
            : scaleOf(shown, cols.length, open),
      };
    },
    steps(state, row, col) {
      const cell = row * n_k + col;
      const mask = allowed(Number(state.causal));
      const map = mapIndex(source.axes, state.selection);
      const score = scores(map)[cell];
      const logit = score * factor(source, state);
      return {
        given: source.weights?.data[map * n_q * n_k + cell] ?? null,
        score: source.weights ? null : score,
        scaled:
          source.weights || !source.d_k || !state.scaled
            ? null
            : score / Math.sqrt(source.d_k),
        logit: source.weights ? null : logit,
        weight: weights[cell],
        allowed: !mask || mask[cell] === 1,
      };
    },
    output(state, row) {
      if (!source.value) return null;
      const d_v = source.value.shape.at(-1)!;
      const map = mapIndex(source.axes, state.selection);
      const value = slice(source.value.data, map, n_k * d_v);
      return weightedSum(
        weights.subarray(row * n_k, row * n_k + n_k),
        value,
        d_v,
      );
    },
  };
}

const slice = (data: Float64Array, map: number, size: number) =>
  data.subarray(map * size, (map + 1) * size);

/** Scores of one map: given, made from q and k, or the log of weights. */
function mapScores(source: Source, map: number): Float64Array {
  const [n_q, n_k] = [source.query_tokens.length, source.key_tokens.length];
  if (source.scores) return slice(source.scores.data, map, n_q * n_k);
  if (source.weights)
    return slice(source.weights.data, map, n_q * n_k).map(Math.log);
  const d_k = source.d_k!;
  return dotProducts(
    slice(source.query!.data, map, n_q * d_k),
    slice(source.key!.data, map, n_k * d_k),
    n_q,
    n_k,
    d_k,
  );
}

/** The mask of the data and, if asked, the causal one: key j ≤ query i. */
function allowedCells(
  mask: Uint8Array | null,
  n_q: number,
  n_k: number,
  causal: boolean,
): Uint8Array | null {
  if (!causal) return mask;
  const allowed = mask
    ? Uint8Array.from(mask)
    : new Uint8Array(n_q * n_k).fill(1);
  for (let i = 0; i < n_q; i++)
    if (i + 1 < n_k) allowed.fill(0, i * n_k + i + 1, (i + 1) * n_k);
  return allowed;
}

/** Tokens as they are, or joined to words; without those that are hidden. */
export function groups(
  tokens: string[],
  words: (number | null)[] | null,
  hidden: number[],
): Group[] {
  const made: Group[] = [];
  let last: number | null = null;
  tokens.forEach((token, i) => {
    const word = words ? words[i] : null;
    if (hidden.includes(i)) {
      last = null;
    } else if (word !== null && word === last) {
      const group = made[made.length - 1];
      group.label += token.replace(/^##/, "");
      group.members.push(i);
    } else {
      made.push({ label: token, members: [i] });
      last = word;
    }
  });
  return made;
}

/** To a word: the sum over its pieces. From a word: the mean over them. */
function gather(
  weights: Float64Array,
  n_k: number,
  rows: Group[],
  cols: Group[],
): Float64Array {
  const out = new Float64Array(rows.length * cols.length);
  rows.forEach((row, r) => {
    cols.forEach((col, c) => {
      let sum = 0;
      for (const i of row.members)
        for (const j of col.members) sum += weights[i * n_k + j];
      out[r * cols.length + c] = sum / row.members.length;
    });
  });
  return out;
}

function anyAllowed(
  mask: Uint8Array,
  n_k: number,
  rows: Group[],
  cols: Group[],
) {
  const out = new Uint8Array(rows.length * cols.length);
  rows.forEach((row, r) => {
    cols.forEach((col, c) => {
      const open = row.members.some((i) =>
        col.members.some((j) => mask[i * n_k + j]),
      );
      out[r * cols.length + c] = open ? 1 : 0;
    });
  });
  return out;
}

function rowSums(
  weights: Float64Array,
  rows: number,
  cols: number,
  threshold: number,
): Float64Array {
  const sums = new Float64Array(rows);
  for (let r = 0; r < rows; r++) {
    let sum = 0;
    for (let c = r * cols; c < (r + 1) * cols; c++)
      if (weights[c] >= threshold) sum += weights[c];
    sums[r] = sum;
  }
  return sums;
}

/** The sum of each row, hidden tokens and all. */
function rowTotals(weights: Float64Array, n_k: number, rows: Group[]) {
  return Float64Array.from(rows, ({ members }) => {
    let sum = 0;
    for (const i of members)
      for (let c = i * n_k; c < (i + 1) * n_k; c++) sum += weights[c];
    return sum / members.length;
  });
}

/** The last answer of a function of one number. */
function remember<T>(make: (n: number) => T): (n: number) => T {
  let known: { n: number; value: T } | null = null;
  return (n) => {
    if (known?.n !== n) known = { n, value: make(n) };
    return known.value;
  };
}

/** May a cell of the picture be looked at, or is it masked? */
export const isMasked = ({ allowed }: Picture, c: number): boolean =>
  allowed !== null && allowed[c] === 0;

/** What a cell says wherever it is written: a table, a title, a voice. */
export const cellText = (picture: Picture, c: number): string =>
  isMasked(picture, c) ? "masked" : weightText(picture.weights[c]);

/** The `count` largest weights of one row, largest first; masked ones not. */
export function strongest(picture: Picture, row: number, count: number) {
  const n = picture.cols.length;
  const found: { col: number; weight: number }[] = [];
  for (let col = 0; col < n; col++) {
    if (isMasked(picture, row * n + col)) continue;
    const weight = picture.weights[row * n + col];
    if (found.length === count && weight <= found[count - 1].weight) continue;
    const place = found.findIndex((other) => other.weight < weight);
    found.splice(place < 0 ? found.length : place, 0, { col, weight });
    if (found.length > count) found.pop();
  }
  return found;
}

/** A name for the chosen map, such as "layer 6, head 12". */
export const selectionName = (
  axes: Axis[],
  selection: Record<string, string>,
) => axes.map(({ name }) => `${name} ${selection[name]}`).join(", ");
