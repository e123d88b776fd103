"""Recall through windows, against what the graph of the masks allows.

A marked value, or four, stands among 24 words; the last word asks for one
(`tasks.windowed_recall`). Small transformers of 1, 2 and 4 layers see 3,
6 or all 24 words back in each layer; those of equally many layers have the
same parameters, first weights and batches. The test asks, in fresh episodes,
for a mark at each distance. On the graph a word can arrive from at most
layers × window words back: beyond, no training can help. Whether training
makes use of what the graph allows is the question.

A pilot with seed 0 and 32 words chose rate and steps. With 4 layers and a
window of 8 it reached all distances; 8 layers and a window of 4 named 78 %
of the values from the furthest place. To save time there are 24 words here.
`longer` trains one model, whose windows reach just far enough to hand four
marks on, three times as long.
"""

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from attn_course import figures
from attn_course.experiments.study import Study
from attn_course.nn import train
from attn_course.tasks.windowed_recall import VALUES, WindowReader, episodes

if TYPE_CHECKING:
    from attn_course.figures import Chart

__all__ = ["SETTINGS", "STUDY", "make", "one"]

SETTINGS = {
    "marks": [1, 4],
    "layers": [1, 2, 4],
    "windows": [3, 6, 24],
    "distances": [1, 2, 3, 4, 5, 6, 7, 9, 12, 13, 16, 20, 24],
    "length": 24,
    "model": {"d_model": 32, "heads": 4, "d_ff": 64},
    "steps": 250,
    "longer": {"marks": 4, "layers": 4, "window": 6},
    "longer_steps": 750,
    "batch": 32,
    "learning_rate": 0.003,
    "tested": 300,
}
AGAIN = [(1, 1, 3), (4, 1, 24), (1, 2, 6), (4, 2, 24), (1, 4, 3)]
STUDY = Study(
    "sparse-recall",
    chapter=7,
    question="Do trained models fetch a word from as far as their windows "
    "reach?",
    design=__doc__,
    arms={
        "marks": SETTINGS["marks"],
        "layers": SETTINGS["layers"],
        "window": SETTINGS["windows"],
    },
    settings=SETTINGS,
    chosen_by="loss",
    baseline="guessing",
    packages=["torch"],
    tolerance=0.05,
)


@STUDY.run
def one(
    marks: int,
    layers: int,
    window: int,
    seed: int,
    *,
    steps: int = SETTINGS["steps"],
    distances: Sequence[int] = SETTINGS["distances"],
) -> dict[str, Any]:
    """Train one model; test it at every distance."""
    model = make(marks, layers, window, seed)
    length = SETTINGS["length"]
    history = train.losses(
        train.train(
            model,
            lambda generator: episodes(
                SETTINGS["batch"], generator, length=length, marks=marks
            ),
            steps=steps,
            learning_rate=SETTINGS["learning_rate"],
            seed=1000 + seed,
            progress=False,
        )
    )
    generator = torch.Generator().manual_seed(2000 + seed)
    accuracies = [
        train.accuracy(
            model,
            episodes(
                SETTINGS["tested"],
                generator,
                length=length,
                marks=marks,
                distance=distance,
            ),
        )
        for distance in distances
    ]
    return {
        "reach": layers * window,
        "loss": history[-1],
        "history": history,
        "accuracy": [round(a, 4) for a in accuracies],
    }


@STUDY.after
def longer(records: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """Train one model three times as long."""
    cell = {**SETTINGS["longer"], "steps": SETTINGS["longer_steps"]}
    seeds = sorted({r["seed"] for r in records})
    return {"longer": [{**cell, "seed": seed} for seed in seeds]}


@STUDY.summary
def content(
    records: list[dict[str, Any]], longer: list[dict[str, Any]]
) -> dict[str, Any]:
    """Say what the numbers are, and what guessing gives."""
    return {
        "keys": {
            "loss": "training loss, mean over the last tenth of the steps",
            "history": "training loss, mean over each tenth of the steps",
            "accuracy": "on held-out episodes, by distance",
            "reach": "layers × window: the furthest that can arrive",
        },
        "parameters": {
            str(layers): sum(
                p.numel() for p in make(1, layers, 3, 0).parameters()
            )
            for layers in SETTINGS["layers"]
        },
        "chance": 1 / VALUES,
        "baselines": {"guessing": round(math.log(VALUES), 4)},
    }


@STUDY.slice
def trained_again(
    recording: dict[str, Any],
) -> Iterator[tuple[str, Any, Any]]:
    """Train some again, so that each level of each factor comes up.

    All of them would take a minute.
    """
    near = SETTINGS["distances"][:2]
    for marks, layers, window in AGAIN:
        arm = {"marks": marks, "layers": layers, "window": window}
        cell = {**arm, "seed": 1}
        [then] = [r for r in recording["records"] if cell.items() <= r.items()]
        again = one(**cell, distances=near)
        yield f"{arm}: loss", then["loss"], again["loss"]
        yield f"{arm}: accuracy", then["accuracy"][:2], again["accuracy"]


@STUDY.claim("7.sparse")
def by_reach(recording: dict[str, Any]) -> dict[str, Any]:
    """Give the accuracy within what the graph reaches, and beyond."""
    distances = recording["settings"]["distances"]
    within, outside = [], []
    for run in recording["records"]:
        if run["marks"] == 1:
            for accuracy, distance in zip(
                run["accuracy"], distances, strict=True
            ):
                reached = distance <= run["reach"]
                (within if reached else outside).append(accuracy)

    def longer_at(distance: int) -> list[float]:
        place = distances.index(distance)
        return [r["accuracy"][place] for r in recording["longer"]]

    return {
        "within": float(np.mean(within)),
        "within_low": min(within),
        "outside_high": max(outside),
        "chance": recording["chance"],
        "four_near": longer_at(6),
        "four_far": longer_at(20),
    }


@STUDY.figure(
    """
    Accuracy over a distance of 1 to 24 words, windows of 6. With one mark it
    is near 1 as far as layers times window reach, 6, 12 or 24, and at chance
    one word beyond. With four marks and a reach of 24 it falls from nearly 1
    at 6 words to about 0.3 at 20.
    """
)
def by_distance(recording: dict[str, Any]) -> "Chart":
    """Draw windows of 6: one mark by layers, four marks in four layers."""
    lines = {
        f"1 mark, reaches {6 * layers}": [
            r["accuracy"]
            for r in recording["records"]
            if (r["marks"], r["layers"], r["window"]) == (1, layers, 6)
        ]
        for layers in SETTINGS["layers"]
    }
    lines["4 marks, reaches 24"] = [r["accuracy"] for r in recording["longer"]]
    return figures.curves(
        SETTINGS["distances"],
        lines,
        xlabel="distance in words",
        ylabel="held-out accuracy",
        title="Recorded: windows of 6 words, 3 seeds",
    )


def make(marks: int, layers: int, window: int, seed: int) -> WindowReader:
    """Make a model with its first weights."""
    return WindowReader(
        layers,
        window,
        length=SETTINGS["length"],
        marks=marks,
        seed=seed,
        **SETTINGS["model"],
    )
