"""Exercise 8.2: a tile with a broken rescale, to be found and mended."""

import numpy as np

from attn_course.exercises.cases import Case, normal, query_key, sized, steep
from attn_course.exercises.core import Exercise
from attn_course.exercises.holding import Room
from attn_course.exercises.parts import softmax


def inputs(rng: np.random.Generator) -> list[Case]:
    """Give one head's arrays; the largest score may come in any tile."""
    cases = [
        Case(
            "the second key fits better",
            (
                np.array([[1.0]]),
                np.array([[0.0], [1.0]]),
                np.array([[10.0], [20.0]]),
                1,
            ),
        ),
        *sized(rng, _draw),
    ]
    for name, n_k, block in [
        ("a short last tile", 5, 2),
        ("one key at a time", 6, 1),
        ("all in one tile", 5, 5),
        ("a tile larger than the text", 3, 8),
        ("many tiles", 17, 4),
    ]:
        *arrays, _ = _draw(rng, 3, n_k, 2, 3)
        cases.append(Case(name, (*arrays, block)))
    for name, scores in steep().items():
        for block in (1, 2, 3, 4):
            arrays = *query_key(scores), normal(rng, 4, 2)
            cases.append(Case(f"{name}, block={block}", (*arrays, block)))
    # There is no room for two matrices of 56 · 113, scores and weights, nor
    # for the exponentials of a row of 113. There is for copies of keys and
    # values, even as lists, and for exponentials of a tile and of the old m.
    *arrays, _ = _draw(rng, 56, 113, 1, 1)
    room = Room(numbers=56 * 113 * 7 // 4, exponentials=2 * 56)
    return [*cases, Case("a long text", (*arrays, 1), room)]


def _draw(rng, n_q, n_k, d_k, d_v):
    """Draw one head's arrays, and tiles of half the keys."""
    shapes = (n_q, d_k), (n_k, d_k), (n_k, d_v)
    return *(normal(rng, *shape) for shape in shapes), (n_k + 1) // 2


EXERCISE = Exercise(
    id="8.2",
    title="A broken tile",
    statement="""\
Mend `attend(query, key, value, block)`: attention of one head that reads
`block` keys at a time and holds no row of weights. This does not always work:

```python
def attend(query, key, value, block):
    scale = 1 / np.sqrt(query.shape[1])
    m = np.full((len(query), 1), -np.inf)
    l = np.zeros((len(query), 1))
    output = np.zeros((len(query), value.shape[1]))
    for start in range(0, len(key), block):
        k, v = key[start : start + block], value[start : start + block]
        scores = query @ k.T * scale
        m_new = np.maximum(m, scores.max(axis=1, keepdims=True))
        p = np.exp(scores - m_new)
        l = l * np.exp(m - m_new) + p.sum(axis=1, keepdims=True)
        output = output + p @ v
        m = m_new
    return output / l
```

- `query` has shape `(n_q, d_k)`, `key` `(n_k, d_k)` and `value` `(n_k, d_v)`;
  the last tile may be shorter. Return what is read, `(n_q, d_v)`.
- Find an input for which the code above is right, and one for which it is
  wrong: then you know where to look.""",
    difficulty=2,
    minutes=15,
    hints=[
        "With all keys in one tile it is right. With two tiles it is right "
        "where the largest score comes in the first.",
        "When a larger score comes, m changes. Which sums were taken below "
        "the old m?",
        "Two sums are carried from tile to tile. One of them is rescaled.",
    ],
    inputs=inputs,
)


@EXERCISE.is_solution
def attend(query, key, value, block):
    """Attend with one head, `block` keys at a time.

    query (n_q, d_k), key (n_k, d_k), value (n_k, d_v) → (n_q, d_v)
    """
    scale = 1 / np.sqrt(query.shape[1])
    m = np.full((len(query), 1), -np.inf)
    total = np.zeros((len(query), 1))
    output = np.zeros((len(query), value.shape[1]))
    for start in range(0, len(key), block):
        k, v = key[start : start + block], value[start : start + block]
        scores = query @ k.T * scale  # (n_q, block)
        m_new = np.maximum(m, scores.max(axis=1, keepdims=True))
        p = np.exp(scores - m_new)  # (n_q, block)
        kept = np.exp(m - m_new)  # (n_q, 1): what the old sums still count
        total = kept * total + p.sum(axis=1, keepdims=True)
        output = kept * output + p @ v
        m = m_new
    return output / total


def _turned(kept):
    """Turn the factor round, but for the first tile."""
    return np.where(kept > 0, 1 / kept, 0.0)


def _scores(query, key):
    """Give scores, (n_q, n_k)."""
    return query @ key.T / np.sqrt(query.shape[1])


def _below(query, key, value, m):
    """Sum below one m from beginning to end, a key at a time."""
    total, output = 0.0, 0.0
    for j in range(len(key)):
        p = np.exp(_scores(query, key[j : j + 1]) - m)
        total, output = total + p, output + p * value[j]
    return output / total


def _whole(query, key, value):
    """Attend to all keys at once."""
    return softmax(_scores(query, key)) @ value


# Right in other words


@EXERCISE.is_right
def normalised_at_every_tile(query, key, value, block):
    """Divide at once, as the first FlashAttention does."""
    m = np.full((len(query), 1), -np.inf)
    total, output = np.zeros_like(m), np.zeros((len(query), value.shape[1]))
    for first in range(0, len(key), block):
        k, v = key[first : first + block], value[first : first + block]
        scores = query @ k.T / np.sqrt(query.shape[1])
        m_new = np.maximum(m, scores.max(axis=1, keepdims=True))
        p, kept = np.exp(scores - m_new), total * np.exp(m - m_new)
        total = kept + p.sum(axis=1, keepdims=True)
        output, m = (kept * output + p @ v) / total, m_new
    return output


@EXERCISE.is_right
def with_the_course(query, key, value, block):
    """Use the course's own."""
    from attn_course.flash import online_attention

    floats = (1.0 * x for x in (query, key, value))
    return online_attention(*floats, block=block)


@EXERCISE.is_right
def with_a_column_of_ones(query, key, value, block):
    """Let the product take the sum as well."""
    value = np.concatenate([value, np.ones_like(value[:, :1])], axis=1)
    m = np.full((len(query), 1), -np.inf)
    output = np.zeros((len(query), value.shape[1]))
    for first in range(0, len(key), block):
        k, v = key[first : first + block], value[first : first + block]
        scores = query @ k.T / np.sqrt(query.shape[1])
        m_new = np.maximum(m, scores.max(axis=1, keepdims=True))
        output = output * np.exp(m - m_new) + np.exp(scores - m_new) @ v
        m = m_new
    return output[:, :-1] / output[:, -1:]


# What is rescaled

EXERCISE.edits(
    """
as_given: Rescale the output too: it was mixed below the old m.
    output = kept * output → output = output
sums_not_rescaled: You rescale the output and no longer the old sum: both need
        it.
    kept * total → total
nothing_rescaled: You forgot to rescale the old sums: both were taken below the
        old m.
    kept = np.exp(m - m_new) → kept = 1.0
upside_down: You rescaled by exp(m_new − m_old): it is exp(m_old − m_new).
    np.exp(m - m_new)  # → _turned(np.exp(m - m_new))  #
output_upside_down: You rescaled the output by exp(m_new − m_old): turn it
        round.
    output = kept * output → output = _turned(kept) * output
new_tile_rescaled: You rescaled the new tile too: it stands below the new m
        already.
    total = kept * total → p = kept * p; total = kept * total
only_new_tile_rescaled: You rescaled the new tile instead of what was summed
        before.
    total = kept * total → p = kept * p; total = total
    output = kept * output → output = output
output_rescaled_twice: You rescaled the output twice: once, by what the sum is
        rescaled by.
    output = kept * output → output = kept * kept * output
divided_in_the_loop: You divided in the loop and did not multiply by the old
        sum again.
    kept * output + p @ v → (kept * output + p @ v) / total
    output / total → output
never_divided: You did not divide by the sum in the end.
    output / total → output
    """
)


@EXERCISE.is_wrong
def mean_of_tiles(query, key, value, block):
    """You took the mean of what the tiles read: they weigh differently."""
    parts = [
        _whole(query, key[i : i + block], value[i : i + block])
        for i in range(0, len(key), block)
    ]
    return np.mean(parts, axis=0)


# The largest score

EXERCISE.edits(
    """
started_at_zero: You let m begin at 0: where all scores are far below, all
        vanish.
    (len(query), 1), -np.inf → (len(query), 1), 0.0
one_m_for_all: You took one m for all queries: each row has its own.
    → _below(query, key, value, _scores(query, key).max())
block_ignored: You hold whole rows of weights: read `block` keys at a time.
    → _whole(query, key, value)
    """
)


@EXERCISE.is_wrong
def without_m(query, key, value, block):
    """You did without m: exp of large scores overflows."""
    shares = np.exp(query @ key.T / np.sqrt(query.shape[1]))
    return shares @ value / shares.sum(axis=1, keepdims=True)


@EXERCISE.is_wrong
def first_maximum_kept(query, key, value, block):
    """You kept the first tile's m: what comes later may be far above it."""
    m = _scores(query, key[:block]).max(axis=1, keepdims=True)
    return _below(query, key, value, m)


@EXERCISE.is_wrong
def last_maximum(query, key, value, block):
    """You took the last tile's m for all: what came before may be above."""
    last = (len(key) - 1) // block * block
    m = _scores(query, key[last:]).max(axis=1, keepdims=True)
    return _below(query, key, value, m)


@EXERCISE.is_wrong
def largest_absolute(query, key, value, block):
    """You took the largest absolute score as m: below 0, all vanish."""
    m = np.abs(_scores(query, key)).max(axis=1, keepdims=True)
    return _below(query, key, value, m)


# Which keys

EXERCISE.edits(
    """
last_tile_missing: You left out the last tile where it is shorter.
    (0, len(key), block) → (0, len(key) // block * block, block)
first_tile_alone: You read the first tile alone.
    → _whole(query, key[:block], value[:block])
not_scaled: You no longer divide the scores by √d_k.
    1 / np.sqrt(query.shape[1]) → 1.0
last_tile_alone: You kept the last tile alone: m and the sums must be carried
        on.
    (0, len(key), block) → ((len(key) - 1) // block * block, len(key), block)
    """
)
