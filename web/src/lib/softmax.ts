// softmax(scores · factor + mask) · V, row by row: the formula of
// Vaswani et al. (2017), equation 1, in the reader's browser.

/**
 * The softmax of each row of `scores · factor` over the cells that are
 * allowed. A row that may look at nothing gets zeros. A score of −∞ counts
 * as not allowed.
 *
 * scores, out: (rows × cols); allowed: the same shape, 1 = may look; tops,
 * if given, takes the largest weight of each row.
 */
export function softmaxRows(
  scores: Float64Array,
  rows: number,
  cols: number,
  factor: number,
  allowed: Uint8Array | null,
  out: Float64Array,
  tops: Float64Array | null = null,
): Float64Array {
  for (let i = 0; i < rows; i++) {
    const start = i * cols;
    const end = start + cols;
    let peak = Number.NEGATIVE_INFINITY;
    for (let c = start; c < end; c++) {
      if (allowed !== null && allowed[c] === 0) continue;
      const logit = scores[c] * factor;
      if (logit > peak) peak = logit;
    }
    if (peak === Number.NEGATIVE_INFINITY) {
      out.fill(0, start, end);
      if (tops) tops[i] = 0;
      continue;
    }
    let total = 0;
    for (let c = start; c < end; c++) {
      const open = allowed === null || allowed[c] === 1;
      const share = open ? Math.exp(scores[c] * factor - peak) : 0;
      out[c] = share;
      total += share;
    }
    for (let c = start; c < end; c++) out[c] /= total;
    // The largest score has a share of exp(0).
    if (tops) tops[i] = 1 / total;
  }
  return out;
}

/** One output vector: Σ_j weights[j] · value[j], value: (cols × d_v). */
export function weightedSum(
  weights: ArrayLike<number>,
  value: Float64Array,
  d_v: number,
): Float64Array {
  const output = new Float64Array(d_v);
  for (let j = 0; j < weights.length; j++)
    for (let d = 0; d < d_v; d++) output[d] += weights[j] * value[j * d_v + d];
  return output;
}

/** Every dot product q_i · k_j, shape (rows × cols). */
export function dotProducts(
  query: Float64Array,
  key: Float64Array,
  rows: number,
  cols: number,
  d_k: number,
): Float64Array {
  const scores = new Float64Array(rows * cols);
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < cols; j++) {
      let sum = 0;
      for (let d = 0; d < d_k; d++)
        sum += query[i * d_k + d] * key[j * d_k + d];
      scores[i * cols + j] = sum;
    }
  return scores;
}
