import doctest
import re
import sys
from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from attn_course import attention, attention_weights, masks
from attn_course.flash import flash_attention

SIZES = st.integers(0, 9)
LIMITS = st.none() | st.integers(0, 9)


def raises(message):
    return pytest.raises(ValueError, match=re.escape(message))


def test_the_examples_run():
    result = doctest.testmod(masks)
    assert result.attempted > 10
    assert result.failed == 0


@given(SIZES, SIZES, LIMITS, LIMITS, st.integers(-9, 9))
def test_band_is_its_rule(n_q, n_k, left, right, q_offset):
    mask = masks.band(n_q, n_k, left=left, right=right, q_offset=q_offset)
    assert mask.shape == (n_q, n_k)
    assert mask.dtype == bool
    for i, j in np.ndindex(n_q, n_k):
        place = i + q_offset
        expected = (left is None or place - left <= j) and (
            right is None or j <= place + right
        )
        assert mask[i, j] == expected


# Beyond what an array's integers hold, and just inside.
FAR = st.sampled_from(
    [2**31, 2**62, sys.maxsize - 1, sys.maxsize, 2**63, 2**64 - 1, 2**70]
)
FARTHER = st.one_of(st.none(), st.integers(0, 9), FAR)
SHIFTS = st.one_of(st.integers(-9, 9), FAR, FAR.map(lambda x: -x))


@given(SIZES, SIZES, FARTHER, FARTHER, SHIFTS, st.sampled_from([np, torch]))
def test_band_is_its_rule_however_far_its_limits(
    n_q, n_k, left, right, q_offset, library
):
    """Python's integers know no limit: nothing wraps, nothing overflows."""
    mask = masks.band(
        n_q,
        n_k,
        left=left,
        right=right,
        q_offset=q_offset,
        **({"xp": torch} if library is torch else {}),
    )
    for i, j in np.ndindex(n_q, n_k):
        place = i + q_offset
        expected = (left is None or place - left <= j) and (
            right is None or j <= place + right
        )
        assert mask[i, j] == expected
    x, y = np.ones((n_q, 2)), np.ones((n_k, 2))
    options = {"window": (left, right), "q_offset": q_offset}
    shown = attention_weights(x, y, **options) > 0
    np.testing.assert_array_equal(shown, np.asarray(mask))
    if right == 0:
        flash = flash_attention(x, y, y, causal=True, q_offset=q_offset)
        whole = masks.causal(n_q, n_k, q_offset=q_offset)
        np.testing.assert_allclose(flash, attention(x, y, y, mask=whole))


@pytest.mark.parametrize("kind", [np.int8, np.uint8, np.int64, np.uint64])
def test_limits_of_narrow_integers_do_not_wrap(kind):
    large = kind(np.iinfo(kind).max)
    n = 200  # more than a byte with a sign counts
    for left, right, q_offset in [
        (large, kind(0), 0),
        (None, large, 0),
        (kind(1), kind(1), large),
        (large, large, large),
    ]:
        found = masks.band(n, n, left=left, right=right, q_offset=q_offset)
        meant = masks.band(
            n,
            n,
            left=None if left is None else int(left),
            right=int(right),
            q_offset=int(q_offset),
        )
        np.testing.assert_array_equal(found, meant)
    size = kind(100)
    np.testing.assert_array_equal(
        masks.causal(size, size), np.tri(100, dtype=bool)
    )
    np.testing.assert_array_equal(
        masks.dilated(100, reach=large, step=kind(2)),
        masks.dilated(100, reach=200, step=2),
    )
    np.testing.assert_array_equal(
        masks.global_tokens(size, [kind(1), -1]),
        masks.global_tokens(100, [1, 99]),
    )
    np.testing.assert_array_equal(
        masks.big_bird(
            size, window=kind(1), n_global=kind(1), n_random=kind(2), seed=0
        ),
        masks.big_bird(100, window=1, n_global=1, n_random=2, seed=0),
    )
    x = np.random.default_rng(0).normal(size=(300, 4))
    flash = flash_attention(x, x, x, causal=True, q_offset=large)
    whole = attention(x, x, x, causal=True, q_offset=int(large))
    np.testing.assert_allclose(flash, whole)


@pytest.mark.parametrize("far", [100, sys.maxsize, 2**63, 2**70])
def test_blocks_and_steps_of_any_size(far):
    eye, full = np.eye(5, dtype=bool), np.ones((5, 5), dtype=bool)
    np.testing.assert_array_equal(masks.block(5, far), full)
    np.testing.assert_array_equal(masks.dilated(5, reach=far, step=far), eye)
    np.testing.assert_array_equal(masks.dilated(5, reach=far, step=1), full)
    big = {"window": 0, "n_global": 0, "n_random": far, "seed": far}
    np.testing.assert_array_equal(masks.big_bird(5, **big), full)


def test_band_in_torch_is_band_in_numpy():
    ours = masks.band(4, 6, left=1, right=2, q_offset=1)
    theirs = masks.band(
        4, 6, left=1, right=2, q_offset=1, xp=torch, device="cpu"
    )
    assert theirs.dtype == torch.bool
    np.testing.assert_array_equal(theirs.numpy(), ours)


@given(SIZES)
def test_causal_is_the_lower_triangle(n):
    np.testing.assert_array_equal(
        masks.causal(n), np.tril(np.ones((n, n), dtype=bool))
    )


def test_masks_and_the_options_of_attention_agree():
    rng = np.random.default_rng(0)
    query, key, value = (rng.normal(size=(5, 3)) for _ in range(3))
    for mask, options in [
        (masks.causal(5, q_offset=-1), {"causal": True, "q_offset": -1}),
        (masks.sliding_window(5, left=1, right=2), {"window": (1, 2)}),
    ]:
        np.testing.assert_array_equal(
            attention(query, key, value, mask=mask),
            attention(query, key, value, **options),
        )


@given(st.lists(st.integers(0, 6), max_size=4))
def test_padding_shows_as_many_keys_as_tokens(lengths):
    mask = masks.padding(lengths, 6)
    assert mask.shape == (len(lengths), 1, 1, 6)
    assert mask.sum(-1).ravel().tolist() == lengths
    assert (np.diff(mask.astype(int), axis=-1) <= 0).all()


@given(SIZES, st.integers(0, 4))
def test_a_dilation_of_one_is_a_sliding_window(n, reach):
    np.testing.assert_array_equal(
        masks.dilated(n, reach=reach, step=1),
        masks.sliding_window(n, left=reach, right=reach),
    )


@given(SIZES, st.integers(0, 4), st.integers(1, 4))
def test_dilation_skips_keys(n, reach, step):
    mask = masks.dilated(n, reach=reach, step=step)
    for i, j in np.ndindex(n, n):
        expected = (i - j) in range(-reach * step, reach * step + 1, step)
        assert mask[i, j] == expected


def test_global_tokens_fill_rows_and_columns():
    mask = masks.global_tokens(6, [1, -1])
    for i, j in np.ndindex(6, 6):
        assert mask[i, j] == (i in (1, 5) or j in (1, 5))


@given(SIZES, st.integers(1, 4))
def test_blocks_see_themselves_only(n, size):
    mask = masks.block(n, size)
    for i, j in np.ndindex(n, n):
        assert mask[i, j] == (i // size == j // size)


@given(st.integers(0, 20), st.integers(0, 3), st.integers(0, 3), st.data())
def test_big_bird_has_its_three_parts(n, window, n_global, data):
    n_random = data.draw(st.integers(0, 4))
    mask = masks.big_bird(
        n, window=window, n_global=n_global, n_random=n_random, seed=3
    )
    fixed = masks.sliding_window(n, left=window, right=window)
    fixed |= masks.global_tokens(n, range(min(n_global, n)))
    assert (mask | ~fixed).all()
    drawn = (mask & ~fixed).sum(-1)
    np.testing.assert_array_equal(
        drawn, np.minimum(n_random, (~fixed).sum(-1))
    )


def test_big_bird_draws_from_its_seed_alone():
    options = {"window": 1, "n_global": 1, "n_random": 2}
    first = masks.big_bird(30, **options, seed=5)
    again = masks.big_bird(30, **options, seed=5)
    other = masks.big_bird(30, **options, seed=6)
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()
    drawn = [
        masks.big_bird(30, **options, seed=np.random.default_rng(5))
        for _ in range(2)
    ]
    np.testing.assert_array_equal(*drawn)


def test_masks_combine():
    mask = masks.causal(6) & (
        masks.sliding_window(6, left=1, right=1) | masks.global_tokens(6, [0])
    )
    assert masks.cost(mask) == (15, 15 / 36, 3)


@given(hnp.arrays(bool, hnp.array_shapes(min_dims=2, max_dims=2)))
def test_cost_counts_pairs(mask):
    pairs, fraction, most_keys = masks.cost(mask)
    assert pairs == sum(map(sum, mask.tolist()))
    assert fraction == pytest.approx(pairs / mask.size)
    assert most_keys == max(sum(row) for row in mask.tolist())


def test_cost_of_nothing_is_nothing():
    assert masks.cost(np.ones((0, 0), dtype=bool)) == (0, 0.0, 0)
    assert masks.cost(np.ones((2, 0), dtype=bool)) == (0, 0.0, 0)


@settings(max_examples=50)
@given(st.integers(0, 8).flatmap(lambda n: hnp.arrays(bool, (n, n))))
def test_layers_until_connected_equals_one_layer_at_a_time(mask):
    n = len(mask)
    heard = np.eye(n, dtype=bool)
    expected = None
    for layers in range(n + 1):
        if heard.all():
            expected = layers
            break
        heard = heard | (mask.astype(int) @ heard.astype(int) > 0)
    if n == 1:
        expected = 0
    assert masks.layers_until_connected(mask) == expected


STACKS = st.tuples(st.integers(0, 4), st.integers(0, 6)).flatmap(
    lambda shape: hnp.arrays(bool, (shape[0], shape[1], shape[1]))
)


@given(STACKS)
def test_reach_follows_every_way(stack):
    n = stack.shape[-1]
    heard = {(i, i) for i in range(n)}
    for mask, after in zip(stack, masks.reach(stack), strict=True):
        heard |= {
            (i, j) for i, k in zip(*mask.nonzero(), strict=True)
            for other, j in heard if other == k
        }  # fmt: skip
        assert set(zip(*after.nonzero(), strict=True)) == heard


@given(STACKS)
def test_a_trace_is_a_way_that_the_masks_allow(stack):
    layers, n, _ = stack.shape
    met = masks.reach(stack)[-1] if layers else np.eye(n, dtype=bool)
    for query, key in np.ndindex(n, n):
        way = masks.trace(stack, query, key)
        assert (way is not None) == met[query, key]
        if way is None:
            continue
        assert way[0] == (key, 0) and way[-1][0] == query
        for (before, earlier), (token, layer) in pairwise(way):
            assert earlier < layer
            assert stack[layer - 1, token, before]


def test_reach_is_what_attention_with_residuals_depends_on():
    rng = np.random.default_rng(0)
    stack = rng.random((3, 6, 6)) < 0.25
    start = rng.normal(size=(6, 4))

    def run(x):
        for mask in stack:
            x = x + attention(x, x, x, mask=mask)
        return x

    for key in range(6):
        other = start.copy()
        other[key] += 1.0
        moved = (run(start) != run(other)).any(axis=-1)
        np.testing.assert_array_equal(moved, masks.reach(stack)[-1, :, key])


@pytest.mark.parametrize(
    "mask, layers",
    [
        (masks.band(1), 0),
        (masks.band(5), 1),
        (masks.global_tokens(50, [7]), 2),
        (masks.sliding_window(512, left=1, right=1), 511),
        (masks.sliding_window(101, left=10, right=10), 10),
        (masks.causal(5), None),
        (masks.block(6, 3), None),
        (np.roll(np.eye(6, dtype=bool), 1, axis=1), 5),
    ],
)
def test_layers_until_connected_of_known_masks(mask, layers):
    assert masks.layers_until_connected(mask) == layers


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: masks.band(-1), "expected n_q of at least 0, got -1"),
        (lambda: masks.band(2.0), "expected n_q to be an integer, got 2.0"),
        (
            lambda: masks.band(2, left=-1),
            "expected left of at least 0, got -1",
        ),
        (
            lambda: masks.band(2, right="1"),
            "expected right to be an integer, got '1'",
        ),
        (
            lambda: masks.causal(2, q_offset=None),
            "expected q_offset to be an integer, got None",
        ),
        (
            lambda: masks.padding([1, 5], 4),
            "expected lengths between 0 and n_k=4, got [1, 5]",
        ),
        (
            lambda: masks.padding([-1], 4),
            "expected lengths between 0 and n_k=4, got [-1]",
        ),
        (
            lambda: masks.padding([[1]], 4),
            "expected lengths to be a list of integers, got shape=(1, 1)",
        ),
        (
            lambda: masks.padding([0.5], 4),
            "expected lengths to be a list of integers",
        ),
        (
            lambda: masks.dilated(4, reach=1, step=0),
            "expected step of at least 1, got 0",
        ),
        (
            lambda: masks.global_tokens(4, [4]),
            "expected tokens between -4 and 3, got 4",
        ),
        (
            lambda: masks.global_tokens(4, [True]),
            "expected token to be an integer, got True",
        ),
        (lambda: masks.block(4, 0), "expected size of at least 1, got 0"),
        (
            lambda: masks.big_bird(
                4, window=1, n_global=-1, n_random=0, seed=0
            ),
            "expected n_global of at least 0, got -1",
        ),
        (
            lambda: masks.cost(np.ones((2, 2))),
            "expected a boolean mask of shape (n_q, n_k), got dtype=float64, "
            "shape=(2, 2)",
        ),
        (
            lambda: masks.cost(np.ones(3, dtype=bool)),
            "expected a boolean mask of shape (n_q, n_k), got dtype=bool, "
            "shape=(3,)",
        ),
        (
            lambda: masks.layers_until_connected(masks.band(2, 3)),
            "expected a square mask, got shape (2, 3)",
        ),
        (
            lambda: masks.reach(masks.causal(2)),
            "expected boolean masks of shape (layers, n, n), got "
            "dtype=bool, shape=(2, 2)",
        ),
        (
            lambda: masks.trace(np.ones((1, 2, 2)), 0, 0),
            "expected boolean masks of shape (layers, n, n), got "
            "dtype=float64",
        ),
        (
            lambda: masks.trace([masks.causal(2)], 0, 2),
            "expected key between 0 and 1, got 2",
        ),
        (
            lambda: masks.big_bird(
                4, window=1, n_global=0, n_random=0, seed=-1
            ),
            "expected seed of at least 0, got -1",
        ),
    ],
)
def test_errors_say_what_was_expected(call, message):
    with raises(message):
        call()
