"""Put the widgets' scripts and the book's own files on the pages.

Every page has the book's own style and script. A page with widgets has what
all widgets share, `attn-widgets.js`, and one script for each kind of element
that stands in it.
"""

import re
from importlib import resources
from pathlib import Path
from typing import Any

from attn_course.colours import stylesheet
from attn_course.widgets.base import STATIC

__all__ = ["scripts_for", "setup"]

SHARED = "attn-widgets.js"
OWN = Path(str(resources.files("attn_course"))) / "site" / "static"
# What only pages with such an element need.
PARTS = {
    'class="attn-guess': ("attn-guess.css", "attn-guess.js"),
    'class="attn-question': ("attn-questions.js",),
    'glossary">': ("attn-popovers.css",),
    'id="attn-notes"': ("attn-popovers.css", "attn-popovers.js"),
}


def scripts_for(html: str) -> list[str]:
    """Name the scripts that a page needs, in the order of loading."""
    tags = sorted(set(re.findall(r"<(attn-[a-z-]+)", html)))
    own = [f"{tag}.js" for tag in tags if (STATIC / f"{tag}.js").is_file()]
    return [SHARED, *own] if own else []


def _register(app: Any, config: Any) -> None:
    config.html_static_path += [
        *(str(path) for path in sorted(OWN.glob("attn-*"))),
        str(OWN / "fonts"),
        *(str(path) for path in sorted(STATIC.glob("attn-*.js"))),
    ]
    app.add_css_file("attn-colours.css", priority=890)
    app.add_css_file("attn-site.css", priority=900)
    app.add_js_file("attn-site.js", loading_method="defer")
    config.html_favicon = str(OWN / "favicon.svg")


def _write_colours(app: Any, error: Exception | None) -> None:
    if error is None and app.builder.format == "html":
        path = Path(app.outdir) / "_static" / "attn-colours.css"
        path.write_text(stylesheet(), "utf-8")


def _mount(
    app: Any, page: str, template: str, context: dict, doctree: Any
) -> None:
    body = context.get("body", "")
    needed = [names for mark, names in PARTS.items() if mark in body]
    own = list(dict.fromkeys(name for names in needed for name in names))
    for name in own:
        if name.endswith(".css"):
            app.add_css_file(name, priority=900)
    # A guess hides read-outs before its widget draws them.
    scripts = [name for name in own if name.endswith(".js")]
    for name in [*scripts, *scripts_for(body)]:
        app.add_js_file(name, loading_method="defer")


def setup(app: Any) -> None:
    """Connect to Sphinx."""
    app.connect("config-inited", _register)
    app.connect("html-page-context", _mount)
    app.connect("build-finished", _write_colours)
