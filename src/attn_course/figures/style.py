"""What all charts share: two widths, colours, dashes, marks, letters."""

import re
import textwrap
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

from attn_course.colours import ROLES, SERIES, SURFACES
from attn_course.optional import need

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = [
    "DASHES", "INK", "LINE", "MARKS", "NARROW", "PAPER", "SOFT", "WIDE",
    "Size", "colours_for", "frame", "lay_out", "settings", "tone", "wrapped",
]  # fmt: skip


class Size(NamedTuple):
    """How wide a chart is drawn, and its letters, in CSS pixels."""

    name: str
    width: int
    letters: int

    @property
    def narrow(self) -> bool:
        """Say whether this is the one for narrow screens."""
        return self.name == "narrow"


# `charts.css` shows the wide one where a pixel of it is at least 0.85 of the
# screen's, and the narrow one down to 300 pixels: no letter is below 11.
WIDE = Size("wide", 680, 13)
NARROW = Size("narrow", 330, 12)


def tone(name: str) -> str:
    """Give the colour that stands for a variable of the page: its light."""
    return {**ROLES, **SURFACES}[name].light


INK, SOFT, LINE, PAPER = map(tone, ("ink", "soft", "line", "paper"))
# What tells series apart where colours don't.
DASHES = ("-", (0, (5, 2)), (0, (6, 2, 1, 2)), (0, (1, 1.5)), (0, (9, 3)), "-")
MARKS = ("o", "s", "^", "D", "v", "X")
_ROLE = re.compile(rf"({'|'.join(ROLES)})s?\b")


def colours_for(names: Iterable[str]) -> list[str]:
    """Give each series a colour: its own where it is a part of attention."""
    names = list(names)
    alike = [match and match[1] for match in map(_ROLE.match, names)]
    # Two series of one role would look alike: only the one with its name.
    own = [
        role if name == role or alike.count(role) == 1 else None
        for name, role in zip(names, alike, strict=True)
    ]
    free = [name for name in SERIES if name not in own] or list(SERIES)
    rest = (free[i % len(free)] for i in range(len(names)))
    return [tone(role or next(rest)) for role in own]


def wrapped(text: str, letters: int) -> str:
    """Break a text into lines of so many letters, at spaces only."""
    lines = text.split("\n")
    return "\n".join(
        textwrap.fill(line, max(1, letters), break_long_words=False)
        for line in lines
    )


def settings(size: Size) -> dict[str, Any]:
    """Give matplotlib's settings: no box, a thin grid, the page's colours."""
    return {
        "svg.fonttype": "none",
        "svg.hashsalt": "attn",
        "text.parse_math": False,  # a token may hold a $
        "figure.dpi": 72,  # a point is a pixel
        "figure.constrained_layout.h_pad": 0.06,
        "figure.constrained_layout.w_pad": 0.03,
        "font.size": size.letters,
        "figure.facecolor": "none",
        "axes.facecolor": "none",
        "axes.edgecolor": SOFT,
        "axes.labelcolor": SOFT,
        "axes.labelsize": "medium",
        "axes.titlesize": "medium",
        "axes.titleweight": "bold",
        "axes.titlelocation": "left",
        "axes.axisbelow": True,
        "axes.linewidth": 1,
        "text.color": INK,
        "xtick.color": SOFT,
        "ytick.color": SOFT,
        "xtick.labelsize": "medium",
        "ytick.labelsize": "medium",
        **{f"axes.spines.{side}": False for side in ("left", "top", "right")},
        **{
            f"{axis}tick.{which}.size": 0
            for axis in "xy"
            for which in ("major", "minor")
        },
        "grid.color": LINE,
        "grid.linewidth": 1,
        "lines.linewidth": 2,
        "lines.markersize": 5,
        "legend.frameon": False,
        "legend.fontsize": "medium",
        "hatch.color": SOFT,
        "hatch.linewidth": 1,
        "image.interpolation": "none",
        "image.composite_image": False,
    }


def lay_out(
    size: Size,
    count: int,
    height: float,
    *,
    per_row: int = 2,
    **shared: Any,
) -> tuple["Figure", list[Any]]:
    """Lay out panels, each so high in pixels; one a row when narrow."""
    pyplot = need("matplotlib.pyplot")

    cols = min(1 if size.narrow else per_row, count)
    rows = -(-count // cols)
    figure, axes = pyplot.subplots(
        rows, cols, figsize=(size.width / 72, height * rows / 72),
        layout="constrained", squeeze=False, **shared,
    )  # fmt: skip
    # A notebook shows what a cell returns; closed, it isn't shown twice.
    pyplot.close(figure)
    for place in axes.flat[count:]:
        place.axis("off")
    return figure, list(axes.flat[:count])


def frame(place: Any, row: Any, col: Any) -> None:
    """Frame one cell of a drawn table."""
    Rectangle = need("matplotlib.patches").Rectangle

    place.add_patch(
        Rectangle(
            (col - 0.5, row - 0.5), 1, 1, fill=False, edgecolor=tone("key"),
            linewidth=2, clip_on=False, zorder=5,
        )
    )  # fmt: skip
