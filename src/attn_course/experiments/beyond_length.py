"""Positions beyond the lengths of training: four kinds, up to four times.

Small causal transformers learn to name the word after the mark among 4 to 16
words (`attn_course.after_mark`), without positions, with sinusoidal, learned
or rotary ones: the same layers, first weights and batches. The test goes to
64 words. Rows of the learned table beyond the lengths of training stay as
they were drawn.

A pilot with seed 7 trained the sinusoidal and the rotary model 600 steps at
the lower rate; both had learned the task well before, so 400 are taken. Two
rates are tried with each kind, and the one with the lower training loss is
the one to look at.
"""

import inspect
import itertools
from collections.abc import Sequence
from typing import Any

import torch

from attn_course import after_mark, models
from attn_course.after_mark import POSITIONS, VALUES, Reader, episodes
from attn_course.experiments import fingerprint, provenance
from attn_course.experiments.parts import Parts, one_thread

__all__ = ["RECORDINGS", "SETTINGS", "inputs", "make", "record", "run_one"]

RECORDINGS = ("beyond-length",)
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
CODE = (
    "after_mark.py",
    "experiments/beyond_length.py",
    "experiments/parts.py",
    "functional.py",
    "models.py",
    "positions.py",
    "transformer.py",
)


def inputs(name: str, seeds: Sequence[int]) -> list[Any]:
    """List what the recording depends on, the code it runs included."""
    code = (after_mark, models.train, models.accuracy)
    return [list(seeds), *(inspect.getsource(part) for part in code)]


def record(name: str, seeds: Sequence[int]) -> dict[str, Any]:
    """Train every kind with every rate and seed; take up what is there."""
    parts = Parts(name, fingerprint("beyond_length", name, 0))
    runs = list(
        itertools.product(
            SETTINGS["positions"], SETTINGS["learning_rate"], seeds
        )
    )
    with one_thread():
        done = parts.run(runs, run_one, every=4)
    content = {
        "about": inspect.getdoc(inspect.getmodule(record)),
        "settings": SETTINGS,
        "keys": {
            "loss": "training loss, mean over the last tenth of the steps",
            "accuracy": "on fresh episodes, by length",
        },
        "parameters": {
            kind: sum(p.numel() for p in make(kind, 0).parameters())
            for kind in SETTINGS["positions"]
        },
        "chance": 1 / VALUES,
        "records": [entry["result"] for entry in done],
        "seconds": round(sum(entry["seconds"] for entry in done)),
        "recorded": provenance(
            name, seeds=list(seeds), packages=["torch"], code=CODE
        ),
    }
    parts.discard()
    return content


def make(positions: str, seed: int) -> Reader:
    """Make a model with its first weights."""
    most = SETTINGS["lengths"][-1] + 1
    return Reader(positions, max_length=most, seed=seed, **SETTINGS["model"])


def training_batch(generator: torch.Generator) -> models.Batch:
    """Draw a batch, of one length."""
    low, high = SETTINGS["trained"]
    length = torch.randint(low, high + 1, (), generator=generator).item()
    return episodes(SETTINGS["batch"], generator, length=length)


def run_one(
    positions: str, rate: float, seed: int, steps: int | None = None
) -> dict[str, Any]:
    """Train one model; give its entry of `records`."""
    model = make(positions, seed)
    history = models.train(
        model,
        training_batch,
        steps=steps or SETTINGS["steps"],
        learning_rate=rate,
        seed=1000 + seed,
        progress=False,
    )
    generator = torch.Generator().manual_seed(2000 + seed)
    accuracies = [
        models.accuracy(
            model, episodes(SETTINGS["tested"], generator, length=length)
        )
        for length in SETTINGS["lengths"]
    ]
    loss = history[-1]["loss"]
    return {
        "positions": positions,
        "learning_rate": rate,
        "seed": seed,
        "loss": None if loss is None else float(f"{loss:.4g}"),
        "accuracy": [round(a, 4) for a in accuracies],
    }
