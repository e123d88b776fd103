"""The matplotlib figures of the course; nothing else plots."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["heatmap"]


def heatmap(
    weights: Float[Any, "n_q n_k"],
    query_tokens: Sequence[str],
    key_tokens: Sequence[str] | None = None,
    *,
    title: str = "Attention weights",
) -> "Figure":
    """Draw attention weights: query rows, key columns, a number in each cell.

    Numbers are left out where there are more than 12 keys. The colours are
    cividis, which survives colour blindness and grey print.

    Raises
    ------
    ValueError
        When the tokens do not fit the shape of `weights`.
    """
    from matplotlib import pyplot

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
    axes.set_xlabel("key")
    axes.set_ylabel("query")
    axes.set_xticks(range(cols), keys, rotation=60, ha="right")
    axes.set_yticks(range(rows), query_tokens)
    if cols <= 12:
        middle = weights.max() / 2
        for i, j in np.ndindex(rows, cols):
            axes.text(
                j,
                i,
                f"{weights[i, j]:.2f}",
                ha="center",
                va="center",
                color="black" if weights[i, j] > middle else "white",
            )
    figure.colorbar(image, label="weight")
    return figure
