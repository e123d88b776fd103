"""Exercise 3.2: softmax, of any scores."""

import numpy as np
from array_api_compat import array_namespace

from attn_course.exercises.cases import (
    Case,
    normal,
    sized,
    steep,
    steep_batch,
)
from attn_course.exercises.core import Exercise


def draw(rng, batch, n_k):
    """Draw scores."""
    return (normal(rng, *batch, n_k),)


def inputs(rng: np.random.Generator) -> list[Case]:
    """Give scores of many shapes, some far apart."""
    return [
        *sized(rng, draw),
        *[Case(name, (scores,)) for name, scores in steep().items()],
        Case("scores far apart in a batch", (steep_batch(),)),
        Case("equal scores", (np.full((2, 4), 3.0),)),
    ]


EXERCISE = Exercise(
    id="3.2",
    title="Softmax",
    statement="""\
Write `softmax(scores)`: exponentials, divided by their sum along the last
axis.

- `scores` has shape `(..., n_k)`; the dots are any axes, or none. The result
  has the same shape, and each row of n_k weights sums to 1.
- A score may be 1000, where exp is inf, or all may be −1000, where it is 0.
- For NumPy and torch alike: `xp = array_namespace(scores)` gives the library
  that the array is of, with `xp.exp`, `xp.max` and `xp.sum` under the names of
  NumPy. A call of `np.exp` would cut a tensor off from its gradient.""",
    difficulty=1,
    minutes=10,
    hints=[
        "Two lines: exponentials, then divide by their sum. `axis=-1` sums "
        "each row, `keepdims=True` keeps the axis so that it broadcasts.",
        "Subtract any number from all scores of a row: top and bottom of the "
        "fraction get the same factor, and nothing changes.",
        "Which number makes the largest exponential 1, so that nothing "
        "overflows and not all vanish? Each row has its own.",
    ],
    inputs=inputs,
    differentiable=True,
)


@EXERCISE.is_solution
def softmax(scores):
    """Turn scores into weights that sum to 1 along the last axis.

    scores (..., n_k) → (..., n_k)
    """
    xp = array_namespace(scores)
    highest = xp.max(scores, axis=-1, keepdims=True)  # (..., 1)
    exps = xp.exp(scores - highest)  # (..., n_k), at most 1
    return exps / xp.sum(exps, axis=-1, keepdims=True)


# Right in other words


@EXERCISE.is_right
def with_logarithms(scores):
    """Subtract the logarithm of the sum instead of dividing."""
    xp = array_namespace(scores)
    scores = scores - xp.max(scores, axis=-1, keepdims=True)
    total = xp.sum(xp.exp(scores), axis=-1, keepdims=True)
    return xp.exp(scores - xp.log(total))


@EXERCISE.is_right
def with_a_new_axis(scores):
    """Put the axis back by hand."""
    xp = array_namespace(scores)
    exps = xp.exp(scores - xp.max(scores, axis=-1)[..., None])
    return exps / exps.sum(-1)[..., None]


# Without a largest score


@EXERCISE.is_wrong
def no_maximum_subtracted(scores):
    """Right for small scores, but exp overflows: subtract the maximum."""
    exps = np.exp(scores)
    return exps / exps.sum(axis=-1, keepdims=True)


def _shifted(scores, shift):
    exps = np.exp(scores - shift)
    return exps / exps.sum(axis=-1, keepdims=True)


@EXERCISE.is_wrong
def minimum_subtracted(scores):
    """You subtracted the minimum: scores far above it overflow."""
    return _shifted(scores, scores.min(axis=-1, keepdims=True))


@EXERCISE.is_wrong
def first_score_subtracted(scores):
    """You subtracted the first score: one far above it overflows."""
    return _shifted(scores, scores[..., :1])


@EXERCISE.is_wrong
def mean_subtracted(scores):
    """You subtracted the mean: a score far above it overflows."""
    return _shifted(scores, scores.mean(axis=-1, keepdims=True))


@EXERCISE.is_wrong
def largest_absolute_subtracted(scores):
    """You subtracted the largest |score|: far below it all become 0/0."""
    return _shifted(scores, np.abs(scores).max(axis=-1, keepdims=True))


@EXERCISE.is_wrong
def maximum_of_everything(scores):
    """One maximum for all rows: a row far below it becomes 0/0."""
    return _shifted(scores, scores.max())


@EXERCISE.is_wrong
def maximum_without_keepdims(scores):
    """`keepdims=True` is missing in the maximum: columns are shifted."""
    return _shifted(scores, scores.max(axis=-1))


@EXERCISE.is_wrong
def divided_by_the_maximum(scores):
    """You divided by the largest score: subtract it."""
    return _shifted(scores / scores.max(axis=-1, keepdims=True), 0.0)


@EXERCISE.is_wrong
def scores_clipped(scores):
    """You cut the scores off: those beyond the limit become equal."""
    return softmax(np.clip(scores, -700, 700))


# Along another axis


@EXERCISE.is_wrong
def sum_of_everything(scores):
    """All weights together sum to 1: each row should. Give an `axis`."""
    exps = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return exps / exps.sum()


@EXERCISE.is_wrong
def along_the_first_axis(scores):
    """You went along axis 0: the keys are the last axis, −1."""
    exps = np.exp(scores - scores.max(axis=0))
    return exps / exps.sum(axis=0)


@EXERCISE.is_wrong
def along_axis_one(scores):
    """You went along axis 1: with other axes before it, the last is −1."""
    exps = np.exp(scores - scores.max(axis=1, keepdims=True))
    return exps / exps.sum(axis=1, keepdims=True)


@EXERCISE.is_wrong
def sum_without_keepdims(scores):
    """`keepdims=True` is missing in the sum: it divides along columns."""
    exps = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return exps / exps.sum(axis=-1)


# No softmax


@EXERCISE.is_wrong
def not_divided(scores):
    """You left out the sum: divide each row's exponentials by it."""
    return np.exp(scores - scores.max(axis=-1, keepdims=True))


@EXERCISE.is_wrong
def scores_over_their_sum(scores):
    """You divided the scores themselves: take their exponentials first."""
    return scores / scores.sum(axis=-1, keepdims=True)


@EXERCISE.is_wrong
def squares_over_their_sum(scores):
    """You squared the scores: a negative score must get less, not more."""
    return scores**2 / (scores**2).sum(axis=-1, keepdims=True)


@EXERCISE.is_wrong
def hard_argmax(scores):
    """You gave the best score everything: softmax shares among all."""
    return np.eye(scores.shape[-1])[scores.argmax(axis=-1)]


@EXERCISE.is_wrong
def sigmoid(scores):
    """You took a sigmoid of each score: its rows do not sum to 1."""
    return 1 / (1 + np.exp(-scores))


@EXERCISE.is_wrong
def logarithm_returned(scores):
    """You returned the logarithm of the weights: take its exponential."""
    return np.log(softmax(scores))
