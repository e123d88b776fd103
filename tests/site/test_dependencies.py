"""What a notebook depends on: what its cells import, and no more."""

import pytest
from tiny_book import write

from attn_course.site.dependencies import dependencies, key

DYNAMIC = "from pkgutil import iter_modules"
FILES = {
    "constraints.txt": "torch==2.13.0\n",
    "src/attn_course/__init__.py": """
import lazy_loader as lazy
__getattr__, __dir__, __all__ = lazy.attach(
    __name__, submod_attrs={"functional": ["attention"]}
)
""",
    "src/attn_course/functional.py": "from attn_course import masks\n",
    "src/attn_course/masks.py": "x = 1\n",
    "src/attn_course/figures.py": "def f():\n    import attn_course.masks\n",
    "src/attn_course/claims/__init__.py": "",
    "src/attn_course/claims/chapter_03.toml": "",
    "src/attn_course/exercises/__init__.py": DYNAMIC,
    "src/attn_course/exercises/chapter03/one.py": "",
    "src/attn_course/widgets/__init__.py": "",
    "src/attn_course/widgets/static/heatmap.js": "",
    "src/attn_course/experiments/__init__.py": DYNAMIC,
    "src/attn_course/experiments/dyck.py": "",
    "src/attn_course/data/__init__.py": "",
    "src/attn_course/data/photos/cafe.jpg": "",
    "src/attn_course/data/recordings/dyck.json": "",
    "src/attn_course/data/recordings/dyck-long.json": "",
    "src/attn_course/site/icons.py": "x = 1\n",
}
DATA = {"data/__init__.py", "data/photos/cafe.jpg"}


@pytest.fixture
def package(tmp_path):
    for name, text in FILES.items():
        write(tmp_path, name, text)
    return tmp_path / "src" / "attn_course"


@pytest.mark.parametrize(
    "code, expected",
    [
        ("import numpy", set()),
        ("from attn_course import masks", {"masks.py"}),
        ("from attn_course import figures", {"figures.py", "masks.py"}),
        (
            "from attn_course import attention",
            {"__init__.py", "functional.py", "masks.py"},
        ),
        (
            "import attn_course\nattn_course.attention(q, k, v)",
            {"__init__.py", "functional.py", "masks.py"},
        ),
        ("%time\nfrom attn_course.masks import x", {"masks.py"}),
        ("from attn_course import claims", {"claims/__init__.py"}),
        (
            "from attn_course.exercises import check",
            {"exercises/__init__.py", "exercises/chapter03/one.py"},
        ),
        (
            "from attn_course.widgets import X",
            {"widgets/__init__.py", "widgets/static/heatmap.js"},
        ),
        ("from attn_course.experiments import dyck", {"experiments/dyck.py"}),
        (
            'from attn_course.data import load_recording as l\nl("dyck")',
            DATA | {"data/recordings/dyck.json"},
        ),
        (
            "from attn_course.data import load_recording\n"
            'load_recording(f"dyck{end}")',
            DATA
            | {"data/recordings/dyck.json", "data/recordings/dyck-long.json"},
        ),
    ],
)
def test_imports_are_followed(package, code, expected):
    found = dependencies([code], package)
    names = {path.relative_to(package).as_posix() for path in found}
    if code.startswith("%"):
        names -= {"__init__.py", "functional.py"}
    assert names == expected


@pytest.mark.parametrize(
    "name, changes",
    [
        ("constraints.txt", True),
        ("src/attn_course/masks.py", True),
        ("src/attn_course/figures.py", False),
        ("src/attn_course/site/icons.py", False),
        ("src/attn_course/data/recordings/dyck.json", False),
    ],
)
def test_an_edit_counts_where_it_is_used(package, name, changes):
    code = ["from attn_course import attention"]
    before = key(code, package)
    write(package.parents[1], name, "x = 2\n")
    assert (key(code, package) != before) is changes


def test_a_new_constant_in_a_cell_is_not_the_packages_business(package):
    one, two = (["from attn_course import masks", x] for x in ("1", "2"))
    assert key(one, package) == key(two, package)
