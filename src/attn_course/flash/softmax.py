"""Softmax, one rung after the other, up to the form that flash attention uses.

- `naive_softmax`: as it is written down; overflows
- `safe_softmax`: the largest score is taken off first; reads the scores
  twice before it can write anything
- `online_softmax`: largest score and sum in one reading (Milakov and
  Gimelshein 2018, algorithm 3)
- `online_attention`: the weighted sum of the values in that same reading, so
  that no row of weights is ever held (Rabe and Staats 2021; Dao et al. 2022)

What makes it work is `merge`: two parts of a row, each with its own largest
score, become one without looking at the scores again.
"""

import math
from typing import Any, NamedTuple

import numpy as np
from array_api_compat import is_torch_array
from jaxtyping import Float

from attn_course.arrays import as_array
from attn_course.flash.checks import check_own_heads
from attn_course.masks import check_count

__all__ = [
    "EMPTY",
    "State",
    "merge",
    "naive_softmax",
    "online_attention",
    "online_softmax",
    "rescale",
    "safe_softmax",
    "state_of",
    "update",
]


class State(NamedTuple):
    """What is known of the scores read so far.

    `m`, shape `(...)`, is the largest of them; `l`, of the same shape, is
    Σ exp(score − m). Both are what a row of softmax needs to be normalised.
    """

    m: Any
    l: Any  # noqa: E741 (the paper's letter)


EMPTY = State(-math.inf, 0.0)  # no score read yet


def naive_softmax(scores: Float[np.ndarray, "... n"]) -> Any:
    """Divide exp(score) by the sum, as softmax is written down.

    Shape `(..., n)` in and out. Above a score of 88 float32 overflows, and
    the answer is inf / inf = NaN.

    Examples
    --------
    >>> naive_softmax(np.array([0.0, np.log(3.0)])).round(2)
    array([0.25, 0.75])
    >>> with np.errstate(all="ignore"):
    ...     naive_softmax(np.array([0.0, 1000.0]))
    array([ 0., nan])
    """
    shares = np.exp(_checked(scores))  # (..., n)
    return shares / shares.sum(axis=-1, keepdims=True)  # (..., n)


def safe_softmax(scores: Float[np.ndarray, "... n"]) -> Any:
    """Take off the largest score first: no exp is then above 1.

    Shape `(..., n)` in and out. The sum has to wait for the largest score,
    so the scores are read twice before the first weight can be written.

    Examples
    --------
    >>> safe_softmax(np.array([1000.0, 1000.0 + np.log(3.0)])).round(2)
    array([0.25, 0.75])
    """
    scores = _checked(scores, least=1)
    largest = scores.max(axis=-1, keepdims=True)  # (..., 1), first reading
    shares = np.exp(scores - largest)  # (..., n), second reading
    return shares / shares.sum(axis=-1, keepdims=True)  # (..., n)


def rescale(m_old: Any, m_new: Any) -> Any:
    """Give exp(m_old − m_new): what an old sum is multiplied by.

    It is at most 1, because m_new is at least m_old. Where nothing has been
    read (m_old = −inf) it is 0, also while m_new is −inf too.

    Examples
    --------
    >>> float(rescale(2.0, 2.0)), float(rescale(-np.inf, -np.inf))
    (1.0, 0.0)
    """
    # −inf − (−inf) would be NaN.
    m_new = np.where(np.isneginf(m_new), 0.0, m_new)  # pyright: ignore[reportUnknownArgumentType]
    return np.exp(m_old - m_new)


def state_of(scores: Float[np.ndarray, "... n"]) -> State:
    """Give the state after reading these scores, `(..., n)`, at once.

    Examples
    --------
    >>> m, l = state_of(np.array([1.0, 1.0, 1.0]))
    >>> float(m), float(l)
    (1.0, 3.0)
    """
    scores = _checked(scores, least=1)
    m = scores.max(axis=-1)  # (...)
    return State(m, rescale(scores, m[..., None]).sum(axis=-1))  # (...)


def merge(first: State, second: State) -> State:
    """Join what is known of two parts of a row.

    Each sum was taken below its own largest score, and is rescaled to the
    larger of the two. The order of the parts does not matter, nor how they
    are bracketed, and EMPTY changes nothing (Milakov and Gimelshein 2018,
    section 3.1).

    Examples
    --------
    >>> scores = np.array([3.0, 9.0, 5.0, 7.0])
    >>> whole = state_of(scores)
    >>> parts = merge(state_of(scores[:2]), state_of(scores[2:]))
    >>> bool(np.allclose(whole, parts))
    True
    """
    m = np.maximum(first.m, second.m)
    return State(
        m,
        first.l * rescale(first.m, m) + second.l * rescale(second.m, m),
    )


def update(state: State, score: Any) -> State:
    """Read one more score: merge with a part of one score.

    Examples
    --------
    >>> m, l = update(update(EMPTY, 5.0), 5.0)
    >>> float(m), float(l)
    (5.0, 2.0)
    """
    return merge(state, State(score, 1.0))


def online_softmax(
    scores: Float[np.ndarray, "... n"], *, block: int = 1
) -> Any:
    """Find largest score and sum in one reading, then write the weights.

    Shape `(..., n)` in and out; `block` scores are read at a time.

    Raises
    ------
    ValueError
        When `block` is no positive integer, or there is no score.

    Examples
    --------
    >>> online_softmax(np.array([1000.0, 1000.0 + np.log(3.0)])).round(2)
    array([0.25, 0.75])
    """
    check_count("block", block, least=1)
    scores = _checked(scores, least=1)
    state = EMPTY
    for start in range(0, scores.shape[-1], block):
        part = scores[..., start : start + block]  # (..., block)
        state = merge(state, state_of(part))  # (...)
    m, total = state
    return np.exp(scores - m[..., None]) / total[..., None]  # (..., n)


def online_attention(
    query: Float[np.ndarray, "... n_q d_k"],
    key: Float[np.ndarray, "... n_k d_k"],
    value: Float[np.ndarray, "... n_k d_v"],
    *,
    scale: float | None = None,
    block: int = 1,
) -> Any:
    """Read keys and values once, and hold no row of weights.

    The weighted sum of the values is carried beside the state and rescaled
    with it; it is divided by the sum at the very end. `block` keys are read
    at a time. Rabe and Staats 2021, section 2.

    Parameters
    ----------
    query, key, value
        Shapes `(..., n_q, d_k)`, `(..., n_k, d_k)` and `(..., n_k, d_v)`.
    scale
        What q·k is multiplied by; 1/√d_k unless told.
    block
        How many keys are read at a time.

    Returns
    -------
    output
        Shape `(..., n_q, d_v)`.

    Raises
    ------
    ValueError
        As `attention`, and when `block` is no positive integer or there is
        no key.

    Examples
    --------
    >>> query, key = np.array([[1.0]]), np.array([[0.0], [np.log(3.0)]])
    >>> online_attention(query, key, np.array([[10.0], [20.0]])).round(2)
    array([[17.5]])
    """
    scale = check_own_heads(query, key, value, scale=scale)
    check_count("block", block, least=1)
    state, output = EMPTY, 0.0
    for start in range(0, key.shape[-2], block):
        k = key[..., start : start + block, :]  # (..., block, d_k)
        v = value[..., start : start + block, :]  # (..., block, d_v)
        scores = query @ np.swapaxes(k, -1, -2) * scale  # (..., n_q, block)
        new = merge(state, state_of(scores))  # (..., n_q)
        weights = np.exp(scores - new.m[..., None])  # (..., n_q, block)
        old = rescale(state.m, new.m)[..., None]  # (..., n_q, 1)
        output = old * output + weights @ v  # (..., n_q, d_v)
        state = new
    return output / state.l[..., None]  # (..., n_q, d_v)


def _checked(scores: Any, *, least: int = 0) -> np.ndarray:
    """Check that scores are NumPy's, and that a row has at least so many."""
    if is_torch_array(scores):
        raise ValueError(
            "expected scores to be a NumPy array, got Tensor: "
            "scores.detach().cpu().numpy() makes it one"
        )
    scores = as_array("scores", scores)
    if scores.dtype == bool:
        raise ValueError("expected scores as numbers, got booleans")
    if scores.ndim < 1 or scores.shape[-1] < least:
        raise ValueError(
            f"expected scores of shape (..., n) with n of at least {least}, "
            f"got {scores.shape}"
        )
    return scores
