"""Arrays as JSON: how recordings and widgets carry their numbers."""

import base64
import math
from typing import Any

import numpy as np

__all__ = ["pack_array", "unpack_array"]

# The largest magnitude that a 16-bit integer holds.
_LIMIT = 32767


def pack_array(array: Any, *, step: float | None = None) -> dict[str, Any]:
    """Turn an array into a dictionary that JSON can carry.

    Without `step` the numbers travel as float32. With `step` each is
    rounded to the nearest multiple of it and travels as a 16-bit integer:
    half the size, and the rounding error is at most `step / 2`.

    Raises
    ------
    ValueError
        When the array holds NaN or inf, or `step` is too small for its
        range.
    """
    array = np.asarray(array, dtype=np.float64)
    if not np.isfinite(array).all():
        raise ValueError(
            "expected finite numbers, got NaN or inf in an array of shape "
            f"{array.shape}"
        )
    if step is None:
        dtype, numbers = "float32", array.astype("<f4")
    else:
        counts = np.rint(array / step)
        if counts.size and np.abs(counts).max() > _LIMIT:
            raise ValueError(
                f"expected numbers within ±{_LIMIT * step:g} for "
                f"step={step:g}, got {np.abs(array).max():g}"
            )
        dtype, numbers = "int16", counts.astype("<i2")
    return {
        "dtype": dtype,
        "shape": list(array.shape),
        "step": step,
        "base64": base64.b64encode(numbers.tobytes()).decode("ascii"),
    }


def unpack_array(packed: dict[str, Any]) -> np.ndarray:
    """Give back the float64 array that `pack_array` packed.

    Raises
    ------
    ValueError
        When dtype, shape and number of bytes do not fit together, or one of
        them is none.
    """
    if not isinstance(packed, dict):
        raise ValueError(f"expected a packed array, got {packed!r}")
    types = {"float32": "<f4", "int16": "<i2"}
    if str(packed.get("dtype")) not in types:
        raise ValueError(
            f"expected dtype in {sorted(types)}, got {packed.get('dtype')!r}"
        )
    dtype = np.dtype(types[packed["dtype"]])
    shape, text = packed.get("shape"), packed.get("base64")
    if not _is_shape(shape):
        raise ValueError(f"expected shape of counts, got {shape!r}")
    try:
        raw = base64.b64decode(text, validate=True)
    except (TypeError, ValueError) as error:
        raise ValueError(f"expected numbers in base64: {error}") from None
    if len(raw) != math.prod(shape) * dtype.itemsize:
        raise ValueError(
            f"expected {shape} numbers, got {len(raw) / dtype.itemsize:g}"
        )
    numbers = np.frombuffer(raw, dtype=dtype).astype(np.float64)
    return (numbers * (packed.get("step") or 1.0)).reshape(shape)


def _is_shape(shape: Any) -> bool:
    """Say whether this is a list of counts."""
    return isinstance(shape, list | tuple) and all(
        isinstance(n, int) and n >= 0 for n in shape
    )
