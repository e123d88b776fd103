"""What the answers of several exercises are made of."""

import numpy as np

__all__ = ["softmax", "swap"]


def softmax(x: np.ndarray, axis: int | tuple[int, ...] = -1) -> np.ndarray:
    """Turn numbers into shares that sum to 1 along an axis."""
    shares = np.exp(x - x.max(axis=axis, keepdims=True))
    return shares / shares.sum(axis=axis, keepdims=True)


def swap(x: np.ndarray) -> np.ndarray:
    """Transpose the last two axes: (..., n, d) to (..., d, n)."""
    return np.swapaxes(x, -1, -2)
