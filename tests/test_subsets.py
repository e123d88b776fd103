"""How many heads are needed: chosen on one half, measured on the other."""

import numpy as np

from attn_course import data
from attn_course.experiments import head_subsets
from attn_course.subsets import fewest_heads, held_out_best, held_out_ranked


def test_luck_does_not_count():
    """Noise that differs between the halves gains nothing."""
    rng = np.random.default_rng(0)
    halves = rng.normal(size=(2, 256))
    size = np.array([c.bit_count() for c in range(256)])
    inside = [halves[:, size == k].min(axis=1).mean() for k in range(9)]
    assert np.mean(inside[1:8]) < -1.5
    assert abs(held_out_best(halves)[1:8].mean()) < 0.5


def test_ranking_misses_heads_that_stand_in_for_each_other():
    """Heads 0 and 1 do the same, head 2 a little: one of 0, 1 is needed."""
    losses = np.array(
        [1 - 0.8 * bool(c & 3) - 0.1 * bool(c & 4) for c in range(8)]
    )
    halves = np.stack([losses, losses])
    np.testing.assert_allclose(held_out_best(halves)[1], 0.2)
    np.testing.assert_allclose(held_out_ranked(halves)[1], 0.9)


def test_the_ends_are_the_empty_and_the_whole_model():
    for r in data.load_recording("head-subsets")["records"]:
        halves = data.unpack_array(r["loss_halves"])[0, 1]
        for found in (held_out_best(halves), held_out_ranked(halves)):
            assert len(found) == 9
            np.testing.assert_allclose(
                found[[0, -1]], halves.mean(axis=0)[[0, -1]]
            )
        assert 1 <= fewest_heads(held_out_best(halves)) <= 8


def test_ranking_falls_short_only_where_few_heads_are_kept():
    """As the page tells: at one to three heads, not from four on."""
    page = data.load_recording("head-subsets"), "zero", "held-out answer"
    chosen, ranked = (
        head_subsets.of_seeds(*page, measured)
        for measured in (held_out_best, held_out_ranked)
    )
    lost = ranked - chosen  # (seeds, sizes)
    assert lost[:, 4:].max() < 0.05 < lost.max()
