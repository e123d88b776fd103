"""`RecordedCurves`: the curves of a recorded experiment, by its conditions."""

import itertools
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import traitlets

from attn_course.arrays import as_array
from attn_course.html import html_table
from attn_course.widgets.base import CourseWidget

__all__ = ["RecordedCurves"]

SEED = "seed"


class RecordedCurves(CourseWidget):
    """Curves over one condition; the reader picks the others.

    Each record is one run: its conditions, and for each measure a list with
    one number for each level of `axis`, None or NaN where there is none. All
    seeds of a condition make one line: their mean, and a band from the
    smallest to the largest.

    Parameters
    ----------
    records
        One mapping a run: `{"model": "GRU", "seed": 0, "accuracy": [1, .9]}`.
    axis
        Name and levels of what each list of numbers runs over:
        `("length", [5, 10])`.
    lines
        The condition whose levels become lines.
    measures
        What can be shown: the name in the records, and the words for it.
    labels
        Words for the conditions and the axis; their names by default.
    log
        Conditions that are shown on a logarithmic axis.
    xs
        What may be the horizontal axis: by default all that are numbers.
    title, note, name
        Words above and below; the name in links.
    **state
        Start values of the traits: x, measure, picks, each_seed, at.

    Raises
    ------
    ValueError
        When a record lacks a condition, two records say the same, or a list
        does not match the axis.

    Examples
    --------
    >>> runs = [
    ...     {"model": m, "hidden": h, "seed": s, "accuracy": [1.0, h / 200]}
    ...     for m in ("GRU", "attention")
    ...     for h in (50, 100)
    ...     for s in (0, 1)
    ... ]
    >>> w = RecordedCurves(
    ...     runs,
    ...     axis=("length", [5, 20]),
    ...     lines="model",
    ...     measures={"accuracy": "accuracy"},
    ... )
    >>> w.picks = {"hidden": "50"}
    >>> w.curves["GRU"]["mean"]
    [1.0, 0.25]
    """

    _tag = "attn-curves"
    _reader: ClassVar[tuple[str, ...]] = (
        "x", "measure", "picks", "each_seed", "at",
    )  # fmt: skip
    _constants = ("SEED",)

    x = traitlets.Unicode().tag(sync=True)
    measure = traitlets.Unicode().tag(sync=True)
    picks = traitlets.Dict().tag(sync=True)
    each_seed = traitlets.Bool(False).tag(sync=True)
    at = traitlets.Int(0, min=0).tag(sync=True)

    def __init__(
        self,
        records: Sequence[Mapping[str, Any]],
        *,
        axis: tuple[str, Sequence[float]],
        lines: str,
        measures: Mapping[str, str],
        labels: Mapping[str, str] | None = None,
        log: Sequence[str] = (),
        xs: Sequence[str] | None = None,
        title: str = "Recorded curves",
        note: str = "",
        name: str = "curves",
        **state: Any,
    ) -> None:
        levels = _levels(records, axis, measures)
        values = {m: _table(records, levels, axis, m) for m in measures}
        if xs is None:
            xs = [axis[0]] + [
                d
                for d in levels
                if d not in (axis[0], lines, SEED)
                and len(levels[d]) > 1
                and all(isinstance(level, int | float) for level in levels[d])
            ]
        for wanted in (lines, *xs):
            if wanted not in levels:
                raise ValueError(
                    f"expected one of {list(levels)}, got {wanted!r}"
                )
        labels = dict(labels or {})
        source = {
            "dimensions": [
                {
                    "name": d,
                    "label": labels.get(d, d),
                    "levels": levels[d],
                    "log": d in log,
                }
                for d in levels
            ],
            "measures": [
                {"name": m, "label": words, "values": values[m]}
                for m, words in measures.items()
            ],
            "lines": lines,
            "xs": list(xs),
            "title": title,
            "note": note,
        }
        picks = {
            d: str(levels[d][-1]) for d in levels if d not in (lines, SEED)
        }
        start = {
            "x": xs[0],
            "measure": next(iter(measures)),
            "at": len(levels[xs[0]]) - 1,
        }
        picks |= state.pop("picks", {})
        super().__init__(
            name=name, source=source, picks=picks, **{**start, **state}
        )

    @traitlets.validate("picks")
    def _complete(self, proposal: Any) -> dict[str, str]:
        """Keep what is not named; refuse what was not recorded."""
        levels = {d["name"]: d["levels"] for d in self.source["dimensions"]}
        for name, level in proposal["value"].items():
            known = [str(x) for x in levels.get(name, [])]
            if str(level) not in known:
                raise traitlets.TraitError(
                    f"expected {name} in {known}, got {level!r}"
                )
        new = {k: str(v) for k, v in proposal["value"].items()}
        return {**self.picks, **new}

    @traitlets.validate("x", "measure")
    def _known(self, proposal: Any) -> str:
        name = proposal["trait"].name
        known = {
            "x": self.source["xs"],
            "measure": [m["name"] for m in self.source["measures"]],
        }[name]
        if proposal["value"] not in known:
            raise traitlets.TraitError(
                f"expected {name} in {known}, got {proposal['value']!r}"
            )
        return proposal["value"]

    @property
    def curves(self) -> dict[str, dict[str, list[float]]]:
        """Give the lines shown: x, mean, low and high of each.

        A combination that was not recorded has no points.
        """
        dimensions = self.source["dimensions"]
        shape = [len(d["levels"]) for d in dimensions]
        (values,) = (
            m["values"]
            for m in self.source["measures"]
            if m["name"] == self.measure
        )
        table = np.array(values, dtype=float).reshape(shape)
        names = [d["name"] for d in dimensions]
        for d in dimensions:
            if d["name"] in (self.source["lines"], self.x, SEED):
                continue
            levels = [str(level) for level in d["levels"]]
            table = table.take(
                [levels.index(self.picks[d["name"]])],
                axis=names.index(d["name"]),
            )
        order = [names.index(n) for n in (self.source["lines"], self.x)]
        rest = [i for i in range(len(names)) if i not in order]
        table = table.transpose(*order, *rest)
        table = table.reshape(*table.shape[:2], -1)  # (line, x, seed)
        lines, xs = (dimensions[i]["levels"] for i in order)
        return {
            str(line): _line(xs, rows)
            for line, rows in zip(lines, table, strict=True)
        }

    def table(self) -> str:
        """Give the curves shown as an HTML table."""
        labels = {d["name"]: d["label"] for d in self.source["dimensions"]}
        labels |= {m["name"]: m["label"] for m in self.source["measures"]}
        (levels,) = (
            d["levels"]
            for d in self.source["dimensions"]
            if d["name"] == self.x
        )
        rows = []
        for line, curve in self.curves.items():
            found = dict(zip(curve["x"], _cells(curve), strict=True))
            rows.append((line, [found.get(x, "–") for x in levels]))
        title = f"{self.source['title']}: {labels[self.measure]}"
        heads = [f"{labels[self.x]} {x}" for x in levels]
        return html_table(title, [labels[self.source["lines"]], *heads], rows)


def _levels(
    records: Sequence[Mapping[str, Any]],
    axis: tuple[str, Sequence[float]],
    measures: Mapping[str, str],
) -> dict[str, list]:
    """Collect the levels of every condition; numbers in their order."""
    if not records:
        raise ValueError("expected at least one record, got none")
    levels: dict[str, list] = {}
    conditions = [c for c in records[0] if c not in measures]
    for condition in conditions:
        for record in records:
            if condition not in record:
                raise ValueError(
                    f"expected {condition!r} in each record, "
                    f"got {sorted(record)}"
                )
        seen = list(dict.fromkeys(_native(r[condition]) for r in records))
        numeric = all(isinstance(x, int | float) for x in seen)
        levels[condition] = sorted(seen) if numeric else seen
    levels[axis[0]] = [_native(level) for level in axis[1]]
    return levels


def _gaps(numbers: Any) -> Any:
    """Let None in a list stand for what could not be measured, as NaN."""
    if not isinstance(numbers, list | tuple):
        return numbers
    return [np.nan if number is None else number for number in numbers]


def _native(level: Any) -> Any:
    """Give a number of NumPy's or torch's as one that JSON knows."""
    return level.item() if hasattr(level, "item") else level


def _table(
    records: Sequence[Mapping[str, Any]],
    levels: dict[str, list],
    axis: tuple[str, Sequence[float]],
    measure: str,
) -> list[float | None]:
    """Spread the records over all combinations; None where none was run."""
    conditions = [d for d in levels if d != axis[0]]
    runs: dict[tuple, Sequence[float | None]] = {}
    for record in records:
        place = tuple(record[c] for c in conditions)
        if place in runs:
            raise ValueError(
                f"expected one record for each condition, got two for {place}"
            )
        values = as_array(measure, _gaps(record[measure]))
        if values.shape != (len(axis[1]),) or np.isinf(values).any():
            raise ValueError(
                f"expected {len(axis[1])} numbers of {measure} for each "
                f"record, got {values.tolist()}"
            )
        # NaN: what could not be measured is what was not run.
        runs[place] = [None if x != x else x for x in values.tolist()]
    empty: Sequence[float | None] = [None] * len(axis[1])
    return [
        value
        for place in itertools.product(*(levels[c] for c in conditions))
        for value in runs.get(place, empty)
    ]


def _line(xs: list[float], rows: np.ndarray) -> dict[str, list[float]]:
    """Summarise the seeds at each x, `(x, seed)`, where there are any."""
    there: Any = ~np.isnan(rows).all(axis=1)
    kept = rows[there]
    return {
        "x": [x for x, good in zip(xs, there, strict=True) if good],
        "mean": np.nanmean(kept, axis=1).tolist(),
        "low": np.nanmin(kept, axis=1).tolist(),
        "high": np.nanmax(kept, axis=1).tolist(),
    }


def _cells(curve: Mapping[str, list[float]]) -> list[str]:
    """Write each point with its spread."""
    return [
        f"{mean:.2f} ({low:.2f} to {high:.2f})"
        for mean, low, high in zip(
            curve["mean"], curve["low"], curve["high"], strict=True
        )
    ]
