"""Charts on pages: words, style, themes, widths, print."""

import json
from importlib import resources

import numpy as np
import pytest
import tiny_book
from browsing import axe_faults
from docutils import nodes
from docutils.utils import new_document

from attn_course import figures
from attn_course.colours import ROLES, stylesheet
from attn_course.figures.diagrams import DIAGRAMS, draw
from attn_course.site import charts
from attn_course.site.alt_text import images_without_alt

WORDS = ["[CLS]", "the", "cat", "sat", "because", "it", "was", "[SEP]"]
MAP = np.random.default_rng(0).dirichlet(np.ones(8), 8)


def line():
    return figures.curves([1, 2], {"query": [1, 2]}, xlabel="x", ylabel="y")


def silent(html):
    raw = nodes.raw("", html, format="html")
    document = new_document("page")
    document += nodes.section("", raw)
    return [what for _, what in images_without_alt(document)]


def test_a_chart_of_a_cell_gets_the_cells_words():
    shown = line()._repr_html_()
    assert charts.is_chart(shown)
    assert not charts.is_chart("<p>data-unsaid</p>")
    page = charts.described(shown, 'A line\n that "rises" <b>')
    assert page == line().html('A line that "rises" <b>')
    assert silent(page) == []


@pytest.mark.parametrize("alt", ["", "  "])
def test_a_chart_without_words_is_found(alt):
    assert silent(charts.described(line()._repr_html_(), alt)) == [
        "chart: y, x"
    ]
    assert silent('<figure role="img"></figure><img src="a.png">') == [
        "chart: ", "a.png",
    ]  # fmt: skip


def test_pictures_have_the_words_of_their_figure():
    pictures = figures.pictures({"one": np.eye(3)})
    assert silent(pictures.html("A diagonal")) == []
    assert silent(pictures._repr_html_()) == ["chart: one"]


def test_an_older_style_goes_too():
    shown = line()._repr_html_().replace("break-inside", "page-break-inside")
    assert "<style" not in charts.described(shown, "a")


SHOWN = [
    figures.curves(
        [1, 2, 4], {"query": [1, 3, 2], "others": np.ones((2, 3))},
        xlabel="words", ylabel="accuracy", title="A title", log_x=True,
    ),
    figures.bars(
        WORDS, {"one": MAP[0], "two": MAP[1], "three": MAP[2]}, ylabel="y"
    ),
    figures.heatmap(np.where(np.tri(8) > 0, MAP, np.nan), WORDS),
    figures.maps({"a": MAP, "b": MAP}, WORDS),
    figures.arcs(WORDS, 5, {"one": MAP[5]}),
    figures.graph(WORDS, MAP, threshold=0.1),
    figures.pictures({"a": MAP, "b": MAP[:2]}),
]  # fmt: skip


@pytest.fixture
def chart_page(tmp_path, open_page):
    """Open a page of charts and diagrams."""

    def make(theme="light", **options):
        body = "".join(
            chart.html(f"words {i}") for i, chart in enumerate(SHOWN)
        )
        body += "".join(draw(name).html() for name in DIAGRAMS)
        rules = resources.files("attn_course") / "figures" / "charts.css"
        path = tmp_path / "index.html"
        path.write_text(
            f"<!doctype html><html lang=en data-theme={theme}>"
            "<meta charset=utf-8><title>charts</title>"
            '<meta name=viewport content="width=device-width">'
            f'<link rel=icon href="data:,"><style>{stylesheet()}'
            "body { background: var(--attn-paper); color: var(--attn-ink);"
            "margin: 16px }</style>"
            f"<style>{rules.read_text('utf-8')}</style><main><h1>Charts</h1>{body}</main>",
            "utf-8",
        )
        return open_page(path.as_uri(), **options)

    return make


# Of each chart: which drawing is seen, its smallest letter, what it cuts.
MEASURE = """[...document.querySelectorAll('.attn-chart:not(.attn-pictures)')]
.map(figure => {
  const seen = [...figure.children].filter(svg => svg.clientWidth);
  const box = seen[0].getBoundingClientRect();
  const scale = box.width / seen[0].viewBox.baseVal.width;
  const texts = [...seen[0].querySelectorAll('text')];
  return {
    names: seen.map(svg => svg.getAttribute('class')),
    letters: Math.min(...texts.map(
      text => parseFloat(getComputedStyle(text).fontSize) * scale)),
    cut: texts.filter(text => {
      const place = text.getBoundingClientRect();
      return place.left < box.left - 1 || place.right > box.right + 1
        || place.top < box.top - 2 || place.bottom > box.bottom + 2;
    }).map(text => text.textContent),
  };
})"""


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(
    "width, name", [(360, "narrow"), (700, "wide"), (1920, "wide")]
)
def test_one_drawing_is_seen_whole_with_letters_to_read(
    chart_page, theme, width, name
):
    page = chart_page(theme, width=width, scheme=theme)
    for i, chart in enumerate(page.evaluate(MEASURE)):
        assert chart["names"] in ([name], ["sketch"]), i
        assert chart["letters"] >= 11, i
        assert chart["cut"] == [], i
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert axe_faults(page) == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_lines_have_the_colours_of_the_theme(chart_page, theme):
    page = chart_page(theme, width=1280, scheme=theme)
    colour = page.locator(".attn-chart svg.wide text", has_text="query")
    found = colour.first.evaluate("text => getComputedStyle(text).fill")
    tone = getattr(ROLES["query"], theme)
    wanted = [int(tone[i : i + 2], 16) for i in (1, 3, 5)]
    assert found == f"rgb({', '.join(map(str, wanted))})"
    strongest = page.locator(".attn-chart svg.wide mask + rect").first
    fill = strongest.evaluate("rect => getComputedStyle(rect).fill")
    tone = getattr(ROLES["weight"], theme)
    wanted = [int(tone[i : i + 2], 16) for i in (1, 3, 5)]
    assert fill == f"rgb({', '.join(map(str, wanted))})"


def test_paper_has_light_colours_and_whole_charts(chart_page):
    page = chart_page("dark", width=700, scheme="dark")
    page.emulate_media(media="print")
    text = page.locator("svg.wide text", has_text="query").first
    tone = ROLES["query"].light
    wanted = [int(tone[i : i + 2], 16) for i in (1, 3, 5)]
    found = text.evaluate("text => getComputedStyle(text).fill")
    assert found == f"rgb({', '.join(map(str, wanted))})"
    assert [chart["cut"] for chart in page.evaluate(MEASURE)] == [[]] * (
        len(SHOWN) - 1 + len(DIAGRAMS)
    )
    kept = page.locator(".attn-chart").first.evaluate(
        "figure => getComputedStyle(figure).breakInside"
    )
    assert kept == "avoid"


def test_a_built_page_shows_charts_and_diagrams(tmp_path):
    """A study's, a cell's, a diagram; a cell without words stops it."""
    tiny_book.start(tmp_path, "chapters:\n- file: notebooks/lab\n")
    tiny_book.write(
        tmp_path, "book/index.md",
        "# One\n\n```{study-figure} induction losses\n```\n\n"
        "```{diagram} layer\n```\n",
    )  # fmt: skip
    code = (
        "from attn_course import figures\nfigures.curves([1, 2], "
        "{'a': [1, 2]}, xlabel='x', ylabel='y')"
    )
    book = json.loads(tiny_book.notebook("# Lab", code))
    image = {"image": {"alt": 'It "rises"'}}
    book["cells"][1]["metadata"] = {"mystnb": image}
    tiny_book.write(tmp_path, "notebooks/lab.ipynb", json.dumps(book))
    clean, said = tiny_book.build(tmp_path)
    assert clean, said
    site = tiny_book.site(tmp_path)
    index = (site / "book" / "index.html").read_text("utf-8")
    lab = (site / "notebooks" / "lab.html").read_text("utf-8")
    assert index.count('<figure class="attn-chart" role="img"') == 2
    assert 'aria-label="It &quot;rises&quot;"' in lab
    for page in (index, lab):
        assert "attn-charts.css" in page and "image/png" not in page
        assert (
            "<img" not in page.partition("<article")[2].split("</article")[0]
        )
    assert (site / "_static" / "attn-charts.css").is_file()
    book["cells"][1]["metadata"] = {}
    tiny_book.write(tmp_path, "notebooks/lab.ipynb", json.dumps(book))
    tiny_book.write(
        tmp_path, "book/index.md", "# One\n\n```{diagram} layr\n```"
    )
    clean, said = tiny_book.build(tmp_path)
    assert not clean
    assert "image without alt text: chart: y, x" in said
    assert "expected a diagram, such as layer" in said
