"""Lines of code that only nesting decides, and what heads do in them."""

import collections
import itertools

import numpy as np
import pytest

from attn_course import data
from attn_course.brackets import (
    PAIRS,
    SHAPES,
    code_lines,
    line_words,
    looks_at_openers,
    mixed_lines,
    openers,
)
from attn_course.experiments import code_brackets as experiment
from attn_course.links import Link, halves


def test_each_bracket_finds_its_opener():
    assert openers(list("([]())")) == {2: 1, 4: 3, 5: 0}


@pytest.mark.parametrize("text", ["(]", ")", "(", "([)]"])
def test_brackets_that_do_not_match_are_refused(text):
    with pytest.raises(ValueError, match="expected"):
        openers(list(text))


def test_the_last_bracket_closes_the_right_one():
    lines = code_lines()
    assert len({line.text for line in lines}) == len(lines) == 80
    for line in lines:
        words = line_words(line.text)
        assert line.query == len(words) - 1
        assert openers(words)[line.query] == line.right
        kind = words[line.right]
        assert kind == words[line.rival] and line.right != line.rival
        assert PAIRS[kind] == words[line.query]
        # The rival is what a liking for the first or the nearest takes.
        same = [i for i, word in enumerate(words[:-1]) if word == kind]
        ends = {same[0], same[-1]}
        assert {line.right, line.rival} == ends


def test_neither_the_nearest_nor_a_word_is_right_more_often():
    for _, group in itertools.groupby(code_lines(), lambda line: line.group):
        group = list(group)
        assert len(group) == 4
        assert sum(line.nearest for line in group) == 2
        right, rival = collections.Counter(), collections.Counter()
        for line in group:
            words = line_words(line.text)
            right[words[line.right - 1]] += 1
            rival[words[line.rival - 1]] += 1
        assert right == rival


def test_both_halves_hold_every_shape_and_kind():
    lines = code_lines()
    for side in (True, False):
        held = [
            line
            for line, half in zip(lines, halves(lines), strict=True)
            if half == side
        ]
        kinds = collections.Counter(line.text[-1] for line in held)
        assert kinds == {")": 20, "]": 20}
        assert len({line.group // 4 for line in held}) == len(SHAPES)


def test_the_kind_that_is_missing_is_balanced():
    texts = mixed_lines()
    assert len(set(texts)) == len(texts) == 48
    missing = [experiment._closer(text) for text in texts]
    assert collections.Counter(missing) == {")": 24, "]": 24}
    # The kind that was opened first, or last, is right in half of them.
    for place in (0, -1):
        opened = [
            PAIRS[[sign for sign in text if sign in PAIRS][place]]
            for text in texts
        ]
        assert np.mean(np.array(opened) == np.array(missing)) == 0.5


def test_both_lines_of_a_pair_have_the_same_tokens_and_places(smollm2):
    """Counted in tokens, as the model reads them; each sign is one."""
    lines = code_lines()
    for pair in zip(lines[::2], lines[1::2], strict=True):
        tokens, places = [], []
        for line in pair:
            words = smollm2.words(line.text)
            both = sorted(words.index(i) for i in (line.right, line.rival))
            places.append([*both, words.index(line.query), len(words)])
            tokens.append(sorted(smollm2.tokens(line.text)))
        assert places[0] == places[1]
        assert tokens[0] == tokens[1]


def test_no_bracket_is_joined_with_its_neighbour(smollm2):
    for text in [line.text for line in code_lines()] + mixed_lines():
        marks = [t for t in smollm2.tokens(text) if set(t) & set("()[]")]
        assert all(len(mark) == 1 for mark in marks)


def test_a_joined_bracket_is_refused(smollm2):
    joined = Link("f(g(a))", query=6, right=1, rival=3)
    with pytest.raises(ValueError, match=r"as a token of its own in 'f\(g"):
        looks_at_openers(smollm2, joined)


# The recording


@pytest.fixture(scope="module")
def recording():
    return data.load_recording("code-brackets")


def test_the_grids_are_those_of_the_results(recording):
    right = data.unpack_array(recording["right"])
    weights = data.unpack_array(recording["weights"])
    assert right.shape == (3, 30, 9) and weights.shape == (3, 30, 9, 2)
    for number, row in enumerate(recording["results"][:2]):
        for fold in row["folds"]:
            share = right[number, fold["layer"], fold["head"]]
            both = (fold["chosen"] + fold["held_out"]) / 2
            assert share == pytest.approx(both, abs=2e-3)
            by_shape = np.mean(list(fold["by_shape"].values()))
            assert by_shape == pytest.approx(fold["held_out"])


# The search


@pytest.fixture
def seen():
    """Weights of both brackets, from three askers, in 2 layers of 3 heads."""
    rng = np.random.default_rng(0)
    return rng.uniform(0, 0.2, size=(len(code_lines()), 3, 2, 3, 2))


def test_a_head_that_finds_the_bracket_is_found(seen):
    seen[:, 1, 1, 2] = [0.6, 0.1]
    _, ahead = experiment.best_heads(seen)
    assert ahead["labelled"] == 1
    for fold in ahead["folds"]:
        assert (fold["layer"], fold["head"]) == (1, 2)
        assert fold["held_out"] == fold["whole_groups"] == 1
        assert set(fold["by_shape"].values()) == {1}


def test_where_there_is_none_the_best_is_no_better_than_luck(seen):
    for row in experiment.best_heads(seen):
        assert row["labelled"] == 0
        held_out = np.mean([fold["held_out"] for fold in row["folds"]])
        assert held_out < row["luck_95"]
