import importlib
import sys
import textwrap

import pytest

from attn_course.experiments import studies
from attn_course.experiments.code_hash import FRAME, code_hash, reached

START = {
    "task.py": """
        import numpy as np

        SIZE = 4

        def draw(rng):
            \"\"\"Draw numbers.\"\"\"
            return rng.normal(size=SIZE)  # (SIZE,)

        def unused():
            return np.zeros(3)
        """,
    "study.py": """
        import numpy as np
        from {package}.task import draw
        from {package} import task

        class Model:
            def __init__(self, width: int = 3):
                self.width = width

            def forward(self, x):
                return np.tanh(x) * self.width

        def one(seed):
            import torch
            model = Model(width=task.SIZE)
            return model.forward(draw(np.random.default_rng(seed)))
        """,
}
PACKAGES = iter(f"trial_package_{i}" for i in range(10_000))


@pytest.fixture
def hash_of(tmp_path, monkeypatch):
    """Write a package, give the hash of its `study.one`."""

    def write(files, root="study.one"):
        name = next(PACKAGES)
        folder = tmp_path / name
        folder.mkdir()
        for path, text in {"__init__.py": "", **files}.items():
            (folder / path).parent.mkdir(exist_ok=True)
            text = textwrap.dedent(text).replace("{package}", name)
            (folder / path).write_text(text)
        monkeypatch.syspath_prepend(tmp_path)
        importlib.invalidate_caches()
        module, function = f"{name}.{root}".rsplit(".", 1)
        loaded = importlib.import_module(module)
        return code_hash(getattr(loaded, function))

    yield write
    for name in [n for n in sys.modules if n.startswith("trial_package_")]:
        del sys.modules[name]


def edited(file, old, new):
    assert old in START[file]
    return {**START, file: START[file].replace(old, new)}


MEANS_THE_SAME = {
    "a comment": edited("task.py", "# (SIZE,)", "# other words"),
    "a docstring": edited("task.py", "Draw numbers.", "Take some."),
    "formatting": edited("task.py", "rng.normal(size=SIZE)",
                         "rng.normal(size=(SIZE))"),
    "an annotation": edited("task.py", "draw(rng):", "draw(rng: int) -> int:"),
    "what is not reached": edited("task.py", "zeros(3)", "ones(5)"),
    "the name of an import": edited(
        "study.py", "import numpy as np\n", "import numpy\n"
    ) | {"study.py": START["study.py"].replace("np.", "numpy.").replace(
        "import numpy as np", "import numpy")},
    "an import of the name itself": {
        **START,
        "study.py": START["study.py"]
        .replace("np.tanh", "tanh")
        .replace("import numpy as np", "import numpy as np\n"
                 "        from numpy import tanh"),
    },
    "an import inside": edited("study.py", "import torch", "import math"),
    "the name of a function": {
        "task.py": START["task.py"].replace("draw", "sample"),
        "study.py": START["study.py"].replace("draw", "sample"),
    },
    "a module elsewhere": {
        "study.py": START["study.py"].replace(
            "from {package} import task", "from {package}.deep import task"
        ).replace("{package}.task", "{package}.deep.task"),
        "deep/__init__.py": "",
        "deep/task.py": START["task.py"],
    },
    "a name that is passed on": {
        **START,
        "study.py": START["study.py"].replace(
            "from {package}.task import", "from {package}.pass_on import"
        ),
        "pass_on.py": "from {package}.task import draw\n",
    },
}  # fmt: skip
MEANS_OTHERWISE = {
    "a constant": edited("task.py", "SIZE = 4", "SIZE = 5"),
    "a function that is called": edited("task.py", "normal", "uniform"),
    "a method": edited("study.py", "np.tanh(x)", "np.sinh(x)"),
    "a default": edited("study.py", "width: int = 3", "width: int = 4"),
    "an argument": edited("study.py", "default_rng(seed)", "default_rng(1)"),
    "a name from outside": edited(
        "study.py", "import numpy as np", "import numpy.ma as np"
    ),
}


@pytest.mark.parametrize("files", MEANS_THE_SAME.values(), ids=MEANS_THE_SAME)
def test_what_can_not_change_a_number_does_not_count(hash_of, files):
    assert hash_of(files) == hash_of(START)


@pytest.mark.parametrize(
    "files", MEANS_OTHERWISE.values(), ids=MEANS_OTHERWISE
)
def test_what_can_change_a_number_counts(hash_of, files):
    assert hash_of(files) != hash_of(START)


def test_functions_may_call_each_other_and_themselves(hash_of):
    text = """
        def one(n):
            return other(n - 1) if n else 0

        def other(n):
            return one(n - {step}) + other(0)
        """
    first = hash_of({"study.py": text.replace("{step}", "1")})
    assert first == hash_of({"study.py": text.replace("{step}", "1")})
    assert first != hash_of({"study.py": text.replace("{step}", "2")})


def test_a_local_name_hides_a_global_one(hash_of):
    text = """
        def helper():
            return {number}

        def one(helper):
            return helper
        """
    assert hash_of({"study.py": text.replace("{number}", "1")}) == hash_of(
        {"study.py": text.replace("{number}", "2")}
    )


def test_a_root_must_have_a_definition():
    for wrong in (3, "name", print, lambda x: x):
        with pytest.raises(ValueError, match="expected a function or class"):
            code_hash(wrong)


def test_nothing_of_the_frame_is_followed():
    for study in studies().values():
        for one in reached(*study._roots()):
            assert one.rpartition(".")[0] not in FRAME


def test_a_module_that_is_imported_by_its_name_may_move(hash_of):
    study = """
        from importlib import import_module

        def one(seed):
            return import_module("{package}.PLACE").draw(seed)
        """
    task = "def draw(seed):\n    return seed"
    before, after = (
        hash_of(
            {f"{place}.py": task, "study.py": study.replace("PLACE", place)}
        )
        for place in ("task", "moved")
    )
    assert before == after
