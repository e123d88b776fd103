"""What length costs: exponents, peaks, the recording."""

import numpy as np
import pytest

from attn_course import data, growth
from attn_course.experiments import cost_of_length as experiment

LENGTHS = experiment.SETTINGS["lengths"]


def test_naive_attention_holds_n_squared_numbers_and_sdpa_does_not():
    naive, fused = (
        experiment.peaks(way, [512, 2048])[-1] for way in experiment.WAYS
    )
    assert naive > growth.score_bytes(2048)
    assert fused < growth.score_bytes(2048) / 2


@pytest.fixture(scope="module")
def recording():
    return data.load_recording("cost-of-length")


def test_exponents_are_those_of_the_seconds(recording):
    for way in experiment.WAYS:
        again = [
            experiment.fit(row) for row in recording["seconds_per_call"][way]
        ]
        assert recording["exponents"][way] == pytest.approx(again, abs=1e-3)


def test_recorded_memory_of_naive_attention_grows_as_the_formula(recording):
    """Between two and eight arrays of n² numbers, from 2048 tokens on."""
    ratio = np.divide(
        recording["peak_bytes"]["naive"], recording["score_bytes"]
    )[LENGTHS.index(2048) :]
    assert (ratio > 2).all()
    assert (ratio < 8).all()
    # Fused, memory grows with n.
    fused = recording["peak_bytes"]["SDPA"][LENGTHS.index(2048) :]
    assert growth.exponent(LENGTHS[-len(fused) :], fused) < 1.3
