"""The recorded measurement of two voices at once, and a slice of it again."""

import numpy as np
import pytest

from attn_course import data, experiments, hearing
from attn_course.data import VOICES, load_voice
from attn_course.experiments import cocktail


@pytest.fixture(scope="module")
def recording():
    return data.load_recording("cocktail")


def test_no_mixture_and_no_setting_is_missing(recording):
    seeds = recording["recorded"]["seeds"]
    assert len(seeds) >= 3
    assert recording["settings"] == cocktail.SETTINGS
    found = {
        (*row["voices"], *row["angles"], row["seed"])
        for row in recording["mixtures"]
    }
    assert found == {(*m, seed) for m in cocktail.MIXTURES for seed in seeds}
    for sweep, values in cocktail.SETTINGS.items():
        cases = cocktail.PAIRS if sweep == "separation" else range(10)
        for method in ("before", "attention"):
            table = np.array(recording[sweep][method])
            assert table.shape == (len(values), 2 * len(cases) * len(seeds))
            assert np.isfinite(table).all()


def test_it_was_made_by_the_code_of_today(recording):
    assert experiments.is_current("cocktail", "cocktail", 3)
    commit = recording["recorded"]["commit"]
    assert len(commit) == 40


@pytest.mark.parametrize("number", [0, 7, 11])
def test_a_mixture_measured_again_gives_the_same(recording, number):
    a, b, x, y = cocktail.MIXTURES[number]
    again = cocktail.measure((a, b), (x, y), seed=1)
    row = recording["mixtures"][3 * number + 1]
    assert row["seed"] == 1
    for one, other in zip(again, row["ratios"], strict=True):
        assert one == pytest.approx(other, abs=0.02)


@pytest.mark.parametrize(
    "sweep, place, options",
    [("temperature", 6, {"temperature": 0.5}), ("echo", 3, {"echo": 0})],
)
def test_a_setting_measured_again_gives_the_same(
    recording, sweep, place, options
):
    a, b, x, y = cocktail.MIXTURES[2]
    methods = ("before", "attention")
    again = cocktail.measure((a, b), (x, y), methods=methods, **options)
    for which in (0, 1):
        for method in methods:
            recorded = recording[sweep][method][place][4 + which]
            assert again[which][method] == pytest.approx(recorded, abs=0.02)


def test_every_pair_is_of_two_speakers():
    assert len(cocktail.PAIRS) == 9
    for pair in (*cocktail.PAIRS, *(m[:2] for m in cocktail.MIXTURES)):
        assert VOICES[pair[0]].speaker != VOICES[pair[1]].speaker


def test_a_stopped_run_is_taken_up(monkeypatch, tmp_path, capsys):
    from attn_course.experiments import parts

    monkeypatch.setattr(parts.tempfile, "gettempdir", lambda: str(tmp_path))
    monkeypatch.setattr(cocktail, "MIXTURES", cocktail.MIXTURES[:2])
    calls = []

    def measured(pair, angles, **options):
        calls.append(pair)
        if len(calls) == 2:
            raise KeyboardInterrupt
        row = {"before": 0.0, "attention": 1.0}
        return [row, row]

    monkeypatch.setattr(cocktail, "measure", measured)
    with pytest.raises(KeyboardInterrupt):
        cocktail.record("cocktail", [0])
    content = cocktail.record("cocktail", [0])
    assert calls[:3] == [
        ("gregson", "superlative"),
        ("young-man", "gregson"),
        ("young-man", "gregson"),
    ]
    assert len(content["mixtures"]) == 2
    assert "temperature 0.05 0" in capsys.readouterr().out


def test_echoes_come_late_from_everywhere_and_die_away():
    click = np.zeros(16_000)
    click[0] = 1.0
    answer = hearing.echoes(click, 1)
    assert answer.shape == (2, 16_000)
    np.testing.assert_allclose(answer[:, :80], 0.0, atol=1e-9)
    early, late = (
        (answer[:, a : a + 1600] ** 2).sum() for a in (80, 80 + 3200)
    )
    assert 10 * np.log10(early / late) == pytest.approx(30, abs=4)
    assert np.abs(answer[:, 80 + 6400 :]).max() < 1e-9


def test_a_room_counts_as_noise():
    voices = [load_voice(name)[:8000] for name in ("clubs", "gregson")]
    dry = hearing.mix(voices, (-30, 30))
    wet = hearing.mix(voices, (-30, 30), echo=0.0)
    np.testing.assert_array_equal(dry.voices, wet.voices)
    room = wet.noise - dry.noise
    both = dry.voices.sum(axis=0)
    level = 10 * np.log10((room**2).mean() / (both**2).mean())
    assert level == pytest.approx(0.0, abs=1e-6)
