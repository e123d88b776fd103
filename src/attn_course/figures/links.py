"""Arcs, graphs and the road."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float

from attn_course.figures.charts import chart
from attn_course.figures.labels import key
from attn_course.figures.style import (
    LINE,
    PAPER,
    SOFT,
    Size,
    lay_out,
    tone,
)
from attn_course.optional import need

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["arcs", "graph", "road"]


@chart
def arcs(
    size: Size,
    tokens: Sequence[str],
    query: int,
    rows: Mapping[str, Float[Any, " n"]],
) -> "Figure":
    """Draw how much one word looks at each: thicker arcs, larger weights.

    Each of `rows` gets a panel; a weight of at least 0.05 is written out.
    Where many words stand in a narrow place they are turned.

    Raises
    ------
    ValueError
        When a row does not have one weight for each token.
    """
    FancyArrowPatch = need("matplotlib.patches").FancyArrowPatch

    n = len(tokens)
    letters = sum(max(len(token), 4) + 1 for token in tokens)
    turned = letters * 0.6 * size.letters > size.width
    # An arc rises by a quarter of its width.
    farthest = max(query, n - 1 - query)
    high = 0.24 * size.width * farthest / n + (110 if turned else 75)
    figure, panels = lay_out(size, len(rows), high, per_row=1)
    for axes, (name, row) in zip(panels, rows.items(), strict=True):
        if len(row) != n:
            raise ValueError(
                f"expected {n} weights in row {name!r}, got {len(row)}"
            )
        for place, weight in enumerate(row):
            bend = 0.5 if place < query else -0.5
            if place != query and weight >= 0.01:
                axes.add_patch(
                    FancyArrowPatch(
                        (query, 0), (place, 0), arrowstyle="-",
                        connectionstyle=f"arc3,rad={bend}",
                        linewidth=10 * weight, color=tone("weight"),
                        alpha=0.8, capstyle="round", clip_on=False,
                        shrinkA=0, shrinkB=0,
                    )
                )  # fmt: skip
        for place, token in enumerate(tokens):
            weight = f" {row[place]:.2f}" if row[place] >= 0.05 else ""
            told = token + (weight if turned else weight.replace(" ", "\n"))
            axes.annotate(
                told, (place, 0), xytext=(0, -6), textcoords="offset points",
                ha="right" if turned else "center",
                va="center" if turned else "top",
                rotation=60 if turned else 0, rotation_mode="anchor",
                fontweight="bold" if place == query else "normal",
            )  # fmt: skip
        axes.set(xlim=(-0.6, n - 0.4), ylim=(0, 1))
        axes.set_title(name)
        axes.axis("off")
    return figure


@chart
def graph(
    size: Size,
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
    FancyArrowPatch = need("matplotlib.patches").FancyArrowPatch

    weights, n = np.asarray(weights, dtype=float), len(tokens)
    if weights.shape != (n, n):
        raise ValueError(
            f"expected a map of shape ({n}, {n}), got {weights.shape}"
        )
    figure, [axes] = lay_out(size, 1, 320 if size.narrow else 430)
    angles = np.pi / 2 - 2 * np.pi * np.arange(n) / n
    points = np.stack([np.cos(angles), np.sin(angles)], axis=-1)  # (n, 2)
    shown = (weights >= threshold) & ~np.eye(n, dtype=bool)
    for i, j in np.argwhere(shown):
        axes.add_patch(
            FancyArrowPatch(
                points[i], points[j], arrowstyle="-|>", mutation_scale=10,
                connectionstyle="arc3,rad=0.12", shrinkA=3, shrinkB=3,
                linewidth=6 * weights[i, j], color=tone("weight"), alpha=0.7,
            )
        )  # fmt: skip
    for (x, y), token in zip(points, tokens, strict=True):
        side = "center" if abs(x) < 0.2 else ("left" if x > 0 else "right")
        axes.text(1.1 * x, 1.1 * y, token, ha=side, va="center")
        axes.plot(x, y, "o", color=SOFT, markersize=3)
    axes.set(xlim=(-1.4, 1.4), ylim=(-1.25, 1.25), aspect="equal")
    axes.set_title(title)
    axes.axis("off")
    return figure


@chart
def road(
    size: Size, stops: Sequence[Any], kinds: Mapping[str, str]
) -> "Figure":
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
    row_height = 40 if size.narrow else 26
    figure, [axes] = lay_out(size, 1, 190 + row_height * len(stops))
    axes.grid()
    for column, row in dots:
        below = [r for c, r in rings if c == column and r > row]
        if below:
            axes.plot([column] * 2, [row, below[0]], color=SOFT, lw=1)
    for column, row in rings:
        if dots[row][0] != column:
            axes.annotate(
                "", dots[row], (column, row),
                arrowprops={
                    "arrowstyle": "-|>", "color": tone("query"),
                    "shrinkA": 5, "shrinkB": 4, "lw": 1.4,
                },
            )  # fmt: skip
    axes.scatter(
        *np.transpose(rings), s=70, facecolor=PAPER, edgecolor=tone("key"),
        linewidth=1.8, zorder=3, label="mended",
    )  # fmt: skip
    axes.scatter(
        *np.transpose(dots), s=26, color=tone("query"), zorder=4,
        label="left open",
    )  # fmt: skip
    axes.set_xticks(
        range(len(kinds)), kinds.values(), ha="left",
        rotation=60 if size.narrow else 35, rotation_mode="anchor",
    )  # fmt: skip
    told = [f"{s.name}, {s.year}" for s in stops]
    axes.set_yticks(range(len(stops)), told)
    if size.narrow:  # above its row
        axes.tick_params(axis="y", labelleft=False)
        for row, text in enumerate(told):
            axes.text(
                -0.4, row - 0.26, text, va="bottom", color=SOFT,
                bbox={"facecolor": PAPER, "edgecolor": "none", "pad": 1},
            )  # fmt: skip
    axes.set(xlim=(-0.5, len(kinds) - 0.5), ylim=(len(stops) - 0.4, -0.6))
    axes.tick_params(top=True, labeltop=True, bottom=False, labelbottom=False)
    axes.spines["bottom"].set(color=LINE)
    key(figure, size)
    return figure
