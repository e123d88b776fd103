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

from collections.abc import Mapping
from functools import cache, partial
from typing import Any

import numpy as np
import torch

from attn_course import tic_tac_toe
from attn_course.experiments.miniatures import Task, compare, each_seed
from attn_course.miniatures import Reader, perceptron
from attn_course.models import Batch

__all__ = ["SETTINGS", "STUDY", "split", "task"]

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


@cache
def task() -> Task:
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


def counted() -> dict[str, int]:
    """Count positions, and kinds of them up to turns and mirrors."""
    found = tic_tac_toe.positions()
    return {
        "positions": len(found.boards),
        "kinds": len(set(found.kinds.tolist())),
    }


STUDY = compare(
    "tic-tac-toe",
    task,
    MODELS,
    counted,
    question="Does attention judge a small game better than a perceptron?",
    design=__doc__,
    settings=SETTINGS,
)


@STUDY.claim("9.games")
def judged(recording: Mapping[str, Any]) -> dict[str, Any]:
    """Give the share of positions judged right."""
    return {
        "attention": each_seed(recording, "attention"),
        "equal": each_seed(recording, "equal weights"),
        "perceptron": each_seed(recording, "perceptron"),
        "longer": each_seed(recording, "attention", stage="longer"),
        "perceptron_longer": each_seed(
            recording, "perceptron", stage="longer"
        ),
        "commonest": recording["commonest"],
    }
