"""Where the cards at a page's end lead."""

import pytest

from attn_course.site.cards import cards

LESSONS = ["book/01-one", "book/02-two"]
PAGES = {
    *LESSONS, "notebooks/01-one", "notebooks/02-two", "book/evidence/01-one",
    "book/evidence/02-two", "book/index", "book/claims", "book/teaching",
}  # fmt: skip
MORE = PAGES | {"book/before-you-start", "book/self-test"}


def pages_of(page, pages=PAGES):
    return [card.page for card in cards(page, pages)]


def test_a_lesson_leads_to_its_lab_and_the_next_lesson():
    assert pages_of("book/01-one") == ["notebooks/01-one", "book/02-two"]


@pytest.mark.parametrize("room", ["notebooks", "book/evidence"])
def test_a_room_leads_back_and_on(room):
    assert pages_of(f"{room}/01-one") == LESSONS


def test_the_last_lesson_leads_to_the_claims_or_the_self_test():
    last = LESSONS[-1]
    assert pages_of(last) == ["notebooks/02-two", "book/claims"]
    assert pages_of(last, MORE) == ["notebooks/02-two", "book/self-test"]
    assert pages_of("book/self-test", MORE) == ["book/claims"]


def test_what_is_read_first_leads_to_chapter_one():
    assert pages_of("book/before-you-start", MORE) == ["book/01-one"]


@pytest.mark.parametrize("page", ["book/index", "book/teaching", "search"])
def test_other_pages_have_no_cards(page):
    assert pages_of(page) == []


def test_the_end_of_the_road_has_no_cards():
    assert pages_of("book/claims") == []


def test_a_lesson_alone_needs_no_other_page():
    assert pages_of("book/01-one", {"book/01-one"}) == []
