"""Split vectors into heads and merge them again, for NumPy and torch."""

from typing import Any

from jaxtyping import Float

from attn_course.arrays import check_plain
from attn_course.masks import check_count

__all__ = ["merge_heads", "split_heads"]


def split_heads(
    x: Float[Any, "... n d_model"], heads: int
) -> Float[Any, "... heads n d_head"]:
    """Cut each vector into `heads` pieces; piece i goes to head i.

    Vaswani et al. 2017, section 3.2.2. The axis of heads comes before that
    of positions: reshaping straight to (heads, n, d_head) would mix the
    positions.

    Raises
    ------
    ValueError
        When `x` is no array of at least two dimensions, or d_model no
        multiple of `heads`.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.array([[1, 2, 3, 4], [5, 6, 7, 8]])  # two positions
    >>> split_heads(x, 2).tolist()  # two heads, each with two positions
    [[[1, 2], [5, 6]], [[3, 4], [7, 8]]]
    """
    _check(x, least_ndim=2)
    check_count("heads", heads, least=1)
    *lead, n, d_model = x.shape
    if d_model % heads:
        raise ValueError(
            f"expected d_model to be a multiple of {heads} heads, "
            f"got {d_model}"
        )
    x = x.reshape(*lead, n, heads, d_model // heads)
    return x.swapaxes(-3, -2)  # (..., heads, n, d_head)


def merge_heads(
    x: Float[Any, "... heads n d_head"],
) -> Float[Any, "... n d_model"]:
    """Put the heads' pieces of each position side by side again.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.arange(12).reshape(3, 4)
    >>> bool((merge_heads(split_heads(x, 2)) == x).all())
    True
    """
    _check(x, least_ndim=3)
    *lead, heads, n, d_head = x.shape
    x = x.swapaxes(-3, -2)  # (..., n, heads, d_head)
    return x.reshape(*lead, n, heads * d_head)


def _check(x: Any, *, least_ndim: int) -> None:
    """Check that there are axes to cut or to merge."""
    check_plain("x", x)
    if x.ndim < least_ndim:
        raise ValueError(
            f"expected x with at least {least_ndim} dimensions, got {x.ndim} "
            f"(x.shape={tuple(x.shape)})"
        )
