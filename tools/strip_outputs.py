#!/usr/bin/env python3
"""Remove outputs from notebooks, in place.

    python tools/strip_outputs.py notebooks/*.ipynb

Exits with 1 when a file changed, as pre-commit expects of a hook that mends.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

# What a front end writes down for itself and nobody reads.
VOLATILE = ("execution", "ExecuteTime", "collapsed", "scrolled")


def strip(notebook: dict) -> dict:
    """Give a copy of a notebook without outputs, counts and widget state."""
    clean = json.loads(json.dumps(notebook))
    clean["metadata"].pop("widgets", None)
    for cell in clean["cells"]:
        for name in VOLATILE:
            cell["metadata"].pop(name, None)
        if cell["cell_type"] == "code":
            cell["outputs"] = []
            cell["execution_count"] = None
    return clean


def strip_file(path: Path) -> bool:
    """Strip one file; say whether it changed."""
    before = json.loads(path.read_text("utf-8"))
    after = strip(before)
    if after == before:
        return False
    text = json.dumps(after, ensure_ascii=False, indent=1)
    path.write_text(text + "\n", "utf-8")
    return True


def main(names: list[str]) -> int:
    """Strip each file."""
    changed = [name for name in names if strip_file(Path(name))]
    for name in changed:
        print(f"Removed outputs from {name}")
    return 1 if changed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
