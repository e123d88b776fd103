"""Charts and diagrams on pages: their style, and their words.

A cell gives a chart as HTML that brings its own style and, for words, no
more than its titles. Here the style goes, because each page has it once, and
the cell's alt text, or a study's, comes in. `{diagram} NAME` shows a diagram,
which has its words with it.
"""

import html
import re
from importlib import resources
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

from attn_course.claims.chapters import nearest
from attn_course.figures.charts import UNSAID
from attn_course.figures.diagrams import DIAGRAMS, draw

__all__ = ["described", "is_chart", "render", "setup", "shown"]

# Also the style of an older run that is kept.
_STYLE = re.compile(r"<style>\.attn-chart\{.*?</style>", re.S)
_UNSAID = re.compile(rf'aria-label="[^"]*" {UNSAID}')


def is_chart(text: str) -> bool:
    """Say whether HTML is a chart of ours, as a notebook shows it."""
    return bool(_STYLE.match(text)) and UNSAID in text


def described(text: str, alt: str) -> str:
    """Put words into the chart that a notebook shows; leave out its style.

    Without words it stays marked, and `alt_text` asks for them.
    """
    text = _STYLE.sub("", text, count=1)
    words = html.escape(" ".join(alt.split()))
    label = f'aria-label="{words}"'
    return _UNSAID.sub(lambda _: label, text) if words else text


def shown(text: str) -> nodes.container:
    """Show a chart as the outputs of cells are shown."""
    box = nodes.container(classes=["cell_output"])
    box += nodes.raw("", text, format="html")
    return box


def render(renderer: Any, data: Any) -> list[nodes.Node]:
    """Show what a cell drew, with the alt text of its metadata."""
    options = data.cell_metadata.get("mystnb", {}).get("image", {})
    text = described(data.content, options.get("alt", ""))
    return [nodes.raw("", text, format="html")]


class DiagramDirective(SphinxDirective):
    """Show a diagram by its name."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Write it into the page."""
        [name] = self.arguments
        if name not in DIAGRAMS:
            raise self.error(
                f"expected a diagram, such as {nearest(name, DIAGRAMS)}; got "
                f"{name!r}"
            )
        file = resources.files("attn_course") / "figures" / "diagrams.py"
        self.env.note_dependency(str(file))
        return [nodes.raw("", draw(name).html(), format="html")]


def _add_style(app: Any, config: Any) -> None:
    app.add_css_file("attn-charts.css", priority=895)


def _write_style(app: Any, error: Exception | None) -> None:
    if error is None and app.builder.format == "html":
        rules = resources.files("attn_course") / "figures" / "charts.css"
        path = Path(app.outdir) / "_static" / "attn-charts.css"
        path.write_text(rules.read_text("utf-8"), "utf-8")


def setup(app: Any) -> None:
    """Connect to Sphinx."""
    app.add_directive("diagram", DiagramDirective)
    app.connect("config-inited", _add_style)
    app.connect("build-finished", _write_style)
