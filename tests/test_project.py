"""The project's own files agree with each other."""

import ast
import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import course
import pytest
import yaml
from IPython.core.inputtransformer2 import TransformerManager

import attn_course

ROOT = course.ROOT
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))


def read_yaml(name: str) -> dict:
    return yaml.safe_load((ROOT / name).read_text("utf-8"))


def pages_of(toc: dict) -> list[str]:
    """List every page that a table of contents names."""
    pages = [toc["root"]] if "root" in toc else []
    for part in toc.get("parts", []):
        pages += pages_of(part)
    for entry in [*toc.get("chapters", []), *toc.get("sections", [])]:
        pages += [entry["file"], *pages_of(entry)]
    return pages


def test_versions_agree():
    version = PYPROJECT["project"]["version"]
    assert attn_course.__version__ == version
    assert read_yaml("CITATION.cff")["version"] == version
    changes = (ROOT / "CHANGELOG.md").read_text("utf-8")
    assert f"\n## {version}" in changes


def test_every_place_names_the_same_pythons():
    (_, first), (_, last) = course.OLDEST, course.NEWEST
    numbers = [f"3.{number}" for number in range(first, last + 1)]
    wanted = f">={numbers[0]},<3.{last + 1}"
    assert PYPROJECT["project"]["requires-python"] == wanted
    jobs = read_yaml(".github/workflows/test.yml")["jobs"]
    assert jobs["package"]["strategy"]["matrix"]["python"] == numbers
    said = f"Python {', '.join(numbers[:-1])} or {numbers[-1]}"
    for name in ("README.md", "Makefile", "book/how-to-use.md"):
        assert said in (ROOT / name).read_text("utf-8"), name
    with pytest.raises(course.CourseError, match=re.escape(said)):
        course.check_python((3, last + 1))


def test_the_environment_installs_the_project_by_pip_and_nothing_else():
    environment = read_yaml("environment.yml")
    *conda, pip = environment["dependencies"]
    assert [re.split("[=<>]", name)[0] for name in conda] == ["python", "pip"]
    project = [line for line in pip["pip"] if not line.startswith("-c ")]
    assert project == ["-e .[notebooks]"]
    assert set(pip["pip"]) - set(project) <= {"-c constraints.txt"}


def test_one_address_stands_everywhere():
    url = read_yaml("_config.yml")["repository"]["url"]
    assert course.URL_PATTERN.fullmatch(url)
    assert course.current_url(ROOT) == url
    assert read_yaml("CITATION.cff")["repository-code"] == url
    assert PYPROJECT["project"]["urls"]["Homepage"] == url
    assert url in (ROOT / "README.md").read_text("utf-8")
    name = re.escape(course.short(url).split("/")[1])
    for path in course.url_files(ROOT):
        # Whatever ends in this repository's name belongs to this owner.
        found = re.findall(
            rf"https://github\.com/[\w.-]+/{name}(?![\w-])",
            path.read_text("utf-8"),
        )
        assert set(found) <= {url}, path.name


def test_the_first_cell_installs_from_the_public_address():
    url = read_yaml("_config.yml")["repository"]["url"]
    for path in NOTEBOOKS:
        for address in re.findall(
            r"https://github\.com/[\w./-]+", path.read_text("utf-8")
        ):
            assert address.startswith(url), f"{path.name}: {address}"


def hooks() -> dict[str, dict]:
    repos = read_yaml(".pre-commit-config.yaml")["repos"]
    return {hook["id"]: hook for repo in repos for hook in repo["hooks"]}


def test_notebooks_are_committed_without_outputs(tmp_path):
    """The hook finds nothing to strip, and would find an output."""
    command = [Path(sys.executable).with_name("nbstripout"), "--verify"]
    command += hooks()["nbstripout"]["entry"].split()[1:]

    def to_strip(*paths: Path) -> str:
        return subprocess.run(
            [*command, *paths], capture_output=True, text=True
        ).stdout

    assert to_strip(*NOTEBOOKS) == ""
    with_output = json.loads(NOTEBOOKS[0].read_text("utf-8"))
    cell = next(c for c in with_output["cells"] if "outputs" in c)
    cell["execution_count"] = 1
    (tmp_path / "a.ipynb").write_text(json.dumps(with_output), "utf-8")
    assert "would have stripped" in to_strip(tmp_path / "a.ipynb")


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_notebooks_name_a_kernel_that_everybody_has(path: Path):
    notebook = json.loads(path.read_text("utf-8"))
    kernel = notebook["metadata"]["kernelspec"]["name"]
    assert kernel == "python3", "another kernel's name exists on one machine"
    # These two would let outputs pass the hook.
    assert "keep_output" not in path.read_text("utf-8")
    assert "init_cell" not in path.read_text("utf-8")


def test_hooks_use_the_versions_that_the_tests_use():
    lines = (ROOT / "constraints.txt").read_text("utf-8").splitlines()
    web = json.loads((ROOT / "web" / "package.json").read_text("utf-8"))
    biome = web["devDependencies"]["@biomejs/biome"]
    known = {*lines, f"@biomejs/biome@{biome}"}
    found = hooks()
    assert {"ruff", "ruff-format", "nbstripout", "biome"} <= set(found)
    for name, hook in found.items():
        pins = hook["additional_dependencies"]
        assert pins, name
        assert set(pins) <= known, name


def loads(code: str) -> list[tuple[str, bool]]:
    """List the models that a cell loads, and whether it bears their lack."""

    def walk(node: ast.AST, guarded: bool) -> Iterator[tuple[str, bool]]:
        if isinstance(node, ast.Try):
            caught = [ast.unparse(h.type) for h in node.handlers if h.type]
            for part in node.body:
                yield from walk(
                    part, guarded or "ModuleNotFoundError" in caught
                )
            return
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "load":
            yield ast.unparse(node.args[0]), guarded
        for child in ast.iter_child_nodes(node):
            yield from walk(child, guarded)

    plain = TransformerManager().transform_cell(code)
    return list(walk(ast.parse(plain), False))


def test_a_load_without_its_guard_is_seen():
    cell = "try:\n    load('a')\nexcept ModuleNotFoundError:\n    pass\n"
    assert loads(cell) == [("'a'", True)]
    assert loads("x = load('b').layers") == [("'b'", False)]


def test_notebooks_run_without_the_models():
    """Each cell that loads one says what to run where it is missing."""
    found = [
        (path.stem, *load)
        for path in NOTEBOOKS
        for cell in json.loads(path.read_text("utf-8"))["cells"]
        if cell["cell_type"] == "code"
        for load in loads("".join(cell["source"]))
    ]
    assert len(found) >= 3
    assert [load for load in found if not load[2]] == []


def test_every_page_is_in_the_table_of_contents():
    listed = pages_of(read_yaml("_toc.yml"))
    assert len(listed) == len(set(listed))
    found = {
        path.relative_to(ROOT).with_suffix("").as_posix()
        for folder, ending in (("book", "*.md"), ("notebooks", "*.ipynb"))
        for path in (ROOT / folder).rglob(ending)
    }
    assert set(listed) == found


def test_each_notebook_has_its_page():
    for path in NOTEBOOKS:
        assert (ROOT / "book" / f"{path.stem}.md").is_file()


def test_no_folder_gives_its_scripts_to_every_page():
    # Jupyter Book would add every .js and .css in it to every page.
    assert not (ROOT / "_static").exists()


def test_every_dependency_is_pinned():
    pinned = {
        re.split("[=<>]", line)[0].strip().lower().replace("_", "-")
        for line in (ROOT / "constraints.txt").read_text("utf-8").splitlines()
        if line and not line.startswith("#")
    }
    project = PYPROJECT["project"]
    wanted = [*project["dependencies"]]
    for extra in project["optional-dependencies"].values():
        wanted += extra
    names = {
        re.split(r"[\[=<>;! ]", name)[0].lower().replace("_", "-")
        for name in wanted
    }
    assert names <= pinned


def test_pins_name_public_versions_only():
    # A local version such as 2.13.0+cpu exists on one index alone.
    text = (ROOT / "constraints.txt").read_text("utf-8")
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    assert all(re.fullmatch(r"[\w.-]+==[\w.]+", line) for line in lines)
