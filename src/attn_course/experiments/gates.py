"""What the gates of a recurrent network do, and what they are good for.

**Marked**: one letter of a sequence carries a mark, the others are noise.
Name the marked letter from the last state. What do the gates do at the mark,
and how far back may the mark lie? Training shows distances of up to
`trained_distance`; the test asks for more, too. The three cells have equally
many parameters, to within 3 %, so their states differ in length. All get the
same steps, batches and grid of learning rates; the rate with the lowest
training loss is the one to look at.

A pilot had one learning rate for all, 0.003. With it the plain RNN never
learned the task, which may be the rate's fault: hence the grid, half a decade
to either side.
"""

import math
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import torch

from attn_course import figures
from attn_course.experiments.study import Study
from attn_course.experiments.sweeps import runs_at_best
from attn_course.nn import train
from attn_course.nn.train import trained_parameters
from attn_course.tasks import letters

if TYPE_CHECKING:
    from attn_course.figures import Chart

__all__ = ["SETTINGS", "STUDY", "by_distance", "one"]

# Sizes of the state with which all have about as many parameters.
HIDDEN = {"RNN": 87, "GRU": 48, "LSTM": 41}
SETTINGS = {
    "letters": letters.LETTERS,
    "marked_length": list(letters.MARKED_LENGTH),
    "trained_distance": letters.TRAINED_DISTANCE,
    "distances": [1, 5, 10, 20, 40, 80],
    "steps": 1500,
    "batch": 64,
    "held_out": 1000,
}
# Where gates are looked at: letters after the mark.
AROUND = range(-5, 11)
# Steps behind each number of the loss over time.
EVERY = 30
STUDY = Study(
    "gates",
    chapter=2,
    question="What do gates do, and does a plain network remember less?",
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
    """Train one cell on Marked; measure accuracy by distance, and the gates.

    `keep` is the mean over units and sequences of the gate that keeps (GRU:
    keep, LSTM: forget), by position relative to the mark, from 5 before to
    10 after; null for the RNN, which has no gates.
    """
    network = _model(model, seed)
    loss = letters.train(
        network,
        letters.marked_batch,
        steps=steps,
        every=EVERY,
        batch=SETTINGS["batch"],
        learning_rate=learning_rate,
        seed=seed,
    )
    count = SETTINGS["held_out"]
    generator = torch.Generator().manual_seed(3000 + seed)
    tests = [
        letters.marked_batch(count, generator, distance)
        for distance in SETTINGS["distances"]
    ]
    return {
        **loss,
        "accuracy": [round(train.accuracy(network, x), 4) for x in tests],
        "keep": letters.gates_around_the_mark(network, model, seed, count),
    }


@STUDY.summary
def content(records: list[dict[str, Any]]) -> dict[str, Any]:
    """Add sizes, and what knows nothing."""
    return {
        "hidden": HIDDEN,
        "parameters": {
            cell: trained_parameters(_model(cell, 0)) for cell in HIDDEN
        },
        "chance": 1 / letters.LETTERS,
        "baselines": {"uniform": round(math.log(letters.LETTERS), 4)},
    }


@STUDY.slice
def again(recording: Mapping[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """Train each cell again, a few steps with one rate and seed.

    To the end would tell less: rounding alone, on another processor, makes
    another model of the plain RNN.
    """
    for cell in HIDDEN:
        run = {"model": cell, "learning_rate": 0.003, "seed": 0}
        [then] = [r for r in recording["records"] if run.items() <= r.items()]
        now = one(**run, steps=3 * EVERY)
        yield f"{cell}: loss", then["history"][:3], now["history"]


@STUDY.claim("2.long-range")
def plain(recording: Mapping[str, Any]) -> dict[str, Any]:
    """Give how well the plain RNN names a letter near and far."""
    trained = SETTINGS["trained_distance"]
    return {
        "trained": trained,
        "near": _accuracy(recording, "RNN", 1),
        "rnn": _accuracy(recording, "RNN", trained),
        "chance": recording["chance"],
    }


@STUDY.claim("2.gates")
def gated(recording: Mapping[str, Any]) -> dict[str, Any]:
    """Give how well gated cells do, and how far their gates are open."""
    runs, found = runs_at_best(recording["records"], "model"), {"beyond": 80}
    for cell in ("GRU", "LSTM"):
        name, keep = cell.lower(), [r["keep"] for r in runs[cell]]
        found |= {
            name: _accuracy(recording, cell, SETTINGS["trained_distance"]),
            f"{name}_beyond": _accuracy(recording, cell, 80),
            f"{name}_at_mark": [row[AROUND.index(0)] for row in keep],
            f"{name}_after": [row[AROUND.index(5)] for row in keep],
        }
    return found


@STUDY.figure(
    """
    Line plot of the mean keep gate over the position relative to the marked
    letter, from 5 before to 10 after, for GRU and LSTM with a band over
    three seeds. Both gates lie low before the mark, lowest at the mark
    itself, and jump up right after it, where they stay.
    """
)
def keep_gates(recording: Mapping[str, Any]) -> "Chart":
    """Draw the gate that keeps, around the mark."""
    runs = runs_at_best(recording["records"], "model")
    return figures.curves(
        list(AROUND),
        {
            f"{cell}: gate that keeps": [r["keep"] for r in runs[cell]]
            for cell in ("GRU", "LSTM")
        },
        xlabel="letters after the mark",
        ylabel="gate, mean over all numbers",
        title="The gates open for one letter, then close",
    )


def by_distance() -> tuple[list[dict[str, Any]], str]:
    """Give records for a widget, and the RNN's best rate to open it with."""
    records = STUDY.recording["records"]
    shown = [
        {
            "model": r["model"],
            "learning rate": r["learning_rate"],
            "seed": r["seed"],
            "accuracy": r["accuracy"],
        }
        for r in records
    ]
    best = runs_at_best(records, "model")["RNN"][0]["learning_rate"]
    return shown, str(best)


def _accuracy(
    recording: Mapping[str, Any], cell: str, distance: int
) -> list[float]:
    """Give the accuracy at one distance, for each seed, at the best rate."""
    place = SETTINGS["distances"].index(distance)
    runs = runs_at_best(recording["records"], "model")[cell]
    return [r["accuracy"][place] for r in runs]


def _model(cell: str, seed: int) -> letters.Reader:
    return letters.make(cell, HIDDEN[cell], seed)
