"""Ship pictures and sounds as scripts, which a page inserts when needed.

A page opened as a file may neither fetch nor read the pixels of a picture
beside it. A classic script may be loaded from anywhere, so each file travels
as one call of `attnAsset(name, dataURI)`.
"""

import json
from pathlib import Path
from typing import Any

from attn_course.data import asset_names, data_uri

__all__ = ["setup", "write_scripts"]


def write_scripts(folder: Path) -> list[Path]:
    """Write one script for each asset below `folder`; give their paths."""
    written = []
    for name in asset_names():
        path = folder / f"{name}.js"
        path.parent.mkdir(parents=True, exist_ok=True)
        call = f"attnAsset({json.dumps(name)},{json.dumps(data_uri(name))})"
        path.write_text(call, "utf-8")
        written.append(path)
    return written


def _finish(app: Any, error: Exception | None) -> None:
    if error is None and app.builder.format == "html":
        write_scripts(Path(app.outdir) / "_static" / "attn-assets")


def setup(app: Any) -> None:
    """Connect to Sphinx."""
    app.connect("build-finished", _finish)
