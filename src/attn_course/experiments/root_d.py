"""Train with and without division by √d_k, to see what it decides.

A sweep on associative recall: size d × scaling × initialisation × optimiser,
each optimiser with its own grid of learning rates, the same for both
scalings, and all of it recorded, whatever it shows. Both scalings have the
same parameters, the same first weights and the same batches.

Sizes, steps and grids were set beforehand. A pilot, of scaled models only,
measured seconds a step at each d and checked with d = 16 that the task can be
learned within the steps, and which learning rates are too large; the grids
go two and a half decades down from there. Nothing was changed after the two
scalings had been compared.
"""

import inspect
import itertools
import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch

from attn_course import models
from attn_course.experiments import fingerprint, provenance
from attn_course.experiments.parts import Parts, one_thread
from attn_course.functional import attention_weights
from attn_course.measures import entropy, softmax_jacobian_norm

__all__ = [
    "RECORDINGS",
    "SETTINGS",
    "inputs",
    "measure_at_start",
    "record",
    "train_one",
]

RECORDINGS = ("root-d",)

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
# Equally many parameters, all keys weighed alike: what can be had without
# looking up.
BASELINE = {"d": 64, "scale": "0"}
CODE = (
    "experiments/root_d.py",
    "experiments/parts.py",
    "functional.py",
    "measures.py",
    "models.py",
)
EPISODE = {k: SETTINGS[k] for k in ("pairs", "n_keys", "n_values")}


def inputs(name: str, seeds: Sequence[int]) -> list[Any]:
    """List what the recording depends on, the model's code included."""
    code = (models.Recall, models.recall_batch, models.train, models.accuracy)
    return [list(seeds), *(inspect.getsource(part) for part in code)]


def record(name: str, seeds: Sequence[int]) -> dict[str, Any]:
    """Train every condition with every seed; take up what is done already."""
    # Seeds are left out of the parts' fingerprint: more seeds add runs.
    parts = Parts(name, fingerprint("root_d", name, 0))
    with one_thread():
        runs = [*_conditions(seeds), *_baseline(seeds)]
        results = parts.run(runs, train_one, every=20)
        at_start = [
            measure_at_start(d, scale, init, seed)
            for d, scale, init, seed in itertools.product(
                SETTINGS["d"], SETTINGS["scale"], SETTINGS["init"], seeds
            )
        ]

    swept = len(list(_conditions(seeds)))
    content = {
        "about": (
            "Held-out accuracy of associative recall with one attention "
            "read: size d, scaling of q·k, first weights, optimiser, "
            "learning rate, seed; and what q·k, softmax and gradient are "
            "before training."
        ),
        "settings": SETTINGS,
        "chosen": inspect.getdoc(inspect.getmodule(record)).split("\n\n")[-1],
        "keys": {
            "scale": "what q·k is multiplied by; none: 1; 0: no looking up",
            "init": "first weights of q and k: nn.Linear's, or variance 1",
            "loss": (
                "training cross-entropy, mean over the last fifth of the "
                "steps; null where it was not finite"
            ),
            "accuracy": "on held-out episodes, after the last step",
            "score_variance": "of scale · q·k, over pairs within episodes",
            "entropy": "of the weights, in nats, mean over episodes",
            "jacobian_norm": "Frobenius norm of the softmax's, mean likewise",
            "saturated": "share of episodes with a weight above 0.99",
            "gradient_norm": "of the mean loss, in the matrices of q and k",
            "gradient_median": "of such norms, one for each of 64 episodes",
        },
        "chance": {
            "any_value": 1 / SETTINGS["n_values"],
            "a_shown_value": _accuracy_of_guessing(seeds),
            "entropy_when_even": round(math.log(SETTINGS["pairs"]), 4),
        },
        "records": [result["result"] for result in results[:swept]],
        "baseline": [result["result"] for result in results[swept:]],
        "at_start": at_start,
        "seconds": round(sum(result["seconds"] for result in results), 1),
        "recorded": provenance(
            name, seeds=list(seeds), packages=["torch"], code=CODE
        ),
    }
    parts.discard()
    return content


def train_one(
    d: int,
    scale: str,
    init: str,
    optimiser: str,
    learning_rate: float,
    seed: int,
) -> dict[str, Any]:
    """Train one model; give its entry of `records`."""
    history = models.train(
        _model(d, scale, init, seed),
        lambda generator: models.recall_batch(
            SETTINGS["batch"], generator, **EPISODE
        ),
        steps=SETTINGS["steps"],
        optimiser=optimiser,
        learning_rate=learning_rate,
        seed=1000 + seed,
        held_out=_held_out(seed),
        evaluations=5,
        progress=False,
    )
    loss = history[-1]["loss"]
    return {
        "d": d,
        "scale": scale,
        "init": init,
        "optimiser": optimiser,
        "learning_rate": learning_rate,
        "seed": seed,
        "accuracy": round(history[-1]["accuracy"], 4),
        "loss": None if loss is None else float(f"{loss:.4g}"),
    }


def measure_at_start(
    d: int, scale: str, init: str, seed: int
) -> dict[str, Any]:
    """Measure scores, softmax and gradient before training."""
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
        models.Batch(
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
    return {
        "d": d,
        "scale": scale,
        "init": init,
        "seed": seed,
        **{name: float(f"{x:.4g}") for name, x in numbers.items()},
    }


def _conditions(seeds: Sequence[int]) -> Iterator[tuple]:
    """List the sweep; small and large d alternate, so estimates hold."""
    for seed in seeds:
        for optimiser, rates in SETTINGS["learning_rate"].items():
            for init, rate, scale, d in itertools.product(
                SETTINGS["init"], rates, SETTINGS["scale"], SETTINGS["d"]
            ):
                yield d, scale, init, optimiser, rate, seed


def _baseline(seeds: Sequence[int]) -> Iterator[tuple]:
    """List the runs that can't look up, with the same grids."""
    for seed in seeds:
        for optimiser, rates in SETTINGS["learning_rate"].items():
            for rate in rates:
                yield (*BASELINE.values(), "default", optimiser, rate, seed)


def _factor(scale: str, d: int) -> float:
    """Give the number that q·k is multiplied by."""
    return {"1/√d": 1 / math.sqrt(d), "none": 1.0, "0": 0.0}[scale]


def _model(d: int, scale: str, init: str, seed: int) -> models.Recall:
    """Make the model of a condition; the scaling changes no weight."""
    return models.Recall(
        d,
        scale=_factor(scale, d),
        init=init,
        n_keys=SETTINGS["n_keys"],
        n_values=SETTINGS["n_values"],
        d_model=SETTINGS["d_model"],
        generator=torch.Generator().manual_seed(seed),
    )


def _held_out(seed: int) -> models.Batch:
    """Draw the episodes of the test."""
    return models.recall_batch(
        SETTINGS["held_out"],
        torch.Generator().manual_seed(2000 + seed),
        **EPISODE,
        held_out=True,
    )


def _gradient_norm(model: models.Recall, batch: models.Batch) -> float:
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
