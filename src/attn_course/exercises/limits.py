"""Call a learner's function so that nothing it does can hurt the notebook.

The call runs in a thread of its own. When its time is up, an exception is
raised inside that thread: this needs no signals, so it works in Jupyter on
Linux, macOS and Windows. It ends every loop written in Python; a single
long call into compiled code it cannot end.
"""

import contextlib
import ctypes
import io
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = ["Call", "call"]

KEPT = 500  # characters of what a function prints
PATIENCE = 2.0  # seconds given to a function that catches every exception


class TimeUp(BaseException):
    """Ends a learner's loop; no Exception, so `except Exception` lets it."""


@dataclass
class Call:
    """What came of one call: a value, or an error, or neither in time."""

    value: Any = None
    error: BaseException | None = None
    slow: bool = False
    stopped: bool = True  # False: it still runs
    printed: str = ""


class Notepad(io.TextIOBase):
    """Keeps the start of what is printed: an endless loop prints a lot."""

    def __init__(self) -> None:
        self.text = ""

    def writable(self) -> bool:
        """Say yes: print may write here."""
        return True

    def write(self, text: str) -> int:
        """Keep the text while there is room."""
        self.text = (self.text + text[:KEPT])[:KEPT]
        return len(text)


def call(function: Callable, arguments: tuple, seconds: float) -> Call:
    """Call the function; never raise, and come back when time is up."""
    result, guard, ended = Call(), threading.Lock(), threading.Event()

    def work() -> None:
        try:
            _attempt(function, arguments, result)
            with guard:
                ended.set()
            _checkpoint()  # a TimeUp that was on its way arrives here
        except TimeUp:
            pass

    notepad = Notepad()
    with contextlib.redirect_stdout(notepad):
        thread = threading.Thread(target=work, daemon=True)
        try:
            thread.start()
        except RuntimeError:  # Python in a browser has no threads
            _attempt(function, arguments, result)
            return result
        try:
            _wait(ended, seconds)
        finally:  # also when the learner interrupts the kernel
            stopped = _stop(thread, guard, ended)
    if not ended.is_set():
        result = Call(slow=True, stopped=stopped)
    result.printed = notepad.text
    return result


def _attempt(function: Callable, arguments: tuple, result: Call) -> None:
    """Call the function and keep what comes of it."""
    try:
        # Overflow is told in the feedback, not as a warning of NumPy's.
        with np.errstate(all="ignore"):
            result.value = function(*arguments)
    except TimeUp:
        raise
    except BaseException as error:  # even exit() must not end the kernel
        result.error = error


def _wait(ended: threading.Event, seconds: float) -> None:
    """Wait in short steps: between them Python sees an interrupt."""
    last = time.monotonic() + seconds
    while time.monotonic() < last and not ended.is_set():
        ended.wait(min(0.05, seconds))


def _stop(
    thread: threading.Thread, guard: threading.Lock, ended: threading.Event
) -> bool:
    """End the thread if it still runs; say whether it ended.

    A bare `except:` catches what is raised inside its `try`, so we raise
    often, at many places of the loop, until one is outside.
    """
    last = time.monotonic() + PATIENCE
    interval = sys.getswitchinterval()
    sys.setswitchinterval(0.0001)
    try:
        while thread.is_alive() and time.monotonic() < last:
            with guard:  # the thread can't end between these two lines
                if ended.is_set():
                    break
                ctypes.pythonapi.PyThreadState_SetAsyncExc(
                    ctypes.c_ulong(thread.ident or 0),
                    ctypes.py_object(TimeUp),
                )
            thread.join(0.0005)
    finally:
        sys.setswitchinterval(interval)
    if ended.is_set():
        thread.join()
    return not thread.is_alive()


def _checkpoint() -> None:
    """Do nothing: the interpreter delivers exceptions when this starts."""
