"""What is searched, and what a reader sees of it."""

import json
import re

import pytest

from attn_course.site.search import read_page

PAGE = """
<nav><section id="menu"><h2>Menu</h2></section></nav>
<article class="bd-article"><section id="top">
<h1>Heads<a class="headerlink" href="#top">#</a></h1>
<p>One <b>head</b> is
 enough.</p>
<section id="why"><h2>Why many</h2><p>They <span class="katex">
<span class="katex-mathml">copy</span><span>x</span></span> differ.</p>
<attn-heatmap data-state="{}"><table><tr><td>0.5</td></tr></table>
</attn-heatmap><script>alert("no")</script></section></section></article>
"""


def test_a_page_is_its_sections():
    assert read_page(PAGE) == (
        "Heads",
        [
            ["top", "Heads", "One head is enough."],
            ["why", "Why many", "They x differ."],
        ],
    )


@pytest.mark.parametrize(
    "html", ["", "<p>text</p>", '<article class="bd-article"></article>']
)
def test_a_page_without_a_title_is_not_searched(html):
    assert read_page(html) is None


def searched(site_dir):
    text = (site_dir / "_static" / "attn-search-text.js").read_text("utf-8")
    call = re.fullmatch(r"attnSearch\((.*)\)", text, re.S)
    return json.loads(call[1])


def test_every_section_of_every_page_is_searched(site_dir):
    pages = {name: sections for name, _, sections in searched(site_dir)}
    shown = {
        path.relative_to(site_dir).as_posix()
        for folder in ("book", "notebooks")
        for path in (site_dir / folder).rglob("*.html")
    }
    assert shown <= set(pages)
    for name in shown:
        html = (site_dir / name).read_text("utf-8")
        for place, *_ in pages[name]:
            assert f'id="{place}"' in html, name


@pytest.mark.parametrize("place", ["http", "file"])
def test_a_result_names_its_section_and_quotes_it(
    open_page, site_dir, site_url, place
):
    root = site_url if place == "http" else site_dir.as_uri() + "/"
    page = open_page(root + "search.html?q=induction+head")
    first = page.locator("#search-results ul.search li").first
    first.wait_for()
    quote = first.locator("p").inner_text().lower()
    heading = first.locator("a").inner_text().lower()
    assert "induction" in quote + heading
    assert first.locator("mark").count() >= 1
    first.locator("a").click()
    page.wait_for_url(re.compile(r"/(book|notebooks)/.*#"))


def test_the_texts_load_when_a_reader_searches(open_page):
    page = open_page("book/03-query-key-value.html")
    page.wait_for_load_state("networkidle")
    assert not [url for url in page.log.requests if "search-text" in url]
    page.keyboard.press("Control+k")
    page.keyboard.type("softmax weights")
    page.locator("#pst-search-dialog ul.search li").first.wait_for()
    assert [url for url in page.log.requests if "search-text" in url]
    field = page.locator("#pst-search-dialog input[name=q]")
    field.fill("qxzvw")
    page.get_by_text("0 sections").wait_for()
    field.fill("<b>")
    page.get_by_text("0 sections", exact=True).wait_for(state="hidden")
    assert page.locator("#pst-search-dialog b").count() == 0


def test_a_word_is_found_by_its_beginning_only(open_page):
    page = open_page("search.html?q=ead")
    page.get_by_role("status").wait_for()
    assert "0 sections" in page.get_by_role("status").inner_text()
