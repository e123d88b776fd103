"""Questions that mark themselves, on the built page of chapter 3."""

import pytest
import tiny_book

PAGE = "book/03-query-key-value.html"

CHAPTER = """# Page

:::{{question}} Which are even?
{options}
:::
"""


def question(page, number=0):
    return page.locator(".attn-question").nth(number)


def test_a_wrong_choice_is_explained_and_may_be_mended(open_page):
    page = open_page(PAGE)
    asked = question(page)
    result = asked.locator(".attn-result")
    asked.get_by_label("Zero.").check()
    asked.get_by_role("button", name="Check").click()
    assert "Not right" in result.inner_text()
    assert "sum to 1, not to 0" in result.inner_text()
    assert "moves information" not in result.inner_text()
    asked.get_by_label("That vector.").check()
    asked.get_by_role("button", name="Check").click()
    assert "Right." in result.inner_text()
    assert "moves information" in result.inner_text()


def test_nothing_chosen_is_said(open_page):
    asked = question(open_page(PAGE))
    asked.get_by_role("button", name="Check").click()
    assert asked.locator(".attn-result").inner_text().strip() != ""
    assert "Right." not in asked.locator(".attn-result").inner_text()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_keyboard_is_enough(open_page, scheme):
    page = open_page(PAGE, width=360, scheme=scheme)
    asked = question(page, 1)
    asked.locator("input").first.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert "Right." in asked.locator(".attn-result").inner_text()
    for target in asked.locator("input, button").all():
        assert target.bounding_box()["height"] >= 24


def test_without_scripts_the_answers_are_folded(browser, site_url):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(site_url + PAGE)
    asked = question(page)
    assert asked.get_by_text("That vector.").is_visible()
    assert not asked.get_by_text("moves information").is_visible()
    asked.locator("summary").click()
    assert asked.get_by_text("moves information").is_visible()
    context.close()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("- [ ] One. | No.\n- [ ] Three. | No.", "right"),
        ("- [x] Two. | Yes.\n- [ ] Three.", "explanation"),
    ],
)
def test_a_question_that_cannot_be_marked_fails_the_build(
    tmp_path, options, message
):
    tiny_book.start(tmp_path, "")
    page = CHAPTER.format(options=options)
    tiny_book.write(tmp_path, "book/index.md", page)
    clean, said = tiny_book.build(tmp_path)
    assert not clean
    assert "question" in said and message in said


def test_several_right_options_make_checkboxes(tmp_path):
    tiny_book.start(tmp_path, "")
    options = "- [x] Two. | Yes.\n- [ ] Three. | No.\n- [x] $2^2$ | Yes."
    page = CHAPTER.format(options=options)
    tiny_book.write(tmp_path, "book/index.md", page)
    clean, said = tiny_book.build(tmp_path)
    assert clean, said
    html = (tiny_book.site(tmp_path) / "book/index.html").read_text("utf-8")
    assert html.count('type="checkbox"') >= 3 and "katex" in html
