"""AttentionHeatmap on the built site and on pages of its own."""

import base64
import csv
import io
import itertools
import struct
from html.parser import HTMLParser
from xml.etree import ElementTree

import numpy as np
import pytest
from browsing import axe_faults, settle, slide, take, unfold
from course import ROOT

from attn_course.widgets import AttentionHeatmap, QKVPlayground

HOSTILE = "</script><img src=x onerror=alert(1)>"
PAGES = sorted(
    path.relative_to(ROOT / "_build" / "site").as_posix()
    for folder in ("book", "notebooks")
    for path in (ROOT / "_build" / "site" / folder).glob("*.html")
)
CAT = "book/03-query-key-value.html"


def heatmap(page, name):
    return page.locator(f'attn-heatmap[data-state*=\'"name":"{name}"\']')


def picture(element):
    """Give the pixels of the matrix, as a short text."""
    return element.locator("canvas").first.evaluate("c => c.toDataURL()")


def open_table(element):
    element.get_by_text("Table of weights").click()
    element.locator(".table table").wait_for()


def weight(element):
    return float(element.locator(".steps li:last-child b").inner_text())


def pair(element):
    return element.locator(".pair bdi").all_inner_texts()


class Elements(HTMLParser):
    def __init__(self):
        super().__init__()
        self.count = 0

    def handle_starttag(self, tag, attrs):
        self.count += tag == "attn-heatmap"


@pytest.mark.parametrize("place", ["http", "file"])
@pytest.mark.parametrize("name", PAGES or ["the site is not built"])
def test_as_many_widgets_mount_as_cells_made(open_page, site_dir, name, place):
    page = open_page(name if place == "http" else (site_dir / name).as_uri())
    elements = Elements()
    elements.feed((site_dir / name).read_text("utf-8"))
    assert page.locator("attn-heatmap").count() == elements.count
    assert page.locator("attn-heatmap .grid").count() == elements.count
    assert page.locator("attn-heatmap .problem").count() == 0


def test_the_pages_that_promise_widgets_have_them(site_dir):
    counts = {}
    for name in (CAT, CAT.replace("book", "notebooks")):
        elements = Elements()
        elements.feed((site_dir / name).read_text("utf-8"))
        counts[name] = elements.count
    assert list(counts.values()) == [1, 1], counts
    assert "<attn-steps" in (site_dir / "book/index.html").read_text("utf-8")


@pytest.fixture
def cat_page(widget_page):
    """Put the heatmap of chapter 3 on a page of its own."""

    def make(**options):
        return widget_page(
            AttentionHeatmap.from_recording(
                "minilm-cat",
                name="cat",
                selection={"layer": 6, "head": 12},
                cell=[8, 2],  # it, cat
            ),
            **options,
        )

    return make


def pick(element, row, col):
    """Click the picture of a head."""
    box = element.locator(".maps image").bounding_box()
    rows, cols = 6, 12
    element.page.mouse.click(
        box["x"] + box["width"] * (col + 0.5) / cols,
        box["y"] + box["height"] * (row + 0.5) / rows,
    )


def still(page):
    """Wait until a change has moved to its end."""
    page.wait_for_timeout(400)
    settle(page)


def test_sliders_show_what_the_python_twin_says(cat_page):
    page = cat_page()
    element = heatmap(page, "cat")
    twin = AttentionHeatmap.from_recording(
        "minilm-cat", selection={"layer": 6, "head": 12}
    )
    assert pair(element) == ["it", "cat"]
    assert weight(element) == pytest.approx(twin.weights[8, 2], abs=5e-4)
    before = picture(element)
    for x in (0, 60, 140, 200):
        slide(element, "temperature", x)
        settle(page)
        twin.temperature = float(element.locator("output").first.inner_text())
        assert weight(element) == pytest.approx(twin.weights[8, 2], abs=2e-3)
        assert picture(element) != before
    element.get_by_text("divide by √d").click()
    slide(element, "temperature", 100)
    settle(page)
    twin.temperature, twin.scaled = 1.0, False
    assert weight(element) == pytest.approx(twin.weights[8, 2], abs=5e-4)


def test_every_head_can_be_picked(cat_page):
    page = cat_page()
    element = heatmap(page, "cat")
    twin = AttentionHeatmap.from_recording("minilm-cat")
    pictures = set()
    for layer, head in [(1, 1), (4, 2), (6, 12)]:
        pick(element, layer - 1, head - 1)
        still(page)
        twin.selection = {"layer": layer, "head": head}
        pictures.add(picture(element))
        assert weight(element) == pytest.approx(twin.weights[8, 2], abs=5e-4)
    assert len(pictures) == 3
    # The keyboard goes from picture to picture, and says which one it is.
    heads = element.locator(".maps")
    heads.focus()
    for key in ("ArrowLeft", "ArrowUp", "Home"):
        page.keyboard.press(key)
    settle(page)
    twin.selection = {"layer": 5, "head": 1}
    assert weight(element) == pytest.approx(twin.weights[8, 2], abs=5e-4)
    spoken = heads.evaluate(
        "grid => grid.getRootNode().getElementById("
        "grid.getAttribute('aria-activedescendant')).textContent"
    )
    assert spoken == "layer 5, head 1"


def arcs(element):
    """Give how wide the arcs are, from the widest to the thinnest."""
    widths = element.locator(".arcs path[stroke-width]").evaluate_all(
        "paths => paths.map(p => Number(p.getAttribute('stroke-width')))"
    )
    return sorted(widths, reverse=True)


@pytest.mark.parametrize("width", [360, 1280])
def test_arcs_show_where_the_chosen_word_looks(cat_page, width):
    page = cat_page(width=width)
    element = heatmap(page, "cat")
    twin = AttentionHeatmap.from_recording(
        "minilm-cat", selection={"layer": 6, "head": 12}
    )
    row = np.sort(twin.weights[8])[::-1]
    shown = arcs(element)
    assert len(shown) == (row >= 0.01).sum()
    assert shown == pytest.approx(1 + 8 * row[: len(shown)], abs=0.02)
    # The answer stands there: the strongest word, and its weight.
    bold = element.locator(".arcs text[font-weight='700']").all_text_contents()
    assert sorted(bold) == ["0.71", "cat", "it"]
    element.locator(".grid").focus()
    page.keyboard.press("ArrowUp")
    settle(page)
    row = np.sort(twin.weights[7])[::-1]
    assert arcs(element)[0] == pytest.approx(1 + 8 * row[0], abs=0.02)


def test_arcs_leave_masked_words_out(widget_page):
    widget = AttentionHeatmap(
        list("abc"), weights=[[1, 0, 0], [0.5, 0.5, 0], [0.2, 0.3, 0.5]],
        cell=[1, 0],
    )  # fmt: skip
    element = widget_page(widget).locator("attn-heatmap")
    assert len(arcs(element)) == 2
    struck = element.locator(".arcs text[text-decoration='line-through']")
    assert struck.all_text_contents() == ["c"]
    # Zeros above the diagonal of a recording are a mask, not weights.
    open_table(element)
    first = element.locator(".table tbody tr").first.locator("td")
    assert first.all_inner_texts() == ["1.000", "masked", "masked", "1.000"]


# How bright the matrix is, in every frame: a set of numbers.
WATCH = """canvas => {
  const seen = new Set();
  window.seen = seen;
  const look = () => {
    const {data} = canvas.getContext("2d")
      .getImageData(0, 0, canvas.width, canvas.height);
    let sum = 0;
    for (let i = 0; i < data.length; i += 4) sum += data[i];
    seen.add(sum);
    if (window.seen === seen) requestAnimationFrame(look);
  };
  look();
}"""


def looks_during(element, act):
    """Count how many different pictures the matrix shows meanwhile."""
    page = element.page
    element.locator("canvas").first.evaluate(WATCH)
    act()
    still(page)
    return page.evaluate("window.seen.size")


def test_another_head_moves_and_a_drag_does_not(cat_page):
    element = heatmap(cat_page(), "cat")
    # The old one, the new one, and some on the way.
    assert looks_during(element, lambda: pick(element, 3, 1)) > 2
    assert looks_during(element, lambda: slide(element, "temperature", 9)) == 2


def test_with_reduced_motion_nothing_moves(cat_page):
    page = cat_page()
    page.emulate_media(reduced_motion="reduce")
    element = heatmap(page, "cat")
    assert looks_during(element, lambda: pick(element, 3, 1)) == 2


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_axe_finds_nothing(widget_page, width, scheme):
    widget = AttentionHeatmap.from_recording("minilm-cat", cell=[8, 2])
    page = widget_page(
        f"<main><h1>x</h1>{widget.html()}</main>", width=width, scheme=scheme
    )
    page.evaluate(
        "scheme => { document.body.style.background ="
        " scheme === 'dark' ? '#14181f' : '#ffffff' }",
        scheme,
    )
    page.wait_for_timeout(100)
    assert axe_faults(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_causal_threshold_and_special_tokens(cat_page):
    page = cat_page()
    element = heatmap(page, "cat")
    element.get_by_text("causal mask").click()
    twin = AttentionHeatmap.from_recording(
        "minilm-cat", selection={"layer": 6, "head": 12}, causal=True
    )
    settle(page)
    assert weight(element) == pytest.approx(twin.weights[8, 2], abs=5e-4)
    open_table(element)
    first = element.locator(".table tbody tr").first.locator("td")
    assert first.all_inner_texts() == ["1.000"] + ["masked"] * 12 + ["1.000"]
    element.get_by_text("hide special tokens").click()
    settle(page)
    heads = element.locator(".table thead th").all_inner_texts()
    assert "[CLS]" not in heads and len(heads) == 13
    slide(element, "threshold", 0.5)
    settle(page)
    sums = element.locator(".table tbody td:last-child").all_inner_texts()
    kept = np.where(twin.weights >= 0.5, twin.weights, 0.0)
    expected = kept[1:12, 1:12].sum(axis=1)
    np.testing.assert_allclose([float(s) for s in sums], expected, atol=1e-3)


def test_word_pieces_join(widget_page):
    widget = AttentionHeatmap.from_recording("minilm-pieces", cell=[3, 7])
    page = widget_page(widget)
    element = page.locator("attn-heatmap")
    open_table(element)
    element.get_by_text("join word pieces").click()
    settle(page)
    heads = element.locator(".table thead th").all_inner_texts()
    assert "hippopotamus" in heads and "snoring" in heads
    joined = widget.weights[3:7, 7:10].sum(axis=1).mean()
    assert weight(element) == pytest.approx(joined, abs=5e-4)
    assert pair(element) == ["hippopotamus", "tiptoed"]


def test_the_keyboard_reaches_everything(cat_page):
    page = cat_page()
    element = heatmap(page, "cat")
    element.locator(".grid").focus()
    for key, expected in [
        ("ArrowRight", ["it", "sat"]),
        ("ArrowUp", ["because", "sat"]),
        ("Shift+ArrowDown", ["[SEP]", "sat"]),
        ("End", ["[SEP]", "[SEP]"]),
        ("Home", ["[SEP]", "[CLS]"]),
        ("PageUp", ["cat", "[CLS]"]),
    ]:
        page.keyboard.press(key)
        settle(page)
        assert pair(element) == expected, key
    spoken = element.locator(".grid").evaluate(
        "grid => grid.getRootNode().getElementById("
        "grid.getAttribute('aria-activedescendant')).textContent"
    )
    assert spoken.startswith("query cat, key [CLS]: 0.")
    page.keyboard.press("Enter")
    page.keyboard.press("ArrowDown")
    settle(page)
    assert element.locator(".row-name.lock").inner_text() == (
        "cat (locked) looks at"
    )
    page.keyboard.press("Escape")
    settle(page)
    assert element.locator(".row-name.lock").count() == 0


def test_the_mouse_points_and_locks(cat_page):
    page = cat_page()
    grid = heatmap(page, "cat").locator(".grid")
    grid.scroll_into_view_if_needed()
    box = grid.bounding_box()
    page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + 200)
    settle(page)
    assert pair(heatmap(page, "cat")) != ["it", "cat"]
    page.mouse.down()
    page.mouse.up()
    settle(page)
    locked = heatmap(page, "cat").get_by_role("button", name="Unlock row")
    assert locked.is_enabled()


def test_touch_points_first_and_locks_second(browser, cat_page):
    url = cat_page().url
    context = browser.new_context(
        viewport={"width": 360, "height": 740}, has_touch=True, is_mobile=True
    )
    page = context.new_page()
    page.goto(url)
    unfold(page)
    element = page.locator("attn-heatmap")
    grid = element.locator(".grid")
    grid.scroll_into_view_if_needed()
    box = grid.bounding_box()
    spot = box["x"] + box["width"] * 0.6, box["y"] + box["height"] * 0.6
    page.touchscreen.tap(*spot)
    settle(page)
    assert pair(element) != ["it", "cat"]
    assert element.get_by_role("button", name="Lock row").count() == 1
    page.touchscreen.tap(*spot)
    settle(page)
    assert element.get_by_role("button", name="Unlock row").count() == 1
    context.close()


@pytest.mark.parametrize("place", ["http", "file"])
def test_a_link_restores_the_state(
    cat_page, widget_page, open_page, tmp_path, place
):
    other_widget = QKVPlayground(
        [1.0, 0.5], np.eye(2), np.eye(2), tokens=["a", "b"], name="qkv"
    )
    page = widget_page(
        AttentionHeatmap.from_recording(
            "minilm-cat", name="cat", selection={"layer": 6, "head": 12},
            cell=[8, 2],
        ),
        other_widget,
    )  # fmt: skip
    if place == "file":
        page = open_page((tmp_path / "index.html").as_uri())
        unfold(page)
    element = heatmap(page, "cat")
    pick(element, 3, 1)
    slide(element, "temperature", 60)
    element.locator(".grid").focus()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Enter")
    element.get_by_role("button", name="Copy link").click()
    link = element.get_by_label("Link to this state").input_value()
    assert "#attn:cat?" in link
    other = open_page(link)
    unfold(other)
    again = heatmap(other, "cat")
    still(other)
    still(page)
    assert pair(again) == pair(element) == ["it", "the"]
    assert weight(again) == weight(element)
    assert picture(again) == picture(element)
    assert again.locator(".row-name").count() == 1
    assert again.get_by_role("button", name="Unlock row").count() == 1
    # The other widgets of the page stay as they were.
    cells = other.locator("attn-qkv .scroll tbody td:nth-last-child(2)")
    np.testing.assert_allclose(
        [float(x) for x in cells.all_inner_texts()],
        other_widget.weights,
        atol=6e-4,
    )


def test_a_refused_clipboard_leaves_the_link_to_copy(cat_page):
    page = cat_page()
    page.evaluate(
        "() => { navigator.clipboard.writeText ="
        " () => Promise.reject(new Error()) }"
    )
    element = heatmap(page, "cat")
    element.get_by_role("button", name="Copy link").click()
    element.get_by_text("the clipboard was refused").wait_for()
    assert element.get_by_label("Link to this state").is_visible()


@pytest.mark.parametrize(
    "state",
    [
        "temperature=-5&selection.layer=99&cell=1e9,0&locked=0,0&nonsense=1",
        "selection.head=%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E",
        "x=" + "a" * 5000,
    ],
)
def test_a_hostile_link_is_harmless_and_says_so(cat_page, open_page, state):
    page = open_page(f"{cat_page().url}#attn:cat?{state}")
    element = heatmap(page, "cat")
    status = element.locator(".status").inner_text()
    assert "left out" in status or "could not be read" in status
    assert pair(element) == ["it", "cat"]
    assert weight(element) == pytest.approx(0.712, abs=1e-3)
    assert page.evaluate("document.querySelectorAll('img[src=x]').length") == 0


def test_pictures_and_numbers_can_be_taken_away(cat_page):
    page = cat_page()
    element = heatmap(page, "cat")
    files = {}
    for kind in ("PNG", "SVG", "CSV"):
        with page.expect_download() as waiting:
            element.get_by_role("button", name=kind).click()
        download = waiting.value
        assert download.suggested_filename == (
            f"cat-layer-6-head-12.{kind.lower()}"
        )
        files[kind] = download.path().read_bytes()
    assert files["PNG"].startswith(b"\x89PNG")
    svg = ElementTree.fromstring(files["SVG"])
    texts = [t.text for t in svg.iter("{http://www.w3.org/2000/svg}text")]
    assert texts.count("cat") == 2 and "tired" in texts
    rows = list(csv.reader(io.StringIO(files["CSV"].decode())))
    twin = AttentionHeatmap.from_recording(
        "minilm-cat", selection={"layer": 6, "head": 12}
    )
    got = np.array([float(row[4]) for row in rows[1:]]).reshape(13, 13)
    np.testing.assert_allclose(got, twin.weights, atol=1e-6)


def test_the_table_appears_without_scripts(browser, cat_page):
    url = cat_page().url
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(url)
    table = heatmap(page, "cat").locator("table")
    assert table.is_visible()
    assert table.locator("tbody tr").count() == 13
    context.close()


def test_hostile_tokens_stay_text(widget_page):
    widget = AttentionHeatmap(
        [HOSTILE, "שלום", "عالم", "👩‍👩‍👧"],
        weights=np.full((4, 4), 0.25),
        title=HOSTILE,
        name=HOSTILE,
        cell=[0, 1],
        locked=[0, 2],
    )
    page = widget_page(widget)
    element = page.locator("attn-heatmap")
    assert pair(element) == [HOSTILE, "שלום"]
    open_table(element)
    assert element.locator(".table thead th").nth(1).inner_text() == HOSTILE
    svg = ElementTree.fromstring(take(element, "SVG"))
    assert not [n for n in svg.iter() if n.tag.endswith(("img", "script"))]
    assert page.locator("img").count() == 0


@pytest.mark.parametrize("width", [360, 1280])
def test_small_and_large_maps(widget_page, width):
    rng = np.random.default_rng(0)
    large = AttentionHeatmap(
        [f"t{i}" for i in range(512)],
        query=rng.normal(size=(512, 8)),
        key=rng.normal(size=(512, 8)),
        causal=True,
        cell=[511, 0],
    )
    one = AttentionHeatmap(["one"], scores=[[3.0]], name="one", cell=[0, 0])
    page = widget_page(one, large, width=width)
    first, second = page.locator("attn-heatmap").all()
    assert weight(first) == 1.0
    assert weight(second) == pytest.approx(large.weights[511, 0], abs=5e-4)
    open_table(second)
    assert second.locator(".table tbody tr").count() == 512
    assert page.evaluate("document.documentElement.scrollWidth") <= width


# The article's matrix: most of its rows do not sum to 1.
PRINTED = {
    "cat": [0.3, 0.1, 0.1, 0.2, 0.1, 0.1, 0.1, 0.1],
    "sat": [0.2, 0.3, 0.2, 0.1, 0.1, 0.1, 0.0, 0.1],
    "on": [0.1, 0.2, 0.3, 0.2, 0.1, 0.1, 0.0, 0.1],
    "mat": [0.1, 0.1, 0.2, 0.3, 0.2, 0.1, 0.1, 0.1],
    ".": [0.1, 0.1, 0.1, 0.1, 0.2, 0.2, 0.1, 0.1],
    "because": [0.1, 0.1, 0.1, 0.1, 0.1, 0.3, 0.2, 0.1],
    "it": [0.3, 0.1, 0.1, 0.1, 0.1, 0.1, 0.2, 0.2],
    "tired": [0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.2, 0.3],
}


@pytest.mark.parametrize("width", [360, 1280])
def test_rows_as_printed_and_made_to_sum_to_one(widget_page, width):
    widget = AttentionHeatmap(
        list(PRINTED),
        weights=list(PRINTED.values()),
        normalise=False,
        cell=[3, 3],
    )
    page = widget_page(widget, width=width)
    element = page.locator("attn-heatmap")
    printed = element.locator(".steps li").last
    assert printed.inner_text().split("\n") == ["weight, as printed", "0.300"]
    assert element.get_by_text("sums to 1.20, not to 1").is_visible()
    open_table(element)
    sums = element.locator(".table tbody td:last-child")
    assert [s.endswith("(not 1)") for s in sums.all_inner_texts()] == [
        round(sum(row), 3) != 1 for row in PRINTED.values()
    ]
    slider = element.locator("[data-control='temperature']")
    assert slider.is_disabled()
    assert "no effect" in slider.get_attribute("aria-valuetext")
    marked = picture(element)
    element.get_by_text("make each row sum to 1").click()
    settle(page)
    widget.normalise = True
    assert weight(element) == pytest.approx(0.25, abs=5e-4)
    assert weight(element) == pytest.approx(widget.weights[3, 3], abs=5e-4)
    assert element.get_by_text("as printed").count() == 1
    assert set(sums.all_inner_texts()) == {"1.000"}
    assert slider.is_enabled()
    assert picture(element) != marked
    zero = element.locator(".table tbody tr").nth(1).locator("td").nth(6)
    assert zero.inner_text() == "0.000"
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_rows_that_sum_to_one_offer_no_switch(widget_page):
    even = AttentionHeatmap(["a", "b"], weights=np.full((2, 2), 0.5))
    scores = AttentionHeatmap(["a", "b"], scores=np.eye(2), name="other")
    page = widget_page(even, scores)
    assert page.locator("[data-control='normalise']").count() == 0
    assert page.locator("[data-control='temperature']").count() == 2


def test_weights_above_one_are_drawn(widget_page):
    widget = AttentionHeatmap(
        ["a", "b"],
        weights=[[3.0, 0.0], [1.5, 12.0]],
        normalise=False,
        cell=[1, 1],
    )
    page = widget_page(widget, width=360)
    element = page.locator("attn-heatmap")
    assert weight(element) == 12.0
    svg = ElementTree.fromstring(take(element, "SVG"))
    texts = [t.text for t in svg.iter("{http://www.w3.org/2000/svg}text")]
    assert "20" in texts and texts.count("13.50") == 1
    bars = element.locator(".bars i").evaluate_all(
        "bars => bars.map(b => b.offsetWidth / b.parentElement.offsetWidth)"
    )
    assert bars == pytest.approx([1.0, 0.125], abs=0.02)


@pytest.mark.parametrize("state", ["", "{}", "not json", "[1,", "null"])
def test_bad_data_says_so_in_place(widget_page, state):
    good = AttentionHeatmap(["a", "b"], scores=np.eye(2), cell=[0, 0])
    page = widget_page(
        f'<attn-heatmap data-state="{state}"></attn-heatmap>', good
    )
    broken, whole = page.locator("attn-heatmap").all()
    assert "can't be drawn" in broken.locator("[role=alert]").inner_text()
    assert weight(whole) == pytest.approx(0.731, abs=1e-3)


def test_unknown_state_is_named_and_left_out(widget_page):
    good = AttentionHeatmap(["a", "b"], scores=np.eye(2), cell=[0, 0])
    page = widget_page(good.html().replace("threshold", "brightness"))
    element = page.locator("attn-heatmap")
    assert "brightness" in element.locator(".status").inner_text()
    assert weight(element) == pytest.approx(0.731, abs=1e-3)


def test_it_follows_the_theme(cat_page):
    page = cat_page(scheme="light")
    element = heatmap(page, "cat")
    assert "dark" not in element.locator(".attn").get_attribute("class")
    light = picture(element)
    page.evaluate("document.documentElement.style.background = '#14181f'")
    page.wait_for_timeout(300)
    settle(page)
    assert "dark" in element.locator(".attn").get_attribute("class")
    assert picture(element) != light


def test_a_change_reaches_the_page_as_an_event(cat_page):
    page = cat_page()
    element = heatmap(page, "cat")
    element.evaluate(
        "e => e.addEventListener('attn-change',"
        " event => { window.heard = event.detail })"
    )
    slide(element, "temperature", 100)
    slide(element, "temperature", 0)
    assert page.evaluate("window.heard") == {"temperature": 0.1}


def test_a_training_step_is_a_slider(widget_page):
    steps = [f"{10 * i}" for i in range(5)]
    scores = np.stack([i * np.eye(4) for i in range(5)])
    widget = AttentionHeatmap(
        list("abcd"), scores=scores, axes={"step": steps}, cell=[0, 0]
    )
    page = widget_page(widget)
    element = page.locator("attn-heatmap")
    assert weight(element) == 0.25
    slider = element.locator("input[data-control='axis.step']")
    slider.focus()
    page.keyboard.press("End")
    settle(page)
    widget.selection = {"step": "40"}
    assert weight(element) == pytest.approx(widget.weights[0, 0], abs=5e-4)
    assert slider.get_attribute("aria-valuetext") == "40"


def spoken(element):
    """Give what a screen reader hears of the chosen cell."""
    return element.locator(".grid").evaluate(
        "grid => grid.getRootNode().getElementById("
        "grid.getAttribute('aria-activedescendant')).textContent"
    )


def titles(element):
    """Give the titles of the cells in the SVG to take away."""
    svg = ElementTree.fromstring(take(element, "SVG"))
    found = svg.findall(".//{*}rect/{*}title") + svg.findall(
        ".//{*}path/{*}title"
    )
    return [title.text for title in found]


def test_a_masked_cell_is_never_a_weight_of_zero(widget_page):
    mask = np.array([[1, 0, 0], [0, 0, 0], [1, 1, 0]], dtype=bool)
    widget = AttentionHeatmap(
        list("abc"), scores=np.zeros((3, 3)), mask=mask, cell=[1, 2]
    )
    page = widget_page(widget)
    element = page.locator("attn-heatmap")
    assert spoken(element) == "query b, key c: masked"
    assert element.locator(".steps li b").last.inner_text() == "masked"
    looks = element.locator(".row-name").inner_text()
    assert looks == "b looks at nothing: every key is masked"
    element.locator(".grid").focus()
    page.keyboard.press("ArrowUp")
    settle(page)
    assert element.locator(".bars bdi").all_inner_texts() == ["a"]
    open_table(element)
    cells = element.locator(".table tbody td:not(:last-child)")
    shown = np.array(cells.all_inner_texts()).reshape(3, 3)
    assert ((shown == "masked") == ~mask).all()
    assert len(titles(element)) == 9
    said = {title.split(": ")[1] for title in titles(element)}
    assert said == {"masked", "1.000", "0.500"}
    table = list(csv.reader(io.StringIO(take(element, "CSV").decode())))
    weights = np.array([row[4] for row in table[1:]]).reshape(3, 3)
    assert ((weights == "masked") == ~mask).all()


def test_a_large_table_leaves_masked_keys_out(widget_page):
    n = 40
    widget = AttentionHeatmap(
        [f"t{i}" for i in range(n)], scores=np.zeros((n, n)), causal=True
    )
    element = widget_page(widget).locator("attn-heatmap")
    open_table(element)
    rows = element.locator(".table tbody tr")
    cells = [row.locator("td").all_inner_texts() for row in rows.all()[:3]]
    assert cells == [
        ["t0 1.000", "–", "–"],
        ["t0 0.500", "t1 0.500", "–"],
        ["t0 0.333", "t1 0.333", "t2 0.333"],
    ]
    last = rows.last.locator("td").all_inner_texts()
    assert last == ["t0 0.025", "t1 0.025", "t2 0.025"]


def brightness(element, row, col):
    """Give how bright a place of the canvas is, from 0 to 1."""
    return element.locator("canvas").first.evaluate(
        """(canvas, [row, col]) => {
          const size = canvas.getBoundingClientRect();
          const x = 60 + (size.width - 60) * col;
          const y = 60 + (size.height - 110) * row;
          const ratio = canvas.width / size.width;
          const [r, g, b, a] = canvas.getContext("2d")
            .getImageData(x * ratio, y * ratio, 1, 1).data;
          return a < 255 ? NaN : (0.21 * r + 0.72 * g + 0.07 * b) / 255;
        }""",
        [row, col],
    )


@pytest.mark.parametrize("width", [360, 1280])
def test_a_thousand_equal_weights_are_not_dark(widget_page, width):
    n = 1024
    tokens = [f"t{i}" for i in range(n)]
    even = AttentionHeatmap(tokens, weights=np.full((n, n), 1 / n))
    page = widget_page(even, width=width)
    element = page.locator("attn-heatmap")
    for row, col in [(0.2, 0.3), (0.5, 0.9), (0.9, 0.1)]:
        assert brightness(element, row, col) > 0.5
    # From the first row on, which has one key, rows become longer.
    element.get_by_text("causal mask").click()
    settle(page)
    rows = [brightness(element, row, 0.1) for row in (0.15, 0.3, 0.6, 0.98)]
    assert all(a - b > 0.03 for a, b in itertools.pairwise(rows)), rows
    assert rows[-1] > 0.15, rows


def test_a_small_weight_has_digits(widget_page):
    n = 1024
    widget = AttentionHeatmap(
        [f"t{i}" for i in range(n)],
        weights=np.full((n, n), 1 / n),
        cell=[0, 0],
    )
    page = widget_page(widget)
    element = page.locator("attn-heatmap")
    assert element.locator(".steps b").last.inner_text() == "0.00098"
    assert set(element.locator(".bars span").all_inner_texts()) == {"0.001"}
    slide(element, "threshold", 0.0008)
    settle(page)
    assert brightness(element, 0.5, 0.5) > 0.5
    slide(element, "threshold", 0.0012)
    settle(page)
    assert np.isnan(brightness(element, 0.5, 0.5))


def test_a_map_of_many_rows_is_drawn_and_taken_away(widget_page):
    n = 2048
    widget = AttentionHeatmap(
        [f"t{i}" for i in range(n)],
        key_tokens=["a", "b", "c", "d", "e"],
        weights=np.eye(n, 5),
    )
    page = widget_page(widget)
    element = page.locator("attn-heatmap")
    height = element.locator("canvas").first.evaluate("c => c.height")
    assert 2048 < height < 16_384
    svg = ElementTree.fromstring(take(element, "SVG"))
    assert len(svg.findall(".//{*}image")) == 1
    assert len(svg.findall(".//{*}rect")) < 100
    picture = take(element, "PNG")
    wide, high = struct.unpack(">II", picture[16:24])
    assert high > 2048 and wide * high <= 2**24 * 1.01
    table = list(csv.reader(io.StringIO(take(element, "CSV").decode())))
    assert len(table) == 1 + 5 * n


def with_array(widget, name, numbers):
    """Give a widget whose data travel with numbers that Python refuses."""
    numbers = np.asarray(numbers, dtype="<f4")
    packed = {
        "dtype": "float32",
        "shape": list(numbers.shape),
        "step": None,
        "base64": base64.b64encode(numbers.tobytes()).decode("ascii"),
    }
    widget.source = {**widget.source, name: packed}
    return widget


def test_scores_beyond_float32_are_clipped(widget_page):
    widget = AttentionHeatmap(list("ab"), scores=np.zeros((2, 2)))
    beyond = [[0, -np.inf], [np.inf, 0]]
    page = widget_page(with_array(widget, "scores", beyond))
    element = page.locator("attn-heatmap")
    open_table(element)
    cells = element.locator(".table tbody td").all_inner_texts()
    assert cells == ["1.000", "0.000", "1.000", "1.000", "0.000", "1.000"]


@pytest.mark.parametrize(
    ("name", "numbers", "message"),
    [
        ("scores", [[0, np.nan], [0, 0]], "expected numbers in scores"),
        ("mask", [[0, -1e4], [0, 0]], "expected mask of 0 and 1"),
    ],
)
def test_what_python_refuses_the_page_refuses(
    widget_page, name, numbers, message
):
    widget = AttentionHeatmap(list("ab"), scores=np.zeros((2, 2)))
    page = widget_page(with_array(widget, name, numbers))
    assert message in page.locator(".problem").inner_text()


def test_a_token_as_long_as_a_book_is_cut(widget_page):
    book = "long " * 60_000
    widget = AttentionHeatmap([book, "b"], scores=np.eye(2), cell=[0, 0])
    page = widget_page(widget, width=360)
    element = page.locator("attn-heatmap")
    assert weight(element) == pytest.approx(0.731, abs=1e-3)
    svg = ElementTree.fromstring(take(element, "SVG"))
    texts = [t.text or "" for t in svg.findall(".//{*}text")]
    assert max(map(len, texts)) == 60
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_a_file_is_named_in_any_script(widget_page):
    widget = AttentionHeatmap(["a"], scores=[[1.0]], name="हिन्दी/a")
    page = widget_page(widget)
    with page.expect_download() as waiting:
        page.get_by_role("button", name="CSV").click()
    assert waiting.value.suggested_filename == "हिन्दी-a.csv"
