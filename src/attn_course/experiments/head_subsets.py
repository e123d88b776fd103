"""How many heads are needed? The loss with every subset of heads.

The small transformer of the pronouns (2 layers of 4 heads, 1000 steps, the
settings of the experiment `pronouns`) is trained with every seed. Then each of
its 256 subsets of heads is kept and the others are switched off, by zeros and
by their mean over training sentences (as the whole model gives it). Nothing
is trained again. Loss and accuracy are those of the pronoun's antecedent, on
held-out sentences: nouns known from training and nouns held out. They are
also given for each half of the sentences, so that a subset can be chosen on
one half and measured on the other.
"""

import inspect
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import nn

from attn_course import ablation
from attn_course.data import pack_array
from attn_course.experiments import fingerprint, pronouns, provenance
from attn_course.experiments.parts import Parts, one_thread
from attn_course.models import train
from attn_course.pronouns import reader
from attn_course.pronouns.words import PAD

__all__ = ["RECORDINGS", "SETTINGS", "inputs", "measure", "record", "run_one"]

RECORDINGS = ("head-subsets",)
SETTINGS = {
    "condition": "attention",
    "tests": ["known", "held-out answer"],
    "tested": 600,
    "mean_of": 1000,
}
WAYS = ("zero", "mean")
HALVES = 2
STEP = 1 / 2048
CODE = (
    "ablation.py",
    "experiments/head_subsets.py",
    "experiments/parts.py",
    "experiments/pronouns.py",
    "models.py",
    "pronouns",
    "transformer.py",
)


def inputs(name: str, seeds: Sequence[int]) -> list[Any]:
    """List what the recording depends on, the code it runs included."""
    code = (ablation, pronouns)
    return [
        pronouns.inputs(name, seeds),
        *(inspect.getsource(x) for x in code),
    ]


def record(name: str, seeds: Sequence[int]) -> dict[str, Any]:
    """Train with every seed, and switch off every subset."""
    parts = Parts(name, fingerprint("head_subsets", name, 0))
    with one_thread():
        done = parts.run([(seed,) for seed in seeds], run_one)
    settings = pronouns.SETTINGS
    content = {
        "about": inspect.getdoc(inspect.getmodule(record)),
        "settings": SETTINGS,
        "layers": settings["layers"],
        "heads": settings["heads"],
        "subsets": "Number c keeps head h of layer l (from 0) where bit "
        "l · heads + h of c is 1; the last is the whole model.",
        "records": [entry["result"] for entry in done],
        "halves": "`loss_halves` and `accuracy_halves`, (ways, tests, halves, "
        "subsets), are the means over the first and the second half of the "
        "sentences; `loss` and `accuracy` over all.",
        "rounding": f"Losses and accuracies: nearest {STEP:g}.",
        "seconds": round(sum(entry["seconds"] for entry in done)),
        "recorded": provenance(
            name, seeds=list(seeds), packages=["torch"], code=CODE
        ),
    }
    parts.discard()
    return content


def run_one(seed: int, steps: int | None = None) -> dict[str, Any]:
    """Train one model; give loss and accuracy for every subset.

    `loss` and `accuracy` are arrays, `(ways, tests, subsets)`; those of each
    half of the sentences are `(ways, tests, halves, subsets)`.
    """
    model = pronouns.make_reader(SETTINGS["condition"], seed)
    train(
        model,
        reader.batches(pronouns._training(), pronouns.SETTINGS["batch"]),
        steps=steps or pronouns.SETTINGS["steps"],
        learning_rate=pronouns.SETTINGS["learning_rate"],
        seed=seed,
        progress=False,
    )
    subsets = ablation.every_subset(
        pronouns.SETTINGS["layers"], pronouns.SETTINGS["heads"]
    )
    found = {"seed": seed}
    for name, halves in measure(model, subsets).items():
        found[name] = pack_array(halves.mean(axis=2), step=STEP)
        found[f"{name}_halves"] = pack_array(halves, step=STEP)
    return found


@torch.no_grad()
def measure(
    model: reader.Reader, subsets: np.ndarray
) -> dict[str, np.ndarray]:
    """Give `loss` and `accuracy`, each `(ways, tests, halves, subsets)`."""
    known = reader.pack(pronouns._training()[: SETTINGS["mean_of"]])
    words = known.inputs[0]
    real = words != reader.PLACE[PAD]
    means = ablation.mean_reads(model.transformer, words, real)
    tests = [
        reader.pack(pronouns._tests()[test][: SETTINGS["tested"]])
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
