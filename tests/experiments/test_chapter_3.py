"""Studies of chapter 3: random scores, "it" and its nouns, similar days."""

import numpy as np
import pytest

from attn_course.data import load_series
from attn_course.experiments import it_and_nouns, random_scores, similar_days

# Random scores


def test_the_variance_of_q_k_follows_from_mean_and_d():
    for r in random_scores.STUDY.recording["records"]:
        theory = r["d"] * (1 + 2 * r["mean"] ** 2)
        assert r["variance"] == pytest.approx(theory, rel=0.15)


def test_a_largest_weight_is_at_least_an_equal_share():
    for r in random_scores.STUDY.recording["records"]:
        for name in ("largest_scaled", "largest_unscaled"):
            assert 1 / 32 < r[name] <= 1


# "It" and its nouns


def test_each_group_crosses_order_and_meaning():
    found = it_and_nouns.sentences()
    assert len({text for text, *_ in found}) == len(found) == 64
    for start in range(0, len(found), 4):
        group = found[start : start + 4]
        assert sorted(its for _, its, _ in group) == [1, 1, 5, 5]
        words = [text.strip(".").split() for text, *_ in group]
        assert len({frozenset(some[:9]) for some in words}) == 1
        nouns = [
            some[its] for some, (_, its, _) in zip(words, group, strict=True)
        ]
        endings = [some[-1] for some in words]
        # The last word says which noun, whatever the order.
        assert (
            len(set(zip(nouns, endings, strict=True))) == len(set(nouns)) == 2
        )
        for some in words:
            assert [some[i] for i in (6, 7)] == ["because", "it"]


def test_what_ignores_meaning_is_right_in_half_of_each_group():
    found = it_and_nouns.sentences()
    first = np.array([its < other for _, its, other in found])
    animals = {group[0] for group in it_and_nouns.GROUPS}
    animal = np.array([text.split()[its] in animals for text, its, _ in found])
    for rule in (first, animal):
        assert (rule.reshape(-1, 4).sum(axis=1) == 2).all()


def test_a_model_is_measured_as_its_scores_say():
    """A stand-in whose heads look at the first noun, and at nothing."""

    class Model:
        def words(self, text):
            return [None, *range(len(text.split()) + 1), None]

        def queries_keys(self, text):
            n = len(self.words(text))
            query, key = np.ones((1, 2, n, 1)), np.zeros((1, 2, n, 1))
            key[0, 0, 1 + it_and_nouns.FIRST] = 3.0
            return query, key

        def attentions(self, text):
            query, key = self.queries_keys(text)
            exps = np.exp(query @ key.swapaxes(-1, -2))
            return exps / exps.sum(axis=-1, keepdims=True)

    found = it_and_nouns.measure(Model())
    for question in ("above_both", "right"):
        assert found[question]["it"] == [[0.5, 0.0]]
        assert found[question]["because"] == [[0.5, 0.0]]
        for fold in found[question]["folds"]:
            assert (fold["layer"], fold["head"]) == (1, 1)
            assert fold["held_out"] == 0.5
    assert found["right"]["folds"][0]["held_out_p"] == 1.0
    shares = found["mean_weight"]
    assert shares["its noun"] == pytest.approx(shares["other noun"])


# Similar days


def test_the_exact_match_is_the_mean_of_the_same_date():
    series = load_series()
    day, year, y = series.day, series.year, series.temperature
    errors = [
        y[(day == d) & (year != own)].mean() - now
        for d, own, now in zip(day, year, y, strict=True)
        if d <= 365  # the last day of a leap year has no other
    ]
    recorded = similar_days.STUDY.recording["exact_error"]
    rmse = np.sqrt(np.mean(np.square(errors)))
    assert recorded == pytest.approx(rmse, abs=0.02)


def test_kernel_and_attention_are_tested_on_the_same_days():
    recording = similar_days.LEARNED.recording
    series = load_series()
    old = series.year < 2014
    y = series.temperature
    flat = np.sqrt(np.mean((y[old].mean() - y[~old]) ** 2))
    assert recording["mean_error"] == pytest.approx(flat, abs=1e-3)
    numbers = similar_days.LEARNED.numbers()["3.library"]
    for error in (*numbers["learned_error"], numbers["kernel_error"]):
        assert error < 0.6 * numbers["flat_error"]
