"""Boolean masks, and what they cost.

A mask has a row for each query and a column for each key. True means "may
look". Masks combine with `&` (both must allow it) and `|` (either may).
"""

import math
import numbers
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from array_api_compat import numpy as xp_numpy
from jaxtyping import Bool, Int

from attn_course.arrays import as_array
from attn_course.random_numbers import uniform

__all__ = [
    "Cost",
    "band",
    "big_bird",
    "block",
    "causal",
    "cost",
    "dilated",
    "global_tokens",
    "layers_until_connected",
    "padding",
    "reach",
    "sliding_window",
    "trace",
]


def band(
    n_q: int,
    n_k: int | None = None,
    *,
    left: int | None = None,
    right: int | None = None,
    q_offset: int = 0,
    xp: Any = xp_numpy,
    device: Any = None,
) -> Bool[Any, "n_q n_k"]:
    """Let query i see keys from `left` before to `right` after its place.

    Query i stands at position i + q_offset and sees every key j with
    i + q_offset − left ≤ j ≤ i + q_offset + right. None means no limit on
    that side. Without `n_k` there are as many keys as queries. `xp` and
    `device` choose the library and place of the answer.

    Raises
    ------
    ValueError
        When a size or a limit is negative or not an integer.

    Examples
    --------
    >>> band(4, left=1, right=0).astype(int)
    array([[1, 0, 0, 0],
           [1, 1, 0, 0],
           [0, 1, 1, 0],
           [0, 0, 1, 1]])
    """
    n_k = n_q if n_k is None else n_k
    check_count("n_q", n_q)
    check_count("n_k", n_k)
    check_count("left", left, optional=True)
    check_count("right", right, optional=True)
    check_integer("q_offset", q_offset)

    n_q, n_k = int(n_q), int(n_k)
    query = xp.arange(n_q, device=device)[:, None]  # (n_q, 1)
    key = xp.arange(n_k, device=device)[None, :]  # (1, n_k)
    allowed = xp.ones((n_q, n_k), dtype=xp.bool, device=device)
    if left is not None:
        first = within(int(q_offset) - int(left), -n_q, n_k)
        allowed = allowed & (key >= query + first)
    if right is not None:
        last = within(int(q_offset) + int(right), -n_q, n_k)
        allowed = allowed & (key <= query + last)
    return allowed


def causal(
    n_q: int, n_k: int | None = None, *, q_offset: int = 0
) -> Bool[np.ndarray, "n_q n_k"]:
    """Let each query see itself and what came before.

    Examples
    --------
    >>> causal(3).astype(int)
    array([[1, 0, 0],
           [1, 1, 0],
           [1, 1, 1]])

    One new query after four cached tokens sees all five keys:

    >>> causal(1, 5, q_offset=4).astype(int)
    array([[1, 1, 1, 1, 1]])
    """
    return band(n_q, n_k, right=0, q_offset=q_offset)


def sliding_window(
    n_q: int,
    n_k: int | None = None,
    *,
    left: int | None,
    right: int | None,
    q_offset: int = 0,
) -> Bool[np.ndarray, "n_q n_k"]:
    """Let each query see its neighbours only.

    Source: Beltagy et al. 2020 (Longformer), section 3.1.

    Examples
    --------
    >>> sliding_window(4, left=1, right=1).astype(int)
    array([[1, 1, 0, 0],
           [1, 1, 1, 0],
           [0, 1, 1, 1],
           [0, 0, 1, 1]])
    """
    return band(n_q, n_k, left=left, right=right, q_offset=q_offset)


def padding(
    lengths: Sequence[int] | Int[np.ndarray, " batch"], n_k: int
) -> Bool[np.ndarray, "batch 1 1 n_k"]:
    """Hide the keys that fill short sentences up to the longest.

    The two axes of length 1 stand for heads and queries: the mask fits
    scores of shape `(batch, heads, n_q, n_k)`.

    Raises
    ------
    ValueError
        When a length is negative or exceeds `n_k`.

    Examples
    --------
    >>> padding([1, 3], 4).astype(int)[:, 0, 0]
    array([[1, 0, 0, 0],
           [1, 1, 1, 0]])
    """
    check_count("n_k", n_k)
    lengths = as_array("lengths", lengths)
    if lengths.ndim != 1 or (lengths.size and lengths.dtype.kind not in "iu"):
        raise ValueError(
            "expected lengths to be a list of integers, got "
            f"shape={lengths.shape}, dtype={lengths.dtype}"
        )
    if lengths.size and not (0 <= lengths.min() and lengths.max() <= n_k):
        raise ValueError(
            f"expected lengths between 0 and n_k={n_k}, got {lengths.tolist()}"
        )
    allowed = np.arange(n_k) < lengths[:, None]  # (batch, n_k)
    return allowed[:, None, None, :]  # (batch, 1, 1, n_k)


def dilated(n: int, *, reach: int, step: int) -> Bool[np.ndarray, "n n"]:
    """Let each query see every `step`-th neighbour, `reach` on each side.

    Source: Beltagy et al. 2020 (Longformer), section 3.1.

    Examples
    --------
    >>> dilated(5, reach=1, step=2).astype(int)
    array([[1, 0, 1, 0, 0],
           [0, 1, 0, 1, 0],
           [1, 0, 1, 0, 1],
           [0, 1, 0, 1, 0],
           [0, 0, 1, 0, 1]])
    """
    check_count("n", n)
    check_count("reach", reach)
    check_count("step", step, least=1)
    furthest = int(reach) * int(step)
    distance = np.arange(n) - np.arange(n)[:, None]  # (n, n)
    steps = distance % within(step, 1, max(n, 1))  # (n, n)
    return (steps == 0) & (np.abs(distance) <= furthest)


def global_tokens(n: int, tokens: Sequence[int]) -> Bool[np.ndarray, "n n"]:
    """Let the chosen tokens see all tokens, and all tokens see them.

    Negative numbers count from the end, as usual in Python.

    Examples
    --------
    >>> global_tokens(4, [0]).astype(int)
    array([[1, 1, 1, 1],
           [1, 0, 0, 0],
           [1, 0, 0, 0],
           [1, 0, 0, 0]])
    """
    check_count("n", n)
    n = int(n)
    chosen = np.zeros(n, dtype=bool)  # (n,)
    for token in tokens:
        check_integer("token", token)
        if not -n <= token < n:
            raise ValueError(
                f"expected tokens between {-n} and {n - 1}, got {token}"
            )
        chosen[token] = True
    return chosen[:, None] | chosen[None, :]  # (n, n)


def block(n: int, size: int) -> Bool[np.ndarray, "n n"]:
    """Cut the tokens into blocks; each sees its own block only.

    Examples
    --------
    >>> block(4, 2).astype(int)
    array([[1, 1, 0, 0],
           [1, 1, 0, 0],
           [0, 0, 1, 1],
           [0, 0, 1, 1]])
    """
    check_count("n", n)
    check_count("size", size, least=1)
    home = np.arange(n) // within(size, 1, max(n, 1))  # (n,)
    return home[:, None] == home[None, :]  # (n, n)


def big_bird(
    n: int,
    *,
    window: int,
    n_global: int,
    n_random: int,
    seed: int | np.random.Generator,
) -> Bool[np.ndarray, "n n"]:
    """Join a window, a few global tokens and a few random keys.

    Each query sees `window` neighbours on both sides, the first `n_global`
    tokens see all and are seen by all, and each query draws `n_random` keys
    among those it does not see yet (all of them, where fewer are left). A
    number as `seed` draws the keys that `MaskDesigner` draws in a browser.

    Source: Zaheer et al. 2020 (Big Bird), section 2, token by token; the
    authors' code moves blocks of tokens for speed.

    Examples
    --------
    >>> mask = big_bird(64, window=1, n_global=1, n_random=2, seed=0)
    >>> cost(mask).most_keys, layers_until_connected(mask)
    (64, 2)
    """
    check_count("n", n)
    check_count("n_global", n_global)
    check_count("n_random", n_random)
    n = int(n)
    if isinstance(seed, np.random.Generator):
        lots = seed.random((n, n))
    else:
        check_count("seed", seed)
        lots = uniform(seed, n * n).reshape(n, n)
    allowed = sliding_window(n, left=window, right=window)
    allowed = allowed | global_tokens(n, range(min(n_global, n)))  # (n, n)
    # The keys with the lowest lots are drawn; those already seen come last.
    order = np.argsort(np.where(allowed, 1.0, lots), axis=1, kind="stable")
    np.put_along_axis(allowed, order[:, :n_random], True, axis=1)
    return allowed


class Cost(NamedTuple):
    """What a mask costs: see `cost`."""

    pairs: int
    fraction: float
    most_keys: int


def cost(mask: Bool[np.ndarray, "n_q n_k"]) -> Cost:
    """Count the pairs of query and key that a mask looks at.

    Returns
    -------
    Cost
        `pairs` looked at, their `fraction` of the full matrix, and
        `most_keys`, the largest number of keys of one query.

    Examples
    --------
    >>> cost(causal(4))
    Cost(pairs=10, fraction=0.625, most_keys=4)
    """
    mask = _check_mask(mask)
    keys = mask.sum(axis=-1)  # (n_q,)
    return Cost(
        pairs=int(keys.sum()),
        fraction=float(keys.sum() / max(mask.size, 1)),
        most_keys=int(keys.max(initial=0)),
    )


def layers_until_connected(mask: Bool[np.ndarray, "n n"]) -> int | None:
    """Count the layers until every token can have heard of every other.

    In one layer a query hears of the keys it may look at; the residual
    connection keeps what it knew. None: it never happens.

    Examples
    --------
    >>> layers_until_connected(sliding_window(7, left=2, right=2))
    3
    >>> layers_until_connected(causal(7)) is None
    True
    """
    mask = _check_mask(mask)
    n = mask.shape[0]
    if mask.shape != (n, n):
        raise ValueError(f"expected a square mask, got shape {mask.shape}")
    if n < 2:
        return 0
    # jumps[p] says who has heard of whom after 2**p layers.
    jumps = [mask | np.eye(n, dtype=bool)]  # (n, n)
    while not jumps[-1].all():
        twice = _hear(jumps[-1], jumps[-1])
        if (twice == jumps[-1]).all():
            return None
        jumps.append(twice)
    # The most layers that are still too few, from large jumps to small.
    heard, layers = np.eye(n, dtype=bool), 0
    for power in reversed(range(len(jumps))):
        further = _hear(heard, jumps[power])
        if not further.all():
            heard, layers = further, layers + 2**power
    return layers + 1


def reach(masks: Bool[Any, "layers n n"]) -> Bool[np.ndarray, "layers n n"]:
    """Say who can have heard of whom after each layer.

    Each layer has its own mask. In one layer a query hears of the keys it
    may look at; the residual connection keeps what it knew.

    Returns
    -------
    Bool[np.ndarray, "layers n n"]
        Entry [l, i, j]: after l + 1 layers token i can depend on the input
        at j.

    Raises
    ------
    ValueError
        When the masks are not boolean and square.

    Examples
    --------
    A hole in a causal mask: token 0 looks at token 1, in every layer.

    >>> mask = causal(3)
    >>> mask[0, 1] = mask[1, 2] = True
    >>> reach([mask, mask])[:, 0].astype(int)
    array([[1, 1, 0],
           [1, 1, 1]])
    """
    masks = _check_layers(masks)
    heard = np.eye(masks.shape[-1], dtype=bool)
    after = []
    for mask in masks:
        heard = heard | _hear(mask, heard)
        after.append(heard)  # pyright: ignore[reportUnknownMemberType]
    return np.array(after, dtype=bool).reshape(masks.shape)


def trace(
    masks: Bool[Any, "layers n n"], query: int, key: int
) -> list[tuple[int, int]] | None:
    """Follow the way on which a token's input reaches another token.

    Returns
    -------
    list of (token, layer)
        From `(key, 0)` to the query: each token with the layer in which it
        looked at the one before. Layers in which nothing moves (residual
        connection) are left out. None: it never arrives.

    Raises
    ------
    ValueError
        When the masks are not boolean and square, or a token is outside.

    Examples
    --------
    >>> trace([causal(3), causal(3)], query=2, key=0)
    [(0, 0), (2, 1)]
    >>> trace([causal(3), causal(3)], query=0, key=2) is None
    True
    """
    masks = _check_layers(masks)
    n = masks.shape[-1]
    for name, token in (("query", query), ("key", key)):
        check_integer(name, token)
        if not 0 <= token < n:
            raise ValueError(
                f"expected {name} between 0 and {n - 1}, got {token}"
            )
    known = [np.eye(n, dtype=bool), *reach(masks)]  # before each layer
    if not known[-1][query, key]:
        return None
    hops, here = [], query
    for layer in range(len(masks), 0, -1):
        heard = known[layer - 1][:, key]  # (n,)
        if not heard[here]:
            hops.append((here, layer))  # pyright: ignore[reportUnknownMemberType]
            here = int(np.flatnonzero(masks[layer - 1, here] & heard)[0])
    return [(key, 0), *reversed(hops)]  # pyright: ignore[reportUnknownArgumentType]


def _check_layers(masks: Any) -> np.ndarray:
    """Check a stack of square boolean masks, one a layer."""
    masks = as_array("masks", masks)
    square = masks.ndim == 3 and masks.shape[1] == masks.shape[2]
    if not square or masks.dtype != bool:
        raise ValueError(
            "expected boolean masks of shape (layers, n, n), got "
            f"dtype={masks.dtype}, shape={masks.shape}"
        )
    return masks


def _hear(first: np.ndarray, then: np.ndarray) -> np.ndarray:
    """Follow one relation after the other: who hears of whom."""
    return (first.astype(np.float32) @ then.astype(np.float32)) > 0


def _check_mask(mask: np.ndarray) -> np.ndarray:
    """Check that a mask is a boolean matrix."""
    mask = as_array("mask", mask)
    if mask.ndim != 2 or mask.dtype != bool:
        raise ValueError(
            "expected a boolean mask of shape (n_q, n_k), got "
            f"dtype={mask.dtype}, shape={mask.shape}"
        )
    return mask


def within(value: int, low: int, high: int) -> int:
    """Move a number of any size to the nearest one from low to high.

    For limits that an array's integers could not hold: beyond the last
    token it makes no difference how far.

    >>> within(2**70, -3, 5)
    5
    """
    return max(int(low), min(int(value), int(high)))


def check_integer(name: str, value: Any) -> None:
    """Check that a value is an integer (True and False are not)."""
    if not isinstance(value, numbers.Integral) or isinstance(value, bool):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise ValueError(f"expected {name} to be an integer, got {value!r}")


def is_finite(value: Any) -> bool:
    """Say whether a value is a real number that a float can hold.

    >>> is_finite(0.5), is_finite(float("nan")), is_finite(10**400)
    (True, False, False)
    """
    try:
        return isinstance(value, numbers.Real) and math.isfinite(value)
    except OverflowError:
        return False


def check_count(
    name: str, value: Any, *, least: int = 0, optional: bool = False
) -> None:
    """Check that a value is an integer of at least `least`, or None."""
    if optional and value is None:
        return
    check_integer(name, value)
    if value < least:
        raise ValueError(f"expected {name} of at least {least}, got {value}")
