"""Recall at a distance of 8 to 512 words: recurrent networks and attention.

Episodes show 4 or 16 pairs of key and value among noise and then ask for one
of them (`attn_course.long_recall`). An RNN, a GRU, an LSTM and one layer of
attention, with and without sinusoidal positions, have equally many
parameters, to within 5 %, the same steps, batches and learning rates; the
rate with the lowest training loss is the one to look at. Training shows 8 to
64 words before the question (16 to 64 where there are 16 pairs) and asks for
any pair. The test asks, in fresh episodes, for the pair that stands first of
all. The gradient that arrives at that first word is measured before training
and after.

A pilot with seed 0 chose steps and rates: with 0.001 and with 0.03 the GRU
and the LSTM learned less. In a first version the same four keys stood in
every episode; then GRU, LSTM and attention named nearly all values at every
distance and the RNN none, so recall was made harder, not longer: 16 keys, of
which 4 or 16 stand there. `longer` trains the GRU three times as long.
"""

import inspect
import itertools
import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import nn

from attn_course import long_recall, models
from attn_course.experiments import fingerprint, provenance
from attn_course.experiments.parts import Parts, one_thread
from attn_course.long_recall import (
    VALUES,
    AttentionReader,
    RecurrentReader,
    episodes,
    reach,
)

__all__ = [
    "MODELS",
    "RECORDINGS",
    "SETTINGS",
    "inputs",
    "make",
    "record",
    "run_one",
    "training_batch",
]

RECORDINGS = ("long-recall",)
MODELS: dict[str, dict[str, Any]] = {
    "RNN": {"d_model": 32, "d_h": 122},
    "GRU": {"d_model": 32, "d_h": 64},
    "LSTM": {"d_model": 32, "d_h": 54},
    "attention": {"positions": "none"},
    "attention, positions": {"positions": "sinusoidal"},
}
SETTINGS = {
    "pairs": [4, 16],
    "learning_rate": [0.003, 0.01],
    "distances": [8, 16, 32, 64, 128, 256, 512],
    "trained": [8, 64],
    "longer": {"model": "GRU", "pairs": 4, "learning_rate": 0.01},
    "longer_steps": 3000,
    "steps": 1000,
    "batch": 64,
    "tested": 500,
    "gradients": 32,
    "attention": {"d_model": 44, "heads": 4, "d_ff": 96},
}
CODE = (
    "experiments/long_recall.py",
    "experiments/parts.py",
    "functional.py",
    "heads.py",
    "long_recall.py",
    "models.py",
    "positions.py",
    "transformer.py",
)
# Episodes are tested in small groups: 512 words would take much memory.
GROUP = 100


def inputs(name: str, seeds: Sequence[int]) -> list[Any]:
    """List what the recording depends on, the code it runs included."""
    code = (long_recall, models.train, models.accuracy)
    return [list(seeds), *(inspect.getsource(x) for x in code)]


def record(name: str, seeds: Sequence[int]) -> dict[str, Any]:
    """Train every model at every load, rate and seed; resume."""
    parts = Parts(name, fingerprint("long_recall", name, 0))
    runs = list(
        itertools.product(
            MODELS, SETTINGS["pairs"], SETTINGS["learning_rate"], seeds
        )
    )
    longer = [
        (*SETTINGS["longer"].values(), seed, SETTINGS["longer_steps"])
        for seed in seeds
    ]
    with one_thread():
        done = parts.run([*runs, *longer], run_one, every=5)
    results = [entry["result"] for entry in done]
    content = {
        "about": inspect.getdoc(inspect.getmodule(record)),
        "settings": SETTINGS,
        "keys": {
            "loss": "training loss, mean over the last tenth of the steps",
            "history": "training loss, mean over each tenth of the steps",
            "accuracy": "by distance; null where the pairs have no place",
            "before, after": (
                "log₁₀ of the norm of the gradient of the right answer's "
                "score with respect to the first word's vector, median over "
                "episodes, before training and after, by distance"
            ),
            "weight": (
                "what the question gives to the first word after training, "
                "mean over episodes, in the head that gives it most; by "
                "distance, null for recurrent networks"
            ),
        },
        "parameters": {
            model: sum(p.numel() for p in make(model, 0).parameters())
            for model in MODELS
        },
        "chance": {"any_value": 1 / VALUES, "a_shown_value": _guessing()},
        "records": results[: len(runs)],
        "longer": results[len(runs) :],
        "seconds": round(sum(entry["seconds"] for entry in done)),
        "recorded": provenance(
            name, seeds=list(seeds), packages=["torch"], code=CODE
        ),
    }
    parts.discard()
    return content


def make(model: str, seed: int) -> nn.Module:
    """Make a model with its first weights."""
    settings = MODELS[model]
    if "positions" in settings:
        settings = {**settings, **SETTINGS["attention"]}
        return AttentionReader(**settings, seed=seed)
    return RecurrentReader(model, **settings, seed=seed)


def training_batch(generator: torch.Generator, pairs: int) -> models.Batch:
    """Draw a batch; its length is spread evenly over the logarithm."""
    low, high = max(SETTINGS["trained"][0], pairs), SETTINGS["trained"][1]
    share = torch.rand((), generator=generator).item()
    length = round(low * (high / low) ** share)
    return episodes(SETTINGS["batch"], generator, length=length, pairs=pairs)


def run_one(
    name: str, pairs: int, rate: float, seed: int, steps: int | None = None
) -> dict[str, Any]:
    """Train one model; give its entry of `records`."""
    model = make(name, seed)
    before = _reaches(model, pairs, seed)
    history = models.train(
        model,
        lambda generator: training_batch(generator, pairs),
        steps=steps or SETTINGS["steps"],
        learning_rate=rate,
        seed=1000 + seed,
        evaluations=10,
        progress=False,
    )
    after = _reaches(model, pairs, seed)
    losses = [
        None if e["loss"] is None else float(f"{e['loss']:.4g}")
        for e in history
    ]
    return {
        "model": name,
        "pairs": pairs,
        "learning_rate": rate,
        "seed": seed,
        "loss": losses[-1],
        "history": losses,
        "accuracy": _accuracies(model, pairs, seed),
        "before": before,
        "after": after,
        "weight": _weights(model, pairs, seed),
    }


def _accuracies(model: nn.Module, pairs: int, seed: int) -> list[float | None]:
    """Measure held-out accuracy at each distance."""
    generator = torch.Generator().manual_seed(2000 + seed)
    groups = SETTINGS["tested"] // GROUP
    found: list[float | None] = []
    for distance in SETTINGS["distances"]:
        if distance < pairs:
            found.append(None)
            continue
        each = [
            models.accuracy(model, _first(GROUP, generator, distance, pairs))
            for _ in range(groups)
        ]
        found.append(round(sum(each) / groups, 4))
    return found


def _reaches(model: nn.Module, pairs: int, seed: int) -> list[float | None]:
    """Measure the gradient, as log₁₀, at each distance."""
    generator = torch.Generator().manual_seed(3000 + seed)
    size = SETTINGS["gradients"]
    return [
        None
        if distance < pairs
        else _log(reach(model, _first(size, generator, distance, pairs)))
        for distance in SETTINGS["distances"]
    ]


def _weights(model: nn.Module, pairs: int, seed: int) -> list[float | None]:
    """Measure what the first word gets at each distance."""
    generator = torch.Generator().manual_seed(4000 + seed)
    found: list[float | None] = []
    for distance in SETTINGS["distances"]:
        if distance < pairs or not isinstance(model, AttentionReader):
            found.append(None)
            continue
        (words,), _ = _first(GROUP, generator, distance, pairs)
        first = model.weights(words)[..., 0].mean(0)  # (heads,)
        found.append(round(first.max().item(), 4))
    return found


def _first(
    size: int, generator: torch.Generator, distance: int, pairs: int
) -> models.Batch:
    """Draw episodes that ask for the first word."""
    return episodes(size, generator, length=distance, pairs=pairs, first=True)


def _guessing() -> dict[str, float]:
    """Give how often any of the values that stand at a key is right.

    One pair is the right one; each other has its value by chance.
    """
    return {
        str(pairs): round((1 + (pairs - 1) / VALUES) / pairs, 4)
        for pairs in SETTINGS["pairs"]
    }


def _log(norm: float) -> float | None:
    """Give log₁₀ with two decimals; None for 0, which has none."""
    return round(math.log10(norm), 2) if norm > 0 else None
