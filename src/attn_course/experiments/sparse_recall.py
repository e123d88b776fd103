"""Recall through windows, against what the graph of the masks allows.

A marked value, or four, stands among 24 words; the last word asks for one
(`attn_course.window_recall`). Small transformers of 1, 2 and 4 layers see 3,
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

import inspect
import itertools
from collections.abc import Sequence
from typing import Any

import torch

from attn_course import models, window_recall
from attn_course.experiments import fingerprint, provenance
from attn_course.experiments.parts import Parts, one_thread
from attn_course.window_recall import VALUES, WindowReader, episodes

__all__ = ["RECORDINGS", "SETTINGS", "inputs", "make", "record", "run_one"]

RECORDINGS = ("sparse-recall",)
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
CODE = (
    "experiments/parts.py",
    "experiments/sparse_recall.py",
    "functional.py",
    "masks.py",
    "models.py",
    "transformer.py",
    "window_recall.py",
)


def inputs(name: str, seeds: Sequence[int]) -> list[Any]:
    """List what the recording depends on, the code it runs included."""
    code = (window_recall, models.train, models.accuracy)
    return [list(seeds), *(inspect.getsource(part) for part in code)]


def record(name: str, seeds: Sequence[int]) -> dict[str, Any]:
    """Train every model with every seed; take up what is done already."""
    parts = Parts(name, fingerprint("sparse_recall", name, 0))
    runs = list(
        itertools.product(
            SETTINGS["marks"], SETTINGS["layers"], SETTINGS["windows"], seeds
        )
    )
    longer = [
        (*SETTINGS["longer"].values(), seed, SETTINGS["longer_steps"])
        for seed in seeds
    ]
    with one_thread():
        done = parts.run([*runs, *longer], run_one, every=6)
    results = [entry["result"] for entry in done]
    content = {
        "about": inspect.getdoc(inspect.getmodule(record)),
        "settings": SETTINGS,
        "keys": {
            "loss": "training loss, mean over the last tenth of the steps",
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
        "records": results[: len(runs)],
        "longer": results[len(runs) :],
        "seconds": round(sum(entry["seconds"] for entry in done)),
        "recorded": provenance(
            name, seeds=list(seeds), packages=["torch"], code=CODE
        ),
    }
    parts.discard()
    return content


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


def run_one(
    marks: int,
    layers: int,
    window: int,
    seed: int,
    steps: int | None = None,
) -> dict[str, Any]:
    """Train one model; give its entry of `records`."""
    model = make(marks, layers, window, seed)
    length = SETTINGS["length"]
    history = models.train(
        model,
        lambda generator: episodes(
            SETTINGS["batch"], generator, length=length, marks=marks
        ),
        steps=steps or SETTINGS["steps"],
        learning_rate=SETTINGS["learning_rate"],
        seed=1000 + seed,
        progress=False,
    )
    generator = torch.Generator().manual_seed(2000 + seed)
    accuracies = [
        models.accuracy(
            model,
            episodes(
                SETTINGS["tested"],
                generator,
                length=length,
                marks=marks,
                distance=distance,
            ),
        )
        for distance in SETTINGS["distances"]
    ]
    loss = history[-1]["loss"]
    return {
        "marks": marks,
        "layers": layers,
        "window": window,
        "seed": seed,
        "reach": layers * window,
        "loss": None if loss is None else float(f"{loss:.4g}"),
        "accuracy": [round(a, 4) for a in accuracies],
    }
