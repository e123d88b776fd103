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


def _speeds(d, base=BASE):
    return base ** (-np.arange(0, d, 2) / d)


def _angles(x, start, speeds=None):
    """Give the angle of each word and pair, (n, d / 2)."""
    n, d = x.shape[-2:]
    speeds = _speeds(d) if speeds is None else speeds
    return np.arange(start, start + n)[:, None] * speeds


def _turn(x, angles):
    """Turn the pairs (i, i + d/2) by given angles."""
    half = x.shape[-1] // 2
    a, b = x[..., :half], x[..., half:]
    cos, sin = np.cos(angles), np.sin(angles)
    return np.concatenate([a * cos - b * sin, b * cos + a * sin], axis=-1)


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


@EXERCISE.is_wrong
def neighbours_paired(x, start):
    """You paired neighbours, 2i and 2i + 1: here i goes with i + d/2."""
    even, odd = x[..., 0::2], x[..., 1::2]
    turned = _turn(np.concatenate([even, odd], -1), _angles(x, start))
    a, b = np.split(turned, 2, axis=-1)
    return np.stack([a, b], axis=-1).reshape(x.shape)


@EXERCISE.is_wrong
def result_by_turns(x, start):
    """You wrote the results by turns: a's half comes first, then b's."""
    a, b = np.split(rotary(x, start), 2, axis=-1)
    return np.stack([a, b], axis=-1).reshape(x.shape)


@EXERCISE.is_wrong
def halves_exchanged(x, start):
    """You put the second half first."""
    return np.roll(rotary(x, start), x.shape[-1] // 2, axis=-1)


@EXERCISE.is_wrong
def first_half_alone(x, start):
    """You turned the first half and left the second as it was."""
    half = x.shape[-1] // 2
    return np.concatenate([rotary(x, start)[..., :half], x[..., half:]], -1)


# How a pair turns


@EXERCISE.is_wrong
def clockwise(x, start):
    """You turned the other way: (1, 0) goes to (cos, sin)."""
    return _turn(x, -_angles(x, start))


@EXERCISE.is_wrong
def both_with_minus(x, start):
    """You have a minus twice: b cos + a sin."""
    a, b = np.split(x, 2, axis=-1)
    cos, sin = np.cos(_angles(x, start)), np.sin(_angles(x, start))
    return np.concatenate([a * cos - b * sin, b * cos - a * sin], axis=-1)


@EXERCISE.is_wrong
def both_with_plus(x, start):
    """You have a plus twice: a cos − b sin."""
    a, b = np.split(x, 2, axis=-1)
    cos, sin = np.cos(_angles(x, start)), np.sin(_angles(x, start))
    return np.concatenate([a * cos + b * sin, b * cos + a * sin], axis=-1)


@EXERCISE.is_wrong
def from_the_turned_a(x, start):
    """You took the new a to make b: both come from the old pair."""
    a, b = np.split(x, 2, axis=-1)
    cos, sin = np.cos(_angles(x, start)), np.sin(_angles(x, start))
    a = a * cos - b * sin
    return np.concatenate([a, b * cos + a * sin], axis=-1)


@EXERCISE.is_wrong
def sine_and_cosine_exchanged(x, start):
    """You exchanged sine and cosine: at place 0 nothing turns."""
    a, b = np.split(x, 2, axis=-1)
    cos, sin = np.cos(_angles(x, start)), np.sin(_angles(x, start))
    return np.concatenate([a * sin - b * cos, b * sin + a * cos], axis=-1)


@EXERCISE.is_wrong
def added_instead(x, start):
    """You added sines and cosines: turn the vector, its length stays."""
    angles = _angles(x, start)
    return x + np.concatenate([np.sin(angles), np.cos(angles)], axis=-1)


# The angles


@EXERCISE.is_wrong
def start_forgotten(x, start):
    """You counted places from 0: the first word stands at `start`."""
    return rotary(x, 0)


@EXERCISE.is_wrong
def counted_from_one(x, start):
    """You counted one too far: the first word stands at `start`."""
    return rotary(x, start + 1)


@EXERCISE.is_wrong
def every_word_at_start(x, start):
    """You turned every word alike: each stands one place further."""
    return _turn(x, start * _speeds(x.shape[-1]))


@EXERCISE.is_wrong
def one_speed(x, start):
    """You turned all pairs at one speed: pair i has 10000^(−2i / d)."""
    return _turn(x, _angles(x, start, np.ones(x.shape[-1] // 2)))


@EXERCISE.is_wrong
def half_the_exponent(x, start):
    """Your exponent is i / d: it is 2i / d."""
    return _turn(x, _angles(x, start, np.sqrt(_speeds(x.shape[-1]))))


@EXERCISE.is_wrong
def divided_by_half(x, start):
    """Your exponent is 2i / (d / 2): it is 2i / d."""
    return _turn(x, _angles(x, start, _speeds(x.shape[-1]) ** 2))


@EXERCISE.is_wrong
def faster_and_faster(x, start):
    """Your speeds rise: divide by the power, the first pair is fastest."""
    return _turn(x, _angles(x, start, 1 / _speeds(x.shape[-1])))


@EXERCISE.is_wrong
def slowest_first(x, start):
    """You began with the slowest pair: pair 0 is the fastest."""
    return _turn(x, _angles(x, start, _speeds(x.shape[-1])[::-1]))


@EXERCISE.is_wrong
def in_degrees(x, start):
    """You took the angles for degrees: they are in radians."""
    return _turn(x, np.radians(_angles(x, start)))


@EXERCISE.is_wrong
def places_on_the_first_axis(x, start):
    """You counted words on the first axis: it is the last but one."""
    n, d = x.shape[0], x.shape[-1]
    angles = np.arange(start, start + n)[:, None] * _speeds(d)
    return _turn(x, angles)


@EXERCISE.is_wrong
def in_the_inputs_dtype(x, start):
    """You rounded: an array made like `x` holds ints if x does."""
    return rotary(x, start).astype(x.dtype)
