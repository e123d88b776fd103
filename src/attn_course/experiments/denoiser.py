"""Pictures from noise: a denoiser of digits with attention, and without.

Four denoisers of equal size (`attn_course.diffusion`) learn from the digits
of `patches.split`, with the same batches: a transformer over patches, the
same with equal weights, convolutions and a perceptron. Then each learns once
more at its best rate, for four times as long. Two guess without learning:
the best linear map for each level, and attention over the pictures of
training. Error is squared error on the test, mostly by hands that training
never saw, at all levels alike, as a share of what the mean picture of
training leaves. `by_level` has it for each level.

Then all make pictures from the same noise. `told_apart` asks of each made
picture, and of each of as many of the test, whether the nearest other one is
of its own kind: 1 where made and real pictures form two crowds, about .5
where nobody could tell (Lopez-Paz and Oquab 2017). The bar is `real`: what
training's pictures, drawn at random, get in place of made ones. `noise` is
where drawing starts. `nearest` is the distance to the nearest picture of
training, mean over the pictures, in units of that of the test's: near 0 a
picture is a copy.

A pilot with seed 7 and 800 steps set the steps by the time they take. A first
judge, a perceptron that names 93 % of the test's digits, was sure of 60 % of
pure noise, and was left out. A first run ended at the rate .01, where
attention was best; so there is one more.
"""

import inspect
import itertools
from collections.abc import Sequence
from functools import cache, partial
from typing import Any

import torch

from attn_course import diffusion
from attn_course.data import pack_array
from attn_course.diffusion import LEVELS, Denoiser
from attn_course.experiments import fingerprint, miniatures, provenance
from attn_course.experiments.parts import Parts, one_thread
from attn_course.experiments.patches import split
from attn_course.experiments.sweeps import chosen
from attn_course.functional import attention
from attn_course.models import trained_parameters

__all__ = [
    "MODELS",
    "RECORDINGS",
    "SETTINGS",
    "digits",
    "errors",
    "inputs",
    "record",
    "run_one",
    "told_apart",
    "unlearned",
]

RECORDINGS = ("denoiser",)
MODELS = {
    "attention": diffusion.PatchTransformer,
    "equal weights": partial(diffusion.PatchTransformer, equal=True),
    "convolutions": diffusion.Convolutions,
    "perceptron": diffusion.Perceptron,
}
RATES = (*miniatures.RATES, 0.03)
SETTINGS = {
    "steps": 600,
    "longer": 2400,
    "batch": 64,
    "levels": LEVELS,
    "drawn": 500,
    "shown": 9,
}
CODE = (
    "data/digits.py",
    "diffusion.py",
    "experiments/denoiser.py",
    "experiments/parts.py",
    "experiments/patches.py",
    "experiments/sweeps.py",
    "functional.py",
    "heads.py",
    "transformer.py",
    "vision.py",
)


def inputs(name: str, seeds: Sequence[int]) -> list[Any]:
    """List what the recording depends on, the code it runs included."""
    code = (diffusion, split, chosen, attention)
    return [list(seeds), *(inspect.getsource(part) for part in code)]


def record(name: str, seeds: Sequence[int]) -> dict[str, Any]:
    """Train every model with every rate and seed; take up what is there."""
    parts = Parts(name, fingerprint("denoiser", name, 0))
    with one_thread():
        runs = list(itertools.product(MODELS, RATES, seeds))
        done = parts.run(runs, run_one, every=3)
        records = [entry["result"] for entry in done]
        runs = [
            (model, run["learning_rate"], run["seed"], SETTINGS["longer"])
            for model, best in chosen(records).items()
            for run in best
        ]
        longer = parts.run(runs, run_one)
        others = {
            name: [measure(way, seed=seed) for seed in seeds]
            for name, way in unlearned().items()
        }
        bar = [told_apart(_some(digits()[0], seed)) for seed in seeds]
    content = {
        "about": inspect.getdoc(inspect.getmodule(record)),
        "settings": {**SETTINGS, "learning_rate": list(RATES)},
        "keys": {
            "loss": "training loss, mean over the last tenth of the steps",
            "chosen_by": "error on the 200 pictures that choose the rate",
            "error": "on the test, as a share of the mean picture's",
            "by_level": "the same at each level, from 1 on",
            "told_apart": "made and real pictures, by their neighbours",
            "nearest": "distance to training, 1 for the test's pictures",
            "example": "the first pictures made, ink in sixteenths",
        },
        "parameters": {
            model: trained_parameters(make(seed=0))
            for model, make in MODELS.items()
        },
        "records": records,
        "longer": [entry["result"] for entry in longer],
        "unlearned": others,
        "real": {"told_apart": bar, "example": _shown(digits()[2])},
        "noise": _judged(_noise(0)) | {"example": _shown(_noise(0))},
        "seconds": round(sum(x["seconds"] for x in [*done, *longer])),
        "recorded": provenance(
            name, seeds=list(seeds), packages=["torch"], code=CODE
        ),
    }
    parts.discard()
    return content


def run_one(
    model: str, rate: float, seed: int, steps: int | None = None
) -> dict[str, Any]:
    """Train one model; with more steps than usual, let it make pictures."""
    made = MODELS[model](seed=seed)
    losses = diffusion.train(
        made,
        digits()[0],
        steps=steps or SETTINGS["steps"],
        learning_rate=rate,
        batch=SETTINGS["batch"],
        seed=1000 + seed,
    )
    last = losses[-(len(losses) // 10 or 1) :]
    found = errors(made, digits()[1], 5000).mean().item()
    entry = {
        "model": model,
        "learning_rate": rate,
        "seed": seed,
        "steps": steps or SETTINGS["steps"],
        "loss": float(f"{sum(last) / len(last):.4g}"),
        "chosen_by": float(f"{found:.4g}"),
    }
    if not steps:
        return entry | {"error": measure(made, pictures=False)["error"]}
    return entry | measure(made, seed=seed)


def measure(
    denoiser: Denoiser, *, pictures: bool = True, seed: int = 0
) -> dict[str, Any]:
    """Measure errors on the test; judge what is made from noise."""
    tested = digits()[2]
    found = errors(denoiser, tested, 6000)
    empty = errors(_mean(digits()[0]), tested, 6000)
    entry: dict[str, Any] = {
        "error": round((found.mean() / empty.mean()).item(), 4),
        "by_level": [round(x, 3) for x in (found / empty).tolist()],
    }
    if not pictures:
        return entry
    generator = torch.Generator().manual_seed(7000 + seed)
    made = diffusion.draw(denoiser, SETTINGS["drawn"], generator)
    return entry | _judged(made) | {"example": _shown(made)}


@cache
def digits() -> list[torch.Tensor]:
    """Give pictures to train, to choose with, to test: ink −1 to 1."""
    return [2 * part.inputs[0] - 1 for part in split()]


def unlearned() -> dict[str, Denoiser]:
    """Give the two denoisers that are not trained."""
    known = digits()[0]
    return {
        "linear map": diffusion.linear_map(known),
        "training pictures": diffusion.by_training_pictures(known),
    }


@torch.no_grad()
def errors(
    denoiser: Denoiser, pictures: torch.Tensor, seed: int
) -> torch.Tensor:
    """Give the mean squared error at each level, (LEVELS,)."""
    generator = torch.Generator().manual_seed(seed)
    found = []
    for step in range(1, LEVELS + 1):
        level = torch.full((len(pictures),), step)
        mixed = diffusion.noised(pictures, level, generator)
        found.append((denoiser(mixed, level) - pictures).square().mean())
    return torch.stack(found)


def told_apart(made: torch.Tensor) -> float:
    """Say how often a picture's nearest other one is of its own kind.

    Kinds are made pictures and the test's, equally many of each.
    """
    made, real = made.clamp(-1, 1), digits()[2]
    count = min(len(made), len(real))
    both = torch.cat([made[:count], real[:count]]).flatten(-2)
    apart = torch.cdist(both, both).fill_diagonal_(torch.inf)
    is_made = torch.arange(len(both)) < count
    own = is_made[apart.argmin(-1)] == is_made
    return round(own.float().mean().item(), 4)


def _mean(known: torch.Tensor) -> Denoiser:
    return lambda mixed, level: known.mean(0).expand_as(mixed)


def _judged(made: torch.Tensor) -> dict[str, float]:
    """Say how made pictures differ from real ones, and from training's."""
    known, tested = digits()[0], digits()[2]
    near, usual = (_distance(x, known) for x in (made.clamp(-1, 1), tested))
    return {
        "told_apart": told_apart(made),
        "nearest": round((near / usual).item(), 4),
    }


def _some(pictures: torch.Tensor, seed: int) -> torch.Tensor:
    """Draw as many pictures as are made."""
    generator = torch.Generator().manual_seed(7000 + seed)
    order = torch.randperm(len(pictures), generator=generator)
    return pictures[order[: SETTINGS["drawn"]]]


def _noise(seed: int) -> torch.Tensor:
    """Give the noise that drawing starts from."""
    generator = torch.Generator().manual_seed(7000 + seed)
    return torch.randn(SETTINGS["drawn"], 8, 8, generator=generator)


def _distance(pictures: torch.Tensor, known: torch.Tensor) -> torch.Tensor:
    """Give the distance to the nearest known picture, mean over pictures."""
    apart = torch.cdist(pictures.flatten(-2), known.flatten(-2))
    return apart.min(-1).values.mean()


def _shown(made: torch.Tensor) -> dict[str, Any]:
    """Pack the first pictures, ink in sixteenths: (shown, 8, 8)."""
    ink = (made[: SETTINGS["shown"]].clamp(-1, 1) + 1) * 8
    return pack_array(ink, step=1)
