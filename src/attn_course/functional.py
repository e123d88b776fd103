"""The formula, once, for NumPy arrays and torch tensors alike.

    Attention(Q, K, V) = softmax(Q Kᵀ / √d_k) V

(Vaswani et al. 2017, eq. 1.) The public functions below read like it; what
they need follows in four parts: scores, who may see whom, numbers that are
not finite, and checks.
"""

import math
from typing import Any

import numpy as np
from array_api_compat import array_namespace, device, is_torch_array  # pyright: ignore[reportUnknownVariableType]
from jaxtyping import Bool, Float

from attn_course.arrays import (
    bring,
    bring_mask,
    check_filled,
    check_plain,
    library,
)
from attn_course.masks import band, check_count, is_finite

__all__ = [
    "additive_weights",
    "attention",
    "attention_weights",
    "check_inputs",
    "masked_softmax",
]

Window = tuple[int | None, int | None]


def attention(
    query: Float[Any, "... n_q d_k"],
    key: Float[Any, "... n_k d_k"],
    value: Float[Any, "... n_k d_v"],
    *,
    mask: Bool[Any, "..."] | None = None,
    bias: Float[Any, "..."] | None = None,
    causal: bool = False,
    window: Window | None = None,
    q_offset: int = 0,
    scale: float | None = None,
    softcap: float | None = None,
    return_weights: bool = False,
) -> (
    Float[Any, "... n_q d_v"]
    | tuple[Float[Any, "... n_q d_v"], Float[Any, "... n_q n_k"]]
):
    """Mix the values, each query weighting them by how well its keys match.

    Parameters
    ----------
    query, key, value
        Shapes `(..., H, n_q, d_k)`, `(..., H_kv, n_k, d_k)` and
        `(..., H_kv, n_k, d_v)`. Two dimensions mean one head; axes before
        the heads broadcast. H is a multiple of H_kv: query head h reads key
        and value head h // (H / H_kv) (Ainslie et al. 2023).
    mask
        Boolean, True means "may look". Broadcasts to the scores.
    bias
        Added to the scores, to which it broadcasts; −inf hides a key.
    causal
        Hide the keys after the query's own position.
    window
        `(left, right)`: how far a query sees to each side; None: no limit.
    q_offset
        Query i stands at position i + q_offset.
    scale
        What q·k is multiplied by; 1/√d_k unless told.
    softcap
        Bends the scores into ±softcap: softcap · tanh(scores / softcap),
        before bias and masks (Gemma 2).
    return_weights
        Return `(output, weights)`.

    Returns
    -------
    output
        Shape `(..., H, n_q, d_v)`; dtype and device of the inputs. The sums
        run in float32 or wider. A query that may look at nothing gets
        zeros. NaN and inf reach only the queries that may look at them.
    weights
        Only with `return_weights`: shape `(..., H, n_q, n_k)`.

    Raises
    ------
    ValueError
        When shapes, dtypes, libraries or options do not fit; the message
        says what was expected and what came.

    Examples
    --------
    The query matches the first key, so it reads mostly the first value:

    >>> query = np.array([[2.0, 0.0]])
    >>> key = np.array([[2.0, 0.0], [0.0, 2.0]])
    >>> value = np.array([[10.0], [20.0]])
    >>> output, weights = attention(query, key, value, return_weights=True)
    >>> weights.round(3)
    array([[0.944, 0.056]])
    >>> output.round(2)
    array([[10.56]])
    """
    xp, dtype = _check_arrays(query=query, key=key, value=value)
    query, key, value = _share_heads(query, key, value)
    mask, bias = _check_masks(mask, bias, query, key)
    allowed = _allowed(query, key, mask, bias, causal, window, q_offset)

    scores = _scores(query, key, bias, scale, softcap)  # (..., H, n_q, n_k)
    weights = masked_softmax(scores, allowed)  # (..., H, n_q, n_k)
    output = xp.matmul(weights, _clean(_wide(value)))  # (..., H, n_q, d_v)

    output = _spoil_output(output, allowed, query, key, value)
    output = xp.astype(output, dtype, copy=False)
    if not return_weights:
        return output
    weights = _spoil_weights(weights, allowed, query, key)
    return output, xp.astype(weights, dtype, copy=False)


def attention_weights(
    query: Float[Any, "... n_q d_k"],
    key: Float[Any, "... n_k d_k"],
    *,
    mask: Bool[Any, "..."] | None = None,
    bias: Float[Any, "..."] | None = None,
    causal: bool = False,
    window: Window | None = None,
    q_offset: int = 0,
    scale: float | None = None,
    softcap: float | None = None,
) -> Float[Any, "... n_q n_k"]:
    """Say how much each query looks at each key: softmax(Q Kᵀ / √d_k).

    The weights of `attention`, with the same options, shapes and errors.

    Examples
    --------
    >>> x = np.eye(3)
    >>> attention_weights(x, x, scale=1.0, causal=True).round(2)
    array([[1.  , 0.  , 0.  ],
           [0.27, 0.73, 0.  ],
           [0.21, 0.21, 0.58]])
    """
    xp, dtype = _check_arrays(query=query, key=key)
    query, key = _share_heads(query, key)
    mask, bias = _check_masks(mask, bias, query, key)
    allowed = _allowed(query, key, mask, bias, causal, window, q_offset)

    scores = _scores(query, key, bias, scale, softcap)  # (..., H, n_q, n_k)
    weights = masked_softmax(scores, allowed)  # (..., H, n_q, n_k)

    weights = _spoil_weights(weights, allowed, query, key)
    return xp.astype(weights, dtype, copy=False)


def additive_weights(
    query: Float[Any, "... n_q d_q"],
    key: Float[Any, "... n_k d_k"],
    w_query: Float[Any, "d_q d_a"],
    w_key: Float[Any, "d_k d_a"],
    v: Float[Any, " d_a"],
    *,
    mask: Bool[Any, "..."] | None = None,
) -> Float[Any, "... n_q n_k"]:
    """Weigh keys with a small network: softmax(vᵀ tanh(W q + U k)).

    Bahdanau et al. 2015, section 3.1 and appendix A.1.2: query is the
    decoder's state s, key the encoder's annotation h, and W, U and v are
    `w_query`, `w_key` and `v`. Queries and keys may differ in size. There
    is no head axis: all axes before the last two broadcast.

    Parameters
    ----------
    query, key
        Shapes `(..., n_q, d_q)` and `(..., n_k, d_k)`.
    w_query, w_key, v
        Shapes `(d_q, d_a)`, `(d_k, d_a)` and `(d_a,)`.
    mask
        Boolean, True means "may look". Broadcasts to `(..., n_q, n_k)`.

    Raises
    ------
    ValueError
        When shapes, dtypes or libraries do not fit.

    Examples
    --------
    >>> query, key = np.array([[1.0]]), np.array([[0.0], [3.0]])
    >>> w_query, w_key, v = np.eye(1), np.eye(1), np.array([2.0])
    >>> additive_weights(query, key, w_query, w_key, v).round(3)
    array([[0.383, 0.617]])
    """
    xp, dtype = _check_arrays(query=query, key=key)
    _check_network(query, key, w_query, w_key, v)
    mask, _ = _check_masks(mask, None, query, key)
    allowed = _allowed(query, key, mask)

    asked = xp.matmul(_clean(_wide(query)), _wide(w_query))  # (..., n_q, d_a)
    offered = xp.matmul(_clean(_wide(key)), _wide(w_key))  # (..., n_k, d_a)
    asked = xp.expand_dims(asked, axis=-2)  # (..., n_q, 1, d_a)
    offered = xp.expand_dims(offered, axis=-3)  # (..., 1, n_k, d_a)
    hidden = xp.tanh(asked + offered)  # (..., n_q, n_k, d_a)
    scores = xp.sum(hidden * _wide(v), axis=-1)  # (..., n_q, n_k)
    weights = masked_softmax(scores, allowed)  # (..., n_q, n_k)

    weights = _spoil_weights(weights, allowed, query, key)
    return xp.astype(weights, dtype, copy=False)


def masked_softmax(
    scores: Float[Any, "... n_k"], allowed: Bool[Any, "..."]
) -> Float[Any, "... n_k"]:
    """Turn scores into weights that sum to 1 over the allowed keys.

    A row without an allowed key gets zeros. `allowed` broadcasts to the
    scores; what stands in hidden cells does not matter, not even NaN.

    Raises
    ------
    ValueError
        When `allowed` is not boolean or does not broadcast to the scores.

    Examples
    --------
    >>> scores = np.array([[1.0, 1.0, np.nan], [0.0, 5.0, 9.0]])
    >>> allowed = np.array([[True, True, False], [False, False, False]])
    >>> masked_softmax(scores, allowed)
    array([[0.5, 0.5, 0. ],
           [0. , 0. , 0. ]])
    """
    xp, dtype = _check_floating("scores", scores, least_ndim=1)
    allowed = bring_mask("allowed", allowed, scores, scores.shape)
    if scores.shape[-1] == 0:
        return scores
    shown = xp.where(allowed, _wide(scores), -math.inf)  # (..., n_k)
    # Without the largest score exp could overflow; an empty row has none.
    highest = xp.max(shown, axis=-1, keepdims=True)  # (..., 1)
    highest = xp.where(highest == -math.inf, 0.0, highest)
    # exp(-inf) = 0: a hidden key has no share.
    shares = xp.exp(shown - highest)  # (..., n_k)
    total = xp.sum(shares, axis=-1, keepdims=True)  # (..., 1)
    weights = shares / xp.where(total == 0.0, 1.0, total)  # (..., n_k)
    return xp.astype(weights, dtype, copy=False)


# Scores


def _scores(
    query: Any,
    key: Any,
    bias: Any | None,
    scale: float | None,
    softcap: float | None,
) -> Any:
    """Compare each query with each key: scaled, capped, biased."""
    xp = _namespace(query)
    query, key = _clean(_wide(query)), _clean(_wide(key))
    keys_in_columns = xp.matrix_transpose(key)  # (..., H, d_k, n_k)
    scores = xp.matmul(query, keys_in_columns)  # (..., H, n_q, n_k)
    scores = scores * _check_scale(scale, d_k=query.shape[-1])
    if softcap is not None:
        softcap = _check_softcap(softcap)
        scores = softcap * xp.tanh(scores / softcap)
    if bias is not None:
        scores = scores + _wide(bias)
    return scores


class _Wide:
    """torch's functions under autocast, with products as they are written.

    Autocast would cut float32 to 16 bits in every product, sums included.
    """

    def __init__(self, xp: Any, kind: str) -> None:
        self._xp, self._kind = xp, kind

    def __getattr__(self, name: str) -> Any:
        return getattr(self._xp, name)

    def matmul(self, a: Any, b: Any) -> Any:
        """Multiply in the dtype of `a` and `b`."""
        with self._xp.autocast(self._kind, enabled=False):
            return self._xp.matmul(a, b)


def _namespace(x: Any) -> Any:
    """Give the functions of an array's library."""
    xp = array_namespace(x)
    if is_torch_array(x) and xp.is_autocast_enabled(x.device.type):
        return _Wide(xp, x.device.type)
    return xp


def _wide(x: Any) -> Any:
    """Give `x` as float32 or wider: q·k of float16 can overflow."""
    xp = array_namespace(x)
    dtype = xp.result_type(x.dtype, xp.float32)
    return xp.astype(x, dtype, copy=False)


def _share_heads(query: Any, *others: Any) -> list[Any]:
    """Check the shapes; give each query head its key and value head.

    Arrays of two dimensions get a head axis, unless all have two.
    """
    _check_shapes(query, *others)
    arrays = [query, *others]
    if all(x.ndim == 2 for x in arrays):
        return arrays
    xp = array_namespace(query)
    arrays = [
        xp.expand_dims(x, axis=0) if x.ndim == 2 else x  # (1, n, d)
        for x in arrays
    ]
    groups = _check_heads(*arrays)
    if groups == 1:
        return arrays
    shared = [xp.repeat(x, groups, axis=-3) for x in arrays[1:]]
    return [arrays[0], *shared]  # (..., H, n, d)


# Who may see whom


def _allowed(
    query: Any,
    key: Any,
    mask: Any | None,
    bias: Any | None = None,
    causal: bool = False,
    window: Window | None = None,
    q_offset: int = 0,
) -> Any:
    """Join everything that hides keys into one boolean mask."""
    left, right = _check_window(window)
    allowed = band(
        query.shape[-2],
        key.shape[-2],
        left=left,
        right=0 if causal else right,
        q_offset=q_offset,
        xp=array_namespace(query),
        device=device(query),
    )  # (n_q, n_k)
    if mask is not None:
        allowed = allowed & mask  # (..., n_q, n_k)
    if bias is not None:
        allowed = allowed & (_wide(bias) != -math.inf)  # (..., n_q, n_k)
    return allowed


# Numbers that are not finite. A hidden key can be anything, and 0 · NaN is
# NaN: so sums and gradients run over cleaned arrays, and what a query may
# see of NaN and inf is added at the end.


def _all_finite(*arrays: Any) -> bool:
    """Say whether no number is NaN or inf."""
    xp = array_namespace(*arrays)
    return all(bool(xp.all(xp.isfinite(x))) for x in arrays)


def _clean(x: Any) -> Any:
    """Replace NaN and inf by 0."""
    if _all_finite(x):
        return x
    xp = array_namespace(x)
    return xp.where(xp.isfinite(x), x, 0.0)


def _sees_unfinite(allowed: Any, query: Any, key: Any) -> Any:
    """Find the queries with a score, among those allowed, not finite."""
    xp = array_namespace(query)
    odd_query = ~xp.all(xp.isfinite(query), axis=-1)  # (..., n_q)
    odd_key = ~xp.all(xp.isfinite(key), axis=-1)  # (..., n_k)
    odd = odd_query[..., :, None] | odd_key[..., None, :]  # (..., n_q, n_k)
    return xp.any(allowed & odd, axis=-1, keepdims=True)  # (..., n_q, 1)


def _spoil_weights(weights: Any, allowed: Any, query: Any, key: Any) -> Any:
    """Turn to NaN the weights of queries that see a key not finite."""
    if _all_finite(query, key):
        return weights
    xp = array_namespace(query)
    odd = allowed & _sees_unfinite(allowed, query, key)  # (..., n_q, n_k)
    return xp.where(odd, weights + math.nan, weights)


def _spoil_output(
    output: Any, allowed: Any, query: Any, key: Any, value: Any
) -> Any:
    """Let NaN and inf reach the queries that see them, and no other.

    They are added, so that gradients pass as if the numbers were finite.
    """
    if _all_finite(query, key, value):
        return output
    xp = array_namespace(query)
    up = _reached(allowed, value == math.inf)  # (..., n_q, d_v)
    down = _reached(allowed, value == -math.inf)  # (..., n_q, d_v)
    odd = _reached(allowed, xp.isnan(value)) | (up & down)  # (..., n_q, d_v)
    odd = odd | _sees_unfinite(allowed, query, key)  # (..., n_q, d_v)
    extra = xp.where(up, math.inf, 0.0)
    extra = xp.where(down, -math.inf, extra)
    extra = xp.where(odd, math.nan, extra)
    return output + xp.astype(extra, output.dtype)


def _reached(allowed: Any, marked: Any) -> Any:
    """Find the queries that may look at a marked number, by column."""
    xp = array_namespace(allowed)
    allowed = xp.astype(allowed, xp.float32)  # (..., n_q, n_k)
    marked = xp.astype(marked, xp.float32)  # (..., n_k, d_v)
    return xp.matmul(allowed, marked) > 0.0  # (..., n_q, d_v)


# Checks


def check_inputs(
    query: Any, key: Any, value: Any, *, scale: float | None = None
) -> float:
    """Check what attention is given; return the scale as a number.

    For other ways to compute the same formula: they take the shapes that
    `attention` takes, and say the same of those that do not fit.

    Raises
    ------
    ValueError
        When shapes, dtypes, libraries or the scale do not fit.

    Examples
    --------
    >>> x = np.ones((3, 4))
    >>> check_inputs(x, x, x)
    0.5
    """
    _check_arrays(query=query, key=key, value=value)
    _check_shapes(query, key, value)
    xp = array_namespace(query)
    _check_heads(
        *(
            xp.expand_dims(x, axis=0) if x.ndim == 2 else x
            for x in (query, key, value)
        )
    )
    return _check_scale(scale, d_k=query.shape[-1])


def _check_floating(name: str, x: Any, *, least_ndim: int) -> tuple[Any, Any]:
    """Check that `x` is a floating array; give its library and dtype."""
    check_plain(name, x)
    xp = array_namespace(x)
    if not xp.isdtype(x.dtype, "real floating"):
        raise ValueError(f"expected {name} of a floating dtype, got {x.dtype}")
    if x.dtype.itemsize < 2:
        raise ValueError(
            f"expected {name} of a floating dtype of 16 bits or more, got "
            f"{x.dtype}, which no product is defined for"
        )
    if x.ndim < least_ndim:
        raise ValueError(
            f"expected {name} with at least {least_ndim} dimensions, got "
            f"{x.ndim} ({name}.shape={tuple(x.shape)})"
        )
    return xp, x.dtype


def _check_arrays(
    query: Any, *, least_ndim: int = 2, **others: Any
) -> tuple[Any, Any]:
    """Check that all come from one library, of one dtype, on one device."""
    _, dtype = _check_floating("query", query, least_ndim=2)
    for name, x in others.items():
        _check_floating(name, x, least_ndim=least_ndim)
        if library(x) != library(query):
            raise ValueError(
                f"expected {name} from the library of query, "
                f"{library(query)}, got {library(x)}"
            )
        if x.dtype != dtype:
            raise ValueError(
                f"expected {name} with dtype={dtype} to match query, got "
                f"{x.dtype}"
            )
        if device(x) != device(query):
            raise ValueError(
                f"expected {name} on device={device(query)} to match query, "
                f"got {device(x)}"
            )
    check_filled("query", query)
    return _namespace(query), dtype


def _expect(
    name: str, x: Any, axis: int, symbol: str, size: int, match: str
) -> None:
    """Check one axis of an array against the array it must match."""
    if x.shape[axis] != size:
        raise ValueError(
            f"expected {name} with {symbol}={size} to match {match}, got "
            f"{x.shape[axis]} ({name}.shape={tuple(x.shape)})"
        )


def _check_shapes(query: Any, key: Any, value: Any | None = None) -> None:
    """Check d_k and n_k."""
    if query.shape[-1] == 0:
        raise ValueError(
            "expected query with d_k of at least 1, got 0 "
            f"(query.shape={tuple(query.shape)})"
        )
    _expect("key", key, -1, "d_k", query.shape[-1], "query")
    if value is not None:
        _expect("value", value, -2, "n_k", key.shape[-2], "key")


def _check_heads(query: Any, key: Any, value: Any | None = None) -> int:
    """Check heads and batch; give the number of query heads to a key."""
    heads, kv_heads = query.shape[-3], key.shape[-3]
    if heads != kv_heads and (kv_heads == 0 or heads % kv_heads):
        raise ValueError(
            f"expected key with a number of heads that divides H={heads}, "
            f"got {kv_heads} (key.shape={tuple(key.shape)})"
        )
    _check_batch("key", key, query, skip=3)
    if value is not None:
        _expect("value", value, -3, "H_kv", kv_heads, "key")
        _check_batch("value", value, query, skip=3)
        _check_batch("value", value, key, skip=3, match="key")
    return 1 if heads == kv_heads else heads // kv_heads


def _check_batch(
    name: str, x: Any, like: Any, *, skip: int, match: str = "query"
) -> tuple[int, ...]:
    """Check that the axes before the last `skip` broadcast; give both."""
    ours, theirs = tuple(x.shape[:-skip]), tuple(like.shape[:-skip])
    try:
        return np.broadcast_shapes(ours, theirs)
    except ValueError:
        raise ValueError(
            f"expected {name} with batch axes that broadcast with {theirs} "
            f"of {match}, got {ours} ({name}.shape={tuple(x.shape)})"
        ) from None


def _check_network(
    query: Any, key: Any, w_query: Any, w_key: Any, v: Any
) -> None:
    """Check what is learned in additive attention."""
    _check_arrays(query, least_ndim=1, w_query=w_query, w_key=w_key, v=v)
    for name, x, ndim in (
        ("w_query", w_query, 2),
        ("w_key", w_key, 2),
        ("v", v, 1),
    ):
        if x.ndim != ndim:
            raise ValueError(
                f"expected {name} with {ndim} dimensions, got {x.ndim} "
                f"({name}.shape={tuple(x.shape)})"
            )
    _expect("w_query", w_query, 0, "d_q", query.shape[-1], "query")
    _expect("w_key", w_key, 0, "d_k", key.shape[-1], "key")
    _expect("w_key", w_key, 1, "d_a", w_query.shape[1], "w_query")
    _expect("v", v, 0, "d_a", w_query.shape[1], "w_query")


def _check_masks(
    mask: Any, bias: Any, query: Any, key: Any
) -> tuple[Any | None, Any | None]:
    """Check mask and bias; bring them to the query's library and device."""
    batch = _check_batch("key", key, query, skip=2)
    shape = (*batch, query.shape[-2], key.shape[-2])  # (..., n_q, n_k)
    if mask is not None:
        mask = bring_mask("mask", mask, query, shape)
    if bias is not None:
        bias = bring("bias", bias, query, shape)
        xp = array_namespace(bias)
        if not xp.isdtype(bias.dtype, "real floating"):
            raise ValueError(
                f"expected bias of a floating dtype, got {bias.dtype}: "
                "to hide keys by True and False, pass mask"
            )
    return mask, bias


def _check_window(window: Window | None) -> Window:
    """Check a window; without one both sides are open."""
    if window is None:
        return None, None
    if not isinstance(window, tuple | list) or len(window) != 2:  # pyright: ignore[reportUnnecessaryIsInstance]
        raise ValueError(f"expected window=(left, right), got {window!r}")
    left, right = window
    check_count("left of window", left, optional=True)
    check_count("right of window", right, optional=True)
    return left, right


def _check_scale(scale: float | None, *, d_k: int) -> float:
    """Give the scale as a plain number, 1/√d_k unless told."""
    if scale is None:
        return 1.0 / math.sqrt(d_k)
    if not is_finite(scale):
        raise ValueError(f"expected a finite number as scale, got {scale!r}")
    return float(scale)


def _check_softcap(softcap: float) -> float:
    """Give the softcap as a plain number."""
    if not is_finite(softcap) or softcap <= 0:
        raise ValueError(
            f"expected a finite softcap greater than 0, got {softcap!r}"
        )
    return float(softcap)
