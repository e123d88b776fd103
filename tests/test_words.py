"""Words are explained where they first stand, in reading order.

The glossary says in which chapter a word is first met. In a chapter that is
rewritten (`rewritten: true` in its front matter), a word stands first in bold
or in the role `{term}`, unless an earlier chapter has had it.
"""

import re
from pathlib import Path
from typing import NamedTuple

import pytest

BOOK = Path(__file__).resolve().parent.parent / "book"
GLOSSARY = (BOOK / "symbols.md").read_text("utf-8")
CHAPTERS = sorted(BOOK.glob("0[1-9]-*.md"))

_ENTRY = re.compile(
    r"(?m)^(?P<term>\S.*)\n(?P<meaning>(?:  .*\n|\n)+?)"
    r"\n  More in \[chapter (?P<home>\d)\]\((?P<page>[\w-]+\.md)\)\.$"
)
# Too common in their everyday sense to be searched for.
EVERYDAY = {"chance", "control", "output", "position", "recorded", "step"}
# No running text: settings, headings, code, maths, comments, addresses.
_NO_TEXT = re.compile(
    r"\A---\n.*?\n---\n|^(`{3,}).*?^\1|\$\$.*?\$\$|\$[^$\n]*\$|^%.*?$|^#+ .*?$"
    r"|^:\w+:.*?$|^:::+\{[\w-]+\}|\{(?!term\})[\w-]+\}`[^`]*`"
    r"|(?<!\})`[^`]*`|\]\([^)]*\)",
    re.DOTALL | re.MULTILINE,
)
# In bold or in the role: here a term is explained.
_EXPLAINED = re.compile(r"\*\*(?P<bold>[^*]+)\*\*|\{term\}`(?P<role>[^`]+)`")


class Entry(NamedTuple):
    """A term of the glossary, and the chapter that first has it."""

    term: str
    meaning: str
    home: int
    page: str


class Use(NamedTuple):
    """A term that stands before it is explained."""

    term: str
    line: int


def entries(text: str) -> list[Entry]:
    return [
        Entry(m["term"], " ".join(m["meaning"].split()), int(m["home"]),
              m["page"])
        for m in _ENTRY.finditer(text)
    ]  # fmt: skip


def pattern(term: str) -> str:
    """Match a term and its plural as whole words, over a line's end, too."""
    words = r"\s+".join(map(re.escape, term.split()))
    plural = r"(?:s|es)?"
    if term.endswith("x"):
        words, plural = words.removesuffix("x"), r"(?:x|xes|ces)"
    return rf"(?i)(?<![\w-]){words}{plural}(?![\w-])"


def running(text: str) -> str:
    """Blank all that is no running text; lines keep their number."""
    return _NO_TEXT.sub(lambda m: re.sub(r"[^\n]", " ", m[0]), text)


def unexplained(text: str, terms: list[str]) -> list[Use]:
    """List the terms whose first use explains nothing."""
    text = running(text)
    # "self-attention" is no use of "attention", nor "dot product" of others.
    explained = [m.span() for m in _EXPLAINED.finditer(text)]
    found: dict[int, Use] = {}
    taken: list[tuple[int, int]] = []
    for term in sorted(terms, key=len, reverse=True):
        uses = [
            m.span() for m in re.finditer(pattern(term), text)
            if not any(a <= m.start() < b for a, b in taken)
        ]  # fmt: skip
        taken += uses
        if not uses:
            continue
        start, end = uses[0]
        if not any(a <= start and end <= b for a, b in explained):
            found[start] = Use(term, text.count("\n", 0, start) + 1)
    return [found[start] for start in sorted(found)]


def front_matter(text: str) -> str:
    match = re.match(r"---\n(.*?)\n---\n", text, re.DOTALL)
    return match[1] if match else ""


def is_rewritten(text: str) -> bool:
    return bool(re.search(r"(?m)^rewritten: true$", front_matter(text)))


def everyday(text: str) -> set[str]:
    """List the words that a page uses in their everyday sense."""
    match = re.search(r"(?m)^everyday: \[(.*)\]$", front_matter(text))
    return {word.strip() for word in match[1].split(",")} if match else set()


def to_explain(number: int, chapters: dict[int, str]) -> list[str]:
    """List the terms that a chapter has to explain where they first stand.

    Those of earlier chapters are known: rewritten ones are asked themselves,
    the others are not finished.
    """
    earlier = [text for n, text in chapters.items() if n < number]
    return [
        entry.term
        for entry in entries(GLOSSARY)
        if entry.home >= number
        and entry.term not in EVERYDAY | everyday(chapters[number])
        and not any(
            is_rewritten(text)
            and re.search(pattern(entry.term), running(text))
            for text in earlier
        )
    ]


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_a_rewritten_chapter_explains_each_word_where_it_first_stands(path):
    chapters = {int(one.stem[:2]): one.read_text("utf-8") for one in CHAPTERS}
    number = int(path.stem[:2])
    if is_rewritten(chapters[number]):
        terms = to_explain(number, chapters)
        assert unexplained(chapters[number], terms) == []


# --- The glossary ----------------------------------------------------------


def test_every_entry_has_a_meaning_and_a_chapter_that_there_is():
    found = entries(GLOSSARY)
    # One entry for each name: none was missed by the pattern above.
    blocks = re.findall(r":::\{glossary\}\n(.*?)\n:::", GLOSSARY, re.DOTALL)
    names = re.findall(r"(?m)^\S.*$", "\n".join(blocks))
    assert [entry.term for entry in found] == names
    assert len(set(map(str.lower, names))) == len(names) >= 60
    for entry in found:
        assert (BOOK / entry.page).is_file(), entry
        assert entry.page.startswith(f"0{entry.home}-"), entry
        assert 5 <= len(entry.meaning.split()) <= 60, entry
        assert "$" not in entry.meaning, f"{entry.term}: pop-ups are text"


@pytest.mark.parametrize(
    "terms",
    [
        # Those that a lesson must explain, each in its chapter.
        {1: "share query"},
        {2: "token vector encoder decoder score context"},
        {3: "softmax key value temperature layer head"},
        {4: "residual norm mask"},
    ],
)
def test_words_are_at_home_where_the_course_explains_them(terms):
    homes = {entry.term: entry.home for entry in entries(GLOSSARY)}
    for chapter, words in terms.items():
        assert {homes[word] for word in words.split()} == {chapter}


@pytest.mark.parametrize(
    "term",
    ["hidden state", "word piece", "probe", "ablation", "baseline", "seed",
     "loss", "GRU", "Adam", "bit", "register", "fovea", "entropy",
     "participation ratio", "back-propagation"],
)  # fmt: skip
def test_what_newcomers_missed_is_there(term):
    assert term in {entry.term for entry in entries(GLOSSARY)}


# --- The search for unexplained words ----------------------------------------


@pytest.mark.parametrize(
    ("text", "uses"),
    [
        ("A **softmax** is it.\n\nThe softmax again.", []),
        ("A softmax.\n\nA **softmax** is it.", [("softmax", 1)]),
        ("A {term}`softmax`, two {term}`heads <head>`.", []),
        ("Two\nheads and their softmaxes", [("head", 2), ("softmax", 2)]),
        ("`softmax`, $softmax$ and {claim}`softmax`", []),
        ("```python\nsoftmax(head)\n```\n", []),
        ("---\nhead: 1\n---\nA [page](head.md).", []),
        ("## A head\n", []),
        ("The ahead, a headline, multi-head.", []),
        ("A **dot product** and a\ndot\nproduct.", []),
        ("A dot\nproduct.", [("dot product", 1)]),
        ("**Self-attention** it is.", []),
        (":::{question} Which head?\n- [ ] softmax\n:::",
         [("head", 1), ("softmax", 2)]),
    ],
)  # fmt: skip
def test_the_first_use_counts(text, uses):
    terms = ["softmax", "head", "dot product", "attention", "self-attention"]
    assert unexplained(text, terms) == uses


def test_earlier_chapters_are_known():
    plain = "The layer and the softmax."
    chapters = {2: plain, 3: plain, 4: plain}
    assert "token" not in to_explain(3, chapters)  # at home in chapter 2
    assert {"layer", "softmax", "mask"} <= set(to_explain(3, chapters))
    assert "softmax" not in to_explain(4, chapters)
    early = {1: f"---\nrewritten: true\n---\n{plain}", **chapters}
    assert "softmax" not in to_explain(3, early)
    said = {**chapters, 3: f"---\neveryday: [layer, mask]\n---\n{plain}"}
    assert not {"layer", "mask"} & set(to_explain(3, said))
