"""Sparse patterns: pairs and layers against brute force, and the window."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from attn_course import masks, sparse

PATTERNS = list(sparse.PATTERNS)


def by_hand(pattern, n, window, most=60):
    """Let sets of tokens grow, layer by layer; plain loops."""
    heard = [{i} for i in range(n)]
    total = layers = 0
    while any(len(h) < n for h in heard) and layers < most:
        mask = sparse.stack(pattern, n, window=window, layers=layers + 1)[-1]
        new = [set(h) for h in heard]
        for i in range(n):
            for j in range(n):
                if mask[i, j]:
                    total += 1
                    new[i] |= heard[j]
        heard, layers = new, layers + 1
    if any(len(h) < n for h in heard):
        return None, None
    return layers, total


@pytest.mark.parametrize("pattern", PATTERNS)
@pytest.mark.parametrize("n, window", [(1, 1), (7, 1), (16, 2), (33, 3)])
def test_layers_and_pairs_are_those_of_plain_loops(pattern, n, window):
    found = sparse.meeting(pattern, n, window=window)
    assert (found.layers, found.total or 0) == (
        by_hand(pattern, n, window)[0],
        by_hand(pattern, n, window)[1] or 0,
    )


@given(st.integers(2, 80), st.integers(1, 9))
@settings(deadline=None, max_examples=40)
def test_a_window_takes_as_many_layers_as_it_must(n, window):
    found = sparse.meeting("sliding window", n, window=window)
    assert found.layers == -(-(n - 1) // window)
    mask = masks.sliding_window(n, left=window, right=window)
    assert found.layers == masks.layers_until_connected(mask)
    # n (2w + 1) pairs, less w (w + 1) that would lie outside.
    if window < n:
        assert found.pairs == n * (2 * window + 1) - window * (window + 1)


def test_growing_dilation_takes_a_logarithm():
    layers = [
        sparse.meeting("growing dilation", 3**p, window=1).layers
        for p in (2, 3, 4, 5)
    ]
    windows = [
        sparse.meeting("sliding window", 3**p, window=1).layers
        for p in (2, 3, 4, 5)
    ]
    assert windows == [8, 26, 80, 242]
    assert all(a <= 2 * p for a, p in zip(layers, (2, 3, 4, 5), strict=True))


def test_what_never_meets_is_said_to_never_meet():
    for pattern in ("blocks", "dilated window"):
        found = sparse.meeting(pattern, 40, window=2)
        assert found.layers is None
        assert found.total is None
    assert sparse.meeting("blocks", 5, window=2).layers == 1


def test_a_global_token_brings_any_two_together_in_two_layers():
    for n in (20, 200):
        found = sparse.meeting("window and global token", n, window=2)
        assert found.layers == 2


def test_all_patterns_have_about_as_many_keys():
    """But for the global token, which adds two a token."""
    n, window = 200, 4
    for pattern in PATTERNS[1:]:
        pairs = sparse.meeting(pattern, n, window=window).pairs
        extra = 2 * n if "global" in pattern else 0
        extra = (window + 2) * n if pattern == "BigBird" else extra
        assert pairs <= n * (2 * window + 1) + extra


@given(st.integers(1, 30), st.integers(1, 9), st.integers(0, 29), st.data())
@settings(deadline=None, max_examples=40)
def test_arrival_is_the_shortest_way(n, window, back, data):
    query = data.draw(st.integers(0, n - 1))
    key = max(query - back, 0)
    mask = masks.sliding_window(n, left=window, right=0)
    found = sparse.layers_until_arrival([mask] * 30, query, key)
    assert found == -(-(query - key) // window)
    if key < query:
        assert sparse.layers_until_arrival([mask] * 30, key, query) is None


# The window, block by block


@pytest.mark.parametrize("n", [1, 5, 16, 50])
@pytest.mark.parametrize("left", [0, 1, 7, 60])
@pytest.mark.parametrize("size", [None, 1, 8])
def test_blocks_give_what_the_mask_gives(n, left, size):
    generator = torch.Generator().manual_seed(0)
    q, k, v = (
        torch.randn(2, 3, n, d, generator=generator, dtype=torch.float64)
        for d in (4, 4, 6)
    )
    mask = torch.as_tensor(masks.sliding_window(n, left=left, right=0))
    whole = torch.nn.functional.scaled_dot_product_attention(q, k, v, mask)
    ours = sparse.windowed_attention(q, k, v, left=left, size=size)
    assert ours.shape == whole.shape
    torch.testing.assert_close(ours, whole)


def test_the_window_has_the_gradients_of_the_mask():
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(1, 1, 20, 4, generator=generator, dtype=torch.float64)
    mask = torch.as_tensor(masks.sliding_window(20, left=3, right=0))
    slopes = []
    for attend in (
        lambda x: sparse.windowed_attention(x, x, x, left=3, size=4),
        lambda x: torch.nn.functional.scaled_dot_product_attention(
            x, x, x, mask
        ),
    ):
        leaf = x.clone().requires_grad_()
        attend(leaf).square().sum().backward()
        slopes.append(leaf.grad)
    torch.testing.assert_close(*slopes)


def test_two_axes_and_nothing_at_all_work_too():
    x = torch.randn(9, 4)
    whole = sparse.windowed_attention(
        x[None, None], x[None, None], x[None, None], left=2
    )
    torch.testing.assert_close(
        sparse.windowed_attention(x, x, x, left=2), whole[0, 0]
    )
    assert sparse.windowed_attention(x[:0], x[:0], x[:0], left=2).shape == (
        0,
        4,
    )


def test_what_does_not_fit_is_refused():
    x = torch.randn(9, 4)
    with pytest.raises(ValueError, match="got 9, 8 and 9"):
        sparse.windowed_attention(x, x[:8], x, left=2)
    with pytest.raises(ValueError, match="expected left"):
        sparse.windowed_attention(x, x, x, left=-1)
    with pytest.raises(ValueError, match="expected pattern in"):
        sparse.stack("spiral", 4, window=1, layers=1)
    with pytest.raises(ValueError, match="window of at least 1, got 0"):
        sparse.meeting("full", 4, window=0)


def test_random_keys_meet_in_a_few_layers():
    found = [
        sparse.meeting("random keys", n, window=4).layers
        for n in (32, 128, 512)
    ]
    assert found == sorted(found)
    assert found[-1] <= 6
    assert np.all(np.array(found) >= 2)


@pytest.mark.parametrize("n", [33, 128])
def test_a_window_saves_nothing_if_all_must_meet(n):
    """Fewer pairs a layer, as many more layers: above n² in all."""
    window = sparse.meeting("sliding window", n, window=4)
    full = sparse.meeting("full", n, window=4)
    assert window.pairs < full.pairs / 3
    assert window.total > full.total == n * n
    for pattern in ("growing dilation", "window and global token"):
        assert sparse.meeting(pattern, n, window=4).total < full.total


@pytest.mark.parametrize("far", [7, 2**62, 2**63, 2**70, np.int64(2**62)])
@pytest.mark.parametrize("pattern", sparse.PATTERNS)
def test_a_window_wider_than_the_text_is_one_as_wide(pattern, far):
    wide = sparse.stack(pattern, 7, window=far, layers=2)
    np.testing.assert_array_equal(
        wide, sparse.stack(pattern, 7, window=7, layers=2)
    )
    found = sparse.meeting(pattern, 7, window=far)
    assert found == sparse.meeting(pattern, 7, window=7)


@pytest.mark.filterwarnings("ignore:flex_attention called without")
def test_the_rule_for_flex_attention_is_the_same_window():
    """Uncompiled: the compiled form is checked where it is timed."""
    q, k, v = torch.randn(3, 1, 2, 40, 8)
    for left in (0, 5, 60):
        flex = sparse.flex_window(40, left=left, compiled=False)
        whole = sparse.windowed_attention(q, k, v, left=left)
        torch.testing.assert_close(flex(q, k, v), whole)


def test_flex_attention_needs_counts():
    with pytest.raises(ValueError, match="expected n"):
        sparse.flex_window(0, left=2)
    with pytest.raises(ValueError, match="expected left"):
        sparse.flex_window(8, left=-1)
