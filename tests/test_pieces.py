"""From word pieces to words; the widgets do the same."""

import numpy as np
import pytest
import shared_vectors

from attn_course.pieces import join_pieces, merge_pieces, word_of_each

TOKENS = ["[CLS]", "un", "##hap", "##py", "isn", "'", "t", ".", "[SEP]"]
WORDS = [None, 0, 0, 0, 1, 1, 1, 2, None]


def maps(*lead, n=9, seed=0):
    rows = np.random.default_rng(seed).random((*lead, n, n))
    return rows / rows.sum(axis=-1, keepdims=True)


def test_pieces_are_joined_to_words():
    joined = ["[CLS]", "unhappy", "isn't", ".", "[SEP]"]
    assert join_pieces(TOKENS, WORDS) == joined


def test_only_neighbours_of_one_word_are_joined():
    assert join_pieces(["a", "b", "c"], [0, None, 0]) == ["a", "b", "c"]
    assert join_pieces(["[A]", "[B]"], [None, None]) == ["[A]", "[B]"]
    assert join_pieces([], []) == []


def test_merging_sums_over_keys_and_averages_over_queries():
    weights = maps(2, 3)
    merged = merge_pieces(weights, WORDS)
    groups = [[0], [1, 2, 3], [4, 5, 6], [7], [8]]
    assert merged.shape == (2, 3, 5, 5)
    for row, queries in enumerate(groups):
        for column, keys in enumerate(groups):
            total = sum(weights[..., i, j] for i in queries for j in keys)
            np.testing.assert_allclose(
                merged[..., row, column], total / len(queries)
            )
    np.testing.assert_allclose(merged.sum(axis=-1), 1.0)


def test_words_of_one_piece_stay_as_they_are():
    weights = maps(n=4)
    np.testing.assert_array_equal(
        merge_pieces(weights, [0, 1, 2, None]), weights
    )


def test_the_widgets_merge_alike():
    [case] = [
        case
        for case in shared_vectors.load("heatmap")["cases"]
        if case["name"] == "joined"
    ]
    words = case["source"]["query_words"]
    assert words == case["source"]["key_words"]
    np.testing.assert_allclose(
        merge_pieces(case["weights"], words),
        case["picture"]["weights"],
        atol=1e-6,
    )
    groups = [
        "".join(case["source"]["query_tokens"][i] for i in members)
        for members in case["picture"]["rows"]
    ]
    assert join_pieces(case["source"]["query_tokens"], words) == groups


@pytest.mark.parametrize(
    "shape, message",
    [((3, 9), "9 rows of weights.*got 3"), ((9, 8), "9 columns.*got 8")],
)
def test_weights_that_do_not_fit_the_words(shape, message):
    with pytest.raises(ValueError, match=message):
        merge_pieces(np.ones(shape), WORDS)


def test_tokens_that_do_not_fit_the_words():
    with pytest.raises(ValueError, match=r"expected 9 tokens.*got 2"):
        join_pieces(TOKENS[:2], WORDS)


def test_the_word_of_each_place():
    text = "Don’t go-go!"
    assert word_of_each([0, 3, 4, 6, 8, 9, 11], text) == [0, 0, 0, 1, 2, 3, 4]
