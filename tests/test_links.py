"""The lists are balanced, and the search for a head is fair."""

import collections
import itertools

import numpy as np
import pytest

from attn_course.links import (
    LISTS,
    Link,
    best_head,
    halves,
    looks,
    parse_link,
    read_links,
)

FAIR = [name for name in LISTS if name != "agreement-leaky"]


@pytest.mark.parametrize("name", LISTS)
def test_each_list_can_be_read(name):
    links = read_links(name)
    assert len(links) >= 40
    assert len(set(links)) == len(links)
    assert not any(set("=+") & set(link.text) for link in links)
    assert all(link.text.endswith(".") for link in links)


@pytest.mark.parametrize("name", FAIR)
def test_no_place_is_right_more_often_than_its_rival(name):
    """Whoever goes by places alone is right in half of each list."""
    places = collections.Counter()
    for link in read_links(name):
        pair = (link.right - link.query, link.rival - link.query)
        places[pair] += 1
        assert links_are_apart(link)
    for (right, rival), count in places.items():
        assert places[rival, right] == count, (right, rival)


def links_are_apart(link: Link) -> bool:
    return len({link.query, link.right, link.rival}) == 3


@pytest.mark.parametrize("name", LISTS)
def test_no_noun_is_right_more_often_than_wrong(name):
    """Nor does it help to prefer a word, within a group of sentences."""
    for _, group in itertools.groupby(read_links(name), lambda x: x.group):
        right, rival = collections.Counter(), collections.Counter()
        for link in group:
            words = link.text.rstrip(".").split()
            right[words[link.right].lower()] += 1
            rival[words[link.rival].lower()] += 1
        if name != "agreement-leaky":
            assert right == rival


def test_the_leaky_list_is_solved_by_a_liking_for_distances():
    """Balanced, yet 4 words before 1 word before 3 is always right."""
    links = read_links("agreement-leaky")
    liked = [4, 1, 3]
    assert all(
        liked.index(link.query - link.right)
        < liked.index(link.query - link.rival)
        for link in links
    )
    assert np.mean([link.nearest for link in links]) == 0.5
    assert np.mean([link.first for link in links]) == 0.5


def test_halves_share_no_group():
    links = read_links("roles")
    half = halves(links)
    groups = np.array([link.group for link in links])
    chosen, rest = set(groups[half]), set(groups[~half])
    assert not chosen & rest
    assert half.mean() == 0.5


@pytest.mark.parametrize(
    "line", ["No marks.", "=One +mark.", "=Too +many -of +them."]
)
def test_a_line_with_wrong_marks_is_refused(line):
    with pytest.raises(ValueError, match=r"expected one word each marked"):
        parse_link(line)


def test_an_unknown_list_is_refused():
    with pytest.raises(ValueError, match=r"expected one of .*'agreement'"):
        read_links("verbs")


def test_a_hyphen_and_a_minus_are_no_marks():
    link = parse_link("A well-known +cat = no -dog =saw 3 - 2 cats.")
    assert link.text == "A well-known cat = no dog saw 3 - 2 cats."
    assert (link.query, link.right, link.rival) == (8, 4, 7)


class Model:
    """A model whose maps are known: two heads, one word in two pieces."""

    def attentions(self, text):
        rng = np.random.default_rng(0)
        maps = rng.random((1, 2, 6, 6))
        return maps / maps.sum(-1, keepdims=True)

    def words(self, text):
        return [None, 0, 1, 1, 2, None]


@pytest.mark.parametrize(
    "query, right, rival, unread",
    [(0, 1, 2, -1), (2, 3, 1, 3), (4, 0, 1, 3)],
)
def test_looks_says_which_word_no_token_starts(query, right, rival, unread):
    """At the start of a text, and in a script without spaces."""
    link = Link("cat mat it", query=query, right=right, rival=rival)
    with pytest.raises(ValueError, match=rf"got none at \[{unread}\D"):
        looks(Model(), link)


def test_looks_joins_pieces_in_both_directions():
    link = Link("cat mat it", query=2, right=0, rival=1)
    seen = looks(Model(), link)
    maps = Model().attentions("")
    assert seen.shape == (2, 1, 2, 2, 2)
    np.testing.assert_allclose(seen[0, ..., 0, 0], maps[..., 4, 1])
    np.testing.assert_allclose(
        seen[0, ..., 0, 1], maps[..., 4, 2:4].sum(axis=-1)
    )
    np.testing.assert_allclose(
        seen[1, ..., 0, 1], maps[..., 2:4, 4].mean(axis=-1)
    )
    # The word before the one that asks is in two pieces.
    np.testing.assert_allclose(
        seen[0, ..., 1, 0], maps[..., 2:4, 1].mean(axis=-1)
    )


def made(n: int, *, heads: int, seed: int) -> np.ndarray:
    """Measurements without meaning: (n, 1, 1, heads, 2, 2)."""
    return np.random.default_rng(seed).random((n, 1, 1, heads, 2, 2))


def test_best_head_finds_the_one_that_knows_and_reports_the_other_half():
    seen = made(80, heads=20, seed=1)
    seen[:, 0, 0, 7, 0, 0] = 2.0  # always right
    seen[60:, 0, 0, 7, 0, 0] = -1.0  # but never in the last quarter
    best = best_head(seen, choose=np.arange(80) < 40)
    assert (best.direction, best.layer, best.head) == (0, 0, 7)
    assert best.chosen == 1.0
    assert best.held_out == 0.5
    assert best.control == pytest.approx(0.5, abs=0.25)
    assert best.right == pytest.approx(0.5)  # half 2, half −1


def test_among_equals_the_decided_head_is_taken():
    seen = np.zeros((4, 1, 1, 2, 2, 2))
    seen[:, 0, 0, :, 0, 0] = [0.1, 0.6]
    assert best_head(seen, choose=np.arange(4) < 2).head == 1


def test_a_tie_between_the_nouns_is_no_hit():
    seen = np.zeros((4, 1, 1, 1, 2, 2))
    best = best_head(seen, choose=np.arange(4) < 2)
    assert (best.chosen, best.held_out) == (0.0, 0.0)
