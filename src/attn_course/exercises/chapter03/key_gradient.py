"""Exercise 3.11: how keys learn to be found."""

import numpy as np

from attn_course.exercises.cases import Case, normal, query_key, sized, steep
from attn_course.exercises.core import Exercise
from attn_course.exercises.parts import softmax


def draw(rng, n, d):
    """Draw as many queries as keys."""
    return normal(rng, n, d), normal(rng, n, d)


def inputs(rng: np.random.Generator) -> list[Case]:
    """Give queries and keys of many sizes, some with scores far apart."""
    query, key = draw(rng, 3, 2)
    apart = [[3, 2, 3, 2], [-2, -2, -3, -3], [0, 0, 0, 0], [-1, 0, -2, 1]]
    return [
        *sized(rng, draw),
        *[
            Case(name, query_key(scores))
            for name, scores in steep().items()
            if len(scores) == 4
        ],
        Case("rows far apart", query_key(1e4 * np.array(apart))),
        Case("equal keys", (query, np.ones_like(key))),
        Case("queries of zeros", (0 * query, key)),
    ]


EXERCISE = Exercise(
    id="3.11",
    title="How a key learns",
    statement="""\
Query i should find key i. The loss is the mean of −log wᵢᵢ over all i, where
w = softmax(QKᵀ / √d), each row over the keys. Write
`key_gradient(query, key)`: the gradient of that loss for the keys.

- `query` and `key` both have shape `(n, d)`, and so has the result.
- By hand, without autograd: NumPy is enough.""",
    difficulty=3,
    minutes=25,
    hints=[
        "Two steps, by the chain rule: the gradient for the scores, (n, n), "
        "then that for the keys.",
        "For one row, the derivative of −log wᵢᵢ with respect to score j is "
        "wᵢⱼ, minus 1 where j = i. Try it on two keys with a pencil.",
        "Score ij is qᵢ · kⱼ / √d: key j stands in column j, with every "
        "query. So each key gets a sum over the queries, and which side "
        "needs a transpose follows from the shapes.",
    ],
    inputs=inputs,
)


@EXERCISE.is_solution
def key_gradient(query, key):
    """Say how the loss changes with each number of the keys.

    query (n, d), key (n, d) → (n, d)
    """
    n, d = key.shape
    scores = query @ key.T / d**0.5  # (n, n)
    exps = np.exp(scores - scores.max(axis=-1, keepdims=True))
    weights = exps / exps.sum(axis=-1, keepdims=True)
    return (weights - np.eye(n)).T @ query / (n * d**0.5)


def _weights(query, key):
    return softmax(query @ key.T / np.sqrt(key.shape[-1]))


def _size(key):
    return key.shape[0] * np.sqrt(key.shape[1])


# Right in other words


@EXERCISE.is_right
def with_loops(query, key):
    """One pair at a time."""
    weights, gradient = _weights(query, key), np.zeros(key.shape)
    for i, q in enumerate(query):
        for j in range(len(key)):
            gradient[j] += (weights[i, j] - (i == j)) * q
    return gradient / _size(key)


@EXERCISE.is_right
def what_pulls_and_what_pushes(query, key):
    """Each key is pulled to its query and pushed from those that look."""
    return (_weights(query, key).T @ query - query) / _size(key)


# Wrong


@EXERCISE.is_wrong
def uphill(query, key):
    """You have the sign reversed: this leads uphill, the gradient of log."""
    return -key_gradient(query, key)


@EXERCISE.is_wrong
def not_transposed(query, key):
    """Sum over the queries: key j stands in column j. Transpose w − 1."""
    return (_weights(query, key) - np.eye(len(key))) @ query / _size(key)


@EXERCISE.is_wrong
def own_weight_only(query, key):
    """You took w without the 1 of the right key: nothing is attracted."""
    return _weights(query, key).T @ query / _size(key)


@EXERCISE.is_wrong
def own_query_only(query, key):
    """You kept the right key's term: other queries push a key away too."""
    pulls = np.diagonal(_weights(query, key))[:, None] - 1
    return pulls * query / _size(key)


@EXERCISE.is_wrong
def for_the_queries(query, key):
    """You took the gradient for the queries: here the keys learn."""
    return (_weights(query, key) - np.eye(len(key))) @ key / _size(key)


@EXERCISE.is_wrong
def root_d_left_out(query, key):
    """You left out √d in the last step: scores are q·k / √d."""
    return key_gradient(query, key) * np.sqrt(key.shape[1])


@EXERCISE.is_wrong
def not_scaled_at_all(query, key):
    """You left out √d altogether."""
    weights = softmax(1.0 * (query @ key.T))
    return (weights - np.eye(len(key))).T @ query / len(key)


@EXERCISE.is_wrong
def divided_by_d(query, key):
    """You divided by d in the last step: scores are q·k / √d."""
    return key_gradient(query, key) / np.sqrt(key.shape[1])


@EXERCISE.is_wrong
def sum_of_the_losses(query, key):
    """You took the sum over i: the loss is the mean."""
    return key_gradient(query, key) * len(key)


@EXERCISE.is_wrong
def softmax_over_queries(query, key):
    """You took the softmax over the queries: each row is over the keys."""
    weights = softmax(query @ key.T / np.sqrt(key.shape[-1]), axis=0)
    return (weights - np.eye(len(key))).T @ query / _size(key)


@EXERCISE.is_wrong
def keys_in_place_of_queries(query, key):
    """You multiplied by the keys: the derivative of q·k for k is q."""
    return (_weights(query, key) - np.eye(len(key))).T @ key / _size(key)


@EXERCISE.is_wrong
def derivative_of_the_weight(query, key):
    """You took the derivative of −wᵢᵢ: the loss has a logarithm."""
    weights = _weights(query, key)
    own = np.diagonal(weights)[:, None]
    return (own * (weights - np.eye(len(key)))).T @ query / _size(key)


@EXERCISE.is_wrong
def no_maximum_subtracted(query, key):
    """Right for small scores, but exp overflows: subtract the maximum."""
    exps = np.exp(query @ key.T / np.sqrt(key.shape[-1]))
    weights = exps / exps.sum(-1, keepdims=True)
    return (weights - np.eye(len(key))).T @ query / _size(key)


@EXERCISE.is_wrong
def returns_the_loss(query, key):
    """You returned the loss: its gradient has the shape of the keys."""
    return -np.log(np.diagonal(_weights(query, key))).mean()
