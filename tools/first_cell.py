#!/usr/bin/env python3
"""The first cell of every lab, written in one place.

    python tools/first_cell.py

puts it into all notebooks, with the address of this checkout and the version
of its package.
"""

import json
import re
from pathlib import Path

import course

# The release of the notebook's own version comes first, without pip's words
# where nobody has made it; HEAD is the default branch, whatever its name. The
# pins keep pip from choosing, for a new package, a release that wants another
# NumPy or torch than the kernel has loaded.
CELL = """\
#@title Setup: installs the course where it is missing, as on Colab
import sys
from importlib import metadata, util

home = "ADDRESS/archive"
have = [p for p in ("ipywidgets", "numpy", "torch") if util.find_spec(p)]
pins = " ".join(f"{p}=={metadata.version(p)}" for p in have)
pip = f'"{sys.executable}" -m pip install -q {pins} bertviz matplotlib {home}'
if not util.find_spec("attn_course"):  # the release, or else the branch
    said = !{pip}/refs/tags/vVERSION.zip || {pip}/HEAD.zip
if not util.find_spec("attn_course"):
    raise SystemExit(f"{said.n}\\nNo network? Elsewhere: pip wheel {home}"
        "/HEAD.zip; bring the files: %pip install --no-index -f . attn-course")
from attn_course import lab

lab.setup()"""


# It is no part of a lesson: closed on the site, in JupyterLab and on Colab.
CLOSED = {
    "cellView": "form",
    "jupyter": {"source_hidden": True},
    "tags": ["hide-input"],
}


def first_cell(root: Path) -> str:
    """Write the cell for the address and the version of a checkout."""
    project = (root / "pyproject.toml").read_text("utf-8")
    version = re.search(r'^version = "(.+)"$', project, re.MULTILINE)
    source = CELL.replace("ADDRESS", course.current_url(root))
    return source.replace("VERSION", version[1])


def write(path: Path, source: str) -> None:
    """Put a source into the first code cell of a notebook."""
    notebook = json.loads(path.read_text("utf-8"))
    first = next(c for c in notebook["cells"] if c["cell_type"] == "code")
    first["source"] = source.splitlines(keepends=True)
    first["metadata"] = CLOSED
    text = json.dumps(notebook, indent=1, ensure_ascii=False)
    path.write_text(text + "\n", "utf-8")


if __name__ == "__main__":
    for path in sorted((course.ROOT / "notebooks").glob("*.ipynb")):
        write(path, first_cell(course.ROOT))
