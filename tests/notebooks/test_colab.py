"""The labs as Colab runs them: its versions, an empty folder, a first cell."""

import functools
import http.server
import re
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import colab
import course
import nbformat
import pytest
from first_cell import CLOSED, first_cell

LABS = sorted((course.ROOT / "notebooks").glob("*.ipynb"))
# Lab 5 brings BertViz, which Colab lacks; the others take `make test-all`.
QUICK = "05-seeing-attention"
ADDRESS = course.current_url(course.ROOT)
FIRST = first_cell(course.ROOT)


@pytest.fixture(scope="module")
def brought():
    return colab.prepare()


@pytest.fixture
def own(tmp_path, brought):
    """Make a machine; give the folder of what is installed on it."""
    links = tmp_path / "wheels"
    links.mkdir()
    return colab.machine(tmp_path, brought, brought / "wheels", links)


class Shelf(http.server.SimpleHTTPRequestHandler):
    """Serves a folder in the place of GitHub and notes what was asked."""

    def log_message(self, *arguments):
        self.server.asked.append(Path(self.path).name)


@pytest.fixture
def shelf(tmp_path):
    """Give a server: its address, what was asked, where archives go."""
    folder = tmp_path / "shelf"
    handler = functools.partial(Shelf, directory=folder)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.asked = []
        server.archives = folder / "me" / "course" / "archive"
        server.address = f"http://127.0.0.1:{server.server_port}/me/course"
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def execute(notebook, address, folder):
    """Run a notebook on a machine, with another address of the course."""
    path = folder / "lab.ipynb"
    text = nbformat.writes(notebook)
    path.write_text(text.replace(ADDRESS, address), "utf-8")
    program = Path(__file__).with_name("execute.py")
    subprocess.run([sys.executable, program, path, folder], check=True)
    return nbformat.read(path, 4).cells


def of_cells(*sources):
    cells = [nbformat.v4.new_code_cell(source) for source in sources]
    return nbformat.v4.new_notebook(cells=cells)


def outputs(cells):
    return [one for cell in cells for one in cell.get("outputs", [])]


def complaints(cells):
    """List errors and what was printed as a warning."""
    return [
        one.get("text", one.get("evalue"))
        for one in outputs(cells)
        if one.output_type == "error" or one.get("name") == "stderr"
    ]


def check_first(cell, own, brought):
    """The course was installed, in silence, and what Colab brings is left."""
    said = "".join(one.text for one in outputs([cell]))
    assert re.match(r"attn_course \S+ · Python \S+ · numpy 2\.", said), said
    names = colab.names_in(own)
    assert {"attn-course", "bertviz"} <= names
    assert not names & colab.names_in(brought / "packages")


@pytest.mark.parametrize("path", [
    pytest.param(
        path, id=path.stem,
        marks=[] if path.stem == QUICK else pytest.mark.slow,
    )
    for path in LABS
])  # fmt: skip
def test_a_lab_runs(path, own, brought, shelf, tmp_path):
    colab.archive(shelf.archives / "HEAD.zip")
    lab = nbformat.read(path, 4)
    cells = execute(lab, shelf.address, tmp_path)
    code = [cell for cell in cells if cell.cell_type == "code"]
    assert complaints(code) == []
    check_first(code[0], own, brought)
    shown = [one for one in outputs(code) if "data" in one]
    assert shown and all("text/plain" in one.data for one in shown)
    print(outputs(code[-1:])[0].text)


def test_every_lab_begins_with_the_same_cell():
    for path in LABS:
        cells = nbformat.read(path, 4).cells
        first = next(cell for cell in cells if cell.cell_type == "code")
        assert first.source == FIRST, "run python tools/first_cell.py"
        assert first.metadata == CLOSED


def test_a_release_comes_first_and_once(own, brought, shelf, tmp_path):
    version = re.search(r"v[0-9.]+\.zip", FIRST)[0]
    colab.archive(shelf.archives / "refs" / "tags" / version)
    # A new release of what must be installed wants another NumPy.
    colab.wheel(tmp_path / "wheels", "array_api_compat", "99.0", "numpy>=99")
    colab.wheel(tmp_path / "wheels", "numpy", "99.0")
    cells = execute(of_cells(FIRST, FIRST), shelf.address, tmp_path)
    assert complaints(cells) == []
    check_first(cells[0], own, brought)
    assert shelf.asked == [version]


def test_without_a_network_it_says_what_to_do(brought, shelf, tmp_path):
    colab.machine(tmp_path, brought)
    nobody = "http://127.0.0.1:9/me/course"
    cells = execute(of_cells(FIRST), nobody, tmp_path)
    error = outputs(cells)[0]
    assert error.ename == "SystemExit" and "Traceback" not in str(cells)
    assert "Connection refused" in error.evalue
    [gather] = re.findall(r"pip (wheel \S+);", error.evalue)
    [bring] = re.findall(r"%pip install .+", error.evalue)
    assert gather == f"wheel {nobody}/archive/HEAD.zip"
    # Done as it says, with what Colab lacks in the place of an index.
    colab.archive(shelf.archives / "HEAD.zip")
    content, wheels = tmp_path / "content", brought / "wheels"
    colab.pip(
        *gather.replace(nobody, shelf.address).split(), "--no-deps",
        "--no-index", "--find-links", wheels, "--wheel-dir", content,
    )  # fmt: skip
    shutil.copytree(wheels, content, dirs_exist_ok=True)
    cells = execute(of_cells(bring, FIRST), nobody, tmp_path)
    assert complaints(cells) == []
    assert outputs(cells[1:])[0].text.startswith("attn_course ")
