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
from functools import partial
from typing import Any

import numpy as np

from attn_course.exercises import doors, interrupts

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
    """Call the function, and come back when time is up.

    Raises KeyboardInterrupt when the learner interrupts, and nothing else.
    """
    work, notepad = _Work(function, arguments), Notepad()
    with (
        interrupts.held() as interrupt,
        doors.shut(),
        contextlib.redirect_stdout(notepad),
    ):
        try:
            if _starts(work):
                _wait(work, seconds, interrupt)
            else:
                interrupt.raising = True
                work.attempt()
        finally:
            interrupt.raising = False
            stopped = work.stop()
    result = work.result if work.ended else Call(slow=True, stopped=stopped)
    result.printed = notepad.text
    return result


class _Work(threading.Thread):
    """The thread of one call.

    TimeUp is raised in it only while `running`: before and after that it
    would hit the machinery of threads itself.
    """

    def __init__(self, function: Callable, arguments: tuple) -> None:
        super().__init__(daemon=True)
        self.function, self.arguments = function, arguments
        self.result = Call()
        self.ended = False  # the result is complete
        self.given_up = False
        self.running = False

    def run(self) -> None:
        """Run the function, unless the time was up before it began."""
        try:
            self.running = True
            if not self.given_up:
                self.attempt()
            self.running = False
            _checkpoint()  # a TimeUp that was on its way arrives here
        except TimeUp:
            self.running = False
            with contextlib.suppress(TimeUp):  # or here, if there are two
                _checkpoint()

    def attempt(self) -> None:
        """Call the function and keep what comes of it."""
        try:
            # Overflow is told in the feedback, not as a warning of NumPy's.
            with np.errstate(all="ignore"), doors.answering():
                self.result.value = self.function(*self.arguments)
        except TimeUp:
            raise
        except BaseException as error:  # even exit() must not end the kernel
            self.result.error = error
        self.ended = True

    def stop(self) -> bool:
        """End the thread if it still runs; say whether it ended.

        A bare `except:` catches what is raised inside its `try`, so we raise
        often, at many places of the loop, until one is outside.
        """
        self.given_up = True
        if not self.is_alive():
            return True
        last = time.monotonic() + PATIENCE
        interval = sys.getswitchinterval()
        sys.setswitchinterval(0.0001)
        raise_inside = partial(
            ctypes.pythonapi.PyThreadState_SetAsyncExc,
            ctypes.c_ulong(self.ident or 0),
            ctypes.py_object(TimeUp),
        )
        try:
            while self.is_alive() and time.monotonic() < last:
                # One step for the interpreter: `running` can't change
                # between the look and the call.
                if self.running:
                    raise_inside()
                self.join(0.0005)
        finally:
            sys.setswitchinterval(interval)
        return not self.is_alive()


def _starts(work: _Work) -> bool:
    """Start the thread; say no where there are none, as in a browser."""
    try:
        work.start()
    except RuntimeError:
        return False
    return True


def _wait(
    work: _Work, seconds: float, interrupt: interrupts.Interrupts
) -> None:
    """Wait in short steps: between them we look for an interrupt."""
    last = time.monotonic() + seconds
    while work.is_alive() and not interrupt.noted:
        left = last - time.monotonic()
        if left <= 0:
            break
        work.join(min(0.05, left))


def _checkpoint() -> None:
    """Do nothing: the interpreter delivers exceptions when this starts."""
