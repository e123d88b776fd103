"""Keep only the letters that formulas show: KaTeX's fonts hold thousands."""

from html import unescape
from importlib import resources
from pathlib import Path
from typing import Any

from attn_course.site.icons import keep_characters

__all__ = ["setup"]


def _keep(app: Any, error: Exception | None) -> None:
    if error or app.builder.format != "html":
        return
    out = Path(app.outdir)
    codes: set[int] = set()
    for page in out.rglob("*.html"):
        codes |= set(map(ord, unescape(page.read_text("utf-8"))))
    own = Path(str(resources.files("attn_course"))) / "site/static/katex/fonts"
    for source in sorted(own.glob("*.woff2")):
        keep_characters(source, out / "_static" / "fonts" / source.name, codes)


def setup(app: Any) -> None:
    """Connect to Sphinx."""
    app.connect("build-finished", _keep)
