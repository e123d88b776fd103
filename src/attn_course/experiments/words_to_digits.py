"""Read numbers and dates in words, in English and French, as digits.

One model reads both languages; a number held out is held out in both. The
fixed vector is widened until it has as many parameters as Bahdanau's model.
All settings are those of the translations by sentence length, where they were
found with Bahdanau's model in a pilot; the steps were set beforehand. No
other learning rate was tried here.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from attn_course import figures
from attn_course.experiments.study import Study
from attn_course.experiments.sweeps import runs_of
from attn_course.nn import seq2seq, train
from attn_course.nn.seq2seq import Batches, Translator, Vocabulary
from attn_course.tasks.numerals import (
    LANGUAGES,
    MOST_DIGITS,
    YEARS,
    Example,
    sample,
)

if TYPE_CHECKING:
    from attn_course.figures import Chart

__all__ = ["MODELS", "SETTINGS", "STUDY", "make_model", "one"]

MODELS = {"fixed vector": "fixed", "Bahdanau": "additive"}
SETTINGS = {
    # Words in the source; 12 stands for 10, 11 and 12, and so on.
    "lengths": [3, 6, 9, 12, 18],
    "hidden": 64,
    "embedding": 64,
    "steps": 1000,
    "size": 32,
    "learning_rate": 0.005,
    "training_examples": 20_000,
    "held_out": 4000,
    "most_digits": MOST_DIGITS,
    "years": list(YEARS),
}
STUDY = Study(
    "words-to-digits",
    chapter=2,
    question="Is it the toy grammar? Numbers and dates in words, as digits: "
    "what does one vector cost there?",
    design=__doc__,
    trains=True,
    arms={"model": MODELS},
    settings=SETTINGS,
    packages=["torch"],
    needs=["num2words", "babel"],
    tolerance=0.08,
)


@STUDY.run
def one(model: str, seed: int) -> dict[str, Any]:
    """Train one model; measure it for each language and length.

    `exact` is the share of held-out examples with every digit right, `token`
    the share of digits at the right place, the end included: for examples of
    up to so many words, and more than the length before.
    """
    translator = make_model(model, seed)
    losses = seq2seq.train(
        translator,
        _batches(_training()),
        steps=SETTINGS["steps"],
        size=SETTINGS["size"],
        learning_rate=SETTINGS["learning_rate"],
        seed=1000 + seed,
        progress=False,
    )
    found = {}
    for language, name in LANGUAGES.items():
        measured = [
            seq2seq.evaluate(translator, _batches(some).take(range(len(some))))
            for some in _groups()[language]
        ]
        found[name] = {
            "exact": [round(m["sentence"], 4) for m in measured],
            "token": [round(m["token"], 4) for m in measured],
        }
    return {"history": train.thinned(losses), "languages": found}


@STUDY.summary
def content(records: list[dict[str, Any]]) -> dict[str, Any]:
    """Give each language a record of its own; add what is known once."""
    return {
        "axes": {"length": SETTINGS["lengths"]},
        "records": [
            {"model": r["model"], "language": name, "seed": r["seed"]}
            | {"history": r["history"], **measured}
            for r in records
            for name, measured in r["languages"].items()
        ],
        "counts": {
            language: [len(group) for group in _groups()[language]]
            for language in LANGUAGES
        },
        "examples": [
            [" ".join(e.words), "".join(e.digits), e.language]
            for e in _tests()[:24]
        ],
    }


@STUDY.quick
def written(recording: Mapping[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """Write the examples again, and count those to test on."""
    for language, then in recording["counts"].items():
        yield language, then, [len(group) for group in _groups()[language]]


@STUDY.slice
def again(recording: Mapping[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """Write the examples, and train each model again, with one seed."""
    yield from written(recording)
    for model in MODELS:
        for language, now in one(model, 0)["languages"].items():
            run = {"model": model, "language": language, "seed": 0}
            [then] = runs_of(recording["records"], **run)
            yield f"{model}, {language}", then["exact"], now["exact"]


@STUDY.figure(
    """
    Line plot of numbers and dates read exactly over the number of words, 3
    to 18, for two models and two languages, with bands over three seeds.
    Bahdanau's model stays above 0.85 in both. The fixed vector falls from
    nearly 1 to below 0.1.
    """
)
def exact(recording: Mapping[str, Any]) -> "Chart":
    """Draw the share of exact matches by length."""
    return figures.curves(
        SETTINGS["lengths"],
        {
            f"{model}, {language}": np.array(
                [
                    r["exact"]
                    for r in recording["records"]
                    if (r["model"], r["language"]) == (model, language)
                ]
            )
            for model in MODELS
            for language in LANGUAGES.values()
        },
        xlabel="words, up to",
        ylabel="every digit right",
        title="Numbers and dates in words, read as digits",
    )


def make_model(model: str, seed: int) -> Translator:
    """Make an untrained model with as many parameters as Bahdanau's."""
    words, digits = _vocabularies()
    return seq2seq.as_large_as_bahdanaus(
        hidden=SETTINGS["hidden"],
        score=MODELS[model],
        n_in=len(words),
        n_out=len(digits),
        embedding=SETTINGS["embedding"],
        seed=seed,
    )


@cache
def _training() -> list[Example]:
    return sample(SETTINGS["training_examples"], seed=0, held_out=False)


@cache
def _tests() -> list[Example]:
    return sample(SETTINGS["held_out"], seed=1, held_out=True)


@cache
def _vocabularies() -> tuple[Vocabulary, Vocabulary]:
    """Give each word and each digit of the training examples a number."""
    return (
        Vocabulary(word for e in _training() for word in e.words),
        Vocabulary(digit for e in _training() for digit in e.digits),
    )


def _batches(examples: Sequence[Example]) -> Batches:
    return Batches([(e.words, e.digits) for e in examples], *_vocabularies())


@cache
def _groups() -> dict[str, list[list[Example]]]:
    """Sort the held-out examples by language and length."""
    lengths = SETTINGS["lengths"]
    groups: dict[str, list[list[Example]]] = {
        language: [[] for _ in lengths] for language in LANGUAGES
    }
    for example in _tests():
        n = len(example.words)
        place = sum(n > length for length in lengths)
        if place < len(lengths):
            groups[example.language][place].append(example)
    return groups
