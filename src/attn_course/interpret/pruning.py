"""What the losses of every subset of heads say: how many are needed.

The best subset of a size is chosen on some sentences. On the same sentences
it looks better than it is, so everything here measures it on others.
"""

import numpy as np
from jaxtyping import Float, Int

__all__ = ["fewest_heads", "held_out_best", "held_out_ranked"]


def held_out_best(
    halves: Float[np.ndarray, "2 subsets"],
) -> Float[np.ndarray, " sizes"]:
    """Give the loss of the best subset of every size, from 0 to all heads.

    Each half of the sentences chooses, and the other measures; the two
    results are averaged. Subset number c holds head h where bit h of c is 1.

    Examples
    --------
    >>> halves = np.array([[4.0, 1.0, 2.0, 0.5], [4.0, 3.0, 1.5, 0.5]])
    >>> held_out_best(halves)  # head 0 here, head 1 there
    array([4. , 2.5, 0.5])
    """
    size = _sizes(halves)
    chosen = np.array(
        [
            [
                np.flatnonzero(size == k)[half[size == k].argmin()]
                for half in halves
            ]
            for k in range(size.max() + 1)
        ]
    )  # (sizes, 2)
    return _measured_on_the_other(halves, chosen)


def held_out_ranked(
    halves: Float[np.ndarray, "2 subsets"],
) -> Float[np.ndarray, " sizes"]:
    """Give the loss with the heads that matter most, one by one.

    A head matters by how far the loss rises when it alone is taken from the
    whole model. One half of the sentences ranks, and the other measures.

    Examples
    --------
    >>> losses = np.array([4.0, 1.0, 1.0, 0.9])  # either of two will do
    >>> held_out_ranked(np.stack([losses, losses]))
    array([4. , 1. , 0.9])
    """
    whole = halves.shape[-1] - 1
    bits = 1 << np.arange(whole.bit_length())
    rises = halves[:, whole - bits] - halves[:, [whole]]  # (2, heads)
    ranked = bits[np.argsort(-rises, axis=-1, kind="stable")]
    chosen = np.cumsum(ranked, axis=-1).T  # (heads, 2)
    none = np.zeros((1, 2), dtype=int)
    return _measured_on_the_other(halves, np.concatenate([none, chosen]))


def fewest_heads(
    losses: Float[np.ndarray, " sizes"], *, within: float = 0.05
) -> int:
    """Give the fewest heads with a loss within a share of the whole model's.

    >>> fewest_heads(np.array([4.0, 1.04, 1.2, 1.0]))
    1
    """
    return int(np.flatnonzero(losses <= (1 + within) * losses[-1])[0])


def _sizes(halves: np.ndarray) -> Int[np.ndarray, " subsets"]:
    """Count the heads of each subset."""
    return np.array([c.bit_count() for c in range(halves.shape[-1])])


def _measured_on_the_other(
    halves: np.ndarray, chosen: Int[np.ndarray, "sizes 2"]
) -> Float[np.ndarray, " sizes"]:
    """Average what each half's choice loses on the other half."""
    return (halves[1, chosen[:, 0]] + halves[0, chosen[:, 1]]) / 2
