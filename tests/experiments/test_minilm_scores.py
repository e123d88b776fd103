"""The recorded scores of MiniLM, beside the model's own weights."""

import json

import numpy as np
import pytest

from attn_course import data
from attn_course.data import store
from attn_course.experiments import minilm_scores
from attn_course.interpret.real_heads import recorded_weights

NAMES = list(minilm_scores.SENTENCES)


@pytest.mark.parametrize("name", NAMES)
def test_recorded_weights_are_the_models_own(name, minilm):
    recording = data.load_recording(name)
    weights = recorded_weights(recording)
    error = np.abs(weights - minilm.attentions(recording["text"])).max()
    assert recording["max_weight_error"] < 0.001
    # float32 sums differ a little between machines.
    assert error <= recording["max_weight_error"] + 1e-5


@pytest.mark.parametrize("name", NAMES)
def test_a_recording_is_small_and_complete(name):
    path = store.Path(store.__file__).parent / "recordings" / f"{name}.json"
    assert path.stat().st_size < 100_000
    recording = json.loads(path.read_text("utf-8"))
    n = len(recording["tokens"])
    assert recording["scores"]["shape"] == [6, 12, n, n]
    assert len(recording["words"]) == n
    assert recording["special"] == [0, n - 1]
    assert [w is None for w in recording["words"]] == [
        place in recording["special"] for place in range(n)
    ]
    assert recording["source"]["licence"] == "Apache-2.0"
    assert "rounded" in recording["rounding"]
    assert recording["recorded"]["command"].endswith(name)


def test_the_pronoun_and_the_cat():
    recording = data.load_recording("minilm-cat")
    tokens = recording["tokens"]
    it, cat = tokens.index("it"), tokens.index("cat")
    weight = recorded_weights(recording)[5, 11, it, cat]
    assert weight == pytest.approx(0.71, abs=0.01)
    # What the page of chapter 3 opens on, and the head that it names next.
    found = minilm_scores.two_heads(recording)
    assert (found["best_layer"], found["best_head"]) == (6, 12)
    assert (found["other_layer"], found["other_head"]) == (4, 2)


def test_pieces_are_split_and_contractions_joined():
    pieces = data.load_recording("minilm-pieces")
    for token, before, word in zip(
        pieces["tokens"][1:],
        pieces["words"],
        pieces["words"][1:],
        strict=False,
    ):
        assert (word == before) == token.startswith("##")
    assert sum(t.startswith("##") for t in pieces["tokens"]) >= 5
    animal = data.load_recording("minilm-animal")
    start = animal["tokens"].index("didn")
    assert animal["tokens"][start : start + 3] == ["didn", "'", "t"]
    assert len(set(animal["words"][start : start + 3])) == 1
