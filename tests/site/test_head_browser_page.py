"""HeadBrowser and HeadSwitches in the browser."""

import base64
import copy
import csv
import io
from xml.etree import ElementTree

import numpy as np
import pytest
from browsing import axe_faults, settle, take

from attn_course.widgets import HeadBrowser, HeadSwitches

HOSTILE = "</script><img src=x onerror=alert(1)>"


def heads(**options):
    options = {"maps": {"MiniLM": "minilm-cat"}, "name": "demo", **options}
    return HeadBrowser.from_recording(**options)


def switches(**options):
    return HeadSwitches.from_recording(name="board", **options)


def table_of(page, place):
    """Give the cells of a table in the page, by the names of its rows."""
    settle(page)
    rows = page.locator(f"{place} tbody tr").all()
    return {
        row.locator("th").inner_text(): row.locator("td").all_inner_texts()
        for row in rows
    }


def wanted(widget):
    return {
        name: ["–" if part is None else f"{part:.2f}" for part in one]
        for name, one in widget.scores.items()
    }


def press(page, layer, head):
    page.get_by_role("button", name=f"layer {layer}, head {head}").click()


def test_the_panel_says_what_the_python_twin_says(widget_page):
    widget = heads()
    page = widget_page(widget)
    for widget.model, widget.layer, widget.head in (
        ("MiniLM", 1, 3),
        ("SmolLM2", 30, 9),
        ("MiniLM, random weights, seed 1", 6, 12),
    ):
        page.locator("[data-control=model]").select_option(widget.model)
        page.locator(".grid").focus()
        page.keyboard.press("Home")
        for _ in range(3):
            page.keyboard.press("Shift+ArrowUp")
        for _ in range(widget.layer - 1):
            page.keyboard.press("ArrowDown")
        for _ in range(widget.head - 1):
            page.keyboard.press("ArrowRight")
        found = table_of(page, ".panel")
        for name, numbers in wanted(widget).items():
            assert found[name][:3] == numbers
        title = f"{widget.model}, layer {widget.layer}, head {widget.head}"
        assert page.locator(".panel p").first.inner_text() == title


def test_a_click_picks_a_head_and_its_map(widget_page):
    page = widget_page(heads())
    box = page.locator(".grid svg").bounding_box()
    edge = page.locator(".grid svg text").all()
    assert len(edge) == 72 + 12 + 6 + 2
    page.mouse.click(box["x"] + box["width"] - 9, box["y"] + box["height"] - 9)
    settle(page)
    title = page.locator(".panel p").first.inner_text()
    assert title == "MiniLM, layer 6, head 12"
    said = page.locator(".panel svg").get_attribute("aria-label")
    assert said.startswith("[CLS] looks most at ")
    page.get_by_role("button", name="Highest score").click()
    settle(page)
    title = page.locator(".panel p").first.inner_text()
    assert title == "MiniLM, layer 1, head 3"
    said = page.locator(".panel svg").get_attribute("aria-label")
    assert "mat looks most at the (1.00)" in said


def test_labels_are_marked_and_counted(widget_page):
    widget = heads()
    page = widget_page(widget)
    for model in widget.source["models"]:
        page.locator("[data-control=model]").select_option(model["name"])
        for m, measure in enumerate(widget.source["measures"]):
            page.locator("[data-control=measure]").select_option(
                measure["name"]
            )
            settle(page)
            said = page.locator(".said").inner_text()
            corners = page.locator(
                ".grid svg path[stroke='#ffffff']"
            ).evaluate_all(
                "all => all.map(p => (p.getAttribute('d').match(/M/g) || [])"
                ".length).reduce((a, b) => a + b, 0)"
            )
            reading = model["readings"][m]
            if reading is None:
                assert said.endswith(f"can't be measured in {model['name']}.")
                labels = []
            else:
                labels = reading["labelled"]
                assert (labels is None) == said.startswith("Highest")
            assert corners == len(labels or [])
            if labels:
                assert said.startswith(f"{len(labels)} of ")


def test_a_screen_reader_hears_the_head(widget_page):
    page = widget_page(heads())
    grid = page.locator(".grid")
    heard = (
        "grid => grid.getRootNode().getElementById(grid.getAttribute("
        "'aria-activedescendant')).textContent"
    )
    assert grid.evaluate(heard) == "layer 1, head 3: 1.00, earns the label"
    grid.focus()
    page.keyboard.press("ArrowDown")
    settle(page)
    assert grid.evaluate(heard) == "layer 2, head 3: 0.18"


def test_a_link_brings_a_head_back(widget_page):
    page = widget_page(heads())
    page.locator("[data-control=model]").select_option("SmolLM2")
    page.locator("[data-control=measure]").select_option("first token")
    page.get_by_role("button", name="Highest score").click()
    page.get_by_role("button", name="Copy link").click()
    url = page.get_by_label("Link to this state").input_value()
    before = table_of(page, ".panel")
    page.goto("about:blank")
    page.goto(url)
    assert table_of(page, ".panel") == before
    title = page.locator(".panel p").first.inner_text()
    assert title.startswith("SmolLM2, layer ")


@pytest.mark.parametrize(
    "state",
    ["model=%3Cimg%20src%3Dx%3E&layer=99&head=1e9", "x=" + "a" * 5000],
)
def test_a_hostile_link_is_harmless_and_says_so(widget_page, state):
    page = widget_page(heads())
    before, url = table_of(page, ".panel"), page.url
    page.goto("about:blank")
    page.goto(f"{url}#attn:demo?{state}")
    assert table_of(page, ".panel") == before
    status = page.locator(".status").inner_text()
    assert "left out" in status or "could not be read" in status


def test_hostile_words_stay_text(widget_page):
    scores = np.array([[0.25, 0.5]])
    measure = {"score": scores, "text": HOSTILE}
    model = {
        "measures": {HOSTILE: measure},
        "weights": np.full((1, 2, 2, 2), 0.5),
        "tokens": [HOSTILE, "שלום"],
    }
    page = widget_page(HeadBrowser({HOSTILE: model}, title=HOSTILE))
    assert list(table_of(page, ".panel")) == [HOSTILE]
    assert page.locator("img").count() == 0


def test_a_switch_gives_the_recorded_loss(widget_page):
    widget = switches()
    page = widget_page(widget)
    press(page, 1, 2)
    press(page, 2, 4)
    widget.keep = [[1, 0, 1, 1], [1, 1, 1, 0]]
    same = widget.ranked(6)
    rank = same.index(widget.subset) + 1
    found = table_of(page, ".facts")
    assert list(found) == [
        "chosen", "best 6 heads", "worst 6 heads", "whole model",
    ]  # fmt: skip
    assert found["chosen"][0] == "all but 1.2 2.4"
    assert float(found["chosen"][1]) == pytest.approx(
        widget.value("loss"), abs=0.005
    )
    said = page.locator(".said").inner_text()
    assert said.startswith("6 of 8 heads are on: loss ")
    assert f"number {rank} of 28 such subsets" in said
    assert said.endswith("The other 2 give zeros. Recorded.")
    page.get_by_role("button", name="Best of this size").click()
    found = table_of(page, ".facts")
    assert found["chosen"][:3] == found["best 6 heads"][:3]
    states = [
        page.get_by_role("button", name=f"layer {i}, head {j}").get_attribute(
            "aria-pressed"
        )
        for i in (1, 2)
        for j in (1, 2, 3, 4)
    ]
    widget.subset = same[0]
    assert states == [str(on).lower() for on in widget.keep.ravel()]


def test_every_subset_is_a_dot_that_can_be_picked(widget_page):
    page = widget_page(switches())
    dots = page.locator(".chart circle[r='3'][fill-opacity]")
    assert dots.count() == 256
    dots.first.scroll_into_view_if_needed()
    box = dots.first.bounding_box()
    page.mouse.click(box["x"] + 3, box["y"] + 3)
    assert table_of(page, ".facts")["chosen"][0] == "none"
    low = dots.last.get_attribute("cy")
    page.get_by_label("logarithmic").check()
    settle(page)
    assert dots.count() == 256
    assert dots.last.get_attribute("cy") != low
    page.locator("[data-control=show]").select_option("accuracy")
    settle(page)
    assert page.get_by_label("logarithmic").is_hidden()
    assert "accuracy" in page.locator(".said").inner_text()


def test_the_other_picks_change_the_numbers(widget_page):
    widget = switches(subset=200)
    page = widget_page(widget)
    seen = set()
    source = widget.source
    for widget.way in source["ways"]:
        for widget.test in source["tests"]:
            for widget.seed in source["seeds"]:
                for name in ("way", "test", "seed"):
                    page.locator(f"[data-control={name}]").select_option(
                        getattr(widget, name)
                    )
                numbers = table_of(page, ".facts")["chosen"]
                loss, accuracy = map(widget.value, ("loss", "accuracy"))
                near = 0.006 if loss < 10 else 0.51
                assert float(numbers[1]) == pytest.approx(loss, abs=near)
                assert float(numbers[2]) == pytest.approx(accuracy, abs=0.006)
                seen.add(loss)
    assert len(seen) > 6


def test_a_link_brings_the_switches_back(widget_page):
    page = widget_page(switches())
    press(page, 1, 1)
    page.locator("[data-control=way]").select_option("its mean")
    page.get_by_role("button", name="Copy link").click()
    url = page.get_by_label("Link to this state").input_value()
    before = table_of(page, ".facts")
    page.goto("about:blank")
    page.goto(url)
    assert table_of(page, ".facts") == before
    page.goto("about:blank")
    page.goto(f"{url.split('?')[0]}?subset=999&way=x")
    settle(page)
    assert "left out" in page.locator(".status").inner_text()


@pytest.mark.parametrize(
    ("make", "name", "rows"),
    [(heads, "demo", 3654), (switches, "board", 3 * 2 * 2 * 256)],
)
def test_pictures_and_numbers_can_be_taken_away(widget_page, make, name, rows):
    page = widget_page(make())
    assert take(page, "PNG").startswith(b"\x89PNG")
    svg = ElementTree.fromstring(take(page, "SVG"))
    texts = [t.text for t in svg.iter("{http://www.w3.org/2000/svg}text")]
    assert make().source["title"] in texts
    assert page.locator(".said").inner_text() in " ".join(texts)
    table = list(csv.reader(io.StringIO(take(page, "CSV").decode("utf-8"))))
    assert len(table) == 1 + rows


@pytest.mark.parametrize("make", [heads, switches])
@pytest.mark.parametrize("width", [360, 1280])
def test_nobody_is_left_out(widget_page, make, width):
    page = widget_page(make(), width=width)
    for details in page.locator("details > summary").all():
        details.click()
    page.locator(".table tbody tr").first.wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    rules = {fault["id"] for fault in axe_faults(page)}
    # A bare page has no landmarks and no heading.
    assert rules <= {"landmark-one-main", "page-has-heading-one", "region"}


def test_many_layers_stay_large_enough_to_touch(widget_page):
    page = widget_page(heads(model="SmolLM2"), width=360)
    size = page.locator(".grid svg").bounding_box()
    assert size["height"] >= 30 * 24
    assert size["width"] >= 9 * 24
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


@pytest.mark.parametrize("make", [heads, switches])
def test_they_follow_the_theme(widget_page, make):
    page = widget_page(make())
    label = page.locator("svg > g:nth-child(2) text, .chart svg text").first
    light = label.get_attribute("fill")
    page.evaluate("document.body.style.background = '#14181e'")
    page.locator(".attn.dark").wait_for()
    settle(page)
    assert label.get_attribute("fill") != light


@pytest.mark.parametrize(
    ("make", "was", "now", "message"),
    [
        (heads, "&quot;heads&quot;:12", "&quot;heads&quot;:0",
         "head browser can't be drawn: expected layers and heads"),
        (switches, "&quot;heads&quot;:4", "&quot;heads&quot;:99",
         "head switches can't be drawn: expected 1 to 10 heads"),
    ],
)  # fmt: skip
def test_bad_data_is_said_in_place(widget_page, make, was, now, message):
    page = widget_page(make().html().replace(was, now))
    assert message in page.locator(".problem").inner_text()


def test_without_scripts_there_are_tables(browser, widget_page):
    url = widget_page(
        HeadBrowser.from_recording(), HeadSwitches.from_recording()
    ).url
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(url)
    heads = page.locator("attn-heads table tbody tr")
    assert "MiniLM: previous word" in heads.first.inner_text()
    assert page.locator("attn-head-switches tbody tr").count() == 9
    context.close()


def partly_measured():
    """Give a browser whose second measure failed in some heads."""
    score = np.array([[0.25, 0.5, 0.75], [0.1, 0.2, 0.3]])
    widget = HeadBrowser(
        {"m": {"measures": {"a": score, "b": score, "c": score}}}
    )
    missing = {"b": [2, 5], "c": list(range(6))}
    source = copy.deepcopy(widget.source)
    for place, measure in enumerate(source["measures"]):
        reading = source["models"][0]["readings"][place]
        reading["score"]["missing"] = missing.get(measure["name"], [])
    widget.source = source
    return widget


def test_what_could_not_be_measured_is_a_dash(widget_page):
    page = widget_page(partly_measured())
    measure = page.locator("[data-control=measure]")
    highest = page.get_by_role("button", name="Highest score")
    title = page.locator(".panel p").first
    measure.select_option("b")
    highest.click()
    settle(page)
    assert title.inner_text() == "m, layer 1, head 2"
    assert page.locator(".said").inner_text().startswith("Highest: 0.50 at")
    page.locator(".grid").focus()
    page.keyboard.press("ArrowRight")
    found = table_of(page, ".panel")
    assert [cells[0] for cells in found.values()] == ["0.75", "–", "–"]
    heard = page.locator(".grid").evaluate(
        "grid => grid.getRootNode().getElementById(grid.getAttribute("
        "'aria-activedescendant')).textContent"
    )
    assert heard == "layer 1, head 3: –"
    numbers = page.locator(".grid svg > g:first-child text")
    assert numbers.all_text_contents() == [".25", ".50", ".10", ".20"]
    page.get_by_text("Table of scores").click()
    rows = table_of(page, ".table")
    assert rows == {"1": ["0.25", "0.50", "–"], "2": ["0.10", "0.20", "–"]}
    table = list(csv.reader(io.StringIO(take(page, "CSV").decode("utf-8"))))
    assert [row[4] for row in table].count("") == 2 + 6
    measure.select_option("c")
    settle(page)
    said = page.locator(".said").inner_text()
    assert said == "“c” can't be measured in m."
    assert highest.is_disabled()
    assert numbers.count() == 0


@pytest.mark.parametrize("width", [360, 1280])
def test_equal_weights_of_many_tokens_are_not_dark(widget_page, width):
    n = 512
    weights = np.full((1, 1, n, n), 1 / n)
    measures = {"a": np.array([[0.5]])}
    tokens = [f"t{i}" for i in range(n)]
    parts = {"measures": measures, "weights": weights, "tokens": tokens}
    widget = HeadBrowser({"m": parts})
    # Half precision keeps the numbers; what is tested is the picture.
    half = base64.b64encode(weights.astype("<f2").tobytes()).decode("ascii")
    source = copy.deepcopy(widget.source)
    packed = {"dtype": "float16", "step": None, "base64": half}
    source["models"][0]["weights"] |= packed
    widget.source = source
    page = widget_page(widget, width=width)
    svg = page.locator(".panel svg")
    colours = svg.locator("image").evaluate(
        """async (image) => {
          const picture = new Image();
          picture.src = image.getAttribute("href");
          await picture.decode();
          const canvas = document.createElement("canvas");
          canvas.width = picture.width;
          canvas.height = picture.height;
          const context = canvas.getContext("2d");
          context.drawImage(picture, 0, 0);
          const { data } = context.getImageData(0, 0, picture.width, 2);
          return [...new Set(new Uint32Array(data.buffer))].map(
            (word) => [word & 255, (word >> 8) & 255, (word >> 16) & 255]);
        }"""
    )
    ((red, green, blue),) = colours
    assert red > 200 and green > 200 > blue
    assert "(0.002)" in svg.get_attribute("aria-label")
    texts = svg.locator("text").all_text_contents()
    assert texts[-4:] == ["0", "0.0005", "0.002", "weight"]
    assert page.evaluate("document.documentElement.scrollWidth") <= width
