"""What is counted equals the formula; what is computed is attention."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oracles import gradients, loops

from attn_course import data, growth
from attn_course.flash import SlowMemory, tiled_attention, tiled_backward
from attn_course.flash import traffic as tr

CASES = [
    ("standard", backward, masks, dropout)
    for backward, masks, dropout in itertools.product([False, True], repeat=3)
] + [
    ("flash", False, False, False),
    ("flash", True, False, False),
    ("flash by query", False, False, False),
]


@pytest.mark.parametrize(("way", "backward", "masks", "dropout"), CASES)
@given(n=st.integers(1, 40), d=st.integers(1, 5), tile=st.integers(1, 15))
@settings(deadline=None, max_examples=25)
def test_what_is_counted_equals_the_formula(
    way, backward, masks, dropout, n, d, tile
):
    options = {
        "block_q": tile,
        "block_k": 16 - tile,
        "backward": backward,
        "masks": masks,
        "dropout": dropout,
    }
    counted = tr.count(way, n, d, **options)
    assert counted == tr.formula(way, n, d, **options)


@pytest.mark.parametrize(("way", "backward"), [c[:2] for c in CASES])
def test_flops_are_those_of_the_products(way, backward):
    n, d = 24, 4
    memory = SlowMemory()
    q, k, v, do = np.random.default_rng(0).normal(size=(4, n, d))
    if way == "standard":
        first = SlowMemory() if backward else memory
        _, kept = tr.standard_attention(q, k, v, memory=first)
        if backward:
            tr.standard_backward(do, q, k, v, kept, memory=memory)
    elif backward:
        done = tiled_attention(q, k, v)
        tiled_backward(do, q, k, v, *done, block_q=7, memory=memory)
    else:
        run = (
            tiled_attention if way == "flash" else tr.tiled_attention_by_query
        )
        run(q, k, v, block_q=7, block_k=5, memory=memory)
    assert memory.flops == tr.flops(way, n, d, backward=backward)


@pytest.mark.parametrize("causal", [False, True])
def test_the_standard_way_is_attention_and_its_gradients(causal):
    rng = np.random.default_rng(1)
    q, k, v, do = rng.normal(size=(4, 6, 4))
    output, kept = tr.standard_attention(q, k, v, causal=causal)
    arrays = [x[None] for x in (q, k, v)]
    wanted = loops(*arrays, causal=causal)[0]
    np.testing.assert_allclose(output, wanted)
    found = tr.standard_backward(do, q, k, v, kept, causal=causal)
    expected = gradients(do[None], *arrays, causal=causal)
    for grad, right in zip(found, expected, strict=True):
        np.testing.assert_allclose(grad, right[0], atol=1e-12)


def test_the_gradients_with_dropout_are_those_of_differences():
    rng = np.random.default_rng(2)
    q, k, v, do = rng.normal(size=(4, 5, 3))
    keep = rng.random((5, 5)) < 0.7
    _, kept = tr.standard_attention(q, k, v, keep=keep)
    grads = tr.standard_backward(do, q, k, v, kept)

    def loss(arrays):
        return (tr.standard_attention(*arrays, keep=keep)[0] * do).sum()

    for place, grad in enumerate(grads):
        step = np.zeros((3, 5, 3))
        step[place, 1, 2] = 1e-6
        arrays = np.array([q, k, v])
        slope = (loss(arrays + step) - loss(arrays - step)) / 2e-6
        assert grad[1, 2] == pytest.approx(slope, abs=1e-7)


# The chip


@given(st.integers(1, 12), st.integers(1, 12), st.integers(1, 6))
def test_what_is_held_is_what_was_said(block_q, block_k, d):
    q, k, v, do = np.random.default_rng(0).normal(size=(4, 24, d))
    tile = {"block_q": block_q, "block_k": block_k}
    ways = (tiled_attention, tr.tiled_attention_by_query)
    for way in ways:
        memory = SlowMemory()
        done = way(q, k, v, **tile, memory=memory)
        assert memory.most_held == tr.held(block_q, block_k, d)
    memory = SlowMemory()
    tiled_backward(do, q, k, v, *done, **tile, memory=memory)
    most = tr.held(block_q, block_k, d, backward=True)
    assert memory.most_held == most


@pytest.mark.parametrize("d", [4, 16, 64])
@pytest.mark.parametrize("times", [1, 2, 5])
def test_the_papers_tile_fits_from_some_size_of_chip_on(d, times):
    on_chip = times * (8 * d * d + 8 * d)
    assert tr.held(*tr.blocks_for(on_chip, d), d) <= on_chip


def test_a_tile_that_is_too_large_for_the_chip_is_refused():
    size = tr.held(8, 8, 4)
    tr.count("flash", 32, 4, block_q=8, block_k=8, on_chip=size)
    with pytest.raises(ValueError, match=f"at most {size - 1} numbers"):
        tr.count("flash", 32, 4, block_q=8, block_k=8, on_chip=size - 1)


def test_a_larger_chip_means_less_traffic_and_a_longer_text_more():
    """Θ(n² d² / M) and Θ(n² + n d): theorem 2 of Dao et al. 2022."""
    chips = [2**i for i in range(16, 21)]
    moved = [
        tr.formula("flash", 2**16, 64, block_k=tr.blocks_for(m, 64)[1])
        for m in chips
    ]
    slope = growth.exponent(chips, [x.vectors for x in moved])
    assert slope == pytest.approx(-1, abs=0.05)
    lengths = [2**i for i in range(10, 15)]
    for way in ("standard", "flash"):
        moved = [sum(tr.formula(way, n, 64)) for n in lengths]
        assert growth.exponent(lengths, moved) == pytest.approx(2, abs=0.1)


def test_flash_attention_calculates_more_not_less():
    both = (False, True)
    standard, flash = (
        sum(tr.flops(way, 1024, 64, backward=b) for b in both)
        for way in ("standard", "flash")
    )
    assert flash == standard * 7 / 6


def test_the_papers_table_lies_within_what_we_count():
    gigabytes = {
        way: [
            tr.paper_bytes(way, **options) / 1e9
            for options in (
                [{}, {"masks": True}, {"masks": True, "dropout": True}]
                if way == "standard"
                else [{"block_k": 384}, {"block_k": 256}]
            )
        ]
        for way in ("standard", "flash")
    }
    assert np.round(gigabytes["standard"], 1).tolist() == [25.2, 33.8, 44.6]
    assert np.round(gigabytes["flash"], 1).tolist() == [4.1, 5.2]
    for printed in tr.PAPER.values():
        for way, numbers in gigabytes.items():
            assert min(numbers) < printed[way] < max(numbers)


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        (("fast", 8, 4), {}, "expected one of .*'flash by query'.*'fast'"),
        (("flash", 0, 4), {}, "n of at least 1, got 0"),
        (("flash", 8, 4), {"masks": True}, "standard way only"),
        (("flash by query", 8, 4), {"backward": True}, "the forward pass"),
    ],
)
def test_bad_input_is_told(arguments, options, message):
    for function in (tr.count, tr.formula):
        with pytest.raises(ValueError, match=message):
            function(*arguments, **options)


def test_recorded_counts_are_those_of_the_formula():
    counted = data.load_recording("flash-traffic")["counted"]
    assert len(counted) == 9
    assert all(row["is_formula"] for row in counted)
