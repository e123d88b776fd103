"""A type checker reads src/, at what pyproject.toml asks of it."""

import ast
import importlib
import json
import subprocess
import sys
import tomllib
from pathlib import Path

import course
import pytest

ROOT = course.ROOT
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
SETTINGS = PYPROJECT["tool"]["basedpyright"]


def test_the_types_agree():
    program = Path(sys.executable).with_name("basedpyright")
    done = subprocess.run(
        [program, "--outputjson", "--pythonpath", sys.executable],
        cwd=ROOT, capture_output=True, text=True,
    )  # fmt: skip
    found = json.loads(done.stdout)
    told = "\n".join(
        f"{one['file']}:{one['range']['start']['line'] + 1}: {one['message']}"
        for one in found["generalDiagnostics"]
    )
    assert not told, told
    assert found["summary"]["filesAnalyzed"] > 150


def test_what_is_named_is_there():
    """A file that moved would be left out, or checked less, in silence."""
    for kind in ("include", "exclude", "strict"):
        for name in SETTINGS[kind]:
            assert (ROOT / name).exists(), f"{kind}: {name}"


def test_the_package_says_that_it_has_types():
    assert (ROOT / "src" / "attn_course" / "py.typed").is_file()


@pytest.mark.parametrize("name", ["attn_course", "attn_course.flash"])
def test_a_checker_is_told_every_name_that_is_lent(name):
    package = importlib.import_module(name)
    stub = Path(package.__file__).with_suffix(".pyi")
    told = {
        alias.asname: f"{statement.module}.{alias.name}"
        for statement in ast.parse(stub.read_text("utf-8")).body
        if isinstance(statement, ast.ImportFrom)
        for alias in statement.names
    }
    assert sorted(told) == sorted(package.__all__)
    for lent, path in told.items():
        module, _, last = path.rpartition(".")
        found = getattr(importlib.import_module(module), last)
        assert found is getattr(package, lent), lent
