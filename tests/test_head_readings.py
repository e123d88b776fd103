"""The recordings of what heads do, and small slices of them again."""

import itertools

import numpy as np
import pytest

from attn_course import data
from attn_course.experiments import head_readings, remedies
from attn_course.interpret.real_heads import (
    UNTRAINED,
    norms,
    output_matrices,
)
from attn_course.interpret.statistics import rank_correlation
from attn_course.links import (
    RELATED,
    SENTENCES,
    SOUND,
    looks,
    read_links,
    sentences,
)
from attn_course.reading import MEASURES, read_heads


@pytest.fixture(scope="module")
def readings():
    return data.load_recording("head-readings")


@pytest.fixture(scope="module")
def blanks():
    return data.load_recording("blanks")


def part(readings, model, kind, measure, what="score"):
    return data.unpack_array(readings["models"][model][kind][measure][what])


# Sentences


def test_fifty_sentences_from_every_sound_list(readings):
    texts = sentences()
    assert texts == readings["sentences"]
    assert len(set(texts)) == SENTENCES == 50
    for name in SOUND:
        known = {link.text for link in read_links(name)}
        assert sum(text in known for text in texts) >= 8


def test_the_list_of_related_words_is_balanced():
    links = read_links(RELATED)
    assert len(links) == 80
    places = {(link.query, link.right, link.rival) for link in links}
    assert len(places) == 2
    for _, group in itertools.groupby(links, lambda link: link.group):
        rows = [
            (words[link.query], words[link.right], link.first)
            for link in group
            for words in [link.text.rstrip(".").split()]
        ]
        asks, nouns, first = zip(*rows, strict=True)
        assert len(set(rows)) == 4
        # Each noun is right twice, in either place, for one word each.
        assert [nouns.count(noun) for noun in sorted(set(nouns))] == [2, 2]
        assert len(set(zip(asks, nouns, strict=True))) == 2
        assert sum(first) == 2


# Readings


def test_every_model_and_measure_is_there(readings):
    assert readings["measures"] == list(MEASURES)
    for name, model in readings["models"].items():
        shape = (model["layers"], model["heads"])
        absent = {m for m in MEASURES if model["weights"][m] is None}
        expected = {"next", "separator", "punctuation"}
        assert absent == (expected if name == "SmolLM2" else set())
        for kind, measure in itertools.product(("weights", "norms"), MEASURES):
            if measure in absent:
                continue
            score = part(readings, name, kind, measure)
            halves = part(readings, name, kind, measure, "halves")
            assert score.shape == shape and halves.shape == (2, *shape)
            assert (score >= 0).all() and (score <= 1).all()
            assert (score <= halves.max(axis=0) + 1e-3).all()
            assert (score >= halves.min(axis=0) - 1e-3).all()


def test_a_slice_of_minilm_gives_the_same(minilm, readings):
    """One half of the sentences again."""
    texts = readings["sentences"]
    again = head_readings.summary(minilm, texts[::2])
    halves = part(readings, "MiniLM", "weights", "previous", "halves")
    score = data.unpack_array(again["weights"]["previous"]["score"])
    np.testing.assert_allclose(score, halves[0], atol=1e-3)
    halves = part(readings, "MiniLM", "norms", "first", "halves")
    score = data.unpack_array(again["norms"]["first"]["score"])
    np.testing.assert_allclose(score, halves[0], atol=2e-3)


def test_a_slice_of_smollm2_stays_near(smollm2, readings):
    texts = readings["sentences"][:3]
    scores = [
        read_heads(
            smollm2.attentions(text), smollm2.tokens(text), causal=True
        )["first"].score
        for text in texts
    ]
    recorded = part(readings, "SmolLM2", "weights", "first")
    assert np.corrcoef(np.mean(scores, axis=0).ravel(), recorded.ravel())[
        0, 1
    ] == pytest.approx(1, abs=0.05)


def test_random_weights_again(minilm, readings):
    blank = minilm.untrained(seed=1)
    again = head_readings.summary(blank, readings["sentences"][::2])
    recorded = part(
        readings, f"{UNTRAINED}, seed 1", "weights", "same", "halves"
    )
    score = data.unpack_array(again["weights"]["same"]["score"])
    np.testing.assert_allclose(score, recorded[0], atol=2e-3)


def test_the_related_noun_again(minilm, readings):
    [row] = [r for r in readings["related"] if r["model"] == "MiniLM"]
    right = data.unpack_array(row["right"])
    links = read_links(RELATED)[:8]
    seen = np.stack([looks(minilm, link) for link in links])
    share = (seen[..., 0, 0] > seen[..., 0, 1]).mean(axis=0)
    best = [(f["direction"], f["layer"], f["head"]) for f in row["folds"]]
    for place in best:
        assert share[place] > 0.5 and right[place] > 0.8


# Remedies


def test_the_value_norms_again(minilm):
    recorded = data.load_recording("minilm-norms")
    assert recorded["tokens"] == minilm.tokens(remedies.CAT)
    again = norms(minilm, remedies.CAT, output_matrices(minilm))
    then = data.unpack_array(recorded["norms"])
    np.testing.assert_allclose(then, again, atol=remedies.STEP)


def test_blanking_two_sentences_again(minilm, blanks):
    texts = blanks["sentences"][:2]
    again = remedies.agreement(minilm, texts)
    recorded = blanks["results"]["MiniLM"]
    assert list(again) == list(recorded)
    for name, values in again.items():
        np.testing.assert_allclose(values, recorded[name][:2], atol=0.05)


def test_every_word_but_special_tokens_is_blanked(minilm):
    moved = remedies.effects(minilm, "The dog is old.")
    known = ~np.isnan(moved[0])
    assert known.tolist() == [False, True, True, True, True, True, False]
    assert (moved[:, known] > 0).all()


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
