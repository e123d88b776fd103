"""Numbers and dates in words, in English and French, and their digits.

The words come from num2words and babel: real grammar without limit, such as
*quatre-vingt-dix-sept* for 97 and *nineteen oh-one* for 1901.
"""

import datetime
import random
import zlib
from collections.abc import Sequence
from typing import NamedTuple

from attn_course.optional import need

__all__ = [
    "LANGUAGES",
    "Example",
    "date_words",
    "is_held_out",
    "number_words",
    "sample",
]

LANGUAGES = {"en": "English", "fr": "French"}
KINDS = ("number", "date")
MOST_DIGITS = 9
YEARS = (1000, 2999)
# One number or date in ten is for the test.
HELD_OUT = 10


class Example(NamedTuple):
    """Words, the digits that they mean, and where they come from."""

    words: tuple[str, ...]
    digits: tuple[str, ...]
    language: str
    kind: str


def number_words(number: int, language: str) -> tuple[str, ...]:
    """Write a number in words, without hyphens and commas."""
    return _split(need("num2words").num2words(number, lang=language))


def date_words(date: datetime.date, language: str) -> tuple[str, ...]:
    """Write a date in words: *march third nineteen oh-one*."""
    num2words = need("num2words").num2words
    format_date = need("babel.dates").format_date

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
            size = rng.randint(1, MOST_DIGITS)
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
        for year in (YEARS[0], YEARS[1] + 1)
    )
    return datetime.date.fromordinal(rng.randrange(first, last))


def _split(text: str) -> tuple[str, ...]:
    for mark in "-,":
        text = text.replace(mark, " ")
    return tuple(text.lower().split())
