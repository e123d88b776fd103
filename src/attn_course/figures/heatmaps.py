"""Tables of weights, each cell as strong as its number."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float

from attn_course.figures.charts import chart
from attn_course.figures.labels import name_axes, plain
from attn_course.figures.style import (
    SOFT,
    Size,
    colours_for,
    frame,
    lay_out,
    tone,
    wrapped,
)
from attn_course.figures.svg import MASK
from attn_course.optional import need

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = [
    "cells",
    "contact_map",
    "grids",
    "heatmap",
    "lightness",
    "maps",
    "pieces",
]

# The colour of weights: nothing is the page itself.
THEMED = "weight"
# How strong a cell may be that text stands on: 4.5 : 1 in both themes.
BEHIND_TEXT = 0.5


def cells(
    axes: Any,
    table: Float[Any, "rows cols"],
    low: float,
    high: float,
    *,
    colour: str = THEMED,
    strongest: float = 1.0,
    extent: tuple[float, ...] | None = None,
    aspect: str = "equal",
) -> Any:
    """Draw a table in one colour: the page's at `low`, full at `high`.

    What is NaN is hatched, so that it never looks like zero.
    """
    Rectangle = need("matplotlib.patches").Rectangle

    table = np.asarray(table, dtype=float)
    image = axes.imshow(
        table, cmap="gray", vmin=low,
        vmax=low + ((high - low) or 1) / strongest,
        extent=extent, aspect=aspect,
    )  # fmt: skip
    image.set_gid(f"{MASK}{colour}")
    left, right, bottom, top = image.get_extent()
    width = (right - left) / table.shape[1]
    height = (bottom - top) / table.shape[0]
    for row, col in np.argwhere(np.isnan(table)):
        axes.add_patch(
            Rectangle(
                (left + col * width, top + row * height), width, height,
                hatch="////", fill=False, linewidth=0, edgecolor=SOFT,
            )
        )  # fmt: skip
    for spine in axes.spines.values():
        spine.set(visible=True, edgecolor=SOFT)
    return image


@chart
def heatmap(
    size: Size,
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

    Numbers are left out where there is no room for them, NaN cells are
    hatched. Other labels make it a table of something else.

    Raises
    ------
    ValueError
        When the tokens do not fit the shape of `weights`.
    """
    weights = np.asarray(weights, dtype=float)
    keys = query_tokens if key_tokens is None else key_tokens
    if weights.shape != (len(query_tokens), len(keys)):
        raise ValueError(
            f"expected weights of shape ({len(query_tokens)}, {len(keys)}) "
            f"to match the tokens, got {weights.shape}"
        )
    rows, cols = weights.shape
    high = float(np.nanmax(weights))
    longest = max(map(len, query_tokens))
    room = (size.width - 60 - 0.6 * size.letters * longest) / cols
    each = min(room, 2.4 * size.letters)
    figure, [axes] = lay_out(size, 1, 110 + each * rows)
    # Two digits at least, without a zero before the point.
    told = room >= 2.2 * size.letters
    cells(
        axes, weights, 0, high, aspect="auto",
        strongest=BEHIND_TEXT if told else 1.0,
    )  # fmt: skip
    small = max(map(len, keys)) * 0.6 * size.letters < room
    axes.set_xticks(
        range(cols), keys, rotation=0 if small else 60,
        ha="center" if small else "right", rotation_mode="anchor",
    )  # fmt: skip
    axes.set_yticks(range(rows), query_tokens)
    if told:
        for row, col in np.argwhere(~np.isnan(weights)):
            text = f"{weights[row, col]:.2f}"
            short = room < 3 * size.letters
            axes.text(
                col, row, text.removeprefix("0") if short else text,
                ha="center", va="center",
            )  # fmt: skip
    else:
        label += f", from 0 (pale) to {plain(round(high, 2))} (strong)"
    above = f"{ylabel}; cells: {label}" if ylabel else label
    name_axes(axes, size, xlabel=xlabel, ylabel=above, title=title)
    return figure


@chart
def contact_map(
    size: Size,
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
    table = np.asarray(distances, dtype=float)
    n = len(table)
    if table.shape != (n, n):
        raise ValueError(
            f"expected distances of shape ({n}, {n}), got {table.shape}"
        )
    figure, [axes] = lay_out(
        size, 1, size.width * (1.05 if size.narrow else 0.65)
    )
    ends = (0.5, n + 0.5)
    cells(axes, table < below, 0, 1, colour="ink", extent=(*ends, *ends[::-1]))
    for shift in (window, -window):
        axes.plot(ends, np.add(ends, shift), color=tone("key"), linewidth=1.5)
    axes.set(xlim=ends, ylim=ends[::-1])
    axes.annotate(
        f"{window} places apart", (0.5 + window, 0.5), xytext=(2, 4),
        textcoords="offset points", color=tone("key"), annotation_clip=False,
    )  # fmt: skip
    name_axes(axes, size, xlabel="residue", ylabel="residue\n", title=title)
    return figure


@chart
def grids(
    size: Size,
    panels: Mapping[str, Float[Any, "rows cols"]],
    *,
    xlabel: str,
    ylabel: str,
    label: str,
    lowest: float = 0.0,
    highest: float = 1.0,
) -> "Figure":
    """Draw tables of one size, two in a row, in one scale.

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
    figure, places = lay_out(size, len(tables), 70 + min(26 * rows, 300))
    for place, (name, table) in zip(places, tables.items(), strict=True):
        cells(place, table, lowest, highest, aspect="auto")
        frame(place, *np.unravel_index(table.argmax(), table.shape))
        place.set_title(name)
        for axis, count in ((place.xaxis, cols), (place.yaxis, rows)):
            step = -(-count // (12 if axis is place.yaxis else 16))
            ticks = range(0, count, step)
            axis.set_ticks(ticks, [str(i + 1) for i in ticks])
    _legend(
        figure, size, f"{ylabel} down, {xlabel} across",
        f"{label}: {plain(lowest)} (pale) to {plain(highest)} (strong)",
    )  # fmt: skip
    return figure


@chart
def maps(
    size: Size,
    panels: Mapping[str, Float[Any, "n n"]],
    tokens: Sequence[str],
    *,
    highest: float | Sequence[float | None] | None = None,
    colours: Sequence[str] = (THEMED,),
    mark: tuple[int, int] | None = None,
) -> "Figure":
    """Draw attention maps side by side, each with its own scale.

    Parameters
    ----------
    size
        Given by the chart.
    panels
        Name to map, rows that look and columns that are looked at.
    tokens
        One for each row and column, the same in all panels.
    highest
        The weight at the top of every scale, or one for each panel. None:
        a panel's own largest weight, so that equal colours in two panels are
        not equal weights.
    colours
        For each panel, or one for all: `"weight"`, the page's own colour, or
        a name of matplotlib's; with ", in grey" at the end that is shown as
        a grey print would.
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
    figure, places = lay_out(
        size, len(panels), 0.94 * size.width / (1 if size.narrow else 2) + 30
    )
    for place, (title, weights), colour, top in zip(
        places, panels.items(), names, tops, strict=True
    ):
        weights = np.asarray(weights, dtype=float)
        if weights.shape != (n, n):
            raise ValueError(
                f"expected a map of shape ({n}, {n}), got {weights.shape} "
                f"in {title!r}"
            )
        top = float(np.nanmax(weights)) if top is None else top
        if colour == THEMED:
            cells(place, weights, 0, top)
        else:
            place.imshow(weights, cmap=_colours(colour), vmin=0, vmax=top)
        if mark is not None:
            frame(place, *mark)
        scale = f"0 to {plain(float(f'{top:.2g}'))}"
        place.set_title(f"{title} ({scale})")
        place.set_xticks(
            range(n), tokens, rotation=60, ha="right", rotation_mode="anchor"
        )
        place.set_yticks(range(n), tokens)
    _legend(
        figure,
        size,
        "row: the word that looks",
        "column: the word it looks at",
    )
    return figure


def _legend(figure: Any, size: Size, *texts: str) -> None:
    """Say below all panels what they share."""
    figure.supxlabel(
        ("\n" if size.narrow else "; ").join(texts), x=0.02, ha="left",
        color=SOFT, fontsize="medium",
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


@chart
def pieces(
    size: Size,
    panels: Mapping[str, Float[Any, "rows cols"]],
    tokens: Sequence[str],
    d_model: int,
) -> "Figure":
    """Draw tables of numbers that know which vector they came from.

    Number i · d_model + f is feature f (from 1 in the picture) of token i.
    Each token has a colour, and its name stands in each cell, so that a row
    which mixes tokens shows at once.

    Raises
    ------
    ValueError
        When a number belongs to none of the tokens.
    """
    Rectangle = need("matplotlib.patches").Rectangle

    colours = colours_for(tokens)
    tables = [np.asarray(numbers) for numbers in panels.values()]
    tallest = max(len(table) for table in tables)
    figure, places = lay_out(size, len(panels), 40 + 36 * tallest)
    widest = max(table.shape[1] for table in tables)
    for place, name, numbers in zip(places, panels, tables, strict=True):
        for (row, col), number in np.ndenumerate(numbers):
            owner, feature = divmod(int(number), d_model)
            if not 0 <= owner < len(tokens):
                raise ValueError(
                    f"expected numbers from 0 to {len(tokens) * d_model - 1}, "
                    f"got {number}"
                )
            place.add_patch(
                Rectangle(
                    (col + 0.03, row + 0.06), 0.94, 0.88,
                    facecolor=(colours[owner], 0.18),
                    edgecolor=colours[owner], linewidth=1.5,
                )
            )  # fmt: skip
            place.text(
                col + 0.5, row + 0.5, f"{tokens[owner]} {feature + 1}",
                ha="center", va="center",
            )  # fmt: skip
        place.set(xlim=(0, widest), ylim=(tallest, 0), xticks=[], yticks=[])
        place.spines["bottom"].set_visible(False)
        place.set_title(wrapped(name, 36))
    return figure
