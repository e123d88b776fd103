"""Cells that read a sequence one vector at a time, from scratch in NumPy.

Each step takes the next input `x`, the state so far, and four arrays in
torch's layout, so that `torch.nn.RNNCell`, `GRUCell` and `LSTMCell` can lend
theirs: `w_x` (gates · d_h, d_in), `w_h` (gates · d_h, d_h), and the biases
`b_x` and `b_h`, both (gates · d_h,).
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float

__all__ = ["Gru", "Lstm", "gru_step", "lstm_step", "read", "rnn_step"]


class Gru(NamedTuple):
    """What a GRU step computes; every array is `(..., d_h)`."""

    state: np.ndarray
    reset: np.ndarray  # 0: the candidate ignores the old state
    keep: np.ndarray  # 1: the old state stays as it is
    candidate: np.ndarray


class Lstm(NamedTuple):
    """What an LSTM step computes; every array is `(..., d_h)`."""

    state: np.ndarray  # what the rest of the network sees
    cell: np.ndarray  # what is carried on
    write: np.ndarray  # the input gate
    keep: np.ndarray  # the forget gate: 1 keeps
    show: np.ndarray  # the output gate


def rnn_step(
    x: Float[Any, "... d_in"],
    state: Float[Any, "... d_h"],
    w_x: Float[Any, "d_h d_in"],
    w_h: Float[Any, "d_h d_h"],
    b_x: Float[Any, " d_h"],
    b_h: Float[Any, " d_h"],
) -> Float[Any, "... d_h"]:
    """Take one step of a plain recurrent network (Elman 1990).

    Everything in the old state passes through a matrix and a tanh at every
    step.

    Examples
    --------
    >>> one = np.eye(1)
    >>> rnn_step(np.array([1.0]), np.zeros(1), one, one, *np.zeros((2, 1)))
    array([0.76159416])
    """
    return np.tanh(x @ w_x.T + b_x + state @ w_h.T + b_h)  # (..., d_h)


def gru_step(
    x: Float[Any, "... d_in"],
    state: Float[Any, "... d_h"],
    w_x: Float[Any, "three_d_h d_in"],
    w_h: Float[Any, "three_d_h d_h"],
    b_x: Float[Any, " three_d_h"],
    b_h: Float[Any, " three_d_h"],
) -> Gru:
    """Take one step of a gated recurrent unit.

    Cho et al. 2014, equations 5 to 8, in torch's variant: the reset gate
    acts after the matrix, not before it. The blocks of the arrays are reset,
    keep (called z in the paper), candidate.

    Examples
    --------
    With all weights zero both gates are half open and the candidate is 0:

    >>> zeros = np.zeros((3, 1)), np.zeros((3, 1)), np.zeros(3), np.zeros(3)
    >>> gru_step(np.ones(1), np.array([0.8]), *zeros).state
    array([0.4])
    """
    from_x = np.split(x @ w_x.T + b_x, 3, axis=-1)  # 3 × (..., d_h)
    from_h = np.split(state @ w_h.T + b_h, 3, axis=-1)  # 3 × (..., d_h)
    reset = _sigmoid(from_x[0] + from_h[0])
    keep = _sigmoid(from_x[1] + from_h[1])
    candidate = np.tanh(from_x[2] + reset * from_h[2])
    # A weighted average of old and new: the weights sum to 1.
    mixed = keep * state + (1 - keep) * candidate
    return Gru(mixed, reset, keep, candidate)


def lstm_step(
    x: Float[Any, "... d_in"],
    state: Float[Any, "... d_h"],
    cell: Float[Any, "... d_h"],
    w_x: Float[Any, "four_d_h d_in"],
    w_h: Float[Any, "four_d_h d_h"],
    b_x: Float[Any, " four_d_h"],
    b_h: Float[Any, " four_d_h"],
) -> Lstm:
    """Take one step of a long short-term memory.

    Hochreiter and Schmidhuber 1997, with the forget gate of Gers et al.
    2000. The blocks of the arrays are write, keep, candidate, show.

    Examples
    --------
    >>> zeros = np.zeros((4, 1)), np.zeros((4, 1)), np.zeros(4), np.zeros(4)
    >>> step = lstm_step(np.ones(1), np.zeros(1), np.array([0.8]), *zeros)
    >>> step.cell, step.keep
    (array([0.4]), array([0.5]))
    """
    gates = x @ w_x.T + b_x + state @ w_h.T + b_h  # (..., 4 d_h)
    write, keep, candidate, show = np.split(gates, 4, axis=-1)
    write, keep, show = _sigmoid(write), _sigmoid(keep), _sigmoid(show)
    cell = keep * cell + write * np.tanh(candidate)  # (..., d_h)
    return Lstm(show * np.tanh(cell), cell, write, keep, show)


def read(
    step: Callable[..., Any],
    xs: Float[Any, "... n d_in"],
    *arrays: np.ndarray,
) -> list[Any]:
    """Read a sequence from its first vector to its last.

    Step t needs the state that step t − 1 left: nothing here can run at the
    same time. Give `step` one of the three functions above and `arrays` its
    four arrays; the state starts at zero.

    Returns
    -------
    list
        What each step returned, in order.
    """
    d_h = arrays[1].shape[-1]
    zeros = np.zeros((*xs.shape[:-2], d_h))
    state, cell, steps = zeros, zeros, []
    for t in range(xs.shape[-2]):
        before = (state, cell) if step is lstm_step else (state,)
        steps.append(step(xs[..., t, :], *before, *arrays))
        state = steps[-1] if step is rnn_step else steps[-1].state
        cell = steps[-1].cell if step is lstm_step else cell
    return steps


def _sigmoid(x: np.ndarray) -> np.ndarray:
    """Squash to between 0 and 1, without overflow."""
    return 0.5 * (1 + np.tanh(0.5 * x))
