"""The directive `{road}`: the steps to today's attention, in order.

Each step says what it removed and what it left, with its source and a link to
the section that measures it.
"""

from importlib import resources
from typing import Any

from docutils import nodes
from docutils.statemachine import StringList
from sphinx.util.docutils import SphinxDirective

from attn_course.data.road import Stop, load_road

__all__ = ["setup"]

STEP = """\
**{year} · {name}** {{cite}}`{key}`. {brought}.

*Removed:* {removed}.

*Left:* {left}."""


class RoadDirective(SphinxDirective):
    """List the steps."""

    def run(self) -> list[nodes.Node]:
        """Write an ordered list, which needs no width."""
        file = resources.files("attn_course") / "data/road.csv"
        self.env.note_dependency(str(file))
        road = nodes.enumerated_list(classes=["attn-road"])
        road += [self.step(stop) for stop in load_road()]
        return [road]

    def step(self, stop: Stop) -> nodes.list_item:
        """Write one step; the link ends its last line."""
        item = nodes.list_item()
        lines = STEP.format(**stop._asdict()).split("\n")
        self.state.nested_parse(StringList(lines, source="road"), 0, item)
        page, _, anchor = stop.where.partition("#")
        address = self.env.app.builder.get_relative_uri(self.env.docname, page)
        item[-1] += [
            nodes.Text(" "),
            nodes.reference(
                "",
                f"Measured in chapter {stop.chapter}.",
                internal=True,
                refuri=f"{address}#{anchor}",
            ),
        ]
        return item


def setup(app: Any) -> None:
    """Connect to Sphinx."""
    app.add_directive("road", RoadDirective)
