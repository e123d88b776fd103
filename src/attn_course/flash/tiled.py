"""Flash attention as its papers write it: one head, tile by tile.

Written to be read. Each array is touched through a `SlowMemory`, so that the
same code says what it moves. `flash_attention` computes the same, faster,
and takes heads, a causal mask and float16.
"""

import numpy as np
from jaxtyping import Float

from attn_course.flash.checks import check_numpy
from attn_course.flash.memory import SlowMemory, tiles
from attn_course.flash.softmax import State

__all__ = ["tiled_attention", "tiled_attention_by_query", "tiled_backward"]


def tiled_attention(
    query: Float[np.ndarray, "n_q d_k"],
    key: Float[np.ndarray, "n_k d_k"],
    value: Float[np.ndarray, "n_k d_v"],
    *,
    scale: float | None = None,
    block_q: int = 64,
    block_k: int = 64,
    memory: SlowMemory | None = None,
) -> tuple[Float[np.ndarray, "n_q d_v"], State]:
    """Go through tiles of keys, and for each through all the queries.

    Dao et al. 2022, algorithm 1. A row's output is mended and written again
    for every tile of keys.

    Parameters
    ----------
    query, key, value
        Shapes `(n_q, d_k)`, `(n_k, d_k)` and `(n_k, d_v)`: one head.
    scale
        What q·k is multiplied by; 1/√d_k unless told.
    block_q, block_k
        How many queries, and how many keys, make a tile.
    memory
        Counts what is moved, and may limit what is held.

    Returns
    -------
    output
        Shape `(n_q, d_v)`.
    state
        Largest score and sum of each row, `(n_q, 1)`: what the backward pass
        needs to make the weights again.

    Raises
    ------
    ValueError
        As `attention`; when there is more than one head or no key; when a
        tile does not fit on the memory's chip.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> query, key, value = rng.normal(size=(3, 100, 8))
    >>> output, state = tiled_attention(query, key, value)
    >>> from attn_course import attention
    >>> bool(np.allclose(output, attention(query, key, value)))
    True
    """
    scale, chip = _begin(query, key, value, scale, memory)
    n_q, n_k, d_v = len(query), *value.shape
    output = np.zeros((n_q, d_v), query.dtype)
    m = np.full((n_q, 1), -np.inf, query.dtype)
    l = np.zeros((n_q, 1), query.dtype)  # noqa: E741
    for cols in tiles(n_k, block_k):
        k, v = chip.load(k=key[cols], v=value[cols])  # (block_k, d)
        for rows in tiles(n_q, block_q):
            q, o = chip.load(q=query[rows], o=output[rows])  # (block_q, d)
            m_old, l_old = chip.load(m=m[rows], l=l[rows])  # (block_q, 1)
            s = chip.hold(s=chip.multiply(q, k.T) * scale)
            m_new = np.maximum(m_old, s.max(axis=1, keepdims=True))
            p = chip.hold(s=np.exp(s - m_new))  # (block_q, block_k)
            # What was summed below the old largest score counts less now.
            l_kept = l_old * np.exp(m_old - m_new)
            l_new = l_kept + p.sum(axis=1, keepdims=True)
            o = (l_kept * o + chip.multiply(p, v)) / l_new  # (block_q, d_v)
            output[rows] = chip.store(o=o)
            m[rows], l[rows] = chip.store(m=m_new, l=l_new)
    chip.drop()
    return output, State(m, l)


def tiled_attention_by_query(
    query: Float[np.ndarray, "n_q d_k"],
    key: Float[np.ndarray, "n_k d_k"],
    value: Float[np.ndarray, "n_k d_v"],
    *,
    scale: float | None = None,
    block_q: int = 64,
    block_k: int = 64,
    memory: SlowMemory | None = None,
) -> tuple[Float[np.ndarray, "n_q d_v"], State]:
    """Go through tiles of queries, and for each through all the keys.

    Dao 2023 (FlashAttention-2), algorithm 1: the output of a row stays on
    the chip until it is done, is divided once, and written once. Arguments,
    answers and errors are those of `tiled_attention`. The state that is
    stored is one number a row: `m` holds m + ln l, and `l` is 1.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> inputs = rng.normal(size=(3, 100, 8))
    >>> by_query, _ = tiled_attention_by_query(*inputs)
    >>> bool(np.allclose(by_query, tiled_attention(*inputs)[0]))
    True
    """
    scale, chip = _begin(query, key, value, scale, memory)
    n_q, n_k, d_v = len(query), *value.shape
    output = np.empty((n_q, d_v), query.dtype)
    lse = np.empty((n_q, 1), query.dtype)
    for rows in tiles(n_q, block_q):
        q = chip.load(q=query[rows])  # (block_q, d_k)
        o = chip.hold(o=np.zeros((len(q), d_v), query.dtype))
        m = chip.hold(m=np.full((len(q), 1), -np.inf, query.dtype))
        l = chip.hold(l=np.zeros((len(q), 1), query.dtype))  # noqa: E741
        for cols in tiles(n_k, block_k):
            k, v = chip.load(k=key[cols], v=value[cols])  # (block_k, d)
            s = chip.hold(s=chip.multiply(q, k.T) * scale)
            m_new = np.maximum(m, s.max(axis=1, keepdims=True))
            p = chip.hold(s=np.exp(s - m_new))  # (block_q, block_k)
            kept = np.exp(m - m_new)  # (block_q, 1)
            l = kept * l + p.sum(axis=1, keepdims=True)  # noqa: E741
            o = kept * o + chip.multiply(p, v)  # (block_q, d_v)
            m = m_new
        output[rows] = chip.store(o=o / l)
        lse[rows] = chip.store(m=m + np.log(l))
    chip.drop()
    return output, State(lse, np.ones_like(lse))


def tiled_backward(
    grad_output: Float[np.ndarray, "n_q d_v"],
    query: Float[np.ndarray, "n_q d_k"],
    key: Float[np.ndarray, "n_k d_k"],
    value: Float[np.ndarray, "n_k d_v"],
    output: Float[np.ndarray, "n_q d_v"],
    state: State,
    *,
    scale: float | None = None,
    block_q: int = 64,
    block_k: int = 64,
    memory: SlowMemory | None = None,
) -> tuple[
    Float[np.ndarray, "n_q d_k"],
    Float[np.ndarray, "n_k d_k"],
    Float[np.ndarray, "n_k d_v"],
]:
    """Find the gradients, making the weights again tile by tile.

    Dao et al. 2022, algorithm 4 (without dropout and masks).

    Parameters
    ----------
    grad_output
        ∂loss/∂output, shape `(n_q, d_v)`.
    query, key, value, output, state
        What went into the forward pass, and what came out of it.
    scale, block_q, block_k, memory
        As in `tiled_attention`.

    Returns
    -------
    grad_query, grad_key, grad_value
        In the shapes of query, key and value.

    Raises
    ------
    ValueError
        As `tiled_attention`.
    """
    scale, chip = _begin(query, key, value, scale, memory)
    d_query = np.zeros_like(query)
    d_key, d_value = np.empty_like(key), np.empty_like(value)
    for cols in tiles(len(key), block_k):
        k, v = chip.load(k=key[cols], v=value[cols])  # (block_k, d)
        dk, dv = chip.hold(dk=np.zeros_like(k), dv=np.zeros_like(v))
        for rows in tiles(len(query), block_q):
            q, dq = chip.load(q=query[rows], dq=d_query[rows])
            o, do = chip.load(o=output[rows], do=grad_output[rows])
            m, l = chip.load(m=state.m[rows], l=state.l[rows])  # noqa: E741
            s = chip.multiply(q, k.T) * scale  # (block_q, block_k)
            p = chip.hold(s=np.exp(s - m) / l)  # the weights, once more
            dv += chip.multiply(p.T, do)  # (block_k, d_v)
            dp = chip.hold(dp=chip.multiply(do, v.T))  # (block_q, block_k)
            # Σ_j p_j dp_j of a row, without the row: it is do · o.
            delta = chip.hold(delta=(do * o).sum(axis=1, keepdims=True))
            ds = chip.hold(dp=p * (dp - delta) * scale)
            dk += chip.multiply(ds.T, q)  # (block_k, d_k)
            d_query[rows] = chip.store(dq=dq + chip.multiply(ds, k))
        d_key[cols], d_value[cols] = chip.store(dk=dk, dv=dv)
    chip.drop()
    return d_query, d_key, d_value


def _begin(
    query: np.ndarray,
    key: np.ndarray,
    value: np.ndarray,
    scale: float | None,
    memory: SlowMemory | None,
) -> tuple[float, SlowMemory]:
    """Check one head's arrays; give the scale and the memory."""
    scale = check_numpy(query, key, value, scale=scale)
    if not query.ndim == key.ndim == value.ndim == 2:
        raise ValueError(
            "expected one head, two dimensions each, got shapes "
            f"{query.shape}, {key.shape} and {value.shape}"
        )
    if query.dtype == np.float16:
        raise ValueError(
            "expected float32 or float64, got float16: these sums would "
            "lose too much; `flash_attention` takes it"
        )
    if len(key) == 0:
        raise ValueError(f"expected at least one key, got shape {key.shape}")
    return scale, SlowMemory() if memory is None else memory
