"""What can be seen of an answer from outside: its code, and its lines."""

import dis
import functools
import inspect
import linecache
import sysconfig
import traceback
from pathlib import Path
from types import CodeType
from typing import Any

import numpy as np

__all__ = ["code_of", "is_stub", "last_line", "same_code"]

# What runs in these folders is not the learner's.
LIBRARIES = (
    *sysconfig.get_paths().values(),
    str(Path(np.__file__).parent),
    str(Path(__file__).parents[1]),
)


def code_of(function: Any) -> CodeType | None:
    """Find the code behind a function, method, partial or wrapper."""
    for _ in range(100):  # a wrapper may wrap itself
        if isinstance(function, functools.partial):
            function = function.func
        elif hasattr(function, "__wrapped__"):
            function = function.__wrapped__
        elif inspect.ismethod(function):
            function = function.__func__
        else:
            break
    if isinstance(function, type):
        function = function.__init__
    elif not hasattr(function, "__code__"):
        function = type(function).__call__
    code = getattr(function, "__code__", None)
    return code if isinstance(code, CodeType) else None


def is_stub(function: Any) -> bool:
    """Say whether nothing is written yet: `...`, `pass` or a docstring.

    Who tries something uses an argument, gives a name, or calls something.
    """
    code = code_of(function)
    return (
        code is not None
        and set(code.co_names) <= {"NotImplemented", "NotImplementedError"}
        and not any(
            step.opname.startswith(("STORE", "LOAD_FAST", "LOAD_DEREF"))
            for step in dis.get_instructions(code)
        )
    )


def same_code(function: Any, other: Any) -> bool:
    """Say whether two functions do the same, word for word."""
    mine, theirs = code_of(function), code_of(other)
    if mine is None or theirs is None:
        return False
    parts = ("co_code", "co_names", "co_consts", "co_varnames")
    return all(getattr(mine, x) == getattr(theirs, x) for x in parts)


def last_line(error: BaseException) -> str:
    """Give the last of the learner's own lines that led to an exception.

    It is "" where there is none, as in a function of NumPy's.
    """
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if frame.filename.startswith((*LIBRARIES, "<frozen ", "<__array")):
            continue
        line = linecache.getline(frame.filename, frame.lineno or 0)
        text = (frame.line or line).strip()
        return f"line {frame.lineno}" + (f": {text}" if text else "")
    return ""
