"""Curves, bars and points."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float

from attn_course.figures.style import COLOURS, DASHES, MARKS
from attn_course.optional import need

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["bars", "costs", "curves", "dumbbells", "over_time", "scatter"]


def bars(
    names: Sequence[str],
    groups: Mapping[str, Float[Any, " n"]],
    *,
    ylabel: str,
    title: str = "",
) -> "Figure":
    """Draw a bar for each name and group, side by side.

    Raises
    ------
    ValueError
        When a group does not have one number for each name.
    """
    pyplot = need("matplotlib.pyplot")

    figure, axes = pyplot.subplots(figsize=(6.4, 3.2), layout="constrained")
    pyplot.close(figure)
    width = 0.8 / len(groups)
    places = np.arange(len(names))
    for i, (group, heights) in enumerate(groups.items()):
        if len(heights) != len(names):
            raise ValueError(
                f"expected {len(names)} numbers in group {group!r}, "
                f"got {len(heights)}"
            )
        shift = (i - (len(groups) - 1) / 2) * width
        axes.bar(
            places + shift, heights, 0.92 * width, label=group,
            color=COLOURS[i], hatch=("", "///", "...", "xxx")[i % 4],
            edgecolor="white",
        )  # fmt: skip
    axes.set_xticks(places, names)
    axes.set(ylabel=ylabel, title=title)
    axes.grid(alpha=0.3, axis="y")
    axes.set_axisbelow(True)
    if len(groups) > 1:
        axes.margins(y=0.2)  # room for the legend
        axes.legend(loc="upper right", ncols=len(groups))
    return figure


def curves(
    x: Float[Any, " n"],
    lines: Mapping[str, Float[Any, "... n"]],
    *,
    xlabel: str,
    ylabel: str,
    title: str = "",
    log_x: bool = False,
    log_y: bool = False,
) -> "Figure":
    """Draw lines over x; a line with several seeds gets a band around it.

    Each of `lines` has the shape `(n,)`, or `(seeds, n)`: then the line is
    the mean and the band reaches from the lowest to the highest seed.

    Raises
    ------
    ValueError
        When a line is not as long as `x`.
    """
    pyplot = need("matplotlib.pyplot")

    figure, axes = pyplot.subplots(figsize=(6.4, 3.6), layout="constrained")
    pyplot.close(figure)
    _draw_curves(axes, x, lines, log_x=log_x, log_y=log_y)
    axes.set(xlabel=xlabel, ylabel=ylabel, title=title)
    return figure


def costs(
    lengths: Float[Any, " n"],
    milliseconds: Mapping[str, Float[Any, "... n"]],
    megabytes: Mapping[str, Float[Any, "... n"]],
    *,
    title: str = "",
) -> "Figure":
    """Draw time and memory over the length of a text, side by side.

    Lines are as in `curves`; all axes are logarithmic.

    Raises
    ------
    ValueError
        When a line is not as long as `lengths`.
    """
    pyplot = need("matplotlib.pyplot")

    figure, panels = pyplot.subplots(
        1, 2, figsize=(9.6, 3.6), layout="constrained"
    )
    pyplot.close(figure)
    for axes, lines, ylabel in (
        (panels[0], milliseconds, "milliseconds"),
        (panels[1], megabytes, "megabytes at the peak"),
    ):
        _draw_curves(axes, lengths, lines, log_x=True, log_y=True)
        axes.set(xlabel="tokens", ylabel=ylabel)
    figure.suptitle(title)
    return figure


def _draw_curves(
    axes: Any,
    x: Float[Any, " n"],
    lines: Mapping[str, Float[Any, "... n"]],
    *,
    log_x: bool,
    log_y: bool,
) -> None:
    """Draw lines with a legend and a grid: see `curves`."""
    x = np.asarray(x, dtype=float)
    for i, (name, line) in enumerate(lines.items()):
        line = np.atleast_2d(np.asarray(line, dtype=float))  # (seeds, n)
        if line.shape[-1] != x.size:
            raise ValueError(
                f"expected {x.size} numbers in line {name!r}, "
                f"got {line.shape[-1]}"
            )
        style = {
            "color": COLOURS[i % 5],
            "linestyle": DASHES[i % 5],
            "marker": MARKS[i % 5] if x.size <= 20 else None,
        }
        axes.plot(x, line.mean(axis=0), label=name, **style)
        if len(line) > 1:
            low, high = line.min(axis=0), line.max(axis=0)
            axes.fill_between(x, low, high, color=COLOURS[i % 5], alpha=0.2)
    if log_x:
        axes.set_xscale("log", base=2)
        axes.set_xticks(x, [f"{n:g}" for n in x])
        axes.minorticks_off()
    elif (x == x.round()).all():
        axes.locator_params(axis="x", integer=True)
    if log_y:
        axes.set_yscale("log")
    axes.grid(alpha=0.3)
    axes.legend()


def dumbbells(
    names: Sequence[str],
    groups: Mapping[str, Float[Any, " n"]],
    *,
    xlabel: str,
    title: str = "",
    band: tuple[float, float] | None = None,
    band_label: str = "",
) -> "Figure":
    """Draw a row for each name, and in it a mark for each group.

    The axis doubles from tick to tick. A thin line joins the marks of a row;
    `band` shades a range of numbers.

    Raises
    ------
    ValueError
        When a group has not one number for each name.
    """
    pyplot = need("matplotlib.pyplot")

    rows = np.arange(len(names))
    figure, axes = pyplot.subplots(
        figsize=(6.4, 0.8 + 0.24 * len(names)), layout="constrained"
    )
    pyplot.close(figure)
    for name, numbers in groups.items():
        if len(numbers) != len(names):
            raise ValueError(
                f"expected {len(names)} numbers in group {name!r}, "
                f"got {len(numbers)}"
            )
    if band is not None:
        axes.axvspan(*band, color="#8c959f", alpha=0.3, label=band_label)
    every = np.array(list(groups.values()), dtype=float)  # (groups, n)
    axes.hlines(rows, every.min(axis=0), every.max(axis=0), color="#8c959f")
    for i, (name, numbers) in enumerate(groups.items()):
        axes.plot(
            numbers, rows, MARKS[i], color=COLOURS[i], label=name,
            markersize=8 - 3 * i, fillstyle="full",
        )  # fmt: skip
    axes.set_xscale("log", base=2)
    top = int(np.ceil(np.log2(every.max())))
    ticks = [2**i for i in range(top + 1)]
    axes.set_xticks(ticks, [str(tick) for tick in ticks])
    axes.minorticks_off()
    axes.set_yticks(rows, names)
    axes.invert_yaxis()
    axes.set(xlabel=xlabel, title=title)
    axes.grid(axis="x", alpha=0.3)
    figure.legend(loc="outside lower center", ncols=3)
    return figure


def scatter(
    x: Float[Any, " n"],
    y: Float[Any, " n"],
    lines: Mapping[str, tuple[Float[Any, " m"], Float[Any, " m"]]],
    *,
    xlabel: str,
    ylabel: str,
    title: str = "",
) -> "Figure":
    """Draw points and, over them, lines: name to (x, y), each `(m,)`."""
    pyplot = need("matplotlib.pyplot")

    figure, axes = pyplot.subplots(figsize=(6.4, 3.6), layout="constrained")
    pyplot.close(figure)
    axes.plot(x, y, ".", color="#8c959f", markersize=3, alpha=0.6)
    for i, (name, (at, height)) in enumerate(lines.items()):
        axes.plot(
            at, height, color=COLOURS[i], linestyle=DASHES[i], label=name,
            linewidth=2,
        )  # fmt: skip
    axes.set(xlabel=xlabel, ylabel=ylabel, title=title)
    axes.grid(alpha=0.3)
    axes.legend()
    return figure


def over_time(
    table: Float[Any, "rows n"],
    lines: Mapping[str, Float[Any, " n"]],
    *,
    level: float,
    level_label: str,
    xlabel: str,
    ylabel: str,
    label: str,
    lines_label: str,
) -> "Figure":
    """Draw a table whose columns follow in time, and lines below it.

    Columns and rows are counted from 1. `level` is a thin line to hold the
    others against; `label` says what the table's colours are.

    Raises
    ------
    ValueError
        When a line has not one number for each column.
    """
    pyplot = need("matplotlib.pyplot")

    table = np.asarray(table, dtype=float)
    rows, n = table.shape
    figure, (above, below) = pyplot.subplots(
        2, figsize=(6.4, 4.8), layout="constrained", sharex=True
    )
    pyplot.close(figure)
    edges = (0.5, n + 0.5, rows + 0.5, 0.5)
    image = above.imshow(table, cmap="cividis", aspect="auto", extent=edges)
    above.set_ylabel(ylabel)
    below.axhline(level, color="#8c959f", label=level_label)
    for i, (name, line) in enumerate(lines.items()):
        if len(line) != n:
            raise ValueError(
                f"expected {n} numbers in line {name!r}, got {len(line)}"
            )
        below.plot(
            np.arange(1, n + 1), line, color=COLOURS[i], label=name,
            linestyle=DASHES[i], marker=MARKS[i], markersize=4,
        )  # fmt: skip
    below.set(xlabel=xlabel, ylabel=lines_label)
    below.set_ylim(bottom=0)
    below.locator_params(axis="x", integer=True)
    below.grid(alpha=0.3)
    below.legend(fontsize="small", ncols=2)
    # Beside both, so that their columns stay under one another.
    figure.colorbar(image, ax=[above, below], label=label)
    return figure
