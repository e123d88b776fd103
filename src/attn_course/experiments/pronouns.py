"""Name a pronoun's antecedent: attention against equal weights.

A transformer of 2 layers and 4 heads reads a sentence and names, at the
pronoun, the noun it stands for. Nothing tells it where to look. One noun in
five is held out of every training sentence that has two nouns. The model with
equal weights is as large, but can't look at one word more than at another.

What the first vectors are multiplied by (`start`), the number of steps and
the mixture of sentences were chosen while looking at other sentences with
seed 0; `start` and the learning rate are swept here. The weights of "as on
the page" with seed 0, chosen beforehand, are those of the page.
"""

import base64
import hashlib
import inspect
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from attn_course import links, models
from attn_course.data import assets
from attn_course.experiments import fingerprint, provenance
from attn_course.experiments.parts import Parts, one_thread
from attn_course.pronouns import reader, sentences, weights, words
from attn_course.pronouns import training as trained
from attn_course.pronouns.training import SETTINGS, TEST_SEED, TESTS

__all__ = [
    "CONDITIONS",
    "RECORDINGS",
    "SETTINGS",
    "TESTS",
    "TEST_SEED",
    "inputs",
    "record",
    "run_one",
]

RECORDINGS = ("pronouns",)
PAGE = "as on the page"
# What differs from the settings; the first two are the notebook's.
CONDITIONS: dict[str, dict[str, Any]] = {
    "attention": {},
    "equal weights": {"equal": True},
    PAGE: {"steps": 4000},
    "equal weights, 4000 steps": {"equal": True, "steps": 4000},
    "attention, start 0.3": {"start": 0.3},
    "attention, start 1": {"start": 1.0},
    "attention, rate 0.001": {"learning_rate": 0.001},
    "attention, rate 0.01": {"learning_rate": 0.01},
    "equal weights, rate 0.001": {"equal": True, "learning_rate": 0.001},
    "equal weights, rate 0.01": {"equal": True, "learning_rate": 0.01},
    "attention, no <none>": {"without": "none"},
}
# Where the pronoun looks is measured on these.
LOOKS = ("known", "held-out answer", "meaning")
CODE = (
    "experiments/pronouns.py",
    "experiments/parts.py",
    "links.py",
    "models.py",
    "pronouns",
    "transformer.py",
)


def inputs(name: str, seeds: Sequence[int]) -> list[Any]:
    """List what the recording depends on, the code it runs included."""
    code = (words, sentences, reader, models.train, models.accuracy)
    return [list(seeds), *(inspect.getsource(x) for x in code)]


def record(name: str, seeds: Sequence[int]) -> dict[str, Any]:
    """Train every condition with every seed; write the page's weights."""
    parts = Parts(name, fingerprint("pronouns", name, 0))
    runs = [(condition, seed) for condition in CONDITIONS for seed in seeds]
    with one_thread():
        done = parts.run(runs, run_one)
    results = [entry["result"] for entry in done]
    packed = [r.pop("weights") for r in results]
    page = packed[runs.index((PAGE, 0))]
    data = base64.b64decode(page)
    path = Path(assets.__file__).parent / weights.ASSET
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(data)
    content = {
        "about": inspect.getdoc(inspect.getmodule(record)),
        "settings": SETTINGS,
        "conditions": CONDITIONS,
        "tests": TESTS,
        "kinds": sentences.KINDS,
        "mixture": sentences.MIXTURE,
        "vocabulary": len(words.WORDS),
        "nouns": {
            "all": len(words.NOUNS),
            "held out": sum(map(words.is_held_out, words.NOUNS)),
        },
        "parameters": {
            condition: _trained(make_reader(condition, 0))
            for condition in ("attention", "equal weights")
        },
        "rules": {
            test: {k: round(v, 4) for k, v in sentences.rules(some).items()}
            for test, some in _tests().items()
            if TESTS[test].get("kind", "agreement") in ("agreement", "meaning")
        },
        "records": results,
        "weights": {
            "asset": weights.ASSET,
            "condition": PAGE,
            "seed": 0,
            "rounding": "float16",
            "sha256": hashlib.sha256(data).hexdigest(),
        },
        "seconds": round(sum(entry["seconds"] for entry in done)),
        "recorded": provenance(
            name, seeds=list(seeds), packages=["torch"], code=CODE
        ),
    }
    parts.discard()
    return content


def run_one(
    condition: str, seed: int, steps: int | None = None
) -> dict[str, Any]:
    """Train one model; give its accuracy and where its heads look."""
    settings = {**SETTINGS, **CONDITIONS[condition]}
    model = make_reader(condition, seed)
    history = models.train(
        model,
        reader.batches(_training(settings.get("without")), settings["batch"]),
        steps=steps or settings["steps"],
        learning_rate=settings["learning_rate"],
        seed=seed,
        progress=False,
    )
    kept = (condition, seed) == (PAGE, 0)
    return {
        "condition": condition,
        "seed": seed,
        "loss": history[-1]["loss"] and round(history[-1]["loss"], 4),
        "accuracy": {
            test: round(models.accuracy(model, reader.pack(some)), 4)
            for test, some in _tests().items()
        },
        "heads": {
            test: measure_heads(model, _tests()[test])
            for test in LOOKS
            if not settings.get("equal")
        },
        "weights": _packed(model) if kept else "",
    }


def make_reader(condition: str, seed: int) -> reader.Reader:
    """Make an untrained model."""
    return trained.make_reader(seed, **CONDITIONS[condition])


def measure_heads(
    model: reader.Reader, some: Sequence[sentences.Sentence]
) -> dict[str, Any]:
    """Choose the best head on one half, measure it on the other.

    `share` is how often each head gives the antecedent more weight than its
    rival, `(layers, heads)`; `chance` what the best of all heads reaches in
    95 of 100 draws in which a coin says which noun is right.
    """
    seen = reader.looks(model, some)
    right = seen[..., 0, 0] > seen[..., 0, 1]  # (n, 1, layers, heads)
    choose = np.arange(len(some)) % 2 == 0
    best = links.best_head(seen, choose=choose)
    draws = SETTINGS["luck_draws"]
    luck = links.luck(right[choose], draws=draws, seed=0)
    return {
        "share": right.mean(axis=0)[0].round(4).tolist(),
        "best": [best.layer, best.head],
        "chosen": round(best.chosen, 4),
        "held_out": round(best.held_out, 4),
        "control": round(best.control, 4),
        "weight": [round(best.right, 4), round(best.rival, 4)],
        "chance": round(float(np.quantile(luck, 0.95)), 4),
    }


_training = trained.training


def _tests() -> dict[str, list[sentences.Sentence]]:
    return {test: trained.tests(test) for test in TESTS}


def _trained(model: reader.Reader) -> int:
    return sum(p.numel() for p in model.parameters() if p.requires_grad)


def _packed(model: reader.Reader) -> str:
    data = weights.pack_weights(model.transformer, words.WORDS, words.CLASSES)
    return base64.b64encode(data).decode("ascii")
