"""The tree of the package: few rooms at its top, no import in a circle."""

import ast
from functools import cache
from pathlib import Path

import pytest

import attn_course
from attn_course import experiments

PACKAGE = Path(attn_course.__file__).parent
MODULES = {
    ".".join(
        ["attn_course", *path.relative_to(PACKAGE).with_suffix("").parts]
    ).removesuffix(".__init__"): path
    for path in PACKAGE.rglob("*.py")
}
# Those that run experiments, or show them.
USE_STUDIES = ("attn_course.experiments", "attn_course.site")


@cache
def imports(module: str) -> frozenset[str]:
    """List what a module imports of the package, type checking included."""
    tree = ast.parse(MODULES[module].read_text("utf-8"))
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            inside = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= inside & set(MODULES) or {node.module}
            if not inside <= set(MODULES):
                found.add(node.module)
    return frozenset(found & set(MODULES) - {module})


def at_the_start(module: str) -> frozenset[str]:
    """List what must be there before a module can be loaded, or checked."""
    tree = ast.parse(MODULES[module].read_text("utf-8"))
    inner = {
        id(node)
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        for node in ast.walk(function)
    }
    found = set()
    for node in ast.walk(tree):
        if id(node) in inner:
            continue
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            inside = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= inside & set(MODULES) or {node.module}
    return frozenset(found & set(MODULES) - {module})


def test_few_rooms_at_the_top():
    names = [path for path in PACKAGE.iterdir() if path.name != "__pycache__"]
    modules = [path.name for path in names if path.suffix == ".py"]
    folders = [path.name for path in names if path.is_dir()]
    assert len(modules) <= 20, sorted(modules)
    assert len(folders) <= 16, sorted(folders)


@pytest.mark.parametrize("module", sorted(MODULES))
def test_no_module_of_the_library_imports_experiments(module):
    if module.startswith(USE_STUDIES) or module == "attn_course.cli":
        return
    used = {m for m in imports(module) if m.startswith(USE_STUDIES[0])}
    assert used == set()


def studies() -> list[str]:
    return sorted({study.module for study in experiments.studies().values()})


@pytest.mark.parametrize("study", studies())
def test_a_study_imports_the_library_and_the_frame(study):
    assert imports(study).isdisjoint(studies())


def test_no_import_circle():
    """Remove what imports nothing that is left, until all is removed."""
    left = {module: set(at_the_start(module)) for module in MODULES}
    while free := [m for m, needs in left.items() if not needs & set(left)]:
        for module in free:
            del left[module]
    assert {m: sorted(n & set(left)) for m, n in left.items()} == {}
