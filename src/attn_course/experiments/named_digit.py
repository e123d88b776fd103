"""A word and a picture: find the cell of the digit that is named.

Boards of 3 × 3 real digits, all different; a word names one. Digits come from
the three parts of `patches.split`: what is tested was mostly written by hands
that training never saw. The word asks the cells with one cross-attention
("attention"). Rivals of equal size have equal weights in its place ("pooled
picture"), and may tell every cell the word first ("word in each cell"), or
they read all pixels and the word in a row ("perceptron"). Only the last is
not told where a cell ends.

`heaviest` is how often the cell with most weight, mean over heads, is the one
that is asked for, on the test; `weight` is what that cell gets.

In a pilot with seed 7 and 800 steps, "word in each cell" had just begun to
learn: so it learns once more, for four times as long.
"""

import sys
from collections.abc import Sequence
from functools import partial
from typing import Any

import torch
from torch import nn

from attn_course import boards
from attn_course.experiments import miniatures, patches
from attn_course.experiments.miniatures import Task
from attn_course.miniatures import Finder, FlatFinder

__all__ = ["RECORDINGS", "SETTINGS", "inputs", "record", "task"]

RECORDINGS = ("named-digit",)
SETTINGS = {
    "steps": 800,
    "batch": 64,
    "choose": 2000,
    "test": 4000,
    "longer": {"word in each cell": 3200},
}
MODELS = {
    "attention": Finder,
    "pooled picture": partial(Finder, way="pooled"),
    "word in each cell": partial(Finder, way="early"),
    "perceptron": partial(FlatFinder, hidden=49),
}
CODE = ("boards.py", "data/digits.py", "experiments/named_digit.py")


def inputs(name: str, seeds: Sequence[int]) -> list[Any]:
    """List what the recording depends on, the code it runs included."""
    return miniatures.dependencies(seeds, boards, patches.split)


def record(name: str, seeds: Sequence[int]) -> dict[str, Any]:
    """Train every model with every rate and seed; take up what is there."""
    (word, board), cell = (x for x in _first())
    return miniatures.record(
        sys.modules[__name__],
        name,
        seeds,
        code=CODE,
        more={
            "example": {
                "board": (board * 16).int().tolist(),
                "word": word.item(),
                "cell": cell.item(),
            }
        },
    )


def task(name: str) -> Task:
    """Give the models, and boards from three parts of the data set."""
    train, choose, test = patches.split()

    def drawn(part: Any, count: int, seed: int) -> Any:
        generator = torch.Generator().manual_seed(seed)
        return boards.asked(*part.inputs, part.targets, count, generator)

    tested = drawn(test, SETTINGS["test"], 6000)
    return Task(
        MODELS,
        boards.batches(*train.inputs, train.targets, SETTINGS["batch"]),
        drawn(choose, SETTINGS["choose"], 5000),
        tested,
        SETTINGS["steps"],
        SETTINGS["longer"],
        partial(_looks, tested),
    )


def _looks(test: Any, model: nn.Module) -> dict[str, Any]:
    """Measure where a trained model looks, if it chooses at all."""
    if getattr(model, "way", None) != "attention":
        return {}
    weights = model.looks(*test.inputs)  # (batch, cells)
    right = weights.argmax(-1) == test.targets
    given = weights.gather(1, test.targets[:, None])
    return {
        "heaviest": round(right.float().mean().item(), 4),
        "weight": round(given.mean().item(), 4),
        "example": [round(x, 4) for x in weights[0].tolist()],
    }


def _first() -> Any:
    """Give the first board of the test, whatever it shows."""
    inputs, cells = task("named-digit").test
    return (tuple(x[0] for x in inputs), cells[0])
