"""Pictures from noise: a denoiser of digits with attention, and without.

Four denoisers of equal size (`tasks.denoising`) learn from the digits
of `vision.split`, with the same batches: a transformer over patches, the
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

`loss` is the training loss, mean over the last tenth of the steps, and the
last of `history`; `chosen_by` is the error on the pictures that choose the
rate. `example` holds the first pictures made, ink in sixteenths.

A pilot with seed 7 and 800 steps set the steps by the time they take. A first
judge, a perceptron that names 93 % of the test's digits, was sure of 60 % of
pure noise, and was left out. A first run ended at the rate .01, where
attention was best; so there is one more.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import cache, partial
from typing import Any

import numpy as np
import torch

from attn_course import figures
from attn_course.data import pack_array, unpack_array
from attn_course.experiments.miniatures import RATES, each_seed
from attn_course.experiments.study import Study
from attn_course.experiments.sweeps import chosen
from attn_course.nn.train import trained_parameters
from attn_course.nn.vit import split
from attn_course.tasks import denoising
from attn_course.tasks.denoising import LEVELS, Denoiser

__all__ = [
    "MODELS",
    "SETTINGS",
    "STUDY",
    "digits",
    "errors",
    "measure",
    "run_one",
    "told_apart",
    "unlearned",
]

MODELS = {
    "attention": denoising.PatchTransformer,
    "equal weights": partial(denoising.PatchTransformer, equal=True),
    "convolutions": denoising.Convolutions,
    "perceptron": denoising.Perceptron,
}
SETTINGS = {
    "steps": 600,
    "longer": 2400,
    "batch": 64,
    "levels": LEVELS,
    "drawn": 500,
    "shown": 9,
    "learning_rate": [*RATES, 0.03],
}
STUDY = Study(
    "denoiser",
    chapter=9,
    question="Does attention draw digits from noise better than its rivals?",
    design=__doc__,
    arms={"model": MODELS},
    sweep={"learning_rate": SETTINGS["learning_rate"]},
    settings=SETTINGS,
    chosen_by="chosen_by",
    baseline="mean picture",
    packages=["torch"],
    data=["digits.csv.gz"],
    tolerance=0.02,
)


@STUDY.run
def run_one(
    model: str, learning_rate: float, seed: int, steps: int | None = None
) -> dict[str, Any]:
    """Train one model; with more steps than usual, let it make pictures."""
    made = MODELS[model](seed=seed)
    losses = denoising.train(
        made,
        digits()[0],
        steps=steps or SETTINGS["steps"],
        learning_rate=learning_rate,
        batch=SETTINGS["batch"],
        seed=1000 + seed,
    )
    history = [
        float(f"{sum(part) / len(part):.4g}")
        for part in np.array_split(losses, min(10, len(losses)))
    ]
    found = errors(made, digits()[1], 5000).mean().item()
    entry = {
        "steps": steps or SETTINGS["steps"],
        "loss": history[-1],
        "history": history,
        "chosen_by": float(f"{found:.4g}"),
    }
    if not steps:
        return entry | {"error": measure(made, pictures=False)["error"]}
    return entry | measure(made, seed=seed)


@STUDY.after
def longer(records: Sequence[dict[str, Any]]) -> dict[str, list[Any]]:
    """Train each model once more at its best rate, for longer."""
    names = ("model", "learning_rate", "seed")
    return {
        "longer": [
            {**{name: run[name] for name in names}, "steps": steps}
            for runs in chosen(records).values()
            for run in runs
            for steps in [SETTINGS["longer"]]
        ]
    }


@STUDY.summary
def content(
    records: list[dict[str, Any]], longer: list[dict[str, Any]]
) -> dict[str, Any]:
    """Measure what is not trained, real pictures and noise."""
    seeds = sorted({run["seed"] for run in records})
    known, choose, tested = digits()
    return {
        "parameters": {
            model: trained_parameters(make(seed=0))
            for model, make in MODELS.items()
        },
        "baselines": {
            "mean picture": round(
                errors(_mean(known), choose, 5000).mean().item(), 4
            )
        },
        "unlearned": {
            name: [measure(way, seed=seed) for seed in seeds]
            for name, way in unlearned().items()
        },
        "real": {
            "told_apart": [told_apart(_some(known, seed)) for seed in seeds],
            "example": _shown(tested),
        },
        "noise": _judged(_noise(0)) | {"example": _shown(_noise(0))},
    }


@STUDY.quick
def untrained(recording: Mapping[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """Count parameters; measure the ways that are not trained."""
    for model, make in MODELS.items():
        then = recording["parameters"][model]
        yield f"{model}: parameters", then, trained_parameters(make(seed=0))
    for name, way in unlearned().items():
        now, then = measure(way, pictures=False), recording["unlearned"][name]
        yield name, then[0]["by_level"], now["by_level"]


@STUDY.slice
def again(recording: Mapping[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """Measure what is not trained, and train each model once more."""
    yield from untrained(recording)
    for then in recording["records"]:
        if (then["learning_rate"], then["seed"]) == (RATES[0], 0):
            now = run_one(then["model"], RATES[0], 0)
            for key in ("loss", "error"):
                yield f"{then['model']}: {key}", then[key], now[key]


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
    made = denoising.draw(denoiser, SETTINGS["drawn"], generator)
    return entry | _judged(made) | {"example": _shown(made)}


@cache
def digits() -> list[torch.Tensor]:
    """Give pictures to train, to choose with, to test: ink −1 to 1."""
    return [2 * part.inputs[0] - 1 for part in split()]


def unlearned() -> dict[str, Denoiser]:
    """Give the two denoisers that are not trained."""
    known = digits()[0]
    return {
        "linear map": denoising.linear_map(known),
        "training pictures": denoising.by_training_pictures(known),
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
        mixed = denoising.noised(pictures, level, generator)
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


# What the page shows

NAMES = {
    "attention": "attention",
    "equal": "equal weights",
    "convolutions": "convolutions",
    "perceptron": "perceptron",
}


@STUDY.claim("9.images")
def drawn(recording: Mapping[str, Any]) -> dict[str, Any]:
    """Give errors, and how drawn pictures are told from real ones."""
    looked_up, linear = (
        recording["unlearned"][name]
        for name in ("training pictures", "linear map")
    )
    found: dict[str, Any] = {}
    for name, model in NAMES.items():
        longer = partial(each_seed, recording, model, stage="longer")
        found[name] = each_seed(recording, model, "error")
        found[f"{name}_longer"] = longer("error")
        found[f"{name}_apart"] = longer("told_apart")
    levels = {m: _by_level(recording, m) for m in NAMES.values()}
    map_errors = np.array(linear[0]["by_level"])
    won = np.flatnonzero(levels["attention"].max(0) < map_errors) + 1
    return {
        **found,
        "linear_apart": [entry["told_apart"] for entry in linear],
        "looked_up_apart": [entry["told_apart"] for entry in looked_up],
        "real_apart": recording["real"]["told_apart"],
        "noise_apart": recording["noise"]["told_apart"],
        "looked_up_nearest": [entry["nearest"] for entry in looked_up],
        "attention_nearest": each_seed(
            recording, "attention", "nearest", stage="longer"
        ),
        "linear": linear[0]["error"],
        "looked_up": looked_up[0]["error"],
        "won_from": won.min(),
        "won_to": won.max(),
        "perceptron_level_1": levels["perceptron"][:, 0].mean()
        / map_errors[0],
    }


@STUDY.figure("""
    A digit of the test at six levels of noise. At level 4 it is plain, at
    level 8 it can be made out, at level 12 hardly, at 16 and 20 no longer.
""")
def mixtures(recording: Mapping[str, Any]) -> Any:
    """Draw the first tested digit at several levels of noise."""
    first = digits()[2][:1]
    generator = torch.Generator().manual_seed(0)
    return figures.pictures(
        {
            f"level {level}": denoising.noised(
                first, torch.tensor([level]), generator
            )[0].numpy()
            for level in (0, 4, 8, 12, 16, 20)
        },
        inches=1.1,
    )


@STUDY.figure("""
    Error over the level of noise, in units of the best linear map's. At level
    1 convolutions, equal weights and attention stand between 1.3 and 2.2. From
    level 3 convolutions and attention are near 0.8 and rise slowly;
    convolutions pass 1 at level 11, attention at 12. Equal weights are above 1
    from level 6 on. From level 16 on all are near 1.
""")
def levels(recording: Mapping[str, Any]) -> Any:
    """Draw the error of each model at each level, linear map = 1."""
    linear = np.array(recording["unlearned"]["linear map"][0]["by_level"])
    return figures.curves(
        np.arange(1, LEVELS + 1),
        {
            model: _by_level(recording, model) / linear
            for model in NAMES.values()
            if model != "perceptron"
        }
        | {"linear map": np.ones(LEVELS)},
        xlabel="level of noise",
        ylabel="error, linear map = 1",
        title="Recorded: four times the steps, 3 seeds",
    )


@STUDY.figure("""
    Eight sheets of nine pictures: the noise, then what is drawn from it by
    attention, equal weights, convolutions, the perceptron, the linear map and
    by looking up, and last real digits. Attention's, the convolutions' and the
    perceptron's have strokes, some like digits. Those of equal weights and of
    the linear map are speckled. What is looked up is as clean as the real
    digits.
""")
def sheets(recording: Mapping[str, Any]) -> Any:
    """Show what each model draws from the same noise."""
    unlearned = recording["unlearned"]
    entries = {
        "noise": recording["noise"],
        **{r["model"]: r for r in recording["longer"] if r["seed"] == 0},
        "linear map": unlearned["linear map"][0],
        "looked up": unlearned["training pictures"][0],
        "real, unseen": recording["real"],
    }
    return figures.pictures(
        {
            name: figures.sheet(unpack_array(entry["example"]))
            for name, entry in entries.items()
        },
        per_row=4,
        inches=1.6,
    )


def _by_level(recording: Mapping[str, Any], model: str) -> np.ndarray:
    """Give a model's errors after more steps, `(seeds, levels)`."""
    return np.array(each_seed(recording, model, "by_level", stage="longer"))
