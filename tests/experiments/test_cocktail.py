"""The recorded measurement of two voices at once."""

import numpy as np

from attn_course import data
from attn_course.data import VOICES
from attn_course.experiments import cocktail


def test_no_voice_of_a_sweep_is_missing():
    recording = data.load_recording("cocktail")
    seeds = recording["recorded"]["seeds"]
    for sweep, values in cocktail.SETTINGS.items():
        cases = cocktail.PAIRS if sweep == "separation" else range(10)
        for method in ("before", "attention"):
            table = np.array(recording[sweep][method])
            assert table.shape == (len(values), 2 * len(cases) * len(seeds))
            assert np.isfinite(table).all()


def test_tables_hold_the_runs_in_their_order():
    records = [
        {**cell, "ratios": [{"before": place, "attention": place + 0.5}]}
        for place, cell in enumerate(cocktail.STUDY.cells(range(2)))
    ]
    made = cocktail.content(records)
    assert len(made["mixtures"]) == 2 * len(cocktail.MIXTURES)
    assert made["mixtures"][3]["seed"] == 1
    assert made["mixtures"][3]["voices"] == list(cocktail.MIXTURES[1][:2])
    first = 2 * len(cocktail.MIXTURES)
    table = made["separation"]
    assert table["before"][:2] == [[first, first + 1], [first + 2, first + 3]]
    assert table["attention"][0] == [first + 0.5, first + 1.5]
    assert all(set(r) == {"measured", "value", "seed"} for r in records)


def test_every_pair_is_of_two_speakers():
    assert len(cocktail.PAIRS) == 9
    for pair in (*cocktail.PAIRS, *(m[:2] for m in cocktail.MIXTURES)):
        assert VOICES[pair[0]].speaker != VOICES[pair[1]].speaker
