"""Where a reader goes at the end of a page: two cards.

A lesson leads to its lab and to the next lesson; a lab and a page of evidence
lead back to their lesson and on to the next.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

__all__ = ["Card", "cards", "setup"]

_ROOMS = re.compile(r"(book|notebooks|book/evidence)/((\d+)-[^/]+)")
# What is read before the first chapter, and after the last one.
BEFORE = ("book/before-you-start",)
AFTER = ("book/self-test", "book/claims")


@dataclass(frozen=True)
class Card:
    """A link with what kind of page it leads to."""

    kind: str
    page: str
    title: str = ""


def cards(page: str, pages: Collection[str]) -> list[Card]:
    """List the cards of a page, without their titles."""
    lessons = sorted(
        name
        for name in pages
        if (room := _ROOMS.fullmatch(name)) and room[1] == "book"
    )
    road = [
        *(name for name in BEFORE if name in pages),
        *lessons,
        *(name for name in AFTER if name in pages),
    ]
    room = _ROOMS.fullmatch(page)
    lesson = f"book/{room[2]}" if room else page
    if lesson not in road or page == AFTER[-1]:
        return []
    found = []
    lab = f"notebooks/{room[2]}" if room else ""
    if room and room[1] != "book":
        found.append(Card("Back to the lesson", lesson))
    elif lab in pages:
        found.append(Card("Build it yourself", lab))
    for following in road[road.index(lesson) + 1 :][:1]:
        kind = "Next chapter" if following in lessons else "Go on"
        found.append(Card(kind, following))
    return found


def _fill(
    app: Any, page: str, template: str, context: dict, doctree: Any
) -> None:
    context["attn_cards"] = [
        Card(card.kind, card.page, app.env.titles[card.page].astext())
        for card in cards(page, app.env.found_docs)
    ]


def setup(app: Any) -> None:
    """Connect to Sphinx."""
    app.connect("html-page-context", _fill)
