"""Exercise 5.1: mend a matrix that is no attention, and say what was wrong."""

import numpy as np

from attn_course.exercises.cases import Case, sized
from attn_course.exercises.core import Exercise
from attn_course.exercises.parts import softmax


def inputs(rng: np.random.Generator) -> list[Case]:
    """Give rows of any sum, some of them zeros."""
    printed = np.array([[0.3, 0.1, 0.8], [0.25, 0.5, 0.25]])
    (empty,) = _draw(rng, (), 4, 5)
    empty[2] = 0.0
    causal = np.tril(*_draw(rng, (2,), 4, 4), -1)
    halves = np.array([[0.5, 0.5], [0.0, 0.0]])
    return [
        *sized(rng, _draw, to_ints=np.ceil),
        Case("as printed", (printed,)),
        Case("a word that may look at nothing", (empty,)),
        Case("each sees what came before", (causal,)),
        Case("right already, beside zeros", (halves,)),
        Case("nothing but zeros", (np.zeros((2, 3)),)),
        Case("a row of tiny weights", (np.array([[2e-12, 6e-12]]),)),
        Case("a row of the tiniest", (np.array([[1e-300, 3e-300]]),)),
        Case("tiny and large sums", (np.array([[[2e-12, 6e-12], [3, 9]]]),)),
        Case("counts, with zeros", (np.array([[3, 0, 1], [0, 0, 0]]),)),
    ]


def _draw(rng, batch, n_q, n_k):
    """Draw rows of any sum."""
    return (rng.gamma(0.8, size=(*batch, n_q, n_k)).round(2) + 0.05,)


EXERCISE = Exercise(
    id="5.1",
    title="Mend a matrix",
    statement="""\
Write `mend(weights)`: make each row sum to 1, and say what it summed to.

- `weights` has shape `(..., n_q, n_k)`: no weight is negative, but the rows
  sum to anything.
- Return shape `(..., n_q, n_k + 1)`: the mended row, and in a last column the
  sum that the row had.
- A row of zeros belongs to a word that may look at nothing. It stays zeros,
  also in its last column: no NaN, and nothing made up.""",
    difficulty=1,
    minutes=10,
    hints=[
        "Each row is divided by its own sum. `keepdims=True` keeps the axis, "
        "so that sums stand beside their rows.",
        "0 / 0 is NaN. What else could you divide a row of zeros by?",
        "`np.concatenate([..., ...], axis=-1)` puts the sums into a last "
        "column.",
    ],
    inputs=inputs,
)


@EXERCISE.is_solution
def mend(weights):
    """Divide each row by its sum; put the sums into a last column.

    weights (..., n_q, n_k) → (..., n_q, n_k + 1)
    """
    total = weights.sum(axis=-1, keepdims=True)  # (..., n_q, 1)
    rows = weights / np.where(total == 0, 1, total)
    return np.concatenate([rows, total], axis=-1)


def _beside(rows, weights):
    """Put the sums of the weights as they were into a last column."""
    total = weights.sum(axis=-1, keepdims=True)
    return np.concatenate([rows, total], axis=-1)


# Right in other words


@EXERCISE.is_right
def only_where_there_is_something(weights):
    """Divide where the sum is above 0, and leave zeros elsewhere."""
    total = weights.sum(axis=-1, keepdims=True)
    rows = np.zeros(weights.shape)
    np.divide(weights, total, out=rows, where=total > 0)
    return np.append(rows, total, axis=-1)


@EXERCISE.is_right
def with_loops(weights):
    """One row at a time."""
    result = np.zeros((*weights.shape[:-1], weights.shape[-1] + 1))
    for place in np.ndindex(weights.shape[:-1]):
        total = weights[place].sum()
        if total > 0:
            result[place][:-1] = weights[place] / total
        result[place][-1] = total
    return result


# What is divided by what

EXERCISE.edits(
    """
columns_mended: You made the columns sum to 1: softmax runs along the keys of a
        row.
    rows = → below = np.sum(weights, axis=-2, keepdims=True); rows =
    (total == 0, 1, total) → (below == 0, 1, below)
one_sum_for_all: You divided by the sum of the whole matrix: each row has its
        own.
    rows = → whole = np.sum(weights, axis=(-1, -2), keepdims=True); rows =
    (total == 0, 1, total) → (whole == 0, 1, whole)
divided_by_the_largest: You divided by the largest weight of the row: then that
        one is 1.
    rows = → top = weights.max(axis=-1, keepdims=True); rows =
    (total == 0, 1, total) → (top == 0, 1, top)
excess_taken_evenly: You took the same from each weight: ratios change. Divide
        instead.
    np.where(total == 0, 1, total) → 1 - (total - 1) / weights.shape[-1]
only_large_sums: You mended only rows with a sum above 1: one below is no less
        wrong.
    np.where(total == 0, 1, total) → np.maximum(total, 1)
left_as_they_were: You found the sums and left the rows as they were.
    weights / np.where(total == 0, 1, total) → weights
    """
)


@EXERCISE.is_wrong
def softmax_again(weights):
    """You took a softmax of the weights: it changes their ratios."""
    return _beside(softmax(weights.astype(float)), weights)


# Rows of zeros, and tiny ones

EXERCISE.edits(
    """
zero_by_zero: Right until a row holds zeros: 0 / 0 is NaN.
    np.where(total == 0, 1, total) → total
a_little_added: You added a little to the sum: rows of tiny weights then
        vanish.
    np.where(total == 0, 1, total) → (total + 1e-8)
in_the_dtype_of_weights: You kept the dtype of the weights: ints lose what a
        half is.
    → mend(weights).astype(weights.dtype)
zeros_shared_out: You gave a row of zeros equal weights: it may look at
        nothing.
    return → rows = np.where(total == 0, 1 / weights.shape[-1], rows); return
    """
)


# The last column

EXERCISE.edits(
    """
sums_left_out: You left out the last column: it says what each row summed to.
    → mend(weights)[..., :-1]
sums_of_the_mended: Your last column holds sums after mending: give those
        before.
    [rows, total] → [rows, rows.sum(axis=-1, keepdims=True)]
how_far_from_one: Your last column says how far the sum was from 1: give the
        sum.
    [rows, total] → [rows, total - 1]
whether_it_was_broken: Your last column says whether a row was broken: give its
        sum.
    [rows, total] → [rows, np.abs(total - 1) > 1e-3]
sums_first: You put the sums into the first column: they belong into the last.
    [rows, total] → [total, rows]
    """
)
