"""HTML elements that docutils has no node for."""

from typing import Any

from docutils import nodes

__all__ = ["element", "setup", "tag"]


class tag(nodes.General, nodes.Element):
    """An HTML element; its attributes are in `node["attributes"]`."""


def element(
    html: str, /, *children: nodes.Node, css: str = "", **more: str
) -> tag:
    """Make an HTML element.

    Attributes are written as Python names (`aria_label`); those without
    text are left out.
    """
    classes = [f"attn-{css}"] if css else []
    attributes = {name.replace("_", "-"): text for name, text in more.items()}
    return tag("", *children, tag=html, classes=classes, attributes=attributes)


def _open(writer: Any, node: tag) -> None:
    more = {key: value for key, value in node["attributes"].items() if value}
    writer.body.append(writer.starttag(node, node["tag"], "", **more))


def _close(writer: Any, node: tag) -> None:
    if node["tag"] != "input":
        writer.body.append(f"</{node['tag']}>")


def setup(app: Any) -> None:
    """Connect to Sphinx."""
    app.add_node(tag, html=(_open, _close))
