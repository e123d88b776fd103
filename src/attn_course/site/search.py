"""What the search looks through: the text of every section of every page.

The site's own files can't be fetched from a folder, so the text travels as one
call of `attnSearch(pages)` in a script that is loaded when a reader searches.
A page is `[address, title, sections]`, a section `[id, title, text]`.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from attn_course.optional import need

__all__ = ["read_page", "setup"]

TEXTS = "attn-search-text.js"
# Lessons come first where two pages fit equally well, then labs.
ORDER = (r"book/\d", "notebooks/", "book/evidence/", "")
# What nobody reads as text: scripts, the copy of a formula for screen readers,
# and the tables behind figures.
_SILENT = "script, style, template, svg, form, .headerlink, .katex-mathml"


def read_page(html: str) -> tuple[str, list[list[str]]] | None:
    """Give the title and the sections of a page; None where it has none."""
    page = need("bs4").BeautifulSoup(html, "html.parser")
    article = page.select_one("article.bd-article")
    title = article and article.find("h1")
    if title is None:
        return None
    for one in article.select(_SILENT):
        one.decompose()
    for one in article.find_all(lambda tag: tag.name.startswith("attn-")):
        one.decompose()
    sections = article.find_all("section", id=True)
    return _text([title]), [
        [section["id"], *_parts(section)] for section in sections
    ]


def _parts(section: Any) -> tuple[str, str]:
    """Give a section's heading and what stands in no section inside it."""
    heading = section.find(["h1", "h2", "h3", "h4", "h5", "h6"])
    rest = [
        child
        for child in section.children
        if child is not heading and getattr(child, "name", "") != "section"
    ]
    return _text([heading] if heading else []), _text(rest)


def _text(nodes: list) -> str:
    return " ".join(" ".join(one.get_text() for one in nodes).split())


def _pages(folder: Path) -> Iterator[tuple[str, Path]]:
    """Yield the address and the file of each page, lessons first."""
    found = {
        path.relative_to(folder).as_posix(): path
        for path in folder.rglob("*.html")
        if not path.relative_to(folder).parts[0].startswith("_")
    }

    def rank(name: str) -> tuple[int, str]:
        kinds = (i for i, kind in enumerate(ORDER) if re.match(kind, name))
        return next(kinds), name

    for name in sorted(found, key=rank):
        yield name, found[name]


def _write(app: Any, error: Exception | None) -> None:
    if error or app.builder.format != "html":
        return
    out = Path(app.outdir)
    pages = []
    for name, path in _pages(out):
        read = read_page(path.read_text("utf-8"))
        if read and read[1]:
            pages.append([name, *read])
    text = json.dumps(pages, ensure_ascii=False, separators=(",", ":"))
    (out / "_static" / TEXTS).write_text(f"attnSearch({text})", "utf-8")


def _replace_own(app: Any) -> None:
    """Make a page of search without Sphinx's index, which is not asked."""
    app.builder.search = False


def _add(app: Any, config: Any) -> None:
    config.html_additional_pages["search"] = "search.html"
    app.add_js_file("attn-search.js", loading_method="defer")


def setup(app: Any) -> None:
    """Connect to Sphinx."""
    app.connect("config-inited", _add)
    app.connect("builder-inited", _replace_own)
    app.connect("build-finished", _write)
