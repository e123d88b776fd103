"""Alignment error rate, and links out of weights."""

import numpy as np
import pytest

from attn_course.interpret import alignment
from attn_course.interpret.alignment import alignment_error_rate


def test_a_perfect_alignment_has_no_error():
    sure, possible = {(0, 0), (1, 2)}, {(0, 0), (1, 2), (2, 1)}
    assert alignment_error_rate(sure, sure, possible) == 0
    # What is only possible may be found or not.
    assert alignment_error_rate(possible, sure, possible) == 0


def test_nothing_right_is_an_error_of_one():
    assert alignment_error_rate({(0, 1)}, {(0, 0)}, {(0, 0)}) == 1
    assert alignment_error_rate(set(), {(0, 0)}, {(0, 0)}) == 1


def test_the_example_by_hand():
    found = {(0, 0), (1, 1), (2, 1), (3, 0)}
    sure = {(0, 0), (3, 2)}
    possible = sure | {(2, 1)}
    # |A ∩ S| = 1, |A ∩ P| = 2, |A| = 4, |S| = 2.
    assert alignment_error_rate(found, sure, possible) == 1 - 3 / 6


def test_without_sure_only_links_it_is_one_minus_f1():
    gold, found = {(0, 0), (1, 1), (2, 2)}, {(0, 0), (1, 2)}
    precision, recall = 1 / 2, 1 / 3
    f1 = 2 * precision * recall / (precision + recall)
    assert alignment_error_rate(found, gold, gold) == pytest.approx(1 - f1)


def test_gold_that_contradicts_itself():
    with pytest.raises(ValueError, match=r"possible too, got \(0, 0\)"):
        alignment_error_rate({(0, 0)}, {(0, 0)}, set())
    with pytest.raises(ValueError, match="none found and none sure"):
        alignment_error_rate(set(), set(), {(0, 0)})


def test_strongest_links():
    weights = np.array([[0.2, 0.5, 0.3], [0.6, 0.4, 0.0]])
    assert alignment.strongest_links(weights) == {(0, 1), (1, 0)}


@pytest.mark.parametrize("n_out, n_in", [(1, 1), (3, 5), (7, 4), (40, 40)])
def test_baselines_link_each_word_once_and_within_bounds(n_out, n_in):
    for baseline in (alignment.diagonal_links, alignment.same_place_links):
        links = baseline(n_out, n_in)
        assert sorted(i for i, _ in links) == list(range(n_out))
        assert all(0 <= j < n_in for _, j in links)
        places = [j for _, j in sorted(links)]
        assert places == sorted(places)


def test_the_diagonal_of_a_square_is_the_same_place():
    assert alignment.diagonal_links(6, 6) == {(i, i) for i in range(6)}
    assert alignment.same_place_links(6, 6) == {(i, i) for i in range(6)}
