"""The cache of executed notebooks is looked at before it is trusted."""

import logging
import shutil
from pathlib import Path
from types import SimpleNamespace

import nbformat
import pytest
import tiny_book
from jupyter_cache import get_cache
from jupyter_cache.base import CacheBundleIn
from nbformat.v4 import new_code_cell, new_notebook, new_output

from attn_course.site import execution


def store(folder: Path, *sources: str) -> None:
    """Put notebooks of one cell into the cache, as MyST-NB does."""
    cache = get_cache(folder)
    for source in sources:
        said = new_output("stream", text=source)
        cell = new_code_cell(source, execution_count=1, outputs=[said])
        notebook = new_notebook(cells=[cell])
        cache.cache_notebook_bundle(CacheBundleIn(notebook, source))
    cache.db.dispose()


def kept(folder: Path, source: str) -> bool:
    """Tell whether the cache still knows a notebook."""
    cache = get_cache(folder)
    try:
        cache.match_cache_notebook(new_notebook(cells=[new_code_cell(source)]))
    except KeyError:
        return False
    finally:
        cache.db.dispose()
    return True


def entry(folder: Path) -> Path:
    return sorted((folder / "executed").glob("*/base.ipynb"))[0]


def row_without_a_file(folder: Path) -> None:
    shutil.rmtree(entry(folder).parent)


def rows_without_files(folder: Path) -> None:
    shutil.rmtree(folder / "executed")


def cut_entry(folder: Path) -> None:
    text = entry(folder).read_text("utf-8")
    entry(folder).write_text(text[: len(text) // 2], "utf-8")


def empty_entry(folder: Path) -> None:
    entry(folder).write_text("")


def entry_of_another_form(folder: Path) -> None:
    entry(folder).write_text("{}")


def entry_that_is_no_text(folder: Path) -> None:
    entry(folder).write_bytes(b"\xff\xfe\x00")


def entry_of_another_notebook(folder: Path) -> None:
    nbformat.write(new_notebook(), entry(folder))


def empty_database(folder: Path) -> None:
    (folder / "global.db").write_bytes(b"")


def garbage_database(folder: Path) -> None:
    (folder / "global.db").write_bytes(b"no database at all" * 500)


def cut_database(folder: Path) -> None:
    path = folder / "global.db"
    path.write_bytes(path.read_bytes()[:9000])


def database_that_is_a_folder(folder: Path) -> None:
    (folder / "global.db").unlink()
    (folder / "global.db").mkdir()


FAULTS = [
    row_without_a_file, rows_without_files, cut_entry, empty_entry,
    entry_of_another_form, entry_that_is_no_text, entry_of_another_notebook,
    empty_database, garbage_database, cut_database, database_that_is_a_folder,
]  # fmt: skip


@pytest.fixture
def book(tmp_path) -> Path:
    """Give the root of a book, in a folder whose name an address changes."""
    root = tmp_path / "a%20b?c#d"
    tiny_book.start(root, "")
    (root / "notebooks").mkdir()
    (root / "src" / "attn_course").mkdir(parents=True)
    return root


def use_cache(root: Path) -> Path:
    """Do what Sphinx does when a build begins; give the cache's folder."""
    config = SimpleNamespace()
    app = SimpleNamespace(confdir=str(root))
    execution._prepare_cache(app, config)
    return Path(config.nb_execution_cache_path)


@pytest.fixture
def told(caplog):
    """Collect what the extension says, whether or not Sphinx runs."""
    logger = logging.getLogger("sphinx.attn_course.site.execution")
    logger.addHandler(caplog.handler)
    level = logger.level
    logger.setLevel(logging.INFO)
    yield caplog
    logger.removeHandler(caplog.handler)
    logger.setLevel(level)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_cache_that_can_not_be_read_is_thrown_away_and_said(
    book, told, fault
):
    folder = use_cache(book)
    store(folder, "1 + 1", "2 + 2")
    fault(folder)
    assert use_cache(book) == folder
    lines = {record.getMessage() for record in told.records}
    (line,) = (line for line in lines if "executed notebooks" in line)
    assert "thrown away, and every notebook runs again" in line
    assert "\n" not in line
    assert not kept(folder, "1 + 1")
    store(folder, "1 + 1")
    assert execution.fault(folder) == ""


def test_a_cache_that_can_be_read_is_kept(book, told):
    folder = use_cache(book)
    store(folder, "1 + 1", "2 + 2")
    before = entry(folder).stat().st_mtime_ns
    for _ in range(2):
        assert use_cache(book) == folder
        assert kept(folder, "1 + 1") and kept(folder, "2 + 2")
    assert entry(folder).stat().st_mtime_ns == before
    assert told.records == []


def test_the_database_stands_in_the_folder_that_was_named(book, tmp_path):
    folder = use_cache(book)
    store(folder, "1 + 1")
    found = {path.relative_to(book) for path in tmp_path.rglob("*.db")}
    assert found == {folder.relative_to(book) / "global.db"}


PAGE = (
    """# A page

```{code-cell} python
---
tags: [one]
---
x = 1

y = 2
```

````{code-cell}
:tags: [two]
z = """
    + '"""'
    + """
```
"""
    + '"""'
    + """
````

```{code-cell} python
```
"""
)


def test_the_code_of_pages_and_notebooks_is_read(tmp_path):
    page = tiny_book.write(tmp_path, "page.md", PAGE)
    code = ["x = 1\n\ny = 2\n", 'z = """\n```\n"""\n', ""]
    assert execution.code_of(page) == code
    lab = tiny_book.write(
        tmp_path, "lab.ipynb", tiny_book.notebook("# Words", "x = 1", "x")
    )
    assert execution.code_of(lab) == ["x = 1", "x"]


def test_what_the_cells_depend_on_is_compared(book, monkeypatch):
    folder = use_cache(book)
    store(folder, "1 + 1")
    assert kept(folder, "1 + 1")
    monkeypatch.setattr(execution.dependencies, "key", lambda *_: "other")
    assert not kept(folder, "1 + 1")
    # What it depended on then is written beside it: nothing is damaged.
    assert execution.fault(folder) == ""


def test_the_oldest_notebooks_are_forgotten(book, monkeypatch):
    monkeypatch.setattr(execution, "MOST_NOTEBOOKS", 2)
    folder = use_cache(book)
    store(folder, "1", "2", "3")
    assert [kept(folder, one) for one in "123"] == [False, True, True]


def test_to_look_at_a_cache_writes_nothing(book):
    """A look on a full disk must not be what breaks it."""
    folder = use_cache(book)
    store(folder, "1 + 1")

    def state() -> dict:
        return {
            path: path.stat().st_mtime_ns
            for path in folder.rglob("*")
            if path.is_file()
        }

    before = state()
    assert execution.fault(folder) == ""
    assert state() == before
