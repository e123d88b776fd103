"""The bytes that the Triton kernels ask for: by a formula, and counted.

"Asked for", because a GPU's caches answer part of what is asked twice: the
traffic of its large memory can be less, never more.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from attn_course.flash.cards import BYTES, KERNELS, Tiles
from attn_course.masks import check_count
from attn_course.optional import need

__all__ = ["Requested", "count_requests", "requested_bytes"]

# lse and delta are float32, whatever the arrays are.
STATISTIC = 4


@dataclass
class Requested:
    """What was asked for, in bytes."""

    loaded: int = 0
    stored: int = 0


def requested_bytes(
    kernel: str,
    n_q: int,
    n_k: int,
    d: int,
    *,
    tiles: Tiles,
    heads: int = 1,
    kv_heads: int | None = None,
    dtype: str = "float16",
    causal: bool = False,
) -> Requested:
    """Say what one of the kernels loads and stores.

    Parameters
    ----------
    kernel
        One of `cards.KERNELS`.
    n_q, n_k, d
        Queries, keys, the length of a vector.
    tiles
        Their heights count: each block of queries reads all keys again.
    heads, kv_heads
        Query heads of the whole batch, and heads of keys; as many unless
        told.
    dtype
        Of the arrays; sums over a query are float32 always.
    causal
        Tiles that no query may see are not loaded.

    Raises
    ------
    ValueError
        When there is no such kernel or dtype, or a count is not positive.

    Examples
    --------
    Twice as many queries in a tile, half the reading of keys and values:

    >>> low, high = Tiles(32, 32, 4, 1), Tiles(64, 32, 4, 1)
    >>> requested_bytes("forward", 1024, 1024, 64, tiles=low).loaded
    8519680
    >>> requested_bytes("forward", 1024, 1024, 64, tiles=high).loaded
    4325376
    """
    if kernel not in KERNELS:
        raise ValueError(f"expected one of {list(KERNELS)}, got {kernel!r}")
    if dtype not in BYTES:
        raise ValueError(f"expected one of {list(BYTES)}, got {dtype!r}")
    kv_heads = heads if kv_heads is None else kv_heads
    counts = {"n_q": n_q, "n_k": n_k, "d": d, "heads": heads}
    for name, count in {**counts, "kv_heads": kv_heads}.items():
        check_count(name, count, least=1)
    row = d * BYTES[dtype]  # bytes of one vector
    if kernel == "gradient_of_keys":
        rows_read = _queries_read(n_q, n_k, tiles, causal)
        return Requested(
            # k and v once; q, its gradient, lse and delta for each block.
            loaded=kv_heads * n_k * 2 * row
            + heads * rows_read * (2 * row + 2 * STATISTIC),
            stored=kv_heads * n_k * 2 * row,
        )
    rows_read = _keys_read(n_q, n_k, tiles, causal)
    own = n_q * row  # q, and what is written of that shape
    if kernel == "gradient_of_queries":  # reads o, do and lse as well
        own = 3 * n_q * row + n_q * STATISTIC
    return Requested(
        loaded=heads * (own + rows_read * 2 * row),
        stored=heads * n_q * (row + STATISTIC),
    )


def _keys_read(n_q: int, n_k: int, tiles: Tiles, causal: bool) -> int:
    """Count the keys that all blocks of queries load."""
    if not causal:
        return -(-n_q // tiles.block_q) * n_k
    total = 0
    for start in range(0, n_q, tiles.block_q):
        stop = min(n_k, start + tiles.block_q)
        whole = -(-stop // tiles.block_k) * tiles.block_k
        total += min(n_k, whole)
    return total


def _queries_read(n_q: int, n_k: int, tiles: Tiles, causal: bool) -> int:
    """Count the queries that all blocks of keys load."""
    if not causal:
        return -(-n_k // tiles.block_k) * n_q
    total = 0
    for start in range(0, n_k, tiles.block_k):
        begin = start // tiles.block_q * tiles.block_q
        total += max(0, n_q - begin)
    return total


@contextmanager
def count_requests() -> Iterator[Requested]:
    """Count what kernels in Triton's interpreter load and store meanwhile.

    Examples
    --------
    Needs `use_interpreter()` at the start of the process::

        with count_requests() as counted:
            triton_attention(query, key, value)
        print(counted.loaded, counted.stored)

    Raises
    ------
    RuntimeError
        When Triton does not interpret in this process.
    """
    from attn_course.flash.gpu import triton_status

    if triton_status().kind != "interpreter":
        raise RuntimeError(
            "expected Triton's interpreter, which can be watched: call "
            "use_interpreter() first"
        )
    need("triton.runtime.interpreter")

    builder = sys.modules["triton.runtime.interpreter"].interpreter_builder
    kind, counted = type(builder), Requested()
    load, store = kind.create_masked_load, kind.create_masked_store

    def counting_load(self: Any, pointers: Any, mask: Any, *rest: Any) -> Any:
        counted.loaded += _bytes(pointers, mask)
        return load(self, pointers, mask, *rest)

    def counting_store(
        self: Any, pointers: Any, value: Any, mask: Any, *rest: Any
    ) -> Any:
        counted.stored += _bytes(pointers, mask)
        return store(self, pointers, value, mask, *rest)

    kind.create_masked_load = counting_load
    kind.create_masked_store = counting_store
    try:
        yield counted
    finally:
        kind.create_masked_load = load
        kind.create_masked_store = store


def _bytes(pointers: Any, mask: Any) -> int:
    """Count the bytes behind the pointers that the mask lets through."""
    bits = pointers.get_element_ty().primitive_bitwidth
    return int(mask.data.sum()) * bits // 8
