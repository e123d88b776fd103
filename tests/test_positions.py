"""Positions: added as sines and cosines, or turned into q and k."""

import math

import numpy as np
import pytest
import torch

from attn_course.positions import rotate, sinusoidal


def test_sinusoidal_is_the_papers_formula():
    n, d_model = 7, 10
    expected = [
        [
            (math.sin if j % 2 == 0 else math.cos)(
                p / 10000 ** (2 * (j // 2) / d_model)
            )
            for j in range(d_model)
        ]
        for p in range(n)
    ]
    np.testing.assert_allclose(sinusoidal(n, d_model), expected, atol=1e-12)


@pytest.mark.parametrize("k", [1, 5, 40])
def test_going_further_turns_each_pair_by_an_angle_of_its_own(k):
    """The turn depends on k alone, not on where it starts."""
    table = sinusoidal(100, 8).reshape(100, 4, 2)
    for i in range(4):
        angle = k / 10000 ** (2 * i / 8)
        turn = np.array(
            [
                [math.cos(angle), math.sin(angle)],
                [-math.sin(angle), math.cos(angle)],
            ]
        )
        turned = table[:-k, i] @ turn.T
        np.testing.assert_allclose(turned, table[k:, i], atol=1e-12)


def test_no_two_positions_are_alike():
    table = sinusoidal(200, 16)
    distance = np.linalg.norm(table[:, None] - table, axis=-1)
    assert (distance + np.eye(200)).min() > 0.1


@pytest.mark.parametrize(
    "sizes, message",
    [
        ((3, 5), "d_model to be even, got 5"),
        ((-1, 4), "expected n"),
        ((2.5, 4), "expected n"),
        ((3, 0), "expected d_model"),
    ],
)
def test_sizes_that_make_no_sense(sizes, message):
    with pytest.raises(ValueError, match=message):
        sinusoidal(*sizes)


def test_rotate_turns_pairs_half_the_width_apart():
    x = np.random.default_rng(1).normal(size=(6, 8))
    turned = rotate(x)
    for p in range(6):
        for i in range(4):
            angle = p * 10000 ** (-2 * i / 8)
            pair = complex(x[p, i], x[p, i + 4])
            pair *= complex(math.cos(angle), math.sin(angle))
            # Angles are taken in float32.
            assert turned[p, i] == pytest.approx(pair.real, abs=1e-5)
            assert turned[p, i + 4] == pytest.approx(pair.imag, abs=1e-5)


def test_after_rotation_scores_depend_on_the_distance_alone():
    rng = np.random.default_rng(2)
    q, k = rng.normal(size=(2, 1, 16))
    # One query and one key, put at each of 30 places.
    scores = rotate(np.repeat(q, 30, 0)) @ rotate(np.repeat(k, 30, 0)).T
    for distance in (-7, 0, 3):
        along = np.diagonal(scores, distance)
        assert np.ptp(along) < 1e-4
    apart = [np.diagonal(scores, distance)[0] for distance in range(10)]
    assert np.ptp(apart) > 0.1


def test_rotation_keeps_lengths_and_the_first_position():
    x = np.random.default_rng(3).normal(size=(2, 9, 6))
    turned = rotate(x)
    np.testing.assert_allclose(
        np.linalg.norm(turned, axis=-1), np.linalg.norm(x, axis=-1), rtol=1e-6
    )
    np.testing.assert_array_equal(turned[:, 0], x[:, 0])


def test_a_larger_base_turns_more_slowly():
    x = np.tile([1.0, 1.0, 0.0, 0.0], (5, 1))
    slow, fast = rotate(x, base=1e6), rotate(x, base=10.0)
    # The first pair turns by one radian a position, whatever the base.
    np.testing.assert_allclose(slow[:, 0], fast[:, 0])
    assert slow[4, 1] > fast[4, 1]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_numpy_and_torch_turn_alike(dtype):
    x = np.random.default_rng(4).normal(size=(2, 3, 50, 8)).astype(dtype)
    ours = rotate(x, base=5000.0)
    theirs = rotate(torch.tensor(x), base=5000.0)
    assert ours.dtype == dtype
    assert theirs.dtype == getattr(torch, dtype)
    np.testing.assert_allclose(ours, theirs.numpy(), atol=1e-5)


def test_an_odd_width_has_no_pairs():
    with pytest.raises(ValueError, match="expected d to be even, got 3"):
        rotate(np.ones((2, 3)))
