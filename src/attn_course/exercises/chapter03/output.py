"""Exercise 3.4: what one query brings home."""

import numpy as np
from array_api_compat import array_namespace

from attn_course.exercises.cases import Case, normal, sized
from attn_course.exercises.chapter03.weights import rows
from attn_course.exercises.core import Exercise
from attn_course.exercises.parts import softmax


def draw(rng, n_k, d_k, d_v):
    """Draw one query, the keys and the values."""
    return normal(rng, d_k), normal(rng, n_k, d_k), normal(rng, n_k, d_v)


def inputs(rng: np.random.Generator) -> list[Case]:
    """Give arrays of many lengths, some with scores far apart."""
    query, key, value = draw(rng, 3, 2, 4)
    steep = normal(rng, 4, 3)
    return [
        *sized(rng, draw),
        *[Case(name, (2 * row, np.eye(4), steep)) for name, row in rows()],
        Case("equal keys", (query, np.ones_like(key), value)),
        Case("a query of zeros", (0 * query, key, value)),
    ]


EXERCISE = Exercise(
    id="3.4",
    title="The output",
    statement="""\
Write `attention_output(query, key, value)`: the values, mixed by the weights
of one query.

- `query` has shape `(d_k,)`, `key` has `(n_k, d_k)` and `value` `(n_k, d_v)`.
  Return one vector as long as a value, `(d_v,)`.
- Each value counts by its key's weight: w₁v₁ + … + wₙvₙ.""",
    difficulty=1,
    minutes=5,
    hints=[
        "The weights are `(n_k,)`. Which product with `(n_k, d_v)` adds up "
        "over the keys?",
        "Each number of the output lies between the smallest and the largest "
        "of its column of values. Does yours?",
    ],
    inputs=inputs,
    differentiable=True,
)


@EXERCISE.is_solution
def attention_output(query, key, value):
    """Mix the values by how well their keys fit one query.

    query (d_k,), key (n_k, d_k), value (n_k, d_v) → (d_v,)
    """
    xp = array_namespace(query)
    scores = key @ query / key.shape[-1] ** 0.5  # (n_k,)
    exps = xp.exp(scores - xp.max(scores))
    weights = exps / xp.sum(exps)  # (n_k,), sum to 1
    return weights @ value


# Right in other words


@EXERCISE.is_right
def weighed_and_summed(query, key, value):
    """Give each value its weight, then add up."""
    xp = array_namespace(query)
    scores = query @ key.T / query.shape[0] ** 0.5
    exps = xp.exp(scores - xp.max(scores))
    return (exps[:, None] / exps.sum() * value).sum(0)


@EXERCISE.is_right
def divided_at_the_end(query, key, value):
    """Mix first, divide by the sum of the exponentials last."""
    xp = array_namespace(query)
    scores = key @ query * query.shape[0] ** -0.5
    exps = xp.exp(scores - xp.max(scores))
    return value.T @ exps / exps.sum()


def _weights(query, key):
    return softmax(key @ query / np.sqrt(key.shape[-1]))


# The wrong things mixed


@EXERCISE.is_wrong
def keys_as_values(query, key, value):
    """You mixed the keys: the output is a mixture of the values."""
    return _weights(query, key) @ key


@EXERCISE.is_wrong
def values_as_keys(query, key, value):
    """You compared the query with the values: compare with the keys."""
    return _weights(query, value) @ value


@EXERCISE.is_wrong
def returns_weights(query, key, value):
    """You returned the weights: mix the values with them."""
    return _weights(query, key)


@EXERCISE.is_wrong
def returns_both(query, key, value):
    """You returned several things: return the output alone."""
    return _weights(query, key) @ value, _weights(query, key)


@EXERCISE.is_wrong
def not_summed(query, key, value):
    """You weighed each value, but did not add up over the keys."""
    return _weights(query, key)[:, None] * value


@EXERCISE.is_wrong
def summed_over_the_value(query, key, value):
    """You added up over d_v: add up over the keys."""
    return (_weights(query, key)[:, None] * value).sum(-1)


@EXERCISE.is_wrong
def averaged_again(query, key, value):
    """You took the mean over the keys: the weights share out already."""
    return (_weights(query, key)[:, None] * value).mean(0)


@EXERCISE.is_wrong
def values_averaged(query, key, value):
    """You averaged the values: the weights are not used."""
    return value.mean(0)


@EXERCISE.is_wrong
def only_the_best(query, key, value):
    """You gave the best key's value alone: softmax mixes all of them."""
    return 1.0 * value[(key @ query).argmax()]


@EXERCISE.is_wrong
def one_row(query, key, value):
    """You gave one row, (1, d_v): drop the first axis."""
    return (_weights(query, key) @ value)[None]


# Wrong weights


@EXERCISE.is_wrong
def not_scaled(query, key, value):
    """You left out the division by √d_k."""
    return softmax(1.0 * (key @ query)) @ value


@EXERCISE.is_wrong
def divided_by_d(query, key, value):
    """You divided by d_k, not by √d_k."""
    return softmax(key @ query / key.shape[-1]) @ value


@EXERCISE.is_wrong
def divided_by_root_d_v(query, key, value):
    """You divided by √d_v, the length of a value: √d_k is a key's."""
    return softmax(key @ query / np.sqrt(value.shape[-1])) @ value


@EXERCISE.is_wrong
def no_softmax(query, key, value):
    """You mixed the values by the scores: the softmax is missing."""
    return key @ query / np.sqrt(key.shape[-1]) @ value


@EXERCISE.is_wrong
def not_normalised(query, key, value):
    """You left out the sum: divide the exponentials by it."""
    scores = key @ query / np.sqrt(key.shape[-1])
    return np.exp(scores - scores.max()) @ value


@EXERCISE.is_wrong
def no_maximum_subtracted(query, key, value):
    """Right for small scores, but exp overflows: subtract the maximum."""
    exps = np.exp(key @ query / np.sqrt(key.shape[-1]))
    return exps / exps.sum() @ value


@EXERCISE.is_wrong
def minimum_subtracted(query, key, value):
    """You subtracted the minimum: scores far above it overflow."""
    scores = key @ query / np.sqrt(key.shape[-1])
    exps = np.exp(scores - scores.min())
    return exps / exps.sum() @ value
