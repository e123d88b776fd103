"""The matplotlib figures of the course; nothing else plots."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float

from attn_course.optional import need

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = [
    "arcs",
    "bars",
    "contact_map",
    "costs",
    "curves",
    "dumbbells",
    "graph",
    "grids",
    "heatmap",
    "lightness",
    "maps",
    "over_time",
    "pictures",
    "pieces",
    "road",
    "scatter",
    "sheet",
]

# Okabe and Ito's colours, told apart by colour-blind eyes, with dashes and
# marks that survive a grey print.
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#000000")
DASHES = ("-", "--", "-.", ":", "-")
MARKS = ("o", "s", "^", "D", "x")


def arcs(
    tokens: Sequence[str],
    query: int,
    rows: Mapping[str, Float[Any, " n"]],
) -> "Figure":
    """Draw how much one word looks at each: thicker arcs, larger weights.

    Each of `rows` gets a panel; a weight of at least 0.05 is written out.

    Raises
    ------
    ValueError
        When a row does not have one weight for each token.
    """
    pyplot = need("matplotlib.pyplot")
    FancyArrowPatch = need("matplotlib.patches").FancyArrowPatch

    n = len(tokens)
    figure, panels = pyplot.subplots(
        len(rows), figsize=(7.2, 1.9 * len(rows)), layout="constrained",
        squeeze=False,
    )  # fmt: skip
    pyplot.close(figure)
    for axes, (name, row) in zip(panels[:, 0], rows.items(), strict=True):
        if len(row) != n:
            raise ValueError(
                f"expected {n} weights in row {name!r}, got {len(row)}"
            )
        for key, weight in enumerate(row):
            bend = 0.5 if key < query else -0.5
            if key != query and weight >= 0.01:
                axes.add_patch(
                    FancyArrowPatch(
                        (query, 0), (key, 0), arrowstyle="-",
                        connectionstyle=f"arc3,rad={bend}",
                        linewidth=10 * weight, color=COLOURS[0], alpha=0.7,
                        capstyle="round",
                    )
                )  # fmt: skip
            if weight >= 0.05:
                axes.text(key, -0.34, f"{weight:.2f}", ha="center", va="top")
        for place, token in enumerate(tokens):
            axes.text(
                place, -0.06, token, ha="center", va="top",
                fontweight="bold" if place == query else "normal",
            )  # fmt: skip
        axes.set(xlim=(-0.6, n - 0.4), ylim=(-0.7, 1.6))
        axes.set_title(name, loc="left", fontsize="medium")
        axes.axis("off")
    return figure


def heatmap(
    weights: Float[Any, "n_q n_k"],
    query_tokens: Sequence[str],
    key_tokens: Sequence[str] | None = None,
    *,
    title: str = "Attention weights",
    ylabel: str = "query",
    xlabel: str = "key",
    label: str = "weight",
) -> "Figure":
    """Draw attention weights: query rows, key columns, a number in each cell.

    Numbers are left out where there are more than 12 keys, NaN cells stay
    empty. The colours are cividis, which survives colour blindness and grey
    print. Other labels make it a table of something else.

    Raises
    ------
    ValueError
        When the tokens do not fit the shape of `weights`.
    """
    pyplot = need("matplotlib.pyplot")

    weights = np.asarray(weights, dtype=float)
    keys = query_tokens if key_tokens is None else key_tokens
    if weights.shape != (len(query_tokens), len(keys)):
        raise ValueError(
            f"expected weights of shape ({len(query_tokens)}, {len(keys)}) "
            f"to match the tokens, got {weights.shape}"
        )
    rows, cols = weights.shape
    figure, axes = pyplot.subplots(
        figsize=(1.8 + 0.42 * cols, 1.4 + 0.36 * rows),
        layout="constrained",
    )
    # A notebook shows the figure that a cell returns; closed, it is not
    # shown a second time.
    pyplot.close(figure)
    image = axes.imshow(weights, cmap="cividis", vmin=0, aspect="auto")
    axes.set_title(title)
    axes.set_xlabel(xlabel)
    axes.set_ylabel(ylabel)
    axes.set_xticks(range(cols), keys, rotation=60, ha="right")
    axes.set_yticks(range(rows), query_tokens)
    if cols <= 12:
        middle = np.nanmax(weights) / 2
        for i, j in zip(*np.nonzero(~np.isnan(weights)), strict=True):
            axes.text(
                j,
                i,
                f"{weights[i, j]:.2f}",
                ha="center",
                va="center",
                color="black" if weights[i, j] > middle else "white",
            )
    figure.colorbar(image, label=label)
    return figure


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


def contact_map(
    distances: Float[Any, "n n"],
    *,
    below: float,
    window: int,
    title: str = "",
) -> "Figure":
    """Draw which residues of a chain are nearer than `below` ångström.

    Two lines mark how far a window of `window` places to either side sees.

    Raises
    ------
    ValueError
        When there is not a distance from each residue to each.
    """
    pyplot = need("matplotlib.pyplot")

    table = np.asarray(distances, dtype=float)
    n = len(table)
    if table.shape != (n, n):
        raise ValueError(
            f"expected distances of shape ({n}, {n}), got {table.shape}"
        )
    figure, axes = pyplot.subplots(figsize=(4.6, 4.6), layout="constrained")
    pyplot.close(figure)
    ends = (0.5, n + 0.5)
    axes.imshow(
        table < below, cmap="Greys", vmax=1.2, extent=(*ends, *ends[::-1])
    )
    for shift in (window, -window):
        axes.plot(
            ends, np.add(ends, shift), color=COLOURS[1], linewidth=1.5,
            label="" if shift < 0 else f"{window} places apart",
        )  # fmt: skip
    axes.set(
        xlabel="residue", ylabel="residue", title=title,
        xlim=ends, ylim=ends[::-1],
    )  # fmt: skip
    axes.legend(loc="lower left", fontsize="small")
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


def grids(
    panels: Mapping[str, Float[Any, "rows cols"]],
    *,
    xlabel: str,
    ylabel: str,
    label: str,
    lowest: float = 0.0,
    highest: float = 1.0,
) -> "Figure":
    """Draw tables of one size side by side, two in a row, in one scale.

    Rows and columns are counted from 1; the largest cell of each panel is
    framed.

    Raises
    ------
    ValueError
        When the panels differ in shape.
    """
    tables = {name: np.asarray(x, dtype=float) for name, x in panels.items()}
    shapes = {table.shape for table in tables.values()}
    if len(shapes) != 1:
        raise ValueError(f"expected panels of one shape, got {shapes}")
    rows, cols = shapes.pop()
    figure, places = _panels(len(tables), 3.6, 2.3, sharex=True, sharey=True)
    for place, (name, table) in zip(places, tables.items(), strict=True):
        image = place.imshow(
            table, cmap="cividis", vmin=lowest, vmax=highest, aspect="auto"
        )
        _frame(place, *np.unravel_index(table.argmax(), table.shape))
        place.set_title(name, fontsize="medium")
        place.set_xticks(range(cols), [str(i + 1) for i in range(cols)])
        place.set_yticks(range(rows), [str(i + 1) for i in range(rows)])
    figure.supxlabel(xlabel, fontsize="medium")
    figure.supylabel(ylabel, fontsize="medium")
    figure.colorbar(image, ax=figure.axes, label=label)  # pyright: ignore[reportPossiblyUnboundVariable]
    return figure


def maps(
    panels: Mapping[str, Float[Any, "n n"]],
    tokens: Sequence[str],
    *,
    highest: float | Sequence[float | None] | None = None,
    colours: Sequence[str] = ("cividis",),
    mark: tuple[int, int] | None = None,
) -> "Figure":
    """Draw attention maps side by side, each with its own legend.

    Parameters
    ----------
    panels
        Name to map, rows that look and columns that are looked at.
    tokens
        One for each row and column, the same in all panels.
    highest
        The weight at the top of every scale, or one for each panel. None:
        a panel's own largest weight, so that equal colours in two panels are
        not equal weights.
    colours
        A name of matplotlib's for each panel, or one for all; with
        ", in grey" at the end it is shown as a grey print would.
    mark
        A row and a column, framed in each panel.

    Raises
    ------
    ValueError
        When a map does not fit the tokens, or there are neither one nor as
        many scales or names of colours as panels.
    """
    n = len(tokens)
    names = _for_each(panels, colours, "names of colours")
    tops = highest if isinstance(highest, Sequence) else [highest]
    tops = _for_each(panels, tops, "scales")
    figure, places = _panels(len(panels), 3.9, 3.7)
    for place, (title, weights), colour, top in zip(
        places, panels.items(), names, tops, strict=True
    ):
        weights = np.asarray(weights, dtype=float)
        if weights.shape != (n, n):
            raise ValueError(
                f"expected a map of shape ({n}, {n}), got {weights.shape} "
                f"in {title!r}"
            )
        image = place.imshow(weights, cmap=_colours(colour), vmin=0, vmax=top)
        if mark is not None:
            _frame(place, *mark)
        place.set_title(title, fontsize="medium")
        place.set_xticks(range(n), tokens, rotation=60, ha="right")
        place.set_yticks(range(n), tokens)
        place.tick_params(labelsize="small")
        figure.colorbar(image, ax=place, shrink=0.8)
    figure.supxlabel("key: is looked at", fontsize="medium")
    figure.supylabel("query: looks", fontsize="medium")
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


def _panels(
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


def _frame(place: Any, row: Any, col: Any) -> None:
    """Frame one cell of a drawn table."""
    Rectangle = need("matplotlib.patches").Rectangle

    place.add_patch(
        Rectangle(
            (col - 0.5, row - 0.5), 1, 1, fill=False,
            edgecolor=COLOURS[1], linewidth=2,
        )
    )  # fmt: skip


def _for_each(panels: Any, given: Sequence[Any], name: str) -> list[Any]:
    """Give each panel its own; one does for all."""
    if len(given) not in (1, len(panels)):
        raise ValueError(
            f"expected 1 or {len(panels)} {name}, got {len(given)}"
        )
    return list(given) * (len(panels) if len(given) == 1 else 1)


def _colours(name: str) -> Any:
    """Give a colour map; "…, in grey" is one as a grey print shows it."""
    ListedColormap = need("matplotlib.colors").ListedColormap

    name, comma, _ = name.partition(", in grey")
    if not comma:
        return name
    grey = lightness(name) / 100
    return ListedColormap(np.repeat(grey[:, None], 3, axis=1))


def lightness(name: str) -> Float[np.ndarray, " 256"]:
    """Give how light a colour map of matplotlib is, from 0 to 100.

    L* of CIELAB, which equal steps for the eye are made of, of its colours
    from the lowest to the highest (sRGB, IEC 61966-2-1).

    Examples
    --------
    >>> lightness("gray")[[0, -1]].round(3)
    array([  0., 100.])
    """
    colormaps = need("matplotlib").colormaps

    rgb = colormaps[name](np.arange(256))[:, :3]
    linear = np.where(
        rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4
    )
    luminance = linear @ np.array([0.2126, 0.7152, 0.0722])
    return np.where(
        luminance > (6 / 29) ** 3,
        116 * np.cbrt(luminance) - 16,
        luminance * (29 / 3) ** 3,
    )


def graph(
    tokens: Sequence[str],
    weights: Float[Any, "n n"],
    *,
    threshold: float,
    title: str = "",
) -> "Figure":
    """Draw attention as a graph: an arrow for each weight that is shown.

    The words stand in a circle, in their order, clockwise from the top. An
    arrow leads from the word that looks to the one it looks at; its width is
    the weight. Weights below `threshold`, and those of a word on itself, are
    left out.

    Raises
    ------
    ValueError
        When the map does not fit the tokens.
    """
    pyplot = need("matplotlib.pyplot")
    FancyArrowPatch = need("matplotlib.patches").FancyArrowPatch

    weights, n = np.asarray(weights, dtype=float), len(tokens)
    if weights.shape != (n, n):
        raise ValueError(
            f"expected a map of shape ({n}, {n}), got {weights.shape}"
        )
    figure, axes = pyplot.subplots(figsize=(5.6, 4.6), layout="constrained")
    pyplot.close(figure)
    angles = np.pi / 2 - 2 * np.pi * np.arange(n) / n
    points = np.stack([np.cos(angles), np.sin(angles)], axis=-1)  # (n, 2)
    shown = (weights >= threshold) & ~np.eye(n, dtype=bool)
    for i, j in np.argwhere(shown):
        axes.add_patch(
            FancyArrowPatch(
                points[i], points[j], arrowstyle="-|>", mutation_scale=10,
                connectionstyle="arc3,rad=0.12", shrinkA=3, shrinkB=3,
                linewidth=6 * weights[i, j], color=COLOURS[0], alpha=0.6,
            )
        )  # fmt: skip
    for (x, y), token in zip(points, tokens, strict=True):
        side = "center" if abs(x) < 0.2 else ("left" if x > 0 else "right")
        axes.text(1.1 * x, 1.1 * y, token, ha=side, va="center")
        axes.plot(x, y, "o", color=COLOURS[4], markersize=3)
    axes.set(xlim=(-1.6, 1.6), ylim=(-1.25, 1.25), aspect="equal")
    axes.set_title(title, fontsize="medium")
    axes.axis("off")
    return figure


def pictures(
    images: Mapping[str, Float[np.ndarray, "rows cols *colours"]],
    *,
    per_row: int | None = None,
    inches: float = 3.2,
) -> "Figure":
    """Show pictures side by side, each under its name.

    Colours are numbers from 0 to 1. A picture without colours is shown in
    cividis, from its lowest number to its highest. All stand in one row
    unless `per_row` says how many do; each has a place `inches` wide.

    Raises
    ------
    ValueError
        When `per_row` is no positive count.
    """
    pyplot = need("matplotlib.pyplot")

    if per_row is not None and per_row < 1:
        raise ValueError(f"expected per_row of at least 1, got {per_row}")
    cols = min(per_row or len(images), len(images))
    rows = -(-len(images) // cols)
    figure, axes = pyplot.subplots(
        rows,
        cols,
        # A little higher than wide: the name needs its line.
        figsize=(inches * cols, (1.22 if rows == 1 else 1.09) * inches * rows),
        layout="constrained",
        squeeze=False,
    )
    pyplot.close(figure)
    for place in axes.flat:
        place.axis("off")
    for place, (name, image) in zip(axes.flat, images.items(), strict=False):
        if image.ndim == 3:
            place.imshow(image.clip(0, 1))
        else:
            place.imshow(image, cmap="cividis")
        place.set_title(name)
    return figure


def road(stops: Sequence[Any], kinds: Mapping[str, str]) -> "Figure":
    """Draw which bottleneck each step mended, and which one it left open.

    A row for each of `stops` (`road.Stop`), a column for each of `kinds`,
    name to label: a ring where the step mended, a dot where it left
    something open, an arrow from one to the other. Thin lines lead from a
    dot down to the next ring in its column.

    Raises
    ------
    ValueError
        When a stop is about a kind that is not there.
    """
    pyplot = need("matplotlib.pyplot")

    unknown = {s.mended for s in stops if s.mended} | {s.open for s in stops}
    if unknown - set(kinds):
        raise ValueError(
            f"expected kinds in {list(kinds)}, got "
            f"{sorted(unknown - set(kinds))}"
        )
    places = {kind: i for i, kind in enumerate(kinds)}
    rings = [
        (places[s.mended], row) for row, s in enumerate(stops) if s.mended
    ]
    dots = [(places[s.open], row) for row, s in enumerate(stops)]
    figure, axes = pyplot.subplots(
        figsize=(5.4, 1.6 + 0.26 * len(stops)), layout="constrained"
    )
    pyplot.close(figure)
    for column, row in dots:
        below = [r for c, r in rings if c == column and r > row]
        if below:
            axes.plot([column] * 2, [row, below[0]], color="#8c959f", lw=1)
    for column, row in rings:
        if dots[row][0] != column:
            axes.annotate(
                "", dots[row], (column, row),
                arrowprops={
                    "arrowstyle": "-|>", "color": COLOURS[0],
                    "shrinkA": 5, "shrinkB": 4, "lw": 1.4,
                },
            )  # fmt: skip
    axes.scatter(
        *np.transpose(rings), s=70, facecolor="white", edgecolor=COLOURS[1],
        linewidth=1.8, zorder=3, label="mended",
    )  # fmt: skip
    axes.scatter(
        *np.transpose(dots), s=26, color=COLOURS[0], zorder=4,
        label="left open",
    )  # fmt: skip
    axes.set_xticks(
        range(len(kinds)), kinds.values(), rotation=35, ha="left",
        rotation_mode="anchor", fontsize="small",
    )  # fmt: skip
    axes.set_yticks(
        range(len(stops)), [f"{s.name}, {s.year}" for s in stops],
        fontsize="small",
    )  # fmt: skip
    axes.set(xlim=(-0.5, len(kinds) - 0.5), ylim=(len(stops) - 0.4, -0.6))
    axes.tick_params(top=True, labeltop=True, bottom=False, labelbottom=False)
    axes.grid(alpha=0.2)
    axes.legend(
        loc="upper center", bbox_to_anchor=(0.5, 0), ncols=2, frameon=False
    )
    return figure


def sheet(
    pictures: Float[Any, "n rows cols"], *, per_row: int = 3
) -> Float[np.ndarray, "sheet_rows sheet_cols"]:
    """Put small pictures on one, row by row, with empty lines between them.

    What stays empty is NaN, which `pictures` leaves without a colour.

    Raises
    ------
    ValueError
        When there is no picture, or `per_row` is no positive count.

    Examples
    --------
    >>> sheet(np.ones((2, 1, 1)), per_row=2)
    array([[ 1., nan,  1.]])
    """
    pictures = np.asarray(pictures, dtype=float)
    if pictures.ndim != 3 or not len(pictures) or per_row < 1:
        raise ValueError(
            "expected pictures of shape (n, rows, cols) and per_row of at "
            f"least 1, got {pictures.shape} and {per_row}"
        )
    n, rows, cols = pictures.shape
    down = -(-n // per_row)
    whole = np.full((down * (rows + 1) - 1, per_row * (cols + 1) - 1), np.nan)
    for i, picture in enumerate(pictures):
        top, left = i // per_row * (rows + 1), i % per_row * (cols + 1)
        whole[top : top + rows, left : left + cols] = picture
    return whole


def pieces(
    panels: Mapping[str, Float[Any, "rows cols"]],
    tokens: Sequence[str],
    d_model: int,
) -> "Figure":
    """Draw tables of numbers that know which vector they came from.

    Number i · d_model + f is feature f (from 1 in the picture) of token i.
    Each token has a colour and a pattern, so that a row which mixes tokens
    shows at once.

    Raises
    ------
    ValueError
        When a number belongs to none of the tokens.
    """
    Rectangle = need("matplotlib.patches").Rectangle

    figure, places = _panels(len(panels), 3.2, 1.5)
    for place, (name, numbers) in zip(places, panels.items(), strict=True):
        numbers = np.asarray(numbers)
        rows, cols = numbers.shape
        for (row, col), number in np.ndenumerate(numbers):
            owner, feature = divmod(int(number), d_model)
            if not 0 <= owner < len(tokens):
                raise ValueError(
                    f"expected numbers from 0 to {len(tokens) * d_model - 1}, "
                    f"got {number}"
                )
            place.add_patch(
                Rectangle(
                    (col, row), 1, 1, facecolor=COLOURS[owner % 5], alpha=0.3,
                    hatch=("", "///", "...", "xxx")[owner % 4],
                    edgecolor="white",
                )
            )  # fmt: skip
            place.text(
                col + 0.5, row + 0.5, f"{tokens[owner]} {feature + 1}",
                ha="center", va="center", fontsize="small",
            )  # fmt: skip
        place.set(xlim=(0, cols), ylim=(rows, 0), xticks=[], yticks=[])
        place.set_title(name, fontsize="medium")
    return figure
