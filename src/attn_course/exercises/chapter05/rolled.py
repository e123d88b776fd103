"""Exercise 5.3: attention rollout."""

import numpy as np

from attn_course.exercises.cases import Case, hard, sized, weights
from attn_course.exercises.core import Exercise


def inputs(rng: np.random.Generator) -> list[Case]:
    """Give uneven weights whose rows sum to 1."""
    first = np.array([[[[1.0, 0.0], [0.5, 0.5]]], [[[1.0, 0.0], [1.0, 0.0]]]])
    return [
        Case("two tokens", (first,)),
        Case("six layers of twelve heads", _draw(rng, 6, 12, 5)),
        Case("four layers of one head", _draw(rng, 4, 1, 3)),
        *sized(rng, _draw, to_ints=hard),
    ]


def _draw(rng, layers, heads, n):
    """Draw weights."""
    return (weights(rng, layers, heads, n, n),)


EXERCISE = Exercise(
    id="5.3",
    title="Attention rollout",
    statement="""\
Write `rollout(weights)` after Abnar and Zuidema (2020): follow attention
through all layers, down to the input.

- `weights` has shape `(layers, heads, n, n)`; layer 0 reads the input.
- In each layer take the mean over its heads. A layer also keeps what was
  there: let half of each map be that mean and half the identity matrix.
- Multiply the layers: what the last one reads has been read from below.
- Return `(n, n)`: row i says where the vector at place i, after the last
  layer, comes from. Each row sums to 1.""",
    difficulty=2,
    minutes=15,
    hints=[
        "`weights.mean(axis=1)` is one map a layer; `np.eye(n)` is the "
        "identity.",
        "Begin with the map of layer 0. Then let each next layer read from "
        "the result so far.",
        "Row i of layer 1 says which vectors of layer 0 it takes. So layer "
        "1 stands on the left: `layer @ result`.",
    ],
    inputs=inputs,
)


@EXERCISE.is_solution
def rollout(weights):
    """Multiply the layers' maps, each half mean over heads, half identity.

    weights (layers, heads, n, n) → (n, n)
    """
    kept = np.eye(weights.shape[-1])
    result = np.copy(kept)
    for layer in weights.mean(axis=1):
        result = (layer + kept) / 2 @ result
    return result


def _layers(weights):
    """Join the heads, and mix with the identity."""
    return (weights.mean(axis=1) + np.eye(weights.shape[-1])) / 2


def _product(layers):
    result = layers[0]
    for layer in layers[1:]:
        result = layer @ result
    return result


# Right in other words


@EXERCISE.is_right
def last_layer_first(weights):
    """Go down from the last layer."""
    layers = _layers(weights)
    result = layers[-1]
    for layer in layers[-2::-1]:
        result = result @ layer
    return result


@EXERCISE.is_right
def with_multi_dot(weights):
    """Let NumPy multiply them all."""
    layers = list(_layers(weights))[::-1]
    eye = np.eye(weights.shape[-1])
    return np.linalg.multi_dot([eye, *layers])


@EXERCISE.is_right
def normalised(weights):
    """Add the identity, then make the rows sum to 1."""
    layers = weights.astype(float).mean(axis=1) + np.eye(weights.shape[-1])
    return _product(layers / layers.sum(axis=-1, keepdims=True))


# The product

EXERCISE.edits(
    """
order_reversed: You multiplied in the wrong order: later layers stand on the
        left.
    (layer + kept) / 2 @ result → result @ (layer + kept) / 2
cell_by_cell: You multiplied cell by cell with `*`: layers take a matrix
        product.
    result = np.copy(kept) → result = 1.0
    (layer + kept) / 2 @ result → (layer + kept) / 2 * result
mean_over_layers: You took the mean over the layers: multiply them.
    → _layers(weights).mean(axis=0)
last_layer_alone: You used the last layer alone: it reads what others have
        mixed.
    2 @ result → 2
first_layer_left_out: You left out layer 0, which reads the input.
    weights.mean(axis=1) → weights[1:].mean(axis=1)
    """
)


@EXERCISE.is_wrong
def every_layer(weights):
    """You returned the result of every layer: that of the last is asked."""
    layers = _layers(weights)
    return np.stack([_product(layers[: i + 1]) for i in range(len(layers))])


# What a layer keeps

EXERCISE.edits(
    """
nothing_kept: You left out the identity: a layer keeps half of what was there.
    (layer + kept) / 2 → layer
not_halved: You added the identity and did not halve: rows must sum to 1.
    (layer + kept) / 2 → (layer + kept)
identity_at_the_end: You mixed with the identity once, at the end: each layer
        does it.
    (layer + kept) / 2 → layer
    return result → return (result + kept) / 2
all_ones_added: You added 1 to every cell: the identity has ones on its
        diagonal.
    layer + kept → layer + 1
    """
)


# The heads

EXERCISE.edits(
    """
heads_summed: You added up the heads: take their mean.
    mean(axis=1) → sum(axis=1)
largest_over_heads: You took the largest weight over the heads: take their
        mean.
    mean(axis=1) → max(axis=1)
first_head: You followed one head alone: take the mean over all.
    → rollout(weights[:, :1])
layers_averaged_heads_followed: You averaged over layers, and multiplied the
        heads: exchange them.
    → rollout(np.swapaxes(weights, 0, 1))
transposed: Your rows and columns are exchanged: row i says where i reads from.
    → rollout(weights).T
    """
)
