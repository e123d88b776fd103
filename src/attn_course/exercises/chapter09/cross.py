"""Exercise 9.2: cross-attention."""

import numpy as np

from attn_course.exercises.cases import Case, normal, query_key, sized, steep
from attn_course.exercises.core import Exercise
from attn_course.exercises.parts import softmax, swap


def inputs(rng: np.random.Generator) -> list[Case]:
    """Give two texts, and three maps."""
    eye = np.eye(2)
    small = (
        np.array([[2.0, 0.0]]),
        np.array([[1.0, 0.0], [0.0, 1.0]]),
        eye,
        eye + 0.0,
        10 * eye,
        1,
    )
    return [
        Case("one word asks two", small),
        Case("both texts equally long", _draw(rng, (), 3, 3, 2, 2)),
        Case("a long text asks a short one", _draw(rng, (), 6, 2, 2, 2)),
        *sized(rng, _draw),
        *_steep(rng),
    ]


def _draw(rng, batch, n_q, n_k, heads, d_head):
    """Draw two texts, three maps, and the number of heads."""
    d = heads * d_head
    texts = [normal(rng, *batch, n, d) for n in (n_q, n_k)]
    return *texts, *(normal(rng, d, d) for _ in range(3)), heads


def _steep(rng: np.random.Generator) -> list[Case]:
    """Give steep scores, other ones for each of two heads."""
    eye = np.eye(8)
    cases = []
    for name, scores in steep().items():
        query, key = query_key(scores)
        x = np.hstack([query, query[::-1, ::-1]])
        memory = np.hstack([key, key])
        w_value = normal(rng, 8, 8)
        cases.append(Case(name, (x, memory, eye, eye.copy(), w_value, 2)))
    return cases


EXERCISE = Exercise(
    id="9.2",
    title="Cross-attention",
    statement="""\
Write `cross(x, memory, w_query, w_key, w_value, heads)`: what a decoder reads
from the text that the encoder has read.

- `x` has shape `(..., n_q, d)`: the words written so far. `memory` has shape
  `(..., n_k, d)`: the words read.
- `w_query`, `w_key` and `w_value` have shape `(d, d)` and stand on the right:
  a vector v becomes v W.
- Cut queries, keys and values into `heads` pieces of d / heads numbers, in
  order; each head reads by scaled dot-product attention, without a mask.
- Put the heads' results side by side again: return `(..., n_q, d)`.""",
    difficulty=2,
    minutes=20,
    hints=[
        "Who asks, and who is asked? The result has a row for each word that "
        "asks.",
        "To cut into heads, reshape to (..., n, heads, d_head), and then "
        "swap two axes so that each head has its own words.",
        "The scale is that of one head's keys. Merging undoes the cutting, "
        "step by step.",
    ],
    inputs=inputs,
)


@EXERCISE.is_solution
def cross(x, memory, w_query, w_key, w_value, heads):
    """Let each word of x read from memory, in several heads.

    x (..., n_q, d), memory (..., n_k, d), w_query, w_key, w_value (d, d)
    → (..., n_q, d)
    """

    def split(y):  # (..., n, d) → (..., heads, n, d_head)
        y = y.reshape(*y.shape[:-1], heads, y.shape[-1] // heads)
        return np.swapaxes(y, -2, -3)

    q, k, v = (
        split(x @ w_query),
        split(memory @ w_key),
        split(memory @ w_value),
    )
    scores = q @ np.swapaxes(k, -1, -2) / np.sqrt(q.shape[-1])
    shares = np.exp(scores - scores.max(axis=-1, keepdims=True))
    weights = shares / shares.sum(axis=-1, keepdims=True)
    return np.swapaxes(weights @ v, -2, -3).reshape(x.shape)


# Right in other words


@EXERCISE.is_right
def head_by_head(x, memory, w_query, w_key, w_value, heads):
    """Give each head its columns of the maps."""
    size = x.shape[-1] // heads
    read = []
    for h in range(heads):
        part = slice(h * size, (h + 1) * size)
        q, k = x @ w_query[:, part], memory @ w_key[:, part]
        v = memory @ w_value[:, part]
        read.append(softmax(q @ swap(k) / np.sqrt(size)) @ v)
    return np.concatenate(read, axis=-1)


@EXERCISE.is_right
def with_the_course(x, memory, w_query, w_key, w_value, heads):
    """Use the course's attention, and its heads."""
    from attn_course import attention
    from attn_course.heads import merge_heads, split_heads

    maps = ((x, w_query), (memory, w_key), (memory, w_value))
    return merge_heads(
        attention(*(split_heads(1.0 * y @ w, heads) for y, w in maps))
    )


@EXERCISE.is_right
def with_einsum(x, memory, w_query, w_key, w_value, heads):
    """Name every axis."""
    d = x.shape[-1]
    shape = (d, heads, d // heads)
    q = np.einsum("...nd,dhe->...hne", x, w_query.reshape(shape))
    k = np.einsum("...nd,dhe->...hne", memory, w_key.reshape(shape))
    v = np.einsum("...nd,dhe->...hne", memory, w_value.reshape(shape))
    scores = np.einsum("...hqe,...hke->...hqk", q, k) / np.sqrt(d // heads)
    read = np.einsum("...hqk,...hke->...qhe", softmax(scores), v)
    return read.reshape(x.shape)


# Who asks whom

EXERCISE.edits(
    """
x_asks_itself: You let x ask itself: keys and values come from memory.
    memory @ w_key → x @ w_key
    memory @ w_value → x @ w_value
memory_asks_itself: You let memory ask itself: the queries come from x.
    → cross(memory, memory, w_query, w_key, w_value, heads)
memory_asks_x: You let memory ask x: it is the other way round.
    → cross(memory, x, w_query, w_key, w_value, heads)
values_from_x: You read values from x: they belong to the keys, so to memory.
    memory @ w_value → x @ w_value
keys_from_x: You compared x with itself: the keys are those of memory.
    memory @ w_key → x @ w_key
both_texts_asked: You let x ask both texts at once: it asks memory alone.
    → cross(x, np.append(x, memory, -2), w_query, w_key, w_value, heads)
    """
)


# The maps

EXERCISE.edits(
    """
maps_transposed: You transposed the maps: v W, not W v.
    → cross(x, memory, w_query.T, w_key.T, w_value.T, heads)
keys_and_values_exchanged: You exchanged the maps of keys and values.
    → cross(x, memory, w_query, w_value, w_key, heads)
query_map_for_keys: You made the keys with the map of the queries.
    → cross(x, memory, w_query, w_query, w_value, heads)
keys_as_values: You read the keys: the values have a map of their own.
    → cross(x, memory, w_query, w_key, w_key, heads)
values_not_mapped: You read memory as it is: map it to values first.
    memory @ w_value → memory
    """
)


# The heads

EXERCISE.edits(
    """
one_head: You used one head: cut into `heads` pieces first.
    → cross(x, memory, w_query, w_key, w_value, 1)
heads_first: You reshaped straight to (heads, n, d_head): that mixes the words.
    *y.shape[:-1], heads, → *y.shape[:-2], heads, y.shape[-2],
    return np.swapaxes(y, -2, -3) → return y
    np.swapaxes(weights @ v, -2, -3) → (weights @ v)
merged_without_swapping: You merged the heads without swapping back: that mixes
        the words.
    np.swapaxes(weights @ v, -2, -3) → (weights @ v)
every_second_number: You dealt the numbers out to the heads: cut them in order.
    heads, y.shape[-1] // heads) → y.shape[-1] // heads, heads)
    return np.swapaxes(y, -2, -3) → return np.moveaxis(y, -1, -3)
    np.swapaxes(weights @ v, -2, -3) → np.moveaxis(weights @ v, -3, -1)
heads_added: You took the mean of the heads: put them side by side.
    np.swapaxes(weights → np.mean(weights
    v, -2, -3).reshape(x.shape) → v, axis=-3)
    """
)


# The weights

EXERCISE.edits(
    """
scaled_by_d_model: You divided by √d: a head's keys have d / heads numbers.
    np.sqrt(q.shape[-1]) → np.sqrt(x.shape[-1])
not_scaled: You did not divide the scores.
    / np.sqrt(q.shape[-1]) →
softmax_over_queries: You took the softmax over the words that ask: it runs
        over keys.
    scores.max(axis=-1, → scores.max(axis=-2,
    shares.sum(axis=-1, → shares.sum(axis=-2,
softmax_over_heads: You took the softmax over the heads: it runs over keys.
    scores.max(axis=-1, → scores.max(axis=-3,
    shares.sum(axis=-1, → shares.sum(axis=-3,
causal: You added a causal mask: all of memory may be read.
    shares = → scores -= 1e30 * (1 - np.tri(*scores.shape[-2:])); shares =
no_maximum_subtracted: Large scores overflow: subtract each row's highest
        before exp.
    scores - scores.max(axis=-1, keepdims=True) → scores
largest_absolute: You subtracted the largest absolute score: below 0, all
        vanish.
    scores.max( → np.abs(scores).max(
one_maximum_for_all: You subtracted the highest score of all rows: each has its
        own.
    scores.max(axis=-1, keepdims=True) → scores.max()
residual_added: You added x: that is right in a decoder, but not asked for
        here.
    → x + cross(x, memory, w_query, w_key, w_value, heads)
    """
)


@EXERCISE.is_wrong
def two_dimensional_only(x, memory, w_query, w_key, w_value, heads):
    """Right for one pair of texts. For batches, count axes from the end."""
    size = x.shape[1] // heads
    q, k, v = (
        y.reshape(len(y), heads, size).transpose(1, 0, 2)
        for y in (x @ w_query, memory @ w_key, memory @ w_value)
    )
    weights = softmax(q @ swap(k) / np.sqrt(size))
    return (weights @ v).transpose(1, 0, 2).reshape(x.shape)
