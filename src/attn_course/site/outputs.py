"""Cell outputs that no page shows as they are: data, and BertViz's HTML."""

import json
from collections.abc import Iterator
from typing import Any, ClassVar

from attn_course.site import frames

__all__ = ["DATA_MIME", "DataOutput", "reports"]

DATA_MIME = "application/vnd.attn-course+json"


class DataOutput:
    """Shows nothing for the course's own type of output, frames for BertViz.

    MyST-NB finds this class through an entry point in pyproject.toml. An
    output of our own type that also has text or HTML is shown as that.
    """

    mime_priority_overrides: ClassVar = [("*", DATA_MIME, 1000)]

    @staticmethod
    def handle_mime(renderer: Any, data: Any, inline: bool) -> list | None:
        """Take these two, and leave every other output to MyST-NB."""
        if data.mime_type == DATA_MIME:
            return []
        if data.mime_type == "text/html" and frames.is_view(data.content):
            return frames.render(renderer, data.content)
        return None


def reports(
    notebook: dict[str, Any], kind: str
) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield what an executed notebook reports of one kind, by cell."""
    for index, cell in enumerate(notebook.get("cells", [])):
        for output in cell.get("outputs", []):
            content = output.get("data", {}).get(DATA_MIME)
            if isinstance(content, list):
                content = "".join(content)
            if isinstance(content, str):
                content = json.loads(content)
            if isinstance(content, dict) and content.get("kind") == kind:
                yield index, content
