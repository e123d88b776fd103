"""Where a word stands: vectors added to the words, or turns of q and k."""

import math
from typing import Any

import numpy as np
from array_api_compat import array_namespace, device  # pyright: ignore[reportUnknownVariableType]
from jaxtyping import Float

from attn_course.masks import check_count

__all__ = ["rotate", "sinusoidal"]


def sinusoidal(n: int, d_model: int) -> Float[np.ndarray, "n d_model"]:
    """Give each position a vector of sines and cosines.

    Number 2i of position p is sin(p / 10000^(2i / d_model)), number 2i + 1
    is the cosine of the same angle (Vaswani et al. 2017, section 3.5). Going
    k positions further turns each pair by an angle that depends on k alone.

    Raises
    ------
    ValueError
        When a size is negative or not an integer, or d_model is odd.

    Examples
    --------
    >>> sinusoidal(2, 4).round(2)
    array([[0.  , 1.  , 0.  , 1.  ],
           [0.84, 0.54, 0.01, 1.  ]])
    """
    check_count("n", n)
    check_count("d_model", d_model, least=2)
    if d_model % 2:
        raise ValueError(f"expected d_model to be even, got {d_model}")
    speeds = 10_000.0 ** (-np.arange(0, d_model, 2) / d_model)  # (d_model/2,)
    angles = np.arange(n)[:, None] * speeds  # (n, d_model/2)
    pairs = np.stack([np.sin(angles), np.cos(angles)], axis=-1)
    return pairs.reshape(n, d_model)


def rotate(
    x: Float[Any, "... n d"], *, base: float = 10_000.0, start: int = 0
) -> Float[Any, "... n d"]:
    """Turn each pair of numbers by an angle that grows with the position.

    Rotary positions (Su et al. 2021, equation 34), with number i paired with
    number i + d/2. Afterwards q·k depends on how far query and key are apart,
    not on where they stand. The first vector stands at position `start`.
    NumPy and torch.

    Raises
    ------
    ValueError
        When d is odd, or `start` is negative or not an integer.

    Examples
    --------
    >>> x = np.array([[1.0, 0.0], [1.0, 0.0]])
    >>> rotate(x).round(2)  # position 1 turns by one radian
    array([[1.  , 0.  ],
           [0.54, 0.84]])
    >>> rotate(x[1:], start=1).round(2)
    array([[0.54, 0.84]])
    """
    check_count("start", start)
    xp = array_namespace(x)
    n, d = x.shape[-2:]
    if d % 2:
        raise ValueError(f"expected d to be even, got {d}")
    # float32 and no more, as the models were trained.
    place = xp.arange(start, start + n, dtype=xp.float32, device=device(x))
    pair = xp.arange(0, d, 2, dtype=xp.float32, device=device(x))
    speeds = xp.exp(-math.log(base) * pair / d)  # (d/2,)
    angles = place[:, None] * speeds  # (n, d/2)
    cos = xp.astype(xp.cos(angles), x.dtype)
    sin = xp.astype(xp.sin(angles), x.dtype)
    a, b = x[..., : d // 2], x[..., d // 2 :]  # (..., n, d/2) each
    return xp.concat([a * cos - b * sin, b * cos + a * sin], axis=-1)
