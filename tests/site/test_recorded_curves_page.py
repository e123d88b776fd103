"""RecordedCurves in the browser."""

import pytest
import shared_vectors
from browsing import axe_faults, settle

from attn_course.widgets import RecordedCurves

VECTORS = shared_vectors.load("curves")


def curves(**options):
    return RecordedCurves(
        VECTORS["records"],
        axis=("length", VECTORS["lengths"]),
        lines="model",
        measures={"token": "token accuracy", "loss": "loss"},
        title="</script><b>curves",
        **options,
    )


def read_off(page):
    return page.locator(".legend li").all_inner_texts()


def expected(w, line, at):
    curve = w.curves[line]
    numbers = (curve[name][at] for name in ("mean", "low", "high"))
    return "{}: {:.2f} ({:.2f} to {:.2f} over 3 seeds)".format(line, *numbers)


def test_the_numbers_are_those_of_the_python_twin(widget_page):
    w = curves()
    page = widget_page(w)
    assert read_off(page) == [
        expected(w, line, 2) for line in ("fixed vector", "attention")
    ]
    page.locator("[data-control=at]").press("ArrowLeft")
    settle(page)
    assert read_off(page)[0] == expected(w, "fixed vector", 1)


def test_a_pick_moves_the_curve_and_says_what_was_not_recorded(widget_page):
    w = curves()
    page = widget_page(w)
    line = page.locator("polyline").first
    before = line.get_attribute("points")
    page.locator("[data-control='pick.hidden']").press("ArrowLeft")
    settle(page)
    w.picks = {"hidden": "32"}
    assert line.get_attribute("points") != before
    assert read_off(page) == [
        expected(w, "fixed vector", 2),
        "attention: not recorded with these choices",
    ]


def test_another_axis_has_its_own_pickers(widget_page):
    w = curves()
    page = widget_page(w)
    hidden = page.locator("[data-control='pick.hidden']")
    length = page.locator("[data-control='pick.length']")
    assert hidden.is_visible() and not length.is_visible()
    page.locator("[data-control=x]").select_option("hidden")
    settle(page)
    assert length.is_visible() and not hidden.is_visible()
    w.x = "hidden"
    assert read_off(page)[0] == expected(w, "fixed vector", 1)


def test_the_pointer_reads_off_the_nearest_point(widget_page):
    w = curves()
    page = widget_page(w)
    box = page.locator(".chart svg[role=img]").bounding_box()
    page.mouse.move(box["x"] + 70, box["y"] + 60)
    settle(page)
    assert read_off(page)[0] == expected(w, "fixed vector", 0)


def test_each_seed_can_be_seen(widget_page):
    page = widget_page(curves())
    before = page.locator("polyline").count()
    page.get_by_label("show each seed").check()
    settle(page)
    assert page.locator("polyline").count() == before + 6


def test_a_link_restores_the_state(widget_page):
    page = widget_page(curves(name="demo"))
    page.locator("[data-control=measure]").select_option("loss")
    page.get_by_label("show each seed").check()
    page.get_by_role("button", name="Copy link").click()
    url = page.get_by_label("Link to this state").input_value()
    seen = read_off(page)
    page.goto("about:blank")
    page.goto(url)
    settle(page)
    assert read_off(page) == seen
    assert page.get_by_label("show each seed").is_checked()


@pytest.mark.parametrize("width", [360, 1280])
def test_nobody_is_left_out(widget_page, width):
    page = widget_page(curves(), width=width)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.locator("b", has_text="curves").count() == 0
    rules = {fault["id"] for fault in axe_faults(page)}
    # A bare page has no landmarks and no heading.
    assert rules <= {"landmark-one-main", "page-has-heading-one", "region"}


def test_bad_data_is_said_in_place(widget_page):
    broken = (
        curves()
        .html()
        .replace("&quot;model&quot;,&quot;xs", "&quot;?&quot;,&quot;xs")
    )
    page = widget_page(broken)
    text = page.locator(".problem").inner_text()
    assert "can't be drawn: expected one of model" in text
