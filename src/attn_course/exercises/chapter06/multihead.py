"""Exercise 6.2: multi-head attention, from given weight matrices."""

import numpy as np

from attn_course.exercises.cases import Case, normal, sized, steep
from attn_course.exercises.core import Exercise
from attn_course.exercises.parts import softmax, swap


def inputs(rng: np.random.Generator) -> list[Case]:
    """Give tokens' vectors, four matrices, and the number of heads."""
    x = np.array([[1.0], [2.0]])
    first = (x, *(np.array([[1.0, w]]) for w in (0.5, -1.0, 2.0)))
    mix = np.array([[1.0], [-0.5]])
    x, *rest = _draw(rng, (), 4, 4, 2, 3)
    x[1] = 0
    return [
        Case("two tokens of one number", (*first, mix, 2)),
        Case("a token of zeros", (x, *rest)),
        Case("heads of 32 numbers", _draw(rng, (), 4, 64, 2, 32)),
        *sized(rng, _draw),
        *_steep(rng),
    ]


def _draw(rng, batch, n, d_model, heads, d_head):
    """Draw vectors, the matrices, and the number of heads."""
    width = heads * d_head
    return (
        normal(rng, *batch, n, d_model),
        *(normal(rng, d_model, width) for _ in range(3)),
        normal(rng, width, d_model),
        heads,
    )


def _steep(rng: np.random.Generator) -> list[Case]:
    """Give steep scores, other ones for each head."""
    eye = np.eye(4)
    cases = []
    for name, scores in steep().items():
        scores = np.resize(scores, (4, 4))
        w_q = 2 * np.hstack([scores, scores[::-1, ::-1]])
        w_k = np.hstack([eye, eye])
        rest = normal(rng, 4, 8), normal(rng, 8, 4)
        cases.append(Case(name, (eye, w_q, w_k, *rest, 2)))
    return cases


EXERCISE = Exercise(
    id="6.2",
    title="Multi-head attention, complete",
    statement="""\
Write `multi_head(x, W_q, W_k, W_v, W_o, heads)`: causal multi-head
self-attention, from the vectors of the tokens to the output of the layer.

- `x` has shape `(..., n, d_model)`. `W_q`, `W_k` and `W_v` have shape
  `(d_model, heads * d_head)`, `W_o` has `(heads * d_head, d_model)`; all
  multiply from the right. `heads * d_head` need not be `d_model`.
- Queries, keys and values are cut into pieces of d_head that lie side by side;
  piece h belongs to head h. Each head attends with its own pieces.
- Token i sees the tokens 0, 1, …, i. Scores are divided by √d_head.
- Merge what the heads read in their order, let `W_o` mix it, and return
  `(..., n, d_model)`. There are no biases.""",
    difficulty=3,
    minutes=25,
    hints=[
        "Queries, keys and values are split in the same way: write a small "
        "function for it, or use your answer to 6.1.",
        "With the axes (..., heads, n, d_head), scores for all heads are one "
        "matrix product, and the softmax runs along the last axis.",
        "What d_head is, the width of `W_q` and the number of heads tell: "
        "`d_model` does not.",
        "Subtract the largest score of each row before the exponential, "
        "after the mask.",
    ],
    inputs=inputs,
)


@EXERCISE.is_solution
def multi_head(x, W_q, W_k, W_v, W_o, heads):
    """Project, split, attend with every head, merge, mix.

    x (..., n, d_model), W_q, W_k, W_v (d_model, heads * d_head),
    W_o (heads * d_head, d_model) → (..., n, d_model)
    """
    *batch, n, _ = x.shape
    q, k, v = (
        np.swapaxes((x @ W).reshape(*batch, n, heads, -1), -3, -2)
        for W in (W_q, W_k, W_v)
    )  # (..., heads, n, d_head)
    scores = q @ np.swapaxes(k, -1, -2) / np.sqrt(q.shape[-1])
    scores = np.where(np.tri(n, dtype=bool), scores, -np.inf)
    exps = np.exp(scores - scores.max(axis=-1, keepdims=True))
    read = exps / exps.sum(axis=-1, keepdims=True) @ v
    return np.swapaxes(read, -3, -2).reshape(*batch, n, -1) @ W_o


def _weights(q, k, root):
    """Attend causally with pieces (..., n, d)."""
    scores = q @ swap(k) / root
    mask = np.tri(q.shape[-2], dtype=bool)
    return softmax(np.where(mask, scores, -np.inf))


# Right in other words


@EXERCISE.is_right
def one_head_at_a_time(x, W_q, W_k, W_v, W_o, heads):
    """Cut the matrices instead of the vectors, and add up what comes out."""
    d_head = W_q.shape[-1] // heads
    total = 0
    for h in range(heads):
        own = slice(h * d_head, (h + 1) * d_head)
        q, k, v = (x @ W[:, own] for W in (W_q, W_k, W_v))
        total = total + _weights(q, k, d_head**0.5) @ v @ W_o[own]
    return total


@EXERCISE.is_right
def with_einsum(x, W_q, W_k, W_v, W_o, heads):
    """Name the axes: no swap is needed."""
    q, k, v = (
        np.stack(np.split(x @ W, heads, axis=-1), axis=-2)
        for W in (W_q, W_k, W_v)
    )  # (..., n, heads, d_head)
    scores = np.einsum("...qhd,...khd->...hqk", q, k) / q.shape[-1] ** 0.5
    mask = np.tri(x.shape[-2], dtype=bool)
    weights = softmax(np.where(mask, scores, -np.inf))
    read = np.einsum("...hqk,...khd->...qhd", weights, v)
    return read.reshape(*x.shape[:-1], -1) @ W_o


# Scores

EXERCISE.edits(
    """
scaled_by_root_d_model: You divided by √d_model: a head's scores are sums of
        d_head terms.
    np.sqrt(q.shape[-1]) → np.sqrt(x.shape[-1])
scaled_by_root_of_the_width: You divided by √(heads · d_head): a head's own
        width is d_head.
    np.sqrt(q.shape[-1]) → np.sqrt(W_q.shape[-1])
not_scaled: You did not scale: divide the scores by √d_head.
    / np.sqrt(q.shape[-1]) →
softmax_over_queries: Your softmax runs along the queries: each row must sum to
        1.
    scores.max(axis=-1, → scores.max(axis=-2,
    exps.sum(axis=-1, → exps.sum(axis=-2,
softmax_over_heads: Your softmax runs along the heads: each head has its own
        rows.
    -np.inf → -1e30
    scores.max(axis=-1, → scores.max(axis=-3,
    exps.sum(axis=-1, → exps.sum(axis=-3,
no_maximum_subtracted: Right for small scores. For large ones exp gives inf.
    scores - scores.max(axis=-1, keepdims=True) → scores
queries_and_keys_exchanged: You exchanged queries and keys: rows are queries.
    → multi_head(x, W_k, W_q, W_v, W_o, heads)
    """
)


@EXERCISE.is_wrong
def one_score_for_all_heads(x, W_q, W_k, W_v, W_o, heads):
    """You compared whole vectors: that is one head. Split before scoring."""
    weights = _weights(x @ W_q, x @ W_k, (W_q.shape[-1] // heads) ** 0.5)
    return weights @ (x @ W_v) @ W_o


# The mask

EXERCISE.edits(
    """
mask_lost: You let tokens see what comes later: the mask is missing.
    np.where(np.tri(n, dtype=bool), scores, -np.inf) → scores
mask_for_the_first_head: You masked the first head alone: all heads need the
        mask.
    np.tri(n, dtype=bool) → np.tri(n) + np.arange(heads)[:, None, None] > 0
mask_after_softmax: You masked after the softmax: then rows no longer sum to 1.
    np.where(np.tri(n, dtype=bool), scores, -np.inf) → scores
    keepdims=True) @ v → keepdims=True) * np.tri(n) @ v
mask_upside_down: Your mask is upside down: tokens see later ones, not earlier
        ones.
    np.tri(n, dtype=bool) → np.tri(n, dtype=bool).T
    """
)


# What is subtracted, and what hides


EXERCISE.edits(
    """
largest_absolute: You subtracted the largest absolute score: below 0, all
        vanish.
    scores.max( → np.abs(np.nan_to_num(scores, neginf=0)).max(
one_maximum_for_all: You subtracted the largest score of all rows: each has its
        own.
    scores.max(axis=-1, keepdims=True) → scores.max()
hidden_keys_subtracted: You subtracted the largest score before the mask:
        hidden ones count.
    scores = np.where → top = scores.max(axis=-1); scores = np.where
    scores - scores.max(axis=-1, keepdims=True) → scores - top[..., None]
lower_triangle: You set hidden scores to 0: exp(0) is 1. Use −inf.
    np.where(np.tri(n, dtype=bool), scores, -np.inf) → np.tril(scores)
zeros_hidden: You hid every score that is 0: a real one may be. Hide by place.
    np.tri(n, dtype=bool) → np.tril(scores) != 0
score_of_minus_ten_thousand: You gave hidden keys a low score, −1e4 or so: real
        ones may be lower.
    -np.inf → -1e4
score_of_minus_a_billion: You gave hidden keys a low score, −1e9 or so: real
        ones may be lower.
    -np.inf → -1e9
minus_a_billion_added: You added −1e9 or so to hidden scores: one of 1e10 is
        still seen.
    scores = np.where → scores = scores + np.where
    scores, -np.inf → 0, -1e9
    """
)


# Splitting, merging, mixing

EXERCISE.edits(
    """
straight_to_heads: You reshaped straight to (heads, n, d_head): that mixes
        positions.
    np.swapaxes((x @ W) → ((x @ W)
    n, heads, -1), -3, -2) → heads, n, -1))
not_swapped_back: You merged without exchanging the axes back: positions are
        mixed.
    np.swapaxes(read, -3, -2).reshape → read.reshape
merged_in_reverse: You merged the last head first: W_o expects them in order.
    np.swapaxes(read, -3, -2) → np.swapaxes(read[..., ::-1, :, :], -3, -2)
d_head_from_d_model: You took d_model / heads as d_head: the width of W_q
        decides.
    n, heads, -1 → n, heads, x.shape[-1] // heads
not_mixed: You forgot W_o: it mixes what the heads have read.
    @ W_o →
mixed_by_the_transpose: You multiplied by the transpose of W_o: it stands on
        the right.
    @ W_o → @ W_o.T
added_to_the_input: You added the input: that comes after attention, not in it.
    → x + multi_head(x, W_q, W_k, W_v, W_o, heads)
    """
)
