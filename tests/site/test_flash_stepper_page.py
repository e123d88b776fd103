"""FlashStepper in the browser."""

import pytest
from browsing import axe_faults, settle, slide, take

from attn_course.widgets import FlashStepper

START = {"step": 1, "block_q": 4, "block_k": 4}


def table(page):
    """Read the rows: numbers for m and l, lists for O and O / l."""
    found = []
    for line in page.locator(".rows tbody tr").all():
        texts = [
            [
                float(text.replace("−", "-").replace("∞", "inf"))
                for text in cell.locator("span").all_inner_texts()
                if text != "–"
            ]
            for cell in line.locator("td").all()
        ]
        found.append(texts)
    return found


def facts(page):
    names = page.locator("dt").all_inner_texts()
    values = page.locator("dd").all_inner_texts()
    return dict(zip(names, values, strict=True))


def agree(page, stepper, number):
    """Hold what the page shows after `number` tiles against the twin."""
    step = stepper.steps[number - 1]
    for q, (m, l, _, output, result, error) in enumerate(table(page)):  # noqa: E741
        assert m[0] == pytest.approx(step.m[q], abs=5.1e-3)
        assert l[0] == pytest.approx(step.l[q], abs=5.1e-3)
        assert output == pytest.approx(step.output[q], abs=5.1e-3)
        assert result == pytest.approx(step.normalized[q], abs=5.1e-3)
        assert error[0] == pytest.approx(step.errors[q], abs=5.1e-3)
    said = facts(page)["bytes moved"]
    assert said.startswith(f"{step.read:,} read, {step.written:,} written")


def test_every_step_says_what_the_python_twin_says(widget_page):
    stepper = FlashStepper(**START)
    page = widget_page(stepper)
    forward = page.get_by_role("button", name="Step")
    agree(page, stepper, 1)
    for number in (2, 3, 4, 4):  # beyond the last tile there is nothing
        forward.click()
        settle(page)
        agree(page, stepper, number)
    assert "all keys, in every row" in facts(page)["O / l is"]
    page.get_by_role("button", name="Back").click()
    settle(page)
    agree(page, stepper, 3)


def test_without_the_factor_the_rows_that_go_wrong_are_named(widget_page):
    stepper = FlashStepper(**START, broken=True)
    page = widget_page(FlashStepper(**{**START, "step": 4}))
    assert page.locator(".rows tr.wrong").count() == 0
    page.get_by_label("leave out the factor").check()
    settle(page)
    agree(page, stepper, 4)
    rows = ", ".join(str(q + 1) for q in stepper.wrong_rows)
    assert f"wrong in rows {rows}, by" in facts(page)["O / l is"]
    assert page.locator(".rows tr.wrong").count() == len(stepper.wrong_rows)
    assert "(factor)" in page.locator(".rows thead").inner_text()


def test_tiles_loops_and_causal_follow_the_twin(widget_page):
    stepper = FlashStepper(order="keys", block_q=3, block_k=2, causal=True)
    page = widget_page(FlashStepper(step=4))
    page.locator("[data-control=order]").select_option("keys")
    page.locator("[data-control=block_q]").select_option("3")
    page.locator("[data-control=block_k]").select_option("2")
    page.get_by_label("causal").check()
    settle(page)
    # It was at the end, and stays there.
    count = len(stepper.steps)
    assert page.locator("output").inner_text() == f"{count} of {count}"
    assert f"{12 - count} skipped" in facts(page)["tiles"]
    agree(page, stepper, count)
    slide(page, "step", 2)
    settle(page)
    agree(page, stepper, 2)


def test_a_click_on_a_tile_goes_there_unless_it_is_skipped(widget_page):
    page = widget_page(FlashStepper(step=0, block_q=2, block_k=2, causal=True))
    assert "Nothing is computed yet" in page.locator(".said").inner_text()
    box = page.locator(".tiles").bounding_box()
    # Two letters left of the cells, two lines above them, each 34 px.
    x, y = box["x"] + 30, box["y"] + 34
    page.mouse.click(x + 5.5 * 34, y + 0.5 * 34)
    settle(page)
    assert "skipped" in page.locator(".status").inner_text()
    assert page.locator("output").inner_text() == "0 of 10"
    page.mouse.click(x + 2.5 * 34, y + 3.5 * 34)
    settle(page)
    said = page.locator(".said").inner_text()
    assert "queries 3–4 meet keys 3–4" in said


def test_it_plays_to_the_end_and_pauses(widget_page):
    page = widget_page(FlashStepper(**START))
    page.get_by_role("button", name="Play").click()
    pause = page.get_by_role("button", name="Pause")
    pause.wait_for()
    pause.click()
    assert page.locator("output").inner_text() == "1 of 4"
    page.get_by_role("button", name="Play").click()
    page.get_by_text("4 of 4", exact=True).first.wait_for()
    page.get_by_role("button", name="Play").wait_for()


def test_with_reduced_motion_it_goes_to_the_end_at_once(widget_page):
    page = widget_page(FlashStepper(**START))
    page.emulate_media(reduced_motion="reduce")
    page.get_by_role("button", name="Play").click()
    settle(page)
    assert page.locator("output").inner_text() == "4 of 4"
    assert page.get_by_role("button", name="Pause").count() == 0


def test_the_keyboard_moves_the_slider(widget_page):
    page = widget_page(FlashStepper(**START))
    page.locator("[data-control=step]").focus()
    page.keyboard.press("ArrowRight")
    settle(page)
    assert page.locator("output").inner_text() == "2 of 4"
    page.keyboard.press("End")
    settle(page)
    assert page.locator("output").inner_text() == "4 of 4"


def test_a_link_restores_the_state(widget_page):
    page = widget_page(FlashStepper(**START))
    page.locator("[data-control=block_k]").select_option("2")
    page.get_by_label("leave out the factor").check()
    slide(page, "step", 3)
    settle(page)
    before = table(page)
    page.get_by_role("button", name="Copy link").click()
    link = page.get_by_label("Link to this state").input_value()
    page.goto("about:blank")
    page.goto(link)
    assert table(page) == before
    assert page.get_by_label("leave out the factor").is_checked()


@pytest.mark.parametrize(
    "state", ["block_q=0", "step=1e9", "order=%3Cimg%3E", "broken=1"]
)
def test_a_hostile_link_is_harmless_and_says_so(widget_page, state):
    page = widget_page(FlashStepper(**START))
    before = table(page)
    page.goto(f"{page.url}#attn:flash?{state}")
    page.get_by_text("left out").wait_for()
    assert table(page) == before


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_it_fits_and_has_no_fault(widget_page, width, scheme):
    stepper = FlashStepper(step=4, broken=True)
    page = widget_page(stepper, width=width, scheme=scheme)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    rows = page.locator(".rows")
    assert rows.evaluate("e => e.scrollWidth <= e.clientWidth")
    rules = {fault["id"] for fault in axe_faults(page)}
    # A bare page has no landmarks and no heading.
    assert rules <= {"landmark-one-main", "page-has-heading-one", "region"}
    for place in page.locator("button, select, input").all():
        box = place.bounding_box()
        if box:
            assert min(box["width"], box["height"]) >= 24, box


def test_the_largest_example_fits_a_phone(widget_page):
    ones = [[1.0] * 8] * 16
    values = [[1.0, -99.0]] * 16
    page = widget_page(FlashStepper(ones, ones, values), width=360)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_pictures_and_numbers_can_be_taken(widget_page):
    stepper = FlashStepper(**START)
    page = widget_page(stepper)
    assert take(page, "PNG").startswith(b"\x89PNG")
    assert b"Tile 1 of 4" in take(page, "SVG")
    lines = take(page, "CSV").decode().split("\r\n")
    assert len(lines) == 1 + 4 * 8 + 1
    last = stepper.steps[-1]
    assert lines[-2].endswith(f",{last.read},{last.written}")
    assert float(lines[-2].split(",")[4]) == pytest.approx(last.m[7])


def test_bad_data_is_told_in_place(widget_page):
    page = widget_page('<attn-flash data-state="{}"></attn-flash>')
    told = page.locator(".problem").inner_text()
    assert "expected query, key and value" in told
