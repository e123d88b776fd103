"""Keep the ways out of Python shut while an answer runs.

`sys.exit` raises SystemExit, which can be caught. The others end the process,
close its input, or tell a notebook's kernel to end a little later.
"""

import builtins
import contextlib
import os
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

__all__ = ["answering", "is_answering", "shut"]

_here = threading.local()


@contextlib.contextmanager
def answering() -> Iterator[None]:
    """Say that this thread, and no fork of it, runs an answer."""
    _here.process = os.getpid()
    try:
        yield
    finally:
        _here.process = None


def is_answering() -> bool:
    """Say whether this thread runs an answer."""
    return getattr(_here, "process", None) == os.getpid()


@contextlib.contextmanager
def shut() -> Iterator[None]:
    """Let each way out raise SystemExit in the thread that is `answering`."""
    with contextlib.ExitStack() as stack:
        for owner, name in _doors():
            stack.enter_context(_replaced(owner, name))
        yield


def _doors() -> list[tuple[Any, str]]:
    """List the ways out: who owns each, and its name."""
    found = [(os, "_exit"), (os, "abort")]
    found += [(builtins, x) for x in ("exit", "quit") if hasattr(builtins, x)]
    # In IPython, exit and quit are objects that call the shell's ask_exit.
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    return found if shell is None else [*found, (shell, "ask_exit")]


@contextlib.contextmanager
def _replaced(owner: Any, name: str) -> Iterator[None]:
    """Replace one way out, and put it back."""
    own = vars(owner).get(name)  # None: it is the class's
    setattr(owner, name, _door(getattr(owner, name)))
    try:
        yield
    finally:
        if own is None:
            delattr(owner, name)
        else:
            setattr(owner, name, own)


def _door(way_out: Callable) -> Callable:
    """Wrap a way out: an answer gets SystemExit, all others go through."""

    def door(*arguments: Any, **named: Any) -> Any:
        if is_answering():
            raise SystemExit(*arguments)
        return way_out(*arguments, **named)

    return door
