"""Where linear attention loses: many look-ups from a state of fixed size.

Each text shows pairs of a key and a value, then asks for the value of every
key. The two models differ in nothing but the read, which has no parameters:
softmax attention over all pairs, or linear attention, which keeps d · (d + 1)
numbers whatever the length. One model learns all numbers of pairs, mixed; it
is tested on each with pairs (key with value) that training never shows.

A pilot with seed 0 chose the number of steps, beyond which neither model
gained much; sizes, rates and numbers of pairs were set beforehand. Both
models get both learning rates, and all are shown.
"""

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn

from attn_course import figures
from attn_course.experiments.study import Study
from attn_course.nn.train import Batch
from attn_course.tasks.mqar import READS, Lookup, lookup_accuracy, lookup_batch

if TYPE_CHECKING:
    from attn_course.figures import Chart

__all__ = ["SETTINGS", "STUDY", "guessing", "kept", "one", "tests"]

SETTINGS = {
    "pairs": [4, 8, 16, 32, 64],
    "d": [8, 16, 32],
    "n_keys": 128,
    "n_values": 16,
    "d_model": 64,
    "learning_rates": [0.003, 0.01],
    "batch": 64,
    "steps": [300, 600, 1200],
    "tested": 200,
}
SIZES = {name: SETTINGS[name] for name in ("n_keys", "n_values")}
# The loss that is kept is the mean over so many steps.
EACH = 100
STUDY = Study(
    "recall-linear",
    chapter=7,
    question="What does linear attention lose by a state of fixed size?",
    design=__doc__,
    trains=True,
    arms={"d": SETTINGS["d"], "read": READS},
    sweep={"learning_rate": SETTINGS["learning_rates"]},
    settings=SETTINGS,
    baseline="guessing",
    packages=["torch"],
    tolerance=0.02,
)


@STUDY.run
def one(
    d: int,
    read: str,
    learning_rate: float,
    seed: int,
    steps: Sequence[int] = SETTINGS["steps"],
) -> dict[str, Any]:
    """Train one model; test it at every checkpoint."""
    model = _model(read, d, seed)
    generator = torch.Generator().manual_seed(1000 + seed)
    update = torch.optim.Adam(model.parameters(), lr=learning_rate)
    accuracy, losses = [], []
    for step in range(1, steps[-1] + 1):
        asked, targets = _drawn(generator)
        loss = nn.functional.cross_entropy(model(*asked), targets)
        update.zero_grad()
        loss.backward()
        update.step()
        losses.append(loss.item())
        if step in steps:
            accuracy.append(
                [round(lookup_accuracy(model, test), 4) for test in tests()]
            )
    parts = np.reshape(losses, (-1, EACH)).mean(axis=1)
    return {
        "history": [round(float(part), 4) for part in parts],
        "accuracy": accuracy,
    }


@STUDY.summary
def content(records: list[dict[str, Any]]) -> dict[str, Any]:
    """Say what each read keeps, and what guessing gives."""
    return {
        "parameters": {
            str(d): sum(p.numel() for p in _model("linear", d, 0).parameters())
            for d in SETTINGS["d"]
        },
        "kept": {
            read: {str(d): kept(read, d) for d in SETTINGS["d"]}
            for read in READS
        },
        "guessing": guessing(),
        "baselines": {"guessing": round(math.log(SETTINGS["n_values"]), 4)},
        "keys": {
            "history": f"training loss, mean over each {EACH} steps",
            "accuracy": "(steps, numbers of pairs), held out",
            "kept": "numbers kept of the pairs, for each number of pairs",
            "guessing": "naming one of the shown values at random",
        },
    }


@STUDY.slice
def first_steps(recording: dict[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """Train every arm again, up to the first checkpoint."""
    for arm in STUDY.each_arm():
        cell = {**arm, "learning_rate": 0.01, "seed": 1}
        [then] = [r for r in recording["records"] if cell.items() <= r.items()]
        again = one(**cell, steps=SETTINGS["steps"][:1])
        yield f"{arm}", then["accuracy"][0], again["accuracy"][0]
    yield "guessing", recording["guessing"], guessing()


@STUDY.claim("7.linear")
def looked_up(recording: dict[str, Any]) -> dict[str, list[float]]:
    """Give accuracies after all steps, at one of the rates."""

    def right(read: str, d: int, pairs: int) -> list[float]:
        place = SETTINGS["pairs"].index(pairs)
        return [row[place] for row in _in_the_end(recording, read, d)]

    return {
        "few": right("linear", 16, 4),
        "many": right("linear", 16, 64),
        "wide": right("linear", 32, 64),
        "softmax": right("softmax", 16, 64),
    }


@STUDY.figure(
    """
    Accuracy over 4 to 64 pairs. Softmax stays at 1. Linear attention falls,
    the sooner the smaller it is: at 64 pairs to 0.75 with d = 32, 0.46 with d
    = 16, 0.26 with d = 8.
    """
)
def by_pairs(recording: dict[str, Any]) -> "Chart":
    """Draw softmax of one size, and linear attention of all."""
    lines = {"softmax, d = 16": _in_the_end(recording, "softmax", 16)}
    for d in SETTINGS["d"]:
        lines[f"linear, d = {d}"] = _in_the_end(recording, "linear", d)
    return figures.curves(
        SETTINGS["pairs"],
        lines,
        xlabel="pairs in the text",
        ylabel="accuracy, held out",
        title="Recorded: learning rate 0.01, 3 seeds",
        log_x=True,
    )


def _in_the_end(
    recording: dict[str, Any], read: str, d: int
) -> list[list[float]]:
    """Give accuracies after all steps: one row a seed, at one of the rates."""
    cell = {"read": read, "d": d, "learning_rate": 0.01}
    return [
        r["accuracy"][-1]
        for r in recording["records"]
        if cell.items() <= r.items()
    ]


def tests() -> list[Batch]:
    """Draw what every model is tested on, for each number of pairs."""
    return [
        lookup_batch(
            SETTINGS["tested"],
            torch.Generator().manual_seed(2000),
            pairs=pairs,
            held_out=True,
            **SIZES,
        )
        for pairs in SETTINGS["pairs"]
    ]


def guessing() -> list[float]:
    """Measure what naming one of the shown values at random would get."""
    shares = []
    for _, values in tests():
        same = values[:, :, None] == values[:, None, :]
        shares.append(round(same.float().mean().item(), 4))
    return shares


def kept(read: str, d: int) -> list[int]:
    """Count the numbers a read keeps, for each number of pairs."""
    if read == "linear":
        return [d * d + d for _ in SETTINGS["pairs"]]
    return [2 * d * pairs for pairs in SETTINGS["pairs"]]


def _drawn(generator: torch.Generator) -> Batch:
    """Draw a number of pairs, then a batch."""
    choices = SETTINGS["pairs"]
    chosen = int(torch.randint(len(choices), (1,), generator=generator))
    return lookup_batch(
        SETTINGS["batch"], generator, pairs=choices[chosen], **SIZES
    )


def _model(read: str, d: int, seed: int) -> Lookup:
    return Lookup(read, d, d_model=SETTINGS["d_model"], seed=seed, **SIZES)
