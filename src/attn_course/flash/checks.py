"""What the ways to attend in NumPy check besides what `attention` checks."""

from typing import Any

import numpy as np

from attn_course.functional import check_inputs
from attn_course.masks import check_count

__all__ = ["check_numpy", "check_own_heads"]


def check_numpy(
    query: Any, key: Any, value: Any, *, scale: float | None = None
) -> float:
    """Check that arrays of NumPy came that fit; return the scale.

    Raises
    ------
    ValueError
        As `check_inputs`; when an array is not NumPy's.
    """
    for name, x in (("query", query), ("key", key), ("value", value)):
        if not isinstance(x, np.ndarray):
            raise ValueError(
                f"expected {name} to be a NumPy array, got {type(x).__name__}"
            )
    return check_inputs(query, key, value, scale=scale)


def check_own_heads(
    query: Any, key: Any, value: Any, *, scale: float | None = None
) -> float:
    """Check arrays in which each query head has a key head of its own.

    Raises
    ------
    ValueError
        As `check_numpy`; when heads are shared or there is no key.
    """
    scale = check_numpy(query, key, value, scale=scale)
    check_count("n_k", key.shape[-2], least=1)
    axes = [x.shape[:-2] for x in (query, key, value)]
    try:
        np.broadcast_shapes(*axes)
    except ValueError:
        raise ValueError(
            "expected as many heads of keys and values as of queries, got "
            f"query {axes[0]}, key {axes[1]}, value {axes[2]}"
        ) from None
    return scale
