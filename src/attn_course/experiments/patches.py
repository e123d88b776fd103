"""Attention on pictures: a vision transformer against equally large rivals.

1797 digits of 13 hands (`data.load_digits`) stand grouped by hand: the last
497 are the test, so that most of it was written by hands that training never
saw; before them 200 choose the learning rate, the first 1100 train. A vision
transformer, one with equal weights in place of attention, one without
positions, a perceptron and a convolutional network have equally many
parameters to within 1 %, the same steps and the same batches. The rate with
the lowest loss on the 200 is the one to look at. At that rate,
where `changed`, all pixels move to other places, the same ones in every
picture ("shuffled"), or training lasts twice as long ("longer").

`hidden` takes patches away from the trained vision transformer, the ones
that CLS attends to most, or least, in its last layer, and controls: at
random, those with most ink, and those that hurt most where they alone are
unseen. "unseen" patches nobody may look at, "blank" ones have lost their ink.

A pilot with seed 7 chose the rates, the steps, and models of half the size,
which were as good.
"""

import inspect
import itertools
from collections.abc import Sequence
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import nn

from attn_course import models, vision
from attn_course.data import load_digits
from attn_course.experiments import fingerprint, provenance
from attn_course.experiments.parts import Parts, one_thread
from attn_course.experiments.sweeps import chosen
from attn_course.interpret.statistics import rank_correlation
from attn_course.models import trained_parameters

__all__ = [
    "EQUAL",
    "EXAMPLE",
    "MODELS",
    "ORDERS",
    "RECORDINGS",
    "SETTINGS",
    "VIT",
    "Split",
    "accuracy_without",
    "agreement",
    "hide",
    "hurts",
    "inputs",
    "make",
    "orders",
    "record",
    "run_one",
    "split",
    "train",
]

RECORDINGS = ("patches",)
VIT = "vision transformer"
EQUAL = "equal weights"
MODELS: dict[str, Any] = {
    VIT: vision.VisionTransformer,
    EQUAL: lambda seed: vision.VisionTransformer(equal=True, seed=seed),
    "no positions": lambda seed: vision.VisionTransformer(
        positions="none", d_ff=68, seed=seed
    ),
    "perceptron": vision.mlp,
    "convolutions": vision.cnn,
}
SETTINGS = {
    "learning_rate": [0.0003, 0.001, 0.003, 0.01],
    "changed": {
        "shuffled": [VIT, "perceptron", "convolutions"],
        "longer": [EQUAL],
    },
    "split": [1100, 200, 497],
    "steps": 1000,
    "batch": 32,
    "longer_steps": 2000,
    "hidden": [0, 1, 2, 3, 4, 5, 6, 7, 8],
    "draws": 5,
}
ORDERS = (
    "most attended",
    "least attended",
    "at random",
    "most ink",
    "hurts most alone",
)
CODE = (
    "data/digits.py",
    "experiments/patches.py",
    "experiments/parts.py",
    "experiments/remedies.py",
    "experiments/sweeps.py",
    "functional.py",
    "heads.py",
    "models.py",
    "transformer.py",
    "vision.py",
)


class Split(NamedTuple):
    """Digits to train on, to choose the rate with, and to test on."""

    train: models.Batch
    choose: models.Batch
    test: models.Batch


def inputs(name: str, seeds: Sequence[int]) -> list[Any]:
    """List what the recording depends on, the code it runs included."""
    code = (vision, models.train, models.accuracy, rank_correlation)
    return [list(seeds), *(inspect.getsource(part) for part in code)]


def record(name: str, seeds: Sequence[int]) -> dict[str, Any]:
    """Train every model at every rate, then hide patches; resume."""
    parts = Parts(name, fingerprint("patches", name, 0))
    runs = itertools.product(MODELS, SETTINGS["learning_rate"], seeds)
    with one_thread():
        records = _results(parts, list(runs), run_one)
        rates = {
            model: found[0]["learning_rate"]
            for model, found in chosen(records).items()
        }
        changed = [
            (model, rates[model], seed, change)
            for change, names in SETTINGS["changed"].items()
            for model, seed in itertools.product(names, seeds)
        ]
        hidden = [("hide", rates[VIT], seed) for seed in seeds]
        changed = _results(parts, changed, run_one)
        hidden = _results(parts, hidden, lambda _, *run: hide(*run))
    content = {
        "about": inspect.getdoc(inspect.getmodule(record)),
        "settings": SETTINGS,
        "keys": {
            "loss": "training loss, mean over the last tenth of the steps",
            "chosen_by": "loss on the 200 pictures that choose the rate",
            "accuracy": "on the test",
            "hidden": "accuracy by number of patches hidden",
            "agreement": (
                "Spearman's ρ of what CLS gives to the patches of a picture, "
                "mean over the test"
            ),
        },
        "parameters": {
            model: trained_parameters(make(model, 0)) for model in MODELS
        },
        "chance": _most_frequent(),
        "records": records,
        "changed": changed,
        "hidden": [
            {key: value for key, value in entry.items() if key != "looks"}
            for entry in hidden
        ],
        "agreement_of_seeds": _between(hidden),
        "example": {"picture": split().test.inputs[0][EXAMPLE].tolist()},
        "seconds": round(
            sum(entry["seconds"] for entry in parts.done.values())
        ),
        "recorded": provenance(
            name, seeds=list(seeds), packages=["torch"], code=CODE
        ),
    }
    parts.discard()
    return content


def make(model: str, seed: int) -> nn.Module:
    """Make a model with its first weights.

    Raises
    ------
    ValueError
        When there is none of that name.
    """
    if model not in MODELS:
        raise ValueError(f"expected one of {list(MODELS)}, got {model!r}")
    return MODELS[model](seed=seed)


@cache
def split(pixels: str = "in place") -> Split:
    """Give the three parts of the data set, in its order."""
    digits = load_digits()
    pictures = torch.tensor(digits.pictures, dtype=torch.float32)
    if pixels == "shuffled":
        generator = torch.Generator().manual_seed(3000)
        moved = torch.randperm(vision.SIDE**2, generator=generator)
        pictures = pictures.flatten(1)[:, moved].reshape(pictures.shape)
    sizes = SETTINGS["split"]
    shares = zip(
        pictures.split(sizes),
        torch.tensor(digits.labels).split(sizes),
        strict=True,
    )
    return Split(*(models.Batch((x,), y) for x, y in shares))


def train(
    model: nn.Module,
    rate: float,
    seed: int,
    *,
    pixels: str = "in place",
    steps: int | None = None,
) -> list[dict[str, Any]]:
    """Train a model on the first 1100 digits, in place; give the history."""
    (pictures,), labels = split(pixels).train
    return models.train(
        model,
        vision.batches(pictures, labels, SETTINGS["batch"]),
        steps=steps or SETTINGS["steps"],
        learning_rate=rate,
        seed=1000 + seed,
        progress=False,
    )


def run_one(
    name: str, rate: float, seed: int, change: str = "none"
) -> dict[str, Any]:
    """Train one model; give its entry of `records`.

    `change` is "none", "shuffled" (all pixels move to other places) or
    "longer" (more steps).
    """
    pixels = "shuffled" if change == "shuffled" else "in place"
    steps = SETTINGS["longer_steps" if change == "longer" else "steps"]
    model, parts = make(name, seed), split(pixels)
    history = train(model, rate, seed, pixels=pixels, steps=steps)
    loss = history[-1]["loss"]
    with torch.no_grad():
        scores = model(*parts.choose.inputs)
    by = nn.functional.cross_entropy(scores, parts.choose.targets).item()
    return {
        "model": name,
        "change": change,
        "learning_rate": rate,
        "seed": seed,
        "loss": None if loss is None else float(f"{loss:.4g}"),
        "chosen_by": float(f"{by:.4g}"),
        "accuracy": round(models.accuracy(model, parts.test), 4),
    }


# Taking patches away

# The first picture of the test, whatever it shows.
EXAMPLE = 0


def hide(rate: float, seed: int) -> dict[str, Any]:
    """Train a vision transformer, hide patches; give an entry of `hidden`."""
    model = make(VIT, seed)
    train(model, rate, seed)
    batch = split().test
    pictures = batch.inputs[0]
    found = orders(model, pictures, seed)
    looks = model.looks(pictures)
    ink = vision.patches(pictures).sum(-1)
    alone = hurts(model, pictures)
    return {
        "seed": seed,
        "hidden": {
            how: {
                name: [
                    round(accuracy_without(model, batch, each, k, how), 4)
                    for k in SETTINGS["hidden"]
                ]
                for name, each in found.items()
            }
            for how in ("unseen", "blank")
        },
        "agreement": {
            "ink": agreement(looks, ink),
            "hurts alone": agreement(looks, alone),
        },
        "example": [round(float(x), 4) for x in looks[EXAMPLE]],
        "looks": [[round(float(x), 4) for x in row] for row in looks],
    }


def orders(
    model: vision.VisionTransformer, pictures: torch.Tensor, seed: int
) -> dict[str, list[torch.Tensor]]:
    """Order the patches of each picture, first to be hidden first.

    Returns
    -------
    dict
        From each of ORDERS to its orders, `(batch, n_patches)`: one, or
        several draws.
    """
    looks = model.looks(pictures)
    generator = torch.Generator().manual_seed(4000 + seed)
    draws = torch.rand(SETTINGS["draws"], *looks.shape, generator=generator)
    ink = vision.patches(pictures).sum(-1)
    ways = (
        [-looks],
        [looks],
        draws,
        [-ink],
        [-hurts(model, pictures)],
    )
    return {
        name: [values.argsort(dim=-1, stable=True) for values in way]
        for name, way in zip(ORDERS, ways, strict=True)
    }


@torch.no_grad()
def hurts(
    model: vision.VisionTransformer, pictures: torch.Tensor
) -> torch.Tensor:
    """Say how far the named digit's log-probability falls without a patch.

    Returns
    -------
    tensor
        `(batch, n_patches)`: each patch unseen alone.
    """
    row = torch.arange(len(pictures))
    named = model(pictures).argmax(-1)  # (batch,)

    def sure(hidden: torch.Tensor | None) -> torch.Tensor:
        return model(pictures, hidden).log_softmax(-1)[row, named]

    one = torch.eye(vision.PATCHES, dtype=torch.bool)
    without = [sure(gone.expand(len(pictures), -1)) for gone in one]
    return sure(None)[:, None] - torch.stack(without, dim=-1)


def accuracy_without(
    model: vision.VisionTransformer,
    batch: models.Batch,
    each: Sequence[torch.Tensor],
    count: int,
    how: str,
) -> float:
    """Measure accuracy without the first `count` patches of the orders."""
    (pictures,), labels = batch
    found = []
    for order in each:
        gone = vision.without(order, count)  # (batch, n_patches)
        given = (pictures, gone)
        if how == "blank":
            ink = torch.as_tensor(vision.as_maps((~gone).float().numpy()))
            given = (pictures * ink,)
        found.append(models.accuracy(model, models.Batch(given, labels)))
    return sum(found) / len(found)


def agreement(a: Any, b: Any) -> float:
    """Give Spearman's ρ of the patches of a picture, mean over pictures."""
    pairs = zip(np.asarray(a), np.asarray(b), strict=True)
    return round(float(np.mean([rank_correlation(*p) for p in pairs])), 4)


def _results(parts: Parts, runs: Sequence[tuple], one: Any) -> list[Any]:
    """Run what is missing; give all results."""
    return [entry["result"] for entry in parts.run(runs, one, every=6)]


def _between(hidden: Sequence[dict[str, Any]]) -> list[float]:
    """Compare where CLS looks in two seeds, for each pair of seeds."""
    return [
        agreement(a["looks"], b["looks"])
        for a, b in itertools.combinations(hidden, 2)
    ]


def _most_frequent() -> float:
    """Give the accuracy of always naming the test's commonest digit."""
    counts = torch.bincount(split().test.targets)
    return round((counts.max() / counts.sum()).item(), 4)
