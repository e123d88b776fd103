"""The road: in order, with sources, and measured somewhere."""

import re
from pathlib import Path

from attn_course.road import Road, Stop, load_road

BOOK = Path(__file__).parents[1] / "book"
ROAD = load_road()


def test_years_rise_and_no_stop_comes_twice():
    years = [stop.year for stop in ROAD]
    assert years == sorted(years)
    assert len({stop.name for stop in ROAD}) == len(ROAD) > 10


def test_every_stop_says_all():
    for stop in ROAD:
        assert all(stop), stop
        for text in (stop.brought, stop.removed, stop.left):
            assert not text.endswith(".")


def test_every_source_is_in_the_bibliography_and_of_that_year():
    text = (BOOK / "references.bib").read_text("utf-8")
    entries = dict(re.findall(r"^@\w+\{(\S+),(.*?)^\}", text, re.M | re.S))
    for stop in ROAD:
        [year] = re.findall(r"\byear\s*=\s*\{?(\d{4})", entries[stop.key])
        # Papers that were read before their journal or conference.
        earlier = {"su2024roformer": 2021, "bahdanau2015neural": 2014}
        assert stop.year == earlier.get(stop.key, int(year)), stop.name
        first = stop.who.split()[0].partition("-")[0]
        assert first.lower() in stop.key.lower(), stop


def test_the_page_cites_every_source():
    page = (BOOK / "09-what-attention-became.md").read_text("utf-8")
    [cited] = re.findall(r"Sources:\s\{cite\}`([^`]+)`", page)
    assert cited.split(",") == [stop.key for stop in ROAD]


def test_every_stop_is_measured_in_a_chapter():
    chapters = {int(page.name[:2]) for page in BOOK.glob("[0-9]*.md")}
    assert {stop.chapter for stop in ROAD} <= chapters


def test_what_is_shown_is_text():
    stop = Stop(2000, "<b>", "A & B", "x", "y", "z", "key", 1)
    shown = Road([stop])._repr_html_()
    assert "&lt;b&gt;" in shown and "A &amp; B" in shown
    assert ROAD._repr_html_().count("<li>") == len(ROAD)
