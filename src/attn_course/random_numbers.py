"""Random numbers that a browser can draw too, digit for digit."""

import math

import numpy as np
from jaxtyping import Float

__all__ = ["normal", "uniform"]


def normal(seed: int, count: int) -> Float[np.ndarray, " count"]:
    """Draw standard normal numbers (Box and Muller 1958), `(count,)`.

    Examples
    --------
    >>> normal(0, 3).round(3)
    array([0.787, 0.002, 0.431])
    """
    u = uniform(seed, count + count % 2).reshape(-1, 2)
    radius = np.sqrt(-2.0 * np.log(1.0 - u[:, 0]))
    angle = 2.0 * math.pi * u[:, 1]
    pairs = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)
    return pairs.reshape(-1)[:count]


def uniform(seed: int, count: int) -> Float[np.ndarray, " count"]:
    """Draw numbers in [0, 1) with mulberry32, all of the stream at once."""
    mask = np.uint64(0xFFFFFFFF)
    start = np.uint64(int(seed) & 0xFFFFFFFF)  # of a seed of any size
    steps = np.arange(1, count + 1, dtype=np.uint64)
    a = (start + steps * np.uint64(0x6D2B79F5)) & mask
    t = ((a ^ (a >> np.uint64(15))) * (a | np.uint64(1))) & mask
    mixed = ((t ^ (t >> np.uint64(7))) * (t | np.uint64(61))) & mask
    t = t ^ ((t + mixed) & mask)
    return ((t ^ (t >> np.uint64(14))) & mask) / 4294967296.0
