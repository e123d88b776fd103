"""How many heads are needed? The loss with every subset of heads.

The small transformer of the pronouns (2 layers of 4 heads, 1000 steps, the
settings of the study `pronouns`) is trained with every seed. Then each of
its 256 subsets of heads is kept and the others are switched off, by zeros and
by their mean over training sentences (as the whole model gives it). Nothing
is trained again, and nothing was tuned here. Loss and accuracy are those of
the pronoun's antecedent, on held-out sentences: nouns known from training and
nouns held out. They are also given for each half of the sentences, so that a
subset can be chosen on one half and measured on the other.
"""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import nn

from attn_course import figures
from attn_course.data import pack_array, unpack_array
from attn_course.experiments.study import Study
from attn_course.interpret import ablation
from attn_course.interpret.pruning import (
    fewest_heads,
    held_out_best,
    held_out_ranked,
)
from attn_course.tasks.pronouns import reader, training
from attn_course.tasks.pronouns.words import PAD

__all__ = ["SETTINGS", "STUDY", "measure", "one"]

SETTINGS = {
    "condition": "attention",
    "tests": ["known", "held-out answer"],
    "tested": 600,
    "mean_of": 1000,
}
LAYERS, HEADS = (training.SETTINGS[name] for name in ("layers", "heads"))
WAYS = ("zero", "mean")
HALVES = 2
STEP = 1 / 2048
STUDY = Study(
    "head-subsets",
    chapter=6,
    question="How many of its heads does a small model need?",
    design=__doc__,
    rests_on=["pronouns"],
    trains=True,
    settings=SETTINGS,
    packages=["torch"],
    tolerance=0.05,
)


@STUDY.run
def one(seed: int) -> dict[str, Any]:
    """Train one model; give loss and accuracy for every subset.

    `loss` and `accuracy` are arrays, `(ways, tests, subsets)`; those of each
    half of the sentences are `(ways, tests, halves, subsets)`.
    """
    model = training.make_reader(seed)
    history = training.train_reader(model, seed)
    found: dict[str, Any] = {}
    subsets = ablation.every_subset(LAYERS, HEADS)
    for name, halves in measure(model, subsets).items():
        found[name] = pack_array(halves.mean(axis=2), step=STEP)
        found[f"{name}_halves"] = pack_array(halves, step=STEP)
    return {**found, "history": [round(h["loss"], 4) for h in history]}


@STUDY.summary
def content(records: list[dict[str, Any]]) -> dict[str, Any]:
    """Say what the numbers of the records mean."""
    return {
        "layers": LAYERS,
        "heads": HEADS,
        "subsets": "Number c keeps head h of layer l (from 0) where bit "
        "l · heads + h of c is 1; the last is the whole model.",
        "halves": "`loss_halves` and `accuracy_halves`, (ways, tests, halves, "
        "subsets), are the means over the first and the second half of the "
        "sentences; `loss` and `accuracy` over all.",
        "rounding": f"Losses and accuracies: nearest {STEP:g}.",
    }


@STUDY.slice
def again(recording: dict[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """Train seed 0 again, and measure the whole model."""
    model = training.make_reader(0)
    training.train_reader(model, 0)
    found = measure(model, ablation.every_subset(LAYERS, HEADS)[-1:])
    for name in ("accuracy_halves", "loss_halves"):
        then = unpack_array(recording["records"][0][name])[..., -1:]
        yield name, then, found[name.removesuffix("_halves")]


@torch.no_grad()
def measure(
    model: reader.Reader, subsets: np.ndarray
) -> dict[str, np.ndarray]:
    """Give `loss` and `accuracy`, each `(ways, tests, halves, subsets)`."""
    known = reader.pack(training.training()[: SETTINGS["mean_of"]])
    words = known.inputs[0]
    real = words != reader.PLACE[PAD]
    means = ablation.mean_reads(model.transformer, words, real)
    tests = [
        reader.pack(training.tests(test)[: SETTINGS["tested"]])
        for test in SETTINGS["tests"]
    ]
    shape = (len(WAYS), len(tests), HALVES, len(subsets))
    found = {"loss": np.zeros(shape), "accuracy": np.zeros(shape)}
    for w, way in enumerate(WAYS):
        for t, (asked, answers) in enumerate(tests):
            for s, keep in enumerate(subsets):
                instead = means if way == "mean" else None
                with ablation.switched_off(model.transformer, keep, instead):
                    scores = model(*asked)  # (batch, n_words)
                loss = nn.functional.cross_entropy(
                    scores, answers, reduction="none"
                )
                right = (scores.argmax(-1) == answers).double()
                found["loss"][w, t, :, s] = _by_half(loss)
                found["accuracy"][w, t, :, s] = _by_half(right)
    return found


def _by_half(of_sentences: torch.Tensor) -> np.ndarray:
    """Average over each half of the sentences, `(halves,)`."""
    return of_sentences.double().reshape(HALVES, -1).mean(dim=1).numpy()


# What the page tells


def of_seeds(
    recording: dict[str, Any],
    way: str,
    test: str,
    measured: Callable[[Float[np.ndarray, "2 subsets"]], Any],
) -> np.ndarray:
    """Measure each seed's losses of both halves, (seeds, …)."""
    at = WAYS.index(way), SETTINGS["tests"].index(test)
    return np.stack(
        [
            measured(unpack_array(r["loss_halves"])[at])
            for r in recording["records"]
        ]
    )


@STUDY.claim("6.typically")
def numbers(recording: dict[str, Any]) -> dict[str, Any]:
    """Count the heads that are needed, and tell what each layer is worth."""
    page = recording, "zero", "held-out answer"
    whole = of_seeds(*page, lambda halves: halves.mean(0))  # (seeds, subsets)
    lost = of_seeds(*page, held_out_ranked) - of_seeds(*page, held_out_best)
    fewest = [
        fewest_heads(row)
        for way in WAYS
        for test in SETTINGS["tests"]
        for row in of_seeds(recording, way, test, held_out_best)
    ]
    return {
        "needed_low": min(fewest),
        "needed_high": max(fewest),
        "all_heads": LAYERS * HEADS,
        "layer_1": list(whole[:, 0b1111]),
        "layer_2": list(whole[:, 0b11110000]),
        "whole": list(whole[:, -1]),
        "gap": list(lost.max(axis=1)),
    }


@STUDY.figure(
    """Loss against the number of heads kept, 0 to 8, on a logarithmic axis.
    Both lines fall steeply to four heads and stay level from there. Ranked one
    at a time lies a little above the best subset at one and two heads."""
)
def kept(recording: dict[str, Any]) -> Any:
    """Draw the loss over how many heads are kept."""
    page = recording, "zero", "held-out answer"
    return figures.curves(
        range(LAYERS * HEADS + 1),
        {
            "best subset": of_seeds(*page, held_out_best),
            "ranked one at a time": of_seeds(*page, held_out_ranked),
        },
        xlabel="heads kept, of 8",
        ylabel="loss (nats)",
        title="Recorded: chosen on half of the sentences, measured on the "
        "other",
        log_y=True,
    )
