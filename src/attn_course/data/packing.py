"""Arrays as JSON: how recordings and widgets carry their numbers."""

import base64
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
        When dtype, shape and number of bytes do not fit together.
    """
    types = {"float32": "<f4", "int16": "<i2"}
    if packed.get("dtype") not in types:
        raise ValueError(
            f"expected dtype in {sorted(types)}, got {packed.get('dtype')!r}"
        )
    raw = base64.b64decode(packed["base64"], validate=True)
    numbers = np.frombuffer(raw, dtype=types[packed["dtype"]])
    if numbers.size != np.prod(packed["shape"], dtype=int):
        raise ValueError(
            f"expected {packed['shape']} numbers, got {numbers.size}"
        )
    numbers = numbers.astype(np.float64) * (packed.get("step") or 1.0)
    return numbers.reshape(packed["shape"])
