"""Exercise 7.1: a causal mask with a sliding window."""

import numpy as np

from attn_course.exercises.cases import (
    Case,
    normal,
    sized,
    steep,
    steep_batch,
    unseen,
)
from attn_course.exercises.core import Exercise
from attn_course.exercises.parts import softmax


def inputs(rng: np.random.Generator) -> list[Case]:
    """Give scores, and how many tokens back a query sees."""
    first = np.array([[0.0, 1.0, 2.0], [1.0, 1.0, 0.0], [2.0, 0.0, 0.0]])
    cases = [Case("three tokens", (first, 1)), *sized(rng, _draw)]
    for name, n, left in [
        ("itself alone", 4, 0),
        ("itself and one before", 4, 1),
        ("a window as long as the text", 4, 4),
        ("a window longer than the text", 3, 9),
        ("all but the first", 5, 3),
        ("a long text", 12, 3),
    ]:
        cases.append(Case(name, (normal(rng, n, n), left)))
    for name, scores in steep().items():
        for left in (1, 2):
            named = f"{name}, left={left}"
            cases.append(Case(named, (np.resize(scores, (5, 5)), left)))
    batch = np.stack([np.resize(scores, (5, 5)) for scores in steep_batch()])
    cases.append(Case("scores far apart in a batch", (batch, 2)))
    scores = normal(rng, 5, 5)
    cases.append(Case("whole scores", (np.rint(scores).astype(int), 2)))
    hidden = ~np.tri(5, dtype=bool) | np.tri(5, k=-3, dtype=bool)
    batch = np.stack([scores, scores.T])
    return [
        *cases,
        *unseen("hidden scores", (scores, 2), {0: hidden}),
        *unseen("the last score", (batch, 2), {0: np.s_[1, :-1, -1]}),
    ]


def _draw(rng, batch, n):
    """Draw scores and a window, which may be longer than the text."""
    return normal(rng, *batch, n, n), int(rng.integers(0, n + 1))


EXERCISE = Exercise(
    id="7.1",
    title="A sliding window",
    statement="""\
Write `window_weights(scores, left)`: causal attention weights with a sliding
window.

- `scores` has shape `(..., n, n)`: row i holds the scores of query i for all
  keys, scaled already.
- Query i sees the keys i − left, …, i − 1, i: itself and the `left` tokens
  before it, or as many as there are.
- Each row of the result sums to 1; hidden keys have weight 0, whatever their
  scores are, be it NaN.
- Return the weights, `(..., n, n)`. Scores can be large: nothing may
  overflow.""",
    difficulty=1,
    minutes=15,
    hints=[
        "Two conditions say what a query sees: not later than itself, and not "
        "too long ago.",
        "`np.arange(n)[:, None] - np.arange(n)` is how far each key (column) "
        "lies behind each query (row).",
        "Hide before the softmax: a score of −inf gives a weight of 0. The "
        "highest score to subtract is that of the keys in sight.",
    ],
    inputs=inputs,
)


@EXERCISE.is_solution
def window_weights(scores, left):
    """Give causal weights over the last left + 1 keys.

    scores (..., n, n), left (a number) → (..., n, n)
    """
    place = np.arange(scores.shape[-1])
    behind = place[:, None] - place  # (n, n): query − key
    seen = (behind >= 0) & (behind <= left)
    shown = np.where(seen, scores, -np.inf)
    shares = np.exp(shown - shown.max(axis=-1, keepdims=True))
    return shares / shares.sum(axis=-1, keepdims=True)


def _behind(scores):
    """Say how far each key lies behind each query, (n, n)."""
    place = np.arange(scores.shape[-1])
    return place[:, None] - place


def _weigh(scores, seen):
    """Take the softmax over the keys in sight."""
    return softmax(np.where(seen, scores, -np.inf))


# Right in other words


@EXERCISE.is_right
def with_two_triangles(scores, left):
    """Take one triangle out of another."""
    n = scores.shape[-1]
    seen = np.tri(n, dtype=bool) & ~np.tri(n, k=-left - 1, dtype=bool)
    return _weigh(scores, seen)


@EXERCISE.is_right
def with_loops(scores, left):
    """Take one row at a time, and only the keys in sight."""
    weights = np.zeros(scores.shape)
    for i in range(scores.shape[-1]):
        first = max(0, i - left)
        row = scores[..., i, first : i + 1]
        weights[..., i, first : i + 1] = softmax(row)
    return weights


@EXERCISE.is_right
def with_the_course(scores, left):
    """Use the course's mask and softmax, which take floats."""
    from attn_course.functional import masked_softmax
    from attn_course.masks import band

    mask = band(scores.shape[-1], left=left, right=0)
    return masked_softmax(1.0 * scores, mask)


# Which keys

EXERCISE.edits(
    """
no_window: You left the window out: keys too long ago must be hidden.
    & (behind <= left) →
not_causal: You let queries see later keys: a query sees itself and before.
    (behind >= 0) & (behind <= left) → behind <= left
both_sides: You opened the window to both sides: later keys must be hidden.
    (behind >= 0) & (behind <= left) → np.abs(behind) <= left
looks_ahead: You took the keys after the query: exchange rows and columns.
    place[:, None] - place → place - place[:, None]
one_too_few: Your window is one key too short: `left` keys and the query's own.
    behind <= left → behind < max(left, 1)
empty_window: Your window holds `left` keys in all: the query's own comes on
        top.
    behind <= left → behind < left
one_too_many: Your window is one key too long: it starts at i − left.
    behind <= left → behind <= left + 1
blocks: You cut the text into blocks: the window moves with each query.
    (behind <= left) → (place[:, None] // (left + 1) == place // (left + 1))
too_long_ago_only: You kept what should be hidden: keys of the window stay.
    (behind >= 0) & (behind <= left) → (behind > left) | (behind == 0)
every_so_many: You took every so many keys: that is a dilated window.
    behind <= left → behind % (left + 1) == 0
first_token_too: You kept the first token in sight: it goes out of the window
        too.
    (behind <= left) → ((behind <= left) | (place == 0))
    """
)


@EXERCISE.is_wrong
def itself_hidden(scores, left):
    """You hid the query's own key: it sees itself."""
    behind = _behind(scores)
    seen = (behind > 0) & (behind <= left)
    return _weigh(scores, seen | ((behind == 0) & ~seen.any(-1)[:, None]))


@EXERCISE.is_wrong
def window_of_the_last_query(scores, left):
    """You gave all queries the window of the last: each has its own."""
    n = scores.shape[-1]
    seen = np.tri(n, dtype=bool)
    seen &= np.arange(n) >= n - 1 - left
    return _weigh(scores, seen | np.eye(n, dtype=bool))


# How they are hidden

EXERCISE.edits(
    """
score_of_zero: You set hidden scores to 0: exp(0) is 1. Use −inf.
    -np.inf → 0.0
score_of_minus_a_hundred: You gave hidden keys a low score, −100 or so: real
        ones may be lower.
    -np.inf → -100.0
score_of_minus_ten_thousand: You gave hidden keys a low score, −1e4 or so: real
        ones may be lower.
    -np.inf → -1e4
score_of_minus_a_billion: You gave hidden keys a low score, −1e9 or so: real
        ones may be lower.
    -np.inf → -1e9
minus_ten_thousand_added: You added −1e4 or so to hidden scores: one of 1e5 is
        still seen.
    np.where(seen, scores, -np.inf) → scores + np.where(seen, 0.0, -1e4)
minus_a_billion_added: You added −1e9 or so to hidden scores: one of 1e10 is
        still seen.
    np.where(seen, scores, -np.inf) → scores + np.where(seen, 0.0, -1e9)
minus_infinity_added: You added −inf: NaN and inf stay NaN. Choose with
        `np.where`.
    np.where(seen, scores, -np.inf) → scores + np.where(seen, 0.0, -np.inf)
minus_one_added: You took 1 from hidden scores: that dims them, −inf hides
        them.
    np.where(seen, scores, -np.inf) → scores - 1.0 * ~seen
softmax_over_queries: You took the softmax down the columns: each row must sum
        to 1.
    shown.max(axis=-1, → shown.max(axis=-2,
    shares.sum(axis=-1, → shares.sum(axis=-2,
no_maximum_subtracted: Large scores overflow: subtract each row's highest
        before exp.
    shown - shown.max(axis=-1, keepdims=True) → shown
largest_absolute: You subtracted the largest absolute score: below 0, all
        vanish.
    shown.max( → np.where(seen, np.abs(scores), 0).max(
one_maximum_for_all: You subtracted the largest score of all rows: each has its
        own.
    shown.max(axis=-1, keepdims=True) → shown.max()
in_the_dtype_of_the_scores: You rounded: an array made like `scores` holds ints
        if they are.
    → window_weights(scores, left).astype(scores.dtype)
equal_weights: You gave all keys of the window the same weight: use the scores.
    → window_weights(np.zeros_like(scores), left)
    """
)


@EXERCISE.is_wrong
def lower_triangle(scores, left):
    """You kept a triangle of the scores: the 0 of the rest gets weight."""
    return softmax(np.tril(scores) - np.tril(scores, k=-left - 1))


@EXERCISE.is_wrong
def zeros_hidden(scores, left):
    """You hid every score that is 0: a real one may be. Hide by place."""
    kept = np.tril(scores) - np.tril(scores, k=-left - 1)
    return softmax(np.where(kept == 0, -np.inf, kept))


@EXERCISE.is_wrong
def hidden_after_the_softmax(scores, left):
    """You hid keys after the softmax: the rows no longer sum to 1."""
    behind = _behind(scores)
    seen = (behind >= 0) & (behind <= left)
    return np.where(seen, softmax(scores), 0.0)


@EXERCISE.is_wrong
def normalised_again(scores, left):
    """You divided after the softmax: where all seen is 0, that is 0/0."""
    hidden = hidden_after_the_softmax(scores, left)
    return hidden / hidden.sum(axis=-1, keepdims=True)


@EXERCISE.is_wrong
def maximum_of_hidden_keys(scores, left):
    """You subtracted the highest of all scores: hidden ones don't count."""
    behind = _behind(scores)
    seen = (behind >= 0) & (behind <= left)
    shares = np.exp(scores - scores.max(axis=-1, keepdims=True)) * seen
    return shares / np.maximum(shares.sum(axis=-1, keepdims=True), 1e-300)
