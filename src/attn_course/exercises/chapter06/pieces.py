"""Exercise 6.1: split into heads, read, and merge again."""

import numpy as np

from attn_course.exercises.cases import Case, hard, normal, sized, weights
from attn_course.exercises.core import Exercise


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

EXERCISE.edits(
    """
straight_to_heads: You reshaped straight to (heads, n, d_head): that mixes
        positions.
    n_k, heads, d_model // heads → heads, n_k, d_model // heads
    np.swapaxes(pieces, -3, -2) → pieces
wrong_axes_swapped: You exchanged the wrong axes: positions and heads change
        places.
    n_k, heads, d_model // heads → heads, d_model // heads, n_k
    np.swapaxes(pieces, -3, -2) → np.swapaxes(pieces, -2, -1)
every_other_number: You dealt the numbers out like cards: pieces lie side by
        side.
    n_k, heads, d_model // heads → n_k, d_model // heads, heads
    np.swapaxes(pieces, -3, -2) → np.moveaxis(pieces, -1, -3)
    np.swapaxes(read, -3, -2) → np.moveaxis(read, -3, -1)
first_piece_for_all: You gave all heads the first piece: each has its own.
    np.swapaxes(pieces, → np.swapaxes(pieces[..., :1, :],
pieces_in_reverse: You gave the last piece to the first head: piece h is for
        head h.
    → read_with_heads(weights[..., ::-1, :, :], values)
    """
)


# Merging

EXERCISE.edits(
    """
not_swapped_back: You merged without exchanging the axes back: positions are
        mixed.
    np.swapaxes(read, -3, -2) → read
never_swapped: You reshaped twice and exchanged no axes: positions are mixed
        twice.
    n_k, heads, d_model // heads → heads, n_k, d_model // heads
    np.swapaxes(pieces, -3, -2) → pieces
    np.swapaxes(read, -3, -2) → read
interleaved: You merged number by number: a head's piece stays in one piece.
    np.swapaxes(read, -3, -2) → np.moveaxis(read, -3, -1)
merged_in_reverse: You merged the last head first: keep the order of the heads.
    np.swapaxes(read, → np.swapaxes(read[..., ::-1, :, :],
not_merged: You did not merge: the pieces belong side by side in one vector.
    return → return read;
merged_below_each_other: You put the heads below each other: they belong side
        by side.
    return → return read.reshape(*batch, heads * n_q, -1);
heads_summed: You added up what the heads read: put it side by side.
    return → return read.sum(axis=-3);
    """
)


# Reading

EXERCISE.edits(
    """
one_mean_map: You took the mean over the heads' maps: each reads with its own.
    → weights.mean(axis=-3) @ values
first_map_for_all: You read with the map of the first head alone.
    → weights[..., 0, :, :] @ values
softmax_again: You took a softmax of the maps: they are weights already.
    weights @ → np.exp(weights) / np.exp(weights).sum(-1, keepdims=True) @
two_dimensional_only: Right for one sentence. For batches, count axes from the
        end.
    *batch, n_k, d_model = → n_k, d_model =
    *batch, n_k, heads → n_k, heads
    *batch, n_q, d_model → n_q, d_model
in_the_dtype_of_the_values: You rounded: an array made like `values` holds ints
        if they are.
    → read_with_heads(weights, values).astype(values.dtype)
    """
)
