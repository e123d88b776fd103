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

from collections.abc import Mapping, Sequence
from functools import cache, partial
from typing import Any

import numpy as np
import torch
from torch import nn

from attn_course import figures, models, speakers
from attn_course.data import load_utterances, utterances
from attn_course.experiments.miniatures import Task, compare, each_seed
from attn_course.experiments.sweeps import chosen
from attn_course.models import Batch

__all__ = ["SETTINGS", "STUDY", "nearest", "split", "task"]

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


@cache
def task() -> Task:
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


def untrained() -> dict[str, float]:
    """Give what the nearest mean frame reaches."""
    return {"nearest": nearest()}


STUDY = compare(
    "who-speaks",
    task,
    MODELS,
    untrained,
    question="Does attention tell who speaks better than a mean does?",
    design=__doc__,
    settings=SETTINGS,
    data=["utterances.csv.gz"],
)


@STUDY.claim("9.speech")
def named(recording: Mapping[str, Any]) -> dict[str, Any]:
    """Give the share of speakers named, in order and shuffled."""
    return {
        "attention": each_seed(recording, "attention"),
        "equal": each_seed(recording, "equal weights"),
        "gru": each_seed(recording, "GRU"),
        "mean": each_seed(recording, "mean frame"),
        "attention_shuffled": each_seed(recording, "attention", "shuffled"),
        "gru_shuffled": each_seed(recording, "GRU", "shuffled"),
        "heaviest": each_seed(recording, "attention", "heaviest"),
        "nearest": recording["nearest"],
        "commonest": recording["commonest"],
        "tested": recording["sizes"]["test"],
    }


@STUDY.figure("""
    An utterance of 19 frames as a table of twelve coefficients, and below it
    what attention gives to each frame, for three seeds, beside equal weights.
    All three give most to the last frame and to frame 13, where the colours
    of several coefficients have changed, and less than an equal share to
    most of the first nine.
""")
def looks(recording: Mapping[str, Any]) -> Any:
    """Draw the first tested utterance and where attention looks."""
    (frames, lengths), _ = split()[-1]
    utterance = frames[0, : lengths[0]]  # (n, 12)
    return figures.over_time(
        utterance.T.numpy(),
        {
            f"seed {r['seed']}": r["example"]
            for r in chosen(recording["records"])["attention"]
        },
        level=1 / len(utterance),
        level_label="equal weights",
        xlabel="frame",
        ylabel="coefficient",
        label="standard deviations from the mean",
        lines_label="weight",
    )
