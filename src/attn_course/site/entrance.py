"""The first address of the site leads to its first page."""

from pathlib import Path
from typing import Any

__all__ = ["setup"]

_PAGE = """<!DOCTYPE html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="refresh" content="0; url={target}">
<link rel="icon" href="_static/favicon.svg">
<title>{title}</title>
</head>
<body>
<main><h1>{title}</h1><p><a href="{target}">Open the book</a></p></main>
</body>
</html>
"""


def _write(app: Any, exception: Exception | None) -> None:
    if exception or app.builder.format != "html":
        return
    target = app.builder.get_target_uri(app.config.root_doc)
    if target != "index.html":
        page = _PAGE.format(
            language=app.config.language,
            target=target,
            title=app.config.html_title,
        )
        (Path(app.outdir) / "index.html").write_text(page, "utf-8")


def setup(app: Any) -> None:
    """Connect to Sphinx."""
    app.connect("build-finished", _write, priority=100)
