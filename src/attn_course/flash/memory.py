"""A large slow memory, a small chip, and a count of what goes between them.

On a GPU the arrays lie in its main memory (HBM), and arithmetic happens on
tiles in the memory of its processors (SRAM), about 100 000 numbers each.
"""

import math
from collections import Counter
from typing import Any

import numpy as np

from attn_course.masks import check_count

__all__ = ["ChipFull", "SlowMemory", "tiles"]


class ChipFull(ValueError):
    """More numbers were held on the chip than fit."""


class SlowMemory:
    """Count the numbers that an algorithm loads and stores.

    The algorithm keeps its arrays as usual, but touches them only through
    tiles: it loads them, computes on the chip, and stores what it made. A
    tile has a name, and stays on the chip until another takes its name.

    Parameters
    ----------
    on_chip
        How many numbers fit on the chip; None: as many as one likes.

    Attributes
    ----------
    loaded, stored
        How many numbers were moved, by name.
    most_held
        The most numbers that were on the chip at once.
    flops
        Additions and multiplications of the matrix products.

    Examples
    --------
    >>> memory = SlowMemory(on_chip=16)
    >>> x, total = np.arange(6.0).reshape(3, 2), np.zeros(2)
    >>> for row in x:
    ...     part, old = memory.load(x=row, total=total)
    ...     total[:] = memory.store(total=old + part)
    >>> memory.loaded["x"], memory.loaded["total"], memory.stored["total"]
    (6, 6, 6)
    >>> memory.moved, memory.most_held
    (18, 4)
    """

    def __init__(self, on_chip: int | None = None):
        check_count("on_chip", on_chip, least=1, optional=True)
        self.on_chip = on_chip
        self.loaded: Counter[str] = Counter()
        self.stored: Counter[str] = Counter()
        self.held: dict[str, int] = {}
        self.most_held = 0
        self.flops = 0

    def load(self, **parts: np.ndarray) -> Any:
        """Copy parts of arrays to the chip; give them in this order.

        Raises
        ------
        ChipFull
            When they don't fit beside what is held; it is a ValueError.
        """
        for name, part in parts.items():
            self.loaded[name] += part.size
        return self.hold(**{name: part.copy() for name, part in parts.items()})

    def hold(self, **tiles: np.ndarray) -> Any:
        """Keep what was computed on the chip; give it in this order.

        Raises
        ------
        ChipFull
            As `load`.
        """
        for name, tile in tiles.items():
            self.held[name] = tile.size
        total = sum(self.held.values())
        if self.on_chip is not None and total > self.on_chip:
            raise ChipFull(
                f"expected at most {self.on_chip} numbers on the chip, got "
                f"{total}: {self.held}"
            )
        self.most_held = max(self.most_held, total)
        return _one_or_all(tiles)

    def store(self, **tiles: np.ndarray) -> Any:
        """Copy tiles back to the slow memory: put them where they belong."""
        self.hold(**tiles)
        for name, tile in tiles.items():
            self.stored[name] += tile.size
        return _one_or_all(tiles)

    def drop(self, *names: str) -> None:
        """Take tiles off the chip; without names, all."""
        for name in names or list(self.held):
            del self.held[name]

    def multiply(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        """Multiply `(m, k)` by `(k, n)`, counting 2·m·k·n operations."""
        self.flops += 2 * a.size * b.shape[-1]
        return a @ b

    @property
    def moved(self) -> int:
        """Count all numbers loaded and stored."""
        return self.loaded.total() + self.stored.total()

    def bytes(self, each: int = 2, **others: int) -> int:
        """Count the bytes moved, at `each` bytes a number.

        Other sizes go by name, as in `bytes(2, m=4, l=4)`.

        Examples
        --------
        >>> memory = SlowMemory()
        >>> _ = memory.load(q=np.zeros(10), m=np.zeros(1))
        >>> memory.bytes(2, m=4)
        24
        """
        counts = self.loaded + self.stored
        return sum(others.get(name, each) * counts[name] for name in counts)


def _one_or_all(parts: dict[str, np.ndarray]):
    """Give one array alone, several as a tuple."""
    arrays = tuple(parts.values())
    return arrays[0] if len(arrays) == 1 else arrays


def tiles(n: int, size: int) -> list[slice]:
    """Cut n places into slices of `size`; the last may be shorter.

    Examples
    --------
    >>> [(part.start, part.stop) for part in tiles(7, 3)]
    [(0, 3), (3, 6), (6, 7)]
    """
    check_count("size of a tile", size, least=1)
    return [
        slice(i * size, min(n, (i + 1) * size))
        for i in range(math.ceil(n / size))
    ]
