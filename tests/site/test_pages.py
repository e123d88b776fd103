"""The built site in a browser that can reach no other host.

That no request leaves and that the console stays clean is checked by
`open_page` itself, at the end of every test that uses it.
"""

import gzip
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urljoin, urlsplit

import course
import pytest
from browsing import axe_faults

SITE = course.ROOT / "_build" / "site"
# A lesson, and every other page.
LESSON_KB, LIMIT_KB = 250, 400


# Scripts notice a new width some moments later.
SCROLLABLE_BY_KEYBOARD = """() =>
  [...document.querySelectorAll("pre, table, div.math")].every(
    (box) => box.scrollWidth <= box.clientWidth || box.tabIndex === 0)
"""
# Every element of ours was defined and has drawn itself.
NOT_MOUNTED = """() =>
  [...document.querySelectorAll("[data-state]")]
    .filter((e) => e.localName.startsWith("attn-") && !e.hasAttribute(
      "data-mounted"))
    .map((e) => e.localName)
"""
# The theme would put a light box behind each widget, in dark mode too.
BEHIND_WIDGETS = """() =>
  [...document.querySelectorAll(".text_html.output:has([data-state])")].map(
    (box) => getComputedStyle(box).backgroundColor)
"""


def page_names() -> list[str]:
    """List every page, so that each is a test of its own."""
    names = [
        path.relative_to(SITE).as_posix()
        for path in SITE.rglob("*.html")
        if not path.relative_to(SITE).parts[0].startswith("_")
    ]
    # Without a site there is one test, and it says what is missing.
    return sorted(names) or ["index.html"]


PAGES = page_names()
# The pages that a reader reads; the others are made by Sphinx.
CONTENT = [name for name in PAGES if "/" in name]
LESSONS = [name for name in CONTENT if re.match(r"book/\d", name)]
LABS = [name for name in CONTENT if name.startswith("notebooks/")]
# How many letters of the page's own text fit into its column.
LETTERS_A_LINE = """() => {
  const paragraphs = [...document.querySelectorAll("section > p")];
  const long = paragraphs.sort(
    (a, b) => b.textContent.length - a.textContent.length)[0];
  const line = document.createElement("span");
  line.style.whiteSpace = "nowrap";
  line.textContent = long.textContent.slice(0, 300);
  long.append(line);
  const width = line.getBoundingClientRect().width / 300;
  return long.getBoundingClientRect().width / width;
}"""


def complaints(page) -> list[str]:
    """Ask axe-core for everything that it would mend."""
    return [
        f"{fault['id']}: {node['target']} {node['html'][:120]}"
        for fault in axe_faults(page)
        for node in fault["nodes"]
    ]


def overflow(page) -> int:
    """Measure by how many pixels the page is wider than its window."""
    return page.evaluate(
        "document.documentElement.scrollWidth - window.innerWidth"
    )


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", PAGES)
def test_a_page_over_http(open_page, name, scheme):
    page = open_page(name, scheme=scheme)
    page.wait_for_load_state("networkidle")
    assert page.evaluate("document.documentElement.dataset.theme") in (
        scheme, None,
    )  # fmt: skip
    assert set(page.evaluate(BEHIND_WIDGETS)) <= {"rgba(0, 0, 0, 0)"}
    assert page.evaluate(NOT_MOUNTED) == []
    assert complaints(page) == []
    page.set_viewport_size({"width": 360, "height": 740})
    page.wait_for_function(SCROLLABLE_BY_KEYBOARD)
    assert overflow(page) <= 0
    assert complaints(page) == []


@pytest.mark.parametrize("name", PAGES)
def test_a_page_from_a_folder(open_page, site_dir, name):
    page = open_page((site_dir / name).as_uri(), width=360, scheme="dark")
    page.wait_for_load_state("networkidle")
    assert overflow(page) <= 0
    assert page.evaluate(NOT_MOUNTED) == []
    assert page.log.warnings == []


@pytest.mark.parametrize("name", CONTENT)
def test_a_page_is_light(open_page, site_dir, site_url, name):
    page = open_page(name)
    page.wait_for_load_state("networkidle")
    sizes = {}
    for url in dict.fromkeys(page.log.requests):
        if url.startswith(site_url):
            path = site_dir / unquote(urlsplit(url).path).lstrip("/")
            packed = gzip.compress(path.read_bytes(), 6)
            sizes[path.name] = len(packed) / 1000
    total = sum(sizes.values())
    largest = sorted(sizes.items(), key=lambda item: -item[1])[:8]
    print(f"{name}: {total:.0f} KB gzip in {len(sizes)} files; {largest}")
    lesson = re.fullmatch(r"book/\d+-[^/]+", name.removesuffix(".html"))
    assert total <= (LESSON_KB if lesson else LIMIT_KB), largest


# In shadow trees too; a drawing's letters as large as it is drawn.
SMALL_LETTERS = """() => {
  const found = [];
  const walk = (root) => {
    for (const e of root.querySelectorAll("*")) {
      if (e.shadowRoot) walk(e.shadowRoot);
      const own = [...e.childNodes].some(
        (n) => n.nodeType === 3 && n.textContent.trim());
      if (!own || !e.getClientRects().length) continue;
      if (e.closest("sup, sub, .katex")) continue;
      const matrix = e.ownerSVGElement?.getScreenCTM();
      const grown = matrix ? Math.hypot(matrix.a, matrix.b) : 1;
      const size = parseFloat(getComputedStyle(e).fontSize) * grown;
      if (size < 11) found.push(`${e.textContent.trim()}: ${size}`);
    }
  };
  walk(document.querySelector("article"));
  return found;
}"""


@pytest.mark.parametrize(
    "name", ["book/index.html", "book/03-query-key-value.html"]
)
def test_a_phone_shows_letters_that_can_be_read(open_page, name):
    page = open_page(name, width=360)
    page.wait_for_load_state("networkidle")
    assert page.evaluate(SMALL_LETTERS) == []


def choose(page, name):
    """Choose an entry of the header's menu."""
    page.locator("summary[aria-label=More]").click()
    page.get_by_role("button", name=name).click()


def test_the_page_fills_a_projector(open_page):
    page = open_page(CONTENT[0])
    sides = page.locator(".bd-sidebar-primary, .bd-sidebar-secondary")
    assert any(side.is_visible() for side in sides.all())
    choose(page, "Full screen")
    page.wait_for_function("document.fullscreenElement !== null")
    assert not any(side.is_visible() for side in sides.all())
    choose(page, "Full screen")
    page.wait_for_function("document.fullscreenElement === null")


def test_the_print_button_prints(open_page):
    page = open_page(CONTENT[0])
    page.evaluate("window.print = () => { window.printed = true }")
    choose(page, "Print or save as PDF")
    assert page.evaluate("window.printed === true")


def test_a_menu_closes_with_escape_and_by_a_click_elsewhere(open_page):
    page = open_page(LABS[0])
    more = page.locator("summary[aria-label=More]")
    more.focus()
    page.keyboard.press("Enter")
    page.locator(".attn-menu[open]").wait_for()
    page.keyboard.press("Escape")
    assert page.locator(".attn-menu[open]").count() == 0
    assert page.evaluate("document.activeElement.ariaLabel") == "More"
    more.click()
    page.get_by_text("Run this lab").click()
    assert page.locator(".attn-menu[open]").count() == 1
    page.get_by_role("link", name="Download the notebook").wait_for()
    page.locator("h1").first.click()
    assert page.locator(".attn-menu[open]").count() == 0


@pytest.mark.parametrize("name", LABS[:1] + LESSONS[:1])
def test_a_phone_shows_few_icons(open_page, name):
    page = open_page(name, width=360)
    shown = page.locator(".header-article-item :is(button, summary)")
    names = [
        one.get_attribute("aria-label") or one.inner_text()
        for one in shown.all()
        if one.is_visible()
    ]
    assert [one for one in names if one != "Run this lab"] == [
        "Contents", "Search", "Color mode", "More",
    ]  # fmt: skip
    choose(page, "On this page")
    page.locator("#pst-secondary-sidebar-modal[open]").wait_for()
    page.keyboard.press("Escape")
    page.locator(".primary-toggle").click()
    page.locator("#pst-primary-sidebar-modal[open]").wait_for()


def test_a_chapter_ends_with_its_lab_and_the_next_chapter(open_page):
    page = open_page(LESSONS[0])
    cards = page.locator(".attn-card")
    addresses = [card.get_attribute("href") for card in cards.all()]
    here = Path(LESSONS[0]).name
    assert addresses == [f"../notebooks/{here}", Path(LESSONS[1]).name]
    cards.last.click()
    page.wait_for_url(f"**/{LESSONS[1]}")


def test_search_opens_from_the_keyboard(open_page):
    page = open_page(CONTENT[0])
    page.keyboard.press("Control+k")
    field = page.locator("#pst-search-dialog input[name=q]")
    field.wait_for(state="visible")
    field.fill("attention")
    field.press("Enter")
    page.locator("#search-results ul.search li a").first.wait_for()
    assert page.url.split("?")[0].endswith("/search.html")


def test_the_first_page_counts_the_verdicts_and_leads_to_them(open_page):
    page = open_page("book/index.html")
    counts = page.locator(".attn-tally li")
    assert counts.count() == 4
    holds = counts.nth(0)
    number = int(holds.locator("strong").inner_text())
    holds.locator("a").click()
    page.wait_for_url("**/claims.html#verdict-holds")
    shown = page.locator(".attn-ledger > li:visible")
    assert shown.count() == number
    assert page.locator(".attn-ledger > li.attn-holds").count() == number


def test_a_line_of_text_is_easy_to_read(open_page):
    page = open_page(LESSONS[2], width=1920, height=1080)
    letters = page.evaluate(LETTERS_A_LINE)
    assert 60 <= letters <= 80


def test_the_first_address_leads_to_the_first_page(open_page, site_url):
    page = open_page("")
    page.wait_for_url(re.compile(re.escape(site_url) + r"book/.+"))
    assert page.locator("h1").count() >= 1


class _Links(HTMLParser):
    """Collect a page's links, what it loads, and the places to link to."""

    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.places: set[str] = set()
        self.handlers: list[str] = []

    def handle_starttag(self, tag: str, attrs: list) -> None:
        given = dict(attrs)
        self.places |= {given[key] for key in ("id", "name") if given.get(key)}
        self.handlers += [key for key in given if key.startswith("on")]
        if tag.startswith("attn-") and given.get("data-state"):
            # A link into a figure carries a state behind its name.
            name = json.loads(given["data-state"])["name"]
            self.places.add(f"attn:{name}")
        if tag == "a" and given.get("href"):
            self.links.append(given["href"])
        if tag == "link" and given.get("href"):
            self.loads.append(given["href"])
        if given.get("src"):
            self.loads.append(given["src"])


def read_links(path: Path) -> _Links:
    parser = _Links()
    parser.feed(path.read_text("utf-8"))
    return parser


def test_every_link_inside_the_site_leads_somewhere(site_dir):
    pages = {name: read_links(site_dir / name) for name in PAGES}
    broken = []
    for name, page in pages.items():
        for link in [*page.links, *page.loads]:
            if urlsplit(link).scheme or link.startswith("//"):
                continue
            address = urlsplit(urljoin(f"http://site/{name}", link))
            target = unquote(address.path).lstrip("/")
            if target.endswith("/") or not target:
                target += "index.html"
            if not (site_dir / target).is_file():
                broken.append(f"{name}: {link}")
            elif address.fragment and target in pages:
                place, *_ = unquote(address.fragment).split("?")
                if place not in pages[target].places:
                    broken.append(f"{name}: {link}")
    assert broken == []


def test_no_page_loads_from_another_host_or_carries_a_handler(site_dir):
    for name in PAGES:
        page = read_links(site_dir / name)
        assert page.handlers == [], name
        for address in page.loads:
            scheme = urlsplit(address).scheme
            assert scheme in {"", "data"}, f"{name}: {address}"
            assert not address.startswith("//"), f"{name}: {address}"


def test_no_style_or_script_names_a_file_that_is_missing(site_dir):
    for sheet in site_dir.rglob("*.css"):
        for address in re.findall(
            r"url\([\"']?([^)\"']+)", sheet.read_text("utf-8")
        ):
            parts = urlsplit(address)
            if parts.scheme == "data" or address.startswith("#"):
                continue
            assert not parts.scheme, f"{sheet.name}: {address}"
            assert (sheet.parent / parts.path).is_file(), (
                f"{sheet.name}: {address}"
            )


def test_unused_weight_is_gone(site_dir):
    static = site_dir / "_static"
    assert not list(static.rglob("*.map"))
    assert not list(static.rglob("fontawesome.js"))
    assert not list(static.rglob("bootstrap.js"))
    assert not (site_dir / "searchindex.js").exists()
    sheet = static / "styles" / "pydata-sphinx-theme.css"
    assert len(gzip.compress(sheet.read_bytes())) < 20_000
    assert not list(static.rglob("*thebe*"))
    for font in static.glob("vendor/fontawesome/webfonts/*"):
        assert font.stat().st_size < 20_000, font.name
    for font in static.glob("fonts/KaTeX_*"):
        assert font.stat().st_size < 15_000, font.name


def test_formulas_are_ready_without_a_script(site_dir):
    pages = [(site_dir / name).read_text("utf-8") for name in CONTENT]
    text = "".join(pages)
    assert 'class="katex"' in text
    assert "katex-error" not in text
    assert not re.search(r"mathjax[\w.-]*\.js", text, re.IGNORECASE)


def test_the_table_of_runs_names_every_executed_notebook(site_dir):
    report = site_dir / "book" / "build-report.html"
    links = read_links(report).links
    executed = sorted((course.ROOT / "_build" / "notebooks").glob("*.ipynb"))
    assert executed
    for path in executed:
        assert f"../notebooks/{path.stem}.html" in links, path.name
