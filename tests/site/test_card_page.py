"""The card around every widget: its folds, and Present."""

import json

import numpy as np
import pytest
from browsing import axe_faults, settle

from attn_course import widgets
from attn_course.widgets import (
    AttentionHeatmap,
    FlashStepper,
    HeadBrowser,
    HeadSwitches,
    MaskDesigner,
    QKVPlayground,
)

WORDS = "The cat sat on the mat because it was tired".split()
MAKERS = {
    "AttentionHeatmap": lambda: AttentionHeatmap.from_recording(
        "minilm-cat", selection={"layer": 6, "head": 12}, cell=[8, 2]
    ),
    "CocktailParty": widgets.CocktailParty,
    "FlashStepper": FlashStepper,
    "GazeExplorer": widgets.GazeExplorer,
    "HeadBrowser": HeadBrowser.from_recording,
    "HeadSwitches": HeadSwitches.from_recording,
    "KVCacheMeter": widgets.KVCacheMeter,
    "MaskDesigner": lambda: MaskDesigner(WORDS, preset="causal"),
    "QKVPlayground": lambda: QKVPlayground.from_recording(1),
    "SoftmaxLab": widgets.SoftmaxLab,
    "TypeASentence": widgets.TypeASentence,
}
SCREENS = [(1280, 720), (1920, 1080)]
# Every text that is seen: how high its letters are on the screen, in pixels.
LETTERS = """() => {
  const card = document.querySelector("[data-mounted] > div")
    .shadowRoot.querySelector(".attn");
  const zoom = card.getBoundingClientRect().width / card.offsetWidth;
  const found = [];
  const walk = document.createTreeWalker(card, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const text = walk.currentNode;
    const element = text.parentElement;
    const hidden = element.closest(".hidden, [hidden], title");
    if (hidden || !text.data.trim()) continue;
    if (!element.getBoundingClientRect().width) continue;
    const matrix = element.getScreenCTM?.();
    const times = matrix ? Math.hypot(matrix.a, matrix.b) : zoom;
    const size = parseFloat(getComputedStyle(element).fontSize);
    found.push([text.data, size * times]);
  }
  return found;
}"""


def small_letters(page, least):
    return [
        (text, round(size, 1))
        for text, size in page.evaluate(LETTERS)
        if size < least - 0.1
    ]


def present(page):
    page.get_by_role("button", name="Present").click()
    page.wait_for_timeout(300)
    settle(page)


@pytest.mark.parametrize("screen", SCREENS, ids=str)
@pytest.mark.parametrize("name", MAKERS)
def test_present_fits_the_screen_in_large_letters(widget_page, name, screen):
    width, height = screen
    page = widget_page(MAKERS[name](), folded=True, width=width, height=height)
    page.wait_for_timeout(500)
    present(page)
    assert small_letters(page, 0.022 * height) == []
    over = page.evaluate(
        """() => {
          const card = document.querySelector("[data-mounted] > div")
            .shadowRoot.querySelector(".attn");
          const box = card.getBoundingClientRect();
          return [card.scrollHeight - card.clientHeight,
                  card.scrollWidth - card.clientWidth,
                  box.left, box.top, box.width - innerWidth,
                  box.height - innerHeight].map(Math.round);
        }"""
    )
    assert over == [0] * 6


@pytest.mark.parametrize("name", MAKERS)
def test_a_phone_shows_no_letters_below_11_pixels(widget_page, name):
    page = widget_page(MAKERS[name](), width=360)
    page.wait_for_timeout(500)
    assert small_letters(page, 11) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_on_the_stage(widget_page, scheme):
    html = MAKERS["AttentionHeatmap"]().html()
    page = widget_page(
        f"<main><h1>x</h1>{html}</main>", folded=True, scheme=scheme
    )
    page.evaluate(
        "scheme => { document.body.style.background ="
        " scheme === 'dark' ? '#14181f' : '#ffffff' }",
        scheme,
    )
    present(page)
    assert axe_faults(page) == []


def test_keys_lead_through_the_steps_and_out(widget_page):
    page = widget_page(FlashStepper(step=0), folded=True)
    done = page.get_by_text("of 4", exact=False)
    present(page)
    for key, step in [
        ("ArrowRight", 1), ("PageDown", 2), ("PageUp", 1), ("ArrowRight", 2),
    ]:  # fmt: skip
        page.keyboard.press(key)
        settle(page)
        assert f"{step} of 4" in done.first.inner_text()
    page.get_by_role("button", name="Leave").blur()
    page.keyboard.press("Escape")
    page.locator(".present").wait_for(state="detached")
    # What was reached stays, and the focus is where it came from.
    assert "2 of 4" in done.first.inner_text()
    focused = "document.activeElement.shadowRoot.activeElement.textContent"
    page.wait_for_function(f"{focused} === 'Present'")
    page.keyboard.press("ArrowRight")
    settle(page)
    assert "2 of 4" in done.first.inner_text()


def test_a_slider_keeps_its_keys_on_the_stage(widget_page):
    page = widget_page(FlashStepper(step=1, block_q=1, block_k=1))
    present(page)
    slider = page.locator("[data-control=step]")
    slider.focus()
    page.keyboard.press("ArrowRight")
    settle(page)
    assert slider.input_value() == "2"


def test_where_full_screen_is_refused_the_card_covers_the_page(
    widget_page, open_page, tmp_path
):
    widget_page(FlashStepper())
    page = open_page((tmp_path / "index.html").as_uri())
    page.evaluate(
        "() => { Element.prototype.requestFullscreen ="
        " () => Promise.reject(new Error('refused')) }"
    )
    present(page)
    box = page.locator(".present").bounding_box()
    assert (box["x"], box["y"]) == (0, 0)
    assert round(box["width"]) == 1280 and round(box["height"]) == 800
    # What is covered is not reached with Tab.
    for _ in range(12):
        page.keyboard.press("Tab")
        assert page.evaluate(
            "document.activeElement === document.body ||"
            " document.activeElement.shadowRoot !== null"
        )
    page.keyboard.press("Escape")
    assert page.locator(".present").count() == 0


def test_a_click_on_the_stage_hits_what_is_seen(widget_page):
    page = widget_page(MaskDesigner(WORDS, preset="causal"), folded=True)
    present(page)
    box = page.locator(".grid svg").first.bounding_box()
    words = page.locator(".grid svg").first.locator("text").all()
    row = next(w for w in words if w.text_content() == "mat").bounding_box()
    page.mouse.click(
        box["x"] + box["width"] * 0.97, row["y"] + row["height"] / 2
    )
    settle(page)
    said = page.locator(".said").inner_text()
    assert "“mat”" in said and "“tired”" in said


def test_folds_open_and_are_remembered_in_the_session(widget_page):
    page = widget_page(FlashStepper(), folded=True)
    more = page.get_by_role("button", name="More")
    causal = page.get_by_label("causal")
    assert not causal.is_visible()
    assert more.get_attribute("aria-expanded") == "false"
    more.focus()
    page.keyboard.press("Enter")
    assert causal.is_visible()
    page.reload()
    assert causal.is_visible()
    page.get_by_role("button", name="About this figure").click()
    assert page.locator(".hint").is_visible()
    page.get_by_role("button", name="Share").click()
    assert page.get_by_role("button", name="Copy link").is_visible()


def test_a_widget_saved_as_one_file_works_offline(tmp_path, open_page):
    widget = MAKERS["AttentionHeatmap"]()
    widget.save(tmp_path / "x.html")
    page = open_page((tmp_path / "x.html").as_uri())
    shown = page.locator(".steps li:last-child b").inner_text()
    assert float(shown) == pytest.approx(widget.weights[8, 2], abs=5e-4)
    # Nothing but the file itself was asked for.
    asked = {url.partition(":")[0] for url in page.log.requests}
    assert asked <= {"file", "data"}
    assert sum(url.startswith("file:") for url in page.log.requests) == 1


def test_a_saved_widget_has_its_pictures_and_hostile_words(
    tmp_path, open_page
):
    hostile = "</script><img src=x onerror=alert(1)>"
    AttentionHeatmap(
        [hostile, "b"], weights=np.eye(2), title=hostile, cell=[0, 0]
    ).save(tmp_path / "x.html")
    page = open_page((tmp_path / "x.html").as_uri())
    assert page.title() == hostile
    assert page.locator("img").count() == 0
    assert page.locator(".pair bdi").first.inner_text() == hostile
    widgets.GazeExplorer(["astronaut"]).save(str(tmp_path / "gaze.html"))
    page = open_page((tmp_path / "gaze.html").as_uri())
    page.wait_for_function(
        """() => {
          const canvas = document.querySelector("attn-gaze > div")
            .shadowRoot.querySelector("canvas");
          const {data} = canvas.getContext("2d").getImageData(0, 0, 9, 9);
          return data.some((x) => x > 0);
        }"""
    )


def test_a_file_to_save_must_be_a_page(tmp_path):
    with pytest.raises(ValueError, match=r"expected a name such as x\.html"):
        FlashStepper().save(tmp_path / "x.json")


def test_every_widget_is_tried_here():
    # Curves need recordings of a study; their page has tests of its own.
    known = {*MAKERS, "RecordedCurves", "AttentionSteps", "Guess"}
    assert set(widgets.__all__) <= known, json.dumps(widgets.__all__)
