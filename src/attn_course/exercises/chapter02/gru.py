"""Exercise 2.1: one step of a gated recurrent unit."""

import numpy as np

from attn_course.exercises.cases import Case, normal, sized
from attn_course.exercises.core import Exercise


def inputs(rng: np.random.Generator) -> list[Case]:
    """Give an input, a state and the four arrays of a cell."""
    x, state, *arrays = _draw(rng, (4,), 2, 3)
    return [
        *sized(rng, _draw),
        Case("large numbers", (1e4 * x, state, *arrays)),
        Case("very large numbers", (1e10 * x, state, *arrays)),
        Case("their opposites", (-1e10 * x, state, *arrays)),
        Case("a large state", (x, 1e4 * state, *arrays)),
        Case("a state of zeros", (x, 0 * state, *arrays)),
        Case("an input of zeros", (0 * x, state, *arrays)),
    ]


def _draw(rng, batch, d_in, d_h):
    """Draw all arrays."""
    shapes = [(*batch, d_in), (*batch, d_h), (3 * d_h, d_in), (3 * d_h, d_h)]
    shapes += [(3 * d_h,), (3 * d_h,)]
    return [normal(rng, *shape) for shape in shapes]


EXERCISE = Exercise(
    id="2.1",
    title="A GRU step",
    statement="""\
Write `gru_step(x, state, w_x, w_h, b_x, b_h)`: the next state of a gated
recurrent unit, as `torch.nn.GRUCell` computes it.

- `x` has shape `(..., d_in)`, `state` has `(..., d_h)`. `w_x` is
  `(3 d_h, d_in)`, `w_h` is `(3 d_h, d_h)`, both biases are `(3 d_h,)`. Their
  three blocks of d_h rows are **reset**, **keep**, **candidate**.
- reset and keep are sigmoids of (x's part + the state's part).
- candidate = tanh(x's part + reset · the state's part).
- Return keep · state + (1 − keep) · candidate, `(..., d_h)`.""",
    difficulty=2,
    minutes=15,
    hints=[
        "Two matrix products are enough: `x @ w_x.T + b_x` and "
        "`state @ w_h.T + b_h`, both (..., 3 d_h).",
        "`np.split(a, 3, axis=-1)` gives the three blocks.",
        "Each bias belongs to its own product. For the candidate that "
        "matters: reset multiplies the state's part with its bias.",
    ],
    inputs=inputs,
)


def _sigmoid(x):
    return 0.5 * (1 + np.tanh(0.5 * x))


def _overflowing(x):
    return np.exp(x) / (1 + np.exp(x))


@EXERCISE.is_solution
def gru_step(x, state, w_x, w_h, b_x, b_h):
    """Give the next state: keep · state + (1 − keep) · candidate.

    x (..., d_in), state (..., d_h), w_x (3 d_h, d_in), w_h (3 d_h, d_h),
    b_x and b_h (3 d_h,) → (..., d_h)
    """
    from_x = np.split(x @ w_x.T + b_x, 3, axis=-1)  # 3 × (..., d_h)
    from_h = np.split(state @ w_h.T + b_h, 3, axis=-1)  # 3 × (..., d_h)
    reset = 0.5 * (1 + np.tanh(0.5 * (from_x[0] + from_h[0])))
    keep = 0.5 * (1 + np.tanh(0.5 * (from_x[1] + from_h[1])))
    candidate = np.tanh(from_x[2] + reset * from_h[2])
    return keep * state + (1 - keep) * candidate  # (..., d_h)


@EXERCISE.is_right
def with_slices(x, state, w_x, w_h, b_x, b_h):
    """Cut the arrays by hand, and write the sigmoid out."""
    d = state.shape[-1]
    r, z, n = slice(0, d), slice(d, 2 * d), slice(2 * d, 3 * d)

    def gate(rows):
        logit = x @ w_x[rows].T + b_x[rows] + state @ w_h[rows].T + b_h[rows]
        with np.errstate(over="ignore"):
            return 1 / (1 + np.exp(-logit))

    inner = gate(r) * (state @ w_h[n].T + b_h[n])
    new = np.tanh(x @ w_x[n].T + b_x[n] + inner)
    return new + gate(z) * (state - new)


@EXERCISE.is_right
def with_einsum(x, state, w_x, w_h, b_x, b_h):
    """Sum over the inputs by name."""
    d = state.shape[-1]
    a = np.einsum("...i,ji->...j", x, w_x) + b_x
    b = np.einsum("...i,ji->...j", state, w_h) + b_h
    gates = _sigmoid(a[..., : 2 * d] + b[..., : 2 * d])
    new = np.tanh(a[..., 2 * d :] + gates[..., :d] * b[..., 2 * d :])
    return new + gates[..., d:] * (state - new)


# The mixture

EXERCISE.edits(
    """
keep_swapped: You swapped keep and 1 − keep: keep multiplies the old state.
    keep * state + → keep * candidate +
    (1 - keep) * candidate  # → (1 - keep) * state  #
added_whole: You added the whole candidate: give it the weight 1 − keep.
    (1 - keep) * candidate  # → candidate  #
candidate_only: You returned the candidate: mix it with the old state.
    return keep * state + (1 - keep) * → return
    """
)


# The gates

EXERCISE.edits(
    """
blocks_swapped: You took keep for reset: the blocks are reset, keep, candidate.
    keep = 0.5 → first = 0.5
    reset = 0.5 → keep = 0.5
    first = 0.5 → reset = 0.5
no_reset: You left out reset: it multiplies the state's part.
    reset * from_h[2] → from_h[2]
reset_of_everything: You multiplied both parts by reset: it meets the state's
        part only.
    from_x[2] + reset * from_h[2] → reset * (from_x[2] + from_h[2])
reset_before_the_matrix: You reset before the matrix, as the paper does: torch
        does it after.
    candidate = → n = -state.shape[-1]; candidate =
    reset * from_h[2] → (reset * state) @ w_h[n:].T + b_h[n:]
reset_without_bias: You added b_h after the reset: reset multiplies the bias as
        well.
    candidate = → bias = b_h[-state.shape[-1] :]; candidate =
    reset * from_h[2] → reset * (from_h[2] - bias) + bias
no_biases: You left out the biases.
    → gru_step(x, state, w_x, w_h, 0 * b_x, 0 * b_h)
gates_with_tanh: Your gates are tanh: a sigmoid keeps them between 0 and 1.
    reset = 0.5 * (1 + np.tanh(0.5 * → reset = (np.tanh(
    keep = 0.5 * (1 + np.tanh(0.5 * → keep = (np.tanh(
sigmoid_overflows: exp(x)/(1 + exp(x)) is inf/inf for large x: take
        1/(1 + exp(−x)).
    reset = 0.5 * (1 + np.tanh(0.5 * → reset = _overflowing((
    keep = 0.5 * (1 + np.tanh(0.5 * → keep = _overflowing((
candidate_with_sigmoid: Your candidate is a sigmoid: tanh lets it be negative.
    np.tanh(from_x[2] + → _sigmoid(from_x[2] +
candidate_bare: Your candidate lacks its tanh.
    np.tanh(from_x[2] + → (from_x[2] +
gates_from_input_only: Your gates see the input alone: the state's part belongs
        to them.
    from_x[0] + from_h[0] → from_x[0]
    from_x[1] + from_h[1] → from_x[1]
    """
)
