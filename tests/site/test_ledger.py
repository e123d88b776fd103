"""Numbers of claims: from the cells into the prose and onto the ledger."""

import re
import shutil
import subprocess
import sys

import course
import pytest
import tiny_book
from bs4 import BeautifulSoup
from tiny_book import notebook, write

from attn_course import claims
from attn_course.claims import chapters
from attn_course.data.road import load_road
from attn_course.handover import MIME
from attn_course.site.ledger import split_target
from attn_course.site.outputs import reports
from attn_course.site.verdicts import verdict_of

CLAIMS = [claim for part in claims.ledger() for claim in part.claims]
PAGE = """---
file_format: mystnb
kernelspec: {name: python3, display_name: Python 3}
---

# The page

{cite}`vaswani2017attention`

## Above

## The cell

```{code-cell} python
:tags: [remove-cell]
from attn_course import claims
claims.report("3.tie", weight=0.25, more=7)
```

{claim}`3.tie.weight` and {claim}`3.tie.more:.1f`

## Below

```{bibliography}
:all:
```
"""
# Every number that the ledger asks for, but those of the page.
LAB = """from attn_course import claims
spread = [0.5, 0.75, WEIGHT]
for part in claims.ledger():
    for claim in part.claims:
        if claim.values:
            page = claim.id == "3.tie"
            names = [n for n in claim.values if not page or n != "weight"]
            values = {n: spread for n in names}
            claims.report(claim.id, seeds=[0, 1, 2], **values)"""
INDEX = """# Start

Spread: {claim}`3.tie.score:spread`. Smallest, in percent:
{claim}`3.tie.score:.0%:min`, of {claim}`3.tie.score:seeds` seeds.

```{verdicts}
```

```{verdicts}
:list: does not hold
```

```{road}
```
"""
TOC = """chapters:
- file: book/03-query-key-value
- file: notebooks/03-query-key-value
- file: book/claims
"""
# What claims and road lead to: pages of which this book needs the names.
TARGETS = [one.where for one in (*CLAIMS, *load_road()) if one.where]
OTHERS = sorted(
    {where.partition("#")[0] for where in TARGETS}
    - {"book/03-query-key-value", "notebooks/03-query-key-value"}
)
LEDGER = course.ROOT / "book" / "claims.md"


# --- The parts ------------------------------------------------------------


@pytest.mark.parametrize(
    "text, parts",
    [
        ("3.tie.weight", ("3.tie", "weight", "", "")),
        ("3.tie.weight:.2f", ("3.tie", "weight", ".2f", "")),
        ("3.tie.weight:spread", ("3.tie", "weight", "", "spread")),
        (" 3.tie.weight : min : .0% ", ("3.tie", "weight", ".0%", "min")),
    ],
)
def test_a_target_is_taken_apart(text, parts):
    assert split_target(text) == parts


@pytest.mark.parametrize("text", ["", "weight", "3.tie", "3.tie.", ":.2f"])
def test_a_target_needs_a_claim_and_a_value(text):
    with pytest.raises(ValueError, match=r"such as 3\.tie\.weight"):
        split_target(text)


def test_claims_are_read_from_the_outputs():
    claim = {"kind": "claim", "id": "3.tie", "values": {"weight": 0.5}}
    run = {"kind": "run", "seconds": 1}
    cells = [
        {"cell_type": "markdown"},
        {"outputs": [{"output_type": "stream"}, {"data": {MIME: run}}]},
        {"outputs": [{"data": {MIME: claim}}] * 2},
    ]
    assert list(reports({"cells": cells}, "claim")) == [(2, claim), (2, claim)]


# --- A book ---------------------------------------------------------------


@pytest.fixture(scope="module")
def book(tmp_path_factory):
    root = tmp_path_factory.mktemp("claims")
    others = "".join(f"- file: {name}\n" for name in OTHERS)
    tiny_book.start(root, TOC + others)
    for name in OTHERS:
        write(root, f"{name}.md", "# Another page\n")
    write(root, "book/index.md", INDEX)
    write(root, "book/03-query-key-value.md", PAGE)
    write(root, "book/claims.md", LEDGER.read_text("utf-8"))
    write_lab(root, "1.0")
    clean, said = tiny_book.build(root)
    assert clean, said
    return root


def write_lab(root, weight):
    cells = notebook("# Lab", "## First", LAB.replace("WEIGHT", weight))
    write(root, "notebooks/03-query-key-value.ipynb", cells)


def read(root, name):
    text = (tiny_book.site(root) / f"{name}.html").read_text("utf-8")
    return BeautifulSoup(text, "html.parser").article


def numbers(soup):
    return [link.get_text() for link in soup.select("a.attn-claim")]


def test_numbers_stand_in_the_prose_and_lead_to_their_cells(book):
    page = read(book, "book/03-query-key-value")
    assert numbers(page) == ["0.25", "7.0"]
    # A cell that is not shown is found by its section.
    link = page.select_one("a.attn-claim")
    assert link["href"] == "#the-cell"
    assert link["title"] == "Computed in: The page"
    index = read(book, "book/index")
    spread = "0.8 (0.5 to 1.0 over 3 seeds)"
    # Prose has the mean; evidence and ledger have it in full.
    assert numbers(index) == ["0.8", "50%", "3"]
    assert index.select_one("a.attn-claim")["data-full"] == spread
    link = index.select_one("a.attn-claim")
    target = "../notebooks/03-query-key-value.html#claim-3-tie"
    assert link["href"] == target
    cell = read(book, "notebooks/03-query-key-value").select_one(".cell")
    places = [cell["id"], *(span.get("id") for span in cell.select("span"))]
    assert "claim-3-tie" in places


def test_what_a_cell_hands_over_leaves_no_empty_box(book):
    cell = read(book, "notebooks/03-query-key-value").select_one(".cell")
    boxes = [box.get_text() for box in cell.select(".output")]
    assert len(boxes) == 1 and boxes[0].startswith("claim ")


def test_the_ledger_lists_every_claim(book):
    page = read(book, "book/claims")
    titles = [title.get_text() for title in page.select("h2")]
    assert len(titles) == len(claims.ledger())
    cards = page.select(".attn-ledger > li")
    assert [card["id"] for card in cards] == [
        f"ledger-{claim.id.replace('.', '-')}" for claim in CLAIMS
    ]
    for claim, card in zip(CLAIMS, cards, strict=True):
        verdict = card.select_one(".attn-verdict").get_text()
        assert verdict == verdict_of(claim).text
        assert claim.kind in card.get_text()
        assert len(numbers(card)) == len(claim.values)
        links = [link["href"] for link in card.select("dd a")]
        assert links, claim.id
        places = card.select("dd:last-child > p > a")
        names = [place.get_text() for place in places]
        assert len(set(names)) == len(names)
        assert bool(claim.values) == any("#claim-" in one for one in links)
        assert "`" not in card.get_text() and "$" not in card.get_text()


def test_verdicts_are_counted_and_lead_to_the_ledger(book):
    index = read(book, "book/index")
    page = read(book, "book/claims")
    rows = [
        [cell.get_text(strip=True) for cell in row.select("td")]
        for row in index.select("table tbody tr")
    ]
    for part, row in zip(claims.ledger(), rows, strict=False):
        verdicts = [verdict_of(claim).text for claim in part.claims]
        counts = [verdicts.count(verdict) for verdict in chapters.VERDICTS]
        assert row == [part.title, str(len(verdicts)), *map(str, counts)]
    assert len(rows) == len(claims.ledger()) + 1
    assert rows[-1][:2] == ["all", str(len(CLAIMS))]
    links = [link["href"] for link in index.select('a[href^="claims.html#"]')]
    refused = [c.id for c in CLAIMS if verdict_of(c).text == "does not hold"]
    anchors = [link.partition("#")[2] for link in links]
    assert anchors == [
        *(f"section-{part.number}" for part in claims.ledger()),
        *(f"ledger-{id.replace('.', '-')}" for id in refused),
    ]
    assert all(page.find(id=anchor) for anchor in anchors)
    assert "$" not in index.get_text()


def test_the_road_leads_to_sources_and_to_what_measures_it(book):
    steps = read(book, "book/index").select("ol.attn-road > li")
    references = read(book, "book/03-query-key-value")
    for stop, step in zip(load_road(), steps, strict=True):
        source, measured = step.select("a")
        assert references.find(id=source["href"].partition("#")[2])
        page, _, anchor = stop.where.removeprefix("book/").partition("#")
        assert measured["href"] == f"{page}.html#{anchor}"
        assert measured.get_text() == f"Measured in chapter {stop.chapter}."
        said = step.get_text().replace("’", "'")
        for text in (stop.name, stop.brought, stop.removed, stop.left):
            assert text in said


def test_links_of_the_ledger_lead_to_cells_and_sections(book):
    ledger = read(book, "book/claims")
    for link in ledger.select(".attn-ledger a"):
        name, _, anchor = link["href"].partition("#")
        page = read(book, f"book/{name}".removesuffix(".html"))
        # The section of a derived claim is one of the real chapter's.
        if anchor.startswith("claim-"):
            assert page.find(id=anchor), link
    for where in TARGETS:
        name, _, anchor = where.partition("#")
        if anchor:
            text = (course.ROOT / f"{name}.md").read_text("utf-8")
            headings = re.findall(r"(?m)^#+ (.+)$", text)
            # As Sphinx makes an anchor of a heading.
            anchors = [
                re.sub(r"\W+", "-", h.lower()).strip("-") for h in headings
            ]
            studies = re.findall(r"(?m)^```\{study\} (.+)$", text)
            anchors += [f"study-{name}" for name in studies]
            assert anchor in anchors, where


def test_a_number_that_changes_changes_where_it_is_used(book):
    """Only the lab is edited, and only it is read and executed again."""
    write_lab(book, "0.9")
    clean, said = tiny_book.build(book)
    assert clean, said
    assert said.count("Executed notebook in") == 1
    spread = "0.7 (0.5 to 0.9 over 3 seeds)"
    assert numbers(read(book, "book/index"))[0] == "0.7"
    assert spread in numbers(read(book, "book/claims"))
    assert numbers(read(book, "book/03-query-key-value"))[0] == "0.25"


def test_numbers_survive_when_nothing_is_executed(book):
    before = numbers(read(book, "book/claims"))
    shutil.rmtree(book / "work")
    clean, said = tiny_book.build(book)
    assert clean, said
    assert "Executed notebook in" not in said
    assert numbers(read(book, "book/claims")) == before


def test_a_measured_claim_without_its_number_fails_the_build(book):
    before = (book / "notebooks/03-query-key-value.ipynb").read_text("utf-8")
    write(book, "notebooks/03-query-key-value.ipynb", notebook("# Lab"))
    clean, said = tiny_book.build(book)
    write(book, "notebooks/03-query-key-value.ipynb", before)
    assert not clean
    [claim, *_] = [one for one in CLAIMS if one.values and one.id != "3.tie"]
    assert f"no cell of this build reports claim {claim.id}" in said
    assert f"expected from {claim.where}" in said


# --- What fails the build -------------------------------------------------


def output(claim_id, **values):
    content = {"kind": "claim", "id": claim_id, "values": values}
    return {
        "output_type": "display_data", "metadata": {},
        "data": {MIME: content},
    }  # fmt: skip


@pytest.fixture(scope="module")
def complaints(tmp_path_factory):
    """Build pages with a fault each; give what is said of each page.

    Plain Sphinx, with notebooks that bring their outputs, is quicker.
    """
    root = tmp_path_factory.mktemp("faults")
    write(
        root,
        "conf.py",
        "extensions = ['myst_nb']\n"
        "nb_execution_mode = 'off'\n"
        "def setup(app):\n"
        "    from attn_course.site import evidence, ledger\n"
        "    evidence.setup(app), ledger.setup(app)\n",
    )
    faults = {
        "id": "{claim}`3.tye.weight`",
        "value": "{claim}`3.tie.wight`",
        "unreported": "{claim}`3.it-cat.heads`",
        "form": "{claim}`3.tie.weight:nonsense`",
        "spread": "{claim}`3.tie.weight:spread`",
        "short": "{claim}`3.tie`",
        "title": "## A title with {claim}`3.tie.weight`",
        "right": "[the weight {claim}`3.tie.weight`](right.md)",
    }
    toc = "\n".join(faults)
    index = f"# Start\n\n```{{toctree}}\n{toc}\none\ntwo\n```\n"
    write(root, "index.md", index)
    for name, text in faults.items():
        write(root, f"{name}.md", f"# A page\n\n{text}\n")
    one = ("x", [output("3.tie", weight=0.25, other=1 / 3)])
    # The same number, but for rounding; and another one.
    two = ("x", [output("3.tie", weight=0.5, other=0.33333333)])
    write(root, "one.ipynb", notebook("# One", one))
    write(root, "two.ipynb", notebook("# Two", two))
    done = subprocess.run(
        [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-n",
         root, root / "out" / "html"],
        capture_output=True, text=True, env={**course.os.environ},
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    found = {name: [] for name in [*faults, "one", "two"]}
    for line in done.stderr.splitlines():
        match = re.search(
            r"/(\w+)\.(?:md|ipynb)(?::\d+)?: WARNING: (.*)", line
        )
        if match:
            found[match[1]].append(match[2])
    return found


@pytest.mark.parametrize(
    "page, message",
    [
        ("id", r"expected the id .* such as .*3\.tie.* got '3\.tye'"),
        ("value", r"claim 3\.tie has no value 'wight' .* values: weight"),
        ("unreported", r"no cell .* reports claim 3\.it-cat.*are: 3\.tie"),
        ("form", r"claim 3\.tie\.weight:nonsense: Invalid format"),
        ("spread", r"3\.tie\.weight:spread: it was reported without seeds"),
        ("short", r"expected a claim and a value, such as .* got '3\.tie'"),
        ("title", r"claim 3\.tie\.weight: a number can't stand in a title"),
        ("two", r"3\.tie\.weight: reported as 0\.5 here and as 0\.25 in one"),
    ],
)
def test_a_fault_is_a_warning_that_says_what_there_is(
    complaints, page, message
):
    [said] = complaints[page]
    assert re.search(message, said), said


@pytest.mark.parametrize("page", ["right", "one"])
def test_what_is_right_is_no_warning(complaints, page):
    assert complaints[page] == []
