"""Exercise 4.1: a causal mask that lets nothing through."""

import numpy as np

from attn_course.exercises.cases import (
    Case,
    normal,
    query_key,
    sized,
    steep,
    steep_batch,
    unseen,
)
from attn_course.exercises.core import Exercise
from attn_course.exercises.parts import (
    hidden_too_little,
    named,
    softmax,
    swap,
)
from attn_course.functional import attention as from_the_course


def inputs(rng: np.random.Generator) -> list[Case]:
    """Give queries, keys, values and how many tokens are real."""
    first = (
        np.array([[1.0, 0.0], [0.0, 2.0]]),
        np.array([[1.0, 1.0], [2.0, 0.0]]),
        np.array([[10.0], [20.0]]),
    )
    cases = [Case("two tokens", (*first, 2)), *sized(rng, _draw)]
    for name, scores in steep().items():
        query, key = query_key(np.resize(scores, (4, 4)))
        cases.append(Case(name, (query, key, normal(rng, 4, 2), 4)))
    query, key = query_key(np.resize(steep_batch(), (2, 4, 4)))
    batch = query, key, normal(rng, 2, 4, 2), 4
    cases.append(Case("scores far apart in a batch", batch))
    return cases + _awkward(rng)


def _draw(rng, batch, n, d, d_v):
    """Draw all arrays, and how many tokens are real."""
    shapes = [(n, d), (n, d), (n, d_v)]
    arrays = [normal(rng, *batch, *shape) for shape in shapes]
    return *arrays, int(rng.integers(1, n + 1))


def _awkward(rng: np.random.Generator) -> list[Case]:
    """Give later tokens and padding that hold anything."""
    *arrays, _ = _draw(rng, (), 4, 3, 2)
    arrays[0][-1] = [1.0, -1.0, 0.5]  # so that inf gives it NaN
    *batch, _ = _draw(rng, (2,), 4, 3, 2)
    large = [x.copy() for x in arrays]
    large[0][0] *= 1e4
    padding = dict.fromkeys(range(3), np.s_[..., 2:, :])
    return [
        Case("no padding", (*arrays, 4)),
        Case("two of four are padding", (*arrays, 2)),
        Case("one token, then padding", (*arrays, 1)),
        Case("a first query with a huge score", (*large, 4)),
        *unseen("a later key", (*arrays, 4), {1: -1}),
        *unseen("a later value", (*arrays, 4), {2: -1}),
        *unseen("padding", (*arrays, 2), padding),
        *unseen("padding, in a batch,", (*batch, 2), padding),
    ]


EXERCISE = Exercise(
    id="4.1",
    title="A causal mask without leaks",
    statement="""\
Write `causal_attention(query, key, value, length)`: self-attention in which
token i sees the tokens 0, 1, …, i and nothing of what comes later.

- `query` and `key` have shape `(..., n, d)`, `value` has `(..., n, d_v)`.
  Return the outputs, `(..., n, d_v)`; scores are divided by √d.
- The first `length` tokens are real (at least one). The others are padding:
  nobody looks at them, and their own outputs are zeros.
- Nothing leaks: whatever a later token or the padding holds, be it a billion
  or NaN, the outputs before it stay the same.""",
    difficulty=2,
    minutes=20,
    hints=[
        "A token sees itself and what came before: the lower triangle of the "
        "scores, the diagonal included. `np.tri` makes one.",
        "Hide the rest before the softmax, with a score whose exponential is "
        "exactly 0. A score of −10 still lets a little through.",
        "0 · NaN is NaN, so a weight of 0 does not stop it. Cut the padding "
        "off first. Then multiply weights and values without adding up, "
        "`(..., n, n, d_v)`: now `np.where` can empty what is hidden.",
    ],
    inputs=inputs,
)


@EXERCISE.is_solution
def causal_attention(query, key, value, length):
    """Let each token look at itself and at what came before.

    query (..., n, d), key (..., n, d), value (..., n, d_v) → (..., n, d_v)
    """
    output = np.zeros(value.shape)
    query, key, value = (x[..., :length, :] for x in (query, key, value))
    seen = np.tri(length, dtype=bool)  # (length, length)
    scores = query @ np.swapaxes(key, -1, -2) / np.sqrt(key.shape[-1])
    scores = np.where(seen, scores, -np.inf)
    exps = np.exp(scores - scores.max(axis=-1, keepdims=True))
    weights = exps / exps.sum(axis=-1, keepdims=True)
    parts = weights[..., None] * value[..., None, :, :]  # of each value
    parts = np.where(seen[..., None], parts, 0)  # 0 · NaN would be NaN
    output[..., :length, :] = parts.sum(axis=-2)
    return output


# Right in other words


@EXERCISE.is_right
def with_one_mask(query, key, value, length):
    """Keep the padding, but empty it and hide it."""
    n, d_v = value.shape[-2:]
    token = np.arange(n) < length  # (n,)
    query, key, value = (
        np.where(token[:, None], x, 0.0) for x in (query, key, value)
    )
    mask = np.tri(n, dtype=bool) & token & token[:, None]
    scores = np.where(mask, _scores(query, key), -1e30)
    values = np.broadcast_to(value[..., None, :, :], (*scores.shape, d_v))
    values = np.where(mask[..., None], values, 0.0)
    return np.einsum("...qk,...qkv->...qv", softmax(scores), values)


@EXERCISE.is_right
def with_loops(query, key, value, length):
    """One token at a time, over what came before."""
    output = np.zeros(value.shape)
    for place in np.ndindex(query.shape[:-2]):
        for i in range(length):
            seen = key[place][: i + 1] @ query[place][i]
            weights = softmax(seen / len(query[place][i]) ** 0.5)
            output[place][i] = weights @ value[place][: i + 1]
    return output


@EXERCISE.is_right
def with_the_course(query, key, value, length):
    """Ask the course's own function, which takes floats, and pad."""
    real = [1.0 * x[..., :length, :] for x in (query, key, value)]
    axes = [(0, 0)] * (value.ndim - 2)
    missing = value.shape[-2] - length
    output = from_the_course(*real, causal=True)
    return np.pad(output, [*axes, (0, missing), (0, 0)])


def _scores(query, key):
    return query @ swap(key) / np.sqrt(key.shape[-1])


def _padded(weigh, *, nan_too=True):
    """Make an answer from what gives the weights of the real tokens.

    With `nan_too`, a weight of 0 does not stop NaN.
    """

    def answer(query, key, value, length):
        output = np.zeros(value.shape)
        query, key, value = (x[..., :length, :] for x in (query, key, value))
        mask = np.tri(length, dtype=bool)
        weights = weigh(_scores(query, key), mask)
        parts = weights[..., None] * value[..., None, :, :]
        if not nan_too:
            parts = np.where(mask[..., None], parts, 0.0)
        output[..., :length, :] = parts.sum(axis=-2)
        return output

    return answer


# Seeing the wrong tokens


@EXERCISE.is_wrong
def zero_times_nan(query, key, value, length):
    """Right until a later value is NaN: 0 · NaN is NaN, and it spreads."""
    output = np.zeros(value.shape)
    query, key, value = (x[..., :length, :] for x in (query, key, value))
    mask = np.tri(length, dtype=bool)
    scores = _scores(query, key)
    hidden = np.where(mask, scores, -np.inf)
    weights = softmax(hidden, axis=-1)
    parts = weights[..., None] * value[..., None, :, :]
    output[..., :length, :] = parts.sum(axis=-2)
    return output


EXERCISE.edits(
    """
not_causal: Every token sees the later ones too: hide them.
    np.where(mask, scores, -np.inf) → scores
triangle_flipped: Your tokens see what comes later: keep the lower triangle.
    np.where(mask → np.where(mask.T
diagonal_hidden: You hid each token from itself: the diagonal belongs to the
        mask.
    (length, dtype=bool) → (length, k=-1, dtype=bool)
    -np.inf → -1e30
    weights[..., None] → (weights * mask)[..., None]
first_token_is_nan: You hid each token from itself, so the first sees nothing:
        0/0.
    (length, dtype=bool) → (length, k=-1, dtype=bool)
one_ahead: Your tokens see one token ahead: `np.tri(n, k=1)` is too much.
    (length, dtype=bool) → (length, k=1, dtype=bool)
    """,
    of=zero_times_nan,
)


# Hidden in a way that leaks

EXERCISE.edits(
    """
mask_after_softmax: You hid the later tokens after the softmax: they took their
        share.
    np.where(mask, scores, -np.inf) → scores
    weights[..., None] → (weights * mask)[..., None]
divided_again: Right until a later score is huge: then the rest is 0/0. Hide
        first.
    np.where(mask, scores, -np.inf) → scores
    softmax(hidden, axis=-1) → softmax(hidden) * mask
    parts = → weights /= weights.sum(axis=-1, keepdims=True); parts =
score_of_zero: You multiplied hidden scores by 0: exp(0) = 1, so they are seen.
    np.where(mask, scores, -np.inf) → scores * mask
mask_added: You added the mask: True adds 1 to a score, and hides nothing.
    np.where(mask, scores, -np.inf) → scores + mask
score_of_minus_one: You gave hidden tokens the score −1: they still get weight.
    -np.inf → -1.0
minus_ten_added: You added −10 to hidden scores: exp(−10) lets a little
        through.
    np.where(mask, scores, -np.inf) → scores + np.where(mask, 0.0, -10.0)
score_of_minus_ten: You gave hidden tokens the score −10: a little comes
        through.
    -np.inf → -10.0
infinity_times_zero: −inf · 0 is NaN: choose with `np.where`, do not multiply.
    np.where(mask, scores, -np.inf) → scores - np.inf * (1 - mask)
minus_infinity_added: You added −inf: NaN and inf stay NaN. Choose with
        `np.where`.
    np.where(mask, scores, -np.inf) → scores + np.where(mask, 0.0, -np.inf)
    """,
    of=zero_times_nan,
)


@EXERCISE.is_wrong
def hidden_along_the_batch(query, key, value, length):
    """Your mask fell on the batch axes: queries and keys are the last two."""

    def weigh(scores, mask):
        if scores.ndim > 2:
            mask = np.tri(len(scores), length, dtype=bool)[:, None, :]
            mask = mask.reshape(len(scores), *[1] * (scores.ndim - 2), length)
        return softmax(np.where(mask, scores, -np.inf))

    return _padded(weigh)(query, key, value, length)


for _name, _sentence, _weigh in hidden_too_little():
    EXERCISE.is_wrong(
        named(
            _name,
            _sentence,
            _padded(_weigh, nan_too=not _name.endswith("_then_emptied")),
        )
    )


# Padding


@EXERCISE.is_wrong
def length_ignored(query, key, value, length):
    """You did not use `length`: padding has outputs, and its NaN spreads."""
    n = query.shape[-2]
    scores = np.where(np.tri(n, dtype=bool), _scores(query, key), -np.inf)
    return softmax(scores) @ value


@EXERCISE.is_wrong
def padding_multiplied(query, key, value, length):
    """You multiplied NaN by 0, which is NaN: keep the padding out of it."""
    n = query.shape[-2]
    token = np.arange(n) < length
    scores = np.where(np.tri(n, dtype=bool), _scores(query, key), -np.inf)
    return (softmax(scores) * token[:, None]) @ value


@EXERCISE.is_wrong
def padding_answers(query, key, value, length):
    """Right for the tokens, but padding has outputs: they should be zeros."""
    real = zero_times_nan(query, key, value, length)
    n = query.shape[-2]
    scores = np.where(np.tri(n, dtype=bool), _scores(query, key), -np.inf)
    everything = softmax(scores) @ value
    token = np.arange(n)[:, None] < length
    return np.where(token, real, everything)


EXERCISE.edits(
    """
padding_cut_off: You left the padding out of the result: its outputs are zeros.
    → causal_attention(query, key, value, length)[..., :length, :]
    """,
    of=zero_times_nan,
)


# As in chapter 3

EXERCISE.edits(
    """
not_scaled: You left out the division by √d.
    → causal_attention(query * np.sqrt(key.shape[-1]), key, value, length)
divided_by_d: You divided by d, not by √d.
    → causal_attention(query / np.sqrt(key.shape[-1]), key, value, length)
softmax_over_queries: You took the softmax over the queries: each row must sum
        to 1.
    axis=-1 → axis=-2
no_maximum_subtracted: Right for small scores, but exp overflows: subtract the
        maximum.
    softmax(hidden, axis=-1) → np.exp(hidden)
    parts = → weights /= weights.sum(axis=-1, keepdims=True); parts =
earlier_values_averaged: You averaged what came before: each token should weigh
        it.
    → causal_attention(0.0 * query, key, value, length)
    """,
    of=zero_times_nan,
)


@EXERCISE.is_wrong
def returns_weights(query, key, value, length):
    """You returned the weights: mix the values with them."""
    n = query.shape[-2]
    eye = np.broadcast_to(np.eye(n), (*query.shape[:-2], n, n))
    return causal_attention(query, key, eye, length)
