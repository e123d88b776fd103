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


def _speeds(d_model, *, base=10_000.0, factor=1.0):
    return base ** (-factor * np.arange(0, d_model, 2) / d_model)


def _by_turns(first, second):
    """Put two arrays together, column by column."""
    return np.stack([first, second], axis=-1).reshape(len(first), -1)


def _vectors(positions, speeds):
    angles = positions[:, None] * speeds
    return _by_turns(np.sin(angles), np.cos(angles))


# Right in other words


@EXERCISE.is_right
def with_stack(positions, d_model):
    """Pair sine and cosine on an axis of their own, and flatten it."""
    return _vectors(positions, np.exp(-np.log(1e4) * _exponents(d_model)))


def _exponents(d_model):
    return 2 * np.arange(d_model // 2) / d_model


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
    points = np.exp(1j * positions[:, None] * _speeds(d_model))
    return _by_turns(points.imag, points.real)


@EXERCISE.is_right
def with_a_shifted_sine(positions, d_model):
    """Shift a sine by a quarter of a turn to get the cosine."""
    column = np.arange(d_model)
    speeds = 10_000.0 ** (-2 * (column // 2) / d_model)
    return np.sin(positions[:, None] * speeds + column % 2 * np.pi / 2)


# Sines and cosines


@EXERCISE.is_wrong
def sine_and_cosine_exchanged(positions, d_model):
    """You exchanged them: even numbers are sines, odd ones cosines."""
    angles = positions[:, None] * _speeds(d_model)
    return _by_turns(np.cos(angles), np.sin(angles))


@EXERCISE.is_wrong
def sines_then_cosines(positions, d_model):
    """All sines stand before all cosines: here they take turns."""
    angles = positions[:, None] * _speeds(d_model)
    return np.concatenate([np.sin(angles), np.cos(angles)], axis=-1)


@EXERCISE.is_wrong
def sines_only(positions, d_model):
    """You took sines alone: odd numbers are cosines of the same angle."""
    angles = positions[:, None] * _speeds(d_model)
    return _by_turns(np.sin(angles), np.sin(angles))


@EXERCISE.is_wrong
def angles_returned(positions, d_model):
    """You returned the angles: take their sines and cosines."""
    angles = positions[:, None] * _speeds(d_model)
    return _by_turns(angles, angles)


@EXERCISE.is_wrong
def half_as_many(positions, d_model):
    """Your vectors are half as long: each angle has a sine and a cosine."""
    return np.sin(positions[:, None] * _speeds(d_model))


# The speeds


@EXERCISE.is_wrong
def exponent_halved(positions, d_model):
    """Your exponent is i / d_model: it should be 2i / d_model."""
    return _vectors(positions, _speeds(d_model, factor=0.5))


@EXERCISE.is_wrong
def exponent_doubled(positions, d_model):
    """Your exponent is 4i / d_model: `arange(0, d, 2)` is 2i already."""
    return _vectors(positions, _speeds(d_model, factor=2.0))


@EXERCISE.is_wrong
def own_speed_for_each_number(positions, d_model):
    """Sine and cosine of a pair share one angle: yours have two."""
    column = np.arange(d_model)
    angles = positions[:, None] * 10_000.0 ** (-column / d_model)
    return np.where(column % 2 == 0, np.sin(angles), np.cos(angles))


@EXERCISE.is_wrong
def column_number_doubled(positions, d_model):
    """You took 2 · column / d_model: i counts pairs, not columns."""
    column = np.arange(d_model)
    angles = positions[:, None] * 10_000.0 ** (-2 * column / d_model)
    return np.where(column % 2 == 0, np.sin(angles), np.cos(angles))


@EXERCISE.is_wrong
def whole_division(positions, d_model):
    """2i // d_model is 0 for every i: all turn alike. Divide with `/`."""
    return _vectors(positions, np.ones(d_model // 2))


@EXERCISE.is_wrong
def speeds_grow(positions, d_model):
    """Your speeds grow with i: divide by 10000^(2i / d_model)."""
    return _vectors(positions, 1 / _speeds(d_model))


@EXERCISE.is_wrong
def slowest_first(positions, d_model):
    """Your slowest pair comes first: begin with i = 0."""
    return _vectors(positions, _speeds(d_model)[::-1])


@EXERCISE.is_wrong
def pairs_counted_from_one(positions, d_model):
    """You counted i from 1: the first pair has the angle p itself."""
    return _vectors(positions, _speeds(d_model) * 10_000 ** (-2 / d_model))


@EXERCISE.is_wrong
def base_of_a_thousand(positions, d_model):
    """Your base is 1000: it should be 10000."""
    return _vectors(positions, _speeds(d_model, base=1_000.0))


@EXERCISE.is_wrong
def base_e(positions, d_model):
    """You took exp(−2i / d_model): the base is 10000, not e."""
    return _vectors(positions, _speeds(d_model, base=np.e))


@EXERCISE.is_wrong
def last_speed_is_the_base(positions, d_model):
    """You divided by d_model / 2 − 1, as some programs do: use d_model."""
    last = max(d_model // 2 - 1, 1)
    return _vectors(positions, 10_000.0 ** (-np.arange(d_model // 2) / last))


@EXERCISE.is_wrong
def whole_turns(positions, d_model):
    """You multiplied by 2π: the angle is p / 10000^(2i / d_model)."""
    return _vectors(2 * np.pi * positions, _speeds(d_model))


# The positions


@EXERCISE.is_wrong
def in_the_dtype_of_positions(positions, d_model):
    """You kept the dtype of the positions: ints round sines to 0 and ±1."""
    return _vectors(positions, _speeds(d_model)).astype(positions.dtype)


@EXERCISE.is_wrong
def positions_from_one(positions, d_model):
    """You added 1 to the positions: they begin at 0."""
    return _vectors(positions + 1, _speeds(d_model))


@EXERCISE.is_wrong
def rows_counted(positions, d_model):
    """You counted the rows: use the positions that are handed over."""
    return _vectors(np.arange(len(positions)), _speeds(d_model))


@EXERCISE.is_wrong
def transposed(positions, d_model):
    """Your columns are the positions: they should be the rows."""
    return _vectors(positions, _speeds(d_model)).T
