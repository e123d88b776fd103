"""Arrays as JSON: how recordings and widgets carry their numbers."""

import base64
import math
from typing import Any, TypeGuard

import numpy as np

from attn_course.arrays import as_numbers

__all__ = ["pack_array", "unpack_array"]

# The largest magnitude that a 16-bit integer holds.
_LIMIT = 32767
_TYPES = {"float32": "<f4", "float16": "<f2", "int16": "<i2"}


def pack_array(
    array: Any,
    *,
    step: float | None = None,
    half: bool = False,
    missing: bool = False,
) -> dict[str, Any]:
    """Turn an array into a dictionary that JSON can carry.

    Without `step` the numbers travel as float32; one beyond its range
    becomes its largest. With `step` each is rounded to the nearest multiple
    of it and travels as a 16-bit integer: half the size, and the rounding
    error is at most `step / 2`. With `half` they travel as float16, which is
    as small: the rounding error is at most 1/2048 of each number, so that
    rows of weights, however many share them, still sum to 1.

    With `missing` an array may hold NaN: 0 travels in its place, and the
    entry "missing" lists the places, counted through all axes.

    Raises
    ------
    ValueError
        When the array holds NaN or inf, or `step` is too small for its
        range.

    Examples
    --------
    >>> packed = pack_array([0.5, float("nan")], missing=True)
    >>> packed["missing"], unpack_array(packed).tolist()
    ([1], [0.5, nan])
    """
    array = as_numbers("numbers", array)
    unknown: list[int] = []
    if missing and (gaps := np.isnan(array)).any():
        unknown = np.flatnonzero(gaps).tolist()
        array = np.where(gaps, 0.0, array)
    if not np.isfinite(array).all():
        raise ValueError(
            "expected finite numbers, got NaN or inf in an array of shape "
            f"{array.shape}"
        )
    if step is not None and not 0 < step < math.inf:
        raise ValueError(f"expected a finite step above 0, got {step}")
    if step is None:
        dtype = "float16" if half else "float32"
        most = float(np.finfo(dtype).max)
        numbers = np.clip(array, -most, most).astype(_TYPES[dtype])
    else:
        counts = np.rint(array / step)
        if counts.size and np.abs(counts).max() > _LIMIT:
            raise ValueError(
                f"expected numbers within ±{_LIMIT * step:g} for "
                f"step={step:g}, got {np.abs(array).max():g}"
            )
        dtype, numbers = "int16", counts.astype("<i2")
    packed = {
        "dtype": dtype,
        "shape": list(array.shape),
        "step": None if step is None else float(step),
        "base64": base64.b64encode(numbers.tobytes()).decode("ascii"),
    }
    return {**packed, "missing": unknown} if unknown else packed


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
    if str(packed.get("dtype")) not in _TYPES:
        raise ValueError(
            f"expected dtype in {sorted(_TYPES)}, got {packed.get('dtype')!r}"
        )
    dtype = np.dtype(_TYPES[packed["dtype"]])
    shape, text = packed.get("shape"), packed.get("base64")
    if not _is_shape(shape):
        raise ValueError(f"expected shape of counts, got {shape!r}")
    try:
        raw = base64.b64decode(text, validate=True)  # pyright: ignore[reportArgumentType]
    except (TypeError, ValueError) as error:
        raise ValueError(f"expected numbers in base64: {error}") from None
    if len(raw) != math.prod(shape) * dtype.itemsize:
        raise ValueError(
            f"expected {shape} numbers, got {len(raw) / dtype.itemsize:g}"
        )
    numbers = np.frombuffer(raw, dtype=dtype).astype(np.float64)
    try:
        numbers = numbers * float(packed.get("step") or 1.0)
        numbers[packed.get("missing", [])] = np.nan
    except (IndexError, OverflowError, TypeError, ValueError) as error:
        raise ValueError(
            f"expected a step and the places of gaps: {error}"
        ) from None
    return numbers.reshape(shape)


def _is_shape(shape: Any) -> TypeGuard[list[int]]:
    """Say whether this is a list of counts."""
    return isinstance(shape, list | tuple) and all(
        type(n) is int and n >= 0 for n in shape
    )
