"""Numbers with their spread, and how they are written."""

import math
from collections.abc import Mapping
from typing import Any

from attn_course.interpret.statistics import over_seeds

__all__ = ["measured", "readable", "show"]

# A value as it travels: a number, a word, or a number for each seed.
Value = float | int | str | Mapping[str, Any]

_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
FIELDS = ("spread", "min", "max", "seeds")


def measured(value: Any) -> Value:
    """Make plain data of what a cell measured.

    One number stays one number. A list holds one number for each seed and
    becomes their mean with the smallest and largest:

    >>> measured([0.5, 0.75, 1.0])["mean"]
    0.75

    Raises
    ------
    ValueError
        For NaN, infinity, an empty list, and what is no number or word.
    """
    if hasattr(value, "tolist"):  # NumPy and torch
        value = value.tolist()
    if isinstance(value, list | tuple):
        each = [measured(one) for one in value]
        if not each or not all(isinstance(one, int | float) for one in each):
            raise ValueError(
                f"expected one number for each seed, got {value!r}"
            )
        return {**over_seeds(each)._asdict(), "each": each}
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | str):
        return value
    if isinstance(value, float) and math.isfinite(value):
        return value
    raise ValueError(
        f"expected a finite number, a word, or a list of numbers, one for "
        f"each seed; got {value!r}"
    )


def readable(number: float | int | str, form: str = "") -> str:
    """Write a number for a reader: three digits, a real minus.

    >>> readable(1 / 3), readable(-12345.6), readable(0.00001234)
    ('0.333', '−12,346', '1.23 × 10⁻⁵')
    >>> readable(0.71, ".0%")
    '71%'

    Raises
    ------
    ValueError
        When `form` is no format of Python for such a number.
    """
    if isinstance(number, str):
        return format(number, form)
    if form:
        text = format(number, form)
    elif isinstance(number, int) or abs(number) >= 1000:
        text = format(number, ",.0f")
    elif number == 0 or abs(number) >= 0.001:
        text = format(number, ".3g")
    else:
        text = format(number, ".2e")
    digits, e, power = text.partition("e")
    if e and power.lstrip("+-").isdigit():
        text = f"{digits} × 10{str(int(power)).translate(_RAISED)}"
    return text.replace("-", "−")


def _digits(value: Mapping[str, Any]) -> str:
    """Choose a format by the spread: digits that differ, and no more."""
    width = value["max"] - value["min"]
    largest = max(abs(value["min"]), abs(value["max"]))
    if width == 0 or not 0.001 <= largest < 1e6:
        return ""
    return f"z,.{max(0, -math.floor(math.log10(width / 2)))}f"


def show(value: Value, form: str = "", field: str = "") -> str:
    """Write a value, or one field of a value that has a spread.

    >>> value = measured([0.69, 0.71, 0.73])
    >>> show(value), show(value, field="spread"), show(value, field="seeds")
    ('0.71', '0.71 (0.69 to 0.73 over 3 seeds)', '3')

    Raises
    ------
    ValueError
        When the value has no such field, or `form` does not fit.
    """
    if not isinstance(value, Mapping):
        if field:
            raise ValueError(f"it was reported without seeds: no {field!r}")
        return readable(value, form)
    if field == "seeds":
        return str(len(value["each"]))
    form = form or _digits(value)
    if field == "spread":
        mean, low, high = (
            readable(value[key], form) for key in ("mean", "min", "max")
        )
        seeds = len(value["each"])
        return f"{mean} ({low} to {high} over {seeds} seeds)"
    return readable(value[field or "mean"], form)
