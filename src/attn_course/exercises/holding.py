"""Measure how much an answer holds at once, where the statement limits it."""

import math
import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = ["Meter", "Room"]


@dataclass(frozen=True)
class Room:
    """How much an answer may hold at once.

    `numbers` is that of float64 numbers in memory, `exponentials` how many of
    them may come of one call of `np.exp`.
    """

    numbers: int
    exponentials: int


class Meter:
    """Calls a function; `is_over` says whether it held too much.

    Memory tells of whole matrices, in one piece or in many; `np.exp` tells
    of whole rows, which are no larger than what else one may keep.
    """

    def __init__(self, function: Callable, room: Room | None) -> None:
        self.function, self.room = function, room
        self.is_over = False

    def __call__(self, *arguments: Any) -> Any:
        """Call it; raises what the function raises."""
        if self.room is None:
            return self.function(*arguments)
        traced = tracemalloc.is_tracing()
        original = np.exp
        tracemalloc.start()
        tracemalloc.reset_peak()
        before, _ = tracemalloc.get_traced_memory()
        np.exp = self._noting(original)
        try:
            return self.function(*arguments)
        finally:
            np.exp = original
            _, peak = tracemalloc.get_traced_memory()
            self.is_over |= (peak - before) / 8 > self.room.numbers
            if not traced:
                tracemalloc.stop()

    def _noting(self, exp: Callable) -> Callable:
        """Wrap `np.exp`: note how many numbers it is asked for."""
        most = math.inf if self.room is None else self.room.exponentials

        def noting(x: Any, *arguments: Any, **named: Any) -> Any:
            self.is_over |= np.size(x) > most
            return exp(x, *arguments, **named)

        return noting
