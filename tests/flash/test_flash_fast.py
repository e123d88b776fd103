"""The fast tiles against loops and autograd in float64, of any shape."""

import tracemalloc

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from oracles import gradients, loops

from attn_course import attention
from attn_course.flash import (
    flash_attention,
    flash_attention_backward,
    naive_attention,
    naive_attention_in_place,
)

# How far a number may be off, as a share of the largest.
TOLERANCE = {"float16": 1e-3, "float32": 1e-5, "float64": 1e-12}


@st.composite
def problems(draw):
    """Draw shapes, options and tiles that do not divide them."""
    size = st.integers(1, 9)
    shared, times = draw(st.integers(1, 2)), draw(st.integers(1, 3))
    n_q, n_k, d_k, d_v = draw(st.tuples(size, size, size, size))
    batch = draw(st.sampled_from([(), (2,), (2, 1), (1, 3)]))
    kv_batch = draw(st.sampled_from([batch, batch[1:]]))
    return {
        "shapes": [
            (*batch, shared * times, n_q, d_k),
            (*kv_batch, shared, n_k, d_k),
            (*kv_batch, shared, n_k, d_v),
        ],
        "dtype": draw(st.sampled_from(list(TOLERANCE))),
        "seed": draw(st.integers(0, 2**32 - 1)),
        "mask": {
            "causal": draw(st.booleans()),
            "q_offset": draw(st.integers(-4, 4)),
            "scale": draw(st.sampled_from([None, 0.3])),
        },
        "tiles": {"block_q": draw(size), "block_k": draw(size)},
    }


def make(problem):
    rng = np.random.default_rng(problem["seed"])
    return [
        rng.normal(size=shape).astype(problem["dtype"])
        for shape in problem["shapes"]
    ]


def close(found, expected, dtype):
    assert found.shape == expected.shape
    scale = max(np.abs(expected).max(initial=0.0), 1.0)
    error = np.abs(np.float64(found) - expected).max(initial=0.0) / scale
    assert error <= TOLERANCE[str(dtype)]


@given(problems())
def test_the_output_is_that_of_loops_in_float64(problem):
    arrays = make(problem)
    found = flash_attention(*arrays, **problem["mask"], **problem["tiles"])
    assert found.dtype == problem["dtype"]
    close(found, loops(*arrays, **problem["mask"]), problem["dtype"])


@given(problems())
@settings(deadline=None)
def test_the_gradients_are_those_of_autograd_in_float64(problem):
    arrays = make(problem)
    options = {**problem["mask"], **problem["tiles"]}
    output, lse = flash_attention(*arrays, **options, return_lse=True)
    rng = np.random.default_rng(problem["seed"])
    grad_output = rng.normal(size=output.shape).astype(output.dtype)
    found = flash_attention_backward(
        grad_output, *arrays, output, lse, **options
    )
    wanted = gradients(grad_output, *arrays, **problem["mask"])
    for grad, expected, x in zip(found, wanted, arrays, strict=True):
        assert grad.dtype == x.dtype
        close(grad, expected, problem["dtype"])


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("causal", [False, True])
def test_it_is_attention_with_the_tiles_it_has(dtype, causal):
    """Several tiles each way at their usual size, the last ones ragged."""
    rng = np.random.default_rng(1)
    query = rng.normal(size=(2, 600, 32)).astype(dtype)
    key, value = rng.normal(size=(2, 1, 1100, 32)).astype(dtype)
    found = flash_attention(query, key, value, causal=causal, q_offset=500)
    wide = [np.float64(x) for x in (query, key, value)]
    close(found, attention(*wide, causal=causal, q_offset=500), dtype)


@given(problems())
def test_lse_is_the_logarithm_of_the_sum(problem):
    query, key, value = (np.float64(x) for x in make(problem))
    mask, tiles = problem["mask"], problem["tiles"]
    _, lse = flash_attention(
        query, key, value, **mask, **tiles, return_lse=True
    )
    key = np.repeat(key, query.shape[-3] // key.shape[-3], axis=-3)
    scores = query @ np.swapaxes(key, -1, -2)
    scores = scores * (mask["scale"] or query.shape[-1] ** -0.5)
    if mask["causal"]:
        seen = np.tri(*scores.shape[-2:], mask["q_offset"], dtype=bool)
        scores = np.where(seen, scores, -np.inf)
    expected = np.logaddexp.reduce(scores, axis=-1)
    np.testing.assert_allclose(lse, expected, rtol=1e-10, atol=1e-12)


def test_a_query_that_may_look_at_nothing_gets_zeros_and_hurts_nobody():
    rng = np.random.default_rng(2)
    query, key, value = rng.normal(size=(3, 1, 5, 4))
    options = {"causal": True, "q_offset": -2, "block_q": 4, "block_k": 2}
    output, lse = flash_attention(
        query, key, value, **options, return_lse=True
    )
    assert (output[0, :2] == 0).all()
    assert np.isneginf(lse[0, :2]).all()
    assert np.isfinite(lse[0, 2:]).all()
    grads = flash_attention_backward(
        np.ones_like(output), query, key, value, output, lse, **options
    )
    assert all(np.isfinite(grad).all() for grad in grads)
    assert (grads[0][0, :2] == 0).all()


def test_without_keys_there_are_zeros():
    query, key = np.ones((2, 3, 4)), np.ones((2, 0, 4))
    assert (flash_attention(query, key, key) == 0).all()


def test_scores_that_overflow_float16_do_not_here():
    query = np.full((3, 64), 40.0, np.float16)  # q·k = 102 400
    value = np.eye(3, 64, dtype=np.float16)
    found = flash_attention(query, query, value, scale=1.0)
    close(found, np.full((3, 64), value.sum(0) / 3.0), "float16")


def test_masked_tiles_are_skipped(monkeypatch):
    """Of 4 × 4 square tiles a causal mask leaves 10."""
    x = np.random.default_rng(3).normal(size=(8, 4))
    calls = []
    exp = np.exp
    monkeypatch.setattr(
        np, "exp", lambda s, **o: calls.append(o) or exp(s, **o)
    )
    for causal, expected in ((False, 16), (True, 10)):
        calls.clear()
        flash_attention(x, x, x, causal=causal, block_q=2, block_k=2)
        assert sum("out" in o for o in calls) == expected


def test_arguments_are_not_changed():
    rng = np.random.default_rng(4)
    arrays = [*rng.normal(size=(3, 2, 5, 4))]
    before = [x.copy() for x in arrays]
    output, lse = flash_attention(*arrays, causal=True, return_lse=True)
    after = [output.copy(), lse.copy()]
    flash_attention_backward(output, *arrays, output, lse, causal=True)
    for x, y in zip([*arrays, output, lse], [*before, *after], strict=True):
        np.testing.assert_array_equal(x, y)


# What it is compared with


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("way", [naive_attention, naive_attention_in_place])
def test_the_naive_ways_are_attention(way, causal):
    rng = np.random.default_rng(5)
    query, key, value = (
        rng.normal(size=(2, 3, n, d)) for n, d in ((6, 4), (7, 4), (7, 5))
    )
    np.testing.assert_allclose(
        way(query, key, value, causal=causal),
        attention(query, key, value, causal=causal),
        atol=1e-12,
    )


def peak(way, n):
    """Measure the most bytes that NumPy held at once, beside the input."""
    q, k, v = np.random.default_rng(0).standard_normal(
        (3, n, 64), dtype=np.float32
    )
    tracemalloc.start()
    way(q, k, v)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return most


def test_memory_is_at_most_two_percent_at_4096_tokens():
    naive = peak(naive_attention, 4096)
    assert naive > 2 * 4096**2 * 4
    assert peak(flash_attention, 4096) <= 0.02 * naive
    in_place = peak(naive_attention_in_place, 4096)
    assert 4096**2 * 4 < in_place < naive / 2


def test_memory_grows_with_n_and_not_with_its_square():
    assert peak(flash_attention, 8192) < 2.1 * peak(flash_attention, 4096)


@given(problems())
@settings(max_examples=25)
def test_values_of_no_numbers_give_outputs_of_none(problem):
    *_, (*lead, n_k, _) = problem["shapes"]
    problem["shapes"][-1] = (*lead, n_k, 0)
    query, key, value = make(problem)
    options = {**problem["mask"], **problem["tiles"]}
    output, lse = flash_attention(
        query, key, value, return_lse=True, **options
    )
    expected = attention(query, key, value, **problem["mask"])
    assert output.shape == expected.shape
    assert output.dtype == expected.dtype
    assert output.size == 0
    # The sums over the keys are those of any values.
    _, whole = flash_attention(query, key, key, return_lse=True, **options)
    np.testing.assert_array_equal(lse, whole)
    grads = flash_attention_backward(
        np.ones_like(output), query, key, value, output, lse, **options
    )
    for grad, x in zip(grads, (query, key, value), strict=True):
        assert grad.shape == x.shape
        assert not grad.any()


# Errors


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"key": np.ones((5, 3))}, r"key with d_k=4 .* got 3"),
        ({"value": np.ones((6, 4))}, r"value with n_k=5 .* got 6"),
        ({"key": np.ones((5, 4), np.float32)}, "key with dtype=float64"),
        ({"query": np.ones((3, 4), int)}, "floating dtype, got int64"),
        ({"query": [[1.0]]}, "query to be a NumPy array, got list"),
        ({"key": np.ma.array(np.ones((5, 4)))}, "key as a plain array"),
        ({"key": np.full((5, 4), np.nan)}, "finite numbers in key"),
        ({"block_q": 0}, "block_q of at least 1, got 0"),
        ({"block_k": 2.0}, r"block_k to be an integer, got 2\.0"),
        ({"q_offset": 0.5}, r"q_offset to be an integer, got 0\.5"),
        ({"scale": np.inf}, "finite number as scale, got inf"),
    ],
)
def test_bad_input_is_told(change, message):
    good = {"query": np.ones((3, 4)), "key": np.ones((5, 4))}
    good["value"] = np.ones((5, 2))
    with pytest.raises(ValueError, match=message):
        flash_attention(**{**good, **change})


@pytest.mark.parametrize("way", [naive_attention, naive_attention_in_place])
@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ([torch.ones(3, 4)] * 3, "query to be a NumPy array, got Tensor"),
        ([np.ones((0, 4))] * 3, "n_k of at least 1, got 0"),
        ([np.ma.array(np.ones((3, 4)))] * 3, "query as a plain array"),
        (
            [np.ones((4, 3, 2)), *[np.ones((2, 3, 2))] * 2],
            r"as many heads .* got query \(4,\), key \(2,\), value \(2,\)",
        ),
    ],
)
def test_the_naive_ways_say_what_they_take(way, inputs, message):
    with pytest.raises(ValueError, match=message):
        way(*inputs)


def test_heads_that_do_not_divide_are_told():
    query, key = np.ones((3, 2, 4)), np.ones((2, 5, 4))
    with pytest.raises(ValueError, match="divides H=3, got 2"):
        flash_attention(query, key, key)


def test_the_backward_pass_wants_what_the_forward_pass_gave():
    x = np.ones((3, 4))
    output, lse = flash_attention(x, x, x, return_lse=True)
    with pytest.raises(ValueError, match=r"lse of shape \(3,\) .* got \(3, 1"):
        flash_attention_backward(output, x, x, x, output, lse[:, None])
    with pytest.raises(ValueError, match=r"output of shape .* got NoneType"):
        flash_attention_backward(output, x, x, x, None, lse)
    with pytest.raises(ValueError, match=r"grad_output .* dtype float64, got"):
        flash_attention_backward(np.float32(x), x, x, x, output, lse)
