"""Arcs, graphs and the road."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float

from attn_course.figures.style import COLOURS
from attn_course.optional import need

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["arcs", "graph", "road"]


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
