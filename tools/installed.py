"""Whether the packages of an environment are whole."""

from __future__ import annotations

import csv
import os
import re
from pathlib import Path

WINDOWS = os.name == "nt"
# How a program begins that starts an environment's Python. The second form is
# for a path that is long or has a space.
STARTS = re.compile(
    rb"""#!(?:/bin/sh\n'+exec[' "]+)?(/[^"\n]*/\.venv)/bin/(python[\d.]*)"""
    rb"""(?:"? "\$0" "\$@"\n' ''')?\n"""
)
START = b"""#!/bin/sh
'''exec' "%s/bin/%s" "$0" "$@"
' '''
"""


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


def is_whole(described: Path) -> bool:
    """Tell whether each file of a package is there, at its size."""
    try:
        text = (described / "RECORD").read_text("utf-8")
        for name, _, size in csv.reader(text.splitlines()):
            if name.endswith(".pyc"):
                continue
            found = os.stat(os.path.join(described.parent, name)).st_size
            # What stands outside of the packages' folder may be edited.
            if size and int(size) != found and not name.startswith(".."):
                return False
    except (OSError, ValueError, csv.Error):
        return False
    return bool(text)


def adopt(venv: Path) -> bool:
    """Let the programs of an environment that was moved or copied start it.

    They name their Python by its whole path: that of another checkout, or of
    nothing. Say whether there was one to mend.
    """
    named = {path: _names(path) for path in (venv / "bin").glob("*")}
    foreign = {
        name for name in named.values()
        if name and Path(os.fsdecode(name)).resolve() != venv.resolve()
    }  # fmt: skip
    if not foreign:
        return False
    # Those that start no Python, such as `activate`, come first: when this is
    # cut in the middle, the others tell the next run.
    for path in sorted(named, key=lambda path: bool(named[path])):
        if not path.is_file() or path.is_symlink():
            continue
        before = path.read_bytes()
        text = STARTS.sub(
            lambda found: START % (os.fsencode(venv), found[2]), before, 1
        )
        if text == before and b"\0" not in before:
            for name in foreign:
                text = text.replace(name, os.fsencode(venv))
        if text != before:
            path.write_bytes(text)
    return True


def _names(program: Path) -> bytes:
    """Read which environment a program starts; nothing for a link."""
    if not program.is_file() or program.is_symlink():
        return b""
    with open(program, "rb") as file:
        found = STARTS.match(file.read(1000))
    return found[1] if found else b""


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
        if name not in found or not is_whole(found[name])
    )  # fmt: skip
