"""Hash the code that a result depends on, and nothing else.

From the functions, classes and constants that an experiment names, follow
every name into the package; leave what comes from elsewhere (NumPy, torch) by
its name. What can't change a number does not count: comments, docstrings,
formatting, annotations, where a definition stands, how it is called, and under
which name it is imported.
"""

import ast
import dis
import hashlib
import importlib
import inspect
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from importlib import util
from pathlib import Path
from types import CodeType
from typing import Any

__all__ = ["code_hash", "files_of", "reached"]

# What a hash never follows: how results are kept, not what they are.
FRAME = (
    "attn_course.data.store",
    "attn_course.experiments",
    "attn_course.experiments.code_hash",
    "attn_course.experiments.runs",
    "attn_course.experiments.study",
    "attn_course.provenance",
)


def code_hash(*roots: Any) -> str:
    """Hash the definitions that `roots` reach in their package.

    Parameters
    ----------
    roots
        Functions, classes, or pairs of a module and the name of one of its
        constants. A module that can't be imported everywhere is named.

    Raises
    ------
    ValueError
        When a root is none of these, or has no source.

    Examples
    --------
    >>> from attn_course import masks
    >>> code_hash(masks.causal) == code_hash(masks.causal)
    True
    >>> code_hash(masks.causal) == code_hash(masks.causal, masks.padding)
    False
    """
    total = hashlib.sha256()
    for text in _walk(roots).texts:
        total.update(text.encode("utf-8") + b"\0")
    return total.hexdigest()


def reached(*roots: Any) -> list[str]:
    """Name the definitions that `roots` reach, in the order of the hash.

    Examples
    --------
    >>> from attn_course import masks
    >>> reached(masks.causal)[0]
    'attn_course.masks.causal'
    """
    return [f"{d.module}.{d.name}" for d in _walk(roots).found]


def files_of(*roots: Any) -> list[Path]:
    """List the files that hold what `roots` reach."""
    modules = {definition.module for definition in _walk(roots).found}
    return sorted(Path(str(util.find_spec(m).origin)) for m in modules)


@dataclass(frozen=True)
class Definition:
    """A function, class or constant at the top of a module."""

    module: str
    name: str


@dataclass
class Walk:
    """Definitions in the order in which they were met, each with its text."""

    package: str
    found: list[Definition] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)

    def place(self, definition: Definition) -> int:
        """Say as the how manieth a definition was met."""
        if definition not in self.found:
            self.found.append(definition)
        return self.found.index(definition)


def _walk(roots: tuple) -> Walk:
    """Follow every name from the roots."""
    starts = [_start(root) for root in roots]
    walk = Walk(starts[0].module.split(".")[0] if starts else "")
    for start in starts:
        walk.place(start)
    while len(walk.texts) < len(walk.found):
        walk.texts.append(_text(walk.found[len(walk.texts)], walk))
    return walk


def _start(root: Any) -> Definition:
    """Find where a root is defined."""
    if isinstance(root, tuple) and len(root) == 2:
        module, name = root
        if not isinstance(module, str):
            module = getattr(module, "__name__", "")
        found = Definition(module, str(name))
    else:
        root = inspect.unwrap(root) if callable(root) else root
        found = Definition(
            getattr(root, "__module__", None) or "",
            getattr(root, "__qualname__", ""),
        )
    if not found.module or found.name not in _source(found.module).defined:
        raise ValueError(
            "expected a function or class at the top of a module, or a pair "
            f"(module, name of a constant), got {root!r}"
        )
    return found


# What a module defines and imports


@dataclass
class Source:
    """The names at the top of one module."""

    defined: dict[str, list[ast.stmt]] = field(default_factory=dict)
    imported: dict[str, str] = field(default_factory=dict)  # name → path


@cache
def _source(module: str) -> Source:
    """Read a module's names without running it."""
    spec = util.find_spec(module)
    source = Source()
    if spec is None or not str(spec.origin).endswith(".py"):
        return source
    tree = ast.parse(Path(str(spec.origin)).read_text("utf-8"))
    base = module if spec.submodule_search_locations else spec.parent
    for statement in _top_level(tree.body):
        source.imported.update(_imports(statement, base or ""))
        for name in _names(statement):
            source.defined.setdefault(name, []).append(statement)
    return source


def _top_level(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Give the statements of a module, those in `if` and `try` too."""
    for statement in body:
        blocks = [
            block
            for name in ("body", "orelse", "finalbody", "handlers")
            for block in getattr(statement, name, [])
        ]
        if isinstance(statement, ast.If | ast.Try | ast.With):
            inner = [
                s
                for block in blocks
                for s in getattr(block, "body", [block])
                if isinstance(block, ast.ExceptHandler)
            ]
            inner += [b for b in blocks if isinstance(b, ast.stmt)]
            yield from _top_level(inner)
        else:
            yield statement


def _imports(statement: ast.AST, base: str) -> dict[str, str]:
    """Give what an import binds: local name → dotted path."""
    if isinstance(statement, ast.Import):
        return {
            alias.asname or alias.name.split(".")[0]: (
                alias.name if alias.asname else alias.name.split(".")[0]
            )
            for alias in statement.names
        }
    if isinstance(statement, ast.ImportFrom):
        parents = base.split(".")[: len(base.split(".")) - statement.level + 1]
        start = ".".join(parents) if statement.level else ""
        path = ".".join(p for p in (start, statement.module) if p)
        return {
            a.asname or a.name: f"{path}.{a.name}" for a in statement.names
        }
    return {}


def _names(statement: ast.stmt) -> list[str]:
    """Name what a statement defines."""
    if isinstance(statement, ast.Import | ast.ImportFrom):
        return []
    if isinstance(
        statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
    ):
        return [statement.name]
    return [
        node.id
        for node in ast.walk(statement)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    ]


# The text of one definition


def _text(definition: Definition, walk: Walk) -> str:
    """Write a definition so that only its meaning is left."""
    source = _source(definition.module)
    parts = []
    for statement in source.defined[definition.name]:
        tree = ast.parse(ast.unparse(statement)).body[0]
        inner: dict[str, str] = {}
        for node in ast.walk(tree):
            inner.update(_imports(node, definition.module.rpartition(".")[0]))
        tree = Bare().visit(tree)
        ast.fix_missing_locations(tree)
        resolve = Resolve(definition.module, inner, _global_names(tree), walk)
        tree = resolve.visit(tree)
        if hasattr(tree, "name"):
            tree.name = "_"
        parts.append(ast.dump(tree))
    return "\n".join(parts)


class Bare(ast.NodeTransformer):
    """Take away docstrings, annotations and imports."""

    def _body(self, node: Any) -> Any:
        first = node.body[0]
        if isinstance(first, ast.Expr) and isinstance(
            first.value, ast.Constant
        ):
            node.body = node.body[1:]
        self.generic_visit(node)
        node.body = node.body or [ast.Pass()]
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        """Keep names of arguments and defaults."""
        node.returns = None
        return self._body(node)

    visit_AsyncFunctionDef = visit_FunctionDef
    visit_ClassDef = _body

    def visit_arg(self, node: ast.arg) -> ast.AST:
        """Keep the name alone."""
        node.annotation = None
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        """Keep that a name is declared, and its value."""
        node.annotation = ast.Constant(None)
        return self.generic_visit(node)

    def visit_Import(self, node: ast.AST) -> None:
        """Drop it: names are followed to where they are defined."""

    visit_ImportFrom = visit_Import

    def generic_visit(self, node: ast.AST) -> ast.AST:
        """Never leave a block empty."""
        super().generic_visit(node)
        if isinstance(node, ast.If | ast.With | ast.Try | ast.For):
            node.body = node.body or [ast.Pass()]
        return node


def _global_names(tree: ast.AST) -> set[str]:
    """Let Python say which names of a definition are not its own."""
    tree = ast.fix_missing_locations(ast.Module([tree], []))
    code = compile(tree, "<definition>", "exec")
    names: set[str] = set()
    todo = [code]
    while todo:
        code = todo.pop()
        names |= {
            step.argval
            for step in dis.get_instructions(code)
            if step.opname in ("LOAD_GLOBAL", "LOAD_NAME")
        }
        todo += [c for c in code.co_consts if isinstance(c, CodeType)]
    return names


class Resolve(ast.NodeTransformer):
    """Put in place of a name what it means, wherever that stands."""

    def __init__(
        self, module: str, inner: dict[str, str], names: set[str], walk: Walk
    ):
        self.module, self.inner = module, inner
        self.names, self.walk = names, walk

    def visit_Name(self, node: ast.Name) -> ast.AST:
        """Resolve a name that is not local."""
        if node.id not in self.names or isinstance(node.ctx, ast.Store):
            return node
        path = self.inner.get(node.id)
        if path is None:
            path = _path(self.module, node.id)
        return node if path is None else self._named(path)

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        """Resolve `module.name`, whatever the module is called here."""
        node.value = self.visit(node.value)
        path = getattr(node.value, "path", None)
        return node if path is None else self._named(f"{path}.{node.attr}")

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        """Leave out where a module stands that is imported by its name."""
        if isinstance(node.value, str):
            if node.value.startswith(f"{self.walk.package}."):
                return ast.Constant("§module")
        return node

    def _named(self, path: str) -> ast.Name:
        """Write a dotted path: a place in the walk where it is ours."""
        found = _definition(path, self.walk.package)
        if isinstance(found, Definition):
            if found.module in FRAME or _is_study(found):
                return ast.Name("§frame")
            return ast.Name(f"§{self.walk.place(found)}")
        name = ast.Name(f"§{found}")
        name.path = found  # an attribute may lengthen it
        return name


def _path(module: str, name: str) -> str | None:
    """Give the dotted path of a global name; None for Python's own."""
    source = _source(module)
    if name in source.defined:
        return f"{module}.{name}"
    return source.imported.get(name)


def _definition(path: str, package: str) -> Definition | str:
    """Follow a dotted path through re-exports to where it is defined.

    Gives the path itself where it leaves the package or names a module.
    """
    seen = set()
    while path.split(".")[0] == package and path not in seen:
        seen.add(path)
        module, _, name = path.rpartition(".")
        if not module or _is_module(path):
            return path
        source = _source(module)
        if name in source.defined:
            return Definition(module, name)
        if name in source.imported:
            path = source.imported[name]
        else:  # lent by a loader, or an attribute: ask the object itself
            value = _value(module, name)
            if not hasattr(value, "__qualname__"):
                return path
            path = f"{value.__module__}.{value.__qualname__}"
    return path


def _is_study(definition: Definition) -> bool:
    """Tell the declaration of a study: it hashes what matters of it."""
    [statement, *_] = _source(definition.module).defined[definition.name]
    call = getattr(statement, "value", None)
    return isinstance(call, ast.Call) and ast.unparse(call.func) == "Study"


def _value(module: str, name: str) -> Any:
    """Get what a module lends without defining it; None for nothing."""
    return getattr(importlib.import_module(module), name, None)


@cache
def _is_module(path: str) -> bool:
    """Tell a module from a name in one."""
    try:
        return util.find_spec(path) is not None
    except ModuleNotFoundError:
        return False
