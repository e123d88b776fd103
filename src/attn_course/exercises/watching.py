"""Watch which functions an answer calls, where a statement forbids some."""

import sys
from collections.abc import Callable, Sequence
from types import CodeType, FrameType
from typing import Any

__all__ = ["Watch"]

OURS = __name__.rpartition(".")[0]  # the exercises may call the course


class Watch:
    """Calls a function, and notes the first forbidden one that it reaches.

    `forbids` is that of a `Task`. It does not matter by which name or way a
    function is reached, an alias, a partial, NumPy: every call of a function
    written in Python is seen.
    """

    def __init__(self, function: Callable, forbids: Sequence[str]) -> None:
        self.function = function
        self.code: CodeType | None = getattr(function, "__code__", None)
        self.forbids = tuple(forbids)
        self.found = ""

    def __call__(self, *arguments: Any) -> Any:
        """Call it; raises what the function raises."""
        if not self.forbids:
            return self.function(*arguments)
        before = sys.getprofile()
        sys.setprofile(self._see)
        try:
            return self.function(*arguments)
        finally:
            sys.setprofile(before)

    def _see(self, frame: FrameType, event: str, _: Any) -> None:
        """Look at one call, as `sys.setprofile` tells it."""
        name = frame.f_code.co_name
        if event != "call" or self.found or name == "<module>":
            return
        module = frame.f_globals.get("__name__") or ""
        if _is_in(module, self.forbids) and not _is_in(module, [OURS]):
            self.found = f"{module}.{name}"
        elif name in self.forbids and frame.f_code is not self.code:
            self.found = name


def _is_in(module: str, packages: Sequence[str]) -> bool:
    """Say whether a module is one of these or belongs to one of them."""
    return any(f"{module}.".startswith(f"{name}.") for name in packages)
