"""Read numbers and dates in words, in English and French, as digits.

The words come from num2words and babel: real grammar without limit, such as
*quatre-vingt-dix-sept* for 97 and *nineteen oh-one* for 1901. One model
reads both languages. The fixed vector is widened until it has as many
parameters as Bahdanau's model. The settings are those of `bottleneck`; the
steps were set beforehand.
"""

import datetime
import inspect
import random
import zlib
from collections.abc import Sequence
from functools import cache
from typing import Any, NamedTuple

from attn_course import seq2seq
from attn_course.experiments import fingerprint, provenance, version_of
from attn_course.experiments.parts import Parts, one_thread
from attn_course.seq2seq import Batches, Translator, Vocabulary

__all__ = [
    "LANGUAGES",
    "MODELS",
    "RECORDINGS",
    "SETTINGS",
    "Example",
    "date_words",
    "inputs",
    "is_held_out",
    "number_words",
    "record",
    "run_one",
    "sample",
]

RECORDINGS = ("words-to-digits",)
PACKAGES = ("num2words", "babel")
LANGUAGES = {"en": "English", "fr": "French"}
KINDS = ("number", "date")
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
    "most_digits": 9,
    "years": [1000, 2999],
}
HELD_OUT = 10
CODE = (
    "experiments/words_to_digits.py",
    "experiments/parts.py",
    "functional.py",
    "seq2seq.py",
)


class Example(NamedTuple):
    """Words, the digits that they mean, and where they come from."""

    words: tuple[str, ...]
    digits: tuple[str, ...]
    language: str
    kind: str


def number_words(number: int, language: str) -> tuple[str, ...]:
    """Write a number in words, without hyphens and commas."""
    from num2words import num2words

    return _split(num2words(number, lang=language))


def date_words(date: datetime.date, language: str) -> tuple[str, ...]:
    """Write a date in words: *march third nineteen oh-one*."""
    from babel.dates import format_date
    from num2words import num2words

    month = format_date(date, "MMMM", locale=language)
    year = num2words(date.year, to="year", lang=language)
    if language == "en":
        day = num2words(date.day, to="ordinal", lang=language)
        return _split(f"{month} {day} {year}")
    first = date.day == 1
    day = "premier" if first else num2words(date.day, lang=language)
    return _split(f"le {day} {month} {year}")


def is_held_out(digits: Sequence[str]) -> bool:
    """Say whether a number or date is for the test, in both languages."""
    return zlib.crc32("".join(digits).encode()) % HELD_OUT == 0


def sample(n: int, seed: int, *, held_out: bool) -> list[Example]:
    """Draw numbers and dates, half of each, in either language.

    Numbers have 1 to 9 digits, each as often; dates are any day of the
    years 1000 to 2999, written as 1997-05-03.
    """
    rng, examples = random.Random(seed), []
    while len(examples) < n:
        language, kind = rng.choice(list(LANGUAGES)), rng.choice(KINDS)
        if kind == "number":
            size = rng.randint(1, SETTINGS["most_digits"])
            value = rng.randrange(
                10 ** (size - 1) if size > 1 else 0, 10**size
            )
            digits = tuple(str(value))
        else:
            value = _any_day(rng)
            digits = tuple(value.isoformat())
        if is_held_out(digits) == held_out:
            write = number_words if kind == "number" else date_words
            words = write(value, language)
            examples.append(Example(words, digits, language, kind))
    return examples


def _any_day(rng: random.Random) -> datetime.date:
    first, last = (
        datetime.date(year, 1, 1).toordinal()
        for year in (SETTINGS["years"][0], SETTINGS["years"][1] + 1)
    )
    return datetime.date.fromordinal(rng.randrange(first, last))


def _split(text: str) -> tuple[str, ...]:
    for mark in "-,":
        text = text.replace(mark, " ")
    return tuple(text.lower().split())


# Training


def inputs(name: str, seeds: Sequence[int]) -> list[Any]:
    """List what the recording depends on, the code it runs included."""
    code = (
        seq2seq.Translator,
        seq2seq.Batches,
        seq2seq.train,
        seq2seq.evaluate,
    )
    versions = [version_of(package) for package in PACKAGES]
    return [list(seeds), versions, *(inspect.getsource(x) for x in code)]


def record(name: str, seeds: Sequence[int]) -> dict[str, Any]:
    """Train both models with every seed; take up what is done already."""
    parts = Parts(name, fingerprint("words_to_digits", name, 0))
    runs = [(model, seed) for seed in seeds for model in MODELS]
    with one_thread():
        results = parts.run(runs, run_one)
    content = {
        "about": (
            "Exact matches of held-out numbers and dates in words, read as "
            "digits, by words in the source, model, language, kind and seed."
        ),
        "settings": SETTINGS,
        "chosen": inspect.getdoc(inspect.getmodule(record)).split("\n\n")[-1],
        "axes": {"length": SETTINGS["lengths"]},
        "conditions": {
            "model": list(MODELS),
            "language": list(LANGUAGES.values()),
            "seed": list(seeds),
        },
        "keys": {
            "exact": "share of held-out examples with every digit right",
            "token": "share of digits at the right place, the end included",
            "length": "up to so many words, and more than the one before",
        },
        "records": [r for result in results for r in result["result"]],
        "counts": {
            language: [len(g) for g in _groups()[language]]
            for language in LANGUAGES
        },
        "examples": [
            [" ".join(e.words), "".join(e.digits), e.language]
            for e in _tests()[:24]
        ],
        "seconds": round(sum(result["seconds"] for result in results), 1),
        "recorded": provenance(
            name, seeds=list(seeds), packages=["torch", *PACKAGES], code=CODE
        ),
    }
    parts.discard()
    return content


def run_one(model: str, seed: int) -> list[dict[str, Any]]:
    """Train one model; give its entries of `records`, one a language."""
    translator = make_model(model, seed)
    seq2seq.train(
        translator,
        _batches(_training()),
        steps=SETTINGS["steps"],
        size=SETTINGS["size"],
        learning_rate=SETTINGS["learning_rate"],
        seed=1000 + seed,
        progress=False,
    )
    records = []
    for language, name in LANGUAGES.items():
        measured = [
            seq2seq.evaluate(translator, _batches(some).take(range(len(some))))
            for some in _groups()[language]
        ]
        records.append(
            {
                "model": model,
                "language": name,
                "seed": seed,
                "exact": [round(m["sentence"], 4) for m in measured],
                "token": [round(m["token"], 4) for m in measured],
            }
        )
    return records


def make_model(model: str, seed: int) -> Translator:
    """Make an untrained model with as many parameters as Bahdanau's."""
    words, digits = _vocabularies()
    settings = {
        "n_in": len(words),
        "n_out": len(digits),
        "embedding": SETTINGS["embedding"],
        "seed": seed,
    }
    like = Translator(hidden=SETTINGS["hidden"], **settings)
    if model == "Bahdanau":
        return like
    return seq2seq.match_parameters(like, score=MODELS[model], **settings)


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
