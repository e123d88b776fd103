"""Two tasks of memory, and what recurrent networks make of them."""

import pytest
import torch

from attn_course import data, letters
from attn_course.experiments import gates, vector_fills


def test_equal_states_or_equal_parameters():
    fills = data.load_recording("vector-fills")
    assert len(set(fills["hidden"].values())) == 1
    counts = data.load_recording("gates")["parameters"].values()
    assert max(counts) <= 1.03 * min(counts)


@pytest.fixture(scope="module")
def again():
    """Train one cell for a few steps, twice."""
    return [gates.one("GRU", 0.003, 0, steps=30) for _ in range(2)]


def test_a_short_training_repeats_itself(again):
    assert again[0] == again[1]
    assert len(again[0]["accuracy"]) == len(gates.SETTINGS["distances"])
    assert len(again[0]["keep"]) == 16


def test_a_probe_finds_the_last_letter_and_nothing_yet_unread():
    entry = vector_fills.one("GRU", 0.003, 0, steps=40)
    n = letters.COPY_LENGTH
    table = entry["probe"]
    for t, row in enumerate(table):
        assert row[t] > 0.9
        assert row[t + 1 :] == [None] * (n - t - 1)


def test_the_mark_lies_as_far_back_as_it_is_said_to():
    generator = torch.Generator().manual_seed(0)
    batch = letters.marked_batch(8, generator, distance=5)
    (read,) = batch.inputs
    marked = read >= letters.LETTERS
    assert marked.sum(1).tolist() == [1] * 8
    assert marked[:, -6].all()
    named = read[marked] - letters.LETTERS
    assert torch.equal(named, batch.targets)
