"""Flash attention one tile at a time."""

import numpy as np
import pytest
import shared_vectors
from hypothesis import given
from hypothesis import strategies as st

from attn_course.flash import tiled_attention, tiled_attention_by_query
from attn_course.flash.steps import BYTES, standard_bytes, steps, tiles
from attn_course.flash.traffic import count
from attn_course.functional import attention

VECTORS = shared_vectors.load("flash")
ARRAYS = ("l", "output", "factors", "expected")


def test_vectors_are_what_the_loops_give():
    assert shared_vectors.maker("flash").make() == VECTORS
    assert len(VECTORS["cases"]) == 7


@pytest.mark.parametrize(
    "case", VECTORS["cases"], ids=lambda c: str(c["state"])
)
def test_the_steps_agree_with_the_vectors(case):
    source = {name: np.array(x) for name, x in case["source"].items()}
    found = steps(**source, **case["state"])
    for step, wanted in zip(found, case["steps"], strict=True):
        assert list(step.tile) == wanted["tile"]
        assert (step.read, step.written) == (wanted["read"], wanted["written"])
        m = [-np.inf if x is None else x for x in wanted["m"]]
        np.testing.assert_allclose(step.m, m, atol=VECTORS["tolerance"])
        for name in ARRAYS:
            np.testing.assert_allclose(
                getattr(step, name), wanted[name], atol=VECTORS["tolerance"]
            )


def draw(n_q, n_k, d_k=3, d_v=2, seed=0):
    rng = np.random.default_rng(seed)
    return (
        rng.normal(0, 2, (n_q, d_k)),
        rng.normal(0, 2, (n_k, d_k)),
        rng.normal(size=(n_k, d_v)),
    )


sizes = st.integers(1, 9)
orders = st.sampled_from(["keys", "queries"])


@given(sizes, sizes, sizes, sizes, st.booleans(), orders)
def test_after_every_tile_it_is_the_attention_over_the_keys_seen(
    n_q, n_k, block_q, block_k, causal, order
):
    query, key, value = draw(n_q, n_k)
    found = steps(
        query, key, value,
        block_q=block_q, block_k=block_k, causal=causal, order=order,
    )  # fmt: skip
    assert max(step.errors.max() for step in found) < 1e-12
    whole = attention(query, key, value, causal=causal)
    np.testing.assert_allclose(found[-1].normalized, whole, atol=1e-12)
    assert len(found) == len({step.tile for step in found})


@given(sizes, sizes, sizes, sizes, orders)
def test_without_the_factor_just_the_rows_whose_maximum_rose_are_wrong(
    n_q, n_k, block_q, block_k, order
):
    query, key, value = draw(n_q, n_k)
    options = {"block_q": block_q, "block_k": block_k, "order": order}
    broken = steps(query, key, value, **options, broken=True)
    factors = np.array([step.factors for step in broken])
    rose = ((factors > 0) & (factors < 1)).any(axis=0)
    np.testing.assert_array_equal(broken[-1].errors > 1e-12, rose)


@given(sizes, sizes, sizes, sizes)
def test_bytes_follow_the_formula_of_each_loop_order(
    n_q, n_k, block_q, block_k
):
    query, key, value = draw(n_q, n_k, d_k := 3, d_v := 2)
    t_q, t_k = -(-n_q // block_q), -(-n_k // block_k)
    options = {"block_q": block_q, "block_k": block_k}
    last = steps(query, key, value, **options, order="keys")[-1]
    assert last.read == BYTES * (
        n_k * (d_k + d_v) + t_k * n_q * (d_k + d_v + 2)
    )
    assert last.written == BYTES * t_k * n_q * (d_v + 2)
    last = steps(query, key, value, **options, order="queries")[-1]
    assert last.read == BYTES * (n_q * d_k + t_q * n_k * (d_k + d_v))
    assert last.written == BYTES * n_q * (d_v + 1)


@given(sizes, sizes, sizes, st.integers(1, 4))
def test_it_moves_and_gives_what_the_counted_code_does(n, block_q, block_k, d):
    query, key, value = draw(n, n, d, d)
    options = {"block_q": block_q, "block_k": block_k}
    for order, way, run in (
        ("keys", "flash", tiled_attention),
        ("queries", "flash by query", tiled_attention_by_query),
    ):
        last = steps(query, key, value, **options, order=order)[-1]
        moved = count(way, n, d, **options)
        assert last.read + last.written == moved.bytes(BYTES, BYTES)
        output, _ = run(query, key, value, **options)
        np.testing.assert_allclose(last.normalized, output, atol=1e-12)
    standard = count("standard", n, d).bytes(BYTES, BYTES)
    assert standard_bytes(n, n, d, d) == standard


def test_causal_skips_tiles_and_saves_bytes():
    query, key, value = draw(8, 8)
    options = {"block_q": 2, "block_k": 2}
    full = steps(query, key, value, **options)
    half = steps(query, key, value, **options, causal=True)
    assert (len(full), len(half)) == (16, 10)
    assert half[-1].read < full[-1].read
    assert tiles(4, 2, block_q=2, block_k=1, causal=True) == [
        (0, 0), (0, 1), (1, 0), (1, 1)
    ]  # fmt: skip


def test_arguments_are_never_changed():
    arrays = draw(4, 4)
    copies = [x.copy() for x in arrays]
    steps(*arrays, block_q=2, block_k=2)
    for one, other in zip(arrays, copies, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"block_q": 0}, "expected block_q of at least 1, got 0"),
        ({"block_k": 1.5}, "expected block_k to be an integer, got 1.5"),
        ({"order": "rows"}, "expected order in .*, got 'rows'"),
        ({"query": np.ones((2, 4, 3))}, r"query of one head, got \(2, 4, 3\)"),
        ({"value": np.ones(4)}, r"value of one head, got \(4,\)"),
        ({"key": np.ones((4, 2))}, "d_k"),
        ({"value": np.ones((5, 2))}, "value"),
    ],
)
def test_what_does_not_fit_is_named(change, message):
    names = ("query", "key", "value")
    given = dict(zip(names, draw(4, 4), strict=True))
    given |= {"block_q": 2, "block_k": 2, **change}
    with pytest.raises(ValueError, match=message):
        steps(**given)
