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

`loss` is the training loss, mean over the last tenth of the steps, and the
last of `history`; `chosen_by` that on the 200; `agreement` is Spearman's ρ of
what CLS gives to the patches of a picture, mean over the test.

A pilot with seed 7 chose the rates, the steps, and models of half the size,
which were as good.
"""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn

from attn_course import figures
from attn_course.experiments.study import Study
from attn_course.experiments.sweeps import chosen
from attn_course.interpret.statistics import rank_correlation
from attn_course.nn import train as models
from attn_course.nn import vit
from attn_course.nn.train import trained_parameters
from attn_course.nn.vit import split

if TYPE_CHECKING:
    from attn_course.figures import Chart, Pictures

__all__ = [
    "EQUAL",
    "EXAMPLE",
    "MODELS",
    "ORDERS",
    "SETTINGS",
    "STUDY",
    "VIT",
    "accuracy_without",
    "agreement",
    "hide",
    "hurts",
    "make",
    "orders",
    "run_one",
    "split",
    "train",
]

VIT = "vision transformer"
EQUAL = "equal weights"
MODELS: dict[str, Any] = {
    VIT: vit.VisionTransformer,
    EQUAL: lambda seed: vit.VisionTransformer(equal=True, seed=seed),
    "no positions": lambda seed: vit.VisionTransformer(
        positions="none", d_ff=68, seed=seed
    ),
    "perceptron": vit.mlp,
    "convolutions": vit.cnn,
}
SETTINGS = {
    "learning_rate": [0.0003, 0.001, 0.003, 0.01],
    "changed": {
        "shuffled": [VIT, "perceptron", "convolutions"],
        "longer": [EQUAL],
    },
    "split": vit.SHARES,
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
# The first picture of the test, whatever it shows.
EXAMPLE = 0
STUDY = Study(
    "patches",
    chapter=7,
    question="Does attention read pictures better than equally large rivals?",
    design=__doc__,
    arms={"model": MODELS},
    sweep={"learning_rate": SETTINGS["learning_rate"]},
    settings=SETTINGS,
    chosen_by="chosen_by",
    baseline="frequencies",
    packages=["torch"],
    data=["digits.csv.gz"],
    tolerance=0.03,
)


@STUDY.run
def run_one(
    model: str, learning_rate: float, seed: int, change: str = "none"
) -> dict[str, Any]:
    """Train one model and test it; with patches "hidden", see `hide`.

    `change` is "none", "shuffled" (all pixels move to other places),
    "longer" (more steps) or "hidden".
    """
    if change == "hidden":
        return hide(learning_rate, seed)
    pixels = "shuffled" if change == "shuffled" else "in place"
    steps = SETTINGS["longer_steps" if change == "longer" else "steps"]
    made, parts = make(model, seed), split(pixels)
    history = train(made, learning_rate, seed, pixels=pixels, steps=steps)
    losses = [
        None if entry["loss"] is None else float(f"{entry['loss']:.4g}")
        for entry in history
    ]
    with torch.no_grad():
        scores = made(*parts.choose.inputs)
    by = nn.functional.cross_entropy(scores, parts.choose.targets).item()
    return {
        "change": change,
        "loss": losses[-1],
        "history": losses,
        "chosen_by": float(f"{by:.4g}"),
        "accuracy": round(models.accuracy(made, parts.test), 4),
    }


@STUDY.after
def at_best(records: Sequence[dict[str, Any]]) -> dict[str, list[Any]]:
    """Change something at each model's best rate; hide patches."""
    best = chosen(records)

    def cells(model: str, change: str) -> list[dict[str, Any]]:
        names = ("model", "learning_rate", "seed")
        return [
            {**{name: run[name] for name in names}, "change": change}
            for run in best[model]
        ]

    return {
        "changed": [
            cell
            for change, names in SETTINGS["changed"].items()
            for model in names
            for cell in cells(model, change)
        ],
        "hidden": cells(VIT, "hidden"),
    }


@STUDY.summary
def content(
    records: list[dict[str, Any]],
    changed: list[dict[str, Any]],
    hidden: list[dict[str, Any]],
) -> dict[str, Any]:
    """Compare where CLS looks in two seeds; add what is known once."""
    looks = [entry.pop("looks") for entry in hidden]
    chosen_with = split().choose.targets
    shares = torch.bincount(chosen_with) / len(chosen_with)
    return {
        "parameters": {
            model: trained_parameters(make(model, 0)) for model in MODELS
        },
        "chance": _most_frequent(),
        "baselines": {
            "frequencies": round(torch.special.entr(shares).sum().item(), 4)
        },
        "agreement_of_seeds": [
            agreement(*pair) for pair in itertools.combinations(looks, 2)
        ],
        "example": {"picture": split().test.inputs[0][EXAMPLE].tolist()},
    }


@STUDY.slice
def again(recording: Mapping[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """Train each model once more, at the lowest rate but one."""
    for then in recording["records"]:
        if (then["learning_rate"], then["seed"]) == (0.001, 1):
            now = run_one(then["model"], 0.001, 1)
            for key in ("loss", "accuracy"):
                yield f"{then['model']}: {key}", then[key], now[key]


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
        vit.batches(pictures, labels, SETTINGS["batch"]),
        steps=steps or SETTINGS["steps"],
        learning_rate=rate,
        seed=1000 + seed,
        progress=False,
    )


# Taking patches away


def hide(rate: float, seed: int) -> dict[str, Any]:
    """Train a vision transformer, hide patches; say what it costs."""
    model = make(VIT, seed)
    train(model, rate, seed)
    batch = split().test
    pictures = batch.inputs[0]
    found = orders(model, pictures, seed)
    looks = model.looks(pictures)
    ink = vit.patches(pictures).sum(-1)
    alone = hurts(model, pictures)
    return {
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
    model: vit.VisionTransformer, pictures: torch.Tensor, seed: int
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
    ink = vit.patches(pictures).sum(-1)
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
    model: vit.VisionTransformer, pictures: torch.Tensor
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

    one = torch.eye(vit.PATCHES, dtype=torch.bool)
    without = [sure(gone.expand(len(pictures), -1)) for gone in one]
    return sure(None)[:, None] - torch.stack(without, dim=-1)


def accuracy_without(
    model: vit.VisionTransformer,
    batch: models.Batch,
    each: Sequence[torch.Tensor],
    count: int,
    how: str,
) -> float:
    """Measure accuracy without the first `count` patches of the orders."""
    (pictures,), labels = batch
    found = []
    for order in each:
        gone = vit.without(order, count)  # (batch, n_patches)
        given = (pictures, gone)
        if how == "blank":
            ink = torch.as_tensor(vit.as_maps((~gone).float().numpy()))
            given = (pictures * ink,)
        found.append(models.accuracy(model, models.Batch(given, labels)))
    return sum(found) / len(found)


def agreement(a: Any, b: Any) -> float:
    """Give Spearman's ρ of the patches of a picture, mean over pictures."""
    pairs = zip(np.asarray(a), np.asarray(b), strict=True)
    return round(float(np.mean([rank_correlation(*p) for p in pairs])), 4)


def _most_frequent() -> float:
    """Give the accuracy of always naming the test's commonest digit."""
    counts = torch.bincount(split().test.targets)
    return round((counts.max() / counts.sum()).item(), 4)


# What it says


@STUDY.claim("7.versatile")
def accuracies(recording: Mapping[str, Any]) -> dict[str, list[float]]:
    """Give accuracies at each model's best rate, also where changed."""
    best = chosen(recording["records"])
    runs = {(model, "none"): found for model, found in best.items()}
    for r in recording["changed"]:
        runs.setdefault((r["model"], r["change"]), []).append(r)
    names = {
        "vit": (VIT, "none"),
        "equal": (EQUAL, "none"),
        "equal_longer": (EQUAL, "longer"),
        "bag": ("no positions", "none"),
        "mlp": ("perceptron", "none"),
        "cnn": ("convolutions", "none"),
        "vit_shuffled": (VIT, "shuffled"),
        "mlp_shuffled": ("perceptron", "shuffled"),
        "cnn_shuffled": ("convolutions", "shuffled"),
    }
    return {
        name: [r["accuracy"] for r in runs[key]] for name, key in names.items()
    }


@STUDY.claim("7.versatile")
def without_four(recording: Mapping[str, Any]) -> dict[str, Any]:
    """Give accuracies without four of the patches, by which go first."""

    def without(order: str) -> list[float]:
        return [e["hidden"]["unseen"][order][4] for e in recording["hidden"]]

    most, least = without("most attended"), without("least attended")
    at_random = without("at random")
    return {
        "most": most,
        "least": least,
        "at_random": at_random,
        "most_ink": without("most ink"),
        "worst": without("hurts most alone"),
        "alone": [e["agreement"]["hurts alone"] for e in recording["hidden"]],
        "second_most": most[1],
        "second_at_random": at_random[1],
        "second_least": least[1],
        "seeds_agree_low": min(recording["agreement_of_seeds"]),
        "seeds_agree_high": max(recording["agreement_of_seeds"]),
    }


@STUDY.figure(
    """
    Accuracy over four learning rates. Convolutions are highest at every rate
    and rise to the end, the perceptron follows, then the vision transformer,
    best at 0.003; with equal weights and without positions far below.
    """
)
def by_rate(recording: Mapping[str, Any]) -> "Chart":
    """Draw every model at every learning rate."""
    rates = recording["settings"]["learning_rate"]
    found: dict[str, list[list[float]]] = {}
    for model in recording["parameters"]:
        runs = [r for r in recording["records"] if r["model"] == model]
        found[model] = [
            [r["accuracy"] for r in runs if r["seed"] == seed]
            for seed in recording["recorded"]["seeds"]
        ]
    return figures.curves(
        np.log10(rates),
        found,
        xlabel="log₁₀ of the learning rate",
        ylabel="accuracy, other hands",
        title="Recorded: digits of 8 × 8 pixels, 3 seeds",
    )


@STUDY.figure(
    """
    Accuracy over 0 to 8 hidden patches of 16. It falls fastest where those go
    first that hurt most alone, to below 0.2 at four. The most attended cost
    more than others at four, with a wide band over seeds; at random and least
    attended lie close together.
    """
)
def hidden_patches(recording: Mapping[str, Any]) -> "Chart":
    """Draw the accuracy without some patches, by which go first."""
    return figures.curves(
        recording["settings"]["hidden"],
        {
            order: [e["hidden"]["unseen"][order] for e in recording["hidden"]]
            for order in ORDERS
        },
        xlabel="patches hidden, of 16",
        ylabel="accuracy, other hands",
        title="Recorded: the vision transformer without patches, 3 seeds",
    )


@STUDY.figure(
    """
    A handwritten 3 of 8 by 8 pixels, and three maps of its 4 by 4 patches,
    each in a scale of its own. Seed 0 looks most at the upper stroke, seed 1
    where the two bows meet, seed 2 at the lower bow.
    """
)
def looks(recording: Mapping[str, Any]) -> "Pictures":
    """Draw what CLS looks at in one picture, in every seed."""
    maps = {
        f"CLS looks, seed {e['seed']}": vit.as_maps(e["example"])
        for e in recording["hidden"]
    }
    picture = np.array(recording["example"]["picture"])
    return figures.pictures({"the picture": picture, **maps}, per_row=2)
