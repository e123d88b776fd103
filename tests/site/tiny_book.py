"""A book of a few pages, built with the course's own settings."""

import json
import subprocess
import sys
from pathlib import Path

import course


def write(root: Path, name: str, text: str) -> Path:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    return path


def start(root: Path, toc: str) -> None:
    """Give a book its settings; its pages come next."""
    settings = (course.ROOT / "_config.yml").read_text("utf-8")
    write(root, "_config.yml", settings)
    write(root, "_toc.yml", f"format: jb-book\nroot: book/index\n{toc}")
    write(root, "constraints.txt", "")
    sources = (course.ROOT / "book" / "references.bib").read_text("utf-8")
    write(root, "book/references.bib", sources)


def build(root: Path) -> tuple[bool, str]:
    """Build as `make site` does: whether it is clean, and what it said."""
    command = course.sphinx_command(root, root / "work")
    command[0] = course.in_venv(command[0].stem, Path(sys.prefix))
    said = root / "said.txt"
    # A file, not a pipe: what a build leaves running would hold a pipe.
    with said.open("w") as output:
        done = subprocess.run(
            [str(part) for part in command],
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**course.os.environ, "NO_COLOR": "1"},
        )
    return done.returncode == 0, said.read_text("utf-8")


def site(root: Path) -> Path:
    """Give the folder that was built."""
    return root / "work" / "_build" / "html"


def notebook(*cells: str | tuple[str, list]) -> str:
    """Write a notebook: Markdown begins with #; code may have outputs."""
    written = []
    for number, cell in enumerate(cells):
        source, outputs = cell if isinstance(cell, tuple) else (cell, [])
        one = {"id": f"cell-{number}", "metadata": {}, "source": source}
        if source.startswith("#"):
            one["cell_type"] = "markdown"
        else:
            one |= {"cell_type": "code", "execution_count": None}
            one["outputs"] = outputs
        written.append(one)
    kernel = {"name": "python3", "display_name": "Python 3"}
    return json.dumps(
        {
            "nbformat": 4,
            "nbformat_minor": 5,
            "metadata": {"kernelspec": {**kernel, "language": "python"}},
            "cells": written,
        }
    )
