"""Thin weights, the bytes of scores, and fitted exponents."""

import math
import tracemalloc

import numpy as np
import pytest

from attn_course import attention
from attn_course.cost import scaling


@pytest.mark.parametrize("d", [4, 64])
def test_of_random_keys_a_fixed_share_counts(d):
    """Scores near normal: entropy ln n − 1/2, largest weight towards 0."""
    found = [
        scaling.thinness_of_random(n, d=d, queries=400, seed=1)
        for n in (64, 512, 4096)
    ]
    for n, f in zip((512, 4096), found[1:], strict=True):
        assert math.log(n) - f.entropy == pytest.approx(0.5, abs=0.12)
        assert f.keys == pytest.approx(math.exp(f.entropy))
    largest = [f.largest for f in found]
    assert largest == sorted(largest, reverse=True)
    assert largest[-1] < 0.02


def test_a_fixed_score_above_the_others_thins_out_too():
    """One key scores s, the rest 0: its weight is eˢ / (eˢ + n − 1)."""
    for n in (10, 1000):
        key = np.zeros((n, 1))
        key[0] = 5.0
        w = scaling.attention_weights(np.ones((1, 1)), key, scale=1.0)
        expected = math.exp(5) / (math.exp(5) + n - 1)
        assert scaling.thinness(w).largest == pytest.approx(expected)


def test_the_length_that_fills_memory_is_the_last_that_fits():
    for memory in (10**6, 10**9, 3 * 10**9 + 1):
        for heads, each, copies in [(1, 4, 1), (12, 2, 2), (8, 4, 3)]:
            options = {"heads": heads, "each": each}
            n = scaling.length_that_fills(memory, **options, copies=copies)
            assert copies * scaling.score_bytes(n, **options) <= memory
            assert copies * scaling.score_bytes(n + 1, **options) > memory


@pytest.mark.parametrize("n", [512, 1024])
def test_naive_attention_takes_the_bytes_of_the_formula(n):
    """Measured: a few arrays of n² scores, and no more."""
    x = np.ones((n, 8))
    attention(x, x, x)
    tracemalloc.start()
    attention(x, x, x)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert 1 <= peak / scaling.score_bytes(n, each=8) < 4.5


@pytest.mark.parametrize("power", [0.5, 1, 2, 3])
def test_an_exponent_is_found_again(power):
    n = np.array([10.0, 20, 50, 300])
    assert scaling.exponent(n, 7 * n**power) == pytest.approx(power)


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="at least two lengths"):
        scaling.exponent([1, 1], [2, 3])
    with pytest.raises(ValueError, match="as many values"):
        scaling.exponent([1, 2], [2, 3, 4])
    with pytest.raises(ValueError, match="positive"):
        scaling.exponent([1, 2], [0, 3])
    with pytest.raises(ValueError, match="expected weights"):
        scaling.thinness(np.ones((0, 3)))
    with pytest.raises(ValueError, match="n of at least 1"):
        scaling.thinness_of_random(0)
