"""The road: in order, with sources, and measured somewhere."""

import re
from pathlib import Path

import pytest

from attn_course import figures
from attn_course.data.road import BOTTLENECKS, Stop, load_road

BOOK = Path(__file__).parents[2] / "book"
ROAD = load_road()


def test_years_rise_and_no_stop_comes_twice():
    years = [stop.year for stop in ROAD]
    assert years == sorted(years)
    assert len({stop.name for stop in ROAD}) == len(ROAD) > 10


def test_every_stop_says_all():
    for stop in ROAD:
        assert all(stop._replace(mended="none")), stop
        assert stop.mended in ("", *BOTTLENECKS)
        assert stop.open in BOTTLENECKS
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


def test_every_stop_is_measured_in_a_chapter():
    chapters = {int(page.name[:2]) for page in BOOK.glob("[0-9]*.md")}
    assert {stop.chapter for stop in ROAD} <= chapters


def test_every_bottleneck_is_one_that_a_step_is_about():
    about = {stop.mended for stop in ROAD} | {stop.open for stop in ROAD}
    assert set(BOTTLENECKS) <= about


def test_the_figure_has_a_row_for_each_stop_and_a_column_for_each_kind():
    axes = figures.road(ROAD, BOTTLENECKS).figure.axes[0]
    rows = [tick.get_text() for tick in axes.get_yticklabels()]
    assert rows == [f"{stop.name}, {stop.year}" for stop in ROAD]
    columns = [tick.get_text() for tick in axes.get_xticklabels()]
    assert columns == list(BOTTLENECKS.values())
    rings, dots = axes.collections
    kinds = list(BOTTLENECKS)
    assert rings.get_offsets().tolist() == [
        [kinds.index(stop.mended), row]
        for row, stop in enumerate(ROAD)
        if stop.mended
    ]
    assert dots.get_offsets().tolist() == [
        [kinds.index(stop.open), row] for row, stop in enumerate(ROAD)
    ]


def test_the_figure_knows_no_other_kind():
    stop = Stop(2000, "a", "b", "c", "d", "fading", "weather", "k", "w")
    with pytest.raises(ValueError, match="weather"):
        figures.road([stop], BOTTLENECKS)


def test_most_late_steps_are_about_pairs_and_memory():
    late = [
        s.mended in ("pairs", "memory") for s in load_road() if s.year >= 2019
    ]
    assert sum(late) > len(late) / 2
