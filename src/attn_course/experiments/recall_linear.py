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

import inspect
import itertools
from collections.abc import Sequence
from typing import Any

import torch
from torch import nn

from attn_course import linear, lookup, models
from attn_course.experiments import fingerprint, provenance
from attn_course.experiments.parts import Parts, one_thread
from attn_course.lookup import READS, Lookup, lookup_accuracy, lookup_batch
from attn_course.models import Batch

__all__ = [
    "RECORDINGS",
    "SETTINGS",
    "guessing",
    "inputs",
    "kept",
    "record",
    "run_one",
    "tests",
]

RECORDINGS = ("recall-linear",)
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
CODE = (
    "experiments/parts.py",
    "experiments/recall_linear.py",
    "functional.py",
    "linear.py",
    "lookup.py",
    "models.py",
)
SIZES = {name: SETTINGS[name] for name in ("n_keys", "n_values")}


def inputs(name: str, seeds: Sequence[int]) -> list[Any]:
    """List what the recording depends on, the code it runs included."""
    code = (linear, lookup, models.recall_batch)
    return [list(seeds), *(inspect.getsource(part) for part in code)]


def record(name: str, seeds: Sequence[int]) -> dict[str, Any]:
    """Train every read, size and rate with every seed; resume."""
    parts = Parts(name, fingerprint("recall_linear", name, 0))
    rates = SETTINGS["learning_rates"]
    runs = itertools.product(SETTINGS["d"], READS, rates, seeds)
    with one_thread():
        done = parts.run(list(runs), run_one, every=6)
    content = {
        "about": inspect.getdoc(inspect.getmodule(record)),
        "settings": SETTINGS,
        "parameters": {
            str(d): sum(p.numel() for p in _model("linear", d, 0).parameters())
            for d in SETTINGS["d"]
        },
        "kept": {
            read: {str(d): kept(read, d) for d in SETTINGS["d"]}
            for read in READS
        },
        "guessing": guessing(),
        "keys": {
            "accuracy": "(steps, numbers of pairs), held out",
            "kept": "numbers kept of the pairs, for each number of pairs",
            "guessing": "naming one of the shown values at random",
        },
        "records": [entry["result"] for entry in done],
        "seconds": round(sum(entry["seconds"] for entry in done)),
        "recorded": provenance(
            name, seeds=list(seeds), packages=["torch"], code=CODE
        ),
    }
    parts.discard()
    return content


def run_one(
    d: int,
    read: str,
    rate: float,
    seed: int,
    steps: Sequence[int] | None = None,
) -> dict[str, Any]:
    """Train one model; test it at every checkpoint."""
    model = _model(read, d, seed)
    generator = torch.Generator().manual_seed(1000 + seed)
    update = torch.optim.Adam(model.parameters(), lr=rate)
    accuracy, done = [], 0
    for stop in SETTINGS["steps"] if steps is None else steps:
        for _ in range(done, stop):
            asked, targets = _drawn(generator)
            loss = nn.functional.cross_entropy(model(*asked), targets)
            update.zero_grad()
            loss.backward()
            update.step()
        done = stop
        accuracy.append(
            [round(lookup_accuracy(model, test), 4) for test in tests()]
        )
    return {
        "d": d,
        "read": read,
        "learning_rate": rate,
        "seed": seed,
        "accuracy": accuracy,
    }


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
