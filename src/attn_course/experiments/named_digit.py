"""A word and a picture: find the cell of the digit that is named.

Boards of 3 × 3 real digits, all different; a word names one. Digits come from
the three parts of `vision.split`: what is tested was mostly written by hands
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

from collections.abc import Mapping
from functools import cache, partial
from typing import Any

import numpy as np
import torch
from torch import nn

from attn_course import boards, figures
from attn_course.experiments.miniatures import (
    Task,
    compare,
    count_leads,
    each_seed,
)
from attn_course.experiments.sweeps import chosen
from attn_course.miniatures import Finder, FlatFinder
from attn_course.models import Batch
from attn_course.vision import split

__all__ = ["SETTINGS", "STUDY", "task"]

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


@cache
def task() -> Task:
    """Give the models, and boards from three parts of the data set."""
    train, choose, test = split()

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


def _looks(test: Batch, model: nn.Module) -> dict[str, Any]:
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


def example() -> dict[str, Any]:
    """Give the first board of the test, whatever it shows."""
    (words, drawn), cells = task().test
    return {
        "example": {
            "board": (drawn[0] * 16).int().tolist(),
            "word": words[0].item(),
            "cell": cells[0].item(),
        }
    }


STUDY = compare(
    "named-digit",
    task,
    MODELS,
    example,
    question="Does attention find in a picture what a word names?",
    design=__doc__,
    settings=SETTINGS,
    data=["digits.csv.gz"],
)


@STUDY.claim("9.multimodal")
def found(recording: Mapping[str, Any]) -> dict[str, Any]:
    """Give the share of digits found, and where attention looks."""
    early, example = "word in each cell", recording["example"]
    looking = chosen(recording["records"])["attention"]
    return {
        "attention": each_seed(recording, "attention"),
        "pooled": each_seed(recording, "pooled picture"),
        "early": each_seed(recording, early),
        "longer": each_seed(recording, early, stage="longer"),
        "perceptron": each_seed(recording, "perceptron"),
        "heaviest": each_seed(recording, "attention", "heaviest"),
        "commonest": recording["commonest"],
        "first_board": sum(
            int(np.argmax(r["example"])) == example["cell"] for r in looking
        ),
    }


# The largest lead is here: so the count over all tasks is as well.
@STUDY.claim("9.same-mechanism")
def leads(recording: Mapping[str, Any]) -> dict[str, Any]:
    """Say in how many of the six tasks attention leads."""
    return count_leads()


@STUDY.figure("""
    A board of nine handwritten digits, the named 2 in the middle below, and
    beside it for each of three seeds its cells by weight. In two of them the
    cell of the 2 is the heaviest, in the third three others are heavier.
""")
def looks(recording: Mapping[str, Any]) -> Any:
    """Draw the first board and where attention looks on it."""
    example = recording["example"]
    board = np.reshape(example["board"], (9, 8, 8))
    return figures.pictures(
        {f"find the {example['word']}": figures.sheet(board)}
        | {
            f"seed {r['seed']}": np.reshape(r["example"], (3, 3))
            for r in chosen(recording["records"])["attention"]
        },
        per_row=2,
    )
