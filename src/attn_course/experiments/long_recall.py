"""Recall at a distance of 8 to 512 words: recurrent networks and attention.

Episodes show 4 or 16 pairs of key and value among noise and then ask for one
of them (`tasks.long_recall`). An RNN, a GRU, an LSTM and one layer of
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

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn

from attn_course import figures
from attn_course.experiments.study import Study
from attn_course.experiments.sweeps import runs_at_best
from attn_course.nn import train
from attn_course.tasks.long_recall import (
    VALUES,
    AttentionReader,
    RecurrentReader,
    episodes,
    reach,
)

if TYPE_CHECKING:
    from attn_course.figures import Chart

__all__ = ["MODELS", "SETTINGS", "STUDY", "make", "one", "training_batch"]

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
# Episodes are tested in small groups: 512 words would take much memory.
GROUP = 100
STUDY = Study(
    "long-recall",
    chapter=7,
    question="Do recurrent networks forget what stood far back, and attention "
    "not?",
    design=__doc__,
    arms={"model": MODELS, "pairs": SETTINGS["pairs"]},
    sweep={"learning_rate": SETTINGS["learning_rate"]},
    settings=SETTINGS,
    chosen_by="loss",
    baseline="guessing",
    packages=["torch"],
    tolerance=0.03,
)


@STUDY.run
def one(
    model: str,
    pairs: int,
    learning_rate: float,
    seed: int,
    steps: int = SETTINGS["steps"],
) -> dict[str, Any]:
    """Train one model; measure its gradient before and after, and recall."""
    network = make(model, seed)
    before = _reaches(network, pairs, seed)
    history = _train(network, pairs, learning_rate, seed, steps)
    return {
        "loss": history[-1],
        "history": history,
        "accuracy": _accuracies(network, pairs, seed),
        "before": before,
        "after": _reaches(network, pairs, seed),
        "weight": _weights(network, pairs, seed),
    }


@STUDY.after
def longer(records: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """Train the GRU three times as long."""
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
        "baselines": {"guessing": round(math.log(VALUES), 4)},
    }


@STUDY.slice
def first_tenth(recording: dict[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """Take gradients before training, and the first tenth, in every arm.

    `longer` begins as its arm does.
    """
    tenth = SETTINGS["steps"] // 10
    for arm in STUDY.each_arm():
        cell = {**arm, "learning_rate": 0.01, "seed": 1}
        [then] = [r for r in recording["records"] if cell.items() <= r.items()]
        network, pairs = make(arm["model"], 1), arm["pairs"]
        yield (
            f"{arm}: gradients before",
            then["before"][1:4],
            _reaches(network, pairs, 1, SETTINGS["distances"][:4])[1:],
        )
        [again] = _train(network, pairs, 0.01, 1, tenth, evaluations=1)
        yield f"{arm}: first tenth", then["history"][0], again


# What it says


@STUDY.claim("7.long-range")
def by_model(recording: dict[str, Any]) -> dict[str, Any]:
    """Give accuracies, gradients and speed at each model's best rate."""
    few, many = (at_best(recording, pairs) for pairs in (4, 16))

    def at(runs: Sequence[Mapping], distance: int, key: str = "accuracy"):
        place = SETTINGS["distances"].index(distance)
        return [r[key][place] for r in runs]

    third = 2  # the third tenth of training
    return {
        "rnn": at(few["RNN"], 64),
        "gru": at(few["GRU"], 512),
        "gru_longer": at(recording["longer"], 512),
        "attention": at(few["attention"], 512),
        "positions": at(few["attention, positions"], 512),
        "gru_many": at(many["GRU"], 64),
        "lstm_many": at(many["LSTM"], 64),
        "attention_many": at(many["attention"], 64),
        "gru_before": at(few["GRU"], 512, "before"),
        "gru_after": at(few["GRU"], 512, "after"),
        "rnn_before": at(few["RNN"], 512, "before"),
        "attention_before": at(few["attention"], 512, "before"),
        "attention_learns": [r["history"][third] for r in few["attention"]],
        "gru_learns": [r["history"][third] for r in few["GRU"]],
        "chance": recording["chance"]["any_value"],
    }


@STUDY.figure(
    """
    Gradient at the first word over distance, on a logarithmic axis, before
    training. For RNN, GRU and LSTM it falls by a hundred powers of ten and
    more at distance 512; for attention it falls by less than one.
    """
)
def gradients(recording: dict[str, Any]) -> "Chart":
    """Draw the gradient before training, where there are 4 pairs."""
    return figures.curves(
        recording["settings"]["distances"],
        {
            model: [
                [np.nan if g is None else g for g in r["before"]] for r in runs
            ]
            for model, runs in at_best(recording, 4).items()
        },
        xlabel="distance in words",
        ylabel="log₁₀ of the gradient at the first word",
        title="Recorded: before training, 3 seeds",
        log_x=True,
    )


@STUDY.figure(
    """
    Accuracy over distances of 8 to 512 words with 4 pairs. GRU and LSTM stay
    near 0.9 at every distance, attention without positions near 1 up to 256,
    with positions it falls from 128 words on to about 0.65, the RNN guesses.
    """
)
def few_pairs(recording: dict[str, Any]) -> "Chart":
    """Draw recall among 4 pairs."""
    return _recall(recording, 4)


@STUDY.figure(
    """
    Accuracy over distances of 16 to 512 words with 16 pairs. Attention stays
    near 1 up to 64 words and falls to 0.86, with positions to about 0.6; the
    LSTM stays near 0.5, the GRU near 0.35, the RNN guesses.
    """
)
def many_pairs(recording: dict[str, Any]) -> "Chart":
    """Draw recall among 16 pairs."""
    return _recall(recording, 16)


def _recall(recording: dict[str, Any], pairs: int) -> "Chart":
    """Draw each model at its best rate, where the pairs have a place."""
    distances = [d for d in SETTINGS["distances"] if d >= pairs]
    return figures.curves(
        distances,
        {
            model: [r["accuracy"][-len(distances) :] for r in runs]
            for model, runs in at_best(recording, pairs).items()
        },
        xlabel="distance in words (trained on up to 64)",
        ylabel="held-out accuracy",
        title=f"Recorded: one of {pairs} pairs is asked for, 3 seeds",
        log_x=True,
    )


def at_best(
    recording: dict[str, Any], pairs: int
) -> dict[str, list[dict[str, Any]]]:
    """Give each model's runs at its best rate, one for each seed."""
    records = [r for r in recording["records"] if r["pairs"] == pairs]
    return runs_at_best(records, "model")


# How it is measured


def make(model: str, seed: int) -> nn.Module:
    """Make a model with its first weights."""
    settings = MODELS[model]
    if "positions" in settings:
        settings = {**settings, **SETTINGS["attention"]}
        return AttentionReader(**settings, seed=seed)
    return RecurrentReader(model, **settings, seed=seed)


def training_batch(generator: torch.Generator, pairs: int) -> train.Batch:
    """Draw a batch; its length is spread evenly over the logarithm."""
    low, high = max(SETTINGS["trained"][0], pairs), SETTINGS["trained"][1]
    share = torch.rand((), generator=generator).item()
    length = round(low * (high / low) ** share)
    return episodes(SETTINGS["batch"], generator, length=length, pairs=pairs)


def _train(
    network: nn.Module,
    pairs: int,
    rate: float,
    seed: int,
    steps: int,
    evaluations: int = 10,
) -> list[float | None]:
    """Train in place; give the mean loss of each part."""
    return train.losses(
        train.train(
            network,
            lambda generator: training_batch(generator, pairs),
            steps=steps,
            learning_rate=rate,
            seed=1000 + seed,
            evaluations=evaluations,
            progress=False,
        )
    )


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
            train.accuracy(model, _first(GROUP, generator, distance, pairs))
            for _ in range(groups)
        ]
        found.append(round(sum(each) / groups, 4))
    return found


def _reaches(
    model: nn.Module,
    pairs: int,
    seed: int,
    distances: Sequence[int] = SETTINGS["distances"],
) -> list[float | None]:
    """Measure the gradient, as log₁₀, at each distance."""
    generator = torch.Generator().manual_seed(3000 + seed)
    size = SETTINGS["gradients"]
    return [
        None
        if distance < pairs
        else _log(reach(model, _first(size, generator, distance, pairs)))
        for distance in distances
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
) -> train.Batch:
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
