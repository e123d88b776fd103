"""Cell outputs that no page shows as they are: data, charts, BertViz."""

import json
from collections.abc import Iterator
from typing import Any, ClassVar

from attn_course.handover import MIME
from attn_course.site import charts, frames

__all__ = ["DataOutput", "reports"]


class DataOutput:
    """Shows nothing for our own type of output, and takes charts and BertViz.

    MyST-NB finds this class through an entry point in pyproject.toml. An
    output of our own type that also has text or HTML is shown as that; the
    empty text that stands beside it for other programs is nothing here.
    """

    mime_priority_overrides: ClassVar = [("*", MIME, 1000)]

    @staticmethod
    def handle_mime(renderer: Any, data: Any, inline: bool) -> list | None:
        """Take these two, and leave every other output to MyST-NB."""
        if data.mime_type == MIME:
            return []
        if data.mime_type == "text/plain" and not data.content:
            return []
        if data.mime_type == "text/html" and frames.is_view(data.content):
            return frames.render(renderer, data.content)
        if data.mime_type == "text/html" and charts.is_chart(data.content):
            return charts.render(renderer, data)
        return None


def reports(
    notebook: dict[str, Any], kind: str
) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield what an executed notebook reports of one kind, by cell."""
    for index, cell in enumerate(notebook.get("cells", [])):
        for output in cell.get("outputs", []):
            content = output.get("data", {}).get(MIME)
            if isinstance(content, list):
                content = "".join(content)
            if isinstance(content, str):
                content = json.loads(content)
            if isinstance(content, dict) and content.get("kind") == kind:
                yield index, content
