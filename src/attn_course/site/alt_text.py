"""Ask every image and chart for words that say what it shows.

A missing text is a warning, and the book is built with warnings as errors.
"""

from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

from docutils import nodes
from sphinx.util import logging

from attn_course.figures.charts import UNSAID

__all__ = ["images_without_alt", "setup"]

logger = logging.getLogger(__name__)


class _Images(HTMLParser):
    """Collect the images and charts in a piece of HTML that lack words.

    Within a figure that is one image the figure has the words.
    """

    def __init__(self) -> None:
        super().__init__()
        self.silent: list[str] = []
        self._in_one_image = False

    def handle_starttag(self, tag: str, attrs: list) -> None:
        given = dict(attrs)
        if tag == "figure" and given.get("role") == "img":
            self._in_one_image = True
            said = (given.get("aria-label") or "").strip()
            if UNSAID in given or not said:
                self.silent.append(f"chart: {said[:50]}")
        elif tag == "img" and not self._in_one_image:
            if not (given.get("alt") or "").strip():
                self.silent.append((given.get("src") or "")[:60])

    def handle_endtag(self, tag: str) -> None:
        if tag == "figure":
            self._in_one_image = False


def images_without_alt(
    tree: nodes.Node,
) -> Iterator[tuple[nodes.Node, str]]:
    """Yield each image or chart without words, with its address."""
    for image in tree.findall(nodes.image):
        if not (image.get("alt") or "").strip():
            yield image, image.get("uri", "")[:60]
    for raw in tree.findall(nodes.raw):
        if "html" in raw.get("format", "").split():
            parser = _Images()
            parser.feed(raw.astext())
            for source in parser.silent:
                yield raw, source


def _warn(app: Any, doctree: nodes.document, page: str) -> None:
    for node, source in images_without_alt(doctree):
        logger.warning(
            "image without alt text: %s. Say what it shows: ![words](file), "
            "the option `:alt:`, or the cell metadata `mystnb: {image: "
            "{alt: words}}`",
            source or "(no address)",
            location=node if node.line else page,
            type="attn_course",
            subtype="alt",
        )


def setup(app: Any) -> None:
    """Connect to Sphinx."""
    app.connect("doctree-resolved", _warn)
