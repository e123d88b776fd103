"""The Sphinx extension of the book.

Each module has one reason to exist, and each is told apart by its `setup`:

- `execution`: keeps executed notebooks apart by the package that ran them
- `assets`: ships pictures and sounds as scripts that load when needed
- `mounting`: puts the book's style on every page, and the scripts of the
  widgets where they stand
- `maths`: renders formulas at build time, with local fonts
- `lightening`: leaves out scripts and style sheets that a page doesn't need
- `styles`: keeps only the rules that the pages can use
- `icons`: keeps only the icons that the pages show
- `letters`: keeps only the letters that formulas show
- `templates`: replaces parts of the theme that a strict page refuses or a
  screen reader stumbles over
- `alt_text`: asks every image for words
- `launching`: fills the menus of a page's header
- `cards`: leads from the end of a page to its lab and on
- `search`: searches all sections, from a folder too
- `entrance`: leads from the site's first address to its first page
- `outputs`: hides the outputs that only tests and tables read, and hands
  those of BertViz on
- `frames`: shows each view of BertViz in a frame that lets nothing out
- `evidence`: finds the numbers that cells report for claims
- `ledger`: puts those numbers into the prose and onto the page of claims
- `verdicts`: judges each claim, and counts what became of all
- `studies`: shows experiments: the evidence pages, and figures in lessons
- `road`: lists the steps to today's attention
- `questions`: questions that mark themselves
- `runs`: the table of seconds and memory that each notebook took

`server` is no part of the extension: it serves the built site with the
security policy that the site promises to work under.
"""

from typing import Any

__all__ = ["setup"]


def setup(app: Any) -> dict[str, Any]:
    """Register every part of the extension with Sphinx."""
    from attn_course import __version__
    from attn_course.site import (
        alt_text,
        assets,
        cards,
        entrance,
        evidence,
        execution,
        frames,
        icons,
        launching,
        ledger,
        letters,
        lightening,
        maths,
        mounting,
        questions,
        road,
        runs,
        search,
        studies,
        styles,
        templates,
        verdicts,
    )

    parts = (
        execution, assets, mounting, maths, lightening,
        styles, icons, letters, templates, alt_text, launching, cards,
        search, entrance, evidence, ledger, questions, frames, runs,
        verdicts, studies, road,
    )  # fmt: skip
    for part in parts:
        part.setup(app)
    return {
        "version": __version__,
        "parallel_read_safe": True,
        "parallel_write_safe": True,
    }
