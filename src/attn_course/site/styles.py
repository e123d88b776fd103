"""Keep only the rules that the pages can use.

The theme's style sheets are made for every page that anybody could write; a
reader would load them whole. After the pages are written we know which
classes and names stand in them, or in a script that could add them.
"""

import re
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from attn_course.site.search import TEXTS

__all__ = ["prune", "setup", "words"]

_WORD = re.compile(r"[\w-]+")
_COMMENT = re.compile(r"/\*.*?\*/", re.S)
_MARK = re.compile(r"""("(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')|[{};]""", re.S)
_NAME = re.compile(r"[.#](-?[A-Za-z_][\w-]*)")
_INNER = re.compile(r"\([^()]*\)|\[[^]]*\]")
_NESTING = ("@media", "@supports", "@layer", "@container")
# What others made, below `_static`; ours has no rule too many.
SHEETS = (
    "basic.css", "copybutton.css", "mystnb.*.css", "sphinx-design.min.css",
    "styles/*.css", "togglebutton.css",
)  # fmt: skip


def words(text: str) -> set[str]:
    """Collect whatever could be the name of a class."""
    return set(_WORD.findall(text))


def prune(style: str, known: Collection[str]) -> str:
    """Drop each selector with a class or an id that is not known."""
    return "".join(_rules(_COMMENT.sub("", style), known))


def _rules(style: str, known: Collection[str]) -> Iterator[str]:
    for head, body in _split(style):
        if body is None:
            yield head
        elif head.startswith(_NESTING):
            inner = prune(body, known)
            if inner.strip():
                yield f"{head}{{{inner}}}"
        elif head.startswith("@"):
            yield f"{head}{{{body}}}"
        else:
            kept = [one for one in _selectors(head) if _fits(one, known)]
            if kept:
                yield f"{','.join(kept)}{{{body}}}"


def _split(style: str) -> Iterator[tuple[str, str | None]]:
    """Yield what stands before each brace, and what stands inside."""
    depth, start, head = 0, 0, ""
    for mark in _MARK.finditer(style):
        if mark[0] == "{":
            if depth == 0:
                head, start = style[start : mark.start()].strip(), mark.end()
            depth += 1
        elif mark[0] == "}":
            depth -= 1
            if depth == 0:
                yield head, style[start : mark.start()]
                start = mark.end()
        elif mark[0] == ";" and depth == 0:
            yield style[start : mark.end()].strip(), None
            start = mark.end()


def _selectors(head: str) -> list[str]:
    """Split at the commas that stand in no parentheses."""
    depth, parts = 0, [""]
    for letter in head:
        depth += (letter == "(") - (letter == ")")
        if letter == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += letter
    return [part.strip() for part in parts]


def _fits(selector: str, known: Collection[str]) -> bool:
    """Look at the names outside of `:not(…)` and its like."""
    while (shorter := _INNER.sub("", selector)) != selector:
        selector = shorter
    return all(name in known for name in _NAME.findall(selector))


def _lighten(app: Any, error: Exception | None) -> None:
    if error or app.builder.format != "html":
        return
    out = Path(app.outdir)
    static = out / "_static"
    known: set[str] = set()
    for path in [*out.rglob("*.html"), *static.rglob("*.js")]:
        if path.name != TEXTS:
            known |= words(path.read_text("utf-8"))
    for name in SHEETS:
        for path in static.glob(name):
            path.write_text(prune(path.read_text("utf-8"), known), "utf-8")


def setup(app: Any) -> None:
    """Connect to Sphinx."""
    # Before the icons are counted; after all scripts are there.
    app.connect("build-finished", _lighten, priority=700)
