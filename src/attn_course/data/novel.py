"""A novel to learn letters from: the first chapters of one by Jane Austen."""

import re
from importlib import resources
from typing import NamedTuple

__all__ = ["Novel", "load_novel"]

SOURCE = (
    "Jane Austen, Sense and Sensibility (1811), chapters 1 to 26: public "
    "domain, by way of the Debian package r-cran-janeaustenr 1.0.0-1 (MIT)"
)
HELD_OUT = 3


class Novel(NamedTuple):
    """Two texts, a line for each paragraph, without the chapters' headings.

    `training` is chapters 1 to 23, `held_out` the three after them; `source`
    says where they come from.
    """

    training: str
    held_out: str
    source: str


def load_novel() -> Novel:
    """Read the chapters to learn from, and those to be tested on.

    Examples
    --------
    >>> novel = load_novel()
    >>> len(novel.training), len(novel.held_out)
    (244542, 36617)
    >>> novel.training[:55]
    'The family of Dashwood had long been settled in Sussex.'
    """
    folder = resources.files("attn_course") / "data/texts"
    text = (folder / "sense-and-sensibility.txt").read_text("utf-8")
    chapters = re.split(r"CHAPTER \d+\n", text)[1:]
    return Novel(
        training="".join(chapters[:-HELD_OUT]),
        held_out="".join(chapters[-HELD_OUT:]),
        source=SOURCE,
    )
