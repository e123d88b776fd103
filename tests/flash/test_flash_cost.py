"""Time and memory of attention in NumPy: the recording and what made it."""

import numpy as np
import pytest

from attn_course import attention, data, growth
from attn_course.experiments import flash_cost as experiment

LENGTHS = experiment.SETTINGS["lengths"]
BLOCKS = experiment.SETTINGS["sweep_blocks"]
REPEATS = experiment.SETTINGS["repeats"]
NUMPY_WAYS = [way for way in experiment.WAYS if way != "SDPA"]


def test_all_ways_compute_the_same():
    arrays = experiment._arrays(100, 0)
    for ways, causal in (
        (experiment.WAYS, False),
        (experiment.CAUSAL, True),
    ):
        expected = attention(*arrays, causal=causal)
        for name, way in ways.items():
            found = way(*arrays)
            if name == "textbook tiles":
                found = found[0]
            np.testing.assert_allclose(found, expected, atol=1e-5)


def test_a_repeat_times_every_way_in_a_process_of_its_own():
    small = {"lengths": [32, 64], "sweep_length": 32, "sweep_blocks": [16]}
    found = experiment.repeat_alone(0, small)
    assert set(found["seconds"]) == set(experiment.WAYS)
    assert set(found["causal_seconds"]) == set(experiment.CAUSAL)
    assert np.shape(list(found["seconds"].values())) == (5, 2)
    assert np.shape(found["sweep_seconds"]) == (1, 1)


@pytest.fixture(scope="module")
def recording():
    return data.load_recording("flash-numpy")


def test_the_recording_is_whole(recording):
    assert recording["settings"] == experiment.SETTINGS
    for key, ways in (
        ("seconds", experiment.WAYS),
        ("causal_seconds", experiment.CAUSAL),
    ):
        assert set(recording[key]) == set(ways)
        for times in recording[key].values():
            assert np.shape(times) == (REPEATS, len(LENGTHS))
            assert np.min(times) > 0
    sizes = (len(BLOCKS), len(BLOCKS))
    assert np.shape(recording["sweep_seconds"]) == (REPEATS, *sizes)
    assert np.shape(recording["sweep_naive_seconds"]) == (REPEATS,)
    assert np.shape(recording["sweep_peak_bytes"]) == sizes


def test_naive_memory_grows_with_the_square_and_that_of_tiles_does_not(
    recording,
):
    slopes = {
        way: growth.exponent(LENGTHS[-3:], recording["peak_bytes"][way][-3:])
        for way in NUMPY_WAYS
    }
    assert slopes["naive"] == pytest.approx(2, abs=0.02)
    assert slopes["in place"] == pytest.approx(2, abs=0.05)
    assert slopes["textbook tiles"] < 1.05
    assert slopes["tiles"] < 1.05
    n = LENGTHS.index(4096)
    naive, tiles = (recording["peak_bytes"][w][n] for w in ("naive", "tiles"))
    assert tiles <= 0.02 * naive


def test_larger_tiles_need_more_memory(recording):
    peaks = np.array(recording["sweep_peak_bytes"])
    assert (np.diff(peaks, axis=0) > 0).all()
    # Of the smallest there are so many that Python's own objects count.
    assert (np.diff(peaks[:, 1:], axis=1) > 0).all()
