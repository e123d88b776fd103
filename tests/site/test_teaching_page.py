"""The lessons: 90 minutes each, and links that open figures as they say."""

import re
from urllib.parse import parse_qsl

import pytest
from browsing import unfold
from bs4 import BeautifulSoup
from test_pages import SITE

PAGE = SITE / "book" / "teaching.html"


def soup():
    return BeautifulSoup(PAGE.read_text("utf-8"), "html.parser")


def lessons():
    return [
        section
        for section in soup().select("article section section")
        if section.h2.get_text().startswith("Lesson")
    ]


def links():
    """List the links into figures; without a site there is one test."""
    if not PAGE.exists():
        return [""]
    return [a["href"] for a in soup().select("a[href*='#attn:']")]


def test_a_lesson_takes_90_minutes():
    assert len(lessons()) == 3
    for lesson in lessons():
        minutes = [int(row.td.get_text()) for row in lesson.select("tbody tr")]
        assert sum(minutes) == 90, lesson.h2.get_text()


def test_every_step_has_something_to_see_and_something_to_do():
    assert len(links()) >= 15
    for lesson in lessons():
        for row in lesson.select("tbody tr"):
            _, wall, class_does = row.select("td")
            assert wall.a and class_does.get_text(strip=True)


@pytest.mark.parametrize("href", links())
def test_a_link_opens_a_figure_in_that_state(open_page, href):
    """The state that the figure would copy is the one that was asked for."""
    page = open_page(f"book/{href}")
    name, asked = re.fullmatch(r"[^#]+#attn:([^?]+)\?(.*)", href).groups()
    figure = page.locator(f'[data-state*=\'"name":"{name}"\']')
    figure.locator(".attn").wait_for()
    assert figure.locator(".status").inner_text() == ""
    box = figure.bounding_box()
    assert box["y"] < page.viewport_size["height"] and box["height"] > 100
    unfold(page)
    figure.get_by_role("button", name="Copy link").click()
    there, copied = page.evaluate("location.hash").split("?")
    assert there == f"#attn:{name}"
    assert dict(parse_qsl(copied)) == dict(parse_qsl(asked))
