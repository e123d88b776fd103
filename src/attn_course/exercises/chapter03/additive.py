"""Exercise 3.4: additive scores, before there were dot products."""

import numpy as np

from attn_course.exercises.cases import Case, normal, sized
from attn_course.exercises.core import Exercise
from attn_course.exercises.parts import softmax, swap


def inputs(rng: np.random.Generator) -> list[Case]:
    """Give queries, keys and the three learned arrays."""
    query, key, *network = _draw(rng, (), 2, 3, 4, 5, 3)
    large = np.array([[1e10], [-1e10], [0.0]]), np.array([[1.0], [-800.0]])
    ones = np.ones((1, 1)), np.ones((1, 1)), np.ones(1)
    return [
        *sized(rng, _draw),
        Case("large numbers", (300 * query, 500 * key, *network)),
        Case("very large numbers", (*large, *ones)),
        Case("equal keys", (query, np.ones_like(key), *network)),
        Case("a query of zeros", (0 * query, key, *network)),
    ]


def _draw(rng, batch, n_q, n_k, d_q, d_k, d_a):
    """Draw all arrays."""
    shapes = [(*batch, n_q, d_q), (*batch, n_k, d_k), (d_q, d_a), (d_k, d_a)]
    return [normal(rng, *shape) for shape in [*shapes, (d_a,)]]


EXERCISE = Exercise(
    id="3.4",
    title="Additive scores",
    statement="""\
Write `additive_scores(query, key, w_query, w_key, v)`: the scores of Bahdanau
and colleagues (2015), a small network in place of the dot product. The score
of query q and key k is v · tanh(q W_query + k W_key).

- `query` has shape `(..., n_q, d_q)`, `key` has `(..., n_k, d_k)`: they may
  differ in length. `w_query` is `(d_q, d_a)`, `w_key` `(d_k, d_a)` and `v`
  `(d_a,)`.
- Return the scores, before any softmax: `(..., n_q, n_k)`.""",
    difficulty=2,
    minutes=15,
    hints=[
        "Bring queries and keys to the common length d_a first: one matrix "
        "product each.",
        "Every query must meet every key: (..., n_q, 1, d_a) plus "
        "(..., 1, n_k, d_a) gives (..., n_q, n_k, d_a).",
        "`np.expand_dims` with a negative axis, or an index with `None` after "
        "`...`, adds such an axis and lets batch axes be. Last, a product "
        "with `v` sums over d_a.",
    ],
    inputs=inputs,
)


@EXERCISE.is_solution
def additive_scores(query, key, w_query, w_key, v):
    """Score each key for each query: v · tanh(q W_query + k W_key).

    query (..., n_q, d_q), key (..., n_k, d_k), w_query (d_q, d_a),
    w_key (d_k, d_a), v (d_a,) → (..., n_q, n_k)
    """
    asked = query @ w_query  # (..., n_q, d_a)
    offered = key @ w_key  # (..., n_k, d_a)
    both = asked[..., :, None, :] + offered[..., None, :, :]
    return np.tanh(both) @ v  # (..., n_q, n_k)


def _pairs(query, key, w_query, w_key):
    """Give queries and keys so that they broadcast to all pairs."""
    asked, offered = query @ w_query, key @ w_key
    return asked[..., :, None, :], offered[..., None, :, :]


# Right in other words


@EXERCISE.is_right
def with_expand_dims(query, key, w_query, w_key, v):
    """Add the axes by name, and sum by hand."""
    asked = np.expand_dims(np.matmul(query, w_query), -2)
    offered = np.expand_dims(np.matmul(key, w_key), -3)
    return (v * np.tanh(asked + offered)).sum(axis=-1)


@EXERCISE.is_right
def with_loops(query, key, w_query, w_key, v):
    """One pair at a time."""
    n_q, n_k = query.shape[-2], key.shape[-2]
    scores = np.zeros((*query.shape[:-1], n_k))
    for i in range(n_q):
        for j in range(n_k):
            both = query[..., i, :] @ w_query + key[..., j, :] @ w_key
            scores[..., i, j] = np.tanh(both) @ v
    return scores


@EXERCISE.is_right
def with_concatenation(query, key, w_query, w_key, v):
    """Concatenate each pair, and stack the two matrices."""
    pairs = (*query.shape[:-1], key.shape[-2])  # (..., n_q, n_k)
    asked = np.broadcast_to(query[..., :, None, :], (*pairs, len(w_query)))
    offered = np.broadcast_to(key[..., None, :, :], (*pairs, len(w_key)))
    both = np.concatenate([asked, offered], axis=-1)
    return np.tanh(both @ np.concatenate([w_query, w_key])) @ v


# The network


@EXERCISE.is_wrong
def no_tanh(query, key, w_query, w_key, v):
    """You left out the tanh: now every query ranks the keys alike."""
    asked, offered = _pairs(query, key, w_query, w_key)
    return (asked + offered) @ v


@EXERCISE.is_wrong
def tanh_after_v(query, key, w_query, w_key, v):
    """You took the tanh of the score: it comes before the product with v."""
    asked, offered = _pairs(query, key, w_query, w_key)
    return np.tanh((asked + offered) @ v)


@EXERCISE.is_wrong
def v_inside_tanh(query, key, w_query, w_key, v):
    """You multiplied by v inside the tanh: it comes after."""
    asked, offered = _pairs(query, key, w_query, w_key)
    return np.tanh((asked + offered) * v).sum(axis=-1)


@EXERCISE.is_wrong
def tanh_of_each(query, key, w_query, w_key, v):
    """You took the tanh of each and added: add first, then the tanh."""
    asked, offered = _pairs(query, key, w_query, w_key)
    return (np.tanh(asked) + np.tanh(offered)) @ v


@EXERCISE.is_wrong
def tanh_before_matrices(query, key, w_query, w_key, v):
    """You took the tanh of query and key: it comes after the matrices."""
    query, key = np.tanh(query), np.tanh(key)
    asked, offered = _pairs(query, key, w_query, w_key)
    return (asked + offered) @ v


@EXERCISE.is_wrong
def sigmoid(query, key, w_query, w_key, v):
    """You took a sigmoid in place of tanh."""
    asked, offered = _pairs(query, key, w_query, w_key)
    return 1 / (1 + np.exp(-(asked + offered))) @ v


@EXERCISE.is_wrong
def relu(query, key, w_query, w_key, v):
    """You took a ReLU in place of tanh."""
    asked, offered = _pairs(query, key, w_query, w_key)
    return np.maximum(asked + offered, 0) @ v


@EXERCISE.is_wrong
def product_instead_of_sum(query, key, w_query, w_key, v):
    """You multiplied query and key: additive scores add them."""
    asked, offered = _pairs(query, key, w_query, w_key)
    return np.tanh(asked * offered) @ v


@EXERCISE.is_wrong
def difference(query, key, w_query, w_key, v):
    """You subtracted the key from the query: add them."""
    asked, offered = _pairs(query, key, w_query, w_key)
    return np.tanh(asked - offered) @ v


@EXERCISE.is_wrong
def dot_product(query, key, w_query, w_key, v):
    """You took the dot product after the matrices: that is the rival."""
    return (query @ w_query) @ swap(key @ w_key)


@EXERCISE.is_wrong
def v_forgotten(query, key, w_query, w_key, v):
    """You summed the hidden units: v should weigh them."""
    asked, offered = _pairs(query, key, w_query, w_key)
    return np.tanh(asked + offered).sum(axis=-1)


@EXERCISE.is_wrong
def hidden_units(query, key, w_query, w_key, v):
    """You returned the hidden units: v makes one score of them."""
    asked, offered = _pairs(query, key, w_query, w_key)
    return np.tanh(asked + offered)


@EXERCISE.is_wrong
def matrices_swapped(query, key, w_query, w_key, v):
    """You gave the query the key's matrix and the key the query's."""
    return additive_scores(query, key, w_key, w_query, v)


@EXERCISE.is_wrong
def tanh_by_hand(query, key, w_query, w_key, v):
    """Your exponentials overflow, and inf/inf is NaN: take `np.tanh`."""
    asked, offered = _pairs(query, key, w_query, w_key)
    up, down = np.exp(asked + offered), np.exp(-asked - offered)
    return (up - down) / (up + down) @ v


# All pairs


@EXERCISE.is_wrong
def pairs_by_position(query, key, w_query, w_key, v):
    """Query i meets key i alone: an axis makes every pair meet."""
    return np.tanh(query @ w_query + key @ w_key) @ v


@EXERCISE.is_wrong
def concatenated_by_position(query, key, w_query, w_key, v):
    """You joined query i with key i alone: every pair should meet."""
    both = np.concatenate([query, key], axis=-1)
    return np.tanh(both @ np.concatenate([w_query, w_key])) @ v


@EXERCISE.is_wrong
def transposed(query, key, w_query, w_key, v):
    """Your rows are the keys: they should be the queries."""
    return swap(additive_scores(query, key, w_query, w_key, v))


@EXERCISE.is_wrong
def two_dimensional_only(query, key, w_query, w_key, v):
    """Right without batch axes: put `...` before the new axes."""
    asked, offered = query @ w_query, key @ w_key
    return np.tanh(asked[:, None] + offered[None, :]) @ v


# More than was asked


@EXERCISE.is_wrong
def scaled(query, key, w_query, w_key, v):
    """You divided by √d_a: additive scores are not scaled."""
    scores = additive_scores(query, key, w_query, w_key, v)
    return scores / np.sqrt(len(v))


@EXERCISE.is_wrong
def returns_weights(query, key, w_query, w_key, v):
    """You returned the weights: give the scores before the softmax."""
    return softmax(additive_scores(query, key, w_query, w_key, v))
