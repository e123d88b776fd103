"""`FlashStepper`: flash attention, one tile at a time."""

from typing import Any, ClassVar

import numpy as np
import traitlets
from jaxtyping import Float

from attn_course.arrays import as_numbers
from attn_course.flash.steps import ORDERS, Step, standard_bytes, steps
from attn_course.html import html_table
from attn_course.random_numbers import normal
from attn_course.widgets.base import CourseWidget

__all__ = ["FlashStepper"]

MOST, LARGEST = 16, 100.0  # vectors; what stands in them
LONGEST = {"query": 8, "key": 8, "value": 2}
RIGHT = 1e-9  # rounding apart


class FlashStepper(CourseWidget):
    """The tiles of flash attention and what each row holds meanwhile.

    The reader steps through the tiles, changes their size and the order of
    the loops, and may leave out the factor exp(m_old − m_new).

    Parameters
    ----------
    query, key, value
        Shapes `(n_q, d_k)`, `(n_k, d_k)` and `(n_k, d_v)`, with n_q and n_k
        ≤ 16, d_k ≤ 8, d_v ≤ 2; numbers from −100 to 100. Eight of each,
        drawn once and rounded to tenths, unless told.
    title, note, name
        Words above and below; the name in links.
    **state
        Start values of the traits: step (tiles done), block_q, block_k (rows
        and columns of a tile), causal, order (the outer loop: "queries" or
        "keys"), broken (leave out the factor).

    Raises
    ------
    ValueError
        When shapes or numbers do not fit.

    Examples
    --------
    >>> stepper = FlashStepper(block_q=4, block_k=4)
    >>> len(stepper.steps), stepper.wrong_rows
    (4, [])
    >>> stepper.broken = True
    >>> stepper.wrong_rows  # counted from 0
    [2, 3, 6, 7]
    """

    _tag = "attn-flash"
    _reader: ClassVar[tuple[str, ...]] = (
        "step", "block_q", "block_k", "causal", "order", "broken",
    )  # fmt: skip
    _constants = ("MOST", "LONGEST", "LARGEST", "RIGHT")

    step = traitlets.Int(1, min=0).tag(sync=True)
    block_q = traitlets.Int(4, min=1).tag(sync=True)
    block_k = traitlets.Int(4, min=1).tag(sync=True)
    causal = traitlets.Bool(False).tag(sync=True)
    order = traitlets.Enum(ORDERS[::-1], ORDERS[-1]).tag(sync=True)
    broken = traitlets.Bool(False).tag(sync=True)

    def __init__(
        self,
        query: Float[Any, "n_q d_k"] | None = None,
        key: Float[Any, "n_k d_k"] | None = None,
        value: Float[Any, "n_k d_v"] | None = None,
        *,
        title: str = "Flash attention, one tile at a time",
        note: str = "",
        name: str = "flash",
        **state: Any,
    ) -> None:
        # In this draw the second half of the keys holds the largest score
        # of half of the rows: there the rescaling matters.
        drawn = np.round(normal(3, 48).reshape(3, 8, 2) * 1.5, 1)
        given = zip((query, key, value), drawn, strict=True)
        self._arrays = _checked(*(d if x is None else x for x, d in given))
        query, key, value = self._arrays
        source = {
            "query": query.tolist(),
            "key": key.tolist(),
            "value": value.tolist(),
            "title": title,
            "note": note,
        }
        start = {"block_q": min(4, len(query)), "block_k": min(4, len(key))}
        super().__init__(name=name, source=source, **{**start, **state})

    @traitlets.validate("step", "block_q", "block_k")
    def _fits(self, proposal: Any) -> int:
        n_q, n_k = (len(x) for x in self._arrays[:2])
        name, value = proposal["trait"].name, proposal["value"]
        most = {"step": n_q * n_k, "block_q": n_q, "block_k": n_k}[name]
        if value > most:
            raise traitlets.TraitError(
                f"expected {name} of at most {most}, got {value}"
            )
        return value

    @property
    def steps(self) -> list[Step]:
        """Every tile, with what each row holds after it."""
        names = ("block_q", "block_k", "causal", "order", "broken")
        return steps(*self._arrays, **{n: getattr(self, n) for n in names})

    @property
    def wrong_rows(self) -> list[int]:
        """The rows whose output is wrong at the end, counted from 0."""
        return np.flatnonzero(self.steps[-1].errors > RIGHT).tolist()

    def table(self) -> str:
        """Give what each row holds after the last tile, as an HTML table."""
        done = self.steps
        last = done[-1]
        rows = [
            (
                f"q{q + 1}",
                [
                    f"{last.m[q]:.2f}",
                    f"{last.l[q]:.2f}",
                    _vector(last.output[q]),
                    _vector(last.normalized[q]),
                    _vector(last.expected[q]),
                ],
            )
            for q in range(len(last.m))
        ]
        (n_q, d_k), (n_k, d_v) = self._arrays[0].shape, self._arrays[2].shape
        title = (
            f"{self.source['title']}: after {len(done)} tiles and "
            f"{last.read + last.written} bytes; standard attention moves "
            f"{standard_bytes(n_q, n_k, d_k, d_v)}"
        )
        head = ["row", "m", "l", "O", "O / l", "attention"]
        return html_table(title, head, rows)


def _vector(numbers: np.ndarray) -> str:
    return ", ".join(f"{x:.2f}" for x in numbers)


def _checked(query: Any, key: Any, value: Any) -> tuple[np.ndarray, ...]:
    """Check shapes and numbers of one small head."""
    arrays = []
    given = {"query": query, "key": key, "value": value}
    for name, x in given.items():
        x, most = as_numbers(name, x), LONGEST[name]
        fits = x.ndim == 2 and all(
            1 <= size <= limit
            for size, limit in zip(x.shape, (MOST, most), strict=True)
        )
        if not fits:
            raise ValueError(
                f"expected {name} of shape (n, d) with n from 1 to {MOST} "
                f"and d from 1 to {most}, got {x.shape}"
            )
        if not (np.abs(x) <= LARGEST).all():
            raise ValueError(
                f"expected {name} within ±{LARGEST:g}, got {x.tolist()}"
            )
        arrays.append(x)
    query, key, value = arrays
    if query.shape[1] != key.shape[1] or len(key) != len(value):
        raise ValueError(
            "expected keys as long as queries and a value for each key, got "
            f"query {query.shape}, key {key.shape}, value {value.shape}"
        )
    return query, key, value
