"""Hold the learner's Ctrl-C back until what runs can be ended in order.

Python raises KeyboardInterrupt at any line of the main thread. Inside
`Thread.start` it would leave a thread without a keeper, inside a finalizer
it would be lost. So while a check runs, an interrupt is noted, and raised
once all is tidied up.
"""

import contextlib
import signal
from collections.abc import Iterator
from types import FrameType

__all__ = ["Interrupts", "held"]


class Interrupts:
    """A handler of SIGINT: `noted` says whether one came.

    With `raising` it is raised at once as well, which ends a function that
    runs in this very thread.
    """

    def __init__(self) -> None:
        self.noted = False
        self.raising = False

    def __call__(self, signum: int, frame: FrameType | None) -> None:
        """Note an interrupt."""
        self.noted = True
        if self.raising:
            raise KeyboardInterrupt


@contextlib.contextmanager
def held() -> Iterator[Interrupts]:
    """Note interrupts while the block runs, then raise KeyboardInterrupt.

    Blocks may be nested. Where interrupts are ignored, or where they never
    arrive (in another thread than the main one), nothing is changed.
    """
    before = signal.getsignal(signal.SIGINT)
    if isinstance(before, Interrupts):
        yield before
        if before.noted:
            raise KeyboardInterrupt
        return
    interrupts = Interrupts()
    try:
        if callable(before):
            signal.signal(signal.SIGINT, interrupts)
    except ValueError:  # only the main thread may set a handler
        before = None
    try:
        yield interrupts
    finally:
        if callable(before):
            signal.signal(signal.SIGINT, before)
        if interrupts.noted:
            raise KeyboardInterrupt
