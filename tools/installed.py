"""Whether the packages of an environment are whole."""

from __future__ import annotations

import csv
import os
import re
from pathlib import Path

WINDOWS = os.name == "nt"
# The Python that a program starts; one whose path is long or has a space
# stands in the second line.
PROGRAM = re.compile(
    r"""#!(?:/bin/sh\n'+exec[' "]+)?(/[^"\n]*/python[\d.]*)"""
)


def packages_folder(venv: Path) -> Path:
    """Say where the environment keeps its packages."""
    if WINDOWS:
        return venv / "Lib" / "site-packages"
    found = sorted(venv.glob("lib/python3.*/site-packages"))
    return found[-1] if found else venv / "lib" / "none"


def packages(venv: Path) -> dict[str, Path]:
    """List the installed packages: name to the folder that describes it."""
    found = sorted(packages_folder(venv).glob("*.dist-info"))
    return {path.name.split("-")[0]: path for path in found}


def is_whole(described: Path, venv: Path) -> bool:
    """Tell whether each file of a package is there, at its size.

    A program must also name this environment: after its folder was moved or
    copied it starts another one, or none.
    """
    try:
        text = (described / "RECORD").read_text("utf-8")
        for name, _, size in csv.reader(text.splitlines()):
            if name.endswith(".pyc"):
                continue
            path = os.path.join(described.parent, name)
            found = os.stat(path).st_size
            # Settings outside the package's own folder may be edited.
            outside = name.startswith("..")
            if size and int(size) != found and not outside:
                return False
            if outside and "/bin/" in name and not _starts_here(path, venv):
                return False
    except (OSError, ValueError, csv.Error):
        return False
    return bool(text)


def _starts_here(program: str, venv: Path) -> bool:
    with open(program, "rb") as file:
        start = os.fsdecode(file.read(1000))
    named = PROGRAM.match(start)
    here = (venv / "bin").resolve()
    return not named or Path(named[1]).parent.resolve() == here


def broken_packages(venv: Path, known: list[str]) -> list[str]:
    """Name the packages of an environment that are missing or damaged.

    known: those that stood there when the last installation ended; without
    them, all that left a trace are looked at.
    """
    if not packages_folder(venv).is_dir():
        return []
    found = packages(venv)
    names = {"pip", *(known or found)}
    return sorted(
        name for name in names
        if name not in found or not is_whole(found[name], venv)
    )  # fmt: skip
