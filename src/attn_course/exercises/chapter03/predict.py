"""Exercise 3.10: predict what d does to scores, then measure it."""

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from attn_course.exercises.feedback import Result
from attn_course.exercises.parts import softmax
from attn_course.exercises.quest import Quest, right, wrong

SIZES = np.array([4, 16, 64, 256, 1024])
ROOT = np.sqrt(SIZES)
KEYS = 32
# Some draw their 32 keys once, which is little at d = 4.
SPREAD_WITHIN, LARGEST_WITHIN = 0.2, 0.08

EXERCISE = Quest(
    id="3.10",
    title="Predict, then measure",
    statement="""\
Queries and keys are drawn at random: every number independent, with mean 0
and variance 1. Nothing is divided by √d. For d = 4, 16, 64, 256 and 1024, how
large is the standard deviation of q·k, and what is the largest weight that a
query gives to one of 32 keys, on average?

- First write five numbers into `guess_spread` and into `guess_largest`. No
  measuring yet, and no looking it up: it is a guess.
- Then measure: `spread` and `largest`, five numbers each, with at least 200
  queries for each d.
- The check compares your measurement with theory, and then your guess.""",
    difficulty=2,
    minutes=20,
    hints=[
        "`rng = np.random.default_rng(0)`, and `rng.normal(size=(500, d))` "
        "are 500 queries. Keys likewise, 32 of them.",
        "All scores at once are one matrix product, (500, 32). Its standard "
        "deviation is `.std()`.",
        "Your `softmax` works along the last axis: the largest of each row, "
        "then the mean over the rows. One draw of the keys is little: draw "
        "anew several times and average.",
    ],
)


@EXERCISE.is_judged_by
def judge(guess_spread, guess_largest, spread, largest) -> Result:
    """Look at the guess, then at the measurement, and compare the two."""
    given = (guess_spread, guess_largest, spread, largest)
    numbers = [np.asarray(x, dtype=float) for x in given]
    guesses, measured = numbers[:2], numbers[2:]
    if any(x.shape != (5,) or (x <= 0).any() for x in numbers):
        return wrong(
            "not_five",
            "All four should hold five numbers above 0, one for each d.",
        )
    if any(
        np.array_equal(*pair) for pair in zip(guesses, measured, strict=True)
    ):
        return wrong(
            "guess_is_the_measurement",
            "Your guess is your measurement, to the last digit: what did you "
            "think before?",
        )
    found = _wrong_spread(measured[0]) or _wrong_largest(measured[1])
    return found or _compared(*numbers)


def _wrong_spread(spread: np.ndarray) -> Result | None:
    """Say what was measured in place of √d."""
    if np.allclose(spread, ROOT, rtol=SPREAD_WITHIN):
        return None
    for mistake, other, message in [
        ("variance", ROOT**2, "You measured the variance: its root is "
         "the standard deviation."),
        ("scaled", np.ones(5), "You divided by √d: here it is left out."),
        ("divided_by_d", ROOT**-1, "You divided by d: here the scores "
         "stay as they are."),
        ("not_around_zero", np.sqrt(7 / 144) * ROOT, "Your numbers lie "
         "between 0 and 1, so their mean is not 0: draw with `rng.normal`."),
        ("mean_of_size", np.sqrt(2 / np.pi) * ROOT, "You averaged |q·k|: "
         "the standard deviation averages squares."),
    ]:  # fmt: skip
        if np.allclose(spread, other, rtol=SPREAD_WITHIN):
            return wrong(mistake, message)
    return wrong(
        "wrong_spread",
        "The spread is not what theory says, within a fifth: are there "
        "enough queries, and is every number drawn anew?",
    )


@cache
def expected_largest(scaled: bool = False) -> np.ndarray:
    """Simulate the mean largest weight, (5,): given q, scores are normal."""
    rng = np.random.default_rng(0)
    lengths = np.sqrt(rng.chisquare(SIZES, size=(2000, 5)))  # ‖q‖
    if scaled:
        lengths = lengths / np.sqrt(SIZES)
    scores = lengths[..., None] * rng.normal(size=(2000, 5, KEYS))
    return softmax(scores).max(-1).mean(0)


def _wrong_largest(largest: np.ndarray) -> Result | None:
    """Say what was measured in place of the mean largest weight."""
    for mistake, other, message in [
        ("largest_of_scaled", expected_largest(scaled=True), "These are the "
         "weights with the division by √d: leave it out."),
        ("mean_weight", np.full(5, 1 / KEYS), "You averaged all weights, "
         "which gives 1/32 whatever they are: take each row's largest."),
        ("largest_of_all", np.ones(5), "You took the largest of all queries: "
         "take each query's largest, then the mean."),
    ]:  # fmt: skip
        if np.allclose(largest, other, rtol=0, atol=0.01):
            return wrong(mistake, message)
    if not np.allclose(
        largest, expected_largest(), rtol=0, atol=LARGEST_WITHIN
    ):
        return wrong(
            "wrong_largest",
            "The largest weight is not what a simulation gives, within 0.08: "
            "does the softmax go along the 32 keys, and are there several "
            "draws?",
        )
    return None


def _compared(
    guess_spread: np.ndarray,
    guess_largest: np.ndarray,
    spread: np.ndarray,
    largest: np.ndarray,
) -> Result:
    """Say how far the guess was off."""
    worst = np.exp(np.abs(np.log(np.abs(guess_spread / spread))).max())
    off = np.abs(guess_largest - largest).max()
    return right(
        "Measured well: the spread grows as √d, and the largest weight "
        f"comes near 1. Your guess of the spread was off by a factor of "
        f"{worst:.1f} at most, that of the weight by {off:.2f}."
    )


GUESSES = [2.0, 4.0, 8.0, 16.0, 30.0], [0.2, 0.4, 0.6, 0.8, 0.9]


@EXERCISE.is_solution
def measured():
    """Measure 20 draws of 100 queries and 32 keys."""
    rng = np.random.default_rng(0)
    spread, largest = [], []
    for d in (4, 16, 64, 256, 1024):
        query, key = (
            rng.normal(size=(20, 100, d)),
            rng.normal(size=(20, 32, d)),
        )
        scores = query @ key.swapaxes(-1, -2)  # (20, 100, 32)
        exps = np.exp(scores - scores.max(-1, keepdims=True))
        weights = exps / exps.sum(-1, keepdims=True)
        spread.append(scores.std())
        largest.append(weights.max(-1).mean())
    guess_spread, guess_largest = [4, 8, 12, 16, 20], [0.1, 0.2, 0.3, 0.4, 0.5]
    return guess_spread, guess_largest, spread, largest


@EXERCISE.is_right
def of_theory():
    """Give what theory and a simulation say."""
    return *GUESSES, ROOT, expected_largest()


def _instead(name: str, spread: Any = ROOT, largest: Any = None) -> Callable:
    """Make a wrong answer: one of the two measurements is another."""

    def answer():
        other = expected_largest() if largest is None else largest
        return *GUESSES, spread, other

    answer.__name__ = name
    return answer


for _name, _spread in [
    ("variance", ROOT**2),
    ("scaled", np.ones(5)),
    ("divided_by_d", 1 / ROOT),
    ("not_around_zero", 0.22 * ROOT),
    ("mean_of_size", 0.75 * ROOT),
    ("wrong_spread", 3 * ROOT),
]:
    EXERCISE.is_wrong(_instead(_name, spread=_spread))
for _name, _largest in [
    ("mean_weight", np.full(5, 1 / KEYS)),
    ("largest_of_all", np.ones(5)),
    ("wrong_largest", np.full(5, 0.9)),
]:
    EXERCISE.is_wrong(_instead(_name, largest=_largest))


@EXERCISE.is_wrong
def largest_of_scaled():
    """Divide by √d before the softmax alone."""
    return *GUESSES, ROOT, expected_largest(scaled=True)


@EXERCISE.is_wrong
def not_five():
    """Guess for one d alone."""
    return [2.0], [0.2], ROOT, expected_largest()


@EXERCISE.is_wrong
def guess_is_the_measurement():
    """Write the measurement into the guess."""
    spread, largest = ROOT, expected_largest()
    return spread, largest, spread, largest
