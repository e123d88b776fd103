"""Names beside what they name: at the ends of curves, above the axes."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float

from attn_course.figures.style import INK, Size, wrapped
from attn_course.optional import need

__all__ = ["key", "name_axes", "name_ends", "pick", "plain", "spread"]

LINE_HEIGHT = 1.2


def spread(
    wanted: Sequence[float],
    heights: Sequence[float],
    low: float = -np.inf,
    high: float = np.inf,
) -> Float[np.ndarray, " n"]:
    """Move labels apart, each as little as it takes.

    Parameters
    ----------
    wanted
        Where the middle of each should be.
    heights
        How high each is.
    low, high
        Where the lowest may begin, and the highest end, if all have room.

    Examples
    --------
    >>> spread([0, 1, 9], [4, 4, 4])
    array([-1.5,  2.5,  9. ])
    """
    order = np.argsort(wanted, kind="stable")
    # What touches moves as one block, to the mean of what its parts want.
    blocks: list[tuple[float, float, list[int]]] = []  # middle, height, parts
    for i in order:
        block = (float(wanted[i]), float(heights[i]), [int(i)])
        while blocks and _touch(blocks[-1], block):
            block = _joined(blocks.pop(), block, wanted, heights)
        blocks.append(block)
    found = np.zeros(len(wanted))
    for middle, height, parts in blocks:
        at = middle - height / 2
        for i in parts:
            found[i] = at + heights[i] / 2
            at += heights[i]
    for i in order[np.argsort(found[order], kind="stable")]:
        found[i] = max(found[i], low + heights[i] / 2)
        low = found[i] + heights[i] / 2
    for i in order[np.argsort(-found[order], kind="stable")]:
        found[i] = min(found[i], high - heights[i] / 2)
        high = found[i] - heights[i] / 2
    return found


def _touch(below: Any, above: Any) -> bool:
    return above[0] - below[0] < (above[1] + below[1]) / 2


def _joined(below: Any, above: Any, wanted: Any, heights: Any) -> Any:
    parts = [*below[2], *above[2]]
    starts = np.cumsum([0.0, *(heights[i] for i in parts)])
    middles = [starts[k] + heights[i] / 2 for k, i in enumerate(parts)]
    bottom = np.mean([wanted[i] - middles[k] for k, i in enumerate(parts)])
    return bottom + starts[-1] / 2, starts[-1], parts


def name_ends(
    axes: Any,
    size: Size,
    ends: Mapping[str, tuple[float, float, str]],
) -> None:
    """Write each name at the end of its curve: `(x, y, colour)`.

    Where names are too long for a narrow place they stand below, with a
    piece of their line.
    """
    most = 15 if size.narrow else 28
    longest = max(len(name) for name in ends)
    if size.narrow and (longest > 26 or len(ends) * longest > 78):
        key(axes.figure, size)
        return
    right = max(x for x, _, _ in ends.values())
    _name_what_ends_before(axes, ends, right)
    ends = {name: end for name, end in ends.items() if end[0] == right}
    texts = [wrapped(name, most) for name in ends]
    labels = [
        axes.annotate(
            text, (right, y), xytext=(9, 0), color=colour,
            textcoords="offset points", va="center", ha="left",
            annotation_clip=False, linespacing=LINE_HEIGHT - 0.2,
        )
        for text, (_, y, colour) in zip(texts, ends.values(), strict=True)
    ]  # fmt: skip
    axes.figure.draw_without_rendering()  # lays out: now heights are known
    wanted = [
        axes.transData.transform((right, y))[1] for _, y, _ in ends.values()
    ]
    heights = [
        (text.count("\n") + 1) * LINE_HEIGHT * size.letters for text in texts
    ]
    box = axes.get_window_extent()
    places = spread(wanted, heights, box.y0, box.y1 + size.letters)
    for label, move, (_, y, colour) in zip(
        labels, places - wanted, ends.values(), strict=True
    ):
        label.set_position((9, move))
        if abs(move) > 3:
            axes.annotate(
                "", (right, y), xytext=(8, move), textcoords="offset points",
                arrowprops={
                    "arrowstyle": "-", "color": colour, "linewidth": 0.8,
                    "shrinkA": 0, "shrinkB": 2,
                },
                annotation_clip=False,
            )  # fmt: skip


def _name_what_ends_before(
    axes: Any, ends: Mapping[str, tuple[float, float, str]], right: float
) -> None:
    """Write the name of a shorter curve at its end, on the outer side."""
    middle = np.median([y for _, y, _ in ends.values()])
    for name, (x, y, colour) in ends.items():
        if x != right:
            below = y < middle
            axes.annotate(
                name, (x, y), xytext=(2, -4 if below else 4), color=colour,
                textcoords="offset points", ha="center",
                va="top" if below else "bottom",
            )  # fmt: skip


def key(figure: Any, size: Size, *, handles: Any = None) -> None:
    """Explain lines or bars below the axes, never over them."""
    if handles is None:
        handles = figure.axes[0].get_legend_handles_labels()[0]
    longest = max(len(str(handle.get_label())) for handle in handles)
    room = size.width / (0.6 * size.letters * longest + 50)
    figure.legend(
        handles=handles, loc="outside lower left", handlelength=2.4,
        ncols=max(1, min(len(handles), int(room))), borderaxespad=0.2,
    )  # fmt: skip


def name_axes(
    axes: Any, size: Size, *, xlabel: str, ylabel: str, title: str = ""
) -> None:
    """Write title and y's name above the axes, where both have room."""
    ScaledTranslation = need("matplotlib.transforms").ScaledTranslation

    most = int(1.75 * axes.figure.get_figwidth() * 72 / size.letters)
    if axes.get_subplotspec().get_gridspec().ncols > 1:
        most //= 2
    above = wrapped(ylabel, most)
    lift = ScaledTranslation(0, 7 / 72, axes.figure.dpi_scale_trans)
    axes.set_ylabel(above, rotation=0, ha="left", va="bottom")
    axes.yaxis.set_label_coords(0, 1, transform=axes.transAxes + lift)
    lines = (above.count("\n") + 1) if above else 0
    # The layout keeps room for a title alone: an empty line for y's name.
    axes.set_title(
        wrapped(title, int(0.8 * most)) or " " * bool(above),
        pad=9 + (lines - (not title)) * LINE_HEIGHT * size.letters,
        color=INK,
    )
    axes.set_xlabel(xlabel, loc="right" if len(xlabel) < 24 else "center")


def plain(value: float, _: Any = None) -> str:
    """Write a tick: 0.001, 1000, 2e+06."""
    return f"{value:g}".replace("-", "−")


def pick(
    places: Sequence[float], texts: Sequence[str], size: Size, share: float = 1
) -> tuple[list[float], list[str]]:
    """Leave out ticks whose texts would touch; the last stays.

    `places` are where they stand, in even units of the axis.
    """
    low, high = min(places), max(places)
    pixel = 0.8 * share * size.width / ((high - low) or 1)
    kept: list[int] = []
    for i in sorted(range(len(places)), key=lambda i: -places[i]):
        room = (max(len(texts[i]), 2) + 1.5) * 0.62 * size.letters
        if not kept or (places[kept[-1]] - places[i]) * pixel >= room:
            kept.append(i)
    return [places[i] for i in kept][::-1], [texts[i] for i in kept][::-1]
