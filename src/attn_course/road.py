"""The road to today's attention: what each step removed, and what it left."""

import csv
import html
from importlib import resources
from typing import NamedTuple

__all__ = ["Road", "Stop", "load_road"]


class Stop(NamedTuple):
    """One step of the road.

    `brought` says what was new, `removed` which bottleneck went with it and
    `left` which one stayed. `key` is that of the source in references.bib,
    `chapter` the one that measures it.
    """

    year: int
    name: str
    who: str
    brought: str
    removed: str
    left: str
    key: str
    chapter: int


class Road(tuple[Stop, ...]):
    """Stops in the order of years, shown in notebooks as a list."""

    def _repr_html_(self) -> str:
        """Write an ordered list, which needs no width."""
        return f'<ol class="attn-road">{"".join(map(_item, self))}</ol>'


def load_road() -> Road:
    """Read the stops, in order of years.

    Examples
    --------
    >>> road = load_road()
    >>> [stop.name for stop in road if stop.year == 2017]
    ['Transformer']
    """
    file = resources.files("attn_course") / "data/road.csv"
    rows = csv.DictReader(file.read_text("utf-8").splitlines())
    return Road(
        Stop(
            **{
                name: int(text) if name in ("year", "chapter") else text
                for name, text in row.items()
            }
        )
        for row in rows
    )


def _item(stop: Stop) -> str:
    """Write one stop; every text is escaped."""
    say = {name: html.escape(str(x)) for name, x in stop._asdict().items()}
    return (
        "<li><strong>{year} · {name}</strong> ({who}). {brought}."
        "<br><em>Removed:</em> {removed}."
        "<br><em>Left:</em> {left}. Measured in chapter {chapter}.</li>"
    ).format(**say)
