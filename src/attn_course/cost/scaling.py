"""What becomes of attention as the text grows: thin weights, n² numbers."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from attn_course.functional import attention_weights
from attn_course.masks import check_count
from attn_course.softmax import entropy

__all__ = [
    "Thinness",
    "exponent",
    "length_that_fills",
    "score_bytes",
    "thinness",
    "thinness_of_random",
]


class Thinness(NamedTuple):
    """How thin attention weights are spread: see `thinness`."""

    entropy: float  # in nats, mean over queries
    largest: float  # the largest weight of a query, mean over queries
    keys: float  # e to the entropy: as many keys, if all weighed the same


def thinness(weights: Float[np.ndarray, "... n_q n_k"]) -> Thinness:
    """Measure how thin the weights are spread, over all queries.

    Raises
    ------
    ValueError
        When there are no weights.

    Examples
    --------
    >>> found = thinness(np.full((2, 8), 1 / 8))
    >>> found.largest, round(found.keys, 6)
    (0.125, 8.0)
    """
    weights = np.asarray(weights)
    if not weights.size:
        raise ValueError(f"expected weights, got shape {weights.shape}")
    spread = entropy(weights)  # (..., n_q)
    return Thinness(
        entropy=float(np.mean(spread)),
        largest=float(weights.max(-1).mean()),
        keys=float(np.exp(np.mean(spread))),
    )


def thinness_of_random(
    n: int, *, d: int = 64, queries: int = 256, seed: int = 0
) -> Thinness:
    """Measure it for random queries and keys, with q·k divided by √d.

    The scores are then nearly normal with variance 1, whatever d is, and so
    for large n the entropy comes near ln n − 1/2: of n keys a fixed share
    counts, about 61 %.

    Parameters
    ----------
    n, d
        How many keys, and the length of queries and keys, whose numbers are
        drawn from a normal distribution with mean 0 and variance 1.
    queries, seed
        How many queries to average over, and where they come from.

    Examples
    --------
    >>> found = thinness_of_random(1000)
    >>> round(math.log(1000) - found.entropy, 2)
    0.5
    """
    check_count("n", n, least=1)
    check_count("d", d, least=1)
    check_count("queries", queries, least=1)
    generator = np.random.default_rng(seed)
    q = generator.standard_normal((queries, d))
    k = generator.standard_normal((n, d))
    return thinness(attention_weights(q, k))


def score_bytes(n: int, *, heads: int = 1, each: int = 4) -> int:
    """Count the bytes of one layer's scores: heads · n² · bytes of each.

    Examples
    --------
    >>> score_bytes(8192) / 1e6  # one head, float32
    268.435456
    """
    check_count("n", n)
    check_count("heads", heads)
    check_count("each", each)
    return heads * n * n * each


def length_that_fills(
    memory: int, *, heads: int = 1, each: int = 4, copies: int = 1
) -> int:
    """Give the most tokens whose scores fit into so many bytes.

    Parameters
    ----------
    memory
        In bytes.
    heads, each
        As in `score_bytes`.
    copies
        How many arrays of that size are there at once: scores and weights
        are two, unless one is written over the other.

    Examples
    --------
    >>> length_that_fills(10**9)
    15811
    >>> length_that_fills(10**9, heads=12, copies=2)
    3227
    """
    check_count("memory", memory)
    for name, count in (("heads", heads), ("each", each), ("copies", copies)):
        check_count(name, count, least=1)
    return math.isqrt(memory // (heads * each * copies))


def exponent(lengths: Sequence[float], values: Sequence[float]) -> float:
    """Fit p in values ≈ c · lengthsᵖ: the slope between the logarithms.

    Raises
    ------
    ValueError
        When there are fewer than two lengths, more or fewer values than
        lengths, or a number is not positive.

    Examples
    --------
    >>> round(exponent([1, 2, 4], [3, 12, 48]), 6)
    2.0
    """
    x, y = np.asarray(lengths, float), np.asarray(values, float)
    if x.ndim != 1 or x.shape != y.shape or len(set(x.tolist())) < 2:
        raise ValueError(
            "expected as many values as lengths, and at least two lengths, "
            f"got shapes {x.shape} and {y.shape}"
        )
    if not ((x > 0).all() and (y > 0).all()):
        raise ValueError("expected positive lengths and values")
    return float(np.polyfit(np.log(x), np.log(y), 1)[0])
