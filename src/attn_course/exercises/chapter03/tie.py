"""Exercise 3.9: vectors that break the tie."""

import numpy as np

from attn_course.exercises.feedback import Result
from attn_course.exercises.parts import softmax
from attn_course.exercises.quest import Quest, right, wrong

WORDS = ("cat", "sat", "mat")

EXERCISE = Quest(
    id="3.9",
    title="Break the tie",
    statement="""\
*it* asks with `[1, 0, 1, 0]`, and *cat*, *sat* and *mat* answer alike. Choose
a `query` of shape `(4,)` and a `key` of shape `(3, 4)`, so that *cat* gets
more than half of the attention, softmax(q·k / √4).

- All numbers are 0 or 1, and each key has exactly two ones, so that no word
  wins by length alone.
- The three keys are different. The query may have any number of ones.""",
    difficulty=2,
    minutes=15,
    hints=[
        "With two ones a key can score 0, 1 or 2. Which three scores give the "
        "first word the largest weight?",
        "The best would be 2, 0, 0. Can two different keys both score 0 "
        "where the first scores 2? Try to write them down.",
        "2, 1, 0 gives e / (e + √e + 1). Is that enough?",
    ],
)


@EXERCISE.is_judged_by
def judge(query, key) -> Result:
    """Look at the rules, then at the weight of *cat*."""
    query, key = (np.asarray(x, dtype=float) for x in (query, key))
    if query.shape != (4,) or key.shape != (3, 4):
        return wrong(
            "wrong_shape",
            "The query should have shape (4,) and the keys (3, 4), but they "
            f"have {query.shape} and {key.shape}.",
        )
    if not np.isin(query, (0, 1)).all() or not np.isin(key, (0, 1)).all():
        return wrong("not_zero_or_one", "All numbers should be 0 or 1.")
    ones = key.sum(-1)
    if (ones != 2).any():
        word, n = next(x for x in zip(WORDS, ones, strict=True) if x[1] != 2)
        return wrong(
            "wins_by_length",
            f"The key of {word} has {n:.0f} ones: each should have two, for "
            "with more of them a key scores more whatever is asked.",
        )
    if len(np.unique(key, axis=0)) < 3:
        return wrong(
            "same_keys",
            "Two of the keys are the same: no query can tell them apart.",
        )
    return _by_weight(softmax(key @ query / 2))


def _by_weight(weights: np.ndarray) -> Result:
    """Say how the words share the attention."""
    said = ", ".join(
        f"{word} {weight:.3f}"
        for word, weight in zip(WORDS, weights, strict=True)
    )
    if np.ptp(weights) == 0:
        return wrong("still_a_tie", f"It is still a tie: {said}.")
    best = WORDS[weights.argmax()]
    if best != "cat":
        return wrong("another_word", f"Most goes to {best}: {said}.")
    if weights[0] <= 0.5:
        return wrong(
            "not_half", f"cat has most, but not more than half: {said}."
        )
    return right(f"The tie is broken: {said}.")


@EXERCISE.is_solution
def broken_tie():
    """Let cat score 2, sat 1 and mat 0."""
    query = np.array([1.0, 1.0, 0.0, 0.0])
    key = np.array(
        [
            [1.0, 1.0, 0.0, 0.0],  # cat
            [0.0, 1.0, 1.0, 0.0],  # sat
            [0.0, 0.0, 1.0, 1.0],  # mat
        ]
    )
    return query, key


@EXERCISE.is_right
def with_another_query():
    """Keep the query of *it*."""
    return [1, 0, 1, 0], [[1, 0, 1, 0], [0, 1, 0, 1], [0, 0, 1, 1]]


ARTICLE = np.array([[1, 1, 0, 0], [0, 1, 1, 0], [0, 0, 1, 1]])


@EXERCISE.is_wrong
def still_a_tie():
    """Keep the article's numbers."""
    return [1, 0, 1, 0], ARTICLE


@EXERCISE.is_wrong
def wrong_shape():
    """Give the query an axis too many."""
    return [[1, 1, 0, 0]], ARTICLE


@EXERCISE.is_wrong
def not_zero_or_one():
    """Ask four times as loudly."""
    return [4, 4, 0, 0], ARTICLE


@EXERCISE.is_wrong
def wins_by_length():
    """Make the first key longer."""
    return [1, 1, 1, 0], [[1, 1, 1, 0], *ARTICLE[1:]]


@EXERCISE.is_wrong
def same_keys():
    """Let the two others agree."""
    return [1, 1, 0, 0], [[1, 1, 0, 0], [0, 0, 1, 1], [0, 0, 1, 1]]


@EXERCISE.is_wrong
def another_word():
    """Ask for the last."""
    return [0, 0, 1, 1], ARTICLE


@EXERCISE.is_wrong
def not_half():
    """Let the two others score 1 both."""
    return [1, 1, 1, 0], [[1, 1, 0, 0], [0, 0, 1, 1], [1, 0, 0, 1]]
