"""Exercise 6.1: split into heads, read, and merge again."""

import numpy as np

from attn_course.exercises.cases import Case, hard, normal, sized, weights
from attn_course.exercises.core import Exercise
from attn_course.exercises.parts import softmax


def inputs(rng: np.random.Generator) -> list[Case]:
    """Give maps whose rows sum to 1, and values."""
    first = (
        np.array([[[1.0, 0.0], [0.5, 0.5]], [[0.0, 1.0], [1.0, 0.0]]]),
        np.array([[1.0, 2.0, 3.0, 4.0], [5.0, 6.0, 7.0, 8.0]]),
    )
    maps, values = _draw(rng, (), 3, 2, 4, 2)
    many = _draw(rng, (), 12, 3, 3, 2)
    return [
        Case("two heads, two positions", first),
        Case("twelve heads", tuple(many)),
        Case("whole values alone", (maps, np.rint(values).astype(int))),
        Case("values of 1e10", (maps, 1e10 * values)),
        *sized(rng, _draw, to_ints=hard),
    ]


def _draw(rng, batch, heads, n_q, n_k, d_head):
    """Draw a map for each head, and values."""
    return [
        weights(rng, *batch, heads, n_q, n_k),
        normal(rng, *batch, n_k, heads * d_head),
    ]


EXERCISE = Exercise(
    id="6.1",
    title="Split and merge heads",
    statement="""\
Write `read_with_heads(weights, values)`: split each value vector into pieces,
let each head read its own piece with its own map, and merge what they read.

- `weights` has shape `(..., heads, n_q, n_k)`: one map for each head.
- `values` has shape `(..., n_k, d_model)`. Each vector is cut into `heads`
  pieces of equal length that lie side by side; piece h belongs to head h.
- Return `(..., n_q, d_model)`: at each position the pieces that the heads have
  read, side by side in the order of the heads.""",
    difficulty=2,
    minutes=15,
    hints=[
        "Cutting a vector into pieces splits its last axis in two: "
        "`(..., n_k, heads, d_head)`. The positions stay where they are.",
        "`weights @ pieces` wants the heads before the positions: "
        "`(..., heads, n_k, d_head)`. A reshape can't exchange two axes; "
        "`np.swapaxes` can.",
        "To merge, go the same way back: first exchange the axes, then "
        "reshape.",
    ],
    inputs=inputs,
)


@EXERCISE.is_solution
def read_with_heads(weights, values):
    """Split the values, read each piece with its head's map, merge.

    weights (..., heads, n_q, n_k), values (..., n_k, d_model)
    → (..., n_q, d_model)
    """
    *batch, n_k, d_model = values.shape
    heads, n_q = weights.shape[-3:-1]
    pieces = values.reshape(*batch, n_k, heads, d_model // heads)
    read = weights @ np.swapaxes(pieces, -3, -2)  # (..., heads, n_q, d_head)
    return np.swapaxes(read, -3, -2).reshape(*batch, n_q, d_model)


def _split(weights, values):
    """Cut the values as they should be: (..., heads, n_k, d_head)."""
    *batch, n_k, d_model = values.shape
    heads = weights.shape[-3]
    pieces = values.reshape(*batch, n_k, heads, d_model // heads)
    return np.swapaxes(pieces, -3, -2)


def _merge(read):
    """Put the pieces side by side: (..., n_q, d_model)."""
    *batch, heads, n_q, d_head = read.shape
    swapped = np.swapaxes(read, -3, -2)
    return swapped.reshape(*batch, n_q, heads * d_head)


# Right in other words


@EXERCISE.is_right
def one_head_at_a_time(weights, values):
    """Cut with slices, and join the results."""
    heads = weights.shape[-3]
    d_head = values.shape[-1] // heads
    read = [
        weights[..., h, :, :] @ values[..., h * d_head : (h + 1) * d_head]
        for h in range(heads)
    ]
    return np.concatenate(read, axis=-1)


@EXERCISE.is_right
def with_einsum(weights, values):
    """Name the axes: no swap is needed."""
    *batch, n_k, d_model = values.shape
    heads = weights.shape[-3]
    pieces = values.reshape(*batch, n_k, heads, d_model // heads)
    read = np.einsum("...hqk,...khd->...qhd", weights, pieces)
    return read.reshape(*batch, weights.shape[-2], d_model)


@EXERCISE.is_right
def with_whole_vectors(weights, values):
    """Let each head read whole vectors, and keep its own piece."""
    heads, n_q = weights.shape[-3:-1]
    whole = weights @ values[..., None, :, :]  # (..., heads, n_q, d_model)
    owner = np.arange(values.shape[-1]) * heads // values.shape[-1]
    return np.take_along_axis(
        whole,
        np.broadcast_to(
            owner, (*weights.shape[:-3], 1, n_q, values.shape[-1])
        ),
        axis=-3,
    )[..., 0, :, :]


# Cutting


@EXERCISE.is_wrong
def straight_to_heads(weights, values):
    """You reshaped straight to (heads, n, d_head): that mixes positions."""
    *batch, n_k, d_model = values.shape
    heads = weights.shape[-3]
    pieces = values.reshape(*batch, heads, n_k, d_model // heads)
    return _merge(weights @ pieces)


@EXERCISE.is_wrong
def wrong_axes_swapped(weights, values):
    """You exchanged the wrong axes: positions and heads change places."""
    *batch, n_k, d_model = values.shape
    heads = weights.shape[-3]
    pieces = values.reshape(*batch, heads, d_model // heads, n_k)
    return _merge(weights @ np.swapaxes(pieces, -1, -2))


@EXERCISE.is_wrong
def every_other_number(weights, values):
    """You dealt the numbers out like cards: pieces lie side by side."""
    *batch, n_k, d_model = values.shape
    heads = weights.shape[-3]
    dealt = values.reshape(*batch, n_k, d_model // heads, heads)
    read = weights @ np.moveaxis(dealt, -1, -3)
    *_, n_q, d_head = read.shape
    back = np.moveaxis(read, -3, -1)  # (..., n_q, d_head, heads)
    return back.reshape(*batch, n_q, heads * d_head)


@EXERCISE.is_wrong
def first_piece_for_all(weights, values):
    """You gave all heads the first piece: each has its own."""
    pieces = _split(weights, values)
    return _merge(weights @ pieces[..., :1, :, :])


@EXERCISE.is_wrong
def pieces_in_reverse(weights, values):
    """You gave the last piece to the first head: piece h is for head h."""
    return read_with_heads(weights[..., ::-1, :, :], values)


# Merging


@EXERCISE.is_wrong
def not_swapped_back(weights, values):
    """You merged without exchanging the axes back: positions are mixed."""
    read = weights @ _split(weights, values)
    *batch, heads, n_q, d_head = read.shape
    return read.reshape(*batch, n_q, heads * d_head)


@EXERCISE.is_wrong
def never_swapped(weights, values):
    """You reshaped twice and exchanged no axes: positions are mixed twice."""
    *batch, n_k, d_model = values.shape
    heads, n_q = weights.shape[-3:-1]
    pieces = values.reshape(*batch, heads, n_k, d_model // heads)
    return (weights @ pieces).reshape(*batch, n_q, d_model)


@EXERCISE.is_wrong
def interleaved(weights, values):
    """You merged number by number: a head's piece stays in one piece."""
    read = weights @ _split(weights, values)
    *batch, heads, n_q, d_head = read.shape
    mixed = np.moveaxis(read, -3, -1)  # (..., n_q, d_head, heads)
    return mixed.reshape(*batch, n_q, heads * d_head)


@EXERCISE.is_wrong
def merged_in_reverse(weights, values):
    """You merged the last head first: keep the order of the heads."""
    read = weights @ _split(weights, values)
    return _merge(read[..., ::-1, :, :])


@EXERCISE.is_wrong
def not_merged(weights, values):
    """You did not merge: the pieces belong side by side in one vector."""
    return weights @ _split(weights, values)


@EXERCISE.is_wrong
def merged_below_each_other(weights, values):
    """You put the heads below each other: they belong side by side."""
    read = weights @ _split(weights, values)
    *batch, heads, n_q, d_head = read.shape
    return read.reshape(*batch, heads * n_q, d_head)


@EXERCISE.is_wrong
def heads_summed(weights, values):
    """You added up what the heads read: put it side by side."""
    return (weights @ _split(weights, values)).sum(axis=-3)


# Reading


@EXERCISE.is_wrong
def one_mean_map(weights, values):
    """You took the mean over the heads' maps: each reads with its own."""
    return weights.mean(axis=-3) @ values


@EXERCISE.is_wrong
def first_map_for_all(weights, values):
    """You read with the map of the first head alone."""
    return weights[..., 0, :, :] @ values


@EXERCISE.is_wrong
def softmax_again(weights, values):
    """You took a softmax of the maps: they are weights already."""
    return read_with_heads(softmax(weights), values)


@EXERCISE.is_wrong
def two_dimensional_only(weights, values):
    """Right for one sentence. For batches, count axes from the end."""
    n_k, d_model = values.shape
    heads = weights.shape[0]
    pieces = values.reshape(n_k, heads, d_model // heads)
    read = weights @ pieces.transpose(1, 0, 2)
    return read.transpose(1, 0, 2).reshape(-1, d_model)


@EXERCISE.is_wrong
def in_the_dtype_of_the_values(weights, values):
    """You rounded: an array made like `values` holds ints if they are."""
    return read_with_heads(weights, values).astype(values.dtype)
