"""How the reader is trained and tested, unless an experiment varies it."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from attn_course import models
from attn_course.pronouns import sentences
from attn_course.pronouns.reader import Reader, batches

__all__ = [
    "SETTINGS",
    "TESTS",
    "TEST_SEED",
    "make_reader",
    "tests",
    "train_reader",
    "training",
]

SETTINGS: dict[str, Any] = {
    "layers": 2,
    "d_model": 48,
    "heads": 4,
    "d_ff": 96,
    "start": 0.03,
    "learning_rate": 0.003,
    "batch": 64,
    "steps": 1000,
    "training_sentences": 30_000,
    "test_sentences": 1000,
    "luck_draws": 1000,
}
TESTS: dict[str, dict[str, Any]] = {
    "known": {},
    "held-out answer": {"answer": "held out"},
    "held-out rival": {"rival": "held out"},
    "both held out": {"answer": "held out", "rival": "held out"},
    "three nouns": {"nouns": 3},
    "meaning": {"kind": "meaning"},
    "meaning, held-out answer": {"kind": "meaning", "answer": "held out"},
    "one noun that fits": {"kind": "name", "answer": "any"},
    "one noun that does not": {"kind": "none", "answer": "any"},
    "blank": {"kind": "blank", "answer": "any"},
    "blank, held out": {"kind": "blank", "answer": "held out"},
}
TEST_SEED = 1


def make_reader(seed: int, **changes: Any) -> Reader:
    """Make an untrained model; `changes` to the settings, or `equal`."""
    settings = {**SETTINGS, "equal": False, **changes}
    names = ("layers", "d_model", "heads", "d_ff", "equal", "start")
    return Reader(seed=seed, **{name: settings[name] for name in names})


def train_reader(
    model: Reader,
    seed: int,
    *,
    without: str | None = None,
    evaluations: int = 10,
    **changes: Any,
) -> list[dict[str, Any]]:
    """Train it on the sentences but those of one kind; give the history."""
    settings = {**SETTINGS, **changes}
    return models.train(
        model,
        batches(training(without), settings["batch"]),
        steps=settings["steps"],
        learning_rate=settings["learning_rate"],
        seed=seed,
        evaluations=evaluations,
        progress=False,
    )


@cache
def training(without: str | None = None) -> list[sentences.Sentence]:
    """Draw the sentences to learn from, but those of one kind."""
    mixture: Mapping[str, float] = {
        kind: part
        for kind, part in sentences.MIXTURE.items()
        if kind != without
    }
    return sentences.training_sentences(
        SETTINGS["training_sentences"], seed=0, mixture=mixture
    )


@cache
def tests(name: str) -> list[sentences.Sentence]:
    """Draw the sentences of one of `TESTS`."""
    return sentences.test_sentences(
        SETTINGS["test_sentences"], TEST_SEED, **TESTS[name]
    )
