"""Keep executed notebooks apart by the code that ran them.

The cache of executed notebooks compares the cells only. After an edit of the
package it would hand out old outputs, so what the cells depend on (see
`dependencies`) goes into what is compared, and a page whose code depends on
something else than before is read again. The cache is looked at before it is
trusted: a run that was killed, or met a full disk, leaves half an entry.
"""

import contextlib
import hashlib
import json
import re
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import nbformat
from sphinx.util import logging

from attn_course.site import dependencies

__all__ = ["fault", "setup"]

_LOGGER = logging.getLogger(__name__)
# Where an executed notebook says what it depended on.
MARK = "attn_course_dependencies"
# Some builds of the whole course: the oldest go first.
MOST_NOTEBOOKS = 80

# A code cell in Markdown: its options, then its code.
_CELL = re.compile(
    r"^(`{3,})\{code-cell\}.*\n"
    r"((?:---\n(?:.*\n)*?---\n)|(?:^:.*\n)+)?"
    r"((?:.*\n)*?)\1$",
    re.M,
)


def code_of(path: Path) -> list[str]:
    """List the code of each cell of a page or notebook."""
    text = path.read_text("utf-8")
    if path.suffix == ".ipynb":
        return [
            "".join(cell["source"])
            for cell in json.loads(text)["cells"]
            if cell["cell_type"] == "code"
        ]
    return [code for _, _, code in _CELL.findall(text)]


def _compare_dependencies(package: Path) -> None:
    """Let the cache compare what the cells depend on, beside the cells."""
    from jupyter_cache.cache.main import JupyterCacheBase as Cache

    plain = getattr(Cache, MARK, Cache.create_hashed_notebook)

    def create(
        self: Any,
        notebook: Any,
        nb_metadata: Iterable[str] | None = ("kernelspec",),
        cell_metadata: Iterable[str] | None = None,
    ) -> tuple[Any, str]:
        copy, of_cells = plain(self, notebook, nb_metadata, cell_metadata)
        code = [cell.source for cell in copy.cells]
        key = notebook.metadata.get(MARK) or dependencies.key(code, package)
        copy.metadata[MARK] = key
        both = f"{of_cells}{key}".encode()
        return copy, hashlib.md5(both, usedforsecurity=False).hexdigest()

    Cache.create_hashed_notebook = create
    setattr(Cache, MARK, plain)


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


def _prepare_cache(app: Any, config: Any) -> None:
    """Look at the cache's folder before anything is taken from it."""
    folder = Path(app.confdir) / "_build" / "executed"
    folder.mkdir(parents=True, exist_ok=True)
    _plain_address()
    _compare_dependencies(_package(app))
    if why := fault(folder):
        _LOGGER.info(
            "The cache of executed notebooks can't be read (%s): it is thrown "
            "away, and every notebook runs again",
            why,
        )
        shutil.rmtree(folder)
        folder.mkdir()
    _forget_the_oldest(folder)
    config.nb_execution_cache_path = str(folder)


def _forget_the_oldest(folder: Path) -> None:
    from jupyter_cache import get_cache

    cache = get_cache(folder)
    if cache.get_cache_limit() != MOST_NOTEBOOKS:
        cache.change_cache_limit(MOST_NOTEBOOKS)
    cache.db.dispose()


def _outdated(
    app: Any, env: Any, added: set, changed: set, removed: set
) -> list[str]:
    """Name the pages whose code depends on something else than before."""
    return [
        page
        for page, metadata in env.metadata.items()
        if page not in removed
        and MARK in metadata
        and metadata[MARK] != _key(app, page)
    ]


def _note(app: Any, page: str, source: list[str]) -> None:
    """Note what the code of a page depends on while it is read."""
    if code_of(Path(app.env.doc2path(page))):
        app.env.metadata[page][MARK] = _key(app, page)


def _key(app: Any, page: str) -> str:
    code = code_of(Path(app.env.doc2path(page)))
    return dependencies.key(code, _package(app))


def _package(app: Any) -> Path:
    return Path(app.confdir) / "src" / "attn_course"


def setup(app: Any) -> None:
    """Connect to Sphinx."""
    app.connect("config-inited", _prepare_cache)
    app.connect("env-get-outdated", _outdated)
    app.connect("source-read", _note)
    # Before those that read the executed notebook.
    app.connect("doctree-read", _write_executed, priority=100)
