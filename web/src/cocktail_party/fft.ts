// The fast Fourier transform of Cooley and Tukey (1965), radix 2, in place.

/** n complex numbers, n a power of two. */
export interface Complex {
  re: Float64Array;
  im: Float64Array;
}

export const complex = (n: number): Complex => ({
  re: new Float64Array(n),
  im: new Float64Array(n),
});

interface Plan {
  swap: Uint32Array;
  cos: Float64Array;
  sin: Float64Array;
}

const plans = new Map<number, Plan>();

function plan(n: number): Plan {
  let known = plans.get(n);
  if (known) return known;
  const swap = new Uint32Array(n);
  for (let i = 1; i < n; i++) swap[i] = (swap[i >> 1] >> 1) | (i & 1 && n >> 1);
  const turn = (i: number) => (2 * Math.PI * i) / n;
  known = {
    swap,
    cos: Float64Array.from({ length: n / 2 }, (_, i) => Math.cos(turn(i))),
    sin: Float64Array.from({ length: n / 2 }, (_, i) => Math.sin(turn(i))),
  };
  plans.set(n, known);
  return known;
}

/** Transform in place; `sign` −1 forward, +1 back (which divides by n). */
export function fft({ re, im }: Complex, sign: -1 | 1): void {
  const n = re.length;
  const { swap, cos, sin } = plan(n);
  for (let i = 0; i < n; i++) {
    const j = swap[i];
    if (j <= i) continue;
    [re[i], re[j]] = [re[j], re[i]];
    [im[i], im[j]] = [im[j], im[i]];
  }
  for (let half = 1; half < n; half *= 2) {
    const stride = n / (2 * half);
    for (let start = 0; start < n; start += 2 * half) {
      for (let k = 0; k < half; k++) {
        const c = cos[k * stride];
        const s = sign * sin[k * stride];
        const a = start + k;
        const b = a + half;
        const x = re[b] * c - im[b] * s;
        const y = re[b] * s + im[b] * c;
        re[b] = re[a] - x;
        im[b] = im[a] - y;
        re[a] += x;
        im[a] += y;
      }
    }
  }
  if (sign < 0) return;
  for (let i = 0; i < n; i++) {
    re[i] /= n;
    im[i] /= n;
  }
}
