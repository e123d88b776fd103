"""The matplotlib figures of the course; nothing else plots."""

from attn_course.figures.diagrams import arcs, graph, road
from attn_course.figures.heatmaps import (
    contact_map,
    grids,
    heatmap,
    lightness,
    maps,
    pictures,
    pieces,
    sheet,
)
from attn_course.figures.lines import (
    bars,
    costs,
    curves,
    dumbbells,
    over_time,
    scatter,
)

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
