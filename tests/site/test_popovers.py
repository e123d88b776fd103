"""Numbers and terms that open, and what they say."""

import json
import re

import pytest
from browsing import axe_faults
from bs4 import BeautifulSoup

SLOPE = re.compile(r"^[\d.]+ \([\d.]+ to [\d.]+ over 3 seeds\)$")


def pop(page):
    return page.get_by_role("dialog")


def number(page):
    return page.locator("a.attn-claim:visible").first


def term(page, name="softmax"):
    return page.get_by_role("link", name=name, exact=True)


@pytest.fixture
def lesson(lesson_url, open_page):
    """Open the lesson with every answer in view."""

    def open_one(**options):
        page = open_page(lesson_url, **options)
        for guess in page.locator(".attn-guess").all():
            guess.get_by_role("button", name="Skip").click()
        return page

    return open_one


def test_a_number_in_prose_is_its_mean_and_opens_the_rest(lesson):
    page = lesson()
    mark = page.locator(".attn-guess").nth(2).locator("a.attn-claim")
    assert re.fullmatch(r"[\d.]+", mark.inner_text())
    mark.click()
    said = pop(page).inner_text()
    assert SLOPE.match(said.splitlines()[0])
    for part in (
        "random-scores", "2026-", "numpy", "How do random dot products",
        "attn-course experiments --only random-scores",
    ):  # fmt: skip
        assert part in said
    links = pop(page).get_by_role("link")
    assert [link.get_attribute("href").rpartition("/")[2] for link in
            links.all()][1] == "claims.html#ledger-3-scaling-size"  # fmt: skip
    links.first.click()
    page.wait_for_url("**/book/evidence/03.html#study-random-scores")


def test_the_evidence_has_the_spread_in_its_text(lesson_site):
    text = (lesson_site / "book/evidence/03.html").read_text("utf-8")
    marks = BeautifulSoup(text, "html.parser").select("p > a.attn-claim")
    assert SLOPE.match(marks[-1].get_text())
    assert all(mark["href"] == "#study-random-scores" for mark in marks)


def test_a_term_opens_its_entry(lesson):
    page = lesson()
    term(page).click()
    said = pop(page).inner_text()
    # Text is text: no accents of Markdown, and the entry as it is written.
    assert said.startswith("softmax")
    assert "Turns any numbers into shares, exp first" in said
    # It is explained on this page, so one link is enough.
    [link] = pop(page).get_by_role("link").all()
    assert link.get_attribute("href").endswith("words.html#term-softmax")


def test_a_term_in_another_form_opens_the_same_entry(lesson):
    page = lesson()
    term(page, "seeds").click()
    assert pop(page).inner_text().startswith("seed\n")
    pop(page).get_by_role("link", name="More in the evidence").click()
    page.wait_for_url("**/book/evidence/03.html")


def test_the_keyboard_opens_reads_and_closes(lesson):
    page = lesson()
    mark = number(page)
    mark.focus()
    page.keyboard.press("Enter")
    assert pop(page).is_visible()
    assert mark.get_attribute("aria-expanded") == "true"
    page.keyboard.press("Tab")
    focused = "document.activeElement"
    assert page.evaluate(f"{focused}.textContent") == "Evidence"
    page.keyboard.press("Escape")
    assert not pop(page).is_visible()
    assert mark.get_attribute("aria-expanded") == "false"
    assert mark.evaluate(f"(mark) => mark === {focused}")


def test_tabbing_on_goes_on_after_the_number(lesson):
    page = lesson()
    mark = number(page)
    mark.focus()
    page.keyboard.press("Enter")
    for _ in range(3):
        page.keyboard.press("Tab")
    assert pop(page).count() == 0
    after = page.evaluate(
        """() => {
          const marks = [...document.querySelectorAll("a.attn-claim")];
          const mark = marks.find((one) => one.checkVisibility());
          return Boolean(mark.compareDocumentPosition(document.activeElement)
                         & Node.DOCUMENT_POSITION_FOLLOWING);
        }"""
    )
    assert after


def test_a_second_press_or_one_elsewhere_closes(lesson):
    page = lesson()
    number(page).click()
    assert pop(page).is_visible()
    number(page).click()
    assert pop(page).count() == 0
    number(page).click()
    page.mouse.click(5, 5)
    assert pop(page).count() == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_it_is_accessible_and_stays_on_the_page(lesson, scheme, width):
    page = lesson(width=width, scheme=scheme)
    # The theme's own button, which comes and goes as one scrolls.
    page.locator("#pst-back-to-top").evaluate("(button) => button.remove()")
    for mark in (number(page), term(page, "seeds")):
        mark.click()
        box = pop(page).bounding_box()
        assert box["x"] >= 0 and box["x"] + box["width"] <= width
        assert box["y"] >= 0 and box["y"] + box["height"] <= 800
        assert [fault["id"] for fault in axe_faults(page)] == []
        page.keyboard.press("Escape")
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("place", ["script", "popover"])
def test_without_them_a_number_and_a_term_are_links(
    browser, lesson_url, place
):
    context = browser.new_context(java_script_enabled=place == "popover")
    page = context.new_page()
    page.add_init_script("delete HTMLElement.prototype.popover")
    page.goto(lesson_url)
    if place == "popover":
        page.get_by_role("button", name="Skip").first.click()
    else:
        page.locator(".attn-guess summary").first.click()
    term(page).click()
    page.wait_for_url("**/words.html#term-softmax")
    context.close()


def test_what_they_say_travels_once_and_is_small(lesson_site):
    text = (lesson_site / "book/index.html").read_text("utf-8")
    soup = BeautifulSoup(text, "html.parser")
    [notes] = soup.select("#attn-notes")
    told = json.loads(notes.string)
    assert len(told["sources"]) == 1
    assert set(told["terms"]) == {"term-softmax", "term-seed"}
    assert "<" not in notes.string
    assert len(soup.select("a.attn-claim")) > len(told["sources"])
