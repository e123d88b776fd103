"""GazeExplorer in the browser: numbers, pixels, keys, touch, link, files."""

import base64
import io
import re

import numpy as np
import pytest
from browsing import axe_faults, settle, slide, take, unfold
from PIL import Image

from attn_course.data import load_photos
from attn_course.perception.foveation import foveate
from attn_course.widgets import GazeExplorer

ROOT = "document.querySelector('attn-gaze').firstElementChild.shadowRoot"
CANVAS = f"{ROOT}.querySelector('canvas')"


def loaded(page):
    """Wait until the photo is on the canvas: its middle is opaque."""
    shown = page.evaluate(
        f"""(async () => {{
          for (let i = 0; i < 1500; i++) {{
            const c = {CANVAS};
            const middle = [c.width / 2, c.height / 2, 1, 1];
            const {{ data }} = c.getContext("2d").getImageData(...middle);
            if (data[3] === 255) return true;
            await new Promise((go) => setTimeout(go, 10));
          }}
          return false;
        }})()"""
    )
    assert shown, page.locator(".status").inner_text()
    settle(page)


def pixels(page):
    """Read what the canvas shows: rows, columns, colours from 0 to 1."""
    uri = page.evaluate(f"{CANVAS}.toDataURL('image/png')")
    picture = Image.open(io.BytesIO(base64.b64decode(uri.split(",")[1])))
    return np.asarray(picture.convert("RGB")) / 255


def numbers(page):
    """Give what stands beside the picture, by its name."""
    names = page.locator("dt").all_inner_texts()
    values = page.locator("dd").all_inner_texts()
    return dict(zip(names, values, strict=True))


def part(text):
    return float(re.fullmatch(r"([\d.]+) %", text)[1]) / 100


def choose(page, control, value):
    page.locator(f"select[data-control={control}]").select_option(value)
    settle(page)


def drag(page, control, value):
    slide(page, control, value)
    settle(page)


def needed(page):
    rows = page.locator(".regions tbody tr")
    table = {}
    for i in range(rows.count()):
        name = rows.nth(i).locator("th").inner_text().split(": ")[1]
        cells = rows.nth(i).locator("td:visible").all_inner_texts()
        table[name] = [None if c == "–" else int(c) for c in cells]
    return table


def test_the_page_shows_the_pixels_that_python_computes(widget_page):
    gaze = GazeExplorer(["astronaut"], x=0.3, y=0.75, degrees=30.0)
    page = widget_page(gaze)
    loaded(page)
    photo = load_photos()["astronaut"].pixels()
    shown = pixels(page)
    expected = foveate(photo, gaze.fixations, 30.0)
    # Two decoders of JPEG may differ by a little; a blur that is off may not.
    assert np.abs(shown - expected).mean() < 0.005
    assert np.abs(shown - photo).mean() > 0.015
    gaze.path, gaze.step = "saliency", 6
    choose(page, "path", "saliency")
    drag(page, "step", 6)
    stitched = foveate(photo, gaze.fixations, 30.0)
    assert np.abs(pixels(page) - stitched).mean() < 0.005


def test_the_numbers_are_those_of_python(widget_page):
    gaze = GazeExplorer(["hopper", "tower"])
    page = widget_page(gaze)
    for picture, path, step in (
        ("hopper", "free look", 15),
        ("hopper", "saliency", 5),
        ("tower", "centre first", 15),
        ("tower", "random", 1),
    ):
        gaze.picture, gaze.path, gaze.step = picture, path, step
        choose(page, "picture", picture)
        choose(page, "path", path)
        if path != "free look":
            drag(page, "step", step)
        shown = numbers(page)
        count = len(gaze.fixations)
        name = f"sharp after {count} fixations"
        name = name if count > 1 else "sharp in this one fixation"
        assert part(shown[name]) == pytest.approx(
            gaze.sharp_fraction, abs=5.1e-4
        )
        expected = {k: list(v.values()) for k, v in gaze.needed.items()}
        assert needed(page) == expected


def test_a_wider_picture_is_sharp_in_a_smaller_part(widget_page):
    page = widget_page(GazeExplorer(["astronaut"]))
    parts = []
    for x in (0, 60, 120, 200):
        drag(page, "degrees", x)
        parts.append(part(numbers(page)["sharp in this one fixation"]))
    assert parts == sorted(parts, reverse=True)
    assert parts[0] > 0.5 and parts[-1] < 0.004


def test_arrow_keys_move_the_fovea_and_say_where_it_is(widget_page):
    page = widget_page(GazeExplorer(["astronaut"], y=0.3))
    loaded(page)
    before = pixels(page)
    page.locator("canvas").focus()
    for key in ("ArrowLeft", "ArrowLeft", "Shift+ArrowDown", "ArrowUp"):
        page.keyboard.press(key)
    settle(page)
    status = page.locator(".status").inner_text()
    assert status.startswith("46 % from the left, 38 % from the top")
    # Four presses within one frame all count.
    page.evaluate(
        f"""for (let i = 0; i < 4; i++) {CANVAS}.dispatchEvent(
          new KeyboardEvent("keydown", {{ key: "ArrowUp" }}))"""
    )
    settle(page)
    assert (
        "30 % from the top: her face" in page.locator(".status").inner_text()
    )
    assert np.abs(pixels(page) - before).max() > 0.02
    outline = page.evaluate(f"getComputedStyle({CANVAS}).outlineStyle")
    assert outline == "solid"


def test_a_drag_moves_the_fovea(widget_page):
    page = widget_page(GazeExplorer(["astronaut"]))
    box = page.locator("canvas").bounding_box()

    def at(x, y):
        return box["x"] + x * box["width"], box["y"] + y * box["height"]

    page.mouse.move(*at(0.5, 0.5))
    page.mouse.down()
    page.mouse.move(*at(0.44, 0.26), steps=4)
    page.mouse.up()
    page.mouse.move(*at(0.9, 0.9))
    settle(page)
    assert numbers(page)["places seen"] == "1 of 4"
    circle = page.locator(".photo svg circle").last
    x = float(circle.get_attribute("cx")) / 512
    y = float(circle.get_attribute("cy")) / 512
    assert (x, y) == pytest.approx((0.44, 0.26), abs=0.005)


def test_a_path_of_ones_own_by_touch_and_keys(browser, widget_page):
    page = widget_page(GazeExplorer(["astronaut"]))
    url = page.url
    context = browser.new_context(
        viewport={"width": 360, "height": 800}, has_touch=True
    )
    page = context.new_page()
    page.goto(url)
    unfold(page)
    assert page.locator(".regions thead th:visible").count() == 4
    choose(page, "path", "your own")
    canvas = page.locator("canvas")
    box = canvas.bounding_box()
    for x, y in ((0.44, 0.26), (0.33, 0.75)):
        canvas.tap(position={"x": x * box["width"], "y": y * box["height"]})
        settle(page)
    assert needed(page)["her face"][0] == 1
    assert needed(page)["names on the mission patch"][0] == 2
    assert needed(page)["name tag"][0] is None
    assert numbers(page)["places seen"] == "2 of 4"
    assert "sharp after 2 fixations" in numbers(page)
    canvas.focus()
    for _ in range(4):
        page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("Enter")
    settle(page)
    assert "Fixation 3 added" in page.locator(".status").inner_text()
    page.get_by_role("button", name="Clear my path").click()
    settle(page)
    assert page.locator(".regions thead th:visible").count() == 4
    context.close()


def test_a_link_restores_the_state(widget_page):
    page = widget_page(GazeExplorer())
    choose(page, "picture", "coffee")
    drag(page, "degrees", 150)
    page.locator("[data-control=regions]").check()
    page.locator("canvas").focus()
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("Enter")
    settle(page)
    before = numbers(page), needed(page)
    page.get_by_role("button", name="Copy link").click()
    link = page.get_by_label("Link to this state").input_value()
    page.goto("about:blank")
    page.goto(link)
    settle(page)
    assert (numbers(page), needed(page)) == before
    assert page.locator(".photo svg rect").count() == 4
    page.goto("about:blank")
    page.goto(link.split("?")[0] + "?picture=<b>&own=1,2,3&x=9&step=0.5")
    settle(page)
    assert "left out" in page.locator(".status").inner_text()
    assert page.locator("select[data-control=picture]").input_value() == (
        "astronaut"
    )


def test_it_loads_each_photo_once_and_only_when_it_is_shown(widget_page):
    page = widget_page(
        "<p style='height: 4000px'>far above</p>", GazeExplorer()
    )

    def scripts():
        return [u for u in page.log.requests if "attn-assets" in u]

    page.wait_for_timeout(300)
    assert scripts() == []
    page.locator("attn-gaze").scroll_into_view_if_needed()
    loaded(page)
    for picture in ("page", "astronaut", "page"):
        choose(page, "picture", picture)
        loaded(page)
    names = [u.rsplit("/", 1)[1] for u in scripts()]
    assert names == ["astronaut.jpg.js", "page.jpg.js"]


def test_it_works_from_a_file(widget_page, open_page, tmp_path):
    widget_page(GazeExplorer())
    page = open_page((tmp_path / "index.html").as_uri(), width=360)
    loaded(page)
    assert pixels(page).std() > 0.1
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert page.log.foreign == []


def test_a_photo_that_is_missing_is_told(widget_page):
    html = GazeExplorer(["camera"]).html().replace("camera.jpg", "gone.jpg")
    page = widget_page(html)
    page.wait_for_timeout(500)
    status = page.locator(".status").inner_text()
    assert status == (
        "The picture could not be shown: "
        "pictures/gone.jpg could not be loaded."
    )
    page.log.errors.clear()  # the browser's own: 404


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(widget_page, scheme):
    page = widget_page(
        "<main><h1>test</h1>", GazeExplorer(regions=True), "</main>",
        scheme=scheme, width=360,
    )  # fmt: skip
    loaded(page)
    choose(page, "path", "saliency")
    assert [fault["id"] for fault in axe_faults(page)] == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


@pytest.mark.parametrize("kind", ["PNG", "SVG", "CSV"])
def test_the_picture_can_be_taken_away(widget_page, kind):
    page = widget_page(GazeExplorer(["page"]))
    loaded(page)
    content = take(page, kind)
    start = {"PNG": b"\x89PNG", "SVG": b"<svg", "CSV": b'"'}[kind]
    assert content.startswith(start)
    if kind == "CSV":
        assert b'"heading"' in content and b'"missed"' in content
    else:
        assert len(content) > 20_000  # the photo is inside


@pytest.mark.parametrize(
    ("source", "message"),
    [("{}", "expected"), ('{"source":{"photos":[{}]}}', "in pixels")],
)
def test_bad_data_says_so_in_place(widget_page, source, message):
    page = widget_page(f"<attn-gaze data-state='{source}'></attn-gaze>")
    text = page.locator("[role=alert]").inner_text()
    assert "This photo can't be drawn" in text and message in text
