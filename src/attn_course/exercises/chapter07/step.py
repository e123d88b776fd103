"""Exercise 7.2: one step of generation with a KV cache."""

import numpy as np

from attn_course.exercises.cases import (
    Case,
    normal,
    query_key,
    sized,
    steep,
    steep_batch,
)
from attn_course.exercises.core import Exercise
from attn_course.exercises.parts import softmax


def inputs(rng: np.random.Generator) -> list[Case]:
    """Give the new token's three vectors, and what is kept."""
    one = np.array([1.0])
    cases = [
        Case(
            "one number each",
            (one, 2 * one, 30 * one, np.array([[1.0]]), np.array([[10.0]])),
        ),
        Case("an empty cache", _draw(rng, (), 0, 3, 2)),
        Case("a batch, nothing kept", _draw(rng, (2, 3), 0, 4, 2)),
        Case("a long cache", _draw(rng, (), 20, 4, 3)),
        Case("as many heads as tokens", _draw(rng, (4,), 3, 4, 4)),
        *sized(rng, _draw),
    ]
    query, *rest = _draw(rng, (), 3, 4, 2)
    cases.append(Case("a query of zeros", (0 * query, *rest)))
    return cases + _steep(rng)


def _draw(rng, batch, n, d_k, d_v):
    """Draw the new token's query, key and value, and the cache."""
    shapes = [(d_k,), (d_k,), (d_v,), (n, d_k), (n, d_v)]
    return tuple(normal(rng, *batch, *shape) for shape in shapes)


def _steep(rng: np.random.Generator) -> list[Case]:
    """Give steep scores, whose rows are a batch; the new token is last."""
    cases = []
    batch = {"scores far apart in a batch": steep_batch()}
    for name, scores in {**steep(), **batch}.items():
        query, _ = query_key(scores)
        keys = np.ones((*query.shape, 1)) * np.eye(4)
        values = normal(rng, *query.shape, 3)
        new = keys[..., -1, :], values[..., -1, :]
        kept = keys[..., :-1, :], values[..., :-1, :]
        cases.append(Case(name, (query, *new, *kept)))
    return cases


EXERCISE = Exercise(
    id="7.2",
    title="One step with a KV cache",
    statement="""\
Write `step(query, key, value, keys, values)`: what one head reads for a new
token, when the keys and values of all earlier tokens are kept.

- `query` and `key` have shape `(..., d_k)`, `value` has `(..., d_v)`: they
  belong to the new token alone.
- `keys` has shape `(..., n, d_k)` and `values` has `(..., n, d_v)`: the cache,
  in the order of the text. n can be 0.
- The new token reads all earlier tokens and itself, by scaled dot-product
  attention.
- Return `(..., d_v)`. Leave the cache you were given as it is.""",
    difficulty=2,
    minutes=15,
    hints=[
        "First the cache grows: the new key comes after those kept, the new "
        "value likewise. `key[..., None, :]` has an axis for tokens.",
        "No mask is needed: nothing in the cache comes later than the query.",
        "The one query meets all keys: scores of shape (..., n + 1). A "
        "matrix product needs the query as a column, `query[..., None]`.",
    ],
    inputs=inputs,
)


@EXERCISE.is_solution
def step(query, key, value, keys, values):
    """Read the cache and the new token with its query.

    query and key (..., d_k), value (..., d_v), keys (..., n, d_k),
    values (..., n, d_v) → (..., d_v)
    """
    keys = np.concatenate([keys, key[..., None, :]], axis=-2)
    values = np.concatenate([values, value[..., None, :]], axis=-2)
    scores = (keys @ query[..., None])[..., 0]  # (..., n + 1)
    scores = scores / np.sqrt(query.shape[-1])
    shares = np.exp(scores - scores.max(axis=-1, keepdims=True))
    weights = shares / shares.sum(axis=-1, keepdims=True)
    return (weights[..., None, :] @ values)[..., 0, :]


def _grown(key, value, keys, values):
    """Put the new token after those kept."""
    keys = np.concatenate([keys, key[..., None, :]], axis=-2)
    return keys, np.concatenate([values, value[..., None, :]], axis=-2)


def _read(query, keys, values):
    """Read with one query, over the tokens that there are."""
    scores = np.einsum("...d,...nd->...n", query, keys)
    scores = scores / np.sqrt(query.shape[-1])
    return np.einsum("...n,...nd->...d", softmax(scores), values)


# Right in other words


@EXERCISE.is_right
def with_sums(query, key, value, keys, values):
    """Multiply and add by hand."""
    keys, values = _grown(key, value, keys, values)
    scores = (query[..., None, :] * keys).sum(axis=-1)
    weights = softmax(scores / np.sqrt(query.shape[-1]))
    return (weights[..., None] * values).sum(axis=-2)


@EXERCISE.is_right
def with_the_course(query, key, value, keys, values):
    """Use the course's attention, which takes floats, for one query."""
    from attn_course import attention

    keys, values = _grown(key, value, keys, values)
    query = query[..., None, :]
    read = attention(*(1.0 * x for x in (query, keys, values)))
    return read.reshape(value.shape)  # pyright: ignore[reportAttributeAccessIssue]


@EXERCISE.is_right
def without_joining(query, key, value, keys, values):
    """Keep the new token apart from the cache."""
    root = np.sqrt(query.shape[-1])
    own = (query * key).sum(axis=-1, keepdims=True) / root
    old = (keys * query[..., None, :]).sum(axis=-1) / root
    highest = np.max(np.concatenate([old, own], -1), axis=-1, keepdims=True)
    own, old = np.exp(own - highest), np.exp(old - highest)
    mixed = own * value + (old[..., None] * values).sum(axis=-2)
    return mixed / (own + old.sum(axis=-1, keepdims=True))


# What the cache holds


@EXERCISE.is_wrong
def itself_left_out(query, key, value, keys, values):
    """You left the new token out: it reads itself too."""
    if keys.shape[-2] == 0:
        return np.zeros_like(value)
    return _read(query, keys, values)


EXERCISE.edits(
    """
cache_never_grown: You read the old cache: with nothing kept there is nothing
        to read.
    → _read(query, keys, values)
newest_replaced: You wrote over the last token kept: the new one comes after
        it.
    concatenate([keys, → concatenate([keys[..., :-1, :],
    concatenate([values, → concatenate([values[..., :-1, :],
joined_at_different_ends: Your values are in another order than your keys:
        append both.
    [values, value[..., None, :]] → [value[..., None, :], values]
query_kept: You kept the query as a key: the cache holds keys and values.
    key[..., None, :] → query[..., None, :]
key_as_query: You asked with the new key: the query asks.
    query[..., None] → key[..., None]
added_twice: You added the new token twice.
    key[..., None, :]] → *2 * [key[..., None, :]]]
    value[..., None, :]] → *2 * [value[..., None, :]]]
oldest_dropped: You dropped the oldest token: a cache keeps all.
    np.concatenate([keys, → np.concatenate([keys[..., 1:, :],
    np.concatenate([values, → np.concatenate([values[..., 1:, :],
    """
)


@EXERCISE.is_wrong
def value_not_kept(query, key, value, keys, values):
    """You kept no value for the new key: the last one counts twice."""
    keys, whole = _grown(key, value, keys, values)
    if values.shape[-2]:
        whole[..., -1, :] = values[..., -1, :]
    return _read(query, keys, whole)


# How it is read

EXERCISE.edits(
    """
masked_as_the_first: Your causal mask takes the query for token 0: it comes
        last.
    return → return values[..., 0, :];
itself_alone: You read the new token alone: the cache counts as well.
    → value.copy()
not_scaled: You did not divide the scores by √d_k.
    / np.sqrt(query.shape[-1]) →
divided_by_d: You divided by d_k: divide by its square root.
    np.sqrt(query.shape[-1]) → query.shape[-1]
divided_by_root_n: You divided by the root of the number of tokens: d_k is
        meant.
    np.sqrt(query.shape[-1]) → np.sqrt(scores.shape[-1])
no_maximum_subtracted: Large scores overflow: subtract the highest before exp.
    scores - scores.max(axis=-1, keepdims=True) → scores
maximum_of_the_cache: You subtracted the highest score of the cache: the new
        one counts.
    scores.max( → scores[..., :-1].max(
largest_absolute: You subtracted the largest absolute score: below 0, all
        vanish.
    scores.max( → np.abs(scores).max(
one_maximum_for_the_batch: You subtracted one highest score for the batch: each
        has its own.
    scores.max(axis=-1, keepdims=True) → scores.max()
score_of_the_new_token: You subtracted the new token's score: any token may
        have the highest.
    scores.max(axis=-1, keepdims=True) → scores[..., -1:]
no_softmax: You left out the softmax: weights are positive and sum to 1.
    shares / shares.sum(axis=-1, keepdims=True) → scores
all_alike: You gave all tokens the same weight: compare query and keys.
    return → return values.mean(axis=-2);
axis_of_tokens_left: Your result still has an axis for the one query: take it
        out.
    @ values)[..., 0, :] → @ values)
    """
)


@EXERCISE.is_wrong
def two_dimensional_only(query, key, value, keys, values):
    """Right for one head. For batches, count axes from the end."""
    keys = np.concatenate([keys, key[None]])
    values = np.concatenate([values, value[None]])
    weights = softmax(keys @ query / np.sqrt(query.shape[-1]))
    return weights @ values


@EXERCISE.is_wrong
def best_one_only(query, key, value, keys, values):
    """You took the best token alone: mix all by their weights."""
    keys, values = _grown(key, value, keys, values)
    scores = (keys * query[..., None, :]).sum(axis=-1)
    best = scores.argmax(axis=-1)[..., None, None]
    return np.take_along_axis(values, best, axis=-2)[..., 0, :]
