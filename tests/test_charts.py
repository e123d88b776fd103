"""Charts and diagrams as SVG: the page's colours, letters, two widths."""

import itertools
import re
from collections import Counter
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from attn_course import figures
from attn_course.colours import ROLES, SERIES, SURFACES
from attn_course.data.road import BOTTLENECKS, load_road
from attn_course.figures import diagrams, style
from attn_course.figures.heatmaps import BEHIND_TEXT
from attn_course.figures.labels import spread

RANDOM = np.random.default_rng(0)
WORDS = ["[CLS]", "the", "cat", "sat", "$\\frac{1}{2}$", "<b>", "[SEP]"]
MAP = RANDOM.dirichlet(np.ones(7), 7)
LINES = {"query": [0.1, 0.3, 0.2], "a & b": RANDOM.random((3, 3))}
CHARTS = {
    "bars": lambda: figures.bars(
        ["a", "b c"], {"one": [1, 2], "two": [2, 1]}, ylabel="y", title="t"
    ),
    "curves": lambda: figures.curves(
        [1, 2, 3], LINES, xlabel="x", ylabel="y", title="$5 <b>"
    ),
    "costs": lambda: figures.costs([64, 128, 256], LINES, LINES, title="t"),
    "dumbbells": lambda: figures.dumbbells(
        ["a", "b"], {"query heads": [8, 32], "kv heads": [8, 1]}, xlabel="x",
        band=(8, 12), band_label="some",
    ),
    "scatter": lambda: figures.scatter(
        RANDOM.random(200), RANDOM.random(200), {"fit": ([0, 1], [0, 1])},
        xlabel="x", ylabel="y",
    ),
    "over_time": lambda: figures.over_time(
        MAP, {"a": MAP[0], "b": MAP[1]}, level=0.2, level_label="level",
        xlabel="x", ylabel="y", label="number", lines_label="weight",
    ),
    "heatmap": lambda: figures.heatmap(
        np.where(np.tri(7) > 0, MAP, np.nan), WORDS
    ),
    "contact_map": lambda: figures.contact_map(MAP, below=0.1, window=2),
    "grids": lambda: figures.grids(
        {"a": MAP, "b": MAP.T}, xlabel="x", ylabel="y", label="share"
    ),
    "maps": lambda: figures.maps({"a": MAP, "b": MAP}, WORDS, mark=(0, 1)),
    "pieces": lambda: figures.pieces(
        {"whole": np.arange(6).reshape(2, 3)}, ["a", "b"], 3
    ),
    "arcs": lambda: figures.arcs(WORDS, 2, {"one": MAP[0], "two": MAP[1]}),
    "graph": lambda: figures.graph(WORDS, MAP, threshold=0.1, title="t"),
    "road": lambda: figures.road(load_road(), BOTTLENECKS),
}  # fmt: skip


@pytest.fixture(params=CHARTS, scope="module")
def chart(request):
    return CHARTS[request.param]()


def test_every_kind_of_chart_is_here():
    made = {
        name for name in figures.__all__
        if name.islower() and name not in ("lightness", "pictures", "sheet")
    }  # fmt: skip
    assert made == set(CHARTS)


def test_it_is_drawn_wide_and_narrow(chart):
    svgs = re.findall(
        r'<svg class="(\w+)" viewBox="0 0 (\S+) (\S+)">', chart.html("words")
    )
    assert [(name, float(width)) for name, width, _ in svgs] == [
        ("wide", 680), ("narrow", 330),
    ]  # fmt: skip
    # `charts.css` shows them from 580 and 300 pixels on.
    for (_, _, _), size, least in zip(
        svgs, (style.WIDE, style.NARROW), (580, 303), strict=True
    ):
        assert size.letters * least / size.width >= 11
        letters = re.findall(r"font-size:([\d.]+)px", chart.svg(size))
        assert letters and min(map(float, letters)) >= size.letters


def test_its_colours_are_the_pages_and_nothing_else(chart):
    for size in (style.WIDE, style.NARROW):
        drawn = chart.svg(size)
        bare = re.sub(r"var\(--attn-(\w+),(#\w+)\)", "", drawn)
        assert not re.search(r"#[0-9a-f]{6}\b|rgb\(", bare)
        tones = {**ROLES, **SURFACES}
        for name, light in re.findall(r"var\(--attn-(\w+),(#\w+)\)", drawn):
            assert tones[name].light == light


def test_it_is_text_that_holds_no_markup(chart):
    whole = chart.html('say "what" <is> seen')
    tree = ElementTree.fromstring(whole)
    assert tree.get("aria-label") == 'say "what" <is> seen'
    assert tree.get("role") == "img"
    assert not tree.findall(".//b") and not tree.findall(".//script")
    assert tree.findall(".//text")
    assert not [e for e in tree.iter("path") if "DejaVu" in str(e.attrib)]


def test_its_ids_are_its_own_and_stay(chart):
    drawn = chart.html("a")
    ids = re.findall(r' id="([^"]+)"', drawn)
    assert [i for i, count in Counter(ids).items() if count > 1] == []
    used = re.findall(r'url\(#([^)]+)\)|href="#([^"]+)"', drawn)
    assert {a or b for a, b in used} == set(ids)


def test_the_same_chart_is_the_same_text():
    one, two = (CHARTS["curves"]().html("a") for _ in range(2))
    assert one == two


def test_texts_of_a_reader_stay_as_they_are():
    told = CHARTS["curves"]().svg()
    assert ">$5 &lt;b&gt;<" in told and ">a &amp; b<" in told
    assert f">{WORDS[4]}<" in CHARTS["maps"]().svg()


def test_no_curve_is_a_picture():
    for name in ("curves", "bars", "scatter", "dumbbells", "costs", "road"):
        assert "<image" not in CHARTS[name]().html("a")


def test_in_a_notebook_it_has_its_style_and_says_its_titles():
    chart = CHARTS["curves"]()
    shown = chart._repr_html_()
    assert shown.startswith("<style>.attn-chart{--attn-query:")
    assert 'aria-label="$5 &lt;b&gt;, y, x" data-unsaid>' in shown
    assert repr(chart) == "<Chart: $5 <b>, y, x>"


def test_it_can_be_saved_as_matplotlib_does(tmp_path):
    chart = CHARTS["curves"]()
    chart.savefig(tmp_path / "a.png")
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
    assert chart.figure.axes[0].lines


def test_a_series_that_is_a_part_of_attention_has_its_colour():
    names = ["other", "query", "values", "weight decay", "weights"]
    found = dict(zip(names, style.colours_for(names), strict=True))
    assert found["query"] == ROLES["query"].light
    assert found["values"] == ROLES["value"].light
    # Two of one role would look alike.
    assert len(set(found.values())) == len(names)


def test_series_have_colours_that_lines_can_have():
    assert len(set(style.colours_for("abcdef"))) == len(SERIES)
    assert len(style.DASHES) == len(style.MARKS) == len(SERIES)
    tones = {**ROLES, **SURFACES}
    for theme in ("light", "dark"):
        paper = getattr(SURFACES["paper"], theme)
        for name in (*SERIES, "soft"):
            assert contrast(getattr(tones[name], theme), paper) >= 3


def test_numbers_can_be_read_on_the_strongest_cell():
    for theme in ("light", "dark"):
        ink, paper, weight = (
            np.array(rgb(getattr(tone, theme)))
            for tone in (SURFACES["ink"], SURFACES["paper"], ROLES["weight"])
        )
        cell = paper + BEHIND_TEXT * (weight - paper)
        assert ratio(luminance(ink), luminance(cell)) >= 4.5


def rgb(colour):
    return [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]


def luminance(values):
    linear = [
        v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4
        for v in values
    ]
    return np.dot(linear, [0.2126, 0.7152, 0.0722])


def ratio(a, b):
    return (max(a, b) + 0.05) / (min(a, b) + 0.05)


def contrast(one, other):
    return ratio(luminance(rgb(one)), luminance(rgb(other)))


numbers = st.floats(-100, 100).map(lambda x: round(x, 3))


@given(st.lists(st.tuples(numbers, st.floats(1, 20)), min_size=1, max_size=9))
def test_labels_never_touch_and_keep_their_order(labels):
    wanted, heights = zip(*labels, strict=True)
    found = spread(wanted, heights)
    order = np.argsort(wanted, kind="stable")
    for low, high in itertools.pairwise(order):
        room = (heights[low] + heights[high]) / 2
        assert found[high] - found[low] >= room - 1e-6


@given(st.lists(numbers, min_size=1, max_size=9, unique=True))
def test_labels_that_have_room_stay(wanted):
    np.testing.assert_allclose(spread(wanted, [1e-9] * len(wanted)), wanted)


def test_labels_stay_between_bounds():
    assert spread([0, 0, 0], [4, 4, 4], 0, 100).tolist() == [2, 6, 10]
    assert spread([99, 99], [4, 4], 0, 100).tolist() == [94, 98]


@pytest.mark.parametrize("name", diagrams.DIAGRAMS)
def test_a_diagram_says_what_it_shows_in_the_pages_colours(name):
    drawn = diagrams.draw(name)
    tree = ElementTree.fromstring(drawn.html())
    assert (
        len(tree.get("aria-label")) > 80 and "data-unsaid" not in tree.attrib
    )
    bare = re.sub(r"var\([^)]*\)", "", drawn.html())
    assert not re.search(r"#[0-9a-f]{6}", bare) and " id=" not in bare
    [svg] = tree.findall("svg")
    *_, width, height = map(float, svg.get("viewBox").split())
    assert width == style.NARROW.width
    for text in svg.iter("text"):
        assert 0 <= float(text.get("x")) <= width
        assert 0 < float(text.get("y")) < height
        assert f"font-size:{style.NARROW.letters}px" in text.get("style")


def test_a_diagram_that_is_not_there_names_those_near_it():
    with pytest.raises(ValueError, match=r"multi-head.*got 'multihead'"):
        diagrams.draw("multihead")
    assert {
        "encoder-decoder", "unrolled-cell", "layer", "multi-head", "cache",
        "memory-hierarchy",
    } <= set(diagrams.DIAGRAMS)  # fmt: skip


def test_a_photograph_is_a_jpeg_and_small_pictures_are_exact():
    photo = RANDOM.random((900, 600, 3))
    text = figures.pictures({"large": photo, "small": np.eye(8)}).html("two")
    assert text.count("data:image/jpeg") == text.count("data:image/png") == 1
    assert 'width="600" height="900"' in text and 'class="pixels"' in text
