"""The page of symbols: its names in code are names that the code has."""

import ast
import re
from pathlib import Path

import attn_course

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = Path(attn_course.__file__).parent
PAGE = (ROOT / "book" / "symbols.md").read_text("utf-8")


def rows():
    """Give the cells of each row of each table, without its head."""
    lines = [line for line in PAGE.splitlines() if line.startswith("|")]
    cells = [re.split(r"(?<!\\)\|", line)[1:-1] for line in lines]
    rule = [i for i, row in enumerate(cells) if set(row[0]) <= set("-")]
    heads = {i - 1 for i in rule}
    return [row for i, row in enumerate(cells) if i not in heads | set(rule)]


def names_in_code():
    """List every parameter and variable of the package."""
    names = set()
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.arg):
                names.add(node.arg)
            elif isinstance(node, ast.Name):
                names.add(node.id)
    return names


def test_every_name_in_code_is_one():
    told = {
        name
        for row in rows()
        for cell in row[:2]
        for name in re.findall(r"(?<!\})`([^`]+)`", cell)
    }
    assert len(told) >= 15
    assert told <= names_in_code(), told - names_in_code()


def test_every_symbol_has_a_meaning_and_a_chapter():
    assert len(rows()) >= 20
    for row in rows():
        assert row[0].strip() and row[-1].strip(), row
        for target in re.findall(r"\]\(([^)]+)\)", row[-1]):
            assert (ROOT / "book" / target).is_file()
        assert re.search(r"\[\d\]", row[-1]), row


def test_no_symbol_is_told_twice():
    first = [row[0].strip() for row in rows()]
    assert len(first) == len(set(first))
