"""Train with and without division by √d_k, to see what it decides.

Associative recall with one attention read. Both scalings have the same
parameters, the same first weights, the same batches and the same grid of
learning rates, one for each optimiser, and all of it is recorded, whatever it
shows. What can't look up, because it weighs all keys alike, gets the grids
too.

Sizes, steps and grids were set beforehand. A pilot, of scaled models only,
measured seconds a step at each d and checked with d = 16 that the task can be
learned within the steps, and which learning rates are too large; the grids
go two and a half decades down from there. Nothing was changed after the two
scalings had been compared.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from attn_course import figures
from attn_course.experiments.study import Study
from attn_course.experiments.sweeps import best, working_rates
from attn_course.functional import attention_weights
from attn_course.nn import train
from attn_course.softmax import entropy, softmax_jacobian_norm

if TYPE_CHECKING:
    from attn_course.figures import Chart

__all__ = ["SETTINGS", "START", "STUDY", "measure_at_start", "train_one"]

SETTINGS = {
    "d": [4, 16, 64, 256, 1024],
    "scale": ["1/√d", "none"],
    "init": ["default", "unit"],
    "learning_rate": {
        "sgd": [0.003, 0.01, 0.03, 0.1, 0.3, 1.0],
        "adam": [0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03],
    },
    "steps": 250,
    "batch": 32,
    "held_out": 512,
    "pairs": 8,
    "n_keys": 64,
    "n_values": 16,
    "d_model": 64,
}
EPISODE = {k: SETTINGS[k] for k in ("pairs", "n_keys", "n_values")}
# How often the loss is kept: a mean over 5 steps each time.
EVALUATIONS = 50
# Weighs all keys alike: what can be had without looking up.
BLIND = {"d": 64, "scale": "0", "init": "default"}
FACTORS = ("d", "scale", "init")


def rates(optimiser: str, **arm: Any) -> list[float]:
    """Give the learning rates that an optimiser is tried with."""
    return SETTINGS["learning_rate"][optimiser]


STUDY = Study(
    "root-d",
    chapter=3,
    question="Does a model need the division by √d to learn?",
    design=__doc__,
    arms={
        **{name: SETTINGS[name] for name in FACTORS},
        "optimiser": list(SETTINGS["learning_rate"]),
    },
    sweep={"learning_rate": rates},
    settings=SETTINGS,
    chosen_by="loss",
    baseline="uniform",
    packages=["torch"],
    tolerance=0.03,
)


@STUDY.run
def train_one(
    d: int,
    scale: str,
    init: str,
    optimiser: str,
    learning_rate: float,
    seed: int,
) -> dict[str, Any]:
    """Train one model; test it on held-out episodes.

    `loss` is the training cross-entropy, mean over the last fifth of the
    steps, None where it was not finite; `history` the same over time, mean
    over every 5 steps. `accuracy` is measured after the last step.
    """
    model = _model(d, scale, init, seed)
    history = train.train(
        model,
        lambda generator: train.recall_batch(
            SETTINGS["batch"], generator, **EPISODE
        ),
        steps=SETTINGS["steps"],
        optimiser=optimiser,
        learning_rate=learning_rate,
        seed=1000 + seed,
        evaluations=EVALUATIONS,
        progress=False,
    )
    return {
        "accuracy": round(train.accuracy(model, _held_out(seed)), 4),
        "loss": train.last_loss(history),
        "history": train.losses(history),
    }


@STUDY.after
def blind(records: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """Name the runs that can't look up."""
    seeds = sorted({r["seed"] for r in records})
    return {
        "baseline": [
            {**BLIND, "optimiser": name, "learning_rate": rate, "seed": seed}
            for seed in seeds
            for name in SETTINGS["learning_rate"]
            for rate in rates(name)
        ]
    }


@STUDY.summary
def content(
    records: list[dict[str, Any]], baseline: list[dict[str, Any]]
) -> dict[str, Any]:
    """Add what guessing would get."""
    seeds = sorted({r["seed"] for r in records})
    return {
        "baselines": {
            "uniform": round(math.log(SETTINGS["n_values"]), 4),
            "no looking up": min(r["loss"] for r in baseline if r["loss"]),
        },
        "chance": {
            "any_value": 1 / SETTINGS["n_values"],
            "a_shown_value": _accuracy_of_guessing(seeds),
        },
    }


@STUDY.slice
def again(recording: Mapping[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """Train every arm of two sizes again, with one rate.

    The other sizes run the same code; the largest takes half a minute.
    """
    for arm in STUDY.each_arm():
        if arm["d"] not in (16, 64):
            continue
        cell = {**arm, "learning_rate": rates(**arm)[1], "seed": 0}
        [then] = [r for r in recording["records"] if cell.items() <= r.items()]
        now = train_one(**cell)
        for key in ("accuracy", "loss"):
            yield f"{list(arm.values())}: {key}", then[key], now[key]


START = Study(
    "root-d-start",
    chapter=3,
    question="What does the division by √d change before training?",
    design="""
    The models of the sweep, before their first step: the variance of the
    scores, entropy and saturation of the weights, and the gradient in the
    matrices of queries and keys, on 512 held-out episodes of associative
    recall. Nothing is trained, nothing tuned. The same first weights stand
    behind both scalings.
    """,
    arms={name: SETTINGS[name] for name in FACTORS},
    settings={**EPISODE, "held_out": SETTINGS["held_out"]},
    packages=["torch"],
    tolerance=0.01,
)


@START.slice
def start_again(
    recording: Mapping[str, Any],
) -> Iterator[tuple[str, Any, Any]]:
    """Measure every arm once more, with one seed."""
    for then in recording["records"]:
        if then["seed"] == 0:
            cell = {name: then[name] for name in (*FACTORS, "seed")}
            for key, value in measure_at_start(**cell).items():
                # Some are large and some tiny: compared by their ratio.
                ratio = value / then[key] if then[key] else 1.0 + value
                yield f"{list(cell.values())}: {key}", 1.0, ratio


@START.run
def measure_at_start(
    d: int, scale: str, init: str, seed: int
) -> dict[str, Any]:
    """Measure scores, softmax and gradient before training.

    `score_variance` is that of scale · q·k, over pairs within episodes;
    `entropy` (nats) and `jacobian_norm` (Frobenius norm of the softmax's)
    are means over episodes; `saturated` is the share of episodes with a
    weight above 0.99; `gradient_norm` is that of the mean loss,
    `gradient_median` of such norms, one for each of 64 episodes.
    """
    model, episodes = _model(d, scale, init, seed), _held_out(seed)
    keys, _, asked = episodes.inputs
    with torch.no_grad():
        q, k = (x.double().numpy() for x in model.queries_keys(keys, asked))
    # Each episode is a batch entry of one head: (episodes, 1, n, d).
    q, k = q[:, None], k[:, None]
    factor = _factor(scale, d)
    scores = factor * np.matmul(q, np.swapaxes(k, -1, -2))
    weights = attention_weights(q, k, scale=factor)  # (episodes, 1, 1, pairs)

    single = [
        train.Batch(
            tuple(x[i : i + 1] for x in episodes.inputs),
            episodes.targets[i : i + 1],
        )
        for i in range(64)
    ]
    numbers = {
        "score_variance": scores.var(),
        "entropy": entropy(weights).mean(),
        "jacobian_norm": softmax_jacobian_norm(weights).mean(),
        "saturated": (weights.max(-1) > 0.99).mean(),
        "gradient_norm": _gradient_norm(model, episodes),
        "gradient_median": np.median(
            [_gradient_norm(model, one) for one in single]
        ),
    }
    return {name: _rounded(x) for name, x in numbers.items()}


@STUDY.claim("3.scaling-training")
def what_it_decides(recording: Mapping[str, Any]) -> dict[str, Any]:
    """Give what the missing division costs at d = 1024."""
    picked = _accuracies(recording)
    working = {
        _arm(one): one
        for one in working_rates(recording["records"], at_least=0.95)
    }

    def gap(*rest: str) -> list[float]:
        arms = [picked[1024, scale, *rest] for scale in SETTINGS["scale"]]
        return [a - b for a, b in zip(*arms, strict=True)]

    scaled, unscaled = (
        working[1024, scale, "unit", "adam"] for scale in SETTINGS["scale"]
    )
    return {
        "sgd_gap": gap("unit", "sgd"),
        "adam_gap": gap("default", "adam"),
        "chance": recording["chance"]["a_shown_value"],
        "rates_scaled": len(scaled["learning_rates"]),
        "rates_unscaled": len(unscaled["learning_rates"]),
        "rates_tried": unscaled["tried"],
    }


@START.claim("3.scaling-gradient")
def gradients_at_start(recording: Mapping[str, Any]) -> dict[str, Any]:
    """Give gradients before training, at d = 1024 and variance 1."""
    keys = {
        "mean": "gradient_norm",
        "median": "gradient_median",
        "saturated": "saturated",
    }
    return {
        f"{measure}_{name}": [
            r[key]
            for r in recording["records"]
            if (r["d"], r["scale"], r["init"]) == (1024, scale, "unit")
        ]
        for name, scale in (("scaled", "1/√d"), ("unscaled", "none"))
        for measure, key in keys.items()
    }


@STUDY.figure(
    """
    Line plot of held-out accuracy over d from 4 to 1024 with a band over
    three seeds, for first weights of variance 1. Both lines with the
    division reach 1 from d = 16 on. Without it both optimisers also learn,
    and fall a little behind as d grows, to about 0.9 at d = 1024.
    """
)
def accuracy_over_d(recording: Mapping[str, Any]) -> "Chart":
    """Draw the accuracy of both scalings, each at its best rate."""
    sizes, picked = SETTINGS["d"], _accuracies(recording)
    optimisers = {"sgd": "gradient descent", "adam": "Adam"}
    scalings = {"1/√d": "divided by √d", "none": "not divided"}
    return figures.curves(
        sizes,
        {
            f"{optimisers[o]}, {scalings[s]}": np.transpose(
                [picked[d, s, "unit", o] for d in sizes]
            )
            for o in optimisers
            for s in scalings
        },
        xlabel="d",
        ylabel="held-out accuracy",
        title="Recall after 250 steps, q and k start with variance 1",
        log_x=True,
    )


def _accuracies(recording: Mapping[str, Any]) -> dict[tuple, list[float]]:
    """Give the accuracies of each arm at its best rate, one for each seed."""
    return {_arm(one): one["accuracies"] for one in best(recording["records"])}


def _arm(record: Mapping[str, Any]) -> tuple:
    return tuple(record[name] for name in STUDY.arms)


def _rounded(number: float) -> float:
    return float(f"{number:.4g}")


def _factor(scale: str, d: int) -> float:
    """Give the number that q·k is multiplied by."""
    return {"1/√d": 1 / math.sqrt(d), "none": 1.0, "0": 0.0}[scale]


def _model(d: int, scale: str, init: str, seed: int) -> train.Recall:
    """Make the model of a condition; the scaling changes no weight."""
    return train.Recall(
        d,
        scale=_factor(scale, d),
        init=init,
        n_keys=SETTINGS["n_keys"],
        n_values=SETTINGS["n_values"],
        d_model=SETTINGS["d_model"],
        generator=torch.Generator().manual_seed(seed),
    )


def _held_out(seed: int) -> train.Batch:
    """Draw the episodes of the test."""
    return train.recall_batch(
        SETTINGS["held_out"],
        torch.Generator().manual_seed(2000 + seed),
        **EPISODE,
        held_out=True,
    )


def _gradient_norm(model: train.Recall, batch: train.Batch) -> float:
    """Measure the gradient in the matrices that make queries and keys."""
    loss = torch.nn.functional.cross_entropy(
        model(*batch.inputs), batch.targets
    )
    slopes = torch.autograd.grad(loss, [model.w_query, model.w_key])
    return math.hypot(*(slope.norm().item() for slope in slopes))


def _accuracy_of_guessing(seeds: Sequence[int]) -> float:
    """Measure what naming one of the shown values at random would get."""
    shares = []
    for seed in seeds:
        (_, values, _), targets = _held_out(seed)
        same = values == targets[:, None]  # (episodes, pairs)
        shares.append(same.float().mean().item())
    return round(sum(shares) / len(shares), 4)
