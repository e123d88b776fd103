"""The road to today's attention: what each step removed, and what it left."""

import csv
from importlib import resources
from typing import NamedTuple

__all__ = ["BOTTLENECKS", "Stop", "load_road"]

# What steps work on, in the order in which it became pressing.
BOTTLENECKS = {
    "fading": "the past fades",
    "one state": "one state of fixed size",
    "waiting": "one word after another",
    "pairs": "every pair is compared",
    "memory": "what must be kept or moved",
    "sight": "who may see what",
    "place": "place and length",
}


class Stop(NamedTuple):
    """One step of the road.

    `brought` says what was new, `removed` which bottleneck went with it and
    `left` which one stayed; `mended` and `open` say of which of BOTTLENECKS
    that was, as we read it (nothing: of none). `key` is that of the source
    in references.bib, `where` the page and the section that measure it, as
    in the ledger.
    """

    year: int
    name: str
    brought: str
    removed: str
    left: str
    mended: str
    open: str
    key: str
    where: str

    @property
    def chapter(self) -> int:
        """Number of the chapter that measures it."""
        return int(self.where.removeprefix("book/")[:2])


def load_road() -> list[Stop]:
    """Read the stops, in order of years.

    Examples
    --------
    >>> road = load_road()
    >>> [stop.name for stop in road if stop.year == 2017]
    ['Transformer']
    """
    file = resources.files("attn_course") / "data/road.csv"
    rows = csv.DictReader(file.read_text("utf-8").splitlines())
    return [Stop(**{**row, "year": int(row["year"])}) for row in rows]
