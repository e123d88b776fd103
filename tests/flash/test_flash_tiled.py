"""The papers' algorithms, as written, and the memory that they run on."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from oracles import gradients, loops

from attn_course.flash import (
    ChipFull,
    SlowMemory,
    tiled_attention,
    tiled_attention_by_query,
    tiled_backward,
)
from attn_course.flash.memory import tiles

BOTH = [tiled_attention, tiled_attention_by_query]
SIZE = st.integers(1, 9)


def make(n_q, n_k, d_k, d_v, dtype=np.float64, seed=0):
    rng = np.random.default_rng(seed)
    shapes = (n_q, d_k), (n_k, d_k), (n_k, d_v), (n_q, d_v)
    return [rng.normal(size=s, scale=2.0).astype(dtype) for s in shapes]


@pytest.mark.parametrize("way", BOTH)
@given(st.tuples(SIZE, SIZE, SIZE, SIZE), SIZE, SIZE)
def test_the_output_is_that_of_loops(way, sizes, block_q, block_k):
    q, k, v, _ = make(*sizes)
    output, state = way(q, k, v, block_q=block_q, block_k=block_k)
    np.testing.assert_allclose(output, loops(q[None], k[None], v[None])[0])
    # The state makes the weights again.
    weights = np.exp(q @ k.T / np.sqrt(q.shape[1]) - state.m) / state.l
    np.testing.assert_allclose(weights.sum(axis=1), 1.0)


@pytest.mark.parametrize("way", BOTH)
@given(st.tuples(SIZE, SIZE, SIZE, SIZE), SIZE, SIZE)
@settings(deadline=None)
def test_the_gradients_are_those_of_autograd(way, sizes, block_q, block_k):
    q, k, v, do = make(*sizes)
    output, state = way(q, k, v)
    found = tiled_backward(
        do, q, k, v, output, state, block_q=block_q, block_k=block_k
    )
    expected = gradients(do[None], q[None], k[None], v[None])
    for grad, wanted in zip(found, expected, strict=True):
        np.testing.assert_allclose(grad, wanted[0], rtol=1e-6, atol=1e-10)


def test_float32_stays_float32():
    q, k, v, do = make(5, 6, 4, 3, np.float32)
    for way in BOTH:
        output, state = way(q, k, v, block_k=2)
        assert output.dtype == state.m.dtype == np.float32
        grads = tiled_backward(do, q, k, v, output, state)
        assert {grad.dtype for grad in grads} == {np.dtype(np.float32)}


def test_bad_input_is_told():
    x = np.ones((3, 4))
    for way in BOTH:
        with pytest.raises(ValueError, match=r"one head.*\(1, 3, 4\)"):
            way(x[None], x[None], x[None])
        with pytest.raises(ValueError, match="at least one key"):
            way(x, x[:0], x[:0])
        with pytest.raises(ValueError, match="got float16"):
            way(*[x.astype(np.float16)] * 3)
        with pytest.raises(ValueError, match="size of a tile of at least 1"):
            way(x, x, x, block_q=0)
        with pytest.raises(ValueError, match=r"NumPy array, got Tensor"):
            way(*[torch.ones(3, 4)] * 3)
        with pytest.raises(ValueError, match="query as a plain array"):
            way(*[np.ma.array(x)] * 3)
    with pytest.raises(ValueError, match=r"NumPy array, got Tensor"):
        tiled_backward(*[torch.ones(3, 4)] * 5, None)


# The memory


def test_a_tile_stays_until_another_takes_its_name():
    memory = SlowMemory(on_chip=6)
    memory.load(a=np.ones(4))
    memory.hold(a=np.ones(6))
    with pytest.raises(ChipFull, match=r"at most 6 .* got 7: .*'b': 1"):
        memory.load(b=np.ones(1))


def test_what_is_dropped_makes_room():
    memory = SlowMemory(on_chip=4)
    for _ in range(3):
        memory.load(a=np.ones(2), b=np.ones(2))
        memory.drop("a")
        memory.hold(c=np.ones(2))
        memory.drop()
    assert memory.held == {}
    assert memory.most_held == 4
    assert memory.moved == 12


def test_what_is_loaded_is_a_copy():
    slow = np.zeros(3)
    fast = SlowMemory().load(x=slow)
    fast += 1
    assert (slow == 0).all()


def test_the_chip_holds_a_number_of_numbers():
    with pytest.raises(ValueError, match="on_chip of at least 1, got 0"):
        SlowMemory(0)


@given(st.integers(0, 50), SIZE)
def test_tiles_cover_each_place_once(n, size):
    places = [i for part in tiles(n, size) for i in range(n)[part]]
    assert places == list(range(n))
    assert all(part.stop - part.start <= size for part in tiles(n, size))
