"""Lab 3 as a learner leaves it: all exercises solved, all answers kept."""

import re

import course
import nbformat
import pytest
from nbclient import NotebookClient

from attn_course.exercises import exercise

LAB = course.ROOT / "notebooks" / "03-query-key-value.ipynb"
KEPT = ("score", "softmax", "attention_weights", "attention_output",
        "attention", "key_gradient")  # fmt: skip


def solved(notebook):
    """Write the solutions where answers belong."""
    for cell in notebook.cells:
        number = re.fullmatch(r"answer-3-(\d+)", cell.get("id", ""))
        if number is None:
            continue
        ex = exercise(f"3.{number[1]}")
        name = ex.reference.__name__
        if ex.checked == name:
            cell.source = f"{ex.solution().code}\n\n\nex.check({name})"
        else:
            cell.source = (
                f"{ex.solution().code}\n\n\n{ex.checked} = {name}()\n"
                f"ex.check({ex.checked})"
            )
        if number[1] == "10":
            last = notebook.cells[notebook.cells.index(cell) + 1]
            last.source = last.source.rpartition("\n")[2]
    return notebook


@pytest.fixture(scope="module")
def executed(tmp_path_factory):
    """Run the solved lab in an empty folder; give its cells and the folder."""
    folder = tmp_path_factory.mktemp("lab")
    notebook = solved(nbformat.read(LAB, 4))
    NotebookClient(
        notebook,
        timeout=120,
        kernel_name="python3",
        resources={"metadata": {"path": str(folder)}},
    ).execute()
    return {cell.id: cell for cell in notebook.cells}, folder


def said(cell):
    """Join all that a cell shows, as text."""
    return "\n".join(
        one.get("text") or one["data"].get("text/plain", "")
        for one in cell.outputs
    )


def test_every_answer_is_right(executed):
    cells, _ = executed
    checks = [x for x in cells if re.match(r"answer-3-|measure-3-", x)]
    assert len(checks) == 13
    for name in checks:
        assert "✓ Right." in said(cells[name]), name


def test_answers_are_kept_and_used_from_there_on(executed):
    cells, folder = executed
    kept = said(cells["keep-pieces"]) + said(cells["keep-gradient"])
    for name in KEPT:
        assert f"`{name}` is kept" in kept
    text = (folder / "my_attention.py").read_text("utf-8")
    assert re.findall(r"^def (\w+)", text, re.M) == list(KEPT)
    later = said(cells["torch"]) + said(cells["train-keys"])
    for name in ("attention", "softmax", "key_gradient"):
        assert f"{name}: yours" in later


def test_mended_versions_show_no_symptom(executed):
    cells, _ = executed
    assert "[1. 1. 1. 1.]" in said(cells["symptom-a"])
    assert "[1. 0. 0. 0.]" in said(cells["symptom-b"])
    assert said(cells["symptom-c"]).count("shape (1, 1), the query is now "
                                          "[1. 0. 1. 0.]") == 2  # fmt: skip


def test_keys_learn_to_be_found(executed):
    cells, _ = executed
    assert "step   0: loss 2.77" in said(cells["train-keys"])
    assert "step 400: loss 0.0" in said(cells["train-keys"])
    errors = re.findall(r"squared error (\S+),", said(cells["autograd-keys"]))
    assert float(errors[-1]) < 0.1 * float(errors[0])
