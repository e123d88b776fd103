"""Exercise 3.3: the weights of one query, with the scale."""

import numpy as np
from array_api_compat import array_namespace

from attn_course.exercises.cases import Case, normal, sized, steep
from attn_course.exercises.core import Exercise
from attn_course.exercises.parts import softmax


def draw(rng, n_k, d_k):
    """Draw one query and the keys."""
    return normal(rng, d_k), normal(rng, n_k, d_k)


def inputs(rng: np.random.Generator) -> list[Case]:
    """Give a query and keys of many lengths, some with scores far apart."""
    query, key = draw(rng, 3, 2)
    return [
        *sized(rng, draw),
        *[Case(name, (2 * row, np.eye(4))) for name, row in rows()],
        Case("equal keys", (query, np.ones_like(key))),
        Case("a query of zeros", (0 * query, key)),
    ]


def rows():
    """Give single rows of scores, (4,), that lie far apart."""
    return [
        (name, scores[0])
        for name, scores in steep().items()
        if len(scores) == 1
    ]


EXERCISE = Exercise(
    id="3.3",
    title="Attention weights",
    statement="""\
Write `attention_weights(query, key)`: how much one query looks at each key,
softmax(q·k / √d_k).

- `query` has shape `(d_k,)`, `key` has `(n_k, d_k)`. Return shape `(n_k,)`.
- Your `score` and `softmax` may do most of the work.""",
    difficulty=1,
    minutes=5,
    hints=[
        "Three steps: score, divide, softmax. The order matters: the "
        "division comes before the exponential.",
        "d_k is how many numbers a key has, not how many keys there are: "
        "which axis of `key` is that? `** 0.5` is a root that both "
        "libraries know.",
    ],
    inputs=inputs,
    differentiable=True,
)


@EXERCISE.is_solution
def attention_weights(query, key):
    """Weigh each key for one query: softmax(q·k / √d_k).

    query (d_k,), key (n_k, d_k) → (n_k,)
    """
    xp = array_namespace(query)
    scores = key @ query / key.shape[-1] ** 0.5  # (n_k,)
    exps = xp.exp(scores - xp.max(scores))
    return exps / xp.sum(exps)


# Right in other words


@EXERCISE.is_right
def query_scaled_first(query, key):
    """Divide the query, which is shorter than the scores."""
    xp = array_namespace(query)
    scores = (query / len(query) ** 0.5) @ key.T
    exps = xp.exp(scores - xp.max(scores, axis=-1))
    return exps / exps.sum()


@EXERCISE.is_right
def with_logarithms(query, key):
    """Subtract the logarithm of the sum instead of dividing."""
    xp = array_namespace(query)
    scores = (query * key).sum(-1) * query.shape[0] ** -0.5
    scores = scores - xp.max(scores)
    return xp.exp(scores - xp.log(xp.sum(xp.exp(scores))))


# Scaled wrongly


@EXERCISE.is_wrong
def not_scaled(query, key):
    """You left out the division by √d_k."""
    return softmax(1.0 * (key @ query))


@EXERCISE.is_wrong
def divided_by_d(query, key):
    """You divided by d_k, not by √d_k."""
    return softmax(key @ query / key.shape[-1])


@EXERCISE.is_wrong
def multiplied_by_root_d(query, key):
    """You multiplied by √d_k: it makes scores smaller, so divide."""
    return softmax(key @ query * np.sqrt(key.shape[-1]))


@EXERCISE.is_wrong
def divided_by_root_n_k(query, key):
    """You divided by √n_k, the number of keys: √d_k is their length."""
    return softmax(key @ query / np.sqrt(key.shape[-2]))


@EXERCISE.is_wrong
def divided_by_the_querys_length(query, key):
    """You divided by ‖q‖: √d_k depends on the size alone."""
    return softmax(key @ query / (np.linalg.norm(query) or 1.0))


@EXERCISE.is_wrong
def scaled_after_softmax(query, key):
    """You divided by √d_k after the softmax: it belongs to the scores."""
    return softmax(1.0 * (key @ query)) / np.sqrt(key.shape[-1])


@EXERCISE.is_wrong
def cosine(query, key):
    """You took the cosine: the lengths of query and key count too."""
    lengths = np.linalg.norm(key, axis=-1) * np.linalg.norm(query)
    cosines = key @ query / np.where(lengths == 0, 1, lengths)
    return softmax(cosines / np.sqrt(key.shape[-1]))


# No softmax, or half of it


@EXERCISE.is_wrong
def returns_scores(query, key):
    """You returned the scaled scores: the softmax is missing."""
    return key @ query / np.sqrt(key.shape[-1])


@EXERCISE.is_wrong
def softmax_twice(query, key):
    """You took the softmax of a softmax."""
    return softmax(softmax(key @ query / np.sqrt(key.shape[-1])))


@EXERCISE.is_wrong
def not_normalised(query, key):
    """You left out the sum: divide the exponentials by it."""
    scores = key @ query / np.sqrt(key.shape[-1])
    return np.exp(scores - scores.max())


@EXERCISE.is_wrong
def hard_argmax(query, key):
    """You gave the best key everything: softmax shares among all keys."""
    return np.eye(len(key))[(key @ query).argmax()]


@EXERCISE.is_wrong
def no_maximum_subtracted(query, key):
    """Right for small scores, but exp overflows: subtract the maximum."""
    exps = np.exp(key @ query / np.sqrt(key.shape[-1]))
    return exps / exps.sum()


@EXERCISE.is_wrong
def minimum_subtracted(query, key):
    """You subtracted the minimum: scores far above it overflow."""
    scores = key @ query / np.sqrt(key.shape[-1])
    exps = np.exp(scores - scores.min())
    return exps / exps.sum()


@EXERCISE.is_wrong
def first_score_subtracted(query, key):
    """You subtracted the first score: one far above it overflows."""
    scores = key @ query / np.sqrt(key.shape[-1])
    exps = np.exp(scores - scores[0])
    return exps / exps.sum()


@EXERCISE.is_wrong
def largest_absolute_subtracted(query, key):
    """You subtracted the largest |score|: far below it all become 0/0."""
    scores = key @ query / np.sqrt(key.shape[-1])
    exps = np.exp(scores - np.abs(scores).max())
    return exps / exps.sum()
