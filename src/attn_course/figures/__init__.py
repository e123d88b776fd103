"""The charts and diagrams of the course; nothing else plots."""

from attn_course.figures.charts import Chart
from attn_course.figures.heatmaps import (
    contact_map,
    grids,
    heatmap,
    lightness,
    maps,
    pieces,
)
from attn_course.figures.lines import (
    bars,
    costs,
    curves,
    dumbbells,
    over_time,
    scatter,
)
from attn_course.figures.links import arcs, graph, road
from attn_course.figures.pictures import Pictures, pictures, sheet

__all__ = [
    "Chart",
    "Pictures",
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
