"""Exercise 3.1: softmax(Q Kᵀ / √d_k), by hand."""

import numpy as np

from attn_course.exercises.cases import Case, query_key_value
from attn_course.exercises.core import Exercise
from attn_course.exercises.parts import softmax, swap
from attn_course.functional import attention_weights as from_the_course


def inputs(rng: np.random.Generator) -> list[Case]:
    """Give queries and keys."""
    return [
        Case(case.name, case.arguments[:2]) for case in query_key_value(rng)
    ]


EXERCISE = Exercise(
    id="3.1",
    title="Attention weights",
    statement="""\
Write `attention_weights(query, key)`: how much each query looks at each key,
softmax(QKᵀ / √d_k).

- `query` has shape `(..., n_q, d_k)`, `key` has `(..., n_k, d_k)`; the dots
  are any batch axes, the same in both. Return shape `(..., n_q, n_k)`.
- The weights of each query sum to 1, also when a score is 1000.""",
    difficulty=1,
    minutes=10,
    hints=[
        "One line for each term of the formula: scores, scaled scores, "
        "exponentials, weights. Write the shape beside each.",
        "`key.T` turns all axes round. With batch axes only the last two "
        "should change places: look at `np.swapaxes`.",
        "exp(1000) is inf. Softmax does not change when the same number is "
        "subtracted from all scores of a query: which number makes the "
        "largest exponential 1? Mind `axis` and `keepdims`.",
    ],
    inputs=inputs,
)


@EXERCISE.is_solution
def attention_weights(query, key):
    """Weigh each key for each query: softmax(Q Kᵀ / √d_k).

    query (..., n_q, d_k), key (..., n_k, d_k) → (..., n_q, n_k)
    """
    scores = query @ np.swapaxes(key, -1, -2)  # (..., n_q, n_k)
    scaled = scores / np.sqrt(key.shape[-1])
    exps = np.exp(scaled - scaled.max(axis=-1, keepdims=True))
    return exps / exps.sum(axis=-1, keepdims=True)


# Right in other words


@EXERCISE.is_right
def with_einsum(query, key):
    """Scale the query first, and let einsum find the axes."""
    scores = np.einsum(
        "...qd,...kd->...qk", query * query.shape[-1] ** -0.5, key
    )
    exps = np.exp(scores - np.max(scores, -1)[..., None])
    return exps / np.sum(exps, -1)[..., None]


@EXERCISE.is_right
def with_loops(query, key):
    """One query and one key at a time, in Python's own numbers."""
    weights = np.empty((*query.shape[:-1], key.shape[-2]))
    for place in np.ndindex(query.shape[:-1]):
        keys = key[place[:-1]]
        d_k = len(query[place])
        scores = [float(np.dot(query[place], k)) / d_k**0.5 for k in keys]
        exps = [np.exp(score - max(scores)) for score in scores]
        weights[place] = [e / sum(exps) for e in exps]
    return weights


@EXERCISE.is_right
def with_logarithms(query, key):
    """Subtract the logarithm of the sum instead of dividing."""
    scores = query @ swap(key) / np.sqrt(key.shape[-1])
    total = np.logaddexp.reduce(scores, axis=-1, keepdims=True)
    return np.exp(scores - total)


@EXERCISE.is_right
def with_the_course(query, key):
    """Ask the course's own function, which takes floats alone."""
    return from_the_course(1.0 * query, 1.0 * key)


# Scaled wrongly


@EXERCISE.is_wrong
def not_scaled(query, key):
    """You left out the division by √d_k."""
    return softmax(query @ swap(key))


@EXERCISE.is_wrong
def divided_by_d(query, key):
    """You divided by d_k, not by √d_k."""
    return softmax(query @ swap(key) / key.shape[-1])


@EXERCISE.is_wrong
def multiplied_by_root_d(query, key):
    """You multiplied by √d_k instead of dividing."""
    return softmax(query @ swap(key) * np.sqrt(key.shape[-1]))


@EXERCISE.is_wrong
def divided_by_root_n_k(query, key):
    """You divided by √n_k, the number of keys: √d_k is their length."""
    return softmax(query @ swap(key) / np.sqrt(key.shape[-2]))


@EXERCISE.is_wrong
def divided_by_root_len(query, key):
    """You divided by √len(query), its first axis: d_k is the last one."""
    return softmax(query @ swap(key) / np.sqrt(len(query)))


@EXERCISE.is_wrong
def scaled_after_softmax(query, key):
    """You divided by √d_k after the softmax: it belongs to the scores."""
    return softmax(query @ swap(key)) / np.sqrt(key.shape[-1])


# Compared wrongly


@EXERCISE.is_wrong
def cosine(query, key):
    """You took the cosine: the lengths of query and key count too."""
    query = query / np.linalg.norm(query, axis=-1, keepdims=True)
    key = key / np.linalg.norm(key, axis=-1, keepdims=True)
    return softmax(query @ swap(key))


@EXERCISE.is_wrong
def cosine_scaled(query, key):
    """You took the cosine and divided by √d_k: leave the lengths in."""
    query = query / np.linalg.norm(query, axis=-1, keepdims=True)
    key = key / np.linalg.norm(key, axis=-1, keepdims=True)
    return softmax(query @ swap(key) / np.sqrt(key.shape[-1]))


@EXERCISE.is_wrong
def keys_ask(query, key):
    """You let the keys ask the queries: rows belong to the queries."""
    return softmax(key @ swap(query) / np.sqrt(key.shape[-1]))


@EXERCISE.is_wrong
def queries_with_queries(query, key):
    """You compared the queries with each other; the keys are not used."""
    return softmax(query @ swap(query) / np.sqrt(key.shape[-1]))


@EXERCISE.is_wrong
def two_dimensional_only(query, key):
    """Right without batch axes. `.T` turns all axes: swap the last two."""
    scores = query @ key.T / np.sqrt(key.shape[-1])
    return softmax(scores)


# Not a softmax


@EXERCISE.is_wrong
def no_softmax(query, key):
    """You returned the scaled scores: the softmax is missing."""
    return query @ swap(key) / np.sqrt(key.shape[-1])


@EXERCISE.is_wrong
def no_exponential(query, key):
    """You divided the scores by their sum: the exponential is missing."""
    scores = query @ swap(key) / np.sqrt(key.shape[-1])
    return scores / scores.sum(axis=-1, keepdims=True)


@EXERCISE.is_wrong
def not_normalised(query, key):
    """You took the exponentials but did not divide them by their sum."""
    return np.exp(query @ swap(key) / np.sqrt(key.shape[-1]))


@EXERCISE.is_wrong
def not_normalised_after_maximum(query, key):
    """You left out the sum: divide each row's exponentials by it."""
    scores = query @ swap(key) / np.sqrt(key.shape[-1])
    return np.exp(scores - scores.max(axis=-1, keepdims=True))


@EXERCISE.is_wrong
def hard_argmax(query, key):
    """You gave the best key everything: softmax shares among all keys."""
    best = np.argmax(query @ swap(key), axis=-1)
    return np.eye(key.shape[-2])[best]


@EXERCISE.is_wrong
def sigmoid(query, key):
    """You took a sigmoid of each score: its rows do not sum to 1."""
    return 1 / (1 + np.exp(-(query @ swap(key) / np.sqrt(key.shape[-1]))))


@EXERCISE.is_wrong
def no_maximum_subtracted(query, key):
    """Right for small scores, but exp overflows: subtract the maximum."""
    exps = np.exp(query @ swap(key) / np.sqrt(key.shape[-1]))
    return exps / exps.sum(axis=-1, keepdims=True)


# Along the wrong axis


@EXERCISE.is_wrong
def softmax_over_queries(query, key):
    """You took the softmax over the queries: each row must sum to 1."""
    return softmax(query @ swap(key) / np.sqrt(key.shape[-1]), axis=-2)


@EXERCISE.is_wrong
def softmax_over_matrix(query, key):
    """All weights of a matrix sum to 1: each row should, over the keys."""
    scores = query @ swap(key) / np.sqrt(key.shape[-1])
    return softmax(scores, axis=(-2, -1))


@EXERCISE.is_wrong
def softmax_over_everything(query, key):
    """All weights together sum to 1: each row should. Give an `axis`."""
    exps = softmax((query @ swap(key) / np.sqrt(key.shape[-1])).ravel())
    return exps.reshape(*query.shape[:-1], key.shape[-2])


@EXERCISE.is_wrong
def softmax_over_first_axis(query, key):
    """You took the softmax over axis 0: the keys are the last axis."""
    return softmax(query @ swap(key) / np.sqrt(key.shape[-1]), axis=0)


@EXERCISE.is_wrong
def sum_over_queries(query, key):
    """You divided by the sum over the queries: sum over the keys."""
    scores = query @ swap(key) / np.sqrt(key.shape[-1])
    exps = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return exps / exps.sum(axis=-2, keepdims=True)


@EXERCISE.is_wrong
def sum_without_keepdims(query, key):
    """`keepdims=True` is missing in the sum: it divides along columns."""
    scores = query @ swap(key) / np.sqrt(key.shape[-1])
    exps = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return exps / exps.sum(axis=-1)


@EXERCISE.is_wrong
def maximum_without_keepdims(query, key):
    """`keepdims=True` is missing in the maximum: columns are shifted."""
    scores = query @ swap(key) / np.sqrt(key.shape[-1])
    exps = np.exp(scores - scores.max(axis=-1))
    return exps / exps.sum(axis=-1, keepdims=True)


@EXERCISE.is_wrong
def maximum_over_queries(query, key):
    """You subtracted a different number from each key of a query."""
    scores = query @ swap(key) / np.sqrt(key.shape[-1])
    exps = np.exp(scores - scores.max(axis=-2, keepdims=True))
    return exps / exps.sum(axis=-1, keepdims=True)


@EXERCISE.is_wrong
def minimum_subtracted(query, key):
    """You subtracted the minimum: scores far above it overflow."""
    scores = query @ swap(key) / np.sqrt(key.shape[-1])
    exps = np.exp(scores - scores.min(axis=-1, keepdims=True))
    return exps / exps.sum(axis=-1, keepdims=True)


@EXERCISE.is_wrong
def first_score_subtracted(query, key):
    """You subtracted the first score: one far above it overflows."""
    scores = query @ swap(key) / np.sqrt(key.shape[-1])
    exps = np.exp(scores - scores[..., :1])
    return exps / exps.sum(axis=-1, keepdims=True)


@EXERCISE.is_wrong
def mean_subtracted(query, key):
    """You subtracted the mean: a score far above it overflows."""
    scores = query @ swap(key) / np.sqrt(key.shape[-1])
    exps = np.exp(scores - scores.mean(axis=-1, keepdims=True))
    return exps / exps.sum(axis=-1, keepdims=True)


@EXERCISE.is_wrong
def largest_absolute_subtracted(query, key):
    """You subtracted the largest |score|: far below it all become 0/0."""
    scores = query @ swap(key) / np.sqrt(key.shape[-1])
    exps = np.exp(scores - np.abs(scores).max(axis=-1, keepdims=True))
    return exps / exps.sum(axis=-1, keepdims=True)


@EXERCISE.is_wrong
def scores_clipped(query, key):
    """You cut the scores off: those beyond the limit become equal."""
    scores = query @ swap(key) / np.sqrt(key.shape[-1])
    return softmax(np.clip(scores, -700, 700))


@EXERCISE.is_wrong
def maximum_of_everything(query, key):
    """One maximum for all rows: a row far below it becomes 0/0."""
    scores = query @ swap(key) / np.sqrt(key.shape[-1])
    exps = np.exp(scores - scores.max())
    return exps / exps.sum(axis=-1, keepdims=True)
