"""Keep executed notebooks apart by the package that ran them.

The cache of executed notebooks compares the code of cells only. After an
edit of the package it would hand out old outputs, and after an edit of tags
or alt text the old ones, so its folder is named by a hash of everything
else that a run or its rendering depends on. It is looked at before it is
trusted: a run that was killed, or met a full disk, leaves half an entry.
"""

import contextlib
import hashlib
import json
import re
import shutil
import sys
from pathlib import Path
from typing import Any

import nbformat
from sphinx.util import logging

__all__ = ["cache_key", "fault", "prune", "setup"]

_LOGGER = logging.getLogger(__name__)

# What follows the first line of a code cell: `:tags: …`, or YAML in ---.
_HEADER = re.compile(
    r"^`{3,}\{code-cell\}.*\n((?:---\n(?:.*\n)*?---\n)|(?:^:.*\n)+)", re.M
)


def cache_key(root: Path) -> str:
    """Hash what a notebook's outputs depend on, other than its cells.

    That is the package without this folder (no notebook imports it), the
    pinned versions and Python's own, and the options of the cells: tags, alt
    text.
    """
    package = root / "src" / "attn_course"
    files = [root / "constraints.txt", *package.rglob("*")]
    digest = hashlib.sha256(f"{sys.version_info[:2]}".encode())
    for path in sorted(files):
        parts = path.relative_to(root).parts
        if "__pycache__" in parts or parts[2:3] == ("site",):
            continue
        if path.is_file():
            digest.update("/".join(parts).encode() + b"\0")
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    for text in _cell_options(root):
        digest.update(text.encode() + b"\0")
    return digest.hexdigest()[:16]


def _cell_options(root: Path) -> list[str]:
    """Collect what stands beside the code of each cell."""
    options = [
        header
        for page in sorted((root / "book").glob("*.md"))
        for header in _HEADER.findall(page.read_text("utf-8"))
    ]
    for path in sorted((root / "notebooks").glob("*.ipynb")):
        cells = json.loads(path.read_text("utf-8"))["cells"]
        options += [json.dumps(cell["metadata"]) for cell in cells]
    return options


def _write_executed(app: Any, doctree: Any) -> None:
    """Put the outputs into the executed notebook that MyST-NB wrote.

    Where it took them from the cache it writes a notebook without outputs;
    tests, tables and claims read this file.
    """
    from jupyter_cache import get_cache

    folder = Path(app.outdir).parent / "jupyter_execute"
    path = folder / f"{app.env.docname}.ipynb"
    if not path.is_file():
        return
    cache = get_cache(app.config.nb_execution_cache_path)
    notebook = nbformat.read(path, as_version=4)
    with contextlib.suppress(KeyError):  # a page without code
        _, notebook = cache.merge_match_into_notebook(notebook)
        nbformat.write(notebook, path)


def prune(folder: Path, keep: int) -> None:
    """Delete all but the `keep` folders that were used last."""
    if not folder.is_dir():
        return
    by_age = sorted(folder.iterdir(), key=lambda path: path.stat().st_mtime)
    for old in by_age[: max(0, len(by_age) - keep)]:
        shutil.rmtree(old, ignore_errors=True)


def fault(folder: Path) -> str:
    """Say why the cache in a folder can't be read; "" where it can."""
    from jupyter_cache import get_cache

    cache = get_cache(folder)
    try:
        cache.list_project_records()
        for record in cache.list_cache_records():
            # Not by way of the cache, which would note the time of reading.
            path = folder / "executed" / record.hashkey / "base.ipynb"
            notebook = nbformat.read(path, as_version=4)
            _, found = cache.create_hashed_notebook(notebook)
            if found != record.hashkey:
                return f"expected notebook {record.hashkey}, got {found}"
    except Exception as error:
        # Whatever the library, the database and the disk come up with.
        return str(error).partition("\n")[0] or type(error).__name__
    finally:
        with contextlib.suppress(Exception):
            cache.db.dispose()
    return ""


def _plain_address() -> None:
    """Let the cache's database stand in any folder.

    The library writes the folder into an address as it is, and a %20, a ?
    or a # in its name means something else there.
    """
    from jupyter_cache.cache import db
    from sqlalchemy import URL, create_engine

    def create(address: str) -> Any:
        path = address.removeprefix("sqlite:///")
        return create_engine(URL.create("sqlite", database=path))

    db.create_engine = create


def _set_cache_folder(app: Any, config: Any) -> None:
    """Name the cache folder, and read every page again when it changes."""
    root = Path(app.confdir)
    key = cache_key(root)
    folder = root / "_build" / "executed" / key
    folder.mkdir(parents=True, exist_ok=True)
    folder.touch()
    _plain_address()
    if why := fault(folder):
        _LOGGER.info(
            "The cache of executed notebooks can't be read (%s): it is thrown "
            "away, and every notebook runs again",
            why,
        )
        shutil.rmtree(folder)
        folder.mkdir()
    prune(folder.parent, keep=3)
    config.nb_execution_cache_path = str(folder)
    config.attn_course_cache_key = key


def setup(app: Any) -> None:
    """Connect to Sphinx."""
    app.add_config_value("attn_course_cache_key", "", "env")
    app.connect("config-inited", _set_cache_folder)
    # Before those that read the executed notebook.
    app.connect("doctree-read", _write_executed, priority=100)
