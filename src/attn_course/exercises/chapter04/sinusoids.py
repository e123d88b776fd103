"""Exercise 4.3: positions as sines and cosines."""

import numpy as np

from attn_course.exercises.cases import Case, sized
from attn_course.exercises.core import Exercise

# What a case is called, the positions, d_model.
PLACES = [
    ("positions 0 and 1", [0, 1], 2),
    ("a few of many positions", [40, 3, 3, 0], 8),
    ("between two positions", [0.5, 1.25, 2.75], 4),
    ("counted from the end", [-1, -2, -3], 10),
    ("far away", [512, 513, 5000], 8),
    ("64 numbers", [0, 1, 2, 10], 64),
    ("fifty positions", range(50), 16),
]


def inputs(rng: np.random.Generator) -> list[Case]:
    """Give positions, whole ones and others, and a length."""
    cases = [
        Case(name, (np.array(places, dtype=float), d_model))
        for name, places, d_model in PLACES
    ]
    far = np.array([0, 1, 1_000, 100_000])
    return [*cases, Case("ints far away", (far, 6)), *sized(rng, _draw)]


def _draw(rng, n, pairs):
    """Draw positions."""
    return rng.integers(0, 9, n).astype(float), 2 * pairs


EXERCISE = Exercise(
    id="4.3",
    title="Sinusoidal positions",
    statement="""\
Write `sinusoids(positions, d_model)`: a vector for each position, as in
Vaswani and colleagues (2017).

- `positions` has shape `(n,)`, often 0, 1, 2, …; `d_model` is an even number.
  Return shape `(n, d_model)`.
- Of the vector of position p, number 2i is sin(p / 10000^(2i / d_model)) and
  number 2i + 1 is the cosine of the same angle: sines and cosines take turns,
  the fastest first.""",
    difficulty=1,
    minutes=10,
    hints=[
        "There are d_model / 2 angles for each position: one for each i, "
        "shared by a sine and a cosine.",
        "`np.arange(0, d_model, 2)` gives all 2i. Positions as a column, "
        "times speeds as a row, give all angles at once.",
        "Fill every second column of an array: `x[:, 0::2]` are those with "
        "even numbers.",
    ],
    inputs=inputs,
)


@EXERCISE.is_solution
def sinusoids(positions, d_model):
    """Give each position its sines and cosines, by turns.

    positions (n,), d_model even → (n, d_model)
    """
    speeds = 10_000 ** (-np.arange(0, d_model, 2) / d_model)
    angles = positions[:, None] * speeds  # (n, d_model / 2)
    vectors = np.zeros((len(positions), d_model))
    vectors[:, 0::2] = np.sin(angles)
    vectors[:, 1::2] = np.cos(angles)
    return vectors


def _by_turns(first, second):
    """Put two arrays together, column by column."""
    return np.stack([first, second], axis=-1).reshape(len(first), -1)


# Right in other words


@EXERCISE.is_right
def with_stack(positions, d_model):
    """Pair sine and cosine on an axis of their own, and flatten it."""
    exponents = 2 * np.arange(d_model // 2) / d_model
    angles = positions[:, None] * np.exp(-np.log(1e4) * exponents)
    return _by_turns(np.sin(angles), np.cos(angles))


@EXERCISE.is_right
def with_loops(positions, d_model):
    """One number at a time."""
    vectors = np.zeros((len(positions), d_model))
    for row, p in enumerate(positions):
        for i in range(d_model // 2):
            angle = float(p) / 10_000 ** (2 * i / d_model)
            vectors[row, 2 * i] = np.sin(angle)
            vectors[row, 2 * i + 1] = np.cos(angle)
    return vectors


@EXERCISE.is_right
def with_complex_numbers(positions, d_model):
    """Turn a point on the circle; its parts are cosine and sine."""
    speeds = 10_000.0 ** (-np.arange(0, d_model, 2) / d_model)
    points = np.exp(1j * positions[:, None] * speeds)
    return _by_turns(points.imag, points.real)


@EXERCISE.is_right
def with_a_shifted_sine(positions, d_model):
    """Shift a sine by a quarter of a turn to get the cosine."""
    column = np.arange(d_model)
    speeds = 10_000.0 ** (-2 * (column // 2) / d_model)
    return np.sin(positions[:, None] * speeds + column % 2 * np.pi / 2)


# Sines and cosines

EXERCISE.edits(
    """
sine_and_cosine_exchanged: You exchanged them: even numbers are sines, odd ones
        cosines.
    vectors[:, 0::2] = np.sin(angles) → vectors[:, 0::2] = np.cos(angles)
    vectors[:, 1::2] = np.cos(angles) → vectors[:, 1::2] = np.sin(angles)
sines_then_cosines: All sines stand before all cosines: here they take turns.
    0::2 → : d_model // 2
    1::2 → d_model // 2 :
sines_only: You took sines alone: odd numbers are cosines of the same angle.
    np.cos(angles) → np.sin(angles)
angles_returned: You returned the angles: take their sines and cosines.
    np.sin(angles) → angles
    np.cos(angles) → angles
half_as_many: Your vectors are half as long: each angle has a sine and a
        cosine.
    return vectors → return vectors[:, 0::2]
    """
)


# The speeds

EXERCISE.edits(
    """
exponent_halved: Your exponent is i / d_model: it should be 2i / d_model.
    -np.arange(0, d_model, 2) → -np.arange(d_model // 2)
exponent_doubled: Your exponent is 4i / d_model: `arange(0, d, 2)` is 2i
        already.
    -np.arange(0, d_model, 2) → -2 * np.arange(0, d_model, 2)
own_speed_for_each_number: Sine and cosine of a pair share one angle: yours
        have two.
    -np.arange(0, d_model, 2) → -np.arange(d_model)
    np.sin(angles) → np.sin(angles)[:, 0::2]
    np.cos(angles) → np.cos(angles)[:, 1::2]
column_number_doubled: You took 2 · column / d_model: i counts pairs, not
        columns.
    -np.arange(0, d_model, 2) → -2 * np.arange(d_model)
    np.sin(angles) → np.sin(angles)[:, 0::2]
    np.cos(angles) → np.cos(angles)[:, 1::2]
whole_division: 2i // d_model is 0 for every i: all turn alike. Divide with
        `/`.
    -np.arange(0, d_model, 2) → -0.0 * np.arange(0, d_model, 2)
speeds_grow: Your speeds grow with i: divide by 10000^(2i / d_model).
    -np.arange → np.arange
slowest_first: Your slowest pair comes first: begin with i = 0.
    -np.arange(0, d_model, 2) → -np.arange(0, d_model, 2)[::-1]
pairs_counted_from_one: You counted i from 1: the first pair has the angle p
        itself.
    -np.arange(0, d_model, 2) → -np.arange(2, d_model + 2, 2)
base_of_a_thousand: Your base is 1000: it should be 10000.
    10_000 → 1_000
base_e: You took exp(−2i / d_model): the base is 10000, not e.
    10_000 → np.e
last_speed_is_the_base: You divided by d_model / 2 − 1, as some programs do:
        use d_model.
    (0, d_model, 2) / d_model) → (d_model // 2) / max(d_model // 2 - 1, 1))
whole_turns: You multiplied by 2π: the angle is p / 10000^(2i / d_model).
    angles = → angles = 2 * np.pi *
    """
)


# The positions

EXERCISE.edits(
    """
in_the_dtype_of_positions: You kept the dtype of the positions: ints round
        sines to 0 and ±1.
    → sinusoids(positions, d_model).astype(positions.dtype)
positions_from_one: You added 1 to the positions: they begin at 0.
    → sinusoids(positions + 1, d_model)
rows_counted: You counted the rows: use the positions that are handed over.
    → sinusoids(np.arange(len(positions)), d_model)
transposed: Your columns are the positions: they should be the rows.
    → sinusoids(positions, d_model).T
    """
)
