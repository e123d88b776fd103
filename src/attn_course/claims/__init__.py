"""The ledger: every claim of the article, and what became of it.

Each chapter's claims stand in a file of their own beside this one
(`chapter_03.toml`). A cell of a page or notebook reports what it measured:

>>> from attn_course import claims
>>> claims.report("3.tie", score=1, weight=1 / 3)  # doctest: +SKIP
claim 3.tie: score 1, weight 0.333

The website picks the numbers up from there: `` {claim}`3.tie.weight` `` in
the prose, and the page that lists all claims.
"""

from attn_course.claims.chapters import Claim, Section, ledger, look_up
from attn_course.claims.numbers import measured, readable, show
from attn_course.claims.reporting import report, report_of

__all__ = [
    "Claim",
    "Section",
    "ledger",
    "look_up",
    "measured",
    "readable",
    "report",
    "report_of",
    "show",
]
