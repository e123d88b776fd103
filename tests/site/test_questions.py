"""Questions that mark themselves: on chapter 3, and on a page of their own."""

import threading

import pytest
import tiny_book
from browsing import axe_faults

from attn_course.site.questions import Option, faults, read_options
from attn_course.site.server import serve

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


# --- Reading a question ---------------------------------------------------


@pytest.mark.parametrize(
    ("line", "text", "explanation"),
    [
        ("One. | Why.", "One.", "Why."),
        ("One. | Why | not.", "One.", "Why | not."),
        ("`a | b` | Code.", "`a | b`", "Code."),
        ("``a ` | b`` | Code.", "``a ` | b``", "Code."),
        ("$p(a | b)$ | Maths.", "$p(a | b)$", "Maths."),
        ("$|x|$ is. | Maths.", "$|x|$ is.", "Maths."),
        (r"A \| b. | A bar.", r"A \| b.", "A bar."),
        (r"It costs \$5. | Or $6$.", r"It costs \$5.", "Or $6$."),
        ("a|b | No blank.", "a|b", "No blank."),
        ("None.", "None.", ""),
    ],
)
def test_the_explanation_comes_after_a_bar_outside_code_and_maths(
    line, text, explanation
):
    before, [option] = read_options([f"- [x] {line}"])
    assert before == []
    assert option == Option(True, text, explanation, 0)


def test_lines_belong_to_the_option_above_or_to_the_question():
    before, options = read_options(
        ["Look:", "", "- [ ] One", "  more.", "  | Why", "", "  2 lines.",
         "* [X] Two. | Yes.", ""]
    )  # fmt: skip
    assert before == ["Look:", ""]
    assert options == [
        Option(False, "One\nmore.", "Why\n\n2 lines.", 2),
        Option(True, "Two.", "Yes.", 7),
    ]


@pytest.mark.parametrize(
    ("lines", "line", "message"),
    [
        ([], 0, "expected two options or more, got 0"),
        (["- [x] One. | Yes."], 0, "expected two options or more, got 1"),
        (["- [x] 1 | Yes."] * 27, 0, "expected 26 options or fewer, got 27"),
        (["- [ ] 1 | No.", "- [ ] 2 | No."], 0, "expected a right option"),
        (["- [x] 1 | Yes.", "- [ ] 2"], 1, "expected an explanation"),
        (["- [x] 1 | Yes.", "- [ ] | No."], 1, "an option without text"),
    ],
)
def test_what_a_question_lacks_is_said(lines, line, message):
    [(place, text)] = faults(read_options(lines)[1])
    assert place == line
    assert message in text


# --- A page of its own ----------------------------------------------------

OWN = r"""# Page

:::{question} What stays when keys and values are shuffled?
Look at this call:

```python
attention(query, key[order], value[order])
```

- [x] The output. | A sum has no order.
- [ ] Each weight, in its place. | They move along with $k_j$:

  ```python
  weights[order]
  ```
- [x] $\max_j w_j$ | The same weights, in another order.
:::

:::{question} What is $\sqrt{4}$?
- [x] Two. | Yes.
- [ ] Four. | That is **not** the root.
:::
"""


@pytest.fixture(scope="module")
def own_url(tmp_path_factory):
    root = tmp_path_factory.mktemp("questions")
    tiny_book.start(root, "")
    tiny_book.write(root, "book/index.md", OWN)
    clean, said = tiny_book.build(root)
    assert clean, said
    server = serve(tiny_book.site(root), port=0)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}/book/index.html"
    server.shutdown()
    server.server_close()


def test_questions_of_a_page_are_told_apart(own_url, open_page):
    page = open_page(own_url)
    kinds = [
        [box.get_attribute("type") for box in question(page, n)
         .locator("input").all()]
        for n in range(2)
    ]  # fmt: skip
    assert kinds == [["checkbox"] * 3, ["radio"] * 2]
    names = {
        box.get_attribute("name") for box in page.locator("input").all()
        if box.get_attribute("type") in ("checkbox", "radio")
    }  # fmt: skip
    assert {"attn-question-1", "attn-question-2"} <= names
    groups = page.locator(".attn-question")
    assert groups.nth(0).get_attribute("id") == "attn-question-1"
    assert page.get_by_role("group", name="What stays when").count() == 1
    assert question(page, 1).locator("legend .katex").count() == 1
    # An option of maths alone has a name to call it by.
    formula = page.get_by_role("checkbox", name="C.")
    assert formula.count() == 1


@pytest.mark.parametrize(
    ("chosen", "says", "explains"),
    [
        ("", "Choose an answer first.", []),
        ("A", "Right so far, but something is missing.", ["A: "]),
        ("B", "Not all of these are right. Try again.", ["B: "]),
        ("AB", "Not all of these are right. Try again.", ["A: ", "B: "]),
        ("ABC", "Not all of these are right. Try again.", list("ABC")),
        ("AC", "All right, and nothing is missing.", ["A: ", "C: "]),
    ],
)
def test_checkboxes_are_marked_together(
    own_url, open_page, chosen, says, explains
):
    asked = question(open_page(own_url))
    for letter in chosen:
        asked.get_by_role("checkbox").nth("ABC".index(letter)).check()
    asked.get_by_role("button", name="Check").click()
    result = asked.get_by_role("status")
    assert result.locator("> p").inner_text() == says
    told = result.locator(".attn-answer").all_inner_texts()
    assert len(told) == len(explains)
    for text, start in zip(told, explains, strict=True):
        assert text.startswith(start)
        word = "Not right." if start.startswith("B") else "Right."
        assert word in text


def test_a_new_choice_clears_the_answer_and_nothing_is_kept(
    own_url, open_page
):
    page = open_page(own_url)
    asked = question(page, 1)
    result = asked.get_by_role("status")
    asked.get_by_label("Four.").check()
    asked.get_by_role("button", name="Check").click()
    assert "not the root" in result.inner_text()
    asked.get_by_label("Two.").check()
    assert result.inner_text() == ""
    page.reload()
    assert asked.locator("input:checked").count() == 0
    assert page.evaluate("Object.keys(localStorage)") == page.evaluate(
        "Object.keys(localStorage).filter((name) => !name.includes('attn'))"
    )


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_an_answered_question_is_accessible_and_fits(
    own_url, open_page, scheme, width
):
    page = open_page(own_url, scheme=scheme, width=width)
    for box in question(page).get_by_role("checkbox").all():
        box.check()
    question(page, 1).get_by_label("Four.").check()
    for number in range(2):
        button = question(page, number).get_by_role("button", name="Check")
        button.click()
    # A copied explanation repeats no id and holds no dead button.
    result = question(page).get_by_role("status")
    assert result.locator("pre").count() == 1
    assert result.locator("[id], button").count() == 0
    assert [fault["id"] for fault in axe_faults(page)] == []
    assert page.evaluate(
        "document.documentElement.scrollWidth <= window.innerWidth"
    )


def test_on_paper_the_answers_are_folded(own_url, open_page):
    page = open_page(own_url)
    asked = question(page, 1)
    assert not asked.locator("summary").is_visible()
    page.emulate_media(media="print")
    assert asked.locator("summary").is_visible()
    assert not asked.get_by_role("button", name="Check").is_visible()
    assert asked.get_by_text("Four.").is_visible()


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("- [ ] One.\n\n  Two.\n  | No.", "an option to be one paragraph"),
        ("", "expected two options or more, got 1"),
    ],
)
def test_an_option_that_fits_no_label_fails_the_build(
    tmp_path, option, message
):
    tiny_book.start(tmp_path, "")
    page = CHAPTER.format(options=f"- [x] Two. | Yes.\n{option}")
    tiny_book.write(tmp_path, "book/index.md", page)
    clean, said = tiny_book.build(tmp_path)
    assert not clean
    assert message in said and "index.md:" in said


# --- A tally --------------------------------------------------------------


def answer(page, number, label):
    asked = question(page, number)
    asked.get_by_label(label).check()
    asked.get_by_role("button", name="Check").click()
    return asked


def test_a_tally_counts_first_tries_and_says_where_to_look(
    lesson_url, open_page
):
    page = open_page(lesson_url)
    tally = page.locator(".attn-tally")
    assert not tally.is_visible()
    asked = answer(page, 0, "Three")
    assert tally.inner_text() == (
        "0 of 2 at the first try, 1 to go."
        " Look again at question 1 (the words)."
    )
    assert "Look it up: the words." in asked.get_by_role("status").inner_text()
    answer(page, 0, "Two")
    assert tally.inner_text().startswith("0 of 2")
    asked = answer(page, 1, "Three")
    assert tally.inner_text() == (
        "1 of 2 at the first try. Look again at question 1 (the words)."
    )
    # Who was right needn't look it up.
    assert "Look it up" not in asked.get_by_role("status").inner_text()
    link = tally.get_by_role("link", name="question 1")
    assert link.get_attribute("href") == "#attn-question-1"
    words = tally.get_by_role("link", name="the words")
    assert words.get_attribute("href") == "words.html"


def test_a_page_without_a_tally_shows_none(own_url, open_page):
    assert open_page(own_url).locator(".attn-tally").count() == 0
