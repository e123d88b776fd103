"""What attention moves between the memory and the chip.

Two ways to know: run the algorithm on a `SlowMemory` that counts, or write
down a formula. The tests hold them to be equal. All numbers are of one head;
n queries read n keys, and vectors have d numbers.

What flash attention does *not* save is arithmetic: see `flops`.
"""

import math
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Bool, Float

from attn_course.flash.memory import SlowMemory
from attn_course.flash.tiled import (
    tiled_attention,
    tiled_attention_by_query,
    tiled_backward,
)
from attn_course.functional import check_inputs
from attn_course.masks import check_count

__all__ = [
    "PAPER",
    "Traffic",
    "blocks_for",
    "count",
    "flops",
    "formula",
    "held",
    "paper_bytes",
    "standard_attention",
    "standard_backward",
]

# Dao et al. 2022, figure 2 left: gigabytes read and written in a forward and
# a backward pass of GPT-2 medium on an A100, by version of the paper.
PAPER = {
    "NeurIPS layout": {"standard": 35.3, "flash": 4.4},
    "24 June 2022 (arXiv v2)": {"standard": 40.3, "flash": 4.4},
}
WAYS = ("standard", "flash", "flash by query")


class Traffic(NamedTuple):
    """What one head moves in a pass: see `count` and `formula`."""

    vectors: int  # numbers of queries, keys, values, outputs, gradients
    squares: int  # numbers of n × n arrays
    rows: int  # numbers that go one with a row: its maximum, its sum
    bits: int = 0  # numbers of an n × n mask of one byte each

    def bytes(self, each: int = 2, row: int = 4) -> int:
        """Count bytes: `each` a number, `row` for a row's own, 1 a bit."""
        moved = (self.vectors + self.squares) * each
        return moved + self.rows * row + self.bits


def standard_attention(
    query: Float[np.ndarray, "n_q d_k"],
    key: Float[np.ndarray, "n_k d_k"],
    value: Float[np.ndarray, "n_k d_v"],
    *,
    causal: bool = False,
    keep: Bool[np.ndarray, "n_q n_k"] | None = None,
    memory: SlowMemory | None = None,
) -> tuple[Float[np.ndarray, "n_q d_v"], dict[str, Any]]:
    """Compute attention operation by operation, storing what each makes.

    Dao et al. 2022, algorithm 0. Counted kindly: each operation loads what
    it needs once, however large it is.

    Parameters
    ----------
    query, key, value
        Shapes `(n_q, d_k)`, `(n_k, d_k)` and `(n_k, d_v)`: one head. Scores
        are divided by √d_k.
    causal
        Mask in a pass of its own over the scores.
    keep
        Where dropout keeps a weight, in a pass of its own; those kept are
        divided by the share that is. The pass also stores it, a byte a
        weight, for the backward pass.
    memory
        Counts what is moved.

    Returns
    -------
    output
        Shape `(n_q, d_v)`.
    kept
        The n × n arrays that the backward pass needs: "p", "keep" and
        "dropped".

    Raises
    ------
    ValueError
        As `attention`.
    """
    scale = check_inputs(query, key, value)
    chip = SlowMemory() if memory is None else memory
    q, k = chip.load(q=query, k=key)
    s = chip.store(s=chip.multiply(q, k.T) * scale)  # (n_q, n_k)
    chip.drop()
    if causal:
        future = ~np.tri(*s.shape, dtype=bool)
        s = chip.store(s=np.where(future, -np.inf, chip.load(s=s)))
        chip.drop()
    s = chip.load(s=s)
    shares = np.exp(s - s.max(axis=1, keepdims=True))
    p = chip.store(p=shares / shares.sum(axis=1, keepdims=True))
    chip.drop()
    dropped = p
    if keep is not None:
        dropped = chip.load(p=p) * keep / keep.mean()
        dropped, keep = chip.store(p=dropped, keep=keep)
        chip.drop()
    weights, v = chip.load(p=dropped, v=value)
    output = chip.store(o=chip.multiply(weights, v))  # (n_q, d_v)
    chip.drop()
    return output, {"p": p, "keep": keep, "dropped": dropped}


def standard_backward(
    grad_output: Float[np.ndarray, "n_q d_v"],
    query: Float[np.ndarray, "n_q d_k"],
    key: Float[np.ndarray, "n_k d_k"],
    value: Float[np.ndarray, "n_k d_v"],
    kept: dict[str, np.ndarray],
    *,
    causal: bool = False,
    memory: SlowMemory | None = None,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Find the gradients from the weights that were stored.

    Dao et al. 2022, algorithm 3; masks and dropout are passes of their own.
    Arguments are as in `standard_attention`, and `kept` is what it gave.
    Returns the gradients of query, key and value, in their shapes.
    """
    scale = check_inputs(query, key, value)
    chip = SlowMemory() if memory is None else memory
    p, do = chip.load(p=kept["dropped"], do=grad_output)
    d_value = chip.store(dv=chip.multiply(p.T, do))
    chip.drop()
    do, v = chip.load(do=grad_output, v=value)
    dp = chip.store(dp=chip.multiply(do, v.T))  # (n_q, n_k)
    chip.drop()
    if kept["keep"] is not None:
        dp, keep = chip.load(dp=dp, keep=kept["keep"])
        dp = chip.store(dp=dp * keep / keep.mean())
        chip.drop()
    p, dp = chip.load(p=kept["p"], dp=dp)
    inner = (p * dp).sum(axis=1, keepdims=True)  # (n_q, 1)
    ds = chip.store(ds=p * (dp - inner) * scale)
    chip.drop()
    if causal:
        future = ~np.tri(*ds.shape, dtype=bool)
        ds = chip.store(ds=np.where(future, 0.0, chip.load(ds=ds)))
        chip.drop()
    ds, k = chip.load(ds=ds, k=key)
    d_query = chip.store(dq=chip.multiply(ds, k))
    chip.drop()
    ds, q = chip.load(ds=ds, q=query)
    d_key = chip.store(dk=chip.multiply(ds.T, q))
    chip.drop()
    return d_query, d_key, d_value


def count(
    way: str,
    n: int,
    d: int,
    *,
    block_q: int = 64,
    block_k: int = 64,
    backward: bool = False,
    masks: bool = False,
    dropout: bool = False,
    on_chip: int | None = None,
) -> Traffic:
    """Run one head on a memory that counts; say what it moved.

    Parameters
    ----------
    way
        "standard"; "flash", with tiles of keys in the outer loop (Dao et al.
        2022); or "flash by query", with tiles of queries in the outer loop
        (Dao 2023, forward only).
    n, d
        Tokens, and the length of their vectors.
    block_q, block_k
        Size of the tiles; the standard way has none.
    backward
        The backward pass alone, instead of the forward pass.
    masks, dropout
        Passes of their own; the standard way only, since flash attention
        does both on the chip.
    on_chip
        How many numbers fit on the chip; None: any.

    Raises
    ------
    ValueError
        When an option is not of these, or a tile does not fit on the chip.

    Examples
    --------
    >>> count("standard", 128, 16).squares  # 4 n²: scores and weights
    65536
    >>> count("flash", 128, 16).squares
    0
    """
    _check(way, n, d, backward, masks, dropout)
    rng = np.random.default_rng(0)
    q, k, v, do = rng.normal(size=(4, n, d))
    memory = SlowMemory(on_chip)
    tile = {"block_q": block_q, "block_k": block_k}
    if way == "standard":
        keep = rng.random((n, n)) < 0.9 if dropout else None
        first = None if backward else memory
        _, kept = standard_attention(
            q, k, v, causal=masks, keep=keep, memory=first
        )
        if backward:
            standard_backward(do, q, k, v, kept, causal=masks, memory=memory)
    elif backward:
        output, state = tiled_attention(q, k, v)
        tiled_backward(do, q, k, v, output, state, **tile, memory=memory)
    else:
        run = tiled_attention if way == "flash" else tiled_attention_by_query
        run(q, k, v, **tile, memory=memory)
    return _sorted(memory)


def formula(
    way: str,
    n: int,
    d: int,
    *,
    block_q: int = 64,
    block_k: int = 64,
    backward: bool = False,
    masks: bool = False,
    dropout: bool = False,
) -> Traffic:
    """Say what one head moves, without running it: `count` as a formula.

    Examples
    --------
    >>> formula("flash", 1024, 64, block_k=256).vectors == 14 * 1024 * 64
    True
    """
    _check(way, n, d, backward, masks, dropout)
    tiles_q, tiles_k = math.ceil(n / block_q), math.ceil(n / block_k)
    if way == "standard":
        passes = (7 if backward else 4) + 2 * masks + 2 * dropout
        vectors = 8 if backward else 4
        return Traffic(vectors * n * d, passes * n * n, 0, dropout * n * n)
    if way == "flash by query":
        return Traffic((2 + 2 * tiles_q) * n * d, 0, n)
    if backward:
        return Traffic((4 + 5 * tiles_k) * n * d, 0, 2 * tiles_k * n)
    return Traffic((2 + 3 * tiles_k) * n * d, 0, 4 * tiles_k * n)


def flops(way: str, n: int, d: int, *, backward: bool = False) -> int:
    """Count the additions and multiplications of the matrix products.

    Two products of n² d multiplications forward. Backward four; flash
    attention makes the scores again, and so has five. A multiplication and
    the addition that follows it are two.

    Examples
    --------
    >>> both = [
    ...     sum(flops(way, 1024, 64, backward=b) for b in (False, True))
    ...     for way in ("standard", "flash")
    ... ]
    >>> both[1] / both[0]  # more, not less
    1.1666666666666667
    """
    _check(way, n, d, backward, False, False)
    products = (4 + (way != "standard")) if backward else 2
    return products * 2 * n * n * d


def held(block_q: int, block_k: int, d: int, *, backward: bool = False) -> int:
    """Count the numbers that a tile needs on the chip at once.

    Tiles of queries and outputs, of keys and values, of scores, and two
    numbers a row; backward also the gradients, and one number a row more.

    Examples
    --------
    >>> held(64, 64, 64)
    20608
    """
    for name, size in (("block_q", block_q), ("block_k", block_k), ("d", d)):
        check_count(name, size, least=1)
    vectors, squares, rows = (4, 2, 3) if backward else (2, 1, 2)
    return (
        vectors * (block_q + block_k) * d
        + squares * block_q * block_k
        + rows * block_q
    )


def blocks_for(on_chip: int, d: int) -> tuple[int, int]:
    """Choose the tile's size for a chip, as Dao et al. 2022, algorithm 1.

    block_k = ⌈M / 4d⌉ and block_q = min(block_k, d), where M numbers fit on
    the chip. Below M of about 8 d² + 8 d this asks for a little more than
    there is; from there on the tile fits.

    Returns
    -------
    block_q, block_k

    Examples
    --------
    An A100 has 192 KB a processor: 98304 numbers in float16.

    >>> blocks_for(98304, 64)
    (64, 384)
    """
    check_count("on_chip", on_chip, least=1)
    check_count("d", d, least=1)
    block_k = math.ceil(on_chip / (4 * d))
    return min(block_k, d), block_k


def paper_bytes(
    way: str,
    *,
    block_k: int = 384,
    masks: bool = False,
    dropout: bool = False,
) -> int:
    """Count a forward and a backward pass in the paper's setting, in bytes.

    n = 1024, d = 64, 16 heads, a batch of 64 (the caption of figure 2 in Dao
    et al. 2022). What the paper does not say is assumed here: float16, the
    numbers of a row in float32, and that each operation of the standard way
    loads what it needs once. Whether masks and dropout were passes of their
    own it does not say either: try both.

    Examples
    --------
    >>> round(paper_bytes("standard") / 1e9, 1)
    25.2
    >>> round(paper_bytes("flash") / 1e9, 1)
    4.1
    """
    options = {"block_k": block_k, "masks": masks, "dropout": dropout}
    passes = [
        formula(way, 1024, 64, backward=backward, **options)
        for backward in (False, True)
    ]
    return 16 * 64 * sum(moved.bytes() for moved in passes)


def _check(
    way: str, n: int, d: int, backward: bool, masks: bool, dropout: bool
) -> None:
    """Check what is to be counted."""
    if way not in WAYS:
        raise ValueError(f"expected one of {list(WAYS)}, got {way!r}")
    check_count("n", n, least=1)
    check_count("d", d, least=1)
    if way != "standard" and (masks or dropout):
        raise ValueError(
            "expected masks and dropout with the standard way only: flash "
            f"attention needs no pass for them; got {way!r}"
        )
    if way == "flash by query" and backward:
        raise ValueError(
            "expected the forward pass: the backward pass has tiles of keys "
            "in its outer loop here"
        )


def _sorted(memory: SlowMemory) -> Traffic:
    """Sort what was moved by its kind."""
    counts = memory.loaded + memory.stored
    squares, rows = ("s", "p", "dp", "ds"), ("m", "l")
    kinds = {
        "squares": sum(counts[name] for name in squares),
        "rows": sum(counts[name] for name in rows),
        "bits": counts["keep"],
    }
    return Traffic(vectors=counts.total() - sum(kinds.values()), **kinds)
