"""Spread of q·k, entropy and the softmax's Jacobian, against theory."""

import doctest
import math
import subprocess
import sys

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from attn_course import softmax
from attn_course.softmax import (
    dot_product_variance,
    entropy,
    softmax_jacobian_norm,
)


def some_weights(seed, *shape, temperature=1.0):
    scores = np.random.default_rng(seed).normal(size=shape) / temperature
    shares = np.exp(scores - scores.max(-1, keepdims=True))
    return shares / shares.sum(-1, keepdims=True)


def test_examples():
    assert doctest.testmod(softmax).failed == 0


def test_pure_functions_load_no_torch():
    code = (
        "import sys; from attn_course import softmax, numerics, regression; "
        "from attn_course.experiments import sweeps; "
        "assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("d", [1, 4, 64, 1024])
def test_the_variance_of_q_k_is_d(d):
    n = 20_000
    measured = dot_product_variance(d, n, seed=0)
    # Four standard errors; the fourth moment of q·k is 3 d² + 6 d.
    error = math.sqrt((2 * d**2 + 6 * d) / n)
    assert abs(measured - d) < 4 * error


def test_the_seed_decides():
    a, b, c = (dot_product_variance(8, 500, seed) for seed in (1, 1, 2))
    assert a == b != c


def test_more_rows_than_are_drawn_at_once(monkeypatch):
    monkeypatch.setattr(softmax, "_DRAWN_AT_ONCE", 1000)
    assert dot_product_variance(64, 20_000, 0) == pytest.approx(64, rel=0.05)
    assert dot_product_variance(2000, 500, 0) == pytest.approx(2000, rel=0.3)


@pytest.mark.parametrize("d, n", [(0, 10), (4, 1)])
def test_sizes_without_a_variance(d, n):
    with pytest.raises(ValueError, match=f"got d={d}, n={n}"):
        dot_product_variance(d, n, seed=0)


def test_entropy_runs_from_0_to_ln_n():
    assert entropy(np.eye(5)).tolist() == [0.0] * 5
    assert entropy(np.zeros(3)) == 0.0
    np.testing.assert_allclose(entropy(np.full((2, 7), 1 / 7)), math.log(7))
    between = entropy(some_weights(0, 3, 4, 6))
    assert between.shape == (3, 4)
    assert ((between > 0) & (between < math.log(6))).all()


def test_entropy_agrees_with_torch():
    p = some_weights(1, 10, 6)
    theirs = torch.distributions.Categorical(torch.tensor(p)).entropy()
    np.testing.assert_allclose(entropy(p), theirs.numpy())


@pytest.mark.parametrize("temperature", [10.0, 1.0, 0.1])
def test_the_jacobian_norm_agrees_with_autograd(temperature):
    p = some_weights(2, 6, temperature=temperature)
    jacobian = torch.autograd.functional.jacobian(
        lambda s: torch.softmax(s, -1), torch.tensor(p).log()
    )
    theirs = torch.linalg.matrix_norm(jacobian).item()
    assert softmax_jacobian_norm(p) == pytest.approx(theirs, rel=1e-9)


def test_the_jacobian_norm_agrees_with_finite_differences():
    scores, step = np.array([0.3, -1.0, 2.0, 0.5]), 1e-6

    def softmax(s):
        return np.exp(s) / np.exp(s).sum(-1, keepdims=True)

    steps = step * np.eye(4)
    slopes = (softmax(scores + steps) - softmax(scores - steps)) / (2 * step)
    ours = softmax_jacobian_norm(softmax(scores))
    assert ours == pytest.approx(np.linalg.norm(slopes), rel=1e-8)


@given(st.integers(0, 2**32 - 1), st.integers(1, 9), st.floats(0.01, 100))
def test_the_jacobian_norm_is_at_most_a_half(seed, n, temperature):
    p = some_weights(seed, n, temperature=temperature)
    norm = softmax_jacobian_norm(p)
    whole = np.diag(p) - np.outer(p, p)
    assert norm == pytest.approx(np.linalg.norm(whole), abs=1e-12)
    assert 0.0 <= norm <= 0.5 + 1e-12
    assert softmax_jacobian_norm(p[::-1]) == pytest.approx(norm, abs=1e-15)


def test_a_saturated_softmax_still_has_its_small_norm():
    # diag(p) − p pᵀ loses these digits: 1 − (1 − 1e-20) is 0 in float64.
    p = np.array([1.0, 1e-20])
    assert softmax_jacobian_norm(p) == pytest.approx(2e-20)


def test_even_weights():
    for n in range(1, 9):
        even = np.full((2, 3, n), 1 / n)
        expected = np.full((2, 3), math.sqrt(n - 1) / n)
        np.testing.assert_allclose(softmax_jacobian_norm(even), expected)
