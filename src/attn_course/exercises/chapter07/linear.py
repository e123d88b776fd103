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


def _with(query, key, value, phi):
    """Use other features."""
    return _answer(phi(query), *_sums(phi(key), value))


# Right in other words


@EXERCISE.is_right
def with_running_sums(query, key, value):
    """Take all running sums at once."""
    return _with(query, key, value, _phi)


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


@EXERCISE.is_wrong
def no_features(query, key, value):
    """You left out φ: queries and keys must be made positive."""
    return _with(query, key, value, lambda x: x)


@EXERCISE.is_wrong
def elu_without_one(query, key, value):
    """You took elu(x) alone: add 1, so that nothing is negative."""
    return _with(query, key, value, lambda x: _phi(x) - 1)


@EXERCISE.is_wrong
def plus_one_everywhere(query, key, value):
    """You added 1 everywhere: below 0, φ is exp(x)."""
    return _with(query, key, value, lambda x: x + 1)


@EXERCISE.is_wrong
def exp_everywhere(query, key, value):
    """You took exp everywhere: above 0, φ is x + 1."""
    return _with(query, key, value, np.exp)


@EXERCISE.is_wrong
def relu_plus_one(query, key, value):
    """You cut off at 1: below 0, φ is exp(x)."""
    return _with(query, key, value, lambda x: np.maximum(x, 0) + 1)


@EXERCISE.is_wrong
def branches_exchanged(query, key, value):
    """You exchanged the two sides: x + 1 above 0, exp(x) below."""
    return _with(
        query, key, value, lambda x: np.where(x > 0, np.exp(x), x + 1)
    )


@EXERCISE.is_wrong
def branches_multiplied(query, key, value):
    """You multiplied by 0 and 1: inf · 0 is NaN. Choose with `np.where`."""
    return _with(
        query, key, value, lambda x: (x > 0) * (x + 1) + (x <= 0) * np.exp(x)
    )


@EXERCISE.is_wrong
def keys_only(query, key, value):
    """You applied φ to the keys alone: queries too."""
    return _answer(query, *_sums(_phi(key), value))


@EXERCISE.is_wrong
def queries_only(query, key, value):
    """You applied φ to the queries alone: keys too."""
    return _answer(_phi(query), *_sums(key, value))


@EXERCISE.is_wrong
def values_too(query, key, value):
    """You applied φ to the values: to queries and keys alone."""
    return linear(query, key, _phi(value))


@EXERCISE.is_wrong
def scaled(query, key, value):
    """You divided by √d_k: here nothing is scaled."""
    return linear(query / np.sqrt(query.shape[-1]), key, value)


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


@EXERCISE.is_wrong
def last_token_only(query, key, value):
    """You replaced the sums by the new token: add it to them."""
    return value.copy()


@EXERCISE.is_wrong
def memory_replaced(query, key, value):
    """You replaced S by the new token's product: add it to S."""
    k = _phi(key)
    product = k[..., :, None] * value[..., None, :]
    return _answer(_phi(query), product, np.cumsum(k, axis=-2))


@EXERCISE.is_wrong
def total_replaced(query, key, value):
    """You replaced z by the new φ(k): add it to z."""
    k = _phi(key)
    return _answer(_phi(query), _sums(k, value)[0], k)


@EXERCISE.is_wrong
def not_divided(query, key, value):
    """You did not divide by φ(q) · z: the weights must sum to 1."""
    memory, _ = _sums(_phi(key), value)
    return (_phi(query)[..., None, :] @ memory)[..., 0, :]


@EXERCISE.is_wrong
def divided_by_the_count(query, key, value):
    """You divided by the number of tokens: divide by φ(q) · z."""
    count = np.arange(1, query.shape[-2] + 1)[:, None]
    return not_divided(query, key, value) / count


@EXERCISE.is_wrong
def divided_by_z_alone(query, key, value):
    """You divided by the sum of z: divide by φ(q) · z."""
    _, total = _sums(_phi(key), value)
    sums = total.sum(axis=-1, keepdims=True)
    return not_divided(query, key, value) / sums


@EXERCISE.is_wrong
def total_of_queries(query, key, value):
    """You summed φ(q) in z: z is the sum of φ(k)."""
    memory, _ = _sums(_phi(key), value)
    return _answer(_phi(query), memory, np.cumsum(_phi(query), axis=-2))


@EXERCISE.is_wrong
def raw_total(query, key, value):
    """You summed the keys in z without φ."""
    memory, _ = _sums(_phi(key), value)
    return _answer(_phi(query), memory, np.cumsum(key, axis=-2))


@EXERCISE.is_wrong
def queries_and_keys_exchanged(query, key, value):
    """You exchanged queries and keys: keys are kept, queries ask."""
    return linear(key, query, value)


@EXERCISE.is_wrong
def last_output_only(query, key, value):
    """You returned the last output alone: one for each token."""
    return linear(query, key, value)[..., -1, :]


@EXERCISE.is_wrong
def stacked_in_front(query, key, value):
    """You stacked the outputs in front: their axis comes before d_v."""
    return np.moveaxis(linear(query, key, value), -2, 0)
