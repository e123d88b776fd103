"""The recordings of chapter 2's translators, and a slice of each again."""

import numpy as np
import pytest

from attn_course import data, grammar, seq2seq
from attn_course.experiments import bottleneck, words_to_digits
from attn_course.experiments.bottleneck import Run


@pytest.fixture(scope="module")
def recording():
    return data.load_recording("bottleneck")


@pytest.fixture(scope="module")
def digits():
    return data.load_recording("words-to-digits")


def accuracy(recording, measure, *run):
    """Average a measure over seeds, for each length."""
    rows = [
        r[measure]
        for r in recording["records"]
        if (r["model"], r["hidden"], r["steps"]) == run
    ]
    return np.mean(rows, axis=0)


def test_no_run_is_missing(recording):
    runs = [Run(*(r[k] for k in Run._fields)) for r in recording["records"]]
    assert runs == bottleneck._runs(range(3))
    assert recording["settings"] == bottleneck.SETTINGS
    for r in recording["records"]:
        for measure in ("token", "sentence"):
            assert len(r[measure]) == len(recording["axes"]["length"])
            assert all(0 <= x <= 1 for x in r[measure])


def test_models_of_one_size_have_equally_many_parameters(recording):
    wanted = {
        s["hidden"]: s["parameters"]
        for s in recording["sizes"]
        if s["model"] == "Bahdanau"
    }
    compared = [s for s in recording["sizes"] if s["hidden"] in wanted]
    assert len(compared) == 8
    for size in compared:
        near = pytest.approx(wanted[size["hidden"]], rel=0.02)
        assert size["parameters"] == near


def test_what_is_told_nothing_guesses_little(recording):
    assert max(accuracy(recording, "token", "no input", 64, 250)) < 0.05


def test_maps_are_weights_of_held_out_sentences(recording):
    for found, pair in zip(
        recording["maps"], bottleneck.SENTENCES, strict=True
    ):
        assert found["source"] == list(pair.source)
        assert grammar.is_held_out(pair.source)
        weights = data.unpack_array(found["weights"])
        shape = (4, 3, len(pair.target), len(pair.source))
        assert weights.shape == shape
        n = len(pair.source)
        np.testing.assert_allclose(
            weights.sum(-1), 1, atol=n * bottleneck.STEP / 2
        )


def test_baselines_can_be_computed_again(recording):
    again = bottleneck._baselines(range(3))
    assert again["diagonal"] == recording["baselines"]["diagonal"]
    assert again["same place"] == recording["baselines"]["same place"]
    assert again["random"] == recording["baselines"]["random"]
    assert again["untrained"] == pytest.approx(
        recording["baselines"]["untrained"], abs=0.01
    )


@pytest.mark.parametrize(
    "run",
    [
        Run("no input", 64, 250, 0),
        Run("fixed vector", 64, 250, 1),
        Run("Bahdanau", 64, 250, 2),
    ],
)
def test_training_again_gives_what_was_recorded(recording, run):
    [before] = [
        r
        for r in recording["records"]
        if tuple(r[k] for k in Run._fields) == run
    ]
    again = bottleneck.run_one(run)["record"]
    # float32 sums differ a little between machines.
    for measure in ("token", "sentence"):
        assert again[measure] == pytest.approx(before[measure], abs=0.05)


# Numbers and dates


def test_digits_have_every_run(digits):
    found = {(r["model"], r["language"], r["seed"]) for r in digits["records"]}
    assert len(found) == len(digits["records"]) == 2 * 2 * 3
    assert digits["settings"] == words_to_digits.SETTINGS
    assert min(min(counts) for counts in digits["counts"].values()) > 100


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
    words = words_to_digits.number_words
    assert words(number, "en") == tuple(english.split())
    assert words(number, "fr") == tuple(french.split())


def test_dates_in_words():
    date = words_to_digits.datetime.date(1901, 3, 1)
    words = words_to_digits.date_words
    assert " ".join(words(date, "en")) == "march first nineteen oh one"
    assert " ".join(words(date, "fr")) == (
        "le premier mars mille neuf cent un"
    )


def test_no_number_is_in_training_and_test():
    training, test = (
        {e.digits for e in words_to_digits.sample(800, 0, held_out=held_out)}
        for held_out in (False, True)
    )
    assert not training & test
    assert not any(map(words_to_digits.is_held_out, training))


def test_digits_of_one_model_again(digits):
    again = words_to_digits.run_one("fixed vector", 0)
    before = [
        r
        for r in digits["records"]
        if (r["model"], r["seed"]) == ("fixed vector", 0)
    ]
    for ours, theirs in zip(again, before, strict=True):
        assert ours["exact"] == pytest.approx(theirs["exact"], abs=0.08)
    model, like = (
        words_to_digits.make_model(name, 0)
        for name in ("fixed vector", "Bahdanau")
    )
    count = seq2seq.count_parameters
    assert count(model) == pytest.approx(count(like), rel=0.02)
