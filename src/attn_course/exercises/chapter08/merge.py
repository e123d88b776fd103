"""Exercise 8.1: join what is known of two parts of a row."""

import numpy as np

from attn_course.exercises.cases import Case, sized
from attn_course.exercises.core import Exercise


def inputs(rng: np.random.Generator) -> list[Case]:
    """Give pairs of parts; either may hold the larger score."""
    first = np.array([[2.0, 1.0, 10.0], [5.0, 2.0, 30.0]])
    second = np.array([[4.0, 3.0, 60.0], [3.0, 1.0, 20.0]])
    cases = [Case("two rows", (first, second)), *sized(rng, _draw)]
    first, second = _draw(rng, (3,), 2)
    up = np.array([1.0, 0.0, 0.0, 0.0])  # for the largest score alone
    equal = second.copy()
    equal[..., 0] = first[..., 0]
    for size in (900, 1e4, 1e10):
        high, low = first + size * up, second - size * up
        cases += [
            Case(f"scores near {size:g}", (high, second + size * up)),
            Case(f"scores near −{size:g}", (first - size * up, low)),
            Case(f"{size:g} above 0", (high, second)),
            Case(f"{size:g} above 0, behind", (first, second + size * up)),
            Case(f"{size:g} below 0", (first, low)),
            Case(f"{size:g} below 0, in front", (low, first)),
        ]
    far = 1e4 * np.array([[1.0], [-1.0], [0.0]]) * up  # other rows elsewhere
    nothing = np.zeros_like(first)
    nothing[..., 0] = -np.inf
    some = np.where([[True], [False], [True]], nothing, first)
    single = [(x + 110 * up).astype(np.float32) for x in (second, first)]
    return [
        *cases,
        Case("equal largest scores", (first, equal)),
        Case("rows far apart", (first + far, second - far)),
        Case("rows far apart, close in pairs", (first + far, second + far)),
        Case("float32 above 100", tuple(single)),
        Case("nothing before", (nothing, second)),
        Case("nothing after", (first, nothing)),
        Case("nothing in some rows", (some, second)),
        Case("nothing before, 1e10 below 0", (nothing, low)),
        Case("nothing after, 1e10 below 0", (low, nothing.copy())),
    ]


def _draw(rng, batch, d_v):
    """Read two parts of a row, a few scores and values each."""
    return tuple(_part(rng, batch, d_v) for _ in range(2))


def _part(rng, batch, d_v):
    """Read a few scores and values."""
    scores = rng.normal(scale=2.0, size=(*batch, 4))
    values = rng.normal(scale=2.0, size=(*batch, 4, d_v))
    m = scores.max(axis=-1, keepdims=True)
    shares = np.exp(scores - m)
    total = shares.sum(axis=-1, keepdims=True)
    mixed = (shares[..., None] * values).sum(axis=-2)
    return np.concatenate([m, total, mixed], axis=-1).round(2)


EXERCISE = Exercise(
    id="8.1",
    title="Two parts of a row",
    statement="""\
Write `merge(first, second)`: two parts of a row of scores, read apart, become
one.

- `first` and `second` have shape `(..., 2 + d_v)`. Each row says what is known
  of one part: its largest score m, its sum l = Σ exp(score − m), and the sum
  of the values mixed with the same shares, o = Σ exp(score − m) · value.
- Return the same three of both parts together, `(..., 2 + d_v)`. The scores
  and values themselves are gone: do without.
- A part in which nothing was read has m = −inf, l = 0 and o = 0. Not both are
  empty.""",
    difficulty=2,
    minutes=15,
    hints=[
        "The largest score of both together is one of the two largest.",
        "Sums taken below m count too much or too little below another m: "
        "exp(score − new) = exp(score − old) · exp(old − new).",
        "Slices such as `x[..., :1]` keep the axis, so that numbers of a row "
        "stand beside its vector. l and o need the same factor.",
    ],
    inputs=inputs,
)


@EXERCISE.is_solution
def merge(first, second):
    """Join what is known of two parts of a row.

    first (..., 2 + d_v), second (..., 2 + d_v) → (..., 2 + d_v)
    """
    m = np.maximum(first[..., :1], second[..., :1])  # (..., 1)
    a, b = np.exp(first[..., :1] - m), np.exp(second[..., :1] - m)
    sums = a * first[..., 1:] + b * second[..., 1:]  # (..., 1 + d_v)
    return np.concatenate([m, sums], axis=-1)


def _split(part):
    """Give m, l and o, each with its last axis."""
    return part[..., :1], part[..., 1:2], part[..., 2:]


def _join(m, total, mixed):
    """Put three back into one."""
    return np.concatenate([m, total, mixed], axis=-1)


def _factors(first, second):
    """Give the new largest score, and what each part is multiplied by."""
    m = np.maximum(first[..., :1], second[..., :1])
    return m, np.exp(first[..., :1] - m), np.exp(second[..., :1] - m)


def _weighed(m, first, second, a, b):
    """Add both parts with these factors."""
    return np.concatenate([m, a * first[..., 1:] + b * second[..., 1:]], -1)


# Right in other words


@EXERCISE.is_right
def part_by_part(first, second):
    """Treat m, l and o one after the other."""
    m1, l1, o1 = _split(first)
    m2, l2, o2 = _split(second)
    m = np.where(m1 > m2, m1, m2)
    l1, o1 = l1 * np.exp(m1 - m), o1 * np.exp(m1 - m)
    l2, o2 = l2 * np.exp(m2 - m), o2 * np.exp(m2 - m)
    return _join(m, l1 + l2, o1 + o2)


@EXERCISE.is_right
def with_loops(first, second):
    """One row at a time; the smaller part alone is rescaled."""
    result = np.empty(first.shape)
    for row in np.ndindex(first.shape[:-1]):
        low, high = sorted([first[row], second[row]], key=lambda x: x[0])
        result[row] = high
        result[row][1:] += np.exp(low[0] - high[0]) * low[1:]
    return result


@EXERCISE.is_right
def with_logarithms(first, second):
    """Join ln Σ exp(score) of both parts, and go back."""
    m, a, b = _factors(first, second)
    total = a * first[..., 1:2] + b * second[..., 1:2]
    lse = m + np.log(total)
    means = [
        np.divide(o, part, out=np.zeros(o.shape), where=part > 0)
        for _, part, o in (_split(first), _split(second))
    ]
    shares = [
        factor * part[..., 1:2] / total
        for factor, part in ((a, first), (b, second))
    ]
    mixed = sum(x * y for x, y in zip(means, shares, strict=True))
    return _join(m, np.exp(lse - m), mixed * total)


# What is rescaled

EXERCISE.edits(
    """
first_not_rescaled: You forgot to rescale the old sums: they were taken below
        the old m.
    a * first → first
second_not_rescaled: You rescaled the first part only: the second may need it
        instead.
    b * second → second
nothing_rescaled: You added the sums as they are: each was taken below its own
        m.
    a * first → first
    b * second → second
only_sums_rescaled: You rescaled l and left o: the values were mixed with those
        shares.
    return → sums[..., 1:] = first[..., 2:] + second[..., 2:]; return
only_values_rescaled: You rescaled o and left l: both were taken below the old
        m.
    return → sums[..., :1] = first[..., 1:2] + second[..., 1:2]; return
upside_down: You rescaled by exp(m_new − m_old): it is exp(m_old − m_new).
    a * first[..., 1:] → first[..., 1:] / a
    b * second[..., 1:] → second[..., 1:] / b
factors_swapped: You gave each part the other's factor.
    a, b = → b, a =
without_exp: You multiplied by m_old − m_new: by exp of it.
    np.exp(first[..., :1] - m) → first[..., :1] - m
    np.exp(second[..., :1] - m) → second[..., :1] - m
rescaled_twice: You rescaled twice: one factor exp(m_old − m_new) is enough.
    a * first → a**2 * first
    b * second → b**2 * second
larger_part_alone: You kept the part with the larger score: the other counts
        too.
    → np.where(first[..., :1] >= second[..., :1], first, second)
    """
)


@EXERCISE.is_wrong
def scores_as_they_are(first, second):
    """You went back to sums of exp(score): large scores overflow there."""
    m, _, _ = _factors(first, second)
    a, b = np.exp(first[..., :1]), np.exp(second[..., :1])
    sums = _weighed(m, first, second, a, b)
    return np.concatenate([m, sums[..., 1:] / np.exp(m)], axis=-1)


# The largest score

EXERCISE.edits(
    """
sum_of_largest: You added the two largest scores: take the larger.
    np.maximum(first[..., :1], second → np.add(first[..., :1], second
smaller_of_largest: You took the smaller of the two scores: take the larger.
    np.maximum → np.minimum
old_largest_kept: You rescaled rightly and returned the first part's m: give
        the new.
    [m, sums] → [first[..., :1], sums]
largest_of_all_rows: You took one m for all rows: each row has its own.
    a, b = → m = np.full_like(m, m.max()); a, b =
no_m_below_zero: You let m begin at 0: scores may all be below.
    a, b = → m = np.maximum(m, 0); a, b =
no_m_below_a_billion: You took −1e9 or so for −inf: what was read may lie below
        that.
    a, b = → m = np.maximum(m, -1e9); a, b =
    """
)


@EXERCISE.is_wrong
def largest_absolute(first, second):
    """You took the score that is larger without its sign: −5 is below 2."""
    m1, m2 = first[..., :1], second[..., :1]
    m = np.where(np.abs(m1) > np.abs(m2), m1, m2)
    a, b = np.exp(m1 - m), np.exp(m2 - m)
    return _weighed(m, first, second, a, b)


@EXERCISE.is_wrong
def nothing_at_ten_thousand_below(first, second):
    """You put −1e4 for −inf: what was read elsewhere may lie below that."""
    first, second = (
        np.where(np.isneginf(x), -1e4, x) for x in (first, second)
    )
    return merge(first, second)


# What is returned

EXERCISE.edits(
    """
divided_already: You divided o by l: that comes at the very end, after all
        parts.
    return → sums[..., 1:] /= sums[..., :1]; return
mean_of_both: You took the mean of the two sums: they add up.
    [m, sums] → [m, sums / 2]
in_the_inputs_dtype: You rounded: an array made like `first` holds ints if it
        does.
    → merge(first, second).astype(first.dtype)
    """
)
