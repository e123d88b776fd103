"""The recording of chapter 2's translators."""

import numpy as np
import pytest

from attn_course import data, grammar
from attn_course.experiments import bottleneck


@pytest.fixture(scope="module")
def recording():
    return data.load_recording("bottleneck")


def accuracy(recording, measure, *run):
    """Average a measure over seeds, for each length."""
    rows = [
        r[measure]
        for r in recording["records"]
        if (r["model"], r["hidden"], r["steps"]) == run
    ]
    return np.mean(rows, axis=0)


def test_accuracies_are_shares_of_every_length(recording):
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
