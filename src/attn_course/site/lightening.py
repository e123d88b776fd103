"""Leave out scripts and styles that a page, or all of ours, has no use for.

Notebooks save the state of their widgets into the page, with every tensor a
second time; our widgets carry theirs in the element itself. The theme's menus
and search have been replaced (see `templates`).
"""

import shutil
from pathlib import Path
from typing import Any

__all__ = ["is_needed", "setup"]

_WIDGET_STATE = "application/vnd.jupyter.widget-state+json"
_WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"

# Scripts that do nothing here.
_NEVER = (
    "doctools.js", "language_data.js", "searchtools.js", "sphinx_highlight.js",
    "thebe", "search_as_you_type", "DOCUMENTATION_OPTIONS.pagename",
)  # fmt: skip
# What a page must hold to need a script or a style sheet.
_ONLY_WITH = {
    "clipboard.min.js": 'class="highlight',
    "copybutton": 'class="highlight',
    "design-tabs.js": "sd-tab",
    "katex": 'class="katex',
    "mystnb": 'class="cell',
    "pygments": 'class="highlight',
    "sphinx-design": "sd-",
    "toggle": "toggle",
}
# Files that the theme copies and that no page asks for.
_UNUSED = (
    "*-webpack-macros.html",
    "webpack-macros.html",
    "doctools.js",
    "images/logo_*",
    "language_data.js",
    "scripts/bootstrap.js",
    "scripts/fontawesome.js",
    "scripts/*.LICENSE.txt",
    "scripts/*.map",
    "searchtools.js",
    "sphinx_highlight.js",
    "styles/*.map",
)


def is_needed(file: Any, body: str = "") -> bool:
    """Tell whether a page with this body needs a script or a style sheet."""
    attributes = getattr(file, "attributes", {})
    if attributes.get("type") in (_WIDGET_STATE, _WIDGET_VIEW):
        return False
    name = f"{getattr(file, 'filename', file)} {attributes.get('body', '')}"
    if any(unused in name for unused in _NEVER):
        return False
    return all(
        sign in body for part, sign in _ONLY_WITH.items() if part in name
    )


def _drop(
    app: Any, page: str, template: str, context: dict, doctree: Any
) -> None:
    body = context.get("body", "")
    for kind in ("script_files", "css_files"):
        context[kind] = [
            file for file in context[kind] if is_needed(file, body)
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
    app.connect("html-page-context", _drop, priority=900)
    app.connect("build-finished", _drop_files)
