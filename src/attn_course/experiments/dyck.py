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

import inspect
import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import nn

from attn_course import dyck, models
from attn_course.data import pack_array
from attn_course.dyck import (
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
from attn_course.experiments import fingerprint, provenance
from attn_course.experiments.parts import Parts, one_thread
from attn_course.reading import TIMES, labelled

__all__ = [
    "MODELS",
    "RECORDINGS",
    "SETTINGS",
    "baselines",
    "inputs",
    "make",
    "record",
    "run_one",
    "tests",
]

RECORDINGS = ("dyck",)
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
CODE = (
    "experiments/dyck.py",
    "experiments/parts.py",
    "dyck.py",
    "functional.py",
    "heads.py",
    "models.py",
    "positions.py",
    "reading.py",
    "transformer.py",
)


def inputs(name: str, seeds: Sequence[int]) -> list[Any]:
    """List what the recording depends on, the code it runs included."""
    return [list(seeds), inspect.getsource(dyck)]


def record(name: str, seeds: Sequence[int]) -> dict[str, Any]:
    """Train every model with every seed; resume what is there."""
    parts = Parts(name, fingerprint("dyck", name, 0))
    runs = list(itertools.product(MODELS, seeds))
    with one_thread():
        done = parts.run(runs, run_one)
    results = [entry["result"] for entry in done]
    maps = [result.pop("map") for result in results]
    content = {
        "about": inspect.getdoc(inspect.getmodule(record)),
        "settings": SETTINGS,
        "models": list(MODELS),
        "parameters": {
            model: sum(
                p.numel()
                for p in make(model, 0).parameters()
                if p.requires_grad
            )
            for model in MODELS
        },
        "baselines": baselines(),
        "records": results,
        "map": next(one for one in maps if one),
        "rounding": f"Weights in `map` to the nearest {STEP:g}.",
        "seconds": round(sum(entry["seconds"] for entry in done)),
        "recorded": provenance(
            name, seeds=list(seeds), packages=["torch"], code=CODE
        ),
    }
    parts.discard()
    return content


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


def run_one(model: str, seed: int, steps: int | None = None) -> dict[str, Any]:
    """Train one model; measure it and its heads."""
    network = make(model, seed)
    before = _measure_heads(network)
    history = models.train(
        Asked(network),
        batches(SETTINGS["batch"]),
        steps=steps or SETTINGS["steps"],
        learning_rate=SETTINGS["learning_rate"],
        seed=1000 + seed,
        progress=False,
    )
    kept = (model, seed) == PAGE
    return {
        "model": model,
        "seed": seed,
        "loss": round(history[-1]["loss"], 4),
        "right": {
            test: round(right(network, drawn, where), 4)
            for test, (drawn, where) in tests().items()
        },
        "untrained_heads": before,
        "heads": _measure_heads(network),
        "map": _map(network) if kept else None,
    }


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
