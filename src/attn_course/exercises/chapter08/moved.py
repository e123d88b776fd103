"""Exercise 8.3: what a loop order moves."""

import numpy as np

from attn_course.exercises.cases import Case, normal, sized
from attn_course.exercises.core import Exercise


def inputs(rng: np.random.Generator) -> list[Case]:
    """Give arrays of many sizes; their numbers do not matter."""
    small = np.ones((3, 2)), np.ones((2, 2)), np.ones((2, 1)), 2, 1
    cases = [Case("three queries, two keys", small), *sized(rng, _draw)]
    for name, n_q, n_k, block_q, block_k in [
        ("tiles that fit", 6, 4, 2, 2),
        ("short last tiles", 7, 5, 3, 2),
        ("one key at a time", 4, 6, 4, 1),
        ("one query at a time", 6, 4, 1, 4),
        ("all in one tile", 4, 5, 9, 9),
        ("wide tiles of keys", 9, 8, 2, 8),
        ("a longer text", 40, 50, 16, 12),
    ]:
        *arrays, _, _ = _draw(rng, n_q, n_k, 3, 2)
        cases.append(Case(name, (*arrays, block_q, block_k)))
    query, key, value, *blocks = _draw(rng, 5, 4, 3, 2)
    return [*cases, Case("NaN", (np.nan * query, key, value, *blocks))]


def _draw(rng, n_q, n_k, d_k, d_v):
    """Draw arrays, and tiles that are no longer than the text."""
    shapes = (n_q, d_k), (n_k, d_k), (n_k, d_v)
    arrays = [normal(rng, *shape) for shape in shapes]
    return *arrays, *(int(rng.integers(1, n + 1)) for n in (n_q, n_k))


EXERCISE = Exercise(
    id="8.3",
    title="What a loop order moves",
    statement="""\
Write `moved(query, key, value, block_q, block_k)`: how many numbers tiled
attention of one head moves, by loop order.

- `query` has shape `(n_q, d_k)`, `key` `(n_k, d_k)` and `value` `(n_k, d_v)`;
  the output has `(n_q, d_v)`. Tiles have `block_q` queries and `block_k` keys;
  the last ones may be shorter, and then less is moved.
- **Keys outside.** For each tile of keys: load its keys and values. Then, for
  each tile of queries: load its queries, load its output so far, store its
  output. The first load, of zeros, counts too.
- **Queries outside.** For each tile of queries: load its queries. Then, for
  each tile of keys: load its keys and values. In the end store the output.
- Nothing else counts: no scores, no m, no l.
- Return `np.array([keys_outside, queries_outside], dtype=float)`: numbers
  loaded and stored together, shape `(2,)`.""",
    difficulty=2,
    minutes=15,
    hints=[
        "Going once through all tiles of an array moves the whole array once, "
        "however it is cut: `array.size` numbers.",
        "So all that matters is how often the inner loop runs: once for each "
        "tile of the outer one.",
        "Of 7 places, tiles of 3 make three, not two: `-(-7 // 3)` is 3.",
    ],
    inputs=inputs,
)


@EXERCISE.is_solution
def moved(query, key, value, block_q, block_k):
    """Count what either loop order moves.

    query (n_q, d_k), key (n_k, d_k), value (n_k, d_v) → (2,)
    """
    tiles_q = -(-len(query) // block_q)
    tiles_k = -(-len(key) // block_k)
    pair = key.size + value.size
    output = len(query) * value.shape[1]
    keys_outside = pair + tiles_k * (query.size + 2 * output)
    queries_outside = query.size + output + tiles_q * pair
    return np.array([keys_outside, queries_outside], dtype=float)


def _both(keys_outside, queries_outside):
    """Give both counts as an array."""
    return np.array([keys_outside, queries_outside], dtype=float)


# Right in other words


@EXERCISE.is_right
def with_loops(query, key, value, block_q, block_k):
    """Go through the loops and count."""
    counts = [0, 0]
    rows = [query[i : i + block_q] for i in range(0, len(query), block_q)]
    starts = range(0, len(key), block_k)
    for j in starts:
        counts[0] += key[j : j + block_k].size + value[j : j + block_k].size
        for q in rows:
            counts[0] += q.size + 2 * len(q) * value.shape[1]
    for q in rows:
        counts[1] += q.size + len(q) * value.shape[1]
        for j in starts:
            counts[1] += key[j : j + block_k].size
            counts[1] += value[j : j + block_k].size
    return np.array(counts, dtype=float)


@EXERCISE.is_right
def with_the_course(query, key, value, block_q, block_k):
    """Run both orders on a memory that counts."""
    from attn_course import flash

    counts = []
    for way in (flash.tiled_attention, flash.tiled_attention_by_query):
        memory, wide = flash.SlowMemory(), np.float64
        way(
            *(x.astype(wide) for x in (query, key, value)),
            block_q=block_q,
            block_k=block_k,
            memory=memory,
        )
        both = memory.loaded + memory.stored
        counts.append(sum(both[name] for name in "qkvo"))
    return np.array(counts, dtype=float)


# How many tiles

EXERCISE.edits(
    """
short_tiles_missing: You left out short last tiles: round up.
    -(-len(query) // block_q) → len(query) // block_q
    -(-len(key) // block_k) → len(key) // block_k
one_tile_too_many: You have a tile too many where the tiles fit: round up, add
        no one.
    -(-len(query) // block_q) → len(query) // block_q + 1
    -(-len(key) // block_k) → len(key) // block_k + 1
tiles_swapped: You repeated the inner loop once for each of its own tiles. It
        runs once for each tile of the outer loop.
    keys_outside = pair + tiles_k → keys_outside = pair + tiles_q
    output + tiles_q * pair → output + tiles_k * pair
every_pair_of_tiles: You loaded everything for every pair of tiles. What the
        outer loop loads stays on the chip during the inner one.
    keys_outside = pair → keys_outside = tiles_q * pair
    queries_outside = query.size → queries_outside = tiles_k * query.size
everything_once: You counted each array once: the inner loop runs again and
        again.
    -(-len(query) // block_q) → 1
    -(-len(key) // block_k) → 1
whole_arrays_for_each_pair: You counted whole arrays for each pair of tiles:
        one tile of each.
    pair + tiles_k * (query → tiles_k * pair + tiles_q * tiles_k * (query
    query.size + output + → tiles_q * (query.size + output + tiles_k * pair)  #
    """
)


@EXERCISE.is_wrong
def short_tiles_full(query, key, value, block_q, block_k):
    """You counted short last tiles as if they were full."""
    tiles_q, tiles_k = -(-len(query) // block_q), -(-len(key) // block_k)
    n_q, n_k = tiles_q * block_q, tiles_k * block_k
    d_k, d_v = query.shape[1], value.shape[1]
    pair, o = n_k * (d_k + d_v), n_q * d_v
    return _both(
        pair + tiles_k * (n_q * d_k + 2 * o), n_q * d_k + o + tiles_q * pair
    )


# What is moved

EXERCISE.edits(
    """
output_never_loaded: You did not load the output so far: with keys outside it
        comes back.
    query.size + 2 * output → query.size + output
output_stored_once: You stored the output once: with keys outside, after every
        tile.
    (query.size + 2 * output) → query.size + output
first_load_left_out: You left out the first load of the output: here it counts,
        zeros too.
    keys_outside = pair → keys_outside = pair - output
only_loads: You counted what is loaded: what is stored counts too.
    query.size + output + tiles_q → query.size + tiles_q
    query.size + 2 * output → query.size + output
output_loaded_in_both: You loaded the output with queries outside: it never
        left the chip.
    query.size + output + → query.size + 2 * output +
output_moved_in_every_step: You moved the output in every step of both orders.
        With queries outside it stays on the chip until it is done.
    query.size + output + → query.size + 2 * tiles_k * output +
values_forgotten: You forgot the values: they are loaded with the keys.
    key.size + value.size → key.size
output_as_long_as_queries: You gave the output d_k numbers a row: it has d_v.
    output = len(query) * value.shape[1] → output = query.size
values_as_long_as_keys: You gave the values d_k numbers a row: they have d_v.
    key.size + value.size → 2 * key.size
rows_moved_too: You counted m and l too: not here.
    2 * output) → 2 * output + 4 * len(query))
    output + tiles_q → output + 2 * len(query) + tiles_q
scores_moved_too: You moved the scores: they are made and used up on the chip.
    → moved(query, key, value, block_q, block_k) + 2 * len(query) * len(key)
    """
)


# What is returned

EXERCISE.edits(
    """
orders_swapped: You gave the two orders the other way round: keys outside comes
        first. Or is it the inner loop that you call outside?
    → moved(query, key, value, block_q, block_k)[::-1].copy()
in_bytes: You counted bytes: here numbers are asked for.
    → moved(query, key, value, block_q, block_k) * query.itemsize
    """
)


@EXERCISE.is_wrong
def tiles_counted(query, key, value, block_q, block_k):
    """You counted tiles: count the numbers in them."""
    tiles_q, tiles_k = -(-len(query) // block_q), -(-len(key) // block_k)
    pairs = tiles_q * tiles_k
    return _both(2 * tiles_k + 3 * pairs, 2 * tiles_q + 2 * pairs)
