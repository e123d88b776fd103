"""How sure a measure of a head is: orders, nulls, spreads."""

import numpy as np
from jaxtyping import Float

__all__ = ["rank_correlation"]


def rank_correlation(
    a: Float[np.ndarray, " n"], b: Float[np.ndarray, " n"]
) -> float:
    """Give Spearman's ρ; equal numbers share their ranks.

    >>> rank_correlation(np.array([1.0, 2, 9]), np.array([0.1, 0.2, 0.3]))
    1.0
    """
    x, y = _ranks(a), _ranks(b)
    x, y = x - x.mean(), y - y.mean()
    size = np.sqrt((x**2).sum() * (y**2).sum())
    return float((x * y).sum() / size) if size else 0.0


def _ranks(x: np.ndarray) -> np.ndarray:
    """Give each number its rank, from 1."""
    below = (x[:, None] > x[None, :]).sum(axis=1)
    equal = (x[:, None] == x[None, :]).sum(axis=1)
    return below + (equal + 1) / 2
