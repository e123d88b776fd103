"""Keep what a learner wrote: `my_attention.py`, beside the notebooks.

`keep` writes an answer there once it is right; `mine` gives it back to later
labs, checked again, and the course's own where there is none. The file is
the learner's: whatever stands in it, `mine` comes back.
"""

import ast
import builtins
import importlib
import inspect
import symtable
import sys
import textwrap
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from attn_course.exercises import exercise, exercise_ids
from attn_course.exercises.checking import check
from attn_course.exercises.core import Exercise
from attn_course.exercises.feedback import Result, said
from attn_course.exercises.gradients import has_torch
from attn_course.exercises.limits import call
from attn_course.exercises.quest import Quest

__all__ = ["download_mine", "keep", "mine", "upload_mine"]

FILE = "my_attention.py"
HEAD = '''"""What I wrote in the labs, and the course checked.

`keep(f)` puts a function here or replaces it, `mine("f")` takes it out.
"""
'''


class Unkept(Exception):
    """Says why a function can't be kept, or used."""


def keep(function: Callable) -> Result:
    """Write a right answer into `my_attention.py`; say what was done.

    The exercise is found by the function's name. What is not right, has no
    source, or needs a name of the notebook that the file would not have, is
    not kept, and the result says why. Raises nothing.
    """
    name = getattr(function, "__name__", "it")
    try:
        ex = _exercise_of(name)
        result = ex.check(function)
        if not result.passed:
            return Result(
                False,
                result.mistake,
                f"`{name}` is not kept. {result.message}",
                result.example,
            )
        text = _with(_read(), function)
        _check_file(text, ex)
        _write(text)
    except Unkept as error:
        return Result(False, "not_kept", f"`{name}` is not kept. {error}")
    return Result(
        True,
        None,
        f"`{name}` is kept in {FILE}. {result.message}",
    )


def mine(name: str, *, seconds: float = 1.0) -> Callable:
    """Give the learner's own function, or the course's; print which.

    What was kept is checked again, which takes `seconds` at most.

    Raises
    ------
    ValueError
        When no exercise asks for a function of this name; the message lists
        those that there are.
    """
    found = _exercises()
    if name not in found:
        raise ValueError(
            f"expected one of the functions {', '.join(found)}, got {name!r}"
        )
    try:
        function = _kept(_read(), found[name], seconds)
    except Unkept as error:
        print(f"{name}: the course's. {error}")
        return found[name].reference
    print(f"{name}: yours, from {FILE}, checked again.")
    return function


# Which exercise it is


def _exercises() -> dict[str, Exercise]:
    """Give the exercises whose answer is a function, by its name."""
    every = map(exercise, exercise_ids())
    return {
        ex.reference.__name__: ex for ex in every if not isinstance(ex, Quest)
    }


def _exercise_of(name: str) -> Exercise:
    """Find the exercise that asks for a function of this name."""
    found = _exercises()
    if name not in found:
        raise Unkept(
            f"No exercise asks for a function called “{name}”: write it with "
            "`def`, under the name that its exercise gives."
        )
    return found[name]


# What the file would need


def _source(function: Any) -> str:
    """Give the source of a plain function."""
    if not isinstance(function, types.FunctionType):
        raise Unkept("Only a function that was written with `def` is kept.")
    try:
        source = textwrap.dedent(inspect.getsource(function))
        (node,) = ast.parse(source).body
    except (OSError, TypeError, SyntaxError, ValueError):
        raise Unkept(
            "Its source can't be found: write it in a cell with `def`."
        ) from None
    if getattr(node, "name", "") != function.__name__:
        raise Unkept("Only a function that was written with `def` is kept.")
    return source.strip()


def _names(source: str) -> set[str]:
    """List the names that a function takes from outside of itself."""

    def inside(table: symtable.SymbolTable) -> Iterator[str]:
        for symbol in table.get_symbols():
            if symbol.is_global():
                yield symbol.get_name()
        for child in table.get_children():
            yield from inside(child)

    top = symtable.symtable(source, FILE, "exec")
    found = {x.get_name() for x in top.get_symbols() if x.is_referenced()}
    for child in top.get_children():
        found.update(inside(child))
    defined = {x.get_name() for x in top.get_symbols() if x.is_assigned()}
    return found - defined


def _imports(function: Any, source: str, kept: dict[str, str]) -> list[str]:
    """Write the imports that the function needs; refuse other names.

    `kept` has the sources of the functions in the file, by name.
    """
    lines, lacking = [], []
    closed = dict(
        zip(
            function.__code__.co_freevars,
            function.__closure__ or (),
            strict=True,
        )
    )
    for name in sorted(_names(source)):
        if name in closed or name not in function.__globals__:
            if name in closed or not hasattr(builtins, name):
                lacking.append(name)
            continue
        value = function.__globals__[name]
        line = _import_of(name, value)
        if line:
            lines.append(line)
        elif name not in kept or not _is_that(value, kept[name]):
            lacking.append(name)
    if lacking:
        which = ", ".join(f"`{name}`" for name in lacking)
        raise Unkept(
            f"It uses {which} of this notebook, which {FILE} does not have: "
            "`keep` it first if an exercise asks for it, else write it "
            "inside the function."
        )
    return lines


def _import_of(name: str, value: Any) -> str:
    """Write the import that brings a value; "" where there is none."""
    if isinstance(value, types.ModuleType):
        module = value.__name__
        plain = module == name
        return f"import {module}" if plain else f"import {module} as {name}"
    module = getattr(value, "__module__", None) or ""
    own = getattr(value, "__qualname__", getattr(value, "__name__", ""))
    # The package that has it comes before the file where it is written.
    parts = module.split(".")
    for i in range(1, len(parts) + 1):
        place = ".".join(parts[:i])
        if place == "__main__" or place not in sys.modules:
            continue
        if getattr(sys.modules[place], own, None) is value:
            alias = "" if own == name else f" as {name}"
            return f"from {place} import {own}{alias}"
    return ""


def _is_that(value: Any, source: str) -> bool:
    """Say whether a value of the notebook is a function of the file."""
    code = getattr(value, "__code__", None)
    if code is not None and code.co_filename == str(_path()):
        return True
    try:
        return _source(value) == source
    except Unkept:
        return False


# The file


def _path() -> Path:
    """Say where the file is: a notebook runs in its own folder."""
    return Path.cwd() / FILE


def _read() -> str:
    """Read the file; "" where there is none."""
    try:
        return _path().read_text("utf-8")
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError) as error:
        raise Unkept(f"{FILE} can't be read: {said(error)}.") from None


def _parse(text: str) -> ast.Module:
    """Parse the file's text."""
    try:
        return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        place = getattr(error, "lineno", None)
        line = f", line {place}" if place else ""
        raise Unkept(
            f"{FILE} is no valid Python{line} ({said(error)}): mend it there, "
            "or give it another name."
        ) from None


def _with(text: str, function: Callable) -> str:
    """Put a function into the file's text, or in the place of its former."""
    source, tree = _source(function), _parse(text)
    lines = (text or HEAD).splitlines()
    tree = tree if text else _parse(HEAD)
    kept = {
        node.name: "\n".join(lines[_start(node) - 1 : node.end_lineno])
        for node in tree.body
        if isinstance(node, ast.FunctionDef)
    }
    imports = _imports(function, source, kept)
    for node in tree.body:
        if (
            isinstance(node, ast.FunctionDef)
            and node.name == function.__name__
        ):
            lines[_start(node) - 1 : node.end_lineno] = source.splitlines()
            break
    else:
        lines += ["", "", *source.splitlines()]
    there = {
        ast.unparse(node)
        for node in tree.body
        if isinstance(node, ast.Import | ast.ImportFrom)
    }
    new = [line for line in imports if line not in there]
    at = _after_head(tree)
    lines[at:at] = ([""] if new and not there else []) + new
    return "\n".join(lines) + "\n"


def _start(node: ast.FunctionDef) -> int:
    """Say in which line a function begins, decorators included."""
    return min([node.lineno, *(x.lineno for x in node.decorator_list)])


def _after_head(tree: ast.Module) -> int:
    """Say after which line imports belong: docstring and other imports."""
    last = 0
    for i, node in enumerate(tree.body):
        is_docstring = i == 0 and isinstance(node, ast.Expr)
        if not is_docstring and not isinstance(
            node, ast.Import | ast.ImportFrom
        ):
            break
        last = node.end_lineno or 0
    return last


def _check_file(text: str, ex: Exercise) -> None:
    """See that the function is right in the file, too."""
    _kept(text, ex, seconds=10.0)


def _kept(text: str, ex: Exercise, seconds: float) -> Callable:
    """Run the file's text, and check the function in it.

    Raises
    ------
    Unkept
        When there is no such function, or it is not right, or the file can't
        be run; the message says which.
    """
    name = ex.reference.__name__
    tree = _parse(text)
    if name not in {getattr(node, "name", "") for node in tree.body}:
        raise Unkept("Yours is not kept yet.")
    has_torch()  # not in the time of the check
    result = call(_run, (text,), seconds)
    if result.slow:
        raise Unkept(f"{FILE} did not end within {seconds:g} s: a loop?")
    if result.error is not None:
        kind = type(result.error).__name__
        what = "ends Python" if kind == "SystemExit" else f"raises {kind}"
        detail = said(result.error)
        raise Unkept(f"{FILE} {what}" + (f": {detail}" if detail else "."))
    function = result.value.get(name)
    found = check(ex, function, seconds=seconds, together=seconds)
    if not found.passed:
        raise Unkept(f"Yours in {FILE} is not right: {found.message}")
    return function


def _run(text: str) -> dict[str, Any]:
    """Run the file's text as a module; give its names."""
    module = types.ModuleType(Path(FILE).stem)
    module.__file__ = str(_path())
    exec(compile(text, module.__file__, "exec"), vars(module))
    return vars(module)


def _write(text: str) -> None:
    """Write the file whole or not at all."""
    path = _path()
    part = path.with_suffix(".part")
    try:
        part.write_text(text, "utf-8")
        part.replace(path)
    except OSError as error:
        raise Unkept(f"{path} can't be written: {said(error)}.") from None


# Colab, whose folder is gone the next day


def download_mine() -> None:
    """Offer `my_attention.py` for download on Colab; print what was done."""
    files = _colab_files()
    if files is None:
        print(f"Nothing to be done here: {FILE} lies beside this notebook.")
    elif not _path().exists():
        print(f"Nothing is kept yet: there is no {FILE}.")
    else:
        files.download(str(_path()))


def upload_mine(ask: bool = True) -> None:
    """Bring `my_attention.py` back on Colab; print what was done.

    Without `ask` no file is asked for, for that waits for a click.
    """
    files = _colab_files()
    if files is None:
        print(f"Nothing to be done here: {FILE} is read where it lies.")
    elif not ask:
        print(f"Tick the box and run this cell to bring {FILE} back.")
    else:
        given = files.upload()
        if not given:
            print("No file came.")
            return
        # Colab calls a second one "my_attention (1).py".
        _path().write_bytes(next(iter(given.values())))
        print(f"{FILE} is back.")


def _colab_files() -> Any | None:
    """Give Colab's module of uploads and downloads; None elsewhere."""
    if "google.colab" not in sys.modules:
        return None
    try:
        return importlib.import_module("google.colab.files")
    except ImportError:
        return None
