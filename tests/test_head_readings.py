"""What heads do: the sentences they read, and what is recorded of them."""

import itertools

import numpy as np
import pytest

from attn_course import data
from attn_course.experiments import head_links, head_readings, remedies
from attn_course.links import (
    RELATED,
    SENTENCES,
    SOUND,
    read_links,
    sentences,
)
from attn_course.reading import MEASURES


@pytest.fixture(scope="module")
def readings():
    return data.load_recording("head-readings")


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
            asked = (readings, name, measure, kind)
            score = head_readings.part(*asked)
            halves = head_readings.part(*asked, what="halves")
            assert score.shape == shape and halves.shape == (2, *shape)
            assert (score >= 0).all() and (score <= 1).all()
            assert (score <= halves.max(axis=0) + 1e-3).all()
            assert (score >= halves.min(axis=0) - 1e-3).all()


def test_one_head_leads_for_gender_and_for_number():
    """As the page says of MiniLM."""
    grids = head_links.STUDY.recording["grids"]["MiniLM"]
    leaders = {
        data.unpack_array(grids[name]).argmax()
        for name in ("pronouns", "agreement")
    }
    assert len(leaders) == 1


def test_the_related_pairs_are_of_every_model(readings):
    """The page takes the first for MiniLM and the last for SmolLM2."""
    first, *_, last = (row["model"] for row in readings["related"])
    assert (first, last) == ("MiniLM", "SmolLM2")


# Remedies


def test_every_word_but_special_tokens_is_blanked(minilm):
    moved = remedies.effects(minilm, "The dog is old.")
    known = ~np.isnan(moved[0])
    assert known.tolist() == [False, True, True, True, True, True, False]
    assert (moved[:, known] > 0).all()
