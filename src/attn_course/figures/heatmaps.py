"""Heatmaps, pictures and small tables."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float

from attn_course.figures.style import COLOURS, frame, panels_of
from attn_course.optional import need

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = [
    "contact_map",
    "grids",
    "heatmap",
    "lightness",
    "maps",
    "pictures",
    "pieces",
    "sheet",
]


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
    figure, places = panels_of(len(tables), 3.6, 2.3, sharex=True, sharey=True)
    for place, (name, table) in zip(places, tables.items(), strict=True):
        image = place.imshow(
            table, cmap="cividis", vmin=lowest, vmax=highest, aspect="auto"
        )
        frame(place, *np.unravel_index(table.argmax(), table.shape))
        place.set_title(name, fontsize="medium")
        place.set_xticks(range(cols), [str(i + 1) for i in range(cols)])
        place.set_yticks(range(rows), [str(i + 1) for i in range(rows)])
    figure.supxlabel(xlabel, fontsize="medium")
    figure.supylabel(ylabel, fontsize="medium")
    figure.colorbar(image, ax=figure.axes, label=label)
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
    figure, places = panels_of(len(panels), 3.9, 3.7)
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
            frame(place, *mark)
        place.set_title(title, fontsize="medium")
        place.set_xticks(range(n), tokens, rotation=60, ha="right")
        place.set_yticks(range(n), tokens)
        place.tick_params(labelsize="small")
        figure.colorbar(image, ax=place, shrink=0.8)
    figure.supxlabel("key: is looked at", fontsize="medium")
    figure.supylabel("query: looks", fontsize="medium")
    return figure


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

    figure, places = panels_of(len(panels), 3.2, 1.5)
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
