"""The guards of GPU cells, on a table of cards."""

import pytest

from attn_course.flash import cards
from attn_course.flash.cards import KERNELS

# name: compute capability, gigabytes.
CARDS = {
    "P100": ((6, 0), 16),
    "T4": ((7, 5), 15),
    "RTX 2080 Ti": ((7, 5), 11),
    "A100 40": ((8, 0), 40),
    "A100 80": ((8, 0), 80),
    "RTX 3090": ((8, 6), 24),
    "L4": ((8, 9), 22),
    "RTX 4090": ((8, 9), 24),
    "H100": ((9, 0), 80),
    "B200": ((10, 0), 180),
    "RTX 5090": ((12, 0), 32),
}
OLD = {"P100"}
NO_BFLOAT16 = {"P100", "T4", "RTX 2080 Ti"}
SIZES = (16, 32, 64, 80, 128)


@pytest.mark.parametrize("name", CARDS)
def test_the_dtype_is_bfloat16_where_the_card_has_it(name):
    expected = "float16" if name in NO_BFLOAT16 else "bfloat16"
    assert cards.best_dtype(CARDS[name][0]) == expected


@pytest.mark.parametrize("name", CARDS)
def test_tiles_are_small_where_tensor_cores_take_no_part(name):
    card, _ = CARDS[name]
    for dtype in ("float16", "bfloat16", "float32"):
        for d in SIZES:
            for kernel in KERNELS:
                if name in OLD:
                    with pytest.raises(ValueError, match=r"got 6\.0"):
                        cards.tiles_for(card, dtype, d, kernel)
                    continue
                tiles = cards.tiles_for(card, dtype, d, kernel)
                slow = dtype == "float32" or name in NO_BFLOAT16
                assert tiles.block_q * tiles.block_k <= (
                    32 * 32 if slow else 64 * 64
                )
                assert min(tiles.block_q, tiles.block_k) >= 16
                assert tiles.warps in (4, 8)


@pytest.mark.parametrize("name", CARDS)
def test_only_old_cards_have_no_path_in_triton(name):
    card, _ = CARDS[name]
    obstacle = cards.triton_obstacle(card)
    assert (obstacle is not None) == (name in OLD)


def test_a_t4_gets_tiles_of_32_and_8_warps():
    tiles = cards.tiles_for((7, 5), "float16", 64, "forward")
    assert tiles == (32, 32, 8, 1)


def runs(card, dtype="float16", d=64):
    return {b.name for b in cards.sdpa_backends_expected(card, dtype, d)
            if b.runs}  # fmt: skip


EVERY = {
    "MATH",
    "FLASH_ATTENTION",
    "EFFICIENT_ATTENTION",
    "CUDNN_ATTENTION",
}


@pytest.mark.parametrize("name", CARDS)
def test_backends_expected_in_half_precision(name):
    card, _ = CARDS[name]
    old = {"MATH", "EFFICIENT_ATTENTION"}
    dtype = cards.best_dtype(card)
    assert runs(card, dtype) == (old if name in NO_BFLOAT16 else EVERY)


def test_backends_expected_in_other_formats_and_sizes():
    assert runs((9, 0), "float32") == {"MATH", "EFFICIENT_ATTENTION"}
    assert runs((7, 5), "bfloat16") == {"MATH"}
    assert runs((9, 0), d=132) == {"MATH", "FLASH_ATTENTION"}
    assert runs((9, 0), d=256) == EVERY - {"CUDNN_ATTENTION"}
    assert runs((9, 0), d=512) == {"MATH", "EFFICIENT_ATTENTION"}
    assert runs(None) == {"MATH", "FLASH_ATTENTION"}


def test_a_backend_that_should_not_run_says_why():
    for card, _ in [*CARDS.values(), (None, 0)]:
        for dtype in ("float16", "bfloat16", "float32"):
            for d in (64, 132, 512):
                for b in cards.sdpa_backends_expected(card, dtype, d):
                    assert bool(b.why) != b.runs


def test_the_cpu_backends_expected_are_those_that_run():
    import torch
    from torch.nn.attention import SDPBackend, sdpa_kernel
    from torch.nn.functional import scaled_dot_product_attention

    x = torch.ones(1, 1, 8, 64)
    for backend in cards.sdpa_backends_expected(None, "float32", 64):
        with sdpa_kernel(getattr(SDPBackend, backend.name)):
            if backend.runs:
                assert scaled_dot_product_attention(x, x, x).shape == x.shape
                continue
            with pytest.raises(RuntimeError):
                scaled_dot_product_attention(x, x, x)


@pytest.mark.parametrize("name", CARDS)
@pytest.mark.parametrize("naive", [False, True])
@pytest.mark.parametrize("backward", [False, True])
def test_the_largest_n_fits_half_of_free_memory(name, naive, backward):
    free = CARDS[name][1] * 10**9
    options = {"naive": naive, "backward": backward}
    n = cards.largest_n(free, **options)
    assert cards.needed_bytes(n, **options) <= free // 2
    assert cards.needed_bytes(n + 1, **options) > free // 2


def test_a_card_with_four_times_the_memory_takes_twice_the_length_naively():
    small, large = (cards.largest_n(g * 10**9, naive=True) for g in (20, 80))
    assert large / small == pytest.approx(2, rel=0.01)
    small, large = (cards.largest_n(g * 10**9) for g in (20, 80))
    assert large / small == pytest.approx(4, rel=0.01)


def test_without_memory_nothing_fits():
    assert cards.largest_n(0) == 0


@pytest.mark.parametrize(
    "ask, message",
    [
        (lambda: cards.tiles_for((9, 0), "int8", 64, "forward"), "got 'int8'"),
        (lambda: cards.tiles_for((9, 0), "float16", 64, "up"), "got 'up'"),
        (lambda: cards.sdpa_backends_expected((9, 0), "float8", 64), "float8"),
        (lambda: cards.needed_bytes(0), "n of at least 1, got 0"),
        (lambda: cards.largest_n(-1), "free of at least 0, got -1"),
    ],
)
def test_bad_input_is_named(ask, message):
    with pytest.raises(ValueError, match=message):
        ask()
