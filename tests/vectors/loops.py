"""What several makers of vectors compute, by plain loops."""

import math
from collections.abc import Iterator, Sequence


def softmax(logits: Sequence[float]) -> list[float]:
    """Give shares; a row that may look at nothing, all −∞, gets zeros."""
    peak = max(logits)
    if peak == -math.inf:
        return [0.0] * len(logits)
    exps = [math.exp(x - peak) for x in logits]
    total = sum(exps)
    return [e / total for e in exps]


def mulberry32(seed: int) -> Iterator[float]:
    """Draw the numbers in [0, 1) that a browser draws: 32 bits throughout."""
    a = seed
    while True:
        a = (a + 0x6D2B79F5) % 2**32
        t = ((a ^ (a >> 15)) * (a | 1)) % 2**32
        t ^= (t + ((t ^ (t >> 7)) * (t | 61)) % 2**32) % 2**32
        yield (t ^ (t >> 14)) / 2**32


def normal(stream: Iterator[float]) -> Iterator[float]:
    """Make normal numbers of them, two of two (Box and Muller 1958)."""
    for first in stream:
        radius = math.sqrt(-2 * math.log(1 - first))
        angle = 2 * math.pi * next(stream)
        yield radius * math.cos(angle)
        yield radius * math.sin(angle)
