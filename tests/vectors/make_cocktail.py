"""Write cocktail.json: attention to a direction, by plain loops.

`python tests/vectors/make_cocktail.py` writes the file again.
"""

import cmath
import json
import math
from pathlib import Path

from loops import mulberry32, normal, softmax

HERE = Path(__file__).parent
RATE, WINDOW, HOP = 16_000, 512, 256
BINS = WINDOW // 2 + 1
SIZE = 512  # of the transform of a whole sound of 200 samples
AROUND = 0.0875 / 343
DIRECTIONS = [5 * i - 90 for i in range(37)]
LISTED = (0, 13, 24, 36)  # directions whose scores are written


def dft(x, size, bins, sign=-1):
    turns = [cmath.exp(sign * 2j * math.pi * i / size) for i in range(size)]
    return [
        sum(x[i] * turns[i * k % size] for i in range(len(x)))
        for k in range(bins)
    ]


def real_inverse(half, size):
    whole = [*half, *[z.conjugate() for z in reversed(half[1:-1])]]
    whole[0], whole[size // 2] = half[0].real, half[-1].real
    return [z.real / size for z in dft(whole, size, size, +1)]


def head(angle, side, hertz):
    theta = math.radians(angle)
    incidence = math.pi / 2 + (theta if side == 0 else -theta)
    if incidence < math.pi / 2:
        delay = AROUND * (1 - math.cos(incidence))
    else:
        delay = AROUND * (1 + incidence - math.pi / 2)
    alpha = 1.05 + 0.95 * math.cos(incidence / math.radians(150) * math.pi)
    omega = 2 * math.pi * hertz
    x = omega * AROUND / 2
    shadow = (1 + 1j * alpha * x) / (1 + 1j * x)
    return shadow * cmath.exp(-1j * omega * delay)


def both_ears(spectra, n):
    """Add up spectra from their directions at both ears, in time."""
    ears = []
    for side in (0, 1):
        total = [0j] * (SIZE // 2 + 1)
        for angle, spectrum in spectra:
            for k, z in enumerate(spectrum):
                total[k] += z * head(angle, side, k * RATE / SIZE)
        ears.append(real_inverse(total, SIZE)[:n])
    return ears


def noise(n, seed):
    numbers = normal(mulberry32(seed))
    spectra = []
    for i in range(12):
        spectrum = []
        for k in range(SIZE // 2 + 1):
            re, im = next(numbers), next(numbers)
            hertz = max(k * RATE / SIZE, 200)
            spectrum.append(complex(re, im) / math.sqrt(hertz))
        spectra.append((15 * i - 82.5, spectrum))
    ears = both_ears(spectra, n)
    level = power(ears)
    return [[x / level for x in ear] for ear in ears]


def power(ears):
    count = len(ears[0]) + len(ears[1])
    return math.sqrt(sum(x * x for ear in ears for x in ear) / count)


def mixture(voices, angles, seed, below):
    n = len(voices[0])
    parts = [
        both_ears([(angle, dft(voice, SIZE, SIZE // 2 + 1))], n)
        for voice, angle in zip(voices, angles, strict=True)
    ]
    both = [
        [a + b for a, b in zip(parts[0][e], parts[1][e], strict=True)]
        for e in (0, 1)
    ]
    level = power(both) * 10 ** (below / 20)
    hiss = noise(n, seed)
    ears = [
        [x + level * z for x, z in zip(both[e], hiss[e], strict=True)]
        for e in (0, 1)
    ]
    return ears, parts


def window(i):
    return math.sin(math.pi * (i + 0.5) / WINDOW)


def frames_of(ear):
    n = len(ear)
    found = []
    for t in range(math.ceil(n / HOP) + 1):
        starts = (t - 1) * HOP
        piece = [
            ear[starts + i] * window(i) if 0 <= starts + i < n else 0.0
            for i in range(WINDOW)
        ]
        found.append(dft(piece, WINDOW, BINS))
    return found


def key(left, right):
    cross = right * left.conjugate()
    unit = cross / abs(cross) if abs(cross) >= 1e-15 else 1
    level = 20 * math.log10((abs(right) + 1e-9) / (abs(left) + 1e-9))
    return [unit.real, unit.imag, max(-60, min(60, level)) / 10]


def score(query, cell):
    return -0.5 * sum((q - c) ** 2 for q, c in zip(query, cell, strict=True))


def sound_again(frames, weights, n):
    out = [0.0] * n
    for t, frame in enumerate(frames):
        weighed = [weights[t][k] * z for k, z in enumerate(frame)]
        for i, x in enumerate(real_inverse(weighed, WINDOW)):
            at = (t - 1) * HOP + i
            if 0 <= at < n:
                out[at] += x * window(i)
    return out


def si_sdr(estimate, target):
    dot = sum(e * t for e, t in zip(estimate, target, strict=True))
    signal = dot**2 / sum(t * t for t in target)
    return 10 * math.log10(signal / (sum(e * e for e in estimate) - signal))


def case(seed, angles, angle, temperature):
    n = 200
    voices = [
        [
            round(
                math.sin((0.05 + 0.04 * v) * i + i * i / (900 + 500 * v))
                + 0.4 * math.sin((0.9 - 0.3 * v) * i),
                6,
            )
            for i in range(n)
        ]
        for v in (0, 1)
    ]
    ears, parts = mixture(voices, angles, seed, -15)
    left, right = frames_of(ears[0]), frames_of(ears[1])
    queries = [
        [
            key(*(head(d, side, k * RATE / WINDOW) for side in (0, 1)))
            for k in range(BINS)
        ]
        for d in DIRECTIONS
    ]
    keys, scores, weights = [], [], []
    shares, total = [0.0] * 37, 0.0
    for a, b in zip(left, right, strict=True):
        row = []
        for k in range(BINS):
            keys.append(key(a[k], b[k]))
            found = [score(q[k], keys[-1]) for q in queries]
            scores.append([found[d] for d in LISTED])
            share = softmax([s / temperature for s in found])
            energy = abs(a[k]) ** 2 + abs(b[k]) ** 2
            total += energy
            for d in range(37):
                shares[d] += share[d] * energy
            row.append(
                sum(
                    s
                    for s, d in zip(share, DIRECTIONS, strict=True)
                    if abs(d - angle) <= 15
                )
            )
        weights.append(row)
    heard = [sound_again(f, weights, n) for f in (left, right)]
    gains = []
    for part, at in zip(parts, angles, strict=True):
        e = 1 if at >= 0 else 0
        gains.append([si_sdr(ears[e], part[e]), si_sdr(heard[e], part[e])])
    return {
        "voices": voices,
        "seed": seed,
        "noise": -15,
        "angles": angles,
        "angle": angle,
        "temperature": temperature,
        "ears": short(ears),
        "keys": short(keys),
        "listed": LISTED,
        "scores": short(scores),
        "weights": short([w for row in weights for w in row]),
        "shares": short([s / total for s in shares]),
        "heard": short(heard),
        "gains": short(gains),
    }


def short(x):
    return [short(y) for y in x] if isinstance(x, list) else round(x, 9)


def make():
    return {
        "tolerance": 1e-6,
        "cocktail": [
            case(0, [-40, 30], 30, 0.05),
            case(7, [-90, 0], -85, 0.4),
        ],
    }


if __name__ == "__main__":
    text = json.dumps(make(), separators=(",", ":"))
    text = text.replace('],"', '],\n"') + "\n"
    (HERE / "cocktail.json").write_text(text, "utf-8")
