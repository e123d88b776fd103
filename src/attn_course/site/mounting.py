"""Put the widgets' script and the book's own files on every page."""

from importlib import resources
from pathlib import Path
from typing import Any

__all__ = ["setup"]


def _register(app: Any, config: Any) -> None:
    package = Path(str(resources.files("attn_course")))
    own = package / "site" / "static"
    config.html_static_path += [
        str(own / "attn-site.css"),
        str(own / "attn-site.js"),
    ]
    app.add_css_file("attn-site.css", priority=900)
    app.add_js_file("attn-site.js", loading_method="defer")
    config.html_favicon = str(own / "favicon.svg")
    widgets = package / "widgets" / "static" / "attn-widgets.js"
    if widgets.is_file():
        config.html_static_path.append(str(widgets))
        app.add_js_file(widgets.name, loading_method="defer")


def setup(app: Any) -> None:
    """Connect to Sphinx."""
    app.connect("config-inited", _register)
