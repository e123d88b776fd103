"""Exercise 2.3: how wrong an alignment is."""

import numpy as np

from attn_course.exercises.cases import Case, hard, sized
from attn_course.exercises.core import Exercise
from attn_course.exercises.parts import softmax
from attn_course.interpret.alignment import (
    alignment_error_rate as from_the_course,
)
from attn_course.interpret.alignment import strongest_links


def inputs(rng: np.random.Generator) -> list[Case]:
    """Give weights and gold links."""
    weights, _, possible = _draw(rng, 2, 5, 3)
    best = np.eye(3, dtype=bool)[weights.argmax(-1)]
    nothing = np.zeros_like(possible)
    row = np.array([[[0.4, 0.2, 0.4]], [[0.2, 0.4, 0.4]]])
    first = row == 0.4
    first[..., 2] = False
    alike = np.full((2, 3, 4), 0.25)
    return [
        *sized(rng, _draw, to_ints=hard),
        Case("many sentences", _draw(rng, 12, 3, 3)),
        Case("long sentences", _draw(rng, 2, 20, 18)),
        Case("all right", (weights, best, best.copy())),
        Case("no link is sure", (weights, nothing, possible)),
        Case("all wrong", (weights, nothing.copy(), ~best)),
        Case("two weights tie", (row, first, first.copy())),
        Case("two tie, the later one is gold", (row, ~first, ~first)),
        Case("all weights alike", (alike, *_gold(rng, alike))),
    ]


def _draw(rng, n, n_out, n_in):
    """Draw weights, and links that often are where the weights are."""
    scores = 2 * rng.normal(size=(n, n_out, n_in))
    weights = softmax(scores)
    return weights, *_gold(rng, weights)


def _gold(rng, weights):
    """Draw sure and possible links."""
    possible = rng.random(weights.shape) < 0.25 + 0.5 * weights
    return possible & (rng.random(weights.shape) < 0.6), possible


EXERCISE = Exercise(
    id="2.3",
    title="Alignment error rate",
    statement="""\
Write `error_rates(weights, sure, possible)`: the alignment error rate of Och
and Ney (2003) for each of several sentences.

- `weights` has shape `(n, n_out, n_in)`: n sentences, output words in rows.
  `sure` and `possible` are boolean, of the same shape: the gold links. Every
  sure link is possible too.
- The links found, A, are the input word with the largest weight for each
  output word; where several have it, the first of them alone.
- Return 1 − (|A∩S| + |A∩P|) / (|A| + |S|) for each sentence, `(n,)`.""",
    difficulty=1,
    minutes=10,
    hints=[
        "Make the links found a boolean array of the same shape: one True in "
        "each row. `np.eye(n_in)[…]` turns places into such rows.",
        "Of boolean arrays `&` is the intersection, and a sum over the last "
        "two axes counts.",
        "How many links are found in a sentence? One for each output word.",
    ],
    inputs=inputs,
)


def _found(weights):
    """Give the strongest links as a boolean array."""
    return np.eye(weights.shape[-1], dtype=bool)[weights.argmax(-1)]


def _count(links):
    return links.sum(axis=(-2, -1))


def _share(part, whole):
    """Divide; nothing of nothing is nothing."""
    return part / np.maximum(whole, 1)


@EXERCISE.is_solution
def error_rates(weights, sure, possible):
    """Rate the strongest links of each sentence, 0 for perfect.

    weights, sure and possible (n, n_out, n_in), the latter boolean → (n,)
    """
    n_out, n_in = weights.shape[-2:]
    found = np.eye(n_in, dtype=bool)[weights.argmax(axis=-1)]
    both_sure = (found & sure).sum(axis=(-2, -1))  # (n,)
    both_possible = (found & possible).sum(axis=(-2, -1))  # (n,)
    all_sure = sure.sum(axis=(-2, -1))  # (n,)
    return 1 - (both_sure + both_possible) / (n_out + all_sure)


# Right in other words


@EXERCISE.is_right
def with_sets(weights, sure, possible):
    """Make sets of links, and ask the course."""
    rates = [
        from_the_course(
            strongest_links(w),
            {tuple(link) for link in np.argwhere(s).tolist()},
            {tuple(link) for link in np.argwhere(p).tolist()},
        )
        for w, s, p in zip(weights, sure, possible, strict=True)
    ]
    return np.array(rates)


@EXERCISE.is_right
def with_loops(weights, sure, possible):
    """One output word at a time."""
    rates = []
    for w, s, p in zip(weights, sure, possible, strict=True):
        right = 0
        for i, row in enumerate(w):
            j = int(np.argmax(row))
            right += int(s[i, j]) + int(p[i, j])
        rates.append(1 - right / (len(w) + s.sum()))
    return np.array(rates)


# Links found wrongly

EXERCISE.edits(
    """
linked_the_other_way: You linked each input word to an output word: take rows,
        axis −1.
    n_out, n_in = → n_in, n_out =
    [weights.argmax(axis=-1)] → [weights.argmax(axis=-2)].swapaxes(-1, -2)
all_that_tie: Where weights tie you found several links: take the first alone.
    np.eye(n_in, dtype=bool)[weights.argmax → weights == (weights.max
    (axis=-1)] → (axis=-1, keepdims=True))
    n_out + all_sure → found.sum(axis=(-2, -1)) + all_sure
smallest: You took the smallest weight of each row.
    → error_rates(-weights, sure, possible)
one_link_a_sentence: You found one link in the whole sentence: find one in each
        row.
    np.eye(n_in, dtype=bool)[weights.argmax → weights == (weights.max
    (axis=-1)] → (axis=(-2, -1), keepdims=True))
    n_out + all_sure → found.sum(axis=(-2, -1)) + all_sure
soft_links: You counted weights: a link is found or it is not.
    (found & sure) → (weights * sure)
    (found & possible) → (weights * possible)
the_last_that_ties: Where weights tie you took the last input word: take the
        first.
    weights.argmax → n_in - 1 - weights[..., ::-1].argmax
    """
)


@EXERCISE.is_wrong
def above_one_half(weights, sure, possible):
    """You linked where a weight is above ½: take the largest of a row."""
    found = weights > 0.5
    right = _count(found & sure) + _count(found & possible)
    return 1 - _share(right, _count(found) + _count(sure))


# Counted wrongly

EXERCISE.edits(
    """
sure_links_twice: You counted the sure links twice: a possible link is right
        too.
    found & possible → found & sure
possible_links_twice: You counted the possible links twice: one of the two is
        A∩S.
    found & sure → found & possible
divided_by_possible: You divided by |A| + |P|: what is only possible may be
        missed.
    all_sure = sure.sum → all_sure = possible.sum
sure_only_left_out: |A∩P| is missing above: the sure links are counted alone.
    (both_sure + both_possible) → both_sure
precision_only: You left S out: links that are sure and missed should cost.
    (both_sure + both_possible) / (n_out + all_sure) → both_possible / n_out
recall_only: You looked at the sure links alone: wrong links should cost too.
    → 1 - _share(_count(_found(weights) & sure), _count(sure))
not_an_error: You gave the share that is right: subtract it from 1.
    1 - →
as_percentages: You gave a percentage: 1 is the largest rate, not 100.
    → 100 * error_rates(weights, sure, possible)
    """
)


@EXERCISE.is_wrong
def mean_of_both(weights, sure, possible):
    """You averaged precision and recall: add the counts, then divide."""
    found = _found(weights)
    precision = _count(found & possible) / weights.shape[-2]
    recall = _share(_count(found & sure), _count(sure))
    return 1 - (precision + recall) / 2


@EXERCISE.is_wrong
def all_sentences_together(weights, sure, possible):
    """You counted over all sentences: give one rate for each."""
    found = _found(weights)
    right = (found & sure).sum() + (found & possible).sum()
    rate = 1 - right / (found.sum() + sure.sum())
    return np.full(len(weights), rate)
