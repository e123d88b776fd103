"""Recurrent layers against self-attention: layers, counts, the recording."""

import numpy as np
import pytest
import torch

from attn_course import data, race
from attn_course.experiments import race as experiment

CELLS = ("RNN", "GRU", "LSTM")


@pytest.mark.parametrize("name", race.LAYERS)
def test_every_layer_keeps_the_shape(name):
    x = torch.randn(2, 5, 64)
    layer = race.make(name)
    assert layer(x).shape == x.shape
    assert len(race.seconds(layer, x, backward=True, repeats=3)) == 3
    assert all(p.grad is not None for p in layer.parameters())


def test_parameters_are_what_the_text_says():
    d = 64
    for name, times in zip(race.LAYERS, (2, 6, 8, 4, 4), strict=True):
        matrices = [p for p in race.make(name).parameters() if p.ndim == 2]
        assert sum(p.numel() for p in matrices) == times * d * d


def test_fused_attention_computes_the_same():
    x = torch.randn(2, 7, 64)
    plain, fused = (race.make(name) for name in race.LAYERS[3:])
    torch.testing.assert_close(plain(x), fused(x))


def test_an_unknown_layer_is_refused():
    with pytest.raises(ValueError, match="got 'CNN'"):
        race.make("CNN")


@pytest.mark.parametrize("name", CELLS)
def test_a_recurrent_layer_waits_at_every_step(name):
    for n in (1, 10, 40):
        assert race.waits(name, n).products == n
        assert race.waits(name, n, backward=True).products == 2 * n


def test_attention_waits_equally_long_at_every_length():
    for name in ("attention", "attention, fused"):
        for n in (2, 16, 200):
            # Projection, scores, weighted sum, output; twice with backward.
            assert race.waits(name, n).products == 4
            assert race.waits(name, n, backward=True).products == 8


def test_attention_needs_some_levels_more_for_each_doubling():
    levels = [race.waits("attention", n).levels for n in (16, 32, 64, 128)]
    [step] = set(np.diff(levels))
    assert 1 <= step <= 4
    deep = [race.waits("RNN", n).levels for n in (16, 32, 64, 128)]
    assert np.diff(deep)[-1] == 2 * np.diff(deep)[-2]


def test_crossings_are_found_where_they_are():
    assert race.crossings([1, 2, 4], [1, 2, 4], [3, 3, 3]) == [3.0]
    assert race.crossings([1, 2, 4], [1, 1, 1], [2, 2, 2]) == []
    found = race.crossings([1, 10, 100], [2, 1, 2], [1.5, 1.5, 1.5])
    assert len(found) == 2 and found[0] < 10 < found[1]
    with pytest.raises(ValueError, match="positive"):
        race.crossings([1, 2], [0, 1], [1, 1])


# The recording


@pytest.fixture(scope="module")
def recording():
    return data.load_recording("race")


def test_quartiles_are_in_order_and_long_batches_left_out(recording):
    settings = recording["settings"]
    for r in recording["records"]:
        assert len(r["ms"]) == len(settings["lengths"])
        for n, quartiles in zip(settings["lengths"], r["ms"], strict=True):
            left_out = r["batch"] * n > settings["most_words"]
            assert (quartiles is None) == left_out
            assert quartiles is None or 0 < quartiles[0] <= quartiles[2]
            assert quartiles is None or quartiles == sorted(quartiles)


def test_the_time_of_a_word_is_that_of_the_text_by_its_length(recording):
    [row] = [
        r
        for r in recording["records"]
        if (r["layer"], r["threads"], r["batch"], r["pass"])
        == ("GRU", 2, 1, "forward")
    ]
    found = experiment.word_time(recording, "GRU", threads=2)
    assert found.shape == (3, len(recording["settings"]["lengths"]))
    assert found[1, -1] == 1000 * row["ms"][-1][1] / 2048
