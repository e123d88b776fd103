"""Leave out scripts that no page of ours needs.

Notebooks save the state of their widgets into the page, with every tensor a
second time; our widgets carry theirs in the element itself.
"""

import shutil
from pathlib import Path
from typing import Any

__all__ = ["is_needed", "setup"]

_WIDGET_STATE = "application/vnd.jupyter.widget-state+json"
_WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"

# Files that the theme copies and that no page asks for.
_UNUSED = (
    "scripts/fontawesome.js",
    "scripts/fontawesome.js.LICENSE.txt",
    "scripts/*.map",
    "styles/*.map",
)


def is_needed(script: Any) -> bool:
    """Tell whether a page should keep a script."""
    attributes = getattr(script, "attributes", {})
    if attributes.get("type") in (_WIDGET_STATE, _WIDGET_VIEW):
        return False
    return "thebe" not in str(getattr(script, "filename", script))


def _drop_scripts(
    app: Any, page: str, template: str, context: dict, doctree: Any
) -> None:
    context["script_files"] = [
        script for script in context["script_files"] if is_needed(script)
    ]


def _drop_files(app: Any, exception: Exception | None) -> None:
    if exception or app.builder.format != "html":
        return
    static = Path(app.outdir) / "_static"
    for pattern in _UNUSED:
        for path in static.glob(pattern):
            path.unlink()
    shutil.rmtree(static / "locales", ignore_errors=True)


def setup(app: Any) -> None:
    """Connect to Sphinx."""
    app.connect("html-page-context", _drop_scripts, priority=900)
    app.connect("build-finished", _drop_files)
