"""Exercise 7.4: causal linear attention, one token after the other."""

import numpy as np

from attn_course.exercises.cases import Case, normal, sized
from attn_course.exercises.core import Exercise
from attn_course.exercises.parts import softmax, swap


def inputs(rng: np.random.Generator) -> list[Case]:
    """Give queries, keys and values of as many tokens."""
    one = np.array([[0.0], [0.0]])
    query, key, value = _draw(rng, (), 3, 2, 3)
    above = np.abs(query), np.abs(key)
    return [
        Case(
            "two tokens of one number",
            (one, np.array([[0.0], [2.0]]), np.array([[10.0], [20.0]])),
        ),
        Case("more tokens than numbers", tuple(_draw(rng, (), 9, 2, 2))),
        Case("vectors of 32 numbers", tuple(_draw(rng, (), 4, 32, 5))),
        Case("positive keys", (*above, value)),
        Case("negative keys", (-above[0], -above[1], value)),
        Case("large queries", (1e4 * above[0], key, value)),
        Case("huge queries", (1e10 * above[0], key, value)),
        Case("large keys", (query, 1e4 * above[1], value)),
        Case("huge keys", (query, 1e10 * above[1], value)),
        Case("zeros", (0 * query, 0 * key, value)),
        *sized(rng, _draw),
    ]


def _draw(rng, batch, n, d_k, d_v):
    """Draw queries, keys and values."""
    return [normal(rng, *batch, n, d) for d in (d_k, d_k, d_v)]


EXERCISE = Exercise(
    id="7.4",
    title="Linear attention, token by token",
    statement="""\
Write `linear(query, key, value)`: causal linear attention in its recurrent
form, in which nothing grows with the length of the text.

- `query` and `key` have shape `(..., n, d_k)`, `value` has `(..., n, d_v)`.
- φ(x) = elu(x) + 1, number by number: x + 1 above 0, exp(x) below. It is
  applied to queries and keys.
- Read the tokens in order and carry two sums: the matrix S of φ(k)ᵀ v,
  `(..., d_k, d_v)`, and the vector z of φ(k), `(..., d_k)`. Add token t to
  both, then its output is φ(q) S / (φ(q) · z).
- Return the outputs, `(..., n, d_v)`.""",
    difficulty=3,
    minutes=25,
    hints=[
        "`np.where(x > 0, x + 1, np.exp(x))` is φ.",
        "Token t is `key[..., t, :]`. The outer product of two vectors is a "
        "column times a row: `a[..., :, None] * b[..., None, :]`.",
        "A row times a matrix: `(a[..., None, :] @ S)[..., 0, :]`. What it is "
        "divided by is one number for each token: keep its axis.",
    ],
    inputs=inputs,
)


@EXERCISE.is_solution
def linear(query, key, value):
    """Carry two sums from token to token.

    query (..., n, d_k), key (..., n, d_k), value (..., n, d_v)
    → (..., n, d_v)
    """
    q = np.where(query > 0, query + 1, np.exp(query))
    k = np.where(key > 0, key + 1, np.exp(key))
    memory, total, outputs = 0.0, 0.0, []
    for t in range(query.shape[-2]):
        now = k[..., t, :]
        memory = memory + now[..., :, None] * value[..., t, None, :]
        total = total + now
        asked = q[..., t, :]
        read = (asked[..., None, :] @ memory)[..., 0, :]
        outputs.append(read / (asked * total).sum(axis=-1, keepdims=True))
    return np.stack(outputs, axis=-2)


def _phi(x):
    """Make every number positive."""
    return np.where(x > 0, x + 1, np.exp(x))


def _sums(k, value):
    """Give the two sums after every token."""
    memory = np.cumsum(k[..., :, None] * value[..., None, :], axis=-3)
    return memory, np.cumsum(k, axis=-2)


def _answer(q, memory, total):
    """Read with every query from its own two sums."""
    read = (q[..., None, :] @ memory)[..., 0, :]
    return read / (q * total).sum(axis=-1, keepdims=True)


# Right in other words


@EXERCISE.is_right
def with_running_sums(query, key, value):
    """Take all running sums at once."""
    return _answer(_phi(query), *_sums(_phi(key), value))


@EXERCISE.is_right
def in_parallel(query, key, value):
    """Make the weights of all pairs, as for training."""
    weights = _phi(query) @ swap(_phi(key)) * np.tri(query.shape[-2])
    weights = weights / weights.sum(axis=-1, keepdims=True)
    return weights @ value


@EXERCISE.is_right
def with_a_column_of_ones(query, key, value):
    """Let one matrix carry both sums."""
    ones = np.ones_like(value[..., :1])
    value = np.concatenate([value, ones], axis=-1)
    memory, _ = _sums(_phi(key), value)
    read = (_phi(query)[..., None, :] @ memory)[..., 0, :]
    return read[..., :-1] / read[..., -1:]


# The features

EXERCISE.edits(
    """
no_features: You left out φ: queries and keys must be made positive.
    np.where(query > 0, query + 1, np.exp(query)) → query
    np.where(key > 0, key + 1, np.exp(key)) → key
elu_without_one: You took elu(x) alone: add 1, so that nothing is negative.
    query + 1, np.exp(query) → query, np.exp(query) - 1
    key + 1, np.exp(key) → key, np.exp(key) - 1
plus_one_everywhere: You added 1 everywhere: below 0, φ is exp(x).
    np.exp(query) → query + 1
    np.exp(key) → key + 1
exp_everywhere: You took exp everywhere: above 0, φ is x + 1.
    query + 1, → np.exp(query),
    key + 1, → np.exp(key),
relu_plus_one: You cut off at 1: below 0, φ is exp(x).
    np.exp(query) → 1
    np.exp(key) → 1
branches_exchanged: You exchanged the two sides: x + 1 above 0, exp(x) below.
    query > 0 → query <= 0
    key > 0 → key <= 0
keys_only: You applied φ to the keys alone: queries too.
    np.where(query > 0, query + 1, np.exp(query)) → query
queries_only: You applied φ to the queries alone: keys too.
    np.where(key > 0, key + 1, np.exp(key)) → key
values_too: You applied φ to the values: to queries and keys alone.
    → linear(query, key, _phi(value))
scaled: You divided by √d_k: here nothing is scaled.
    → linear(query / np.sqrt(query.shape[-1]), key, value)
    """
)


@EXERCISE.is_wrong
def branches_multiplied(query, key, value):
    """You multiplied by 0 and 1: inf · 0 is NaN. Choose with `np.where`."""
    q, k = ((x > 0) * (x + 1) + (x <= 0) * np.exp(x) for x in (query, key))
    return _answer(q, *_sums(k, value))


@EXERCISE.is_wrong
def softmax_attention(query, key, value):
    """You used the softmax: linear attention has none."""
    seen = np.tri(query.shape[-2], dtype=bool)
    scores = query @ swap(key) / np.sqrt(query.shape[-1])
    return softmax(np.where(seen, scores, -np.inf)) @ value


@EXERCISE.is_wrong
def softmax_of_features(query, key, value):
    """You took a softmax of φ(q) · φ(k): divide by their sum."""
    seen = np.tri(query.shape[-2], dtype=bool)
    scores = _phi(query) @ swap(_phi(key))
    return softmax(np.where(seen, scores, -np.inf)) @ value


# The sums


@EXERCISE.is_wrong
def not_causal(query, key, value):
    """You used the sums over all tokens: token t knows those up to t."""
    k = _phi(key)
    return _answer(
        _phi(query),
        (swap(k) @ value)[..., None, :, :],
        k.sum(-2)[..., None, :],
    )


@EXERCISE.is_wrong
def answered_before_adding(query, key, value):
    """You answered before adding the token: the first finds 0/0."""
    memory, total = _sums(_phi(key), value)
    k = _phi(key)
    memory = memory - k[..., :, None] * value[..., None, :]
    total = total - k
    total[..., 0, :], memory[..., 0, :, :] = 0.0, 0.0
    return _answer(_phi(query), memory, total)


EXERCISE.edits(
    """
last_token_only: You replaced the sums by the new token: add it to them.
    memory = memory + → memory =
    total = total + → total =
memory_replaced: You replaced S by the new token's product: add it to S.
    memory = memory + → memory =
total_replaced: You replaced z by the new φ(k): add it to z.
    total = total + → total =
not_divided: You did not divide by φ(q) · z: the weights must sum to 1.
    read / (asked * total).sum(axis=-1, keepdims=True) → read
divided_by_the_count: You divided by the number of tokens: divide by φ(q) · z.
    (asked * total).sum(axis=-1, keepdims=True) → (t + 1)
divided_by_z_alone: You divided by the sum of z: divide by φ(q) · z.
    asked * total → total
total_of_queries: You summed φ(q) in z: z is the sum of φ(k).
    total + now → total + q[..., t, :]
raw_total: You summed the keys in z without φ.
    total + now → total + key[..., t, :]
queries_and_keys_exchanged: You exchanged queries and keys: keys are kept,
        queries ask.
    → linear(key, query, value)
last_output_only: You returned the last output alone: one for each token.
    → linear(query, key, value)[..., -1, :]
stacked_in_front: You stacked the outputs in front: their axis comes before
        d_v.
    → np.moveaxis(linear(query, key, value), -2, 0)
    """
)
