"""Exercise 2.3: how wrong an alignment is."""

import numpy as np

from attn_course.alignments import alignment_error_rate as from_the_course
from attn_course.alignments import strongest_links
from attn_course.exercises.core import Case, Exercise

# What a case is called, sentences, n_out, n_in, dtype.
SIZES = [
    ("one sentence of two words", 1, 2, 2, "float64"),
    ("one sentence", 1, 3, 4, "float64"),
    ("as many words as the translation", 2, 4, 4, "float64"),
    ("more words out than in", 2, 5, 3, "float64"),
    ("one word in", 3, 2, 1, "float64"),
    ("one word out", 2, 1, 4, "float64"),
    ("as many sentences as words", 4, 4, 4, "float64"),
    ("many sentences", 12, 3, 3, "float64"),
    ("long sentences", 2, 20, 18, "float64"),
    ("float32", 3, 4, 5, "float32"),
    ("float16", 2, 4, 3, "float16"),
]


def inputs(rng: np.random.Generator) -> list[Case]:
    """Give weights and gold links."""
    cases = [_random_case(rng, *sizes) for sizes in SIZES]
    for _ in range(2):
        sizes = rng.permutation(np.arange(2, 8))[:3].tolist()
        name = "{} sentences, {} words out, {} in".format(*sizes)
        cases.append(_random_case(rng, name, *sizes, "float64"))
    weights, _, possible = _random_case(rng, *SIZES[3]).arguments
    best = np.eye(3, dtype=bool)[weights.argmax(-1)]
    nothing = np.zeros_like(possible)
    return [
        *cases,
        Case("all right", (weights, best, best.copy())),
        Case("no link is sure", (weights, nothing, possible)),
        Case("all wrong", (weights, nothing.copy(), ~best)),
    ]


def _random_case(rng, name, n, n_out, n_in, dtype) -> Case:
    """Draw weights, and links that often are where the weights are."""
    scores = rng.normal(size=(n, n_out, n_in)) * 2
    weights = np.exp(scores) / np.exp(scores).sum(-1, keepdims=True)
    possible = rng.random(scores.shape) < 0.25 + 0.5 * weights
    sure = possible & (rng.random(scores.shape) < 0.6)
    return Case(name, (weights.astype(dtype), sure, possible))


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
  output word.
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

    weights (n, n_out, n_in), sure and possible likewise, boolean → (n,)
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


@EXERCISE.is_right
def with_the_largest(weights, sure, possible):
    """Find the links by comparing with the largest weight of each row."""
    found = weights == weights.max(-1, keepdims=True)
    right = _count(found & sure) + _count(found & possible)
    return 1 - right / (_count(found) + _count(sure))


# Links found wrongly


@EXERCISE.is_wrong
def linked_the_other_way(weights, sure, possible):
    """You linked each input word to an output word: take rows, axis −1."""
    best = weights.argmax(-2)  # (n, n_in)
    found = np.swapaxes(np.eye(weights.shape[-2], dtype=bool)[best], -1, -2)
    right = _count(found & sure) + _count(found & possible)
    return 1 - right / (_count(found) + _count(sure))


@EXERCISE.is_wrong
def above_one_half(weights, sure, possible):
    """You linked where a weight is above ½: take the largest of a row."""
    found = weights > 0.5
    right = _count(found & sure) + _count(found & possible)
    return 1 - _share(right, _count(found) + _count(sure))


@EXERCISE.is_wrong
def smallest(weights, sure, possible):
    """You took the smallest weight of each row."""
    return error_rates(-weights, sure, possible)


@EXERCISE.is_wrong
def one_link_a_sentence(weights, sure, possible):
    """You found one link in the whole sentence: find one in each row."""
    largest = weights.max(axis=(-2, -1), keepdims=True)
    found = weights == largest
    right = _count(found & sure) + _count(found & possible)
    return 1 - right / (_count(found) + _count(sure))


@EXERCISE.is_wrong
def soft_links(weights, sure, possible):
    """You counted weights: a link is found or it is not."""
    right = (weights * sure).sum((-2, -1)) + (weights * possible).sum((-2, -1))
    return 1 - right / (weights.shape[-2] + _count(sure))


# Counted wrongly


@EXERCISE.is_wrong
def sure_links_twice(weights, sure, possible):
    """You counted the sure links twice: a possible link is right too."""
    right = 2 * _count(_found(weights) & sure)
    return 1 - right / (weights.shape[-2] + _count(sure))


@EXERCISE.is_wrong
def possible_links_twice(weights, sure, possible):
    """You counted the possible links twice: one of the two is A∩S."""
    right = 2 * _count(_found(weights) & possible)
    return 1 - right / (weights.shape[-2] + _count(sure))


@EXERCISE.is_wrong
def divided_by_possible(weights, sure, possible):
    """You divided by |A| + |P|: what is only possible may be missed."""
    found = _found(weights)
    right = _count(found & sure) + _count(found & possible)
    return 1 - right / (weights.shape[-2] + _count(possible))


@EXERCISE.is_wrong
def sure_only_left_out(weights, sure, possible):
    """|A∩P| is missing above: the sure links are counted alone."""
    right = _count(_found(weights) & sure)
    return 1 - right / (weights.shape[-2] + _count(sure))


@EXERCISE.is_wrong
def precision_only(weights, sure, possible):
    """You left S out: links that are sure and missed should cost."""
    return 1 - _count(_found(weights) & possible) / weights.shape[-2]


@EXERCISE.is_wrong
def recall_only(weights, sure, possible):
    """You looked at the sure links alone: wrong links should cost too."""
    return 1 - _share(_count(_found(weights) & sure), _count(sure))


@EXERCISE.is_wrong
def mean_of_both(weights, sure, possible):
    """You averaged precision and recall: add the counts, then divide."""
    found = _found(weights)
    precision = _count(found & possible) / weights.shape[-2]
    recall = _share(_count(found & sure), _count(sure))
    return 1 - (precision + recall) / 2


@EXERCISE.is_wrong
def not_an_error(weights, sure, possible):
    """You gave the share that is right: subtract it from 1."""
    return 1 - error_rates(weights, sure, possible)


@EXERCISE.is_wrong
def all_sentences_together(weights, sure, possible):
    """You counted over all sentences: give one rate for each."""
    found = _found(weights)
    right = (found & sure).sum() + (found & possible).sum()
    rate = 1 - right / (found.sum() + sure.sum())
    return np.full(len(weights), rate)


@EXERCISE.is_wrong
def as_percentages(weights, sure, possible):
    """You gave a percentage: 1 is the largest rate, not 100."""
    return 100 * error_rates(weights, sure, possible)
