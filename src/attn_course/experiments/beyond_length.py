"""Positions beyond the lengths of training: four kinds, up to four times.

Small causal transformers learn to name the word after the mark among 4 to 16
words (`tasks.marker`), without positions, with sinusoidal, learned
or rotary ones: the same layers, first weights and batches. The test goes to
64 words. Rows of the learned table beyond the lengths of training stay as
they were drawn.

A pilot with seed 7 trained the sinusoidal and the rotary model 600 steps at
the lower rate; both had learned the task well before, so 400 are taken. Two
rates are tried with each kind, and the one with the lower training loss is
the one to look at.
"""

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import torch

from attn_course import figures
from attn_course.experiments.study import Study
from attn_course.experiments.sweeps import runs_at_best
from attn_course.nn import train
from attn_course.tasks.marker import POSITIONS, VALUES, Reader, episodes

if TYPE_CHECKING:
    from attn_course.figures import Chart

__all__ = ["SETTINGS", "STUDY", "make", "one"]

SETTINGS = {
    "positions": list(POSITIONS),
    "learning_rate": [0.003, 0.01],
    "trained": [4, 16],
    "lengths": [4, 8, 12, 16, 17, 18, 20, 24, 32, 48, 64],
    "model": {"layers": 2, "d_model": 32, "heads": 2, "d_ff": 64},
    "steps": 400,
    "batch": 32,
    "tested": 1000,
}
STUDY = Study(
    "beyond-length",
    chapter=7,
    question="Does a model still know the order in texts longer than any it "
    "was trained on?",
    design=__doc__,
    arms={"positions": POSITIONS},
    sweep={"learning_rate": SETTINGS["learning_rate"]},
    settings=SETTINGS,
    chosen_by="loss",
    baseline="guessing",
    packages=["torch"],
    tolerance=0.05,
)


@STUDY.run
def one(
    positions: str,
    learning_rate: float,
    seed: int,
    *,
    steps: int = SETTINGS["steps"],
    lengths: Sequence[int] = SETTINGS["lengths"],
) -> dict[str, Any]:
    """Train one model; test it at every length."""
    model = make(positions, seed)
    history = train.losses(
        train.train(
            model,
            training_batch,
            steps=steps,
            learning_rate=learning_rate,
            seed=1000 + seed,
            progress=False,
        )
    )
    generator = torch.Generator().manual_seed(2000 + seed)
    accuracies = [
        train.accuracy(
            model, episodes(SETTINGS["tested"], generator, length=length)
        )
        for length in lengths
    ]
    return {
        "loss": history[-1],
        "history": history,
        "accuracy": [round(a, 4) for a in accuracies],
    }


@STUDY.summary
def content(records: list[dict[str, Any]]) -> dict[str, Any]:
    """Say what the numbers are, and what guessing gives."""
    return {
        "keys": {
            "loss": "training loss, mean over the last tenth of the steps",
            "history": "training loss, mean over each tenth of the steps",
            "accuracy": "on fresh episodes, by length",
        },
        "parameters": {
            kind: sum(p.numel() for p in make(kind, 0).parameters())
            for kind in POSITIONS
        },
        "chance": 1 / VALUES,
        "baselines": {"guessing": round(math.log(VALUES), 4)},
    }


@STUDY.slice
def trained_again(
    recording: dict[str, Any],
) -> Iterator[tuple[str, Any, Any]]:
    """Train each kind of positions again, and compare where it was trained.

    Beyond the trained lengths small differences of computers grow.
    """
    most = SETTINGS["trained"][1]
    trained = [n for n in SETTINGS["lengths"] if n <= most]
    for kind in POSITIONS:
        cell = {"positions": kind, "learning_rate": 0.003, "seed": 0}
        [then] = [r for r in recording["records"] if cell.items() <= r.items()]
        again = one(**cell, lengths=trained)
        yield f"{kind}: loss", then["loss"], again["loss"]
        accuracy = then["accuracy"][: len(trained)]
        yield f"{kind}: accuracy", accuracy, again["accuracy"]


@STUDY.figure(
    """
    Accuracy over 4 to 64 words, for four kinds of positions. Up to 16 words
    all are near 1. Beyond, all fall: rotary least, to about 0.8 at 32 words,
    without positions to 0.7, sinusoidal and learned to below 0.6; at 64 all
    are below 0.5 on average.
    """
)
def by_length(recording: dict[str, Any]) -> "Chart":
    """Draw each kind at its best rate."""
    return figures.curves(
        recording["settings"]["lengths"],
        {
            kind: [r["accuracy"] for r in runs]
            for kind, runs in runs_at_best(
                recording["records"], "positions"
            ).items()
        },
        xlabel="words (trained on 4 to 16)",
        ylabel="accuracy",
        title="Recorded: 3 seeds",
    )


@STUDY.claim("7.beyond-length")
def carried(recording: dict[str, Any]) -> dict[str, Any]:
    """Give each kind's accuracy at one, two and four times the length."""
    lengths = recording["settings"]["lengths"]
    last = recording["settings"]["trained"][1]
    found = {
        f"{kind}_{n}": [r["accuracy"][lengths.index(n)] for r in runs]
        for kind, runs in runs_at_best(
            recording["records"], "positions"
        ).items()
        for n in (last, 2 * last, 4 * last)
    }
    # Who knows nothing of a new place, at twice the length: a mark in an old
    # one is seen, else it is a guess.
    known = min(1, (last - 1) / (2 * last - 1))
    return {
        **found,
        "trained": last,
        "only_known": known + (1 - known) * recording["chance"],
    }


def make(positions: str, seed: int) -> Reader:
    """Make a model with its first weights."""
    most = SETTINGS["lengths"][-1] + 1
    return Reader(positions, max_length=most, seed=seed, **SETTINGS["model"])


def training_batch(generator: torch.Generator) -> train.Batch:
    """Draw a batch, of one length."""
    low, high = SETTINGS["trained"]
    length = torch.randint(low, high + 1, (), generator=generator).item()
    return episodes(SETTINGS["batch"], generator, length=length)
