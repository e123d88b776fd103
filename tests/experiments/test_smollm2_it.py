"""SmolLM2 reads "it" before the word that decides: the recordings."""

import json

import numpy as np
import pytest

from attn_course import data
from attn_course.data import store
from attn_course.experiments import smollm2_it

NAMES = list(smollm2_it.SENTENCES)


@pytest.fixture(scope="module", params=NAMES)
def recording(request):
    return data.load_recording(request.param)


def weights_of(recording):
    return data.unpack_array(recording["weights"])  # (L, H, n, n)


@pytest.mark.parametrize("name", NAMES)
def test_measuring_again_gives_the_same(name, smollm2):
    recorded = data.load_recording(name)
    # What other versions and machines say alike.
    again = smollm2_it.measure(smollm2, recorded["text"])
    again = json.loads(json.dumps(again))
    for key in ("text", "other_text", "tokens", "words", "special", "about"):
        assert again[key] == recorded[key]
    moved = np.abs(weights_of(again) - weights_of(recorded))
    assert moved.max() <= 1.5 / smollm2_it.PARTS
    np.testing.assert_allclose(
        again["largest_change_by_row"],
        recorded["largest_change_by_row"],
        atol=1e-4,
    )
    assert again["heads_of_it_on_first"] == pytest.approx(
        recorded["heads_of_it_on_first"], abs=1
    )


def test_recorded_weights_are_the_models_own(recording, smollm2):
    weights = smollm2.attentions(recording["text"])
    error = np.abs(weights_of(recording) - weights).max()
    # float32 sums differ a little between machines.
    assert error <= recording["max_weight_error"] + 1e-4
    assert recording["max_weight_error"] < 1 / smollm2_it.PARTS


def test_every_row_sums_to_1_and_nothing_is_seen_ahead(recording):
    weights = weights_of(recording)
    assert weights.shape == (30, 9, 13, 13)
    assert (weights.sum(axis=-1) == 1).all()
    assert (np.triu(weights, 1) == 0).all()


def test_only_the_rows_from_the_deciding_word_on_differ(recording):
    change = recording["largest_change_by_row"]
    decides = recording["tokens"].index(recording["text"].split()[-1][:-1])
    assert decides == recording["tokens"].index("it") + 3
    assert max(change[:decides]) < 1e-6
    assert min(change[decides:]) > 0.1


def test_the_count_of_first_tokens_can_be_read_from_the_weights(recording):
    row = weights_of(recording)[:, :, recording["tokens"].index("it")]
    count = int((row.argmax(axis=-1) == 0).sum())
    # Rounding can turn a tie.
    assert count == pytest.approx(recording["heads_of_it_on_first"], abs=2)


@pytest.mark.parametrize("name", NAMES)
def test_a_recording_is_small_and_says_that_it_is_of_4_bits(name):
    path = store.Path(store.__file__).parent / "recordings" / f"{name}.json"
    assert path.stat().st_size < 130_000
    recording = data.load_recording(name)
    assert "4 bits" in recording["rounding"]
    assert recording["source"]["licence"] == "Apache-2.0"
    assert recording["recorded"]["command"].endswith(name)


@pytest.mark.parametrize("parts", [1, 7, 512])
def test_rounded_rows_sum_to_1_and_zeros_stay(parts):
    rng = np.random.default_rng(0)
    weights = rng.dirichlet(np.full(9, 0.3), size=(4, 20))  # (4, 20, 9)
    weights[..., 6:] = 0
    weights /= weights.sum(axis=-1, keepdims=True)
    rounded = smollm2_it.round_rows(weights, parts)
    counts = rounded * parts
    np.testing.assert_allclose(counts, np.rint(counts), atol=1e-12)
    np.testing.assert_allclose(rounded.sum(axis=-1), 1)
    assert (rounded[..., 6:] == 0).all()
    assert np.abs(rounded - weights).max() < 1 / parts
