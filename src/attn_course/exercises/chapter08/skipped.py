"""Exercise 8.4: which tiles a causal mask lets one skip."""

import numpy as np

from attn_course.exercises.cases import Case, normal, sized
from attn_course.exercises.core import Exercise

# What a case is called, n_q, n_k, q_offset, block_q, block_k.
SIZES = [
    ("square tiles", 6, 6, 0, 2, 2),
    ("short last tiles", 7, 7, 0, 3, 3),
    ("tall tiles", 8, 8, 0, 4, 2),
    ("wide tiles", 8, 8, 0, 2, 4),
    ("wide tiles, the last one short", 6, 7, 3, 2, 4),
    ("tall tiles, the last one short", 5, 9, 0, 4, 3),
    ("one query at a time", 5, 6, 0, 1, 2),
    ("one key at a time", 5, 4, 0, 2, 1),
    ("one tile", 3, 3, 0, 8, 8),
    ("one new query", 1, 9, 8, 4, 2),
    ("queries later than most keys", 5, 12, 7, 2, 3),
    ("queries before the keys", 6, 5, -3, 2, 2),
    ("all keys later", 3, 4, -9, 2, 2),
    ("all keys earlier", 3, 4, 1000, 2, 2),
    ("more queries than keys", 10, 4, 0, 3, 2),
    ("a step that is no multiple", 9, 11, 1, 3, 4),
]


def inputs(rng: np.random.Generator) -> list[Case]:
    """Give queries and keys of many lengths; their numbers do not matter."""
    four = np.ones((4, 1))
    cases = [Case("four tokens", (four, four.copy(), 0, 2, 2))]
    for name, n_q, n_k, *rest in SIZES:
        query, key, *_ = _draw(rng, n_q, n_k, 2)
        cases.append(Case(name, (query, key, *rest)))
    return cases + sized(rng, _draw)


def _draw(rng, n_q, n_k, d_k):
    """Draw arrays, where the first query stands, and sizes of tiles."""
    query, key = normal(rng, n_q, d_k), normal(rng, n_k, d_k)
    return query, key, *rng.integers([-2, 1, 1], 4).tolist()


EXERCISE = Exercise(
    id="8.4",
    title="Tiles to skip",
    statement="""\
Write `tile_map(query, key, q_offset, block_q, block_k)`: what tiled attention
has to do with each tile under a causal mask.

- `query` has shape `(n_q, d_k)` and `key` `(n_k, d_k)`. Query i stands at
  position i + q_offset and may look at the keys j ≤ i + `q_offset`.
- Tiles have `block_q` queries and `block_k` keys; the last ones may be
  shorter.
- Return an array of floats with a row for each tile of queries and a column
  for each tile of keys: 0 where no query may look at any key (skip the tile),
  1 where some may and some may not (compute it with the mask), 2 where every
  query may look at every key (compute it without).""",
    difficulty=2,
    minutes=20,
    hints=[
        "Of a tile, two pairs decide: which query sees most, and which key "
        "is seen by fewest?",
        "A tile can be skipped when even its last query may not look at its "
        "first key. It needs no mask when even its first query may look at "
        "its last key.",
        "The last query of a short tile is not at its full width: "
        "`min(start + block_q, n_q) - 1`. So is the last key.",
    ],
    inputs=inputs,
)


@EXERCISE.is_solution
def tile_map(query, key, q_offset, block_q, block_k):
    """Say for each tile: 0 skip, 1 with the mask, 2 without.

    query (n_q, d_k), key (n_k, d_k) → (tiles of queries, tiles of keys)
    """
    n_q, n_k = len(query), len(key)
    first_q = np.arange(0, n_q, block_q)[:, None]  # (tiles of queries, 1)
    last_q = np.minimum(first_q + block_q, n_q) - 1
    first_k = np.arange(0, n_k, block_k)  # (tiles of keys,)
    last_k = np.minimum(first_k + block_k, n_k) - 1
    some = first_k <= last_q + q_offset
    every = last_k <= first_q + q_offset
    return 1.0 * some + 1.0 * every


def _from_mask(mask, block_q, block_k):
    """Look at a mask, tile by tile."""
    n_q, n_k = mask.shape
    return np.array(
        [
            [
                float(part.any()) + float(part.all())
                for j in range(0, n_k, block_k)
                for part in [mask[i : i + block_q, j : j + block_k]]
            ]
            for i in range(0, n_q, block_q)
        ]
    )


def _mask(query, key, q_offset):
    """Say who may look at whom."""
    i = np.arange(len(query))[:, None] + q_offset
    return np.arange(len(key)) <= i


# Right in other words


@EXERCISE.is_right
def with_a_mask(query, key, q_offset, block_q, block_k):
    """Make the whole mask and look at its tiles: slow, but plain."""
    return _from_mask(_mask(query, key, q_offset), block_q, block_k)


@EXERCISE.is_right
def with_loops(query, key, q_offset, block_q, block_k):
    """One tile at a time."""
    rows = []
    for i in range(0, len(query), block_q):
        low = i + q_offset
        high = min(i + block_q, len(query)) - 1 + q_offset
        row = []
        for j in range(0, len(key), block_k):
            last = min(j + block_k, len(key)) - 1
            row.append(0.0 if j > high else 2.0 if last <= low else 1.0)
        rows.append(row)
    return np.array(rows)


# Which of a tile decides

EXERCISE.edits(
    """
tiles_compared: You compared the numbers of the tiles: compare positions. It is
        the same only for square tiles.
    first_k <= last_q + q_offset → first_k // block_k <= first_q // block_q
    last_k <= first_q + q_offset → first_k // block_k < first_q // block_q
skipped_by_first_query: You skip a tile when its first query sees nothing: ask
        its last.
    first_k <= last_q → first_k <= first_q
skipped_by_last_key: You skip a tile when its last key is hidden: ask its
        first.
    first_k <= last_q → last_k <= last_q
whole_by_first_key: You leave the mask out when the first key is seen: ask the
        last.
    last_k <= first_q → first_k <= first_q
whole_by_last_query: You leave the mask out when the last query sees all: ask
        the first.
    last_k <= first_q → last_k <= last_q
first_pair_only: You looked at a tile's first query and first key alone.
    first_k <= last_q → first_k <= first_q
    last_k <= first_q → first_k <= first_q
own_key_hidden: You hid a query's own position: it may look at j = i +
        q_offset.
    → tile_map(query, key, q_offset - 1, block_q, block_k)
one_past_the_end: You are one too far: the last query of a tile is at its end
        less 1.
    first_k <= last_q → first_k <= last_q + 1
    last_k <= first_q → last_k + 1 <= first_q
    """
)


# Where a query stands

EXERCISE.edits(
    """
offset_forgotten: You forgot q_offset: query i stands at i + q_offset.
    → tile_map(query, key, 0, block_q, block_k)
offset_subtracted: You subtracted q_offset: query i stands at i + q_offset.
    → tile_map(query, key, -q_offset, block_q, block_k)
ends_aligned: You put the last query beside the last key: q_offset says where.
    → tile_map(query, key, len(key) - len(query), block_q, block_k)
looks_ahead: You turned the mask round: a query looks at what came before.
    first_k <= last_q → last_k >= first_q
    last_k <= first_q → first_k >= last_q
    """
)


# Short tiles

EXERCISE.edits(
    """
short_queries_as_full: You took a short last tile of queries as full: no query
        is there.
    np.minimum(first_q + block_q, n_q) - 1 → first_q + block_q - 1
short_keys_as_full: You took a short last tile of keys as full: no key is
        there.
    np.minimum(first_k + block_k, n_k) - 1 → first_k + block_k - 1
short_tiles_missing: You left out the short last tiles.
    (0, n_q, block_q) → (0, n_q - block_q + 1, block_q)
    (0, n_k, block_k) → (0, n_k - block_k + 1, block_k)
    """
)


# What is returned

EXERCISE.edits(
    """
nothing_skipped: You skip nothing: a tile that no query may look into is 0.
    1.0 * some → 1.0
always_masked: You mask every tile: where every pair may look, it is 2.
    1.0 * some + 1.0 * every → 1.0 * some
kinds_swapped: You gave 2 to tiles that need the mask and 1 to those that do
        not.
    1.0 * some + 1.0 * every → 2.0 * some - 1.0 * every
skipped_and_whole_swapped: You gave 2 to tiles that can be skipped and 0 to
        those seen whole.
    → 2.0 - tile_map(query, key, q_offset, block_q, block_k)
keys_in_rows: You gave tiles of keys the rows: the rows are tiles of queries.
    → tile_map(query, key, q_offset, block_q, block_k).T.copy()
pair_by_pair: You gave the mask of all pairs: one number a tile is asked for.
    → _mask(query, key, q_offset).astype(float)
    """
)
