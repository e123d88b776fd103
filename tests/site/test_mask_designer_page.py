"""MaskDesigner in the browser."""

import csv
import io
from xml.etree import ElementTree

import numpy as np
import pytest
from browsing import axe_faults, settle, slide, take

from attn_course import masks
from attn_course.widgets import MaskDesigner

HOSTILE = "</script><img src=x onerror=alert(1)>"
CAT = ["cat", "sat", "on", "mat", ".", "because", "it", "tired"]
CHAPTER_4 = ["causal", "full", "padding", "causal and padding"]


def causal(**options):
    return MaskDesigner(CAT, presets=CHAPTER_4, name="demo", **options)


def spot(page, row, col, *, side=0):
    """Give the middle of a cell: where a mouse or a finger goes."""
    svg = page.locator(".grid svg").nth(side)
    svg.scroll_into_view_if_needed()
    box = svg.bounding_box()
    size = page.evaluate(
        "n => { const lines = [...document.querySelector('attn-mask')"
        ".firstElementChild.shadowRoot.querySelectorAll('.grid svg path')]"
        ".map(p => p.getAttribute('d'))"
        ".find(d => d.split('M').length === 2 * (n + 1) + 1);"
        " const [x, y] = lines.slice(1).split('h')[0].split(' ');"
        " const long = lines.split('h')[1].split('M')[0];"
        " return [Number(x), Number(y), Number(long) / n] }",
        len(page.locator("attn-mask").evaluate(
            "e => JSON.parse(e.dataset.state).source.tokens"
        )),
    )  # fmt: skip
    left, top, cell = size
    return (
        box["x"] + left + (col + 0.5) * cell,
        box["y"] + top + (row + 0.5) * cell,
    )


def opened(page):
    """Give the cells that the page's table says may be looked at."""
    details = page.locator("details")
    if details.get_attribute("open") is None:
        page.get_by_text("Table", exact=True).click()
        page.locator(".table tbody tr").first.wait_for()
    texts = page.locator(".table tbody td:nth-child(2)").all_inner_texts()
    return [
        set() if text == "nothing"
        else set(CAT) if text == "all"
        else set(text.split(", "))
        for text in texts
    ]  # fmt: skip


def wanted(mask):
    return [{CAT[j] for j in np.flatnonzero(row)} for row in mask]


def said(page):
    settle(page)
    return page.locator(".said p").all_inner_texts()


def fact(page, name):
    return page.locator(f"dt:has-text('{name}') + dd").inner_text()


def test_a_click_opens_and_closes_a_cell(widget_page):
    page = widget_page(causal())
    mask = masks.causal(8)
    page.mouse.click(*spot(page, 0, 7))
    mask[0, 7] = True
    settle(page)
    assert opened(page) == wanted(mask)
    twin = causal(mask=mask)
    assert said(page) == [
        "After layer 1 a token hears of a later one in 1 pair: "
        "“cat” of “tired”.",
        "“cat” can have heard of “tired”: cat (layer 1) → tired.",
    ]
    assert fact(page, "pairs in layer 1") == "37 of 64 (58 %)"
    slide(page, "layer", 2)
    assert f"in {len(twin.leaks)} pairs" in said(page)[0]
    page.mouse.click(*spot(page, 0, 7))
    assert said(page)[0] == "After layer 2 no token hears of a later one."


def test_a_drag_paints_and_is_one_step_back(widget_page):
    page = widget_page(causal(layers=1))
    page.mouse.move(*spot(page, 7, 1))
    page.mouse.down()
    page.mouse.move(*spot(page, 7, 5))
    page.mouse.move(*spot(page, 5, 5))
    page.mouse.up()
    settle(page)
    mask = masks.causal(8)
    mask[7, 1:6] = mask[6, 5] = mask[5, 5] = False
    assert opened(page) == wanted(mask)
    page.get_by_role("button", name="Undo").click()
    settle(page)
    assert opened(page) == wanted(masks.causal(8))
    assert page.get_by_role("button", name="Undo").is_disabled()


def test_a_finger_taps_paints_along_a_row_and_scrolls(browser, widget_page):
    url = widget_page(causal(layers=1)).url
    context = browser.new_context(
        viewport={"width": 360, "height": 740}, has_touch=True, is_mobile=True
    )
    page = context.new_page()
    page.goto(url)
    x, y = spot(page, 1, 6)
    page.touchscreen.tap(x, y)
    settle(page)
    mask = masks.causal(8)
    mask[1, 6] = True
    assert opened(page) == wanted(mask)
    touch = context.new_cdp_session(page)

    def finger(kind, *place):
        points = [{"x": place[0], "y": place[1]}] if place else []
        touch.send(
            "Input.dispatchTouchEvent", {"type": kind, "touchPoints": points}
        )

    def stroke(start, end):
        finger("touchStart", *start)
        for part in np.linspace(0, 1, 6)[1:]:
            finger("touchMove", *(np.array(start) * (1 - part)
                                  + np.array(end) * part))  # fmt: skip
        finger("touchEnd")
        settle(page)

    stroke(spot(page, 2, 4), spot(page, 2, 6))
    mask[2, 4:7] = True
    assert opened(page) == wanted(mask)
    before = page.evaluate("scrollY")
    x, y = spot(page, 5, 2)
    stroke((x, y), (x, y - 150))
    page.wait_for_timeout(200)
    assert page.evaluate("scrollY") != before
    assert opened(page) == wanted(mask)
    context.close()


def test_the_keyboard_reaches_everything(widget_page):
    page = widget_page(causal())
    left, right = page.locator(".grid").all()
    left.focus()
    for key in ("ArrowDown", "End", " "):
        page.keyboard.press(key)
    settle(page)
    mask = masks.causal(8)
    mask[1, 7] = True
    assert opened(page) == wanted(mask)

    def spoken(grid):
        return grid.evaluate(
            "grid => grid.getRootNode().getElementById("
            "grid.getAttribute('aria-activedescendant')).textContent"
        )

    assert spoken(left) == "query sat, key tired: may look"
    assert spoken(right) == "query sat, key tired: heard of after layer 1"
    right.focus()
    for key in ("Shift+ArrowDown", "ArrowUp", "Enter"):
        page.keyboard.press(key)
    settle(page)
    assert spoken(right) == ("query it, key tired: not heard of after layer 1")
    assert opened(page) == wanted(mask)
    slide(page, "layer", 2)
    assert said(page)[-1] == (
        "“it” can have heard of “tired”: it (layer 2) → sat (layer 1) → tired."
    )


def test_layers_can_differ_and_be_made_the_same(widget_page):
    page = widget_page(causal(layers=2))
    page.get_by_label("same mask").uncheck()
    slide(page, "layer", 2)
    page.locator("[data-control=preset]").select_option("full")
    settle(page)
    assert opened(page) == [set(CAT)] * 8
    assert fact(page, "any two tokens") == "after 2 layers"
    slide(page, "layer", 1)
    settle(page)
    assert opened(page) == wanted(masks.causal(8))
    page.get_by_label("same mask").check()
    settle(page)
    assert fact(page, "any two tokens") == "never, in any number of layers"
    page.get_by_role("button", name="Undo").click()
    settle(page)
    assert fact(page, "any two tokens") == "after 2 layers"
    assert not page.get_by_label("same mask").is_checked()


def test_padding_hides_and_an_empty_row_is_named(widget_page):
    page = widget_page(causal(layers=1))
    assert page.locator("[data-control=padded]").is_hidden()
    page.locator("[data-control=preset]").select_option("causal and padding")
    slide(page, "padded", 3)
    settle(page)
    twin = causal(preset="causal and padding", padded=3)
    assert opened(page) == wanted(twin.as_mask())
    slide(page, "padded", 8)
    assert said(page)[0] == (
        "“cat”, “sat”, “on” and 5 more may look at nothing in layer 1: "
        "its attention output is zero."
    )


@pytest.mark.parametrize("preset", MaskDesigner.PRESETS)
def test_every_preset_is_that_of_the_python_twin(widget_page, preset):
    widget = MaskDesigner(
        20, layers=3, preset=preset, window=2, n_random=2, seed=3, layer=3
    )
    page = widget_page(widget)
    text = take(page, "CSV").decode("utf-8")
    rows = list(csv.reader(io.StringIO(text)))[1:]
    table = np.array([[int(row[5]), int(row[6])] for row in rows], dtype=bool)
    np.testing.assert_array_equal(table[:, 0], widget.masks.ravel())
    np.testing.assert_array_equal(table[:, 1], widget.reach.ravel())
    cost = widget.cost[2]
    assert fact(page, "pairs in").startswith(f"{cost.pairs} of 400")
    assert fact(page, "most keys") == str(cost.most_keys)
    layers = widget.connected
    assert fact(page, "any two tokens") == (
        "never, in any number of layers" if layers is None
        else f"after {layers} layer{'s' * (layers != 1)}"
    )  # fmt: skip


def test_a_link_restores_the_state(widget_page):
    page = widget_page(causal())
    page.mouse.click(*spot(page, 0, 7))
    page.mouse.click(*spot(page, 3, 7))
    page.mouse.click(*spot(page, 6, 7, side=1))
    slide(page, "layer", 2)
    page.get_by_role("button", name="Copy link").click()
    url = page.get_by_label("Link to this state").input_value()
    seen, mask = said(page), opened(page)
    page.goto("about:blank")
    page.goto(url)
    assert said(page) == seen
    assert opened(page) == mask
    assert "“it” can have heard of “tired”" in seen[-1]


@pytest.mark.parametrize(
    "state",
    [
        "painted.1=%3Cimg%20src%3Dx%3E&layer=9&cell=99,0&preset.1=blocks",
        "painted.1=" + "_" * 1500,
        "x=" + "a" * 5000,
    ],
)
def test_a_hostile_link_is_harmless_and_says_so(widget_page, state):
    page = widget_page(causal())
    url = page.url
    page.goto("about:blank")
    page.goto(f"{url}#attn:demo?{state}")
    settle(page)
    status = page.locator(".status").inner_text()
    assert "left out" in status or "could not be read" in status
    assert opened(page) == wanted(masks.causal(8))
    assert page.locator("img").count() == 0


def test_hostile_tokens_stay_text(widget_page):
    tokens = [HOSTILE, "שלום", "عالم"]
    page = widget_page(MaskDesigner(tokens, title=HOSTILE, cell=[0, 0]))
    page.get_by_text("Table", exact=True).click()
    rows = page.locator(".table tbody th")
    rows.first.wait_for()
    assert rows.all_inner_texts() == tokens
    assert page.locator("img").count() == 0


def test_pictures_can_be_taken_away(widget_page):
    page = widget_page(causal(cell=[6, 0]))
    files = {}
    for kind in ("PNG", "SVG"):
        with page.expect_download() as waiting:
            page.get_by_role("button", name=kind).click()
        assert waiting.value.suggested_filename == f"demo.{kind.lower()}"
        files[kind] = waiting.value.path().read_bytes()
    assert files["PNG"].startswith(b"\x89PNG")
    svg = ElementTree.fromstring(files["SVG"])
    texts = [t.text for t in svg.iter("{http://www.w3.org/2000/svg}text")]
    assert texts.count("because") == 4
    assert "“it” can have heard of “cat”: it (layer 1) → cat." in texts


@pytest.mark.parametrize("tokens", [1, 12, 32, 64])
@pytest.mark.parametrize("width", [360, 1280])
def test_small_and_large_sentences_fit(widget_page, tokens, width):
    widget = MaskDesigner(tokens, layers=1, preset="sliding window")
    page = widget_page(widget, width=width)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.locator(".scroll").first.evaluate(
        "e => e.scrollWidth <= e.clientWidth"
    )
    first, second = (spot(page, 0, j) for j in (0, 1))
    cell = second[0] - first[0]
    if tokens <= 12:
        assert cell >= 24
    else:
        page.get_by_label("large cells").check()
        settle(page)
        first, second = (spot(page, 0, j) for j in (0, 1))
        assert second[0] - first[0] == 24
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_many_tokens_are_not_painted(widget_page):
    page = widget_page(MaskDesigner(40, preset="causal", name="many"))
    before = fact(page, "pairs in")
    page.mouse.click(*spot(page, 0, 20))
    settle(page)
    assert "more than 32 tokens" in page.locator(".status").inner_text()
    assert fact(page, "pairs in") == before


def test_it_follows_the_theme(widget_page):
    page = widget_page(causal())

    def colours():
        settle(page)
        return page.locator(".grid svg path[fill]").evaluate_all(
            "paths => paths.map(p => p.getAttribute('fill'))"
        )

    light = colours()
    page.evaluate("document.body.style.background = '#14181e'")
    page.locator(".attn.dark").wait_for()
    assert colours() != light


@pytest.mark.parametrize("width", [360, 1280])
def test_axe_finds_nothing(widget_page, width):
    page = widget_page(causal(cell=[6, 7], layer=2), width=width)
    page.get_by_text("Table", exact=True).click()
    rules = {fault["id"] for fault in axe_faults(page)}
    # A bare page has no landmarks and no heading.
    assert rules <= {"landmark-one-main", "page-has-heading-one", "region"}


def test_bad_data_is_said_in_place(widget_page):
    broken = causal().html().replace("&quot;full&quot;", "&quot;half&quot;")
    page = widget_page(broken)
    text = page.locator(".problem").inner_text()
    assert "can't be drawn: expected presets among full" in text


def test_the_table_appears_without_scripts(browser, widget_page):
    url = widget_page(causal()).url
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(url)
    assert page.locator("attn-mask table tbody tr").count() == 8
    context.close()
