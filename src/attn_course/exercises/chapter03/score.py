"""Exercise 3.1: one query against many keys."""

import numpy as np

from attn_course.exercises.cases import normal, sized
from attn_course.exercises.core import Exercise
from attn_course.exercises.parts import softmax


def draw(rng, n_k, d_k):
    """Draw one query and the keys."""
    return normal(rng, d_k), normal(rng, n_k, d_k)


EXERCISE = Exercise(
    id="3.1",
    title="Score",
    statement="""\
Write `score(query, key)`: how well one query fits each of many keys, by the
dot product.

- `query` has shape `(d_k,)`, `key` has `(n_k, d_k)`: one key a row. Return
  shape `(n_k,)`.
- Operators such as `@` do the same with NumPy arrays and torch tensors.""",
    difficulty=1,
    minutes=5,
    hints=[
        "The dot product multiplies number by number, then adds up over "
        "d_k. What is left is one number a key.",
        "`@` sums over the last axis of its left side. Which of the two "
        "has to stand on the left for d_k to vanish?",
    ],
    inputs=lambda rng: sized(rng, draw),
    differentiable=True,
)


@EXERCISE.is_solution
def score(query, key):
    """Compare a query with each key by the dot product.

    query (d_k,), key (n_k, d_k) → (n_k,)
    """
    return key @ query


# Right in other words


@EXERCISE.is_right
def multiplied_and_summed(query, key):
    """Multiply number by number, then add up."""
    return (query * key).sum(-1)


@EXERCISE.is_right
def with_a_transpose(query, key):
    """Keys become columns."""
    return query @ key.T


# Not the dot product, or not yet


@EXERCISE.is_wrong
def scaled_already(query, key):
    """You divided by √d_k: that comes in 3.3, here the score alone."""
    return key @ query / np.sqrt(query.size)


@EXERCISE.is_wrong
def divided_by_d(query, key):
    """You took the mean over d_k: the dot product is the sum."""
    return key @ query / query.size


@EXERCISE.is_wrong
def softmax_already(query, key):
    """You took a softmax: that comes in 3.2, here the scores alone."""
    return softmax(1.0 * (key @ query))


@EXERCISE.is_wrong
def cosine(query, key):
    """You took the cosine: in a dot product the lengths count too."""
    lengths = np.linalg.norm(key, axis=-1) * np.linalg.norm(query)
    return key @ query / np.where(lengths == 0, 1, lengths)


@EXERCISE.is_wrong
def distance(query, key):
    """You measured a distance: it is small for what fits, q·k is large."""
    return np.linalg.norm(key - query, axis=-1)


@EXERCISE.is_wrong
def minus_squared_distance(query, key):
    """You gave −‖q − k‖²: it also holds the length of each key."""
    return -((key - query) ** 2).sum(-1)


@EXERCISE.is_wrong
def absolute(query, key):
    """You dropped the sign: a key that points away must score below 0."""
    return np.abs(key @ query)


# Summed over the wrong axis


@EXERCISE.is_wrong
def not_summed(query, key):
    """You multiplied, but did not add up over d_k."""
    return query * key


@EXERCISE.is_wrong
def summed_over_keys(query, key):
    """You added up over the keys: one number a key should be left."""
    return (query * key).sum(0)


@EXERCISE.is_wrong
def summed_over_everything(query, key):
    """You added up everything: one number a key should be left."""
    return np.array((query * key).sum())


@EXERCISE.is_wrong
def sides_exchanged(query, key):
    """`query @ key` pairs d_k with the keys: exchange the sides."""
    return query @ key


@EXERCISE.is_wrong
def one_column(query, key):
    """You gave one column, (n_k, 1): drop the last axis."""
    return (key @ query)[:, None]


@EXERCISE.is_wrong
def one_row(query, key):
    """You gave one row, (1, n_k): drop the first axis."""
    return (key @ query)[None]


@EXERCISE.is_wrong
def keys_with_keys(query, key):
    """You compared the keys with each other: the query asks."""
    return key @ key.T


@EXERCISE.is_wrong
def only_the_first(query, key):
    """You compared the first key alone."""
    return np.array(key[0] @ query)
