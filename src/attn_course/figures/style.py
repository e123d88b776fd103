"""What all figures share: colours, dashes, panels."""

from typing import TYPE_CHECKING, Any

from attn_course.optional import need

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["COLOURS", "DASHES", "MARKS", "frame", "panels_of"]

# Okabe and Ito's colours, told apart by colour-blind eyes, with dashes and
# marks that survive a grey print.
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#000000")
DASHES = ("-", "--", "-.", ":", "-")
MARKS = ("o", "s", "^", "D", "x")


def panels_of(
    count: int, width: float, height: float, **shared: bool
) -> tuple["Figure", list[Any]]:
    """Lay out panels of one size, in inches, two in a row."""
    pyplot = need("matplotlib.pyplot")

    rows, cols = -(-count // 2), min(2, count)
    figure, axes = pyplot.subplots(
        rows, cols, figsize=(width * cols, height * rows),
        layout="constrained", squeeze=False, **shared,
    )  # fmt: skip
    pyplot.close(figure)
    for place in axes.flat[count:]:
        place.axis("off")
    return figure, list(axes.flat[:count])


def frame(place: Any, row: int, col: int) -> None:
    """Frame one cell of a drawn table."""
    Rectangle = need("matplotlib.patches").Rectangle

    place.add_patch(
        Rectangle(
            (col - 0.5, row - 0.5), 1, 1, fill=False,
            edgecolor=COLOURS[1], linewidth=2,
        )
    )  # fmt: skip
