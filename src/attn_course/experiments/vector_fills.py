"""What a recurrent network's one vector holds, letter by letter.

**Copy**: read twelve letters one by one, then name all of them from the last
state, which is equally long for all three cells; so the gated ones have more
parameters. Afterwards a linear probe asks each state on the way for each
letter read so far, on sequences that neither the model nor the probe has
seen. All cells get the same steps, batches and grid of learning rates; the
rate with the lowest training loss is the one to look at.

A pilot had one learning rate for all, 0.003, and was looked at for all three
cells. The grid goes half a decade to either side of it.
"""

import math
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from attn_course import figures
from attn_course.experiments.study import Study
from attn_course.experiments.sweeps import runs_at_best
from attn_course.nn import train
from attn_course.nn.train import trained_parameters
from attn_course.tasks import letters

if TYPE_CHECKING:
    from attn_course.figures import Chart

__all__ = ["SETTINGS", "STUDY", "last_states", "one"]

HIDDEN = 48
SETTINGS = {
    "letters": letters.LETTERS,
    "copy_length": letters.COPY_LENGTH,
    "steps": 2000,
    "batch": 64,
    "held_out": 1000,
}
# Steps behind each number of the loss over time.
EVERY = 40
STUDY = Study(
    "vector-fills",
    chapter=2,
    question="What does one vector hold of twelve letters?",
    design=__doc__,
    arms={"model": letters.CELLS},
    sweep={"learning_rate": [0.001, 0.003, 0.01]},
    settings=SETTINGS,
    chosen_by="loss",
    baseline="uniform",
    packages=["torch"],
    tolerance=0.05,
)


@STUDY.run
def one(
    model: str,
    learning_rate: float,
    seed: int,
    steps: int = SETTINGS["steps"],
) -> dict[str, Any]:
    """Train one cell on Copy; probe every state for every letter.

    `probe` is `(n, n)`: row t, column i is the held-out accuracy for letter
    i from the state after letter t; null above the diagonal.
    """
    network = _model(model, seed)
    loss = letters.train(
        network,
        letters.copy_batch,
        steps=steps,
        every=EVERY,
        batch=SETTINGS["batch"],
        learning_rate=learning_rate,
        seed=seed,
    )
    held_out = letters.copy_batch(
        SETTINGS["held_out"], torch.Generator().manual_seed(2000 + seed)
    )
    return {
        **loss,
        "accuracy": round(train.accuracy(network, held_out), 4),
        "probe": letters.probe_states(network, seed, SETTINGS["held_out"]),
    }


@STUDY.summary
def content(records: list[dict[str, Any]]) -> dict[str, Any]:
    """Add sizes, and what knows nothing."""
    return {
        "hidden": dict.fromkeys(letters.CELLS, HIDDEN),
        "parameters": {
            cell: trained_parameters(_model(cell, 0)) for cell in letters.CELLS
        },
        "chance": 1 / letters.LETTERS,
        "baselines": {"uniform": round(math.log(letters.LETTERS), 4)},
    }


@STUDY.slice
def again(recording: Mapping[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """Train each cell again, a few steps with one rate and seed."""
    for cell in letters.CELLS:
        run = {"model": cell, "learning_rate": 0.003, "seed": 0}
        [then] = [r for r in recording["records"] if run.items() <= r.items()]
        now = one(**run, steps=3 * EVERY)
        yield f"{cell}: loss", then["history"][:3], now["history"]


@STUDY.claim("2.still-one-vector")
def named(recording: Mapping[str, Any]) -> dict[str, Any]:
    """Give the share of letters that each cell names at its best rate."""
    return {
        cell.lower(): [r["accuracy"] for r in runs]
        for cell, runs in runs_at_best(recording["records"], "model").items()
    }


@STUDY.claim("2.gates")
def task(recording: Mapping[str, Any]) -> dict[str, Any]:
    """Give the size of the task and of the state."""
    return {
        "letters": recording["settings"]["copy_length"],
        "state": recording["hidden"]["GRU"],
        "chance": recording["chance"],
    }


@STUDY.figure(
    """
    Triangular table for the GRU: rows are the number of letters read, from
    1 to 12, columns are the letters. The newest letter is nearly always
    known. Older letters fade along each row, but the first letter of all is
    known better than those in the middle.
    """
)
def probed(recording: Mapping[str, Any]) -> "Chart":
    """Draw what a probe finds in each state of the GRU."""
    runs = runs_at_best(recording["records"], "model")["GRU"]
    probe = np.array([r["probe"] for r in runs], dtype=float)
    return figures.heatmap(
        probe.mean(axis=0),
        [str(i + 1) for i in range(probe.shape[1])],
        title="What a GRU's state still holds, mean of three seeds",
        ylabel="letters read",
        xlabel="letter",
        label="share of letters that a probe names",
    )


def last_states() -> tuple[list[dict[str, Any]], str]:
    """Give records for a widget, and the GRU's best rate to open it with."""
    records = STUDY.recording["records"]
    shown = [
        {
            "model": r["model"],
            "learning rate": r["learning_rate"],
            "seed": r["seed"],
            "known": r["probe"][-1],
        }
        for r in records
    ]
    best = runs_at_best(records, "model")["GRU"][0]["learning_rate"]
    return shown, str(best)


def _model(cell: str, seed: int) -> letters.Reader:
    return letters.make(cell, HIDDEN, seed, answers=letters.COPY_LENGTH)
