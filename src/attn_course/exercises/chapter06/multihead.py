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
    return [
        Case("two tokens of one number", (*first, mix, 2)),
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


def _split(x, heads):
    """(..., n, width) to (..., heads, n, d_head)."""
    *batch, n, width = x.shape
    return x.reshape(*batch, n, heads, width // heads).swapaxes(-3, -2)


def _merge(read):
    """(..., heads, n, d_head) to (..., n, width)."""
    *batch, heads, n, d_head = read.shape
    return read.swapaxes(-3, -2).reshape(*batch, n, heads * d_head)


def _weights(q, k, root, axis=-1, hide=-np.inf):
    """Attend causally with pieces (..., n, d)."""
    scores = q @ swap(k) / root
    mask = np.tri(q.shape[-2], dtype=bool)
    return softmax(np.where(mask, scores, hide), axis=axis)


def _read(x, W_q, W_k, W_v, heads):
    """Give what each head reads: (..., heads, n, d_head)."""
    q, k, v = (_split(x @ W, heads) for W in (W_q, W_k, W_v))
    return _weights(q, k, q.shape[-1] ** 0.5) @ v


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


@EXERCISE.is_wrong
def scaled_by_root_d_model(x, W_q, W_k, W_v, W_o, heads):
    """You divided by √d_model: a head's scores are sums of d_head terms."""
    q, k, v = (_split(x @ W, heads) for W in (W_q, W_k, W_v))
    return _merge(_weights(q, k, x.shape[-1] ** 0.5) @ v) @ W_o


@EXERCISE.is_wrong
def scaled_by_root_of_the_width(x, W_q, W_k, W_v, W_o, heads):
    """You divided by √(heads · d_head): a head's own width is d_head."""
    q, k, v = (_split(x @ W, heads) for W in (W_q, W_k, W_v))
    return _merge(_weights(q, k, W_q.shape[-1] ** 0.5) @ v) @ W_o


@EXERCISE.is_wrong
def not_scaled(x, W_q, W_k, W_v, W_o, heads):
    """You did not scale: divide the scores by √d_head."""
    q, k, v = (_split(x @ W, heads) for W in (W_q, W_k, W_v))
    return _merge(_weights(q, k, 1.0) @ v) @ W_o


@EXERCISE.is_wrong
def softmax_over_queries(x, W_q, W_k, W_v, W_o, heads):
    """Your softmax runs along the queries: each row must sum to 1."""
    q, k, v = (_split(x @ W, heads) for W in (W_q, W_k, W_v))
    root = q.shape[-1] ** 0.5
    return _merge(_weights(q, k, root, axis=-2) @ v) @ W_o


@EXERCISE.is_wrong
def softmax_over_heads(x, W_q, W_k, W_v, W_o, heads):
    """Your softmax runs along the heads: each head has its own rows."""
    q, k, v = (_split(x @ W, heads) for W in (W_q, W_k, W_v))
    root = q.shape[-1] ** 0.5
    weights = _weights(q, k, root, axis=-3, hide=-1e30)
    return _merge(weights @ v) @ W_o


@EXERCISE.is_wrong
def no_maximum_subtracted(x, W_q, W_k, W_v, W_o, heads):
    """Right for small scores. For large ones exp gives inf."""
    q, k, v = (_split(x @ W, heads) for W in (W_q, W_k, W_v))
    exps = np.exp(q @ swap(k) / q.shape[-1] ** 0.5)
    exps = exps * np.tri(x.shape[-2])
    return _merge(exps / exps.sum(axis=-1, keepdims=True) @ v) @ W_o


@EXERCISE.is_wrong
def one_score_for_all_heads(x, W_q, W_k, W_v, W_o, heads):
    """You compared whole vectors: that is one head. Split before scoring."""
    weights = _weights(x @ W_q, x @ W_k, (W_q.shape[-1] // heads) ** 0.5)
    return weights @ (x @ W_v) @ W_o


@EXERCISE.is_wrong
def queries_and_keys_exchanged(x, W_q, W_k, W_v, W_o, heads):
    """You exchanged queries and keys: rows are queries."""
    return multi_head(x, W_k, W_q, W_v, W_o, heads)


# The mask


@EXERCISE.is_wrong
def mask_lost(x, W_q, W_k, W_v, W_o, heads):
    """You let tokens see what comes later: the mask is missing."""
    q, k, v = (_split(x @ W, heads) for W in (W_q, W_k, W_v))
    weights = softmax(q @ swap(k) / q.shape[-1] ** 0.5)
    return _merge(weights @ v) @ W_o


@EXERCISE.is_wrong
def mask_for_the_first_head(x, W_q, W_k, W_v, W_o, heads):
    """You masked the first head alone: all heads need the mask."""
    q, k, v = (_split(x @ W, heads) for W in (W_q, W_k, W_v))
    root = q.shape[-1] ** 0.5
    weights = softmax(q @ swap(k) / root)
    first = (Ellipsis, slice(0, 1), slice(None), slice(None))
    weights[first] = _weights(q[first], k[first], root)
    return _merge(weights @ v) @ W_o


@EXERCISE.is_wrong
def mask_after_softmax(x, W_q, W_k, W_v, W_o, heads):
    """You masked after the softmax: then rows no longer sum to 1."""
    q, k, v = (_split(x @ W, heads) for W in (W_q, W_k, W_v))
    weights = softmax(q @ swap(k) / q.shape[-1] ** 0.5)
    return _merge(weights * np.tri(x.shape[-2]) @ v) @ W_o


@EXERCISE.is_wrong
def mask_upside_down(x, W_q, W_k, W_v, W_o, heads):
    """Your mask is upside down: tokens see later ones, not earlier ones."""
    q, k, v = (_split(x @ W, heads) for W in (W_q, W_k, W_v))
    mask = np.tri(x.shape[-2], dtype=bool).T
    scores = np.where(mask, q @ swap(k) / q.shape[-1] ** 0.5, -np.inf)
    return _merge(softmax(scores) @ v) @ W_o


# What is subtracted, and what hides


def _changed(x, W_q, W_k, W_v, W_o, heads, weigh):
    """Make the weights of scores and mask in another way."""
    q, k, v = (_split(x @ W, heads) for W in (W_q, W_k, W_v))
    scores = q @ swap(k) / q.shape[-1] ** 0.5
    weights = weigh(scores, np.tri(x.shape[-2], dtype=bool))
    return _merge(weights @ v) @ W_o


def _less(scores, mask, highest):
    """Subtract something else than the largest score of a row."""
    exps = np.exp(np.where(mask, scores, -np.inf) - highest)
    return exps / exps.sum(axis=-1, keepdims=True)


@EXERCISE.is_wrong
def largest_absolute(x, W_q, W_k, W_v, W_o, heads):
    """You subtracted the largest absolute score: below 0, all vanish."""

    def weigh(scores, mask):
        sizes = np.where(mask, np.abs(scores), 0)
        return _less(scores, mask, sizes.max(axis=-1, keepdims=True))

    return _changed(x, W_q, W_k, W_v, W_o, heads, weigh)


@EXERCISE.is_wrong
def one_maximum_for_all(x, W_q, W_k, W_v, W_o, heads):
    """You subtracted the largest score of all rows: each has its own."""

    def weigh(scores, mask):
        return _less(scores, mask, scores[..., mask].max())

    return _changed(x, W_q, W_k, W_v, W_o, heads, weigh)


@EXERCISE.is_wrong
def hidden_keys_subtracted(x, W_q, W_k, W_v, W_o, heads):
    """You subtracted the largest score before the mask: hidden ones count."""

    def weigh(scores, mask):
        return _less(scores, mask, scores.max(axis=-1, keepdims=True))

    return _changed(x, W_q, W_k, W_v, W_o, heads, weigh)


@EXERCISE.is_wrong
def lower_triangle(x, W_q, W_k, W_v, W_o, heads):
    """You set hidden scores to 0: exp(0) is 1. Use −inf."""

    def weigh(scores, mask):
        return softmax(np.tril(scores))

    return _changed(x, W_q, W_k, W_v, W_o, heads, weigh)


@EXERCISE.is_wrong
def score_of_minus_ten_thousand(x, W_q, W_k, W_v, W_o, heads):
    """You gave hidden keys a low score, −1e4 or so: real ones may be lower."""

    def weigh(scores, mask):
        return softmax(np.where(mask, scores, -1e4))

    return _changed(x, W_q, W_k, W_v, W_o, heads, weigh)


@EXERCISE.is_wrong
def score_of_minus_a_billion(x, W_q, W_k, W_v, W_o, heads):
    """You gave hidden keys a low score, −1e9 or so: real ones may be lower."""

    def weigh(scores, mask):
        return softmax(np.where(mask, scores, -1e9))

    return _changed(x, W_q, W_k, W_v, W_o, heads, weigh)


@EXERCISE.is_wrong
def minus_a_billion_added(x, W_q, W_k, W_v, W_o, heads):
    """You added −1e9 or so to hidden scores: one of 1e10 is still seen."""

    def weigh(scores, mask):
        return softmax(scores + np.where(mask, 0.0, -1e9))

    return _changed(x, W_q, W_k, W_v, W_o, heads, weigh)


# Splitting, merging, mixing


@EXERCISE.is_wrong
def straight_to_heads(x, W_q, W_k, W_v, W_o, heads):
    """You reshaped straight to (heads, n, d_head): that mixes positions."""
    *batch, n, _ = x.shape
    q, k, v = ((x @ W).reshape(*batch, heads, n, -1) for W in (W_q, W_k, W_v))
    return _merge(_weights(q, k, q.shape[-1] ** 0.5) @ v) @ W_o


@EXERCISE.is_wrong
def not_swapped_back(x, W_q, W_k, W_v, W_o, heads):
    """You merged without exchanging the axes back: positions are mixed."""
    read = _read(x, W_q, W_k, W_v, heads)
    return read.reshape(*x.shape[:-1], -1) @ W_o


@EXERCISE.is_wrong
def merged_in_reverse(x, W_q, W_k, W_v, W_o, heads):
    """You merged the last head first: W_o expects them in order."""
    read = _read(x, W_q, W_k, W_v, heads)
    return _merge(read[..., ::-1, :, :]) @ W_o


@EXERCISE.is_wrong
def d_head_from_d_model(x, W_q, W_k, W_v, W_o, heads):
    """You took d_model / heads as d_head: the width of W_q decides."""
    d_head = x.shape[-1] // heads
    *batch, n, _ = x.shape
    q, k, v = (
        (x @ W).reshape(*batch, n, heads, d_head).swapaxes(-3, -2)
        for W in (W_q, W_k, W_v)
    )
    return _merge(_weights(q, k, d_head**0.5) @ v) @ W_o


@EXERCISE.is_wrong
def not_mixed(x, W_q, W_k, W_v, W_o, heads):
    """You forgot W_o: it mixes what the heads have read."""
    return _merge(_read(x, W_q, W_k, W_v, heads))


@EXERCISE.is_wrong
def mixed_by_the_transpose(x, W_q, W_k, W_v, W_o, heads):
    """You multiplied by the transpose of W_o: it stands on the right."""
    return _merge(_read(x, W_q, W_k, W_v, heads)) @ W_o.T


@EXERCISE.is_wrong
def added_to_the_input(x, W_q, W_k, W_v, W_o, heads):
    """You added the input: that comes after attention, not in it."""
    return x + multi_head(x, W_q, W_k, W_v, W_o, heads)
