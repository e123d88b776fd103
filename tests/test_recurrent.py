"""Recurrent cells: torch's own, the gates' laws, and the recordings."""

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from attn_course import data
from attn_course.experiments import vector_fills
from attn_course.recurrent import gru_step, lstm_step, read, rnn_step

STEPS = {
    "RNN": (rnn_step, torch.nn.RNN),
    "GRU": (gru_step, torch.nn.GRU),
    "LSTM": (lstm_step, torch.nn.LSTM),
}
CELLS = list(STEPS)


def pair(cell, d_in=3, d_h=4):
    """Give a step of ours and a network of torch's, and its arrays."""
    step, network = STEPS[cell]
    torch.manual_seed(0)
    network = network(d_in, d_h, batch_first=True).double()
    return (
        step,
        network,
        [p.detach().numpy() for p in network.parameters()],
    )


def states_of(steps):
    return [s if isinstance(s, np.ndarray) else s.state for s in steps]


@pytest.mark.parametrize("batch", [1, 5])
@pytest.mark.parametrize("cell", CELLS)
def test_a_sequence_gives_what_torch_gives(cell, batch):
    step, network, arrays = pair(cell)
    xs = np.random.default_rng(1).normal(size=(batch, 7, 3))
    expected, last = network(torch.from_numpy(xs))
    steps = read(step, xs, *arrays)
    ours = np.stack(states_of(steps), axis=1)
    np.testing.assert_allclose(ours, expected.detach().numpy(), atol=1e-12)
    if cell == "LSTM":
        carried = last[1][0].detach().numpy()
        np.testing.assert_allclose(steps[-1].cell, carried, atol=1e-12)


@pytest.mark.parametrize("cell", CELLS)
def test_batch_axes_may_be_any(cell):
    step, _, arrays = pair(cell)
    xs = np.random.default_rng(2).normal(size=(2, 3, 5, 3))
    all_at_once = states_of(read(step, xs, *arrays))[-1]
    alone = states_of(read(step, xs[1, 2], *arrays))[-1]
    np.testing.assert_allclose(all_at_once[1, 2], alone, atol=1e-15)


@pytest.mark.parametrize("cell", CELLS)
def test_later_inputs_change_no_earlier_state(cell):
    step, _, arrays = pair(cell)
    xs = np.random.default_rng(3).normal(size=(6, 3))
    before = states_of(read(step, xs, *arrays))
    xs[4] += 1
    after = states_of(read(step, xs, *arrays))
    for t in range(6):
        assert np.array_equal(before[t], after[t]) == (t < 4)


@given(st.integers(0, 10_000))
def test_a_gru_state_lies_between_old_state_and_candidate(seed):
    rng = np.random.default_rng(seed)
    x, state = rng.normal(size=(2, 4)), rng.normal(size=(2, 4))
    arrays = [3 * rng.normal(size=s) for s in [(12, 4), (12, 4), (12,), (12,)]]
    new = gru_step(x, state, *arrays)
    low = np.minimum(state, new.candidate)
    high = np.maximum(state, new.candidate)
    assert (new.state >= low - 1e-12).all()
    assert (new.state <= high + 1e-12).all()


def test_an_open_keep_gate_keeps_everything():
    zeros = [np.zeros((3, 2)), np.zeros((3, 1)), np.zeros(3)]
    wide_open = np.array([0.0, 1000.0, 0.0])
    state = np.array([0.7])
    new = gru_step(np.ones(2), state, *zeros, wide_open)
    assert new.keep == 1.0 and new.state == state


# The recordings


@pytest.mark.parametrize("name", vector_fills.RECORDINGS)
def test_the_recording_holds_every_run(name):
    content = data.load_recording(name)
    seeds = content["recorded"]["seeds"]
    assert len(seeds) >= 3
    names = ("model", "learning_rate", "seed")
    found = [tuple(r[n] for n in names) for r in content["records"]]
    rates = vector_fills.SETTINGS["learning_rate"]
    assert sorted(found) == sorted(itertools.product(CELLS, rates, seeds))
    assert content["settings"] == vector_fills.SETTINGS


def test_equal_states_or_equal_parameters():
    fills = data.load_recording("vector-fills")
    assert len(set(fills["hidden"].values())) == 1
    gates = data.load_recording("gates")["parameters"].values()
    assert max(gates) <= 1.03 * min(gates)


@pytest.fixture(scope="module")
def again():
    """Train one cell for a few steps, twice."""
    return [vector_fills.gate_one("GRU", 0.003, 0, steps=20) for _ in range(2)]


def test_a_slice_runs_again_and_repeats_itself(again):
    assert again[0] == again[1]
    assert len(again[0]["accuracy"]) == len(vector_fills.SETTINGS["distances"])
    assert len(again[0]["keep"]) == 16


def test_a_probe_finds_the_last_letter_and_nothing_yet_unread():
    entry = vector_fills.fill_one("GRU", 0.003, 0, steps=20)
    n = vector_fills.SETTINGS["copy_length"]
    table = entry["probe"]
    for t, row in enumerate(table):
        assert row[t] > 0.9
        assert row[t + 1 :] == [None] * (n - t - 1)


def test_the_mark_lies_as_far_back_as_it_is_said_to():
    generator = torch.Generator().manual_seed(0)
    batch = vector_fills.marked_batch(8, generator, distance=5)
    (letters,) = batch.inputs
    marked = letters >= vector_fills.SETTINGS["letters"]
    assert marked.sum(1).tolist() == [1] * 8
    assert marked[:, -6].all()
    named = letters[marked] - vector_fills.SETTINGS["letters"]
    assert torch.equal(named, batch.targets)
