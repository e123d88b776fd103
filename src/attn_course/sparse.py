"""Sparse attention: which pairs a pattern keeps, and what that costs.

What a pattern costs, and how many layers it takes until any two tokens have
met, are counted on the graph of its mask. `windowed_attention` saves what
the mask of a window promises; a mask alone saves nothing.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import nn

from attn_course import masks

__all__ = [
    "PATTERNS",
    "Meeting",
    "flex_window",
    "layers_until_arrival",
    "meeting",
    "stack",
    "windowed_attention",
]

# Each gives the mask of one layer, from n, the window w and the layer.
PATTERNS: dict[str, Callable[[int, int, int], np.ndarray]] = {
    "full": lambda n, w, layer: masks.band(n),
    "sliding window": lambda n, w, layer: masks.sliding_window(
        n, left=w, right=w
    ),
    "dilated window": lambda n, w, layer: masks.dilated(n, reach=w, step=2),
    "growing dilation": lambda n, w, layer: masks.dilated(
        n, reach=w, step=(2 * w + 1) ** (layer % _rounds(n, 2 * w + 1))
    ),
    "blocks": lambda n, w, layer: masks.block(n, 2 * w + 1),
    "shifted blocks": lambda n, w, layer: _shifted_blocks(
        n, 2 * w + 1, w * (layer % 2)
    ),
    "window and global token": lambda n, w, layer: (
        masks.sliding_window(n, left=w, right=w) | masks.global_tokens(n, [0])
    ),
    "random keys": lambda n, w, layer: masks.big_bird(
        n, window=0, n_global=0, n_random=2 * w, seed=layer
    ),
    "BigBird": lambda n, w, layer: masks.big_bird(
        n, window=w, n_global=1, n_random=w, seed=layer
    ),
}


class Meeting(NamedTuple):
    """What one pattern costs at one length: see `meeting`."""

    pattern: str
    n: int
    pairs: int  # looked at in one layer, the mean where layers differ
    fraction: float  # of all n² pairs
    layers: int | None  # until any two tokens have met; None: never
    total: int | None  # pairs looked at in all those layers


def stack(
    pattern: str, n: int, *, window: int, layers: int
) -> Bool[np.ndarray, "layers n n"]:
    """Give a pattern's mask in each of `layers` layers.

    "growing dilation" looks at neighbours 1, 2w + 1, (2w + 1)² … apart, one
    step size a layer, and from 1 again when the next would leave the text
    (as the layers of WaveNet, van den Oord et al. 2016);
    "shifted blocks" moves every other layer's blocks by half a block (as
    the Swin Transformer, Liu et al. 2021, on pictures); those with random
    keys draw them anew in each layer. All others are the same everywhere.

    Raises
    ------
    ValueError
        When there is no such pattern, or a size is no count.

    Examples
    --------
    >>> stack("growing dilation", 4, window=1, layers=2).astype(int)[1]
    array([[1, 0, 0, 1],
           [0, 1, 0, 0],
           [0, 0, 1, 0],
           [1, 0, 0, 1]])
    """
    if pattern not in PATTERNS:
        raise ValueError(
            f"expected pattern in {list(PATTERNS)}, got {pattern!r}"
        )
    masks.check_count("n", n)
    masks.check_count("window", window, least=1)
    masks.check_count("layers", layers)
    window = masks.within(window, 1, max(n, 1))  # wider makes no difference
    each = [PATTERNS[pattern](n, window, layer) for layer in range(layers)]
    return np.array(each, dtype=bool).reshape(layers, n, n)


def meeting(pattern: str, n: int, *, window: int) -> Meeting:
    """Count what a pattern costs until any two tokens have met.

    In one layer a token hears of those that it looks at; the residual
    connection keeps what it knew. Layers are added until every token can
    have heard of every other. Once as many layers as a pattern has
    different masks bring nothing new, they never will.

    Parameters
    ----------
    pattern
        One of PATTERNS.
    n, window
        Tokens, and neighbours on each side; where a pattern has no window,
        about as many keys.

    Raises
    ------
    ValueError
        As `stack`.

    Examples
    --------
    >>> found = meeting("sliding window", 65, window=4)
    >>> found.pairs, found.layers, found.total
    (565, 16, 9040)
    >>> meeting("blocks", 65, window=4).layers is None
    True
    """
    masks.check_count("n", n)
    masks.check_count("window", window, least=1)
    window = masks.within(window, 1, max(n, 1))
    heard = np.eye(n, dtype=np.float32)
    costs = [masks.cost(stack(pattern, n, window=window, layers=1)[0]).pairs]
    layers, still, patience = 0, 0, max(2, _rounds(n, 2 * window + 1))
    while not heard.all() and still < patience:
        mask = PATTERNS[pattern](n, window, layers)
        further = ((mask @ heard) + heard > 0).astype(np.float32)  # (n, n)
        still = 0 if (further != heard).any() else still + 1
        heard, layers = further, layers + 1
        costs.append(masks.cost(mask).pairs)
    costs = costs[1:] or costs
    pairs = round(sum(costs) / len(costs))
    met = bool(heard.all())
    return Meeting(
        pattern=pattern,
        n=n,
        pairs=pairs,
        fraction=pairs / n**2 if n else 0.0,
        layers=layers if met else None,
        total=(sum(costs) if layers else 0) if met else None,
    )


def layers_until_arrival(
    layers: Bool[np.ndarray, "layers n n"], query: int, key: int
) -> int | None:
    """Count the layers until a token can have heard of one other.

    Parameters
    ----------
    layers
        The mask of each layer, first to last.
    query, key
        The token that listens, and the one that it is to hear of.

    Returns
    -------
    int or None
        None: not within these layers.

    Examples
    --------
    A window of 4 on the left only: 9 tokens back take three layers.

    >>> mask = masks.sliding_window(10, left=4, right=0)
    >>> layers_until_arrival([mask] * 5, query=9, key=0)
    3
    """
    if query == key:
        return 0
    arrived = masks.reach(layers)[:, query, key]  # (layers,)
    return int(arrived.argmax()) + 1 if arrived.any() else None


def windowed_attention(
    query: Float[torch.Tensor, "... n d"],
    key: Float[torch.Tensor, "... n d"],
    value: Float[torch.Tensor, "... n d_v"],
    *,
    left: int,
    size: int | None = None,
) -> Float[torch.Tensor, "... n d_v"]:
    """Let each query read itself and `left` keys before it, block by block.

    The queries of a block look at the block's own keys and at the `left`
    before it, and at no others: about n · (left + size) pairs are computed,
    not n². The blocks go through torch's `scaled_dot_product_attention` in
    one call and share one small mask; the first ones, which have fewer keys
    before them, go before.

    Parameters
    ----------
    query, key, value
        Equally long.
    left
        How many earlier keys a query sees.
    size
        Queries in a block; as many as `left`, but at least 16, unless told.

    Raises
    ------
    ValueError
        When the lengths differ, or `left` or `size` is no count.

    Examples
    --------
    >>> x = torch.randn(1, 2, 40, 8)
    >>> mask = torch.tensor(masks.sliding_window(40, left=5, right=0))
    >>> whole = nn.functional.scaled_dot_product_attention(x, x, x, mask)
    >>> torch.allclose(windowed_attention(x, x, x, left=5), whole, atol=1e-5)
    True
    """
    masks.check_count("left", left)
    size = max(left, 16) if size is None else size
    masks.check_count("size", size, least=1)
    n = query.shape[-2]
    if not n == key.shape[-2] == value.shape[-2]:
        raise ValueError(
            "expected equally many queries, keys and values, got "
            f"{n}, {key.shape[-2]} and {value.shape[-2]}"
        )
    # The first queries have fewer keys before them than the others.
    edge = min(n, max(-(-left // size), 1) * size)
    mask = masks.sliding_window(edge, left=left, right=0)
    read = _masked(*(x[..., :edge, :] for x in (query, key, value)), mask)  # pyright: ignore[reportCallIssue]
    if edge == n:
        return read
    blocks = -(-(n - edge) // size)
    more = edge + blocks * size - n  # zeros fill the last block
    q = _padded(query, more)[..., edge:, :].unflatten(-2, (blocks, size))
    # A copy: torch is slower on views that overlap.
    k, v = (
        _padded(x, more)[..., edge - left :, :]
        .unfold(-2, left + size, size)  # (..., blocks, d, left + size)
        .movedim(-1, -2)
        .contiguous()
        for x in (key, value)
    )
    # In every block, query i stands where its key left + i does.
    mask = masks.band(size, left + size, left=left, right=0, q_offset=left)
    rest = _masked(q, k, v, mask).flatten(-3, -2)  # (..., blocks · size, d_v)
    return torch.cat([read, rest[..., : n - edge, :]], dim=-2)


def flex_window(
    n: int, *, left: int, compiled: bool = True
) -> Callable[..., torch.Tensor]:
    """Give torch's `flex_attention` for the same window, compiled.

    The window goes in as a rule for pairs of words; blocks of which no pair
    is allowed are left out (Dong et al. 2024). The first call compiles, for
    about half a minute on a processor, and needs a C++ compiler. There it
    knows the way forward only.

    Parameters
    ----------
    n
        How many words.
    left
        How many earlier keys a query sees.
    compiled
        False computes all scores in plain torch: to check the rule.

    Returns
    -------
    callable
        From query, key and value, all `(batch, heads, n, d)`, to what is
        read.

    Raises
    ------
    ValueError
        When `n` or `left` is no count.
    """
    from torch.nn.attention.flex_attention import (
        create_block_mask,
        flex_attention,
    )

    masks.check_count("n", n, least=1)
    masks.check_count("left", left)
    left = masks.within(left, 0, n)

    def near(batch: Any, head: Any, i: Any, j: Any) -> Any:
        return (j <= i) & (i - j <= left)

    blocks = create_block_mask(near, None, None, n, n, device="cpu")
    run = torch.compile(flex_attention) if compiled else flex_attention
    return lambda q, k, v: run(q, k, v, block_mask=blocks)


def _masked(
    q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, mask: np.ndarray
) -> torch.Tensor:
    """Attend with a mask."""
    allowed = torch.as_tensor(mask, device=q.device)
    return nn.functional.scaled_dot_product_attention(q, k, v, allowed)


def _padded(x: torch.Tensor, more: int) -> torch.Tensor:
    """Put rows of zeros after the others."""
    return nn.functional.pad(x, (0, 0, 0, more))


def _rounds(n: int, base: int) -> int:
    """Count the powers of `base` below n; at least one."""
    rounds = 1
    while base**rounds < n:
        rounds += 1
    return rounds


def _shifted_blocks(n: int, size: int, by: int) -> np.ndarray:
    """Cut the tokens into blocks that begin `by` tokens earlier."""
    return masks.block(n + by, size)[by:, by:]
