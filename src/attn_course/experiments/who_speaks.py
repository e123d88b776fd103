"""Who speaks? Real utterances, named by a transformer and by rivals.

Nine men say two vowels (`data.load_utterances`): 270 utterances to learn
from, of which seven a speaker choose the learning rate instead, and 370 from
other occasions as the test. Each coefficient is shifted and scaled by mean
and deviation of the training frames. A transformer of one layer over the
frames has rivals of equal size: the same with equal weights, a GRU, and a
perceptron that sees an utterance's mean frame alone. `nearest` learns
nothing: it names the speaker whose mean frame of training is nearest.

`shuffled` is the accuracy on the test when each utterance's frames come in an
order drawn at random, which no model saw in training. `heaviest` is what the
heaviest frame of an utterance gets from attention, in shares of 1/n, mean over
the test; `example` is what each frame of the first tested utterance gets.

A pilot with seed 7 set the steps: after 300 every model's training loss was
below 0.05, so that none learns for longer.
"""

import sys
from collections.abc import Sequence
from functools import cache, partial
from typing import Any

import numpy as np
import torch
from torch import nn

from attn_course import models, speakers
from attn_course.data import load_utterances, utterances
from attn_course.experiments import miniatures
from attn_course.experiments.miniatures import Task
from attn_course.models import Batch

__all__ = [
    "RECORDINGS",
    "SETTINGS",
    "inputs",
    "nearest",
    "record",
    "split",
    "task",
]

RECORDINGS = ("who-speaks",)
SETTINGS = {
    "steps": 300,
    "batch": 64,
    "choose": 7,
    "longer": {},
}
MODELS = {
    "attention": speakers.FrameTransformer,
    "equal weights": partial(speakers.FrameTransformer, equal=True),
    "GRU": partial(speakers.FrameGRU, hidden=42),
    "mean frame": partial(speakers.MeanFrame, hidden=91),
}
CODE = ("speakers.py", "data/utterances.py", "experiments/who_speaks.py")


def inputs(name: str, seeds: Sequence[int]) -> list[Any]:
    """List what the recording depends on, the code it runs included."""
    return miniatures.dependencies(seeds, speakers, utterances)


def record(name: str, seeds: Sequence[int]) -> dict[str, Any]:
    """Train every model with every rate and seed; take up what is there."""
    return miniatures.record(
        sys.modules[__name__],
        name,
        seeds,
        code=CODE,
        more={"nearest": nearest()},
    )


@cache
def split() -> list[Batch]:
    """Give utterances: to train on, to choose with, to test."""
    given, tested = load_utterances("train"), load_utterances("test")
    generator = np.random.default_rng(3000)
    chosen = np.concatenate(
        [
            generator.choice(
                np.flatnonzero(given.speakers == who),
                SETTINGS["choose"],
                replace=False,
            )
            for who in range(utterances.SPEAKERS)
        ]
    )
    rest = np.setdiff1d(np.arange(len(given.speakers)), chosen)
    learned = np.concatenate([given.frames[i] for i in rest])
    mean, deviation = learned.mean(0), learned.std(0)  # (12,)

    def part(frames: Sequence[np.ndarray], names: np.ndarray) -> Batch:
        scaled = [(x - mean) / deviation for x in frames]
        return Batch(speakers.pad(scaled), torch.tensor(names))

    return [
        part([given.frames[i] for i in rest], given.speakers[rest]),
        part([given.frames[i] for i in chosen], given.speakers[chosen]),
        part(tested.frames, tested.speakers),
    ]


def task(name: str) -> Task:
    """Give the models and the three parts."""
    train, choose, test = split()
    return Task(
        MODELS,
        speakers.batches(*train.inputs, train.targets, SETTINGS["batch"]),
        choose,
        test,
        SETTINGS["steps"],
        SETTINGS["longer"],
        _measure,
    )


def nearest() -> float:
    """Give the accuracy of naming the speaker with the nearest mean frame."""
    train, _, test = split()
    seen, asked = (speakers.mean_over(*x.inputs) for x in (train, test))
    means = torch.stack(
        [
            seen[train.targets == who].mean(0)
            for who in range(utterances.SPEAKERS)
        ]
    )  # (9, 12)
    named = torch.cdist(asked, means).argmin(-1)
    return round((named == test.targets).float().mean().item(), 4)


def _measure(model: nn.Module) -> dict[str, Any]:
    """Measure what order does, and where attention looks, if it chooses."""
    (frames, lengths), targets = split()[-1]
    generator = torch.Generator().manual_seed(4000)
    mixed = speakers.shuffled(frames, lengths, generator)
    found = models.accuracy(model, Batch((mixed, lengths), targets))
    entry = {"shuffled": round(found, 4)}
    if isinstance(model, speakers.FrameTransformer) and not model.equal:
        weights = model.looks(frames, lengths)  # (batch, n)
        shares = weights.max(-1).values * lengths
        first = weights[0, : lengths[0]].tolist()
        entry["heaviest"] = round(shares.mean().item(), 4)
        entry["example"] = [round(x, 4) for x in first]
    return entry
