"""Tic-tac-toe, solved: every position that a game can reach, and its value.

A board is nine squares, row by row, as the player to move sees it: EMPTY,
MINE or THEIRS.
"""

from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

import numpy as np
from jaxtyping import Int

__all__ = [
    "DRAW",
    "EMPTY",
    "LOSS",
    "MINE",
    "THEIRS",
    "WIN",
    "Positions",
    "positions",
    "symmetric",
    "value",
]

EMPTY, MINE, THEIRS = range(3)
LOSS, DRAW, WIN = range(3)
Board = tuple[int, ...]

_SQUARES = np.arange(9).reshape(3, 3)
LINES = [
    *_SQUARES.tolist(),
    *_SQUARES.T.tolist(),
    _SQUARES.diagonal().tolist(),
    _SQUARES[::-1].diagonal().tolist(),
]
# Four turns of the board, and four of its mirror image.
SYMMETRIES = [
    np.rot90(squares, turns).ravel().tolist()
    for squares in (_SQUARES, _SQUARES.T)
    for turns in range(4)
]


class Positions(NamedTuple):
    """Positions in which somebody is to move.

    `boards` is `(n, 9)`, `values` `(n,)`: LOSS, DRAW or WIN for who moves;
    `kinds`, `(n,)`, is the same number for positions that turns and mirrors
    make alike.
    """

    boards: Int[np.ndarray, "n 9"]
    values: Int[np.ndarray, " n"]
    kinds: Int[np.ndarray, " n"]


@cache
def value(board: Board) -> int:
    """Say what the player to move gets if both play as well as can be.

    Examples
    --------
    >>> value((EMPTY,) * 9) == DRAW
    True
    >>> two = (MINE, MINE, EMPTY, THEIRS, THEIRS, EMPTY, EMPTY, EMPTY, EMPTY)
    >>> value(two) == WIN
    True
    """
    if _lost(board):
        return LOSS
    if EMPTY not in board:
        return DRAW
    return max(WIN - value(after) for after in _moves(board))


def symmetric(board: Board) -> list[Board]:
    """Give the eight boards that turns and mirrors make of one."""
    return [tuple(board[i] for i in squares) for squares in SYMMETRIES]


@cache
def positions() -> Positions:
    """Give all positions that a game can reach and that are not its end."""
    found = sorted(_reached())
    kinds = [min(symmetric(board)) for board in found]
    number = {kind: i for i, kind in enumerate(sorted(set(kinds)))}
    return Positions(
        np.array(found),
        np.array([value(board) for board in found]),
        np.array([number[kind] for kind in kinds]),
    )


def _reached() -> set[Board]:
    """Play every game, from the empty board."""
    reached: set[Board] = set()
    waiting: list[Board] = [(EMPTY,) * 9]
    while waiting:
        board = waiting.pop()
        if board in reached or _lost(board) or EMPTY not in board:
            continue
        reached.add(board)
        waiting.extend(_moves(board))
    return reached


def _moves(board: Board) -> Iterator[Board]:
    """Give the boards after each move, as the other player sees them."""
    swapped = tuple((EMPTY, THEIRS, MINE)[square] for square in board)
    for i, square in enumerate(board):
        if square == EMPTY:
            yield (*swapped[:i], THEIRS, *swapped[i + 1 :])


def _lost(board: Board) -> bool:
    """Say whether the player who has just moved has a line."""
    return any(all(board[i] == THEIRS for i in line) for line in LINES)
