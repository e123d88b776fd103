"""Two values at once: one head, two heads, with equally many parameters.

Each model is one layer of attention with a linear read-out. Heads are as wide
together as the one head alone. Every width gets every learning rate and seed;
`attn_course.two_places` argues why one head can't get all right. The task's
sizes and the number of steps were set beforehand; a pilot with seed 0 at
widths 8 and 32 was looked at before the sweep, and changed nothing.

Beside the models that learn stands a search: attention weights and tables are
fitted directly to every episode of three places and three values.
"""

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from jaxtyping import Float

from attn_course import figures, models, two_places
from attn_course.experiments.study import Study
from attn_course.experiments.sweeps import best, runs_of
from attn_course.two_places import TwoPlaces, both_right, two_places_batch

__all__ = ["SETTINGS", "STUDY", "one"]

SETTINGS = {
    "heads": [1, 2],
    "width": [8, 16, 32, 64],
    "learning_rate": [0.003, 0.01],
    "d_model": 32,
    "batch": 64,
    "steps": 1500,
    "tested": 2000,
}
# The width that the page tells of.
PAGE_WIDTH = 32
STUDY = Study(
    "one-head",
    chapter=6,
    question="Can one head read two places at once, if it is wide enough?",
    design=__doc__,
    arms={"heads": SETTINGS["heads"]},
    sweep={name: SETTINGS[name] for name in ("width", "learning_rate")},
    settings=SETTINGS,
    chosen_by="loss",
    baseline="values guessed",
    packages=["torch"],
    tolerance=0.05,
)


@STUDY.run
def one(
    heads: int, width: int, learning_rate: float, seed: int
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
        steps=SETTINGS["steps"],
        learning_rate=learning_rate,
        seed=1000 + seed,
        progress=False,
    )
    generator = torch.Generator().manual_seed(2000)
    held_out, trained = (
        two_places_batch(SETTINGS["tested"], generator, held_out=hidden)
        for hidden in (True, False)
    )
    losses = [
        None if loss is None else float(f"{loss:.4g}")
        for loss in (entry["loss"] for entry in history)
    ]
    return {
        "parameters": models.trained_parameters(model),
        "loss": losses[-1],
        "history": losses,
        "both": round(both_right(model, held_out), 4),
        "each": round(models.accuracy(model, held_out), 4),
        "trained_both": round(both_right(model, trained), 4),
    }


@STUDY.summary
def content(records: list[dict[str, Any]]) -> dict[str, Any]:
    """Add the task, what guessing gives, and the search."""
    return {
        "task": {
            "places": two_places.PLACES,
            "keys": two_places.N_KEYS,
            "values": two_places.N_VALUES,
        },
        # Both answers guessed.
        "chance": two_places.N_VALUES**-2,
        "baselines": {"values guessed": math.log(two_places.N_VALUES)},
        "search": {
            str(heads): two_places.search(heads=heads)._asdict()
            for heads in SETTINGS["heads"]
        },
    }


@STUDY.slice
def narrow(recording: dict[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """Train one and two heads again, of the smallest width."""
    for heads in SETTINGS["heads"]:
        cell = {"heads": heads, "width": 8, "learning_rate": 0.01, "seed": 0}
        [then] = runs_of(recording["records"], **cell)
        again = one(**cell)
        for key in ("parameters", "both", "each", "trained_both"):
            yield f"{heads} heads: {key}", then[key], again[key]


def at_best_rate(
    recording: dict[str, Any], heads: int
) -> Float[np.ndarray, "widths seeds"]:
    """Give the share with both right, at each width's best rate."""
    runs = runs_of(recording["records"], heads=heads)
    picked = best([{**r, "accuracy": r["both"]} for r in runs], ["width"])
    return np.array([one["accuracies"] for one in picked])


@STUDY.claim("6.subspaces")
def numbers(recording: dict[str, Any]) -> dict[str, Any]:
    """Compare one head with two, at any width and at that of the page."""
    one_head, two = (at_best_rate(recording, heads) for heads in (1, 2))
    page = SETTINGS["width"].index(PAGE_WIDTH)
    search = recording["search"]
    return {
        "one_low": one_head.min(),
        "one_high": one_head.max(),
        "two_low": two.min(),
        "two_high": two.max(),
        "any_rate": max(
            r["both"] for r in runs_of(recording["records"], heads=1)
        ),
        "chance": recording["chance"],
        "searched_one": search["1"]["best"],
        "searched_two": search["2"]["best"],
        "episodes": search["1"]["episodes"],
        "one": list(one_head[page]),
        "two": list(two[page]),
    }


@STUDY.figure(
    """Share of questions with both answers right, over the width of all heads
    together, 8 to 64. Two heads stay between 0.93 and 1. One head stays
    between 0.13 and 0.18, whatever its width. Chance is below both."""
)
def widths(recording: dict[str, Any]) -> Any:
    """Draw what each width reaches."""
    each = recording["settings"]["width"]
    return figures.curves(
        each,
        {
            "two heads": at_best_rate(recording, 2).T,
            "one head": at_best_rate(recording, 1).T,
            "both guessed": np.full(len(each), recording["chance"]),
        },
        xlabel="width of all heads together",
        ylabel="both answers right, held-out questions",
        title="Recorded: two values at once, 3 seeds",
        log_x=True,
    )
