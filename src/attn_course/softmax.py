"""What √d_k is about, measured: spread, entropy, and how much gradient passes.

NumPy only, float64 inside; nothing is random unless a seed comes in.
"""

from typing import Any

import numpy as np
from jaxtyping import Float

from attn_course.arrays import as_numbers
from attn_course.masks import check_integer

__all__ = ["dot_product_variance", "entropy", "softmax_jacobian_norm"]

# Rows drawn at a time: a million numbers a side, whatever d and n.
_DRAWN_AT_ONCE = 1_000_000


def dot_product_variance(
    d: int, n: int, seed: int, *, mean: float = 0.0
) -> float:
    """Measure the variance of q·k over `n` random pairs of size `d`.

    Every number in q and k is drawn from a normal distribution with variance
    1 and this mean. Theory: the variance of q·k is d · (1 + 2 mean²), because
    it sums d products of that variance. With mean 0 it is d (Vaswani et al.
    2017, footnote 4).

    Raises
    ------
    ValueError
        When d is below 1, or n below 2.

    Examples
    --------
    >>> round(dot_product_variance(64, n=100_000, seed=0))
    64
    >>> round(dot_product_variance(1, n=1_000_000, seed=0, mean=1.0))
    3
    """
    check_integer("d", d)
    check_integer("n", n)
    if d < 1 or n < 2:
        raise ValueError(
            f"expected d of at least 1 and n of at least 2, got d={d}, n={n}"
        )
    generator = np.random.default_rng(seed)
    products, rows = [], max(1, _DRAWN_AT_ONCE // d)
    for start in range(0, n, rows):
        shape = (2, min(rows, n - start), d)
        q, k = mean + generator.standard_normal(shape)  # (rows, d) each
        products.append((q * k).sum(-1))  # (rows,)  # pyright: ignore[reportUnknownMemberType]
    return float(np.var(np.concatenate(products), ddof=1))  # pyright: ignore[reportUnknownArgumentType]


def entropy(
    weights: Float[Any, "... n_k"],
) -> Float[np.ndarray, "..."] | np.float64:
    """Measure how spread the weights of a query are, in nats.

    ln n_k when all keys weigh the same, 0 when one key has everything (and
    for a query that may look at nothing).

    Parameters
    ----------
    weights
        Shape `(..., n_k)`, none negative, each row summing to 1 (or 0).

    Examples
    --------
    >>> entropy(np.array([[0.5, 0.5], [1.0, 0.0]])).round(3)
    array([0.693, 0.   ])
    """
    p = as_numbers("weights", weights, least_ndim=1)
    # p ln p goes to 0 with p; ln 0 must not be computed on the way.
    logs = np.log(np.where(p > 0, p, 1.0))
    return -(p * logs).sum(-1) + 0.0  # (...), and never −0


def softmax_jacobian_norm(
    weights: Float[Any, "... n_k"],
) -> Float[np.ndarray, "..."] | np.float64:
    """Measure how much the weights move when their scores do.

    The Jacobian of the softmax at weights p is J = diag(p) − p pᵀ. All
    gradient that queries and keys receive passes through it. Its Frobenius
    norm, written out, needs no n_k × n_k matrix:

        ‖J‖² = Σ p² − 2 Σ p³ + (Σ p²)²

    0 when one key has everything: the softmax is saturated and no gradient
    passes. 1/2 when two keys share everything equally: the most there is.

    Parameters
    ----------
    weights
        Shape `(..., n_k)`, none negative, each row summing to 1.

    Examples
    --------
    >>> softmax_jacobian_norm(np.array([[0.5, 0.5], [1.0, 0.0]])).round(3)
    array([0.5, 0. ])
    """
    p = np.sort(as_numbers("weights", weights, least_ndim=1), axis=-1)
    if p.shape[-1] == 0:
        raise ValueError(
            f"expected at least one weight in a row, got shape {p.shape}"
        )
    top, rest = p[..., -1], p[..., :-1]
    # The same sum, arranged so that nothing large cancels: with m the
    # largest weight, 1 − m is the sum of the others, however small.
    squares = (rest**2).sum(-1)  # (...)
    squared = (
        (top * rest.sum(-1)) ** 2
        + (rest**2 * (1 - rest) ** 2).sum(-1)
        + 2 * top**2 * squares
        + np.maximum(squares**2 - (rest**4).sum(-1), 0.0)
    )
    return np.sqrt(squared)
