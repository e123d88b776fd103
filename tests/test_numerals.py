"""Numbers and dates in words, and the model that reads them."""

import datetime

import pytest

from attn_course import data, numerals, seq2seq
from attn_course.experiments import words_to_digits


@pytest.mark.parametrize(
    "number, english, french",
    [
        (97, "ninety seven", "quatre vingt dix sept"),
        (80, "eighty", "quatre vingts"),
        (71, "seventy one", "soixante et onze"),
        (201, "two hundred and one", "deux cent un"),
    ],
)
def test_numbers_in_words(number, english, french):
    words = numerals.number_words
    assert words(number, "en") == tuple(english.split())
    assert words(number, "fr") == tuple(french.split())


def test_dates_in_words():
    date = datetime.date(1901, 3, 1)
    words = numerals.date_words
    assert " ".join(words(date, "en")) == "march first nineteen oh one"
    assert " ".join(words(date, "fr")) == (
        "le premier mars mille neuf cent un"
    )


def test_no_number_is_in_training_and_test():
    training, test = (
        {e.digits for e in numerals.sample(800, 0, held_out=held_out)}
        for held_out in (False, True)
    )
    assert not training & test
    assert not any(map(numerals.is_held_out, training))


def test_every_length_is_tested_often():
    counts = data.load_recording("words-to-digits")["counts"]
    assert min(min(some) for some in counts.values()) > 100


def test_both_models_have_equally_many_parameters():
    fixed, bahdanau = (
        seq2seq.count_parameters(words_to_digits.make_model(name, 0))
        for name in words_to_digits.MODELS
    )
    assert fixed == pytest.approx(bahdanau, rel=0.02)
