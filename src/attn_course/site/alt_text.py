"""Ask every image for words that say what it shows.

A missing text is a warning, and the book is built with warnings as errors.
"""

from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

from docutils import nodes
from sphinx.util import logging

__all__ = ["images_without_alt", "setup"]

logger = logging.getLogger(__name__)


class _Images(HTMLParser):
    """Collect the images in a piece of HTML that have no alt text."""

    def __init__(self) -> None:
        super().__init__()
        self.silent: list[str] = []

    def handle_starttag(self, tag: str, attrs: list) -> None:
        given = dict(attrs)
        if tag == "img" and not (given.get("alt") or "").strip():
            self.silent.append((given.get("src") or "")[:60])


def images_without_alt(
    tree: nodes.Node,
) -> Iterator[tuple[nodes.Node, str]]:
    """Yield each image without alt text, with its address."""
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
