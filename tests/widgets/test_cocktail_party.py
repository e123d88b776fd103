"""CocktailParty in Python: its numbers, its assets, bad input."""

import json
import re

import numpy as np
import pytest
import shared_vectors
import traitlets

from attn_course.data import VOICES
from attn_course.perception import binaural
from attn_course.widgets import CocktailParty
from attn_course.widgets.cocktail_party import MIXTURES, Party

VECTORS = shared_vectors.load("cocktail")


def test_vectors_are_what_the_loops_give():
    module = shared_vectors.maker("cocktail")
    fresh = json.loads(json.dumps(module.make()))
    for one, other in zip(fresh["cocktail"], VECTORS["cocktail"], strict=True):
        assert one.keys() == other.keys()
        for name in one:
            np.testing.assert_allclose(one[name], other[name], atol=1e-8)


@pytest.mark.parametrize("case", VECTORS["cocktail"])
def test_hearing_agrees_with_the_vectors(case):
    mixture = binaural.mix(
        case["voices"], case["angles"], noise=case["noise"], seed=case["seed"]
    )
    keys = binaural.interaural_keys(binaural.stft(mixture.ears))
    scores = binaural.direction_scores(keys)
    weights = binaural.direction_weights(scores, case["temperature"])
    energy = (np.abs(binaural.stft(mixture.ears)) ** 2).sum(axis=0)
    heard, beam = binaural.attend(
        mixture.ears, case["angle"], temperature=case["temperature"]
    )
    gains = []
    for part, at in zip(mixture.voices, case["angles"], strict=True):
        ear = binaural.near_ear(at)
        gains.append(
            [binaural.si_sdr(x[ear], part[ear]) for x in (mixture.ears, heard)]
        )
    found = {
        "ears": mixture.ears,
        "keys": keys.reshape(3, 257, -1).swapaxes(1, 2).reshape(3, -1).T,
        "scores": scores[case["listed"]].swapaxes(1, 2).reshape(4, -1).T,
        "weights": beam.T.reshape(-1),
        "shares": (weights * energy).sum((1, 2)) / energy.sum(),
        "heard": heard,
        "gains": gains,
    }
    for name, numbers in found.items():
        np.testing.assert_allclose(
            numbers, case[name], atol=VECTORS["tolerance"], err_msg=name
        )


def test_each_mixture_is_of_two_speakers():
    for party in MIXTURES:
        a, b = (VOICES[name].speaker for name in party.voices)
        assert a != b


def test_only_the_sounds_of_its_voices_travel():
    party = CocktailParty(MIXTURES[:1])
    assert party.asset_names() == [
        "sounds/gregson.wav",
        "sounds/superlative.wav",
    ]
    assert all(
        uri.startswith("data:audio/wav;base64,UklGR")
        for uri in party.assets.values()
    )
    total = sum(len(uri) for uri in CocktailParty().assets.values())
    assert total < 800_000


def test_without_scripts_stands_a_table_of_each_direction():
    party = CocktailParty(attending=True, angle=30)
    table = party.table()
    rows = re.findall(r"<tr>.*?</tr>", table, re.DOTALL)
    assert len(rows) == 14 and "A before" in rows[0]
    before, after = party.measures()["B"]
    row = next(r for r in rows if ">30°<" in r)
    assert f"{before:.1f}" in row and f"{after:.1f}" in row
    assert after > before + 3
    assert "superlative degree" in table


def test_a_mixture_brings_its_angles_and_a_reader_may_move_them():
    assert CocktailParty(mixture=1).first == MIXTURES[1].angles[0]
    party = CocktailParty(second=80.0)
    assert (party.first, party.second) == (-40, 80)
    assert '"second": 80.0' in json.dumps(
        json.loads(
            re.search(r'data-state="(.*?)">', party.html(), re.DOTALL)[1]
            .replace("&quot;", '"')
            .replace("&#x27;", "'")
        )
    )


def test_two_voices_in_one_direction_are_not_told_apart():
    party = CocktailParty(mixture=3, attending=True, angle=30)
    for before, after in party.measures().values():
        assert after < before + 2


@pytest.mark.parametrize(
    "make, error, message",
    [
        (lambda: CocktailParty([]), ValueError, "at least one mixture"),
        (
            lambda: CocktailParty([Party("x", ("gregson", "nobody"), (0, 0))]),
            ValueError,
            "got 'nobody'",
        ),
        (lambda: CocktailParty(angle=91), traitlets.TraitError, "angle"),
        (
            lambda: CocktailParty(temperature=0),
            traitlets.TraitError,
            "temperature",
        ),
        (lambda: CocktailParty(mixture=9), ValueError, "expected a mixture"),
    ],
)
def test_bad_input_says_so(make, error, message):
    with pytest.raises(error, match=message):
        make()
