"""Cell outputs that tests and tables read, and that no page shows."""

from typing import Any, ClassVar

__all__ = ["DATA_MIME", "DataOutput"]

DATA_MIME = "application/vnd.attn-course+json"


class DataOutput:
    """Shows nothing for the course's own type of output.

    MyST-NB finds this class through an entry point in pyproject.toml. An
    output that also has text or HTML is shown as that.
    """

    mime_priority_overrides: ClassVar = [("*", DATA_MIME, 1000)]

    @staticmethod
    def handle_mime(renderer: Any, data: Any, inline: bool) -> list | None:
        """Take our own type, and leave every other to MyST-NB."""
        return [] if data.mime_type == DATA_MIME else None
