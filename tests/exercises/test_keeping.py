"""What a learner keeps, and what later labs get."""

import linecache
import subprocess
import sys
import types

import numpy as np
import pytest

from attn_course import lab
from attn_course.exercises import exercise, keeping
from attn_course.exercises.keeping import FILE, keep, mine

LONG = 60  # seconds; nothing here takes so long

SOFTMAX = """\
def softmax(scores):
    xp = array_namespace(scores)
    exps = xp.exp(scores - xp.max(scores, axis=-1, keepdims=True))
    return exps / xp.sum(exps, axis=-1, keepdims=True)
"""
ATTENTION = """\
def attention(query, key, value):
    scores = query @ key.swapaxes(-1, -2) / query.shape[-1] ** 0.5
    return softmax(scores) @ value
"""


class Notebook:
    """A namespace in which cells run; their source is found, as in one."""

    def __init__(self):
        self.names, self.cells = {"__name__": "__main__"}, 0
        self.run("import numpy as np")
        self.run("from array_api_compat import array_namespace")

    def run(self, source):
        self.cells += 1
        name = f"<cell {id(self)} {self.cells}>"
        lines = source.splitlines(keepends=True)
        linecache.cache[name] = len(source), None, lines, name
        exec(compile(source, name, "exec"), self.names)

    def keep(self, source):
        """Run a cell with one function, and keep that."""
        self.run(source)
        name = source.partition("def ")[2].partition("(")[0]
        return keep(self.names[name])


@pytest.fixture
def notebook(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return Notebook()


@pytest.fixture
def file(tmp_path):
    return tmp_path / FILE


def kept(name="softmax"):
    return mine(name, seconds=LONG)


def is_the_courses(function):
    return function.__module__.startswith("attn_course.")


# Keeping


def test_what_is_kept_comes_back_and_is_said_to_be_ones_own(
    notebook, file, capsys
):
    result = notebook.keep(SOFTMAX)
    assert result.passed and FILE in result.message
    function = mine("softmax", seconds=LONG)
    assert not is_the_courses(function)
    assert "softmax: yours" in capsys.readouterr().out
    weights = function(np.array([0.0, 0.0]))
    np.testing.assert_array_equal(weights, [0.5, 0.5])


def test_the_file_is_a_module_that_needs_no_notebook(notebook, file):
    notebook.keep(SOFTMAX)
    notebook.keep(ATTENTION)
    code = (
        "import numpy as np, my_attention as m\n"
        "x = np.eye(2)\n"
        "assert m.attention(x, x, x).shape == (2, 2)"
    )
    subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        cwd=file.parent,
        check=True,
    )


def test_a_function_is_replaced_and_what_else_is_there_stays(notebook, file):
    notebook.keep(SOFTMAX)
    text = file.read_text("utf-8") + "\n\n# mine\nLUCKY = 7\n"
    file.write_text(text, "utf-8")
    notebook.keep(ATTENTION)
    other = SOFTMAX.replace("exps", "shares")
    notebook.keep(other)
    text = file.read_text("utf-8")
    assert text.count("def softmax") == text.count("def attention") == 1
    assert "shares" in text and "exps" not in text
    assert "# mine\nLUCKY = 7" in text
    assert text.count("import array_namespace") == 1
    before = text
    notebook.keep(other)
    assert file.read_text("utf-8") == before


@pytest.mark.parametrize(
    ("setup", "expression", "line"),
    [
        ("import numpy as np", "np.exp", "import numpy as np"),
        ("import numpy", "numpy.exp", "import numpy"),
        ("from numpy import exp", "exp", "from numpy import exp"),
        ("from numpy import exp as e", "e", "from numpy import exp as e"),
        ("import numpy.linalg as la", "la.norm", "import numpy.linalg as la"),
        ("from math import sqrt", "sqrt", "from math import sqrt"),
        (
            "from array_api_compat import array_namespace as ns",
            "ns",
            "from array_api_compat import array_namespace as ns",
        ),
        (
            "from attn_course import attention_weights",
            "attention_weights",
            "from attn_course import attention_weights",
        ),
    ],
)
def test_the_imports_that_it_needs_go_with_it(
    notebook, file, setup, expression, line
):
    notebook.run(setup)
    source = (
        "def score(query, key):\n"
        f"    assert {expression} is not None\n"
        "    return key @ query\n"
    )
    assert notebook.keep(source).passed
    assert f"\n{line}\n" in file.read_text("utf-8")
    assert not is_the_courses(kept("score"))


@pytest.mark.parametrize(
    ("setup", "source", "names"),
    [
        ("one = 1.0", "return key @ query * one", ["one"]),
        (
            "def dot(a, b): return a @ b\nzero = 0",
            "return dot(key, query) + zero",
            ["dot", "zero"],
        ),
        ("sum = 0", "return key @ query + sum", ["sum"]),
        ("table = np.ones(3)", "return key @ query * table[0]", ["table"]),
        ("class A: x = 0", "return key @ query + A.x", ["A"]),
        ("n = 1", "return (lambda: key @ query * n)()", ["n"]),
        ("n = 1", "return [k @ query * n for k in [key]][0]", ["n"]),
    ],
)
def test_names_of_the_notebook_are_refused_by_name(
    notebook, file, setup, source, names
):
    notebook.run(setup)
    result = notebook.keep(f"def score(query, key):\n    {source}\n")
    assert not result.passed and not file.exists()
    assert ", ".join(f"`{name}`" for name in names) in result.message


def test_a_default_of_the_notebook_is_refused_too(notebook, file):
    notebook.run("factor = 1.0")
    result = notebook.keep(
        "def score(query, key, by=factor):\n    return key @ query * by\n"
    )
    assert "`factor`" in result.message and not file.exists()


def test_a_name_inside_the_function_is_its_own(notebook):
    source = (
        "def score(query, key):\n"
        "    import math\n"
        "    one = math.cos(0)\n"
        "    def dot(a):\n"
        "        return a @ query * one\n"
        "    return dot(key)\n"
    )
    assert notebook.keep(source).passed


def test_another_exercises_function_is_to_be_kept_first(notebook, file):
    notebook.run(SOFTMAX)
    assert "`softmax`" in notebook.keep(ATTENTION).message
    notebook.keep(SOFTMAX)
    assert notebook.keep(ATTENTION).passed
    # Another one than that in the file would not be the one checked.
    notebook.run(SOFTMAX.replace("exps", "shares"))
    assert "`softmax`" in notebook.keep(ATTENTION).message


def test_a_later_lab_builds_on_what_is_kept(notebook, file):
    notebook.keep(SOFTMAX)
    later = Notebook()
    later.names["softmax"] = kept()
    assert later.keep(ATTENTION).passed
    weights = (
        "def attention_weights(query, key):\n"
        "    return softmax(key @ query / np.sqrt(len(query)))\n"
    )
    assert later.keep(weights).passed  # a new import moved all lines
    assert later.keep(weights).passed
    assert not is_the_courses(kept("attention_weights"))


def test_what_is_not_right_is_not_kept(notebook, file):
    wrong = SOFTMAX.replace(
        "scores - xp.max(scores, axis=-1, keepdims=True)", "scores"
    )
    result = notebook.keep(wrong)
    assert result.mistake == "no_maximum_subtracted"
    assert "`softmax` is not kept" in result.message and not file.exists()
    assert notebook.keep("def softmax(scores):\n    ...\n").state == "untried"


def test_what_has_no_source_or_no_name_is_not_kept(notebook, file):
    namespace = dict(notebook.names)
    exec(SOFTMAX, namespace)
    assert "source" in keep(namespace["softmax"]).message

    class Softmax:
        __name__ = "softmax"

        def __call__(self, scores):
            return exercise("3.2").reference(scores)

    notebook.run("score = lambda query, key: key @ query")
    notebook.names["score"].__name__ = "score"
    for other in (Softmax(), notebook.names["score"], len, None, 3):
        assert "def" in keep(other).message
    assert not file.exists()


def test_a_file_that_is_no_python_is_left_alone(notebook, file):
    file.write_text("def softmax(:\n", "utf-8")
    result = notebook.keep(SOFTMAX)
    assert "line 1" in result.message and not result.passed
    assert file.read_text("utf-8") == "def softmax(:\n"


def test_what_would_be_wrong_in_the_file_is_not_kept(notebook, file):
    file.write_text("array_namespace = None\n", "utf-8")
    result = notebook.keep(SOFTMAX)
    assert not result.passed
    assert file.read_text("utf-8") == "array_namespace = None\n"


def test_a_folder_that_can_not_be_written_is_told(notebook, file):
    file.mkdir()
    assert "can't be read" in notebook.keep(SOFTMAX).message


# What later labs get


def test_without_a_file_it_is_the_courses(notebook, capsys):
    function = mine("attention")
    assert function is exercise("3.5").reference
    said = capsys.readouterr().out
    assert said == "attention: the course's. Yours is not kept yet.\n"


def test_a_name_that_no_exercise_asks_for_is_an_error(notebook):
    with pytest.raises(ValueError, match=r"score, softmax.*got 'attend_'"):
        mine("attend_")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("def softmax(:\n", "no valid Python, line 1"),
        ("\0", "no valid Python"),
        ("def score(query, key):\n    return key @ query\n", "not kept yet"),
        (SOFTMAX, "not right"),  # its import is missing
        ("raise ValueError('<b>')\n" + SOFTMAX, "ValueError: <b>"),
        ("while True:\n    pass\n" + SOFTMAX, "did not end"),
        ("exit()\n" + SOFTMAX, "ends Python"),
        ("import os\nos._exit(3)\n" + SOFTMAX, "ends Python"),
        ("import sys\nsys.exit(3)\n" + SOFTMAX, "ends Python"),
        ("import nowhere_to_be_found\n" + SOFTMAX, "ModuleNotFoundError"),
        (SOFTMAX + "del softmax\n", "not right"),
        ("def softmax(scores):\n    return scores\n", "not right"),
        ("def softmax(scores):\n    exit()\n", "ends Python"),
        ("def softmax(x):\n    while True:\n        pass\n", "never ends"),
    ],
)
def test_whatever_stands_in_the_file_one_gets_the_courses(
    notebook, file, capsys, text, words
):
    file.write_text(text, "utf-8")
    assert is_the_courses(mine("softmax"))
    said = capsys.readouterr().out
    assert said.startswith("softmax: the course's.") and words in said


def test_what_is_no_text_is_the_courses(notebook, file, capsys):
    file.write_bytes(b"\xff\xfe\x00")
    assert is_the_courses(mine("softmax"))
    assert "can't be read" in capsys.readouterr().out


def test_many_slow_calls_end_together(notebook, file, capsys):
    file.write_text(
        "import time\nfrom array_api_compat import array_namespace\n"
        + SOFTMAX.replace("    xp", "    time.sleep(0.3)\n    xp"),
        "utf-8",
    )
    assert is_the_courses(mine("softmax", seconds=0.5))
    assert "not right" in capsys.readouterr().out


# Colab


@pytest.fixture
def colab(monkeypatch):
    """Pretend to be on Colab; note what is downloaded."""
    google, colab, files = map(
        types.ModuleType, ("google", "google.colab", "google.colab.files")
    )
    files.downloaded, files.uploaded = [], {}
    files.download = files.downloaded.append
    files.upload = lambda: files.uploaded
    for module in (google, colab, files):
        monkeypatch.setitem(sys.modules, module.__name__, module)
    return files


def test_elsewhere_nothing_is_to_be_done(notebook, capsys):
    lab.download_mine()
    lab.upload_mine()
    said = capsys.readouterr().out
    assert said.count("Nothing to be done here") == 2


def test_on_colab_it_is_downloaded_and_comes_back(
    notebook, file, colab, capsys
):
    lab.download_mine()
    assert "Nothing is kept yet" in capsys.readouterr().out
    notebook.keep(SOFTMAX)
    lab.download_mine()
    assert colab.downloaded == [str(file)]
    colab.uploaded["my_attention (1).py"] = file.read_bytes()
    file.unlink()
    lab.upload_mine(ask=False)
    assert not file.exists()
    lab.upload_mine()
    assert not is_the_courses(kept())


def test_on_colab_a_dialog_that_is_closed_changes_nothing(
    notebook, file, colab, capsys
):
    lab.upload_mine()
    assert "No file came" in capsys.readouterr().out and not file.exists()


def test_labs_have_it_by_name():
    for name in ("keep", "mine", "download_mine", "upload_mine"):
        assert getattr(lab, name) is getattr(keeping, name)
