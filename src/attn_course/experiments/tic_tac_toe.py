"""The value of a position of tic-tac-toe, read off its squares.

All 4520 positions in which somebody is to move are solved exactly
(`attn_course.tic_tac_toe`): loss, draw or win for the player to move. They
are 627 up to turns and mirrors. These kinds are split, so that no position of
the test is a turned or mirrored one of training. A transformer whose tokens
are the squares has rivals of equal size: the same with equal weights in place
of attention, and a perceptron. None is told that turns don't matter.

In a pilot with seed 7 and 1000 steps attention's training loss was still high
where the perceptron's was near 0: so both learn once more, for four times as
long.
"""

import sys
from collections.abc import Sequence
from functools import cache, partial
from typing import Any

import numpy as np
import torch

from attn_course import tic_tac_toe
from attn_course.experiments import miniatures
from attn_course.experiments.miniatures import Task
from attn_course.miniatures import Reader, perceptron
from attn_course.models import Batch

__all__ = ["RECORDINGS", "SETTINGS", "inputs", "record", "split", "task"]

RECORDINGS = ("tic-tac-toe",)
SETTINGS = {
    "steps": 600,
    "batch": 64,
    "kinds": {"train": 377, "choose": 100},
    "longer": {"attention": 2400, "perceptron": 2400},
}
SQUARES = {"length": 9, "pool": "mean"}
MODELS = {
    "attention": partial(Reader, 3, 3, **SQUARES),
    "equal weights": partial(Reader, 3, 3, equal=True, **SQUARES),
    "perceptron": partial(perceptron, 3, 3, length=9, hidden=118),
}
CODE = ("tic_tac_toe.py", "experiments/tic_tac_toe.py")


def inputs(name: str, seeds: Sequence[int]) -> list[Any]:
    """List what the recording depends on, the code it runs included."""
    return miniatures.dependencies(seeds, tic_tac_toe)


def record(name: str, seeds: Sequence[int]) -> dict[str, Any]:
    """Train every model with every rate and seed; take up what is there."""
    found = tic_tac_toe.positions()
    return miniatures.record(
        sys.modules[__name__],
        name,
        seeds,
        code=CODE,
        more={
            "positions": len(found.boards),
            "kinds": len(set(found.kinds.tolist())),
        },
    )


@cache
def split() -> list[Batch]:
    """Share out kinds of positions: to train, to choose with, to test."""
    boards, values, kinds = tic_tac_toe.positions()
    order = np.random.default_rng(3000).permutation(kinds.max() + 1)
    train, choose = SETTINGS["kinds"].values()
    return [
        Batch(
            (torch.tensor(boards[np.isin(kinds, share)]),),
            torch.tensor(values[np.isin(kinds, share)]),
        )
        for share in np.split(order, [train, train + choose])
    ]


def task(name: str) -> Task:
    """Give the models and the three parts."""
    train, choose, test = split()
    (boards,), values = train

    def draw(generator: torch.Generator) -> Batch:
        size = (SETTINGS["batch"],)
        i = torch.randint(len(values), size, generator=generator)
        return Batch((boards[i],), values[i])

    return Task(
        MODELS, draw, choose, test, SETTINGS["steps"], SETTINGS["longer"]
    )
