"""Heads of a small model that look at the bracket to be closed, if any do.

Models read strings of three kinds of brackets, of 24 signs and at most four
open at once, and name at every place the kind that must close next. They are
tested where the answer must be looked up (after a closing bracket): on fresh
strings as trained, behind the 24th sign of longer ones, and where more are
open than ever in training. Beside attention, with and without sinusoidal
positions, stand equal weights in its place and a GRU, of nearly as many
parameters. Every head is measured, with controls, before and after training.

A pilot with seed 0 chose the number of steps and the rate. It showed that
equal weights do nearly as well on strings as trained, and that sinusoidal
positions do not carry to longer ones; so both positions are reported.
"""

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from torch import nn

from attn_course import lab
from attn_course.data import pack_array
from attn_course.experiments.study import Study
from attn_course.experiments.sweeps import runs_of
from attn_course.interpret.head_scores import TIMES, labelled
from attn_course.nn import train
from attn_course.tasks.dyck import (
    DEPTH,
    KINDS,
    LENGTH,
    MOST,
    Asked,
    GruReader,
    Reader,
    Strings,
    batches,
    looks,
    right,
    strings,
)

__all__ = [
    "MODELS",
    "SETTINGS",
    "STUDY",
    "baselines",
    "make",
    "one",
    "table",
    "tests",
]

MODELS = {
    "attention": {"positions": "none"},
    "attention, positions": {"positions": "sinusoidal"},
    "equal weights": {"positions": "none", "equal": True},
    "equal weights, positions": {"positions": "sinusoidal", "equal": True},
    "GRU": None,
}
SETTINGS = {
    "kinds": KINDS,
    "length": LENGTH,
    "depth": DEPTH,
    "longest": MOST,
    "deepest": 2 * DEPTH,
    "layers": 2,
    "heads": 4,
    "steps": 1200,
    "learning_rate": 0.003,
    "batch": 64,
    "tested": 300,
}
# The run whose map is kept, chosen beforehand.
PAGE = ("attention", 0)
STEP = 1 / 4096
STUDY = Study(
    "dyck",
    chapter=6,
    question="Must a model that closes brackets have a head that tracks them?",
    design=__doc__,
    arms={"model": MODELS},
    settings=SETTINGS,
    chosen_by="loss",
    baseline="loss of guessing",
    packages=["torch"],
    tolerance=0.05,
)


@STUDY.run
def one(model: str, seed: int) -> dict[str, Any]:
    """Train one model; measure it and its heads."""
    network = make(model, seed)
    before = _measure_heads(network)
    history = train.train(
        Asked(network),
        batches(SETTINGS["batch"]),
        steps=SETTINGS["steps"],
        learning_rate=SETTINGS["learning_rate"],
        seed=1000 + seed,
        progress=False,
    )
    losses = [round(entry["loss"], 4) for entry in history]
    kept = (model, seed) == PAGE
    return {
        "loss": losses[-1],
        "history": losses,
        "right": {
            test: round(right(network, drawn, where), 4)
            for test, (drawn, where) in tests().items()
        },
        "untrained_heads": before,
        "heads": _measure_heads(network),
        "map": _map(network) if kept else None,
    }


@STUDY.summary
def content(records: list[dict[str, Any]]) -> dict[str, Any]:
    """Take the kept map out of the runs; add what is known once."""
    [kept] = [one for r in records if (one := r.pop("map")) is not None]
    return {
        "models": list(MODELS),
        "parameters": {
            model: train.trained_parameters(make(model, 0)) for model in MODELS
        },
        "baselines": {**baselines(), "loss of guessing": math.log(KINDS)},
        "map": kept,
        "rounding": f"Weights in `map` to the nearest {STEP:g}.",
    }


@STUDY.quick
def untrained(recording: dict[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """Measure heads before training, and the baselines."""
    first = {r["model"]: r for r in recording["records"] if r["seed"] == 0}
    for model, then in first.items():
        parameters = train.trained_parameters(make(model, 0))
        yield model, recording["parameters"][model], parameters
        now = _measure_heads(make(model, 0)) or {}
        for key, value in now.items():
            yield f"{model}: {key}", then["untrained_heads"][key], value
    for rule, shares in baselines().items():
        then = recording["baselines"][rule]
        yield rule, list(then.values()), list(shares.values())


@STUDY.slice
def again(recording: dict[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """Measure what is not trained, and train the GRU, which has no heads."""
    yield from untrained(recording)
    [then, *_] = runs_of(recording["records"], model="GRU", seed=0)
    for test, share in one("GRU", 0)["right"].items():
        yield f"GRU: {test}", then["right"][test], share


def make(model: str, seed: int) -> nn.Module:
    """Make a model with its first weights."""
    options = MODELS[model]
    if options is None:
        return GruReader(seed=seed)
    return Reader(
        layers=SETTINGS["layers"],
        heads=SETTINGS["heads"],
        seed=seed,
        **options,
    )


def tests() -> dict[str, tuple[Strings, torch.Tensor | None]]:
    """Draw what every model is tested on, and say which places count."""
    n, longest = SETTINGS["tested"], SETTINGS["longest"]
    longer = strings(n, _generator(2), length=longest)
    deeper = strings(
        n, _generator(3), length=longest, depth=SETTINGS["deepest"]
    )
    behind = torch.arange(longest) >= LENGTH
    return {
        "as trained": (strings(n, _generator(1)), None),
        "longer": (longer, behind.expand(n, -1)),
        "deeper": (deeper, deeper.depth > DEPTH),
    }


def baselines() -> dict[str, dict[str, float]]:
    """Give the share of right kinds of two rules that keep no track.

    "last opened" names the kind that was opened last, though it is closed
    by now; "most open" the kind of which most are open.
    """
    found: dict[str, dict[str, float]] = {"last opened": {}, "most open": {}}
    for test, (drawn, where) in tests().items():
        asked = drawn.looked_up if where is None else drawn.looked_up & where
        for rule, named in _named(drawn).items():
            hit = (named == drawn.kind)[asked].float().mean().item()
            found[rule][test] = round(hit, 4)
    return found


def _named(drawn: Strings) -> dict[str, torch.Tensor]:
    """Give the kind that each rule names, (batch, n)."""
    signs = drawn.brackets
    place = torch.arange(signs.shape[1])
    last = torch.where(signs < KINDS, place, 0).cummax(-1).values
    ends = nn.functional.one_hot(signs, 2 * KINDS).cumsum(1)
    still = ends[..., :KINDS] - ends[..., KINDS:]  # (batch, n, kinds)
    return {
        "last opened": signs.gather(1, last),
        "most open": still.argmax(-1),
    }


def _measure_heads(network: nn.Module) -> dict[str, Any] | None:
    """Say where every head looks, and which of them earn the label."""
    if not isinstance(network, Reader):
        return None
    drawn, _ = tests()["as trained"]
    found = looks(network.attentions(drawn.brackets).numpy(), drawn)
    label = labelled("opener", found.score, 0.0, found.uniform)
    for control in (found.elsewhere, found.nearest):
        label &= found.score >= TIMES * control
    return {
        **{
            name: np.round(value, 4).tolist()
            for name, value in found._asdict().items()
        },
        "labelled": label.tolist(),
    }


def _map(network: Reader) -> dict[str, Any]:
    """Keep the map of the best head in one string that nobody chose."""
    drawn, _ = tests()["as trained"]
    score = looks(network.attentions(drawn.brackets).numpy(), drawn).score
    layer, head = np.unravel_index(score.argmax(), score.shape)
    one = strings(1, _generator(4))
    weights = network.attentions(one.brackets)[layer, 0, head]
    return {
        "model": PAGE[0],
        "seed": PAGE[1],
        "layer": int(layer),
        "head": int(head),
        "brackets": one.text(0),
        "opener": one.opener[0].tolist(),
        "weights": pack_array(weights.numpy(), step=STEP),
    }


def _generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


# What the page tells


@STUDY.claim("6.brackets")
def numbers(recording: dict[str, Any]) -> dict[str, Any]:
    """Give the best head of small models, and who copes with depth."""
    small = runs_of(recording["records"], model="attention")
    gru = runs_of(recording["records"], model="GRU")
    return {
        "small_deeper": [r["right"]["deeper"] for r in small],
        "small_score": [_best(r["heads"]) for r in small],
        "small_untrained": [_best(r["untrained_heads"]) for r in small],
        "small_labelled": [int(np.sum(r["heads"]["labelled"])) for r in small],
        "small_equal": small[0]["heads"]["uniform"],
        "gru_deeper": [r["right"]["deeper"] for r in gru],
    }


def table() -> Any:
    """Show how often each model is right, and what its best head gives."""
    records = STUDY.recording["records"]
    rows = []
    for model in MODELS:
        runs = runs_of(records, model=model)
        rows.append(
            {
                "model": model,
                **{
                    test: _span([r["right"][test] for r in runs])
                    for test in runs[0]["right"]
                },
                "best head gives": _span([_best(r["heads"]) for r in runs])
                if runs[0]["heads"]
                else "–",
            }
        )
    return lab.table(
        rows,
        caption="Recorded: which bracket closes next, share right, 3 seeds; "
        "and the weight that the best head gives the bracket to be closed",
        columns=list(rows[0]),
    )


def _best(heads: dict[str, Any]) -> float:
    """Give the largest weight that any head gives the right bracket."""
    return float(np.max(heads["score"]))


def _span(values: Sequence[float]) -> str:
    """Write the smallest and the largest, or the one that they are."""
    low, high = f"{min(values):.2f}", f"{max(values):.2f}"
    return low if low == high else f"{low} to {high}"
