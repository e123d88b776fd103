"""Recurrent cells: torch's own, and the gates' laws."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

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
