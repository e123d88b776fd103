"""AttentionSteps in the browser."""

import re

import numpy as np
import pytest
from browsing import axe_faults, settle, take

from attn_course.widgets import AttentionSteps

WORDS = ["The", "cat", "sat", "on", "the", "mat"]
HOSTILE = "</script><img src=x onerror=alert(1)>"


def every_word(**options):
    rng = np.random.default_rng(1)
    arrays = (rng.normal(size=(6, 4)).round(1) for _ in range(3))
    return AttentionSteps(*arrays, tokens=WORDS, asks=2, **options)


def several_heads():
    rng = np.random.default_rng(2)
    arrays = (rng.normal(size=(3, 6, 16)) for _ in range(3))
    return AttentionSteps(*arrays, tokens=WORDS, asks=4, causal=True)


def whole_layer():
    rng = np.random.default_rng(3)
    query, key, value, x = (rng.normal(size=(6, 4)) for _ in range(4))
    layer = {
        "x": x,
        "w_1": rng.normal(size=(4, 8)),
        "w_2": rng.normal(size=(8, 4)),
    }
    return AttentionSteps(query, key, value, tokens=WORDS, layer=layer)


def from_another_sentence():
    rng = np.random.default_rng(4)
    query, key, value = (rng.normal(size=(n, 4)) for n in (3, 5, 5))
    return AttentionSteps(
        query, key, value,
        tokens=WORDS[1:], query_tokens=["die", "Katze", "saß"], asks=1,
    )  # fmt: skip


def last(steps):
    steps.step = len(steps.steps) - 1
    return steps


def number(page, role, i, j):
    return page.locator(f".one:not(.away) [data-num='{role} {i} {j}']")


def seen(page, stage):
    return page.locator(f".one .stage.{stage}").last.evaluate(
        "e => getComputedStyle(e).visibility === 'visible'"
    )


def weights(page):
    texts = page.locator(".one text.share").all_text_contents()
    return [int(re.sub(r"\D", "", text) or 0) for text in texts]


def arithmetic(page):
    return page.locator(".sum").inner_text()


def now(page):
    return int(page.get_by_role("slider").get_attribute("aria-valuenow"))


def test_next_and_back_go_through_the_steps(widget_page):
    steps = AttentionSteps.article()
    page = widget_page(steps)
    sentence = page.locator(".say")
    plain = [text.replace("*", "") for text in steps.sentences()]
    for wanted in plain:
        assert sentence.inner_text() == wanted
        page.get_by_role("button", name="Next").click(force=True)
        settle(page)
    assert page.get_by_role("button", name="Next").is_disabled()
    assert seen(page, "output")
    for _ in plain[1:]:
        page.get_by_role("button", name="Back").click()
        settle(page)
    assert sentence.inner_text() == plain[0]
    assert not seen(page, "output")
    assert sentence.get_attribute("aria-live") == "polite"


def test_play_goes_on_by_itself_and_stops_at_the_end(widget_page):
    steps = AttentionSteps.article(step=5)
    page = widget_page(steps)
    page.get_by_role("button", name="Play").click()
    assert page.get_by_role("button", name="Pause").is_visible()
    page.get_by_role("button", name="Play").wait_for(timeout=10_000)
    assert now(page) == len(steps.steps)


def test_play_can_be_paused(widget_page):
    page = widget_page(AttentionSteps.article())
    page.get_by_role("button", name="Play").focus()
    page.keyboard.press("Space")
    page.locator("[role=slider][aria-valuenow='2']").wait_for()
    page.keyboard.press("Space")
    page.wait_for_timeout(2600)
    assert now(page) == 2


def test_play_stops_out_of_view(widget_page):
    page = widget_page(
        AttentionSteps.article(), "<div style='height: 3000px'></div>"
    )
    page.get_by_role("button", name="Play").click()
    page.evaluate("scrollTo(0, 2900)")
    page.get_by_role("button", name="Play").wait_for(timeout=5000)
    assert now(page) <= 2


def test_it_begins_by_itself_only_where_that_is_wanted(widget_page):
    page = widget_page(
        AttentionSteps.article(autoplay=True), AttentionSteps.article()
    )
    first, second = page.locator("attn-steps").all()
    first.get_by_role("button", name="Pause").wait_for()
    assert second.get_by_role("button", name="Play").is_visible()
    page.emulate_media(reduced_motion="reduce")
    page.reload()
    page.wait_for_timeout(500)
    assert first.get_by_role("button", name="Play").is_visible()


def test_keys_move_the_slider(widget_page):
    page = widget_page(AttentionSteps.article())
    slider = page.get_by_role("slider")
    slider.focus()
    for key, wanted in (
        ("ArrowRight", 2), ("End", 7), ("ArrowLeft", 6), ("Home", 1),
        ("ArrowLeft", 1),
    ):  # fmt: skip
        page.keyboard.press(key)
        settle(page)
        assert now(page) == wanted, key
    assert slider.get_attribute("aria-valuetext") == "1 of 7: words"


def test_dragging_scrubs(widget_page):
    page = widget_page(AttentionSteps.article())
    page.get_by_role("slider").scroll_into_view_if_needed()
    box = page.get_by_role("slider").bounding_box()
    y = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + 2, y)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] - 3, y, steps=4)
    page.mouse.up()
    settle(page)
    assert now(page) == 7


def test_a_link_opens_a_step(widget_page):
    page = widget_page(every_word(name="deep"))
    page.evaluate("location.hash = '#attn:deep?step=4&asks=5'")
    settle(page)
    assert now(page) == 5
    assert page.locator(".one .pill.asks text").text_content() == "mat"
    page.get_by_role("button", name="Copy link").click()
    link = page.get_by_label("Link to this state").input_value()
    assert "step=4" in link and "asks=5" in link


def test_numbers_tell_where_they_come_from(widget_page):
    page = widget_page(last(AttentionSteps.article()))
    for role, j, wanted in (
        ("score", 0, "q·k = 1·1 + 0·1 + 1·0 + 0·0 = 1"),
        ("logit", 1, "1 ÷ √4 = 0.5"),
        ("weight", 2, "e0.5 ÷ (e0.5 + e0.5 + e0.5) = 1.65 ÷ 4.95 = 0.333"),
        ("output", 3, "0.33·1 + 0.33·1 + 0.33·1 = 1"),
    ):
        number(page, role, 0, j).hover()
        assert arithmetic(page) == wanted


def test_a_number_that_is_typed_changes_everything(widget_page):
    steps = last(AttentionSteps.article())
    page = widget_page(steps)
    assert weights(page) == [33, 33, 33]
    number(page, "key", 0, 0).click()
    field = page.locator(".typed")
    field.fill("3,5")
    settle(page)
    steps.key = [[3.5, 1, 0, 0], [0, 1, 1, 0], [0, 0, 1, 1]]
    wanted = [round(100 * w) for w in steps.weights[0]]
    assert weights(page) == wanted
    field.fill("1e9")
    assert "Expected a number" in page.locator(".status").inner_text()
    assert weights(page) == wanted
    page.keyboard.press("Escape")
    settle(page)
    assert weights(page) == [33, 33, 33]
    assert field.is_hidden()


def test_arrow_keys_change_a_number(widget_page):
    steps = last(AttentionSteps.article())
    page = widget_page(steps)
    cell = page.get_by_role("spinbutton", name="key of “cat”, number 3")
    cell.focus()
    for key in ("ArrowUp", "ArrowUp", "Shift+ArrowUp"):
        page.keyboard.press(key)
        settle(page)
    assert cell.get_attribute("aria-valuenow") == "1.2"
    steps.key = [[1, 1, 1.2, 0], [0, 1, 1, 0], [0, 0, 1, 1]]
    assert weights(page) == [round(100 * w) for w in steps.weights[0]]
    page.keyboard.press("ArrowRight")
    assert page.locator(".hot").get_attribute("aria-label").endswith("4")
    assert now(page) == 7


def test_any_word_can_ask(widget_page):
    steps = last(every_word())
    steps.step -= 1
    page = widget_page(steps)
    page.get_by_role("button", name="let “mat” ask").click()
    settle(page)
    assert weights(page) == [round(100 * w) for w in steps.weights[5]]
    page.keyboard.press("Tab")
    page.locator(".one [data-asks='1']").focus()
    page.keyboard.press("Enter")
    settle(page)
    assert weights(page) == [round(100 * w) for w in steps.weights[1]]


def test_all_rows_are_the_matrix(widget_page):
    steps = last(several_heads())
    page = widget_page(steps)
    page.get_by_label("head").select_option("3")
    settle(page)
    steps.head = 2
    cells = page.locator(".all [data-num]")
    labels = [
        label
        for label in cells.evaluate_all(
            "all => all.map(e => e.getAttribute('aria-label'))"
        )
        if "looks at" in label
    ]
    assert len(labels) == 36
    shown = [label.partition(": ")[2] for label in labels]
    flat = steps.weights[2].ravel()
    hidden = ~np.tri(6, dtype=bool).ravel()
    assert [text == "hidden" for text in shown] == hidden.tolist()
    for text, weight in zip(shown, flat, strict=True):
        if text[0].isdigit():
            assert text == f"{100 * weight:.0f} %"
    page.locator(".all [data-asks='5']").click()
    settle(page)
    assert page.locator(".one .pill.asks text").text_content() == "mat"


@pytest.mark.parametrize(
    "make",
    [AttentionSteps.article, AttentionSteps.from_recording, every_word,
     several_heads, whole_layer, from_another_sentence],
)  # fmt: skip
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(widget_page, make, scheme):
    steps = last(make())
    page = widget_page(
        "<main><h1>test</h1>", steps, "</main>", scheme=scheme, width=360
    )
    assert [fault["id"] for fault in axe_faults(page)] == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    page.get_by_role("button", name="Back").click()
    settle(page)
    assert [fault["id"] for fault in axe_faults(page)] == []


@pytest.mark.parametrize("width", [360, 1280, 1920])
@pytest.mark.parametrize(
    "make", [AttentionSteps.article, every_word, whole_layer]
)
def test_letters_can_be_read_and_nothing_is_cut_off(widget_page, make, width):
    steps = last(make())
    if "all" in steps.steps:
        steps.step -= 1
    page = widget_page(steps, width=width)
    sizes, outside = page.evaluate(
        """() => {
      const root = document.querySelector("attn-steps").firstElementChild
        .shadowRoot;
      const svg = root.querySelector("svg");
      const scale = svg.getScreenCTM().a;
      const texts = [...svg.querySelectorAll(".one text")];
      const shown = texts.filter((text) => text.textContent
        && !text.closest(".off"));
      return [
        shown.map((text) => scale * parseFloat(
          getComputedStyle(text).fontSize)),
        shown.filter((text) => {
          const {left, right} = text.getBoundingClientRect();
          return left < 0 || right > innerWidth;
        }).map((text) => text.textContent),
      ];
    }"""
    )
    assert len(sizes) > 10 and min(sizes) >= 11
    assert outside == []


def test_hostile_words_stay_text(widget_page):
    steps = last(
        AttentionSteps.article(
            tokens=["cat", HOSTILE, "mat"], query_tokens=[HOSTILE]
        )
    )
    page = widget_page(steps)
    assert page.locator("attn-steps img").count() == 0
    number(page, "key", 1, 0).hover()
    assert HOSTILE in arithmetic(page)
    assert b"<img" not in take(page, "SVG")


@pytest.mark.parametrize("motion", ["reduce", "no-preference"])
def test_motion_is_for_steps_and_for_who_wants_it(widget_page, motion):
    page = widget_page(AttentionSteps.article(step=3))
    page.emulate_media(reduced_motion=motion)
    page.evaluate(
        "document.querySelector('attn-steps').firstElementChild.shadowRoot"
        ".addEventListener('transitionrun', () => { window.moves++ })"
    )

    def moves():
        page.evaluate("window.moves = 0")
        yield
        page.wait_for_timeout(100)
        settle(page)
        yield page.evaluate("window.moves")

    step = moves()
    next(step)
    page.get_by_role("button", name="Next").click()
    assert (next(step) > 0) == (motion == "no-preference")
    page.wait_for_timeout(600)
    # A number under the reader's hand is drawn at once.
    number(page, "key", 0, 0).focus()
    edit = moves()
    next(edit)
    page.keyboard.press("ArrowUp")
    assert next(edit) == 0


@pytest.mark.parametrize("kind", ["PNG", "SVG", "CSV"])
def test_the_picture_can_be_taken_away(widget_page, kind):
    page = widget_page(last(AttentionSteps.article()))
    content = take(page, kind)
    start = {"PNG": b"\x89PNG", "SVG": b"<svg", "CSV": b'"'}[kind]
    assert content.startswith(start) and len(content) > 60


def test_what_stands_in_is_hidden_once_the_figure_lives(widget_page):
    page = widget_page(AttentionSteps.article())
    stand_in = page.locator("attn-steps > div:has(table)")
    assert stand_in.count() == 1 and stand_in.is_hidden()


def test_bad_data_says_so_in_place(widget_page):
    page = widget_page("<attn-steps data-state='{}'></attn-steps>")
    assert "can't be drawn" in page.locator("[role=alert]").inner_text()
