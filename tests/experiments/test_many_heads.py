"""Chapter 6: the smaller studies could come out otherwise."""

import numpy as np
import pytest

from attn_course.experiments import (
    article_heads,
    head_counts,
    head_inputs,
    split_heads,
)
from attn_course.pronouns.weights import SmallTransformer


def test_only_the_right_split_gives_the_layer():
    found = split_heads.by_hand()
    assert found["difference"] < 1e-6
    assert found["summed"] < 1e-6
    assert found["reshaped"] > found["largest"] / 2


def read_by(monkeypatch, weight):
    tensors = {"layers.0.query.weight": np.asarray(weight, dtype=float)}
    model = SmallTransformer(tensors, words=(), classes={}, heads=2)
    monkeypatch.setattr(head_inputs, "load_reader", lambda: model)
    return head_inputs.drawn_on()


def test_heads_that_read_their_slice_are_told_from_those_that_read_all(
    monkeypatch,
):
    apart = read_by(monkeypatch, np.eye(4))
    assert apart["own"] == [[1, 1]]
    assert apart["used"] == [[2, 2]]
    alike = read_by(monkeypatch, np.ones((4, 4)))
    assert alike["own"] == [[0.5, 0.5]]
    assert alike["used"] == [[4, 4]]


def test_models_are_counted_by_year_and_heads():
    def model(year, heads, kv_heads):
        return {"year": year, "heads": heads, "kv_heads": kv_heads}

    models = [model(2017, 8, 8), model(2020, 13, 13), model(2021, 12, 4)]
    found = head_counts.numbers({"models": models})
    assert (found["older"], found["older_count"]) == (2, 1)
    assert (found["newer"], found["newer_count"]) == (1, 1)
    assert (found["median"], found["grouped"]) == (12, 1)


@pytest.mark.parametrize(
    "best, found, told",
    [
        ([[0, 2], [0, 2]], True, "found: 0.90, L1H3"),
        ([[0, 2], [4, 0]], False, "no: 0.90, L1H3 or L5H1"),
    ],
)
def test_each_fold_names_its_head(best, found, told):
    result = {"score": 0.9, "found": found, "best": best}
    assert article_heads._verdict(result) == told


def test_the_browser_shows_links_and_brackets_beside_positions():
    shown = article_heads.shown()
    encoder, causal, random = shown.values()
    for model, heads in ((encoder, (6, 12)), (causal, (30, 9))):
        for name in ("pronoun’s noun", "verb’s subject", "previous word"):
            assert np.shape(model["measures"][name]["score"]) == heads
    assert causal["measures"]["bracket to close"]["labelled"].sum() == 1
    assert not article_heads._labels(random).any()
