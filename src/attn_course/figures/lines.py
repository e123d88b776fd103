"""Curves, bars and points."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float

from attn_course.figures.charts import chart
from attn_course.figures.heatmaps import cells
from attn_course.figures.labels import (
    key,
    name_axes,
    name_ends,
    pick,
    plain,
)
from attn_course.figures.style import (
    DASHES,
    LINE,
    MARKS,
    PAPER,
    SOFT,
    Size,
    colours_for,
    lay_out,
    wrapped,
)
from attn_course.optional import need

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["bars", "costs", "curves", "dumbbells", "over_time", "scatter"]


@chart
def bars(
    size: Size,
    names: Sequence[str],
    groups: Mapping[str, Float[Any, " n"]],
    *,
    ylabel: str,
    title: str = "",
) -> "Figure":
    """Draw a bar for each name and group, side by side.

    A narrow place has them one above the other, each below its name.

    Raises
    ------
    ValueError
        When a group does not have one number for each name.
    """
    _check(groups, len(names), "group")
    rows = len(names) * (24 + 15 * len(groups)) if size.narrow else 230
    figure, [axes] = lay_out(size, 1, 70 + rows + 18 * len(groups))
    width = 0.6 if size.narrow else 0.8  # below its name, or the whole place
    places = np.arange(len(names)) + (0.15 if size.narrow else 0)
    draw = axes.barh if size.narrow else axes.bar
    for i, (group, colour) in enumerate(
        zip(groups, colours_for(groups), strict=True)
    ):
        shift = (i - (len(groups) - 1) / 2) * width / len(groups)
        draw(
            places + shift, groups[group], 0.9 * width / len(groups),
            label=group, facecolor=(colour, 0.25) if i % 2 else colour,
            edgecolor=colour, linewidth=1.5,
            linestyle="--" if i % 4 == 3 else "-",
        )  # fmt: skip
    if size.narrow:
        axes.set(ylim=(len(names) - 0.5, -0.5), yticks=[])
        for row, name in enumerate(names):
            axes.annotate(
                " ".join(name.split()), (0, row - 0.17), va="bottom",
                xycoords=axes.get_yaxis_transform(),
            )  # fmt: skip
        axes.grid(axis="x")
        name_axes(axes, size, xlabel=ylabel, ylabel="", title=title)
    else:
        room = int(560 / 0.6 / size.letters / len(names))
        axes.set_xticks(places, [wrapped(name, room) for name in names])
        axes.grid(axis="y")
        name_axes(axes, size, xlabel="", ylabel=ylabel, title=title)
    if len(groups) > 1:
        key(figure, size)
    return figure


@chart
def curves(
    size: Size,
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
    the mean and the band reaches from the lowest to the highest seed. A line
    is named at its end.

    Raises
    ------
    ValueError
        When a line is not as long as `x`.
    """
    figure, [axes] = lay_out(size, 1, 330)
    name_axes(axes, size, xlabel=xlabel, ylabel=ylabel, title=title)
    _draw_curves(axes, size, x, lines, log_x=log_x, log_y=log_y)
    return figure


@chart
def costs(
    size: Size,
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
    figure, places = lay_out(size, 2, 320)
    for axes, lines, ylabel in zip(
        places, (milliseconds, megabytes),
        ("milliseconds", "megabytes at the peak"), strict=True,
    ):  # fmt: skip
        name_axes(axes, size, xlabel="tokens", ylabel=ylabel)
        _draw_curves(axes, size, lengths, lines, log_x=True, log_y=True)
    if title:
        figure.suptitle(title, x=0.01, ha="left", weight="bold")
    return figure


def _draw_curves(
    axes: Any,
    size: Size,
    x: Float[Any, " n"],
    lines: Mapping[str, Float[Any, "... n"]],
    *,
    log_x: bool,
    log_y: bool,
) -> None:
    """Draw lines with their names and a grid: see `curves`."""
    x = np.asarray(x, dtype=float)
    ends = {}
    for i, (name, colour) in enumerate(
        zip(lines, colours_for(lines), strict=True)
    ):
        line = np.atleast_2d(np.asarray(lines[name], dtype=float))
        if line.shape[-1] != x.size:
            raise ValueError(
                f"expected {x.size} numbers in line {name!r}, "
                f"got {line.shape[-1]}"
            )
        mean = line.mean(axis=0)  # over seeds
        axes.plot(
            x, mean, label=name, color=colour, linestyle=DASHES[i % 6],
            marker=MARKS[i % 6] if x.size <= 20 else None,
        )  # fmt: skip
        if len(line) > 1:
            axes.fill_between(
                x, line.min(axis=0), line.max(axis=0), color=colour,
                alpha=0.15, linewidth=0,
            )  # fmt: skip
        seen = np.flatnonzero(np.isfinite(mean))
        if seen.size:
            ends[name] = (x[seen[-1]], mean[seen[-1]], colour)
    axes.grid()
    share = 1 / axes.get_subplotspec().get_gridspec().ncols
    _ticks(axes, size, x, log_x=log_x, log_y=log_y, share=share)
    if len(lines) > 1 and ends:
        name_ends(axes, size, ends)


def _ticks(
    axes: Any,
    size: Size,
    x: Float[np.ndarray, " n"],
    *,
    log_x: bool,
    log_y: bool,
    share: float,
) -> None:
    """Write ticks as plain numbers, those of x where there are points."""
    ticker = need("matplotlib.ticker")

    if log_x:
        axes.set_xscale("log", base=2)
        kept, texts = pick(
            list(np.log2(x)), [plain(n) for n in x], size, share
        )
        axes.set_xticks(np.exp2(kept), texts)
        axes.minorticks_off()
    elif (x == x.round()).all():
        axes.locator_params(axis="x", integer=True)
    if log_y:
        axes.set_yscale("log")
        low, high = axes.get_ylim()
        steps = (1, 2, 5) if high / low < 300 else (1,)
        axes.yaxis.set_major_locator(ticker.LogLocator(subs=steps))
        axes.yaxis.set_major_formatter(plain)
        axes.yaxis.set_minor_locator(ticker.NullLocator())


@chart
def dumbbells(
    size: Size,
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
    _check(groups, len(names), "group")
    rows = np.arange(len(names))
    figure, [axes] = lay_out(size, 1, 100 + 1.5 * size.letters * len(names))
    if band is not None:
        axes.axvspan(*band, color=LINE, alpha=0.6, label=band_label, lw=0)
    every = np.array(list(groups.values()), dtype=float)  # (groups, n)
    axes.hlines(rows, every.min(axis=0), every.max(axis=0), color=SOFT, lw=1)
    for i, (name, colour) in enumerate(
        zip(groups, colours_for(groups), strict=True)
    ):
        axes.plot(
            groups[name], rows, MARKS[i % 6], color=colour, label=name,
            markersize=max(4, 8 - 3 * i), linestyle="none",
        )  # fmt: skip
    axes.set_xscale("log", base=2)
    top = int(np.ceil(np.log2(every.max())))
    ticks = [2**i for i in range(top + 1)]
    axes.set_xticks(ticks, [str(tick) for tick in ticks])
    axes.minorticks_off()
    axes.set_yticks(rows, names)
    axes.invert_yaxis()
    axes.grid(axis="x")
    name_axes(axes, size, xlabel=xlabel, ylabel="", title=title)
    key(figure, size)
    return figure


@chart
def scatter(
    size: Size,
    x: Float[Any, " n"],
    y: Float[Any, " n"],
    lines: Mapping[str, tuple[Float[Any, " m"], Float[Any, " m"]]],
    *,
    xlabel: str,
    ylabel: str,
    title: str = "",
) -> "Figure":
    """Draw points and, over them, lines: name to (x, y), each `(m,)`."""
    figure, [axes] = lay_out(size, 1, 330)
    name_axes(axes, size, xlabel=xlabel, ylabel=ylabel, title=title)
    _dots(axes, x, y)
    ends = {}
    for i, (name, colour) in enumerate(
        zip(lines, colours_for(lines), strict=True)
    ):
        at, height = lines[name]
        # A line of the page below keeps it apart from the points.
        axes.plot(at, height, color=PAPER, linewidth=4, label="_halo")
        axes.plot(
            at, height, color=colour, linestyle=DASHES[i % 6], label=name
        )
        ends[name] = (float(at[-1]), float(height[-1]), colour)
    axes.grid()
    if ends:
        name_ends(axes, size, ends)
    return figure


def _dots(axes: Any, x: Float[Any, " n"], y: Float[Any, " n"]) -> None:
    """Draw points as one path: thousands of marks would weigh too much."""
    Path = need("matplotlib.path").Path
    PathPatch = need("matplotlib.patches").PathPatch

    points = np.stack([x, y], axis=-1).astype(float)  # (n, 2)
    codes = np.tile([Path.MOVETO, Path.LINETO], len(points))
    path = Path(points.repeat(2, axis=0), codes)
    path.should_simplify = False  # which drops lines without a length
    axes.add_patch(
        PathPatch(
            path, fill=False, edgecolor=SOFT, alpha=0.6, linewidth=3,
            capstyle="round",
        )
    )  # fmt: skip
    axes.autoscale_view()


@chart
def over_time(
    size: Size,
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
    table = np.asarray(table, dtype=float)
    rows, n = table.shape
    _check(lines, n, "line")
    figure, (above, below) = lay_out(size, 2, 230, per_row=1, sharex=True)
    figure.set_layout_engine("constrained", hspace=0.12)
    edges = (0.5, n + 0.5, rows + 0.5, 0.5)
    low, high = np.nanmin(table), np.nanmax(table)
    cells(above, table, low, high, extent=edges, aspect="auto")
    name_axes(
        above, size, xlabel="",
        ylabel=f"{ylabel}; {label}, from {plain(round(low, 1))} (pale) "
        f"to {plain(round(high, 1))} (strong)",
    )  # fmt: skip
    name_axes(below, size, xlabel=xlabel, ylabel=lines_label)
    below.axhline(level, color=SOFT, linewidth=1, label=level_label)
    ends = {level_label: (float(n), level, SOFT)}
    for i, (name, colour) in enumerate(
        zip(lines, colours_for(lines), strict=True)
    ):
        line = np.asarray(lines[name], dtype=float)
        below.plot(
            np.arange(1, n + 1), line, color=colour, label=name,
            linestyle=DASHES[i % 6], marker=MARKS[i % 6], markersize=4,
        )  # fmt: skip
        ends[name] = (float(n), line[-1], colour)
    below.set_ylim(bottom=0)
    below.locator_params(axis="x", integer=True)
    below.grid()
    name_ends(below, size, ends)
    return figure


def _check(series: Mapping[str, Any], count: int, what: str) -> None:
    for name, numbers in series.items():
        if len(numbers) != count:
            raise ValueError(
                f"expected {count} numbers in {what} {name!r}, "
                f"got {len(numbers)}"
            )
