"""Laws of the statistics: chance looks like chance, and an effect is found."""

import numpy as np
import pytest

from attn_course.interpret.statistics import (
    bootstrap_interval,
    choose_and_test,
    null_of_best,
    null_of_share,
    over_seeds,
    p_value,
    permutation_null,
    rank_correlation,
)


def noise(seed, *shape):
    """Draw answers that are right by chance."""
    return np.random.default_rng(seed).random(shape) < 0.5


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ([1, 2, 3], [10, 20, 21], 1),
        ([1, 2, 3], [3, 2, 1], -1),
        ([1, 1, 1], [1, 2, 3], 0),
        ([1, 2, 2, 3], [1, 2, 3, 4], 0.9486833),
    ],
)
def test_rank_correlation(a, b, expected):
    found = rank_correlation(np.array(a), np.array(b))
    assert found == pytest.approx(expected)


# Nulls


def below(ps, level):
    return np.mean(np.array(ps) <= level)


@pytest.mark.parametrize("level", [0.05, 0.2, 0.5])
def test_without_an_effect_p_falls_below_a_level_that_often(level):
    """For numbers without ties p is uniform."""
    rng = np.random.default_rng(0)
    ps = []
    for seed in range(300):
        x, y = rng.random((2, 30))
        null = permutation_null(
            lambda order, x=x, y=y: rank_correlation(x, y[order]),
            range(30),
            draws=79,
            seed=seed,
        )
        ps.append(p_value(rank_correlation(x, y), null))
    assert below(ps, level) == pytest.approx(level, abs=0.08)


@pytest.mark.parametrize("level", [0.05, 0.2, 0.5])
def test_the_best_of_pure_noise_is_not_called_significant(level):
    ps = [
        p_value(
            right.mean(axis=0).max(),
            null_of_best(right, draws=199, seed=seed),
            sides=1,
        )
        for seed in range(200)
        for right in [noise(seed, 60, 40)]
    ]
    assert below(ps, level) <= level + 0.06


def test_the_null_of_one_candidate_is_too_easy_for_the_best():
    ps = []
    for seed in range(50):
        right = noise(seed, 60, 40)
        share = right.mean(axis=0)
        alone = null_of_share(right[:, share.argmax()], draws=199, seed=seed)
        ps.append(p_value(share.max(), alone, sides=1))
    assert below(ps, 0.05) > 0.5


def test_rows_that_move_together_are_not_counted_as_cases():
    """Ten sentences, eight variants each, right in all of them or in none."""
    said = {"rows": [], "groups": []}
    groups = np.repeat(np.arange(10), 8)
    for seed in range(200):
        right = noise(seed, 10)[groups]
        for kind, given in (("rows", None), ("groups", groups)):
            null = null_of_share(right, draws=199, seed=seed, groups=given)
            said[kind].append(p_value(right.mean(), null))
    assert below(said["rows"], 0.05) > 0.3
    assert below(said["groups"], 0.05) <= 0.08


def test_luck_grows_with_candidates_and_shrinks_with_rows():
    def typical(n, candidates):
        right = noise(2, n, candidates)
        return np.median(null_of_best(right, draws=400, seed=3))

    assert 0.4 < typical(64, 1) < 0.6
    assert typical(64, 1) < typical(64, 72) < typical(16, 72)


def test_one_candidate_has_the_null_of_fair_coins():
    """A binomial; its spread is √n / 2 hits."""
    null = null_of_share(noise(4, 100), draws=4000, seed=5)
    assert null.mean() == pytest.approx(0.5, abs=0.005)
    assert null.std() == pytest.approx(0.05, rel=0.05)


def test_a_null_keeps_the_axes_of_its_candidates_and_its_seed():
    right = noise(0, 12, 2, 3)
    null = null_of_share(right, draws=7, seed=1)
    assert null.shape == (7, 2, 3)
    best = null_of_best(right, draws=7, seed=1)
    np.testing.assert_array_equal(best, null.max(axis=(1, 2)))
    assert not np.array_equal(best, null_of_best(right, draws=7, seed=2))


def test_whole_groups_change_places():
    groups = np.repeat(list("abcd"), 3)
    seen = []

    def statistic(order):
        assert sorted(order) == list(range(12))
        # The rows of a group stay together, and in their order.
        blocks = order.reshape(4, 3)
        assert (blocks % 3 == [0, 1, 2]).all()
        assert (blocks // 3 == blocks[:, :1] // 3).all()
        seen.append(tuple(blocks[:, 0] // 3))
        return 0.0

    permutation_null(statistic, groups, draws=50, seed=0)
    assert len(set(seen)) > 15
    with pytest.raises(ValueError, match=r"of one size, got sizes \[1, 2\]"):
        permutation_null(statistic, "aab", draws=1, seed=0)


def test_p_is_symmetric_and_never_zero():
    null = np.random.default_rng(0).normal(size=999)
    assert p_value(9.0, null) == p_value(-9.0, null) == 2 / 1000
    assert p_value(9.0, null, sides=1) == 1 / 1000
    assert p_value(-9.0, null, sides=1) == 1.0
    assert p_value(0.0, null) > 0.9


# Halves


def test_a_planted_effect_is_found_and_holds_on_the_other_half():
    right = noise(1, 80, 3, 20)
    right[np.random.default_rng(2).random(80) < 0.8, 1, 7] = True
    half = np.arange(80) < 40
    found = choose_and_test(right, half, draws=999, seed=0)
    assert found.best == (1, 7)
    assert found.chosen_p < 0.01 and found.held_out_p < 0.01


def test_what_is_chosen_from_noise_falls_back_on_the_other_half():
    found = [
        choose_and_test(
            noise(seed, 80, 60), np.arange(80) < 40, draws=199, seed=seed
        )
        for seed in range(100)
    ]
    assert np.mean([one.chosen for one in found]) > 0.65
    assert np.mean([one.held_out for one in found]) == pytest.approx(
        0.5, abs=0.03
    )
    assert below([one.chosen_p for one in found], 0.05) <= 0.12
    assert below([one.held_out_p for one in found], 0.05) <= 0.12


def test_a_group_in_both_halves_is_refused():
    with pytest.raises(ValueError, match=r"got \['b'\] in both"):
        choose_and_test(
            noise(0, 4, 2), np.arange(4) < 2, draws=9, seed=0, groups="abbc"
        )


# Spread


def test_an_interval_holds_the_truth_as_often_as_it_says():
    rng = np.random.default_rng(0)
    held = 0
    for seed in range(300):
        low, high = bootstrap_interval(
            rng.normal(2.0, 1.0, 40), draws=300, seed=seed
        )
        held += low <= 2.0 <= high
    assert held / 300 == pytest.approx(0.95, abs=0.04)


def test_an_interval_of_groups_is_that_of_their_number():
    values = np.random.default_rng(0).normal(size=10)
    groups = np.repeat(np.arange(10), 5)
    alone = bootstrap_interval(values, draws=500, seed=0)
    together = bootstrap_interval(
        np.stack([values[groups], 2 * values[groups]]),
        draws=500, seed=0, groups=groups,
    )  # fmt: skip
    np.testing.assert_allclose(together, [[x, 2 * x] for x in alone])


def test_over_seeds():
    assert over_seeds([1, 4, 1])._asdict() == {"mean": 2, "min": 1, "max": 4}
