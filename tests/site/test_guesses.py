"""Guesses: commit, then see; in a browser, from a folder, on paper."""

import re
import shutil

import pytest
import tiny_book
from browsing import axe_faults, settle
from bs4 import BeautifulSoup

from attn_course.site.guesses import scaled, split_answer

OPTIONS, SLIDER, CURVE = range(3)


def guess(page, number):
    return page.locator(".attn-guess").nth(number)


def press(asked, name):
    asked.get_by_role("button", name=name).click()


def answer(asked):
    return asked.locator("> details")


# --- Options ---------------------------------------------------------------


def test_nothing_is_told_before_the_guess(lesson_url, open_page):
    page = open_page(lesson_url)
    for number in range(3):
        assert not answer(guess(page, number)).is_visible()
    asked = guess(page, OPTIONS)
    press(asked, "Lock in my guess")
    assert "Choose one first" in asked.get_by_role("status").inner_text()
    assert not answer(asked).is_visible()


def test_the_guess_is_marked_beside_the_answer(lesson_url, open_page):
    asked = guess(open_page(lesson_url), OPTIONS)
    asked.get_by_label("A. cat").check()
    press(asked, "Lock in my guess")
    lines = asked.locator(".attn-options > li").all_inner_texts()
    assert ["Your guess" in line for line in lines] == [True, False, False]
    assert ["The answer" in line for line in lines] == [False, False, True]
    said = asked.get_by_role("status").inner_text()
    assert said == "You guessed A. The answer is C."
    assert answer(asked).get_by_text("Every score is the same").is_visible()
    assert answer(asked).get_by_text("as the others do").is_visible()
    for box in asked.get_by_role("radio").all():
        assert box.is_disabled()


def test_skipping_shows_it_too_and_guess_again_hides_it(lesson_url, open_page):
    asked = guess(open_page(lesson_url), OPTIONS)
    press(asked, "Skip")
    assert answer(asked).is_visible()
    assert asked.get_by_text("Your guess").count() == 0
    press(asked, "Guess again")
    assert not answer(asked).is_visible()
    assert asked.get_by_text("The answer", exact=True).count() == 0
    asked.get_by_label("C. All three").check()
    press(asked, "Lock in my guess")
    assert "and that is the answer" in asked.get_by_role("status").inner_text()


@pytest.mark.parametrize("place", ["server", "folder"])
def test_it_remembers_on_this_device(
    lesson_site, lesson_url, open_page, place
):
    folder = (lesson_site / "book" / "index.html").as_uri()
    page = open_page(lesson_url if place == "server" else folder)
    guess(page, OPTIONS).get_by_label("B. mat").check()
    press(guess(page, OPTIONS), "Lock in my guess")
    press(guess(page, SLIDER), "Skip")
    page.reload()
    assert "You guessed B." in guess(page, OPTIONS).inner_text()
    assert answer(guess(page, SLIDER)).is_visible()
    assert not answer(guess(page, CURVE)).is_visible()
    press(guess(page, OPTIONS), "Guess again")
    page.reload()
    assert not answer(guess(page, OPTIONS)).is_visible()


def test_where_storage_is_refused_it_holds_for_the_view(lesson_url, open_page):
    page = open_page(lesson_url)
    page.add_init_script(
        "for (const name of ['getItem', 'setItem']) {"
        " const old = Storage.prototype[name];"
        " Storage.prototype[name] = function (key, ...rest) {"
        " if (key.startsWith('attn-')) throw new Error('refused');"
        " return old.call(this, key, ...rest) } }"
    )
    page.goto(lesson_url)
    press(guess(page, OPTIONS), "Skip")
    assert answer(guess(page, OPTIONS)).is_visible()


def test_what_was_kept_of_another_guess_is_left_alone(lesson_url, open_page):
    page = open_page(lesson_url)
    keys = [box.get_attribute("data-key")
            for box in page.locator(".attn-guess").all()]  # fmt: skip
    assert len(set(keys)) == 3
    for kept in (
        "{",
        "7",
        '{"guess": 99}',
        '{"guess": [1]}',
        '{"guess": "x"}',
    ):
        page.evaluate(
            "([keys, kept]) => keys.forEach((key) =>"
            " localStorage.setItem(`attn-guess:${key}`, kept))",
            [keys, kept],
        )
        page.reload()
        for number in range(3):
            assert not answer(guess(page, number)).is_visible(), kept


def test_the_keyboard_is_enough(lesson_url, open_page):
    page = open_page(lesson_url)
    asked = guess(page, OPTIONS)
    asked.get_by_role("radio").first.focus()
    for key in ("ArrowDown", "Tab", "Enter"):
        page.keyboard.press(key)
    assert "You guessed B." in asked.get_by_role("status").inner_text()
    # Focus goes to what was said, not to the top of the page.
    focused = page.evaluate("document.activeElement.textContent")
    assert focused.startswith("You guessed B.")


# --- A slider, and what it veils -------------------------------------------


def test_a_slider_shows_both_on_one_scale(lesson_url, open_page):
    asked = guess(open_page(lesson_url), SLIDER)
    asked.get_by_role("slider").fill("0.5")
    assert asked.locator("output").inner_text() == "0.5 per step"
    press(asked, "Lock in my guess")
    yours, truth = (
        asked.locator(f".attn-scale > .attn-{name}")
        for name in ("yours", "truth")
    )
    assert yours.inner_text() == "yours: 0.5"
    assert truth.inner_text() == "answer: 1.00"
    assert yours.bounding_box()["x"] < truth.bounding_box()["x"]
    line = answer(asked).locator(".attn-truth")
    assert line.inner_text() == "The answer: 1.00 per step."
    assert line.locator("a.attn-claim").count() == 1
    assert answer(asked).get_by_role("img").first.is_visible()


def test_a_veiled_figure_answers_after_the_guess(lesson_url, open_page):
    page = open_page(lesson_url)
    widget = page.locator("[data-state]")
    assert widget.get_attribute("data-veiled") in ("whole", "readouts")
    line = page.get_by_text("Guess first, then it answers.")
    assert line.is_visible()
    if widget.get_attribute("data-veiled") == "whole":
        assert widget.evaluate("(element) => element.inert")
        assert "blur" in widget.evaluate("(e) => getComputedStyle(e).filter")
    press(guess(page, SLIDER), "Skip")
    assert widget.get_attribute("data-veiled") is None
    assert not widget.evaluate("(element) => element.inert")
    assert line.count() == 0
    page.reload()
    assert widget.get_attribute("data-veiled") is None


def test_a_link_to_a_state_of_a_veiled_figure_shows_it(lesson_url, open_page):
    page = open_page(f"{lesson_url}#attn:lab?d=256")
    page.locator(".attn output", has_text="256").first.wait_for()
    assert page.locator("[data-veiled]").count() == 0


def test_marked_readouts_alone_are_held_back(lesson_url, open_page):
    """A widget with `part="readout"` stays in use, and shows the rest."""
    page = open_page(lesson_url)
    hidden = page.evaluate(
        """async () => {
          const element = document.querySelector("[data-state]");
          const root = element.querySelector(":scope > div").shadowRoot;
          const readout = document.createElement("p");
          readout.setAttribute("part", "readout");
          root.append(readout);
          element.append(document.createElement("i"));
          await new Promise(requestAnimationFrame);
          return [element.dataset.veiled, element.inert,
                  getComputedStyle(readout).visibility];
        }"""
    )
    assert hidden == ["readouts", False, "hidden"]


# --- A curve ---------------------------------------------------------------


def test_a_curve_is_drawn_with_the_pointer(lesson_url, open_page):
    page = open_page(lesson_url)
    asked = guess(page, CURVE)
    press(asked, "Lock in my guess")
    assert "Draw your curve first" in asked.get_by_role("status").inner_text()
    plot = asked.locator("svg.attn-plot")
    plot.scroll_into_view_if_needed()
    box = plot.bounding_box()
    at = lambda x, y: (  # noqa: E731
        box["x"] + box["width"] * x, box["y"] + box["height"] * y
    )  # fmt: skip
    page.mouse.move(*at(0.15, 0.75))
    page.mouse.down()
    page.mouse.move(*at(0.93, 0.25))
    page.mouse.up()
    points = asked.get_by_role("slider")
    values = [float(p.get_attribute("aria-valuenow")) for p in points.all()]
    # One quick stroke sets the points between its ends, too.
    assert values == sorted(values)
    # On a logarithmic axis the last two stand close together.
    assert len(values) == 7 and len(set(values)) >= 6
    press(asked, "Lock in my guess")
    lines = asked.locator("path.attn-line")
    assert lines.nth(0).is_visible() and lines.nth(1).is_visible()
    labels = asked.locator("svg text").all_text_contents()
    assert "yours" in labels and "measured" in labels
    rows = asked.locator("table tr")
    assert rows.count() == 8
    assert rows.nth(0).inner_text().split() == [
        "d",
        "variance",
        "your",
        "guess",
    ]
    assert all(len(row.split()) == 3 for row in rows.all_inner_texts()[1:])


def test_a_curve_is_set_with_keys_and_remembered(lesson_url, open_page):
    page = open_page(lesson_url)
    asked = guess(page, CURVE)
    points = asked.get_by_role("slider")
    points.first.focus()
    for key in ("Home", "ArrowRight", "ArrowUp", "ArrowRight", "End"):
        page.keyboard.press(key)
    low, raised, high, *rest = (
        float(point.get_attribute("aria-valuenow")) for point in points.all()
    )
    assert (low, high) == (0.5, 2000)
    assert raised > rest[0] > low
    press(asked, "Lock in my guess")
    before = asked.locator("path.attn-yours").get_attribute("d")
    page.reload()
    assert asked.locator("path.attn-yours").get_attribute("d") == before
    press(asked, "Guess again")
    assert asked.locator("table td").count() == 14  # no guess in the table


# --- A class -----------------------------------------------------------------


def test_hands_are_drawn_beside_the_answer_and_not_kept(lesson_url, open_page):
    page = open_page(lesson_url)
    asked = guess(page, OPTIONS)
    press(asked, "In class")
    for letter, hands in (("A", "12"), ("B", "3"), ("C", "6")):
        asked.get_by_label(f"Hands for {letter}").fill(hands)
    widths = [
        bar.bounding_box()["width"]
        for bar in asked.locator(".attn-hands").all()
    ]
    assert widths[0] == pytest.approx(4 * widths[1], abs=1)
    assert widths[0] == pytest.approx(2 * widths[2], abs=1)
    mark = "(e) => getComputedStyle(e, '::after').content"
    third = asked.locator(".attn-row > span:first-child").nth(2)
    assert third.evaluate(mark) == "none"
    press(asked, "Skip")
    assert "✓" in third.evaluate(mark)
    page.reload()
    assert asked.get_by_label("Hands for A").count() == 0


def test_guesses_of_a_class_stand_on_the_scale(lesson_url, open_page):
    asked = guess(open_page(lesson_url), SLIDER)
    press(asked, "In class")
    asked.get_by_label("guesses of the class").fill("0.5 1,5  x 1")
    said = asked.locator(".attn-class [role=status]")
    assert said.inner_text() == "3 guesses, mean 1 per step."
    assert asked.locator(".attn-crowd > .attn-hand").count() == 3
    assert not asked.locator(".attn-crowd > .attn-truth").is_visible()
    press(asked, "Skip")
    assert asked.locator(".attn-crowd > .attn-truth").is_visible()


# --- Everywhere --------------------------------------------------------------


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_guesses_are_accessible_and_fit(lesson_url, open_page, scheme, width):
    page = open_page(lesson_url, scheme=scheme, width=width)
    assert [fault["id"] for fault in axe_faults(page)] == []
    for number in range(3):
        asked = guess(page, number)
        for target in asked.locator("button:visible, input:visible").all():
            assert target.bounding_box()["height"] >= 24
        if number == OPTIONS:
            asked.get_by_label("A. cat").check()
        if number == CURVE:
            asked.get_by_role("slider").first.focus()
            page.keyboard.press("ArrowUp")
        if asked.get_by_role("button", name="In class").count():
            press(asked, "In class")
        press(asked, "Lock in my guess")
    settle(page)
    assert [fault["id"] for fault in axe_faults(page)] == []
    letters = page.locator(".attn-plot text").evaluate_all(
        "(all) => all.map((e) => e.getBoundingClientRect().height)"
    )
    assert min(letters) >= 11
    assert page.evaluate(
        "document.documentElement.scrollWidth <= window.innerWidth"
    )


def test_without_scripts_everything_stands_in_order(browser, lesson_url):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(lesson_url)
    asked = guess(page, OPTIONS)
    assert asked.get_by_text("All three").is_visible()
    assert not asked.get_by_text("Every score is the same").is_visible()
    asked.locator("summary").click()
    assert asked.get_by_text("Every score is the same").is_visible()
    curve = guess(page, CURVE)
    curve.locator("summary").click()
    assert curve.locator("table tr").count() == 8
    assert page.locator("[data-veiled]").count() == 0
    context.close()


def test_on_paper_question_and_answer_stand(lesson_url, open_page):
    page = open_page(lesson_url)
    page.emulate_media(media="print")
    asked = guess(page, OPTIONS)
    assert asked.get_by_text("Every score is the same").is_visible()
    assert not asked.get_by_role("button", name="Skip").is_visible()
    filters = "(e) => getComputedStyle(e).filter"
    assert page.locator("[data-state]").evaluate(filters) == "none"


def test_pages_without_guesses_carry_nothing_of_them(lesson_site):
    def files(name):
        text = (lesson_site / "book" / name).read_text("utf-8")
        soup = BeautifulSoup(text, "html.parser")
        return " ".join(
            one.get("src") or one.get("href", "")
            for one in soup.select("script, link")
        )

    assert "attn-guess.js" in files("index.html")
    assert "attn-guess.css" in files("index.html")
    for part in ("attn-guess", "attn-questions", "attn-popovers"):
        assert part not in files("claims.html")


# --- What fails the build ----------------------------------------------------


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("- [ ] One.\n\n+++\nIt is.", "two options or more"),
        ("- [x] 1\n- [x] 2\n\n+++\nIt is.", "one right option at most"),
        ("- [ ] 1\n- [ ] 2", "expected an answer after a line"),
        (":range: 0 1\n\n+++\nIt is.", "expected a :truth:"),
        (":range: 0 1\n:truth: none at all\n\n+++\nx", "a study's measure"),
        (":range: 0 1\n:truth: nothing loss\n\n+++\nx", "expected a study"),
        (
            ":curve:\n:log: y\n:range: 0 9\n"
            ":truth: random-scores variance over d where mean=0.0\n\n+++\nx",
            "logarithmic axis to be above 0",
        ),
        (":veils: nobody\n- [ ] 1\n- [ ] 2\n\n+++\nx", "'nobody'"),
    ],
)
def test_a_guess_that_is_none_fails_the_build(guess_faults, body, message):
    assert any(message in line for line in guess_faults[body]), guess_faults


@pytest.fixture(scope="module")
def guess_faults(request, tmp_path_factory):
    """Build all of them at once; give what is said of each."""
    marks = test_a_guess_that_is_none_fails_the_build.pytestmark
    bodies = [body for body, _ in marks[0].args[1]]
    root = tmp_path_factory.mktemp("faults")
    pages = [f"book/p{number}" for number in range(len(bodies))]
    toc = "".join(f"- file: {name}\n" for name in pages)
    tiny_book.start(root, f"chapters:\n{toc}")
    tiny_book.write(root, "book/index.md", "# Start\n")
    for name, body in zip(pages, bodies, strict=True):
        text = f"# Page\n\n:::{{guess}} How many?\n{body}\n:::\n"
        tiny_book.write(root, f"{name}.md", text)
    clean, said = tiny_book.build(root)
    shutil.rmtree(root / "work")
    assert not clean
    return {
        body: re.findall(rf"/p{number}\.md.*WARNING: (.*)", said)
        for number, body in enumerate(bodies)
    }


# --- Reading ---------------------------------------------------------------


def test_the_answer_comes_after_the_line():
    assert split_answer(["a", "+++", "b", "+++"]) == (["a"], ["b", "+++"], 2)
    assert split_answer(["a"]) == (["a"], [], 1)


def test_percent_shows_a_share_in_hundredths():
    assert scaled(0.25, "%") == 25
    assert scaled(0.25, "heads") == 0.25
