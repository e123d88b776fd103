"""Train with q·k/√d, with q·k and with additive scores, as d grows.

The article divides by √d “to prevent the dot product from becoming too large
(which would push the softmax into regions with extremely small gradients)”.
The division was brought in because additive scores, v · tanh(q + k), did
better than undivided dot products where d is large (Vaswani et al. 2017,
section 3.2.1). So all three are trained here.

The task is associative recall with one attention read: eight pairs of a key
and a value, and one key is asked for. The three scores share the matrices of
q and k, the first weights, the batches, the number of steps and the grid of
learning rates, one for each optimiser; the additive score has d numbers more.
What weighs all keys alike, and so can't look up, gets the grids too.

A pilot with seed 100 looked at all three scores with variance 1, at d = 16 and
1024: from it come the number of steps and the ends of the grids, set where
the best rate of each score lies inside. Nothing was changed afterwards. Not
tried: a rate that changes while training, momentum, more than one layer,
longer lists than eight pairs.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from attn_course import figures
from attn_course.experiments.rules import choices
from attn_course.experiments.study import Study
from attn_course.nn import train
from attn_course.softmax import entropy, softmax_jacobian_norm

if TYPE_CHECKING:
    from attn_course.figures import Chart

__all__ = [
    "LONGER",
    "SETTINGS",
    "START",
    "STUDY",
    "Lookup",
    "measure_at_start",
    "one",
    "one_longer",
]

DIVIDED, PLAIN, ADDITIVE = "q·k/√d", "q·k", "additive"
SETTINGS = {
    "d": [16, 64, 256, 1024],
    "score": [DIVIDED, PLAIN, ADDITIVE],
    "init": ["default", "unit"],
    "learning_rate": {
        "sgd": [0.01, 0.03, 0.1, 0.3, 1.0, 3.0],
        "adam": [0.0003, 0.001, 0.003, 0.01, 0.03],
    },
    "steps": 800,
    "batch": 32,
    "held_out": 512,
    "pairs": 8,
    "n_keys": 64,
    "n_values": 16,
    "d_model": 64,
}
LARGEST = SETTINGS["d"][-1]
# What differs from arm to arm.
SWEPT = ("d", "score", "init", "learning_rate")
# The grids of longer training.
SLOWER = {
    "sgd": [0.01, 0.03, 0.1, 0.3, 1.0, 3.0],
    "adam": [0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03],
}
EPISODE = {k: SETTINGS[k] for k in ("pairs", "n_keys", "n_values")}
# How often the loss is kept: a mean over the steps between.
EVALUATIONS = 20
# Weighs all keys alike: what can be had without looking up.
BLIND = {"d": 64, "score": "equal weights", "init": "default"}
FACTORS = ("d", "score", "init")
# As the names of numbers call them.
NAMES = {DIVIDED: "scaled", PLAIN: "unscaled", ADDITIVE: "additive"}
# A learning rate works where every seed gets so much right.
WORKS = 0.95
# A weight that leaves softmax hardly any derivative.
SATURATED = 0.99


def rates(optimiser: str, **arm: Any) -> list[float]:
    """Give the learning rates that an optimiser is tried with."""
    return SETTINGS["learning_rate"][optimiser]


STUDY = Study(
    "root-d",
    chapter=3,
    question="What does the division by √d change in training, and would "
    "additive scores need it?",
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


class Lookup(train.Recall):
    """Look a value up by its key, by one of three scores.

    Parameters
    ----------
    d
        Size of queries and keys; of the hidden layer of additive scores.
    score
        Of `SETTINGS["score"]`, or "equal weights". It changes no first
        weight; "additive" adds d of them.
    init, generator
        As in `Recall`. What additive scores add is drawn in the same way:
        "unit" gives it variance 1/d, "default" a third of that.
    """

    def __init__(
        self, d: int, *, score: str, init: str, generator: torch.Generator
    ):
        super().__init__(
            d,
            init=init,
            n_keys=SETTINGS["n_keys"],
            n_values=SETTINGS["n_values"],
            d_model=SETTINGS["d_model"],
            generator=generator,
        )
        self.score = score
        if score == ADDITIVE:
            spread = d**-0.5 if init == "unit" else (3 * d) ** -0.5
            first = torch.randn(d, generator=generator) * spread
            self.v = nn.Parameter(first)  # (d,)

    def scores(self, keys: torch.Tensor, query: torch.Tensor) -> torch.Tensor:
        """Score each pair, shape (batch, pairs)."""
        q, k = self.queries_keys(keys, query)  # (batch, 1 or pairs, d)
        if self.score == ADDITIVE:
            return torch.tanh(q + k) @ self.v
        products = (k @ q.mT).squeeze(-1)
        factors = {DIVIDED: q.shape[-1] ** -0.5, PLAIN: 1.0}
        return products * factors.get(self.score, 0.0)

    def forward(
        self, keys: torch.Tensor, values: torch.Tensor, query: torch.Tensor
    ) -> torch.Tensor:
        """Score every value as the answer, shape (batch, n_values)."""
        weights = torch.softmax(self.scores(keys, query), dim=-1)
        v = functional.embedding(values, self.embed_value)
        read = (weights[:, None] @ v).squeeze(1)  # (batch, d_model)
        return read @ self.w_output.T


@STUDY.run
def one(
    d: int,
    score: str,
    init: str,
    optimiser: str,
    learning_rate: float,
    seed: int,
) -> dict[str, Any]:
    """Train one model; test it on held-out episodes: see `_train`."""
    arm = (d, score, init, optimiser)
    return _train(*arm, learning_rate, seed, steps=SETTINGS["steps"])


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
    """Add what guessing would get, and how large the models are."""
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
        "parameters": {
            score: {
                str(d): train.trained_parameters(_model(d, score, "unit", 0))
                for d in SETTINGS["d"]
            }
            for score in SETTINGS["score"]
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
        cell = {**arm, "learning_rate": rates(**arm)[2], "seed": 0}
        [then] = [r for r in recording["records"] if cell.items() <= r.items()]
        now = one(**cell)
        for key in ("accuracy", "loss"):
            yield f"{list(arm.values())}: {key}", then[key], now[key]


LONGER = Study(
    "root-d-longer",
    chapter=3,
    question="Does longer training make up for the missing division?",
    design="""
    The sweep of root-d once more with four times the steps, at d = 1024 and
    first weights of variance 1, where the missing division costs most. It was
    added after that sweep had been seen, because not every run without the
    division had come to rest. Adam's grid begins lower, for more steps allow
    smaller ones. Everything else is as there.
    """,
    arms={
        "score": SETTINGS["score"],
        "optimiser": list(SETTINGS["learning_rate"]),
    },
    sweep={"learning_rate": lambda optimiser, **arm: SLOWER[optimiser]},
    settings={
        **{k: v for k, v in SETTINGS.items() if k not in SWEPT},
        "steps": 3200,
    },
    chosen_by="loss",
    baseline="uniform",
    packages=["torch"],
    tolerance=0.03,
)


@LONGER.run
def one_longer(
    score: str, optimiser: str, learning_rate: float, seed: int
) -> dict[str, Any]:
    """Train one of the largest models; test it on held-out episodes."""
    arm = (LARGEST, score, "unit", optimiser)
    steps = LONGER.settings["steps"]
    return _train(*arm, learning_rate, seed, steps=steps)


@LONGER.summary
def guessing(records: list[dict[str, Any]]) -> dict[str, Any]:
    """Add what guessing would get."""
    return {"baselines": {"uniform": round(math.log(SETTINGS["n_values"]), 4)}}


@LONGER.slice
def longer_again(
    recording: Mapping[str, Any],
) -> Iterator[tuple[str, Any, Any]]:
    """Train one model of each score again."""
    for then in recording["records"]:
        if (then["optimiser"], then["learning_rate"], then["seed"]) == (
            "adam", 0.003, 0
        ):  # fmt: skip
            now = one_longer(then["score"], "adam", 0.003, 0)
            for key in ("accuracy", "loss"):
                yield f"{then['score']}: {key}", then[key], now[key]


@LONGER.claim("3.scaling-training")
def after_longer(recording: Mapping[str, Any]) -> dict[str, Any]:
    """Give accuracy and stuck episodes at d = 1024 after longer training."""
    found = {}
    for choice in choices(LONGER, recording["records"]):
        arm = f"{NAMES[choice.arm['score']]}_{choice.arm['optimiser']}"
        for key in ("accuracy", "stuck"):
            found[f"longer_{key}_{arm}"] = [run[key] for run in choice.runs]
    return found


START = Study(
    "root-d-start",
    chapter=3,
    question="What does the division by √d change before training?",
    design="""
    The models of the sweep, before their first step: the variance of the
    scores, the weights' entropy and largest, and the gradient in the
    matrices of queries and keys, on 512 held-out episodes of associative
    recall, eight pairs each: equal weights would be 1/8. Nothing is trained,
    nothing tuned. The same first weights stand behind all three scores.
    """,
    arms={
        **{name: SETTINGS[name] for name in FACTORS},
        "d": [4**i for i in range(1, 6)],
    },
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
    d: int, score: str, init: str, seed: int
) -> dict[str, Any]:
    """Measure scores, softmax and gradient before training.

    `score_variance` is that over pairs of all episodes; `entropy` (nats),
    `jacobian_norm` (Frobenius norm of softmax's) and `largest` (weight of an
    episode) are means over episodes; `saturated` is the share of episodes
    with a weight above 0.99; `gradient_norm` is that of the mean loss,
    `gradient_median` of such norms, one for each of 64 episodes.
    """
    model, episodes = _model(d, score, init, seed), _held_out(seed)
    keys, _, asked = episodes.inputs
    with torch.no_grad():
        scores = model.scores(keys, asked).double()  # (episodes, pairs)
    weights = torch.softmax(scores, dim=-1).numpy()
    single = [
        train.Batch(
            tuple(x[i : i + 1] for x in episodes.inputs),
            episodes.targets[i : i + 1],
        )
        for i in range(64)
    ]
    numbers = {
        "score_variance": scores.numpy().var(),
        "entropy": entropy(weights).mean(),
        "jacobian_norm": softmax_jacobian_norm(weights).mean(),
        "largest": weights.max(-1).mean(),
        "saturated": (weights.max(-1) > SATURATED).mean(),
        "gradient_norm": _gradient_norm(model, episodes),
        "gradient_median": np.median(
            [_gradient_norm(model, one) for one in single]
        ),
    }
    return {name: _rounded(x) for name, x in numbers.items()}


@STUDY.claim("3.scaling-training")
def what_it_decides(recording: Mapping[str, Any]) -> dict[str, Any]:
    """Give what the missing division costs, in accuracy and in rates.

    `gap_1024_unit_adam` is accuracy with the division less that without, each
    at its best rate, `additive_…` that of additive scores less that without;
    `rates_…` are counted as in `working_rates`.
    """
    accuracy = _at_best(recording, "accuracy")
    stuck = _at_best(recording, "stuck")
    found: dict[str, Any] = {
        "chance": recording["chance"]["a_shown_value"],
        "rates_tried": len(_rates_of(recording, LARGEST, PLAIN)),
    }
    for (d, score, *rest), without in accuracy.items():
        if score != PLAIN:
            continue
        for name, other in (("gap", DIVIDED), ("additive", ADDITIVE)):
            gaps = np.subtract(accuracy[d, other, *rest], without)
            found["_".join([name, str(d), *rest])] = gaps.tolist()
    for score, name in NAMES.items():
        found |= {
            f"rates_{name}": _working(recording, LARGEST, score),
            f"accuracy_{name}": accuracy[LARGEST, score, "unit", "adam"],
            f"stuck_{name}": stuck[LARGEST, score, "unit", "adam"],
        }
    return {
        **found,
        "sgd_gap": found["gap_1024_unit_sgd"],
        "adam_gap": found["gap_1024_default_adam"],
    }


@STUDY.figure(
    """
    Line plot of how many of 22 settings work, over d from 16 to 1024.
    Divided by the root of d it is 16 to 18 at every d; undivided the number
    falls from 14 to 10. Additive scores lie between, at 14 to 17.
    """
)
def working_rates(recording: Mapping[str, Any]) -> "Chart":
    """Draw how many rates work, over optimisers and first weights."""
    tried = len(_rates_of(recording, LARGEST, PLAIN))
    return figures.curves(
        SETTINGS["d"],
        {
            score: [_working(recording, d, score) for d in SETTINGS["d"]]
            for score in SETTINGS["score"]
        },
        xlabel="d",
        ylabel=f"settings that work, of {tried}",
        title=f"All seeds get {WORKS:.0%} of held-out episodes right",
        log_x=True,
    )


@STUDY.figure(
    """
    Line plot of held-out accuracy over d from 16 to 1024, with Adam and first
    weights of variance 1. Divided and additive scores are at 1 for every d;
    undivided ones a little below from d = 64 on, at 0.99 for d = 1024.
    """
)
def accuracy_over_d(recording: Mapping[str, Any]) -> "Chart":
    """Draw the accuracy of the three scores, each at its best rate."""
    found = _at_best(recording, "accuracy")
    return figures.curves(
        SETTINGS["d"],
        {
            score: np.transpose(
                [found[d, score, "unit", "adam"] for d in SETTINGS["d"]]
            )
            for score in SETTINGS["score"]
        },
        xlabel="d",
        ylabel="held-out accuracy",
        title="Each at its best learning rate: Adam, variance 1",
        log_x=True,
    )


@STUDY.figure(
    """
    Line plot with a logarithmic axis of the training loss over 800 steps at
    d = 1024, with Adam and first weights of variance 1. Divided and additive
    scores fall below 0.002; undivided ones fall more slowly, to about 0.1.
    """
)
def loss_over_time(recording: Mapping[str, Any]) -> "Chart":
    """Draw the loss of the three scores, each at its best rate."""
    found = _at_best(recording, "history")
    steps = SETTINGS["steps"] / EVALUATIONS
    return figures.curves(
        steps * np.arange(1, EVALUATIONS + 1),
        {
            score: found[LARGEST, score, "unit", "adam"]
            for score in SETTINGS["score"]
        },
        xlabel="step",
        ylabel="training loss (nats)",
        title="d = 1024, each at its best learning rate",
        log_y=True,
    )


@START.claim("3.scaling-gradient")
def at_start(recording: Mapping[str, Any]) -> dict[str, Any]:
    """Give weights and gradients before training, d = 1024, variance 1."""
    keys = {
        "mean": "gradient_norm",
        "median": "gradient_median",
        "saturated": "saturated",
        "start_largest": "largest",
    }
    return {
        f"{measure}_{name}": [
            r[key]
            for r in recording["records"]
            if (r["d"], r["score"], r["init"]) == (LARGEST, score, "unit")
        ]
        for score, name in NAMES.items()
        for measure, key in keys.items()
    }


@START.figure(
    """
    Line plot of the largest of eight weights before training, over d from 4
    to 1024. Divided by the root of d it stays near 0.36, for additive scores
    it is between 0.17 and 0.25; undivided it rises from 0.6 to 0.97.
    """
)
def largest_weight(recording: Mapping[str, Any]) -> "Chart":
    """Draw how much one key gets, mean over episodes."""
    return _over_d(
        recording, "largest", ylabel="largest of 8 weights, mean", log_y=False
    )


@START.figure(
    """
    Line plot with two logarithmic axes of the gradient of a typical episode
    before training, over d from 4 to 1024. Divided by the root of d it stays
    near 2, for additive scores near 0.8 from d = 16 on; undivided it is above
    3 up to d = 16 and then falls, to about 0.0001.
    """
)
def typical_gradient(recording: Mapping[str, Any]) -> "Chart":
    """Draw the median norm of the gradient in the matrices of q and k."""
    return _over_d(
        recording,
        "gradient_median",
        ylabel="gradient of a typical episode",
        log_y=True,
    )


def _over_d(
    recording: Mapping[str, Any], key: str, *, ylabel: str, log_y: bool
) -> "Chart":
    """Draw one measure of the start over d, for variance 1."""
    sizes = START.arms["d"]
    values = {
        score: [
            [
                r[key]
                for r in recording["records"]
                if (r["d"], r["score"], r["init"]) == (d, score, "unit")
            ]
            for d in sizes
        ]
        for score in SETTINGS["score"]
    }
    return figures.curves(
        sizes,
        {score: np.transpose(found) for score, found in values.items()},
        xlabel="d",
        ylabel=ylabel,
        title="Before the first step, q and k with variance 1",
        log_x=True,
        log_y=log_y,
    )


def _at_best(
    recording: Mapping[str, Any], key: str
) -> dict[tuple[Any, ...], list[Any]]:
    """Give what each arm measures at its best rate, one for each seed."""
    return {
        tuple(choice.arm.values()): [run[key] for run in choice.runs]
        for choice in choices(STUDY, recording["records"])
    }


def _rates_of(
    recording: Mapping[str, Any], d: int, score: str
) -> dict[tuple[Any, ...], float]:
    """Give the lowest accuracy over seeds of every rate that was tried."""
    lowest: dict[tuple[Any, ...], float] = {}
    for r in recording["records"]:
        if (r["d"], r["score"]) == (d, score):
            rate = (r["init"], r["optimiser"], r["learning_rate"])
            lowest[rate] = min(r["accuracy"], lowest.get(rate, 1.0))
    return lowest


def _working(recording: Mapping[str, Any], d: int, score: str) -> int:
    """Count the rates with which every seed reaches WORKS."""
    lowest = _rates_of(recording, d, score).values()
    return sum(accuracy >= WORKS for accuracy in lowest)


def _train(
    d: int,
    score: str,
    init: str,
    optimiser: str,
    learning_rate: float,
    seed: int,
    *,
    steps: int,
) -> dict[str, Any]:
    """Train one model; test it on held-out episodes.

    `loss` is the training cross-entropy, mean over the last fifth of the
    steps, None where it was not finite; `history` the same over time, mean
    over every twentieth. Measured after the last step: `accuracy`, and
    `stuck`, the share of episodes in which a key that was not asked for has
    a weight above 0.99.
    """
    model = _model(d, score, init, seed)
    history = train.train(
        model,
        lambda generator: train.recall_batch(
            SETTINGS["batch"], generator, **EPISODE
        ),
        steps=steps,
        optimiser=optimiser,
        learning_rate=learning_rate,
        seed=1000 + seed,
        evaluations=EVALUATIONS,
        progress=False,
    )
    held_out = _held_out(seed)
    return {
        "accuracy": round(train.accuracy(model, held_out), 4),
        "stuck": round(_stuck(model, held_out), 4),
        "loss": train.last_loss(history),
        "history": train.losses(history),
    }


def _rounded(number: float) -> float:
    return float(f"{number:.4g}")


def _model(d: int, score: str, init: str, seed: int) -> Lookup:
    """Make the model of a condition."""
    generator = torch.Generator().manual_seed(seed)
    return Lookup(d, score=score, init=init, generator=generator)


def _held_out(seed: int) -> train.Batch:
    """Draw the episodes of the test."""
    return train.recall_batch(
        SETTINGS["held_out"],
        torch.Generator().manual_seed(2000 + seed),
        **EPISODE,
        held_out=True,
    )


@torch.no_grad()
def _stuck(model: Lookup, batch: train.Batch) -> float:
    """Measure how often softmax has settled on a key not asked for."""
    keys, _, asked = batch.inputs
    weights = torch.softmax(model.scores(keys, asked), dim=-1)
    others = weights.masked_fill(keys == asked[:, None], 0.0)
    return (others.amax(dim=-1) > SATURATED).float().mean().item()


def _gradient_norm(model: Lookup, batch: train.Batch) -> float:
    """Measure the gradient in the matrices that make queries and keys."""
    loss = functional.cross_entropy(model(*batch.inputs), batch.targets)
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
