"""Attention that holds all n × n scores: what the tiles are compared with."""

from typing import Any

import numpy as np
from jaxtyping import Float

from attn_course.flash.checks import check_own_heads as check_inputs

__all__ = ["naive_attention", "naive_attention_in_place"]


def naive_attention(
    query: Float[np.ndarray, "... n_q d_k"],
    key: Float[np.ndarray, "... n_k d_k"],
    value: Float[np.ndarray, "... n_k d_v"],
    *,
    causal: bool = False,
) -> Any:
    """Compute attention as one writes it first, a new array for each step.

    Parameters
    ----------
    query, key, value
        Shapes `(..., n_q, d_k)`, `(..., n_k, d_k)` and `(..., n_k, d_v)`,
        with as many heads each, in float32 or float64.
    causal
        Query i sees the keys j ≤ i.

    Returns
    -------
    output
        Shape `(..., n_q, d_v)`. Up to three arrays of n_q × n_k numbers are
        held at once.

    Raises
    ------
    ValueError
        When shapes or dtypes do not fit.

    Examples
    --------
    >>> x = np.eye(2)
    >>> naive_attention(x, x, x, causal=True).round(2)
    array([[1.  , 0.  ],
           [0.33, 0.67]])
    """
    scale = check_inputs(query, key, value)
    scores = query @ np.swapaxes(key, -1, -2) * scale  # (..., n_q, n_k)
    if causal:
        past = np.tri(*scores.shape[-2:], dtype=bool)  # (n_q, n_k)
        scores = np.where(past, scores, -np.inf)
    shares = np.exp(scores - scores.max(axis=-1, keepdims=True))
    weights = shares / shares.sum(axis=-1, keepdims=True)
    return weights @ value  # (..., n_q, d_v)


def naive_attention_in_place(
    query: Float[np.ndarray, "... n_q d_k"],
    key: Float[np.ndarray, "... n_k d_k"],
    value: Float[np.ndarray, "... n_k d_v"],
    *,
    causal: bool = False,
) -> Any:
    """Compute the same in one array of scores, written over and over.

    The queries are scaled instead of the scores, and the outputs divided by
    the sums instead of the weights: d times in place of n times a row.
    Arguments, answer and errors are those of `naive_attention`.

    Examples
    --------
    >>> x = np.eye(2)
    >>> naive_attention_in_place(x, x, x, causal=True).round(2)
    array([[1.  , 0.  ],
           [0.33, 0.67]])
    """
    scale = check_inputs(query, key, value)
    scores = (query * scale) @ np.swapaxes(key, -1, -2)  # (..., n_q, n_k)
    if causal:
        past = np.tri(*scores.shape[-2:], dtype=bool)  # (n_q, n_k)
        np.putmask(scores, np.broadcast_to(~past, scores.shape), -np.inf)
    scores -= scores.max(axis=-1, keepdims=True)
    np.exp(scores, out=scores)
    sums = scores.sum(axis=-1, keepdims=True)  # (..., n_q, 1)
    return scores @ value / sums  # (..., n_q, d_v)
