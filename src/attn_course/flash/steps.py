"""Flash attention one tile at a time, with all that it holds on the way.

Nothing here is fast: each step keeps a copy of everything, to be looked at.
`FlashStepper` shows the same steps in the browser.
"""

from typing import Any, Literal, NamedTuple

import numpy as np
from jaxtyping import Float

from attn_course.arrays import as_numbers
from attn_course.flash.softmax import State, rescale
from attn_course.functional import attention, check_inputs
from attn_course.masks import causal as causal_mask
from attn_course.masks import check_count

__all__ = ["BYTES", "ORDERS", "Step", "standard_bytes", "steps", "tiles"]

BYTES = 4  # of a number, float32
# Which loop is the outer one: FlashAttention's (Dao et al. 2022, algorithm 1)
# is over keys, FlashAttention-2's (Dao 2023, algorithm 1) over queries.
ORDERS = ("keys", "queries")
Order = Literal["keys", "queries"]


class Step(NamedTuple):
    """Everything after one tile; each array covers all rows.

    Attributes
    ----------
    tile
        Query block and key block, counted from 0.
    m
        `(n_q,)`, the largest score that each row has seen; −inf before any.
    l
        `(n_q,)`, Σ exp(score − m) over the keys seen.
    output
        `(n_q, d_v)`, Σ exp(score − m) · value: not yet divided by l.
    factors
        `(n_q,)`, exp(m_old − m_new) of this step: 1 for a row that keeps its
        largest score or is not in the tile, 0 for one that had seen no key.
    expected
        `(n_q, d_v)`, attention over the keys seen so far, by plain softmax:
        what output / l must be; zeros before any.
    read, written
        Bytes moved from and to slow memory since the beginning.
    """

    tile: tuple[int, int]
    m: np.ndarray
    l: np.ndarray  # noqa: E741 (the paper's letter)
    output: np.ndarray
    factors: np.ndarray
    expected: np.ndarray
    read: int
    written: int

    @property
    def normalized(self) -> np.ndarray:
        """Output divided by l, `(n_q, d_v)`; zeros where nothing was seen."""
        seen = self.l[:, None] > 0
        return np.where(seen, self.output, 0.0) / np.where(
            seen, self.l[:, None], 1.0
        )

    @property
    def errors(self) -> np.ndarray:
        """Largest distance of each row from what it must be, `(n_q,)`."""
        return np.abs(self.normalized - self.expected).max(axis=-1)


def tiles(
    n_q: int,
    n_k: int,
    *,
    block_q: int,
    block_k: int,
    causal: bool = False,
    order: Order = "queries",
) -> list[tuple[int, int]]:
    """List the tiles in the order in which they are computed.

    A tile is a query block and a key block. Under `causal` those that no
    query of theirs may look at are skipped.

    Examples
    --------
    >>> tiles(4, 4, block_q=2, block_k=2, order="keys")
    [(0, 0), (1, 0), (0, 1), (1, 1)]
    >>> tiles(4, 4, block_q=2, block_k=2, causal=True)
    [(0, 0), (1, 0), (1, 1)]
    """
    for name, count in (("block_q", block_q), ("block_k", block_k)):
        check_count(name, count, least=1)
    if order not in ORDERS:
        raise ValueError(f"expected order in {ORDERS}, got {order!r}")
    every = [
        (i, j)
        for i, first in enumerate(range(0, n_q, block_q))
        for j, key in enumerate(range(0, n_k, block_k))
        if not causal or key <= min(first + block_q, n_q) - 1
    ]
    # Sorting is stable: within a key block the queries stay in their order.
    return every if order == "queries" else sorted(every, key=lambda t: t[1])


def standard_bytes(n_q: int, n_k: int, d_k: int, d_v: int) -> int:
    """Bytes that attention moves when S and P go to slow memory and back.

    Dao et al. 2022, algorithm 0: reads Q and K, writes S; reads S, writes P;
    reads P and V, writes O. That is 4 n² + 4 n d numbers where n_q = n_k.

    Examples
    --------
    >>> standard_bytes(8, 8, 2, 2) // BYTES == 4 * 8 * 8 + 4 * 8 * 2
    True
    """
    return BYTES * (4 * n_q * n_k + (n_q + n_k) * (d_k + d_v))


def steps(
    query: Float[np.ndarray, "n_q d_k"],
    key: Float[np.ndarray, "n_k d_k"],
    value: Float[np.ndarray, "n_k d_v"],
    *,
    block_q: int,
    block_k: int,
    causal: bool = False,
    order: Order = "queries",
    broken: bool = False,
) -> list[Step]:
    """Go through the tiles of one head and keep every step.

    With the keys outside, K and V are read once, and for each key block the
    queries, O, m and l are read and O, m and l written. With the queries
    outside, Q is read once, K and V for each query block, and O and
    m + log l, which the backward pass needs, are written once. (With the
    keys outside, the paper stores O / l in the place of O: as many bytes.)

    Parameters
    ----------
    query, key, value
        Shapes `(n_q, d_k)`, `(n_k, d_k)` and `(n_k, d_v)`. A score is
        q·k/√d_k.
    block_q, block_k
        Rows and columns of a tile; the last ones may be smaller.
    causal
        Query i sees the keys j ≤ i, and tiles without any are skipped.
    order
        The outer loop: "queries" or "keys".
    broken
        Leave out the factor exp(m_old − m_new): a mistake to look at.

    Returns
    -------
    steps
        One `Step` for each tile that is computed.

    Raises
    ------
    ValueError
        When shapes, block sizes or the order do not fit.

    Examples
    --------
    >>> query, key = np.array([[1.0]]), np.array([[0.0], [np.log(3.0)]])
    >>> value = np.array([[10.0], [20.0]])
    >>> first, last = steps(query, key, value, block_q=1, block_k=1)
    >>> first.normalized.tolist(), last.normalized.round(2).tolist()
    ([[10.0]], [[17.5]])
    >>> last.factors.round(3).tolist()  # exp(0 − log 3)
    [0.333]
    >>> last = steps(query, key, value, block_q=1, block_k=1, broken=True)[-1]
    >>> last.normalized.tolist(), last.errors.tolist()
    ([[15.0]], [2.5])
    """
    given = {"query": query, "key": key, "value": value}
    query, key, value = (as_numbers(name, x) for name, x in given.items())
    for name, x in (("query", query), ("key", key), ("value", value)):
        if x.ndim != 2:
            raise ValueError(f"expected {name} of one head, got {x.shape}")
    scale = check_inputs(query, key, value)
    n_q, n_k, d_v = len(query), *value.shape
    blocks = {"block_q": block_q, "block_k": block_k}
    walk = tiles(n_q, n_k, **blocks, causal=causal, order=order)
    allowed = causal_mask(n_q, n_k) if causal else np.ones((n_q, n_k), bool)
    seen = np.zeros((n_q, n_k), bool)
    m, l = np.full(n_q, -np.inf), np.zeros(n_q)  # noqa: E741
    output = np.zeros((n_q, d_v))
    moved = _moved(walk, query.shape, value.shape, **blocks, order=order)
    kept = []
    for tile, (read, written) in zip(walk, moved, strict=True):
        rows = _slice(tile[0], block_q)
        keys = _slice(tile[1], block_k)
        scores = query[rows] @ key[keys].T * scale  # (block_q, block_k)
        scores = np.where(allowed[rows, keys], scores, -np.inf)
        m, l, output = m.copy(), l.copy(), output.copy()  # noqa: E741
        factors = np.ones(n_q)
        (m[rows], l[rows]), output[rows], factors[rows] = _add_tile(
            State(m[rows], l[rows]), output[rows], scores, value[keys], broken
        )
        seen[rows, keys] = allowed[rows, keys]
        expected: Any = attention(query, key, value, mask=seen)
        kept.append(Step(tile, m, l, output, factors, expected, read, written))
    return kept


def _slice(block: int, size: int) -> slice:
    return slice(block * size, (block + 1) * size)


def _add_tile(
    old: State,
    output: Float[np.ndarray, "block_q d_v"],
    scores: Float[np.ndarray, "block_q block_k"],
    value: Float[np.ndarray, "block_k d_v"],
    broken: bool,
) -> tuple[State, np.ndarray, np.ndarray]:
    """Take one tile in: give the new state, output and the factors."""
    m = np.maximum(old.m, scores.max(axis=-1))  # (block_q,)
    factors = rescale(old.m, m)  # (block_q,)
    used = np.ones_like(factors) if broken else factors
    shares = rescale(scores, m[:, None])  # (block_q, block_k)
    new = State(m, used * old.l + shares.sum(axis=-1))
    return new, used[:, None] * output + shares @ value, factors


def _moved(
    walk: list[tuple[int, int]],
    query_shape: tuple[int, int],
    value_shape: tuple[int, int],
    *,
    block_q: int,
    block_k: int,
    order: Order,
) -> list[tuple[int, int]]:
    """Count the bytes read and written up to the end of each step."""
    (n_q, d_k), (n_k, d_v) = query_shape, value_shape
    outer = [tile[order == "keys"] for tile in walk]
    read = written = 0
    moved = []
    for number, (i, j) in enumerate(walk):
        rows = min(block_q, n_q - i * block_q)
        keys = min(block_k, n_k - j * block_k)
        begins = outer[number - 1 : number] != outer[number : number + 1]
        ends = outer[number + 1 : number + 2] != outer[number : number + 1]
        if order == "keys":
            state = rows * (d_v + 2)  # O, m and l
            read += begins * keys * (d_k + d_v) + rows * d_k + state
            written += state
        else:
            read += begins * rows * d_k + keys * (d_k + d_v)
            written += ends * rows * (d_v + 1)  # O and m + log l
        moved.append((BYTES * read, BYTES * written))
    return moved
