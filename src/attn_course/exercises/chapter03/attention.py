"""Exercise 3.5: attention itself, for many queries and any batch."""

import numpy as np
from array_api_compat import array_namespace

from attn_course.exercises.cases import query_key_value
from attn_course.exercises.core import Exercise
from attn_course.exercises.parts import softmax, swap

EXERCISE = Exercise(
    id="3.5",
    title="Attention",
    statement="""\
Write `attention(query, key, value)`: softmax(QKᵀ / √d_k) V, for many queries
at once and any batch axes, without calling the course's functions.

- `query` has shape `(..., n_q, d_k)`, `key` has `(..., n_k, d_k)` and `value`
  `(..., n_k, d_v)`; the dots are any batch axes, the same in all. Return shape
  `(..., n_q, d_v)`.
- Your `softmax` may help. What if n_q ≠ n_k, d_v ≠ d_k, a score is 1000?""",
    difficulty=2,
    minutes=10,
    hints=[
        "One line for each term of the formula: scores, scaled scores, "
        "weights, output. Write the shape beside each.",
        "`key.T` turns all axes round. With batch axes only the last two "
        "should change places: arrays and tensors both have `swapaxes`.",
        "Weights are (..., n_q, n_k), values (..., n_k, d_v). Which product "
        "sums over n_k?",
    ],
    inputs=query_key_value,
    forbids=["attn_course"],
    differentiable=True,
)


@EXERCISE.is_solution
def attention(query, key, value):
    """Mix the values, each query by its own weights.

    query (..., n_q, d_k), key (..., n_k, d_k), value (..., n_k, d_v)
    → (..., n_q, d_v)
    """
    xp = array_namespace(query)
    scores = query @ key.swapaxes(-1, -2)  # (..., n_q, n_k)
    scaled = scores / query.shape[-1] ** 0.5
    exps = xp.exp(scaled - xp.max(scaled, axis=-1, keepdims=True))
    weights = exps / xp.sum(exps, axis=-1, keepdims=True)
    return weights @ value  # (..., n_q, d_v)


# Right in other words


@EXERCISE.is_right
def with_einsum(query, key, value):
    """Let einsum find the axes."""
    xp = array_namespace(query)
    scores = xp.einsum("...qd,...kd->...qk", query, key)
    scaled = scores / query.shape[-1] ** 0.5
    exps = xp.exp(scaled - xp.max(scaled, axis=-1)[..., None])
    weights = exps / xp.sum(exps, axis=-1)[..., None]
    return xp.einsum("...qk,...kv->...qv", weights, value)


@EXERCISE.is_right
def divided_at_the_end(query, key, value):
    """Mix first, divide by the sum of the exponentials last."""
    xp = array_namespace(query)
    scores = query @ xp.matrix_transpose(key) * query.shape[-1] ** -0.5
    exps = xp.exp(scores - xp.max(scores, axis=-1, keepdims=True))
    return (exps @ value) / exps.sum(-1, keepdims=True)


# The wrong things mixed


@EXERCISE.is_wrong
def keys_as_values(query, key, value):
    """You mixed the keys: the output is a mixture of the values."""
    return softmax(query @ swap(key) / np.sqrt(key.shape[-1])) @ key


@EXERCISE.is_wrong
def values_as_keys(query, key, value):
    """You compared the queries with the values: compare with the keys."""
    return softmax(query @ swap(value) / np.sqrt(key.shape[-1])) @ value


@EXERCISE.is_wrong
def keys_and_values_exchanged(query, key, value):
    """You exchanged keys and values: keys are compared, values mixed."""
    return softmax(query @ swap(value) / np.sqrt(key.shape[-1])) @ key


@EXERCISE.is_wrong
def weights_transposed(query, key, value):
    """You transposed the weights before you mixed the values."""
    weights = softmax(query @ swap(key) / np.sqrt(key.shape[-1]))
    return swap(weights) @ value


@EXERCISE.is_wrong
def returns_weights(query, key, value):
    """You returned the weights: mix the values with them."""
    return softmax(query @ swap(key) / np.sqrt(key.shape[-1]))


@EXERCISE.is_wrong
def returns_both(query, key, value):
    """You returned several things: return the output alone."""
    weights = softmax(query @ swap(key) / np.sqrt(key.shape[-1]))
    return weights @ value, weights


@EXERCISE.is_wrong
def values_averaged(query, key, value):
    """You averaged the values: each query should weigh them its own way."""
    shape = (*query.shape[:-1], value.shape[-1])
    return np.broadcast_to(value.mean(axis=-2, keepdims=True), shape)


@EXERCISE.is_wrong
def only_the_best(query, key, value):
    """You gave the best key's value alone: softmax mixes all of them."""
    best = np.argmax(query @ swap(key), axis=-1)
    return np.eye(key.shape[-2])[best] @ value


@EXERCISE.is_wrong
def query_added(query, key, value):
    """You added the query: that is a residual connection, a later story."""
    return query + softmax(query @ swap(key) / np.sqrt(key.shape[-1])) @ value


# Wrong weights


@EXERCISE.is_wrong
def not_scaled(query, key, value):
    """You left out the division by √d_k."""
    return softmax(query @ swap(key)) @ value


@EXERCISE.is_wrong
def divided_by_d(query, key, value):
    """You divided by d_k, not by √d_k."""
    return softmax(query @ swap(key) / key.shape[-1]) @ value


@EXERCISE.is_wrong
def divided_by_root_n_k(query, key, value):
    """You divided by √n_k, the number of keys: √d_k is their length."""
    return softmax(query @ swap(key) / np.sqrt(key.shape[-2])) @ value


@EXERCISE.is_wrong
def divided_by_root_d_v(query, key, value):
    """You divided by √d_v, the length of a value: √d_k is a key's."""
    return softmax(query @ swap(key) / np.sqrt(value.shape[-1])) @ value


@EXERCISE.is_wrong
def scaled_after_softmax(query, key, value):
    """You divided by √d_k after the softmax: it belongs to the scores."""
    return softmax(query @ swap(key)) / np.sqrt(key.shape[-1]) @ value


@EXERCISE.is_wrong
def no_softmax(query, key, value):
    """You mixed the values by the scores: the softmax is missing."""
    return query @ swap(key) / np.sqrt(key.shape[-1]) @ value


@EXERCISE.is_wrong
def not_normalised(query, key, value):
    """You mixed by plain exponentials: divide them by their sum first."""
    return np.exp(query @ swap(key) / np.sqrt(key.shape[-1])) @ value


@EXERCISE.is_wrong
def not_normalised_after_maximum(query, key, value):
    """You left out the sum: divide each row's exponentials by it."""
    scores = query @ swap(key) / np.sqrt(key.shape[-1])
    return np.exp(scores - scores.max(axis=-1, keepdims=True)) @ value


@EXERCISE.is_wrong
def softmax_over_queries(query, key, value):
    """You took the softmax over the queries: each row must sum to 1."""
    scores = query @ swap(key) / np.sqrt(key.shape[-1])
    return softmax(scores, axis=-2) @ value


@EXERCISE.is_wrong
def softmax_over_matrix(query, key, value):
    """All weights of a matrix sum to 1: each row should, over the keys."""
    scores = query @ swap(key) / np.sqrt(key.shape[-1])
    return softmax(scores, axis=(-2, -1)) @ value


@EXERCISE.is_wrong
def softmax_over_everything(query, key, value):
    """All weights together sum to 1: each row should. Give an `axis`."""
    scores = query @ swap(key) / np.sqrt(key.shape[-1])
    return softmax(scores.ravel()).reshape(scores.shape) @ value


@EXERCISE.is_wrong
def sigmoid(query, key, value):
    """You took a sigmoid of each score: its rows do not sum to 1."""
    scores = query @ swap(key) / np.sqrt(key.shape[-1])
    return 1 / (1 + np.exp(-scores)) @ value


@EXERCISE.is_wrong
def cosine(query, key, value):
    """You took the cosine: the lengths of query and key count too."""
    query = query / np.linalg.norm(query, axis=-1, keepdims=True)
    key = key / np.linalg.norm(key, axis=-1, keepdims=True)
    return softmax(query @ swap(key) / np.sqrt(key.shape[-1])) @ value


@EXERCISE.is_wrong
def no_maximum_subtracted(query, key, value):
    """Right for small scores, but exp overflows: subtract the maximum."""
    exps = np.exp(query @ swap(key) / np.sqrt(key.shape[-1]))
    return exps / exps.sum(axis=-1, keepdims=True) @ value


@EXERCISE.is_wrong
def minimum_subtracted(query, key, value):
    """You subtracted the minimum: scores far above it overflow."""
    scores = query @ swap(key) / np.sqrt(key.shape[-1])
    exps = np.exp(scores - scores.min(axis=-1, keepdims=True))
    return exps / exps.sum(axis=-1, keepdims=True) @ value


@EXERCISE.is_wrong
def first_score_subtracted(query, key, value):
    """You subtracted the first score: one far above it overflows."""
    scores = query @ swap(key) / np.sqrt(key.shape[-1])
    exps = np.exp(scores - scores[..., :1])
    return exps / exps.sum(axis=-1, keepdims=True) @ value


@EXERCISE.is_wrong
def largest_absolute_subtracted(query, key, value):
    """You subtracted the largest |score|: far below it all become 0/0."""
    scores = query @ swap(key) / np.sqrt(key.shape[-1])
    exps = np.exp(scores - np.abs(scores).max(axis=-1, keepdims=True))
    return exps / exps.sum(axis=-1, keepdims=True) @ value


@EXERCISE.is_wrong
def scores_clipped(query, key, value):
    """You cut the scores off: those beyond the limit become equal."""
    scores = query @ swap(key) / np.sqrt(key.shape[-1])
    return softmax(np.clip(scores, -700, 700)) @ value


@EXERCISE.is_wrong
def maximum_of_everything(query, key, value):
    """One maximum for all rows: a row far below it becomes 0/0."""
    scores = query @ swap(key) / np.sqrt(key.shape[-1])
    exps = np.exp(scores - scores.max())
    return exps / exps.sum(axis=-1, keepdims=True) @ value


@EXERCISE.is_wrong
def sum_without_keepdims(query, key, value):
    """`keepdims=True` is missing in the sum: it divides along columns."""
    scores = query @ swap(key) / np.sqrt(key.shape[-1])
    exps = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return exps / exps.sum(axis=-1) @ value


@EXERCISE.is_wrong
def two_dimensional_only(query, key, value):
    """Right without batch axes. `.T` turns all axes: swap the last two."""
    return softmax(query @ key.T / np.sqrt(key.shape[-1])) @ value
