"""Exercise 7.3: grouped-query attention."""

import numpy as np

from attn_course.exercises.cases import Case, normal, query_key, sized, steep
from attn_course.exercises.core import Exercise
from attn_course.exercises.parts import softmax, swap


def inputs(rng: np.random.Generator) -> list[Case]:
    """Give queries, and fewer keys and values."""
    # One query in each of four heads, one key; the values name their head.
    values = np.array([[[1.0]], [[2.0]]])
    cases = [
        Case(
            "four heads, one token",
            (np.ones((4, 1, 1)), np.ones((2, 1, 1)), values),
        ),
        Case("four heads, two shared", _draw(rng, (), 2, 2, 2, 3, 4, 2)),
        Case("every head its own", _draw(rng, (), 3, 1, 2, 4, 3, 2)),
        Case("as many tokens as heads", _draw(rng, (), 2, 2, 4, 4, 4, 4)),
        Case("one new token", _draw(rng, (), 2, 2, 1, 6, 3, 2)),
        *sized(rng, _draw),
    ]
    for name, scores in steep().items():
        query, key = query_key(scores)
        query = np.stack([query, query[::-1], -query, query[:, ::-1]])
        value = normal(rng, 2, 4, 3)
        cases.append(Case(name, (query, np.stack([key, key]), value)))
    return cases


def _draw(rng, batch, shared, times, n_q, n_k, d_k, d_v):
    """Draw queries with `times` as many heads as keys and values."""
    return (
        normal(rng, *batch, shared * times, n_q, d_k),
        normal(rng, *batch, shared, n_k, d_k),
        normal(rng, *batch, shared, n_k, d_v),
    )


EXERCISE = Exercise(
    id="7.3",
    title="Grouped-query attention",
    statement="""\
Write `grouped(query, key, value)`: attention in which several query heads
share a head of keys and values.

- `query` has shape `(..., H, n_q, d_k)`. `key` has `(..., G, n_k, d_k)` and
  `value` `(..., G, n_k, d_v)`, where H is a multiple of G.
- Neighbours share: the first H / G query heads read from head 0 of the keys
  and values, the next H / G from head 1, and so on.
- Every query sees all keys: there is no mask. Scores are divided by √d_k.
- Return what each query head reads, `(..., H, n_q, d_v)`.""",
    difficulty=2,
    minutes=15,
    hints=[
        "With four query heads and two heads of keys, the query heads 0, 1, "
        "2, 3 read from the heads 0, 0, 1, 1.",
        "NumPy can copy each head as often as needed, along an axis counted "
        "from the end. Two of its functions do so in different orders: try "
        "both on `[0, 1]`.",
        "Once there are as many heads of keys as of queries, it is attention "
        "as you know it. No copy is needed if the queries get an axis for "
        "their group.",
    ],
    inputs=inputs,
)


@EXERCISE.is_solution
def grouped(query, key, value):
    """Let neighbouring query heads share keys and values.

    query (..., H, n_q, d_k), key (..., G, n_k, d_k),
    value (..., G, n_k, d_v) → (..., H, n_q, d_v)
    """
    times = query.shape[-3] // key.shape[-3]
    key = np.repeat(key, times, axis=-3)  # heads 0, 0, 1, 1, …
    value = np.repeat(value, times, axis=-3)
    scores = query @ np.swapaxes(key, -1, -2) / np.sqrt(key.shape[-1])
    shares = np.exp(scores - scores.max(axis=-1, keepdims=True))
    weights = shares / shares.sum(axis=-1, keepdims=True)
    return weights @ value  # (..., H, n_q, d_v)


def _attend(query, key, value):
    """Read with as many heads of keys as of queries."""
    return softmax(query @ swap(key) / np.sqrt(query.shape[-1])) @ value


def _times(query, key):
    """Say how many query heads share one head."""
    return query.shape[-3] // key.shape[-3]


def _pick(query, key, value, of_key, of_value):
    """Give query head h the heads of_key[h] and of_value[h]."""
    return _attend(query, key[..., of_key, :, :], value[..., of_value, :, :])


def _by_group(x, key):
    """Split the axis of heads: (..., G, H / G, n, d)."""
    *batch, heads, n, d = x.shape
    return x.reshape(*batch, key.shape[-3], heads // key.shape[-3], n, d)


def _heads(query, key):
    """Give the query heads' numbers, how many share, and the shared heads."""
    return np.arange(query.shape[-3]), _times(query, key), key.shape[-3]


# Right in other words


@EXERCISE.is_right
def with_an_index(query, key, value):
    """Pick each query head's own by number."""
    h, times, _ = _heads(query, key)
    own = h // times
    return _pick(query, key, value, own, own)


@EXERCISE.is_right
def with_a_group_axis(query, key, value):
    """Copy nothing: give the queries an axis for their group."""
    asked = _by_group(query, key)
    read = _attend(asked, key[..., None, :, :], value[..., None, :, :])
    return read.reshape(*query.shape[:-1], value.shape[-1])


@EXERCISE.is_right
def with_loops(query, key, value):
    """Read with one head at a time."""
    h, times, _ = _heads(query, key)
    read = [
        _attend(query[..., i, :, :], key[..., g, :, :], value[..., g, :, :])
        for i, g in zip(h, h // times, strict=True)
    ]
    return np.stack(read, axis=-3)


@EXERCISE.is_right
def with_the_course(query, key, value):
    """Use the course's attention, which shares heads itself."""
    from attn_course import attention

    return attention(*(1.0 * x for x in (query, key, value)))


# Which head

EXERCISE.edits(
    """
tiled: You copied in the order 0, 1, 0, 1: neighbours share, 0, 0, 1, 1.
    h // times → h % key.shape[-3]
only_keys_tiled: You copied the keys in the order 0, 1, 0, 1, and the values
        rightly.
    value, own, → value, h % key.shape[-3],
only_values_tiled: You copied the values in the order 0, 1, 0, 1, and the keys
        rightly.
    own) → h % key.shape[-3])
first_head_for_all: You gave all the first head of keys and values: there are
        G.
    h // times → 0 * h
last_head_for_the_rest: You gave the first heads one each, and the rest the
        last.
    h // times → np.minimum(h, key.shape[-3] - 1)
heads_in_reverse: You began with the last head of keys: the first goes first.
    h // times → key.shape[-3] - 1 - h // times
next_head: You are one head too far: the first group reads from head 0.
    h // times → (h // times + 1) % key.shape[-3]
groups_of_g: You put G heads in a group: a group has H / G.
    h // times → h // key.shape[-3] % key.shape[-3]
    """,
    of=with_an_index,
)


EXERCISE.edits(
    """
mean_of_heads: You took the mean of all heads of keys and values: each group's
        own.
    np.repeat(key, times, axis=-3) → key.mean(axis=-3, keepdims=True)
    np.repeat(value, times, axis=-3) → value.mean(axis=-3, keepdims=True)
one_result_for_a_group: You gave one result for each group: each query head has
        its own.
    weights @ value → (weights @ value)[..., ::times, :, :]
results_of_a_group_averaged: You took the mean of what a group reads: keep all
        its heads.
    → _by_group(grouped(query, key, value), key).mean(axis=-3)
groups_left_apart: You left an axis for the groups: join it with that of their
        heads.
    → _by_group(grouped(query, key, value), key)
never_shared: You did not share: that works where H is G, or where G is 1.
    np.repeat(key, times, axis=-3) → key
    np.repeat(value, times, axis=-3) → value
    """
)


@EXERCISE.is_wrong
def interleaved_result(query, key, value):
    """You put the results in another order: keep that of the query heads."""
    h, times, shared = _heads(query, key)
    order = h.reshape(shared, times).T.reshape(-1)
    return grouped(query, key, value)[..., order, :, :]


@EXERCISE.is_wrong
def queries_averaged(query, key, value):
    """You took the mean of a group's queries: each head asks on its own."""
    asked = _by_group(query, key).mean(axis=-3)
    return grouped(np.repeat(asked, _times(query, key), -3), key, value)


# Reading

EXERCISE.edits(
    """
not_scaled: You did not divide the scores by √d_k.
    / np.sqrt(key.shape[-1]) →
divided_by_d: You divided by d_k: divide by its square root.
    np.sqrt(key.shape[-1]) → key.shape[-1]
divided_by_root_of_d_model: You divided by √(H d_k): d_k alone, the length of a
        head's keys.
    np.sqrt(key.shape[-1]) → np.sqrt(key.shape[-1] * query.shape[-3])
softmax_over_queries: You took the softmax over the queries: the keys' weights
        sum to 1.
    scores.max(axis=-1, → scores.max(axis=-2,
    shares.sum(axis=-1, → shares.sum(axis=-2,
softmax_over_heads: You took the softmax over the heads: it runs over the keys.
    scores.max(axis=-1, → scores.max(axis=-3,
    shares.sum(axis=-1, → shares.sum(axis=-3,
no_maximum_subtracted: Large scores overflow: subtract each row's highest
        before exp.
    scores - scores.max(axis=-1, keepdims=True) → scores
largest_absolute: You subtracted the largest absolute score: below 0, all
        vanish.
    scores.max( → np.abs(scores).max(
one_maximum_for_all: You subtracted the highest score of all rows: each has its
        own.
    scores.max(axis=-1, keepdims=True) → scores.max()
without_batches: Right for one sentence. For batches, count axes from the end.
    query.shape[-3] // key.shape[-3] → query.shape[0] // key.shape[0]
    (key, times, axis=-3) → (key, times, axis=0)
    (value, times, axis=-3) → (value, times, axis=0)
    """
)


@EXERCISE.is_wrong
def causal(query, key, value):
    """You added a causal mask: here every query sees all keys."""
    from attn_course import attention

    floats = (1.0 * x for x in (query, key, value))
    return attention(*floats, causal=True)
