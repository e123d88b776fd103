"""QKVPlayground and SoftmaxLab in the browser."""

import numpy as np
import pytest
from browsing import axe_faults, settle, take

from attn_course.widgets import QKVPlayground, SoftmaxLab


def weights(page):
    cells = page.locator(
        ".scroll tbody tr td:nth-last-child(2)"
    ).all_inner_texts()
    return [float(cell) for cell in cells]


def plane():
    return QKVPlayground(
        [1.0, 0.5],
        [[1.0, 0.0], [0.2, 1.0], [-0.8, 0.6]],
        [[1.0, 0.0], [0.0, 1.0], [-0.5, -0.5]],
        tokens=["cat", "sat", "</script><b>mat"],
    )


def test_dragging_the_query_moves_the_weights(widget_page):
    play = plane()
    page = widget_page(play)
    np.testing.assert_allclose(weights(page), play.weights, atol=6e-4)
    handle = page.locator("[data-handle='q: it']")
    box = handle.bounding_box()
    middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(*middle)
    page.mouse.down()
    page.mouse.move(middle[0] - 150, middle[1] - 40, steps=6)
    page.mouse.up()
    settle(page)
    spot = handle.get_attribute("aria-valuetext").split(", ")
    play.query = [float(x) for x in spot]
    assert play.query[0] < 0 < play.query[1]
    np.testing.assert_allclose(weights(page), play.weights, atol=6e-4)


def test_arrow_keys_move_a_value(widget_page):
    play = plane()
    page = widget_page(play)
    page.locator("[data-handle='sat']").nth(1).focus()
    for key in ("ArrowRight", "Shift+ArrowDown"):
        page.keyboard.press(key)
    settle(page)
    play.value = [[1.0, 0.0], [0.1, 0.5], [-0.5, -0.5]]
    shown = page.locator(".output").inner_text()
    expected = ", ".join(f"{x:.2f}" for x in play.output)
    assert shown == f"output Σ w·v = [{expected}]"


def test_numbers_in_four_dimensions(widget_page):
    play = QKVPlayground(
        [1.0, 0.0, 1.0, 0.0],
        [[1.0, 1, 0, 0], [0, 1, 1, 0], [0, 0, 1, 1]],
        np.eye(3),
        tokens=["cat", "sat", "mat"],
    )
    page = widget_page(play, width=360)
    assert weights(page) == [0.333, 0.333, 0.333]
    field = page.get_by_label("key cat, number 3")
    field.fill("1")
    settle(page)
    play.key = [[1.0, 1, 1, 0], [0, 1, 1, 0], [0, 0, 1, 1]]
    np.testing.assert_allclose(weights(page), play.weights, atol=6e-4)
    field.fill("1e9")
    settle(page)
    # It is said beside the field, and no result of an earlier number stays.
    error = field.locator("xpath=..").get_by_role("alert")
    assert "A number from" in error.inner_text()
    assert field.get_attribute("aria-invalid") == "true"
    shown = page.locator("td.weight")
    assert shown.all_inner_texts() == ["–"] * 3
    assert page.locator(".output").inner_text().startswith("No output")
    field.fill("1")
    settle(page)
    assert error.count() == 0
    np.testing.assert_allclose(weights(page), play.weights, atol=6e-4)
    value = page.get_by_label("value mat, number 3")
    value.fill("4")
    settle(page)
    play.value = [[1, 0, 0], [0, 1, 0], [0, 0, 4]]
    numbers = ", ".join(f"{x:.2f}" for x in play.output)
    assert page.locator(".output").inner_text().endswith(f"[{numbers}]")
    assert shown.first.bounding_box()["x"] > 0
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_the_lab_shows_what_its_python_twin_says(widget_page):
    lab = SoftmaxLab()
    page = widget_page(lab)
    for x, scaled in ((0, True), (120, False), (200, False), (200, True)):
        page.locator("[data-control=d]").evaluate(
            "(i, x) => { i.value = x; i.dispatchEvent(new Event('input')) }",
            str(x),
        )
        page.locator("[data-control=scaled]").set_checked(scaled)
        settle(page)
        lab.d = int(page.locator("output").first.inner_text())
        lab.scaled = scaled
        shown = page.locator("dd").all_inner_texts()
        assert shown[0].startswith(f"{lab.measures['spread']:.2f}")
        assert shown[2].startswith(f"{lab.measures['entropy']:.2f}")
        assert shown[3] == f"{lab.measures['gradient']:.3f}"
    assert page.locator(".charts svg circle").count() == 2


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(widget_page, scheme):
    page = widget_page(
        "<main><h1>test</h1>", plane(), SoftmaxLab(), "</main>",
        scheme=scheme, width=360,
    )  # fmt: skip
    assert [fault["id"] for fault in axe_faults(page)] == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


@pytest.mark.parametrize("kind", ["PNG", "SVG", "CSV"])
@pytest.mark.parametrize("make", [plane, SoftmaxLab])
def test_the_picture_can_be_taken_away(widget_page, make, kind):
    page = widget_page(make())
    content = take(page, kind)
    start = {"PNG": b"\x89PNG", "SVG": b"<svg", "CSV": b'"'}[kind]
    assert content.startswith(start) and len(content) > 60
    assert kind != "SVG" or b"<b>" not in content


@pytest.mark.parametrize("tag", ["attn-qkv", "attn-softmax-lab"])
def test_bad_data_says_so_in_place(widget_page, tag):
    page = widget_page(f"<{tag} data-state='{{}}'></{tag}>")
    assert "can't be drawn" in page.locator("[role=alert]").inner_text()


def test_a_link_restores_the_vectors(widget_page):
    page = widget_page(plane())
    page.locator("[data-handle='cat']").first.focus()
    page.keyboard.press("Shift+ArrowUp")
    settle(page)
    before = weights(page)
    page.get_by_role("button", name="Copy link").click()
    link = page.get_by_label("Link to this state").input_value()
    page.goto("about:blank")
    page.goto(link)
    settle(page)
    assert weights(page) == before
