"""What the outputs of a notebook depend on: its cells, and what they import.

The files of the package that the cells import are followed from import to
import, without running anything. So an edit runs those notebooks again that
it can change, and no others.
"""

import ast
import hashlib
import re
import sys
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

__all__ = ["dependencies", "key"]

# Imported by name while the program runs: the whole folder counts.
_DYNAMIC = re.compile(r"\biter_modules\b")
# Whose name is put together while the program runs: every recording counts.
# A module that takes the name from elsewhere leaves it to a cell to say it.
_ANY_IN_CELL = re.compile(r"load_recording\(\s*(?![\"'])")
_ANY_IN_MODULE = re.compile(r"load_recording\(\s*f[\"']")
# Labels and verdicts change no output.
_SILENT = (".toml",)


def key(code: Iterable[str], package: Path) -> str:
    """Hash all that code depends on in a package, and the versions.

    Parameters
    ----------
    code
        The text of each cell.
    package
        The package's folder: `src/attn_course`.
    """
    texts = list(code)
    digest = hashlib.sha256(f"{sys.version_info[:2]}".encode())
    pins = package.parents[1] / "constraints.txt"
    for path in [pins, *dependencies(texts, package)]:
        if path.is_file():
            digest.update(str(path.relative_to(pins.parent)).encode() + b"\0")
            digest.update(_hash(path, path.stat().st_mtime_ns).encode())
    return digest.hexdigest()[:16]


def dependencies(code: Iterable[str], package: Path) -> list[Path]:
    """List the files of a package that code depends on.

    Examples
    --------
    >>> import attn_course
    >>> package = Path(attn_course.__file__).parent
    >>> found = dependencies(["from attn_course import masks"], package)
    >>> [path.name for path in found if path.name.startswith("m")]
    ['masks.py']
    """
    texts = list(code)
    found: dict[Path, None] = {}
    waiting = [path for text in texts for path in _imports(text, package)]
    while waiting:
        path = waiting.pop()
        if path in found:
            continue
        found[path] = None
        waiting += _needed(path, path.stat().st_mtime_ns, package)
    modules = [_read(path) for path in found if path.suffix == ".py"]
    return sorted({*found, *_data(texts, modules, found, package)})


@cache
def _needed(path: Path, changed: int, package: Path) -> list[Path]:
    """List what one file imports; `changed` is the time of its last edit."""
    if path.suffix != ".py":
        return []
    text = _read(path)
    found = list(_imports(text, package))
    if path.name == "__init__.py":
        if _DYNAMIC.search(text):
            found += path.parent.rglob("*.py")
        # What is read beside the code: scripts of widgets, texts.
        if path.parent not in (package, package / "data"):
            found += (
                other
                for other in path.parent.rglob("*")
                if other.is_file()
                and other.suffix not in (".py", ".pyc", *_SILENT)
            )
    return found


def _imports(text: str, package: Path) -> Iterator[Path]:
    """Yield the files that a text imports from the package."""
    name = package.name
    for module, names in _imported(text, name):
        place = package.joinpath(*module.split(".")[1:])
        inside = {one: list(_file(place / one)) for one in names}
        for files in inside.values():
            yield from files
        # Else it is only on the way to the modules inside.
        if not names or not all(inside.values()):
            yield from _file(place)
            if (place / "__init__.py").is_file():
                yield from _named(place, names)


def _imported(text: str, package: str) -> Iterator[tuple[str, list[str]]]:
    """Yield each module of the package that is imported, and which names."""
    try:
        tree = ast.parse(text)
    except SyntaxError:  # a cell with % or !: every name counts
        for module in re.findall(rf"\b{package}(?:\.\w+)*", text):
            yield module, []
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name == package:
                    yield package, _attributes(tree, package)
                elif alias.name.split(".")[0] == package:
                    yield alias.name, []
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            module = node.module or ""
            if module.split(".")[0] == package:
                yield module, [alias.name for alias in node.names]
        elif isinstance(node, ast.Call) and node.args:
            first = node.args[0]
            if isinstance(first, ast.Constant) and isinstance(
                first.value, str
            ):
                if first.value.startswith(f"{package}."):
                    yield first.value, []


def _attributes(tree: ast.AST, package: str) -> list[str]:
    """List the names that are asked of the package itself."""
    return [
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == package
    ]


def _file(place: Path) -> Iterator[Path]:
    """Yield the file of a module, or of a package."""
    for path in (place.with_suffix(".py"), place / "__init__.py"):
        if path.is_file():
            yield path


def _named(place: Path, names: Iterable[str]) -> Iterator[Path]:
    """Yield the modules from which a package fetches names when asked."""
    tree = ast.parse(_read(place / "__init__.py"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Dict):
            for module, held in zip(node.keys, node.values, strict=True):
                inside = {getattr(x, "value", None) for x in ast.walk(held)}
                if isinstance(module, ast.Constant) and inside & set(names):
                    yield from _file(place / str(module.value))


def _data(
    cells: list[str],
    modules: list[str],
    found: Iterable[Path],
    package: Path,
) -> Iterator[Path]:
    """Yield data: all files, and those recordings that are named."""
    data = package / "data"
    if data / "__init__.py" not in found:
        return
    every = any(map(_ANY_IN_CELL.search, cells)) or any(
        map(_ANY_IN_MODULE.search, modules)
    )
    for path in data.rglob("*"):
        if path.is_file() and path.suffix not in (".py", ".pyc"):
            recording = path.parent.name == "recordings"
            if not recording or every or _is_named(path.stem, cells + modules):
                yield path


def _is_named(recording: str, texts: list[str]) -> bool:
    quoted = (f'"{recording}"', f"'{recording}'")
    return any(one in text for text in texts for one in quoted)


def _read(path: Path) -> str:
    return path.read_text("utf-8")


@cache
def _hash(path: Path, changed: int) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
