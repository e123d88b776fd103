"""Exercise 9.1: rotary positions."""

import numpy as np

from attn_course.exercises.cases import Case, normal, sized
from attn_course.exercises.core import Exercise

BASE = 10_000.0


def inputs(rng: np.random.Generator) -> list[Case]:
    """Give vectors, and the place of the first."""
    return [
        Case("along the first axis", (np.array([[1.0, 0.0]]), 1)),
        Case("one word, at the start", (normal(rng, 1, 4), 0)),
        Case("as many words as numbers", (normal(rng, 4, 4), 0)),
        Case("starting at place 40", (normal(rng, 2, 8), 40)),
        Case("starting at place 5000", (normal(rng, 2, 8), 5000)),
        Case("as many heads as words", (normal(rng, 3, 3, 4), 2)),
        Case("64 numbers", (normal(rng, 3, 4, 64), 0)),
        Case("thirty words", (normal(rng, 2, 30, 4), 0)),
        Case("zeros", (0 * normal(rng, 3, 4), 3)),
        Case("huge numbers", (1e10 * normal(rng, 3, 4), 3)),
        *sized(rng, _draw),
    ]


def _draw(rng, batch, n, half):
    """Draw vectors of an even length, and where the first stands."""
    return normal(rng, *batch, n, 2 * half), int(rng.integers(0, 9))


EXERCISE = Exercise(
    id="9.1",
    title="Rotary positions",
    statement="""\
Write `rotary(x, start)`: turn each vector by its place, as in Su and
colleagues (2021).

- `x` has shape `(..., n, d)`: queries or keys of n words, d even. The first
  word stands at place `start`, the next at `start` + 1, and so on.
- Number i and number i + d / 2 are a pair, a point in the plane. At place p
  the pair turns by the angle p / 10000^(2i / d), counter-clockwise: (1, 0)
  goes to (cos, sin).
- Return the same shape.""",
    difficulty=2,
    minutes=15,
    hints=[
        "There are d / 2 pairs, so d / 2 speeds. Places as a column times "
        "speeds as a row give all angles.",
        "Turning (a, b) gives (a cos − b sin, b cos + a sin). Take both from "
        "the old a and b.",
        "`x[..., : d // 2]` holds every a. Nothing depends on the axes before "
        "the last two.",
    ],
    inputs=inputs,
)


@EXERCISE.is_solution
def rotary(x, start):
    """Turn the pairs (i, i + d/2) of every vector by their place.

    x (..., n, d), first word at place start → (..., n, d)
    """
    n, d = x.shape[-2:]
    speeds = 10_000.0 ** (-np.arange(0, d, 2) / d)  # (d / 2,)
    angles = np.arange(start, start + n)[:, None] * speeds  # (n, d / 2)
    a, b = x[..., : d // 2], x[..., d // 2 :]
    cos, sin = np.cos(angles), np.sin(angles)
    return np.concatenate([a * cos - b * sin, b * cos + a * sin], axis=-1)


def _angles(x, start):
    """Give the angle of each word and pair, (n, d / 2)."""
    n, d = x.shape[-2:]
    speeds = BASE ** (-np.arange(0, d, 2) / d)
    return np.arange(start, start + n)[:, None] * speeds


# Right in other words


@EXERCISE.is_right
def with_complex_numbers(x, start):
    """Turn a + bi by multiplying with exp(i angle)."""
    half = x.shape[-1] // 2
    points = x[..., :half] + 1j * x[..., half:]
    points = points * np.exp(1j * _angles(x, start))
    return np.concatenate([points.real, points.imag], axis=-1)


@EXERCISE.is_right
def with_a_swapped_copy(x, start):
    """Write it as x cos + swapped sin, as the libraries do."""
    half = x.shape[-1] // 2
    swapped = np.concatenate([-x[..., half:], x[..., :half]], axis=-1)
    angles = np.tile(_angles(x, start), 2)  # (n, d)
    return x * np.cos(angles) + swapped * np.sin(angles)


@EXERCISE.is_right
def with_loops(x, start):
    """One pair at a time."""
    half = x.shape[-1] // 2
    result = np.zeros(x.shape)
    for *lead, p, i in np.ndindex(*x.shape[:-1], half):
        angle = (start + p) / BASE ** (2 * i / x.shape[-1])
        first, second = (*lead, p, i), (*lead, p, i + half)
        a, b = x[first], x[second]
        result[first] = a * np.cos(angle) - b * np.sin(angle)
        result[second] = b * np.cos(angle) + a * np.sin(angle)
    return result


# Which numbers are a pair

EXERCISE.edits(
    """
neighbours_paired: You paired neighbours, 2i and 2i + 1: here i goes with i +
        d/2.
    x[..., : d // 2], x[..., d // 2 :] → x[..., 0::2], x[..., 1::2]
    np.concatenate( → np.stack(
    axis=-1) → axis=-1).reshape(x.shape)
result_by_turns: You wrote the results by turns: a's half comes first, then
        b's.
    np.concatenate( → np.stack(
    axis=-1) → axis=-1).reshape(x.shape)
halves_exchanged: You put the second half first.
    np.concatenate( → np.roll(np.concatenate(
    axis=-1) → axis=-1), d // 2, axis=-1)
first_half_alone: You turned the first half and left the second as it was.
    b * cos + a * sin → b
    """
)


# How a pair turns

EXERCISE.edits(
    """
clockwise: You turned the other way: (1, 0) goes to (cos, sin).
    np.sin(angles) → -np.sin(angles)
both_with_minus: You have a minus twice: b cos + a sin.
    b * cos + a * sin → b * cos - a * sin
both_with_plus: You have a plus twice: a cos − b sin.
    a * cos - b * sin → a * cos + b * sin
from_the_turned_a: You took the new a to make b: both come from the old pair.
    [a * cos - b * sin → [a := a * cos - b * sin
sine_and_cosine_exchanged: You exchanged sine and cosine: at place 0 nothing
        turns.
    np.cos(angles), np.sin(angles) → np.sin(angles), np.cos(angles)
added_instead: You added sines and cosines: turn the vector, its length stays.
    [a * cos - b * sin, b * cos + a * sin] → [a + sin, b + cos]
    """
)


# The angles

EXERCISE.edits(
    """
start_forgotten: You counted places from 0: the first word stands at `start`.
    → rotary(x, 0)
counted_from_one: You counted one too far: the first word stands at `start`.
    → rotary(x, start + 1)
every_word_at_start: You turned every word alike: each stands one place
        further.
    start + n)[:, None] → start + n)[:1, None]
one_speed: You turned all pairs at one speed: pair i has 10000^(−2i / d).
    / d) → / d * 0)
half_the_exponent: Your exponent is i / d: it is 2i / d.
    (0, d, 2) / d → (d // 2) / d
divided_by_half: Your exponent is 2i / (d / 2): it is 2i / d.
    / d) → / (d / 2))
faster_and_faster: Your speeds rise: divide by the power, the first pair is
        fastest.
    -np.arange(0, d, 2) → np.arange(0, d, 2)
slowest_first: You began with the slowest pair: pair 0 is the fastest.
    -np.arange(0, d, 2) → -np.arange(0, d, 2)[::-1]
in_degrees: You took the angles for degrees: they are in radians.
    * speeds → * np.radians(speeds)
places_on_the_first_axis: You counted words on the first axis: it is the last
        but one.
    start + n) → start + len(x))
in_the_inputs_dtype: You rounded: an array made like `x` holds ints if x does.
    → rotary(x, start).astype(x.dtype)
    """
)
