"""Do induction heads form, and when? One layer of attention beside two.

Attention-only models read letters of which a block comes twice, with a period
drawn anew for each sequence, and name the letters of the second block. They
are tested on periods that training never shows. The model of one layer has
twice as many heads a layer, so that both have equally many parameters.

A pilot with seed 0, mostly looking at the model of two layers, chose a block
at any place of the sequence (not always at its end), 32 sequences a step, and
a loss that counts letters that can be known: with others it learned less in
as many steps. Learned positions were taken; sinusoidal ones learn as well.
Both models get both learning rates.
"""

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from jaxtyping import Float

from attn_course import figures
from attn_course.data import pack_array
from attn_course.experiments.study import Study
from attn_course.experiments.sweeps import runs_of
from attn_course.tasks import induction
from attn_course.tasks.induction import (
    LENGTH,
    LETTERS,
    TRAINED_PERIODS,
    UNSEEN_PERIODS,
    AttentionOnly,
    Repeats,
    induction_targets,
    mean_weight,
    previous_targets,
    repeats,
    second_block,
)

__all__ = ["MODELS", "SETTINGS", "STUDY", "baselines", "one", "tests"]

MODELS = {
    "one layer": {"layers": 1, "heads": 8},
    "two layers": {"layers": 2, "heads": 4},
}
SETTINGS = {
    "d_model": 64,
    "d_head": 16,
    "positions": "learned",
    "length": LENGTH,
    "trained_periods": list(TRAINED_PERIODS),
    "unseen_periods": list(UNSEEN_PERIODS),
    "learning_rates": [0.001, 0.003],
    "batch": 32,
    "steps": [0, 10, 30, 60, 100, 150, 200, 270, 350, 500, 800, 1200],
    "tested": 100,
}
# The run whose maps are kept, chosen beforehand, and what it reads.
PAGE = ("two layers", 0.003, 0)
PAGE_PERIOD = 9
STEP = 1 / 4096
STUDY = Study(
    "induction",
    chapter=6,
    question="Do induction heads form, and when?",
    design=__doc__,
    trains=True,
    arms={"model": MODELS},
    sweep={"learning_rate": SETTINGS["learning_rates"]},
    settings=SETTINGS,
    packages=["torch"],
    tolerance=0.01,
)


@STUDY.run
def one(
    model: str,
    learning_rate: float,
    seed: int,
    steps: Sequence[int] | None = None,
) -> dict[str, Any]:
    """Train one model; look at it at every checkpoint.

    Each list runs over the checkpoints. `induction` and `previous` are the
    scores of every head, `(layers, heads)`; `control` is the induction score
    on the same places of sequences in which nothing comes twice.
    """
    at = list(SETTINGS["steps"] if steps is None else steps)
    network = _model(model, seed)
    measured: dict[str, list] = {}
    maps = []
    for _ in induction.checkpoints(
        network,
        at,
        learning_rate=learning_rate,
        batch=SETTINGS["batch"],
        seed=1000 + seed,
    ):
        for key, value in _measure(network).items():
            measured.setdefault(key, []).append(value)
        maps.append(network.attentions(_example().letters)[:, 0].numpy())
    kept = (model, learning_rate, seed) == PAGE
    return {
        **measured,
        "by_period": {
            str(period): round(second_block(network, drawn)["accuracy"], 4)
            for period, drawn in _each_period().items()
        },
        "maps": _pair(np.stack(maps), measured, at) if kept else None,
    }


@STUDY.summary
def content(records: list[dict[str, Any]]) -> dict[str, Any]:
    """Take the kept maps out of the runs; add what is known once."""
    [maps] = [maps for r in records if (maps := r.pop("maps")) is not None]
    return {
        "models": MODELS,
        "parameters": {
            model: sum(p.numel() for p in _model(model, 0).parameters())
            for model in MODELS
        },
        "baselines": baselines(),
        "maps": maps,
        "rounding": f"Weights are rounded to the nearest {STEP:g}.",
    }


@STUDY.slice
def first_steps(recording: dict[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """Train each model again, ten steps, and compare all scores."""
    for model in MODELS:
        cell = {"model": model, "learning_rate": 0.003, "seed": 0}
        [then] = runs_of(recording["records"], **cell)
        again = one(**cell, steps=[0, 10])
        for key in ("loss", "accuracy", "induction", "control", "previous"):
            yield f"{model}: {key}", then[key][:2], again[key]


def tests() -> dict[str, Repeats]:
    """Draw what every model is tested on.

    "no repeat" has the places of "unseen", and fresh letters throughout.
    """
    n = SETTINGS["tested"] * len(UNSEEN_PERIODS)
    return {
        "trained": repeats(n, _generator(1)),
        "unseen": repeats(n, _generator(2), periods=UNSEEN_PERIODS),
        "no repeat": repeats(
            n, _generator(2), periods=UNSEEN_PERIODS, repeat=False
        ),
    }


def baselines() -> dict[str, float]:
    """Give the loss on unseen periods of what needs no induction.

    "uniform" knows nothing; a table of which letter follows which does no
    better, for letters are drawn afresh. "any letter so far" copies one of
    those before the second block, "any of the block" one of its letters.
    """
    _, periods, second = tests()["unseen"]
    count = (periods - 1).double()  # letters asked in each sequence
    mean = {
        "any letter so far": (second.double().log() * count).sum(),
        "any of the block": (periods.double().log() * count).sum(),
    }
    losses = {k: (v / count.sum()).item() for k, v in mean.items()}
    losses = {"uniform": math.log(len(LETTERS)), **losses}
    return {k: round(v, 4) for k, v in losses.items()}


def _measure(network: AttentionOnly) -> dict[str, Any]:
    """Give loss, accuracy and the scores of every head."""
    drawn = tests()
    unseen = second_block(network, drawn["unseen"])
    target = induction_targets(drawn["unseen"].letters.numpy())
    maps = network.attentions(drawn["unseen"].letters)
    fresh = network.attentions(drawn["no repeat"].letters)
    previous = previous_targets(LENGTH)[None]
    return {
        "loss": round(unseen["loss"], 4),
        "accuracy": round(unseen["accuracy"], 4),
        "trained_accuracy": round(
            second_block(network, drawn["trained"])["accuracy"], 4
        ),
        "induction": mean_weight(maps, target).round(4).tolist(),
        "control": mean_weight(fresh, target).round(4).tolist(),
        "previous": mean_weight(maps, previous).round(4).tolist(),
    }


def _pair(
    maps: np.ndarray, measured: dict[str, list], at: Sequence[int]
) -> dict[str, Any]:
    """Keep two heads of `(steps, layers, heads, n, n)`.

    The best previous-token head of layer 1 and the best induction head of
    layer 2, as they are at the end.
    """
    heads = [
        int(np.argmax(measured["previous"][-1][0])),
        int(np.argmax(measured["induction"][-1][1])),
    ]
    kept = np.stack([maps[:, i, head] for i, head in enumerate(heads)], axis=1)
    [letters] = _example().letters.tolist()
    return {
        "model": PAGE[0],
        "learning_rate": PAGE[1],
        "seed": PAGE[2],
        "tokens": [LETTERS[i] for i in letters],
        "period": PAGE_PERIOD,
        "steps": list(at),
        "heads": [f"L{i}H{head + 1}" for i, head in enumerate(heads, 1)],
        "weights": pack_array(kept, step=STEP),
    }


def _example() -> Repeats:
    return repeats(1, _generator(3), periods=[PAGE_PERIOD])


def _each_period() -> dict[int, Repeats]:
    periods = sorted((*TRAINED_PERIODS, *UNSEEN_PERIODS))
    return {
        period: repeats(SETTINGS["tested"], _generator(4), periods=[period])
        for period in periods
    }


def _generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def _model(model: str, seed: int) -> AttentionOnly:
    names = ("d_model", "d_head", "positions", "length")
    options = {name: SETTINGS[name] for name in names}
    return AttentionOnly(**MODELS[model], **options, seed=seed)


# What the page tells

ONE, TWO = MODELS
SLOW, FAST = SETTINGS["learning_rates"]


def over_steps(
    recording: dict[str, Any], model: str, key: str, rate: float = FAST
) -> Float[np.ndarray, "seeds steps"]:
    """Give a measure at every step; of a score that of the best head."""
    runs = runs_of(recording["records"], model=model, learning_rate=rate)
    found = np.array([r[key] for r in runs])
    return found if found.ndim == 2 else found.max(axis=(2, 3))


def born(scores: Float[np.ndarray, "seeds steps"]) -> list[int]:
    """Find each seed's first step with a score of one half.

    Raises
    ------
    ValueError
        When a seed never gets there.
    """
    there = scores >= 0.5
    if not there[:, -1].all():
        raise ValueError("expected every seed to reach a score of one half")
    return [SETTINGS["steps"][at] for at in there.argmax(axis=1)]


@STUDY.claim("6.early")
def numbers(recording: dict[str, Any]) -> dict[str, Any]:
    """Tell when induction appears, and what one layer does."""
    records = recording["records"]
    one_layer, two = (runs_of(records, model=m) for m in (ONE, TWO))
    score = over_steps(recording, TWO, "induction")
    loss = over_steps(recording, TWO, "loss")
    trained = over_steps(recording, TWO, "trained_accuracy")
    before, after = (SETTINGS["steps"].index(n) for n in (200, 350))
    end = SETTINGS["steps"][-1]
    return {
        "two_low": min(r["accuracy"][-1] for r in two),
        "two_high": max(r["accuracy"][-1] for r in two),
        "one_high": max(r["accuracy"][-1] for r in one_layer),
        "parameters": recording["parameters"][TWO],
        "steps": end,
        "one_score": max(
            over_steps(recording, ONE, "induction", rate).max()
            for rate in (SLOW, FAST)
        ),
        "trained_one": max(r["trained_accuracy"][-1] for r in one_layer),
        "born": born(score),
        "born_slow": born(over_steps(recording, TWO, "induction", SLOW)),
        "share": [step / end for step in born(score)],
        "score_before": list(score[:, before]),
        "score_after": list(score[:, after]),
        "trained_before": list(trained[:, before]),
        "loss_before": list(loss[:, before]),
        "loss_after": list(loss[:, after]),
        "score": list(score[:, -1]),
        "control": list(over_steps(recording, TWO, "control")[:, -1]),
    }


@STUDY.figure(
    """Loss on unseen periods over training steps. For one layer it rises from
    4.5 to above 6. For two layers it rises to nearly 5, and between steps 200
    and 350 it falls steeply; it ends near 0.1."""
)
def losses(recording: dict[str, Any]) -> Any:
    """Draw the loss on unseen periods."""
    return figures.curves(
        SETTINGS["steps"],
        {m: over_steps(recording, m, "loss") for m in (TWO, ONE)},
        xlabel="training step",
        ylabel="loss on unseen periods (nats)",
        title="Recorded: 3 seeds, as many parameters",
    )


@STUDY.figure(
    """Scores of the best heads over training steps. With two layers the
    induction score rises from below 0.1 to above 0.5 between steps 200 and
    350, and the previous-letter score begins to rise earlier. With one layer
    the induction score stays below 0.1."""
)
def scores(recording: dict[str, Any]) -> Any:
    """Draw the scores of the best heads."""
    return figures.curves(
        SETTINGS["steps"],
        {
            "two layers: induction": over_steps(recording, TWO, "induction"),
            "two layers: previous letter": over_steps(
                recording, TWO, "previous"
            ),
            "one layer: induction": over_steps(recording, ONE, "induction"),
        },
        xlabel="training step",
        ylabel="score of the best head",
        title="Recorded: the induction head appears",
    )
