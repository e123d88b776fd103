"""The next item that a made-up shopper takes.

Two kinds of shops (`attn_course.next_item`), both synthetic. In one
("next-item-last") only the last item counts. In the other
("next-item-long-ago") every second shopper takes the second part of something
whose first part stands anywhere among 12 items. A transformer of one layer
that names the next item from its last place
has rivals of equal size: the same with equal weights, and a GRU. Two counts
learn nothing: what is popular, and what followed the last item in training.
`best` knows the generator's own chances: nobody can do better but by luck.

`hits` is how often the item is among the five with most; the counts break
ties by the item's number. Steps were set by the time they take; whether more
steps change the picture, attention and the GRU show, which learn the second
kind once more for four times as long.
"""

from collections.abc import Mapping
from functools import cache, partial
from typing import Any

import numpy as np
import torch
from torch import nn

from attn_course import next_item
from attn_course.experiments.miniatures import Task, compare, each_seed
from attn_course.miniatures import Reader, Recurrent
from attn_course.models import Batch
from attn_course.next_item import ITEMS, SHOWN

__all__ = [
    "SEQUEL",
    "SETTINGS",
    "STUDIES",
    "counted",
    "hits",
    "long_ago",
    "only_last",
    "task",
]

SEQUEL = {"next-item-last": 0.0, "next-item-long-ago": 0.5}
SETTINGS = {
    "steps": 300,
    "batch": 64,
    "shoppers": {"train": 4000, "choose": 1000, "test": 4000},
    "sequel": SEQUEL,
    "among": 5,
    "longer": {
        "next-item-last": {},
        "next-item-long-ago": {"attention": 1200, "GRU": 1200},
    },
}
SIZES = {"length": SHOWN, "pool": "last", "layers": 1}
MODELS = {
    "attention": partial(Reader, ITEMS, ITEMS, **SIZES),
    "equal weights": partial(Reader, ITEMS, ITEMS, equal=True, **SIZES),
    "GRU": partial(Recurrent, ITEMS, ITEMS, hidden=39),
}


@cache
def task(name: str) -> Task:
    """Give the models, and the shoppers of one shop."""
    train, choose, test = split(name)
    (shown,), targets = train

    def draw(generator: torch.Generator) -> Batch:
        size = (SETTINGS["batch"],)
        i = torch.randint(len(targets), size, generator=generator)
        return Batch((shown[i],), targets[i])

    @torch.no_grad()
    def measure(model: nn.Module) -> dict[str, float]:
        return {"hits": hits(model(*test.inputs), test.targets)}

    steps, longer = SETTINGS["steps"], SETTINGS["longer"][name]
    return Task(MODELS, draw, choose, test, steps, longer, measure)


@cache
def split(name: str) -> list[Batch]:
    """Draw the shoppers: to train, to choose with, to test."""
    shop, generator = next_item.open_shop(3000), np.random.default_rng(4000)
    drawn = [
        next_item.draw(shop, count, SEQUEL[name], generator)
        for count in SETTINGS["shoppers"].values()
    ]
    return [
        Batch((torch.tensor(shown),), torch.tensor(targets))
        for shown, targets in drawn
    ]


def counted(name: str) -> dict[str, dict[str, float]]:
    """Measure the two counts, and who knows the generator, on the test."""
    train, _, test = split(name)
    shown, targets = train.inputs[0].numpy(), train.targets.numpy()
    asked = test.inputs[0].numpy()
    ranked = {
        "popular": np.tile(next_item.popular(targets), (len(asked), 1)),
        "last item": next_item.followers(shown, targets)[asked[:, -1]],
        "best": next_item.best_scores(
            next_item.open_shop(3000), asked, SEQUEL[name]
        ),
    }
    return {
        way: {
            "accuracy": hits(torch.tensor(scores), test.targets, 1),
            "hits": hits(torch.tensor(scores), test.targets),
        }
        for way, scores in ranked.items()
    }


def hits(
    scores: torch.Tensor, targets: torch.Tensor, among: int | None = None
) -> float:
    """Say how often the target is among the items with the highest scores.

    `scores` is `(batch, items)`, `targets` `(batch,)`; `among` is five unless
    told.
    """
    order = torch.argsort(scores, dim=-1, descending=True, stable=True)
    first = order[:, : among or SETTINGS["among"]]
    found = (first == targets[:, None]).any(-1)
    return round(found.float().mean().item(), 4)


def only_last() -> Task:
    """Give the task in which only the last item counts."""
    return task("next-item-last")


def long_ago() -> Task:
    """Give the task in which an item of long ago counts."""
    return task("next-item-long-ago")


def counts_of_last() -> dict[str, Any]:
    """Measure the counts where only the last item counts."""
    return {"counted": counted("next-item-last")}


def counts_of_long_ago() -> dict[str, Any]:
    """Measure the counts where an item of long ago counts."""
    return {"counted": counted("next-item-long-ago")}


STUDIES = [
    compare(
        "next-item-long-ago",
        long_ago,
        MODELS,
        counts_of_long_ago,
        question="Does attention guess the next item where one of long ago "
        "counts?",
        design=__doc__,
        settings=SETTINGS,
    ),
    compare(
        "next-item-last",
        only_last,
        MODELS,
        counts_of_last,
        question="Does attention guess the next item where only the last "
        "one counts?",
        design=__doc__,
        settings=SETTINGS,
    ),
]


def _hits(recording: Mapping[str, Any], ending: str) -> dict[str, Any]:
    """Give the hits of models and counts, under names with this ending."""
    return {
        f"attention_{ending}": each_seed(recording, "attention", "hits"),
        f"equal_{ending}": each_seed(recording, "equal weights", "hits"),
        f"gru_{ending}": each_seed(recording, "GRU", "hits"),
        f"counts_{ending}": recording["counted"]["last item"]["hits"],
        f"best_{ending}": recording["counted"]["best"]["hits"],
    }


@STUDIES[0].claim("9.recommendation")
def hits_long_ago(recording: Mapping[str, Any]) -> dict[str, Any]:
    """Give the hits where an item of long ago counts, and after longer."""
    return {
        **_hits(recording, "long_ago"),
        **{
            f"{name}_longer": each_seed(
                recording, model, "hits", stage="longer"
            )
            for name, model in (("attention", "attention"), ("gru", "GRU"))
        },
    }


@STUDIES[1].claim("9.recommendation")
def hits_last(recording: Mapping[str, Any]) -> dict[str, Any]:
    """Give the hits where only the last item counts."""
    return _hits(recording, "last")
