"""Two values at once: one head, two heads, with equally many parameters.

Each model is one layer of attention with a linear read-out. Heads are as wide
together as the one head alone. Every width gets every learning rate and seed;
`attn_course.two_places` argues why one head can't get all right. The task's
sizes and the number of steps were set beforehand; a pilot with seed 0 at
widths 8 and 32 was looked at before the sweep, and changed nothing.
"""

import inspect
import itertools
from collections.abc import Sequence
from typing import Any

import torch

from attn_course import models, two_places
from attn_course.experiments import fingerprint, provenance
from attn_course.experiments.parts import Parts, one_thread
from attn_course.two_places import TwoPlaces, both_right, two_places_batch

__all__ = ["RECORDINGS", "SETTINGS", "inputs", "record", "run_one"]

RECORDINGS = ("one-head",)
SETTINGS = {
    "heads": [1, 2],
    "width": [8, 16, 32, 64],
    "learning_rate": [0.003, 0.01],
    "d_model": 32,
    "batch": 64,
    "steps": 1500,
    "tested": 2000,
}
CODE = (
    "experiments/one_head.py",
    "experiments/parts.py",
    "functional.py",
    "heads.py",
    "models.py",
    "two_places.py",
)


def inputs(name: str, seeds: Sequence[int]) -> list[Any]:
    """List what the recording depends on, the code it runs included."""
    code = (two_places, models.train, models.accuracy)
    return [list(seeds), *(inspect.getsource(x) for x in code)]


def record(name: str, seeds: Sequence[int]) -> dict[str, Any]:
    """Train every width and number of heads; resume what is there."""
    parts = Parts(name, fingerprint("one_head", name, 0))
    names = ("heads", "width", "learning_rate")
    runs = list(itertools.product(*(SETTINGS[n] for n in names), seeds))
    with one_thread():
        done = parts.run(runs, run_one, every=4)
        searched = {
            heads: two_places.search(heads=heads)._asdict()
            for heads in SETTINGS["heads"]
        }
    content = {
        "about": inspect.getdoc(inspect.getmodule(record)),
        "settings": SETTINGS,
        "task": {
            "places": two_places.PLACES,
            "keys": two_places.N_KEYS,
            "values": two_places.N_VALUES,
        },
        # Both answers guessed.
        "chance": two_places.N_VALUES**-2,
        "search": {str(heads): found for heads, found in searched.items()},
        "records": [entry["result"] for entry in done],
        "seconds": round(sum(entry["seconds"] for entry in done)),
        "recorded": provenance(
            name, seeds=list(seeds), packages=["torch"], code=CODE
        ),
    }
    parts.discard()
    return content


def run_one(
    heads: int, width: int, rate: float, seed: int, steps: int | None = None
) -> dict[str, Any]:
    """Train one model; measure it on questions trained and held out.

    `both` is the share of held-out questions with both answers right,
    `each` the share of right answers, `trained_both` as `both` for questions
    that training asks, with values drawn afresh.
    """
    model = TwoPlaces(
        heads=heads, width=width, d_model=SETTINGS["d_model"], seed=seed
    )
    history = models.train(
        model,
        lambda generator: two_places_batch(SETTINGS["batch"], generator),
        steps=steps or SETTINGS["steps"],
        learning_rate=rate,
        seed=1000 + seed,
        progress=False,
    )
    generator = torch.Generator().manual_seed(2000)
    held_out, trained = (
        two_places_batch(SETTINGS["tested"], generator, held_out=hidden)
        for hidden in (True, False)
    )
    loss = history[-1]["loss"]
    return {
        "heads": heads,
        "width": width,
        "learning_rate": rate,
        "seed": seed,
        "parameters": sum(p.numel() for p in model.parameters()),
        "loss": None if loss is None else float(f"{loss:.4g}"),
        "both": round(both_right(model, held_out), 4),
        "each": round(models.accuracy(model, held_out), 4),
        "trained_both": round(both_right(model, trained), 4),
    }
