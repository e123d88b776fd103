"""The sweep with and without √d: its recording, and a slice of it again."""

import itertools
import json
import math

import numpy as np
import pytest

from attn_course import data, experiments
from attn_course.data import store
from attn_course.experiments import parts, root_d
from attn_course.experiments.sweeps import (
    best,
    runs_at_best,
    working_rates,
)

CONDITION = ("d", "scale", "init", "optimiser", "learning_rate", "seed")
SIZES = root_d.SETTINGS["d"]


@pytest.fixture(scope="module")
def recording():
    return data.load_recording("root-d")


def mean_at_start(recording, name, **wanted):
    """Average one measure over seeds, for each d."""
    return [
        np.mean(
            [
                r[name]
                for r in recording["at_start"]
                if r["d"] == d and all(r[k] == v for k, v in wanted.items())
            ]
        )
        for d in SIZES
    ]


# The recording


def test_no_condition_is_missing(recording):
    settings = root_d.SETTINGS
    seeds = recording["recorded"]["seeds"]
    assert recording["settings"] == settings
    assert len(seeds) >= 3
    wanted = {
        (d, scale, init, optimiser, rate, seed)
        for d, scale, init, (optimiser, rates), seed in itertools.product(
            settings["d"],
            settings["scale"],
            settings["init"],
            settings["learning_rate"].items(),
            seeds,
        )
        for rate in rates
    }
    found = [tuple(r[k] for k in CONDITION) for r in recording["records"]]
    assert len(found) == len(set(found))
    assert set(found) == wanted

    start = {
        tuple(r[k] for k in ("d", "scale", "init", "seed"))
        for r in recording["at_start"]
    }
    assert start == {(d, s, i, seed) for d, s, i, _, _, seed in wanted}
    assert len(recording["at_start"]) == len(start)
    assert len(recording["baseline"]) == len(seeds) * 12


def test_every_number_is_one(recording):
    def refuse(name):
        raise AssertionError(f"{name} is not JSON")

    path = store.Path(store.__file__).parent / "recordings" / "root-d.json"
    assert path.stat().st_size < 150_000
    json.loads(path.read_text("utf-8"), parse_constant=refuse)
    for r in recording["records"] + recording["baseline"]:
        assert set(r) == {*CONDITION, "accuracy", "loss"}
        assert 0.0 <= r["accuracy"] <= 1.0
        assert r["loss"] is None or r["loss"] > 0.0
    for r in recording["at_start"]:
        assert 0.0 <= r["entropy"] <= math.log(8)
        assert 0.0 <= r["jacobian_norm"] <= 0.5
        assert 0.0 <= r["saturated"] <= 1.0


def test_the_recording_says_how_it_was_made(recording):
    versions = recording["recorded"]["versions"]
    assert set(versions) == {"python", "attn-course", "numpy", "torch"}
    assert all(versions.values())
    assert recording["seconds"] > 0
    assert recording["chance"]["any_value"] == 1 / 16
    assert 1 / 8 < recording["chance"]["a_shown_value"] < 1 / 4
    described = {"scale", "init", "loss", "accuracy", *recording["keys"]}
    named = {k for r in recording["at_start"] for k in r} | {"loss"}
    assert named - described == {"d", "seed"}


# What it shows


def test_the_variance_of_q_k_is_what_theory_says(recording):
    for init, each in (("unit", 1.0), ("default", 1 / 9)):
        plain, scaled = (
            mean_at_start(recording, "score_variance", scale=s, init=init)
            for s in ("none", "1/√d")
        )
        expected = np.array(SIZES) * each
        np.testing.assert_allclose(plain, expected, rtol=0.35)
        np.testing.assert_allclose(scaled, np.full(5, each), rtol=0.35)


def test_without_scaling_the_softmax_saturates_as_d_grows(recording):
    for name in ("entropy", "jacobian_norm", "gradient_median"):
        plain, scaled = (
            mean_at_start(recording, name, scale=s, init="unit")
            for s in ("none", "1/√d")
        )
        assert plain[-1] < 0.2 * plain[0]
        assert scaled[-1] > 0.8 * scaled[0]


def test_what_cannot_look_up_stays_near_guessing(recording):
    for r in recording["baseline"]:
        assert r["accuracy"] < 2 * recording["chance"]["a_shown_value"]


# A slice again

SLICE = [
    (16, "1/√d", "default", "sgd", 0.1, 0),
    (16, "none", "default", "sgd", 0.1, 0),
    (64, "1/√d", "unit", "adam", 0.003, 1),
    (64, "none", "unit", "adam", 0.003, 1),
    (4, "1/√d", "unit", "adam", 0.0001, 2),
]


@pytest.mark.parametrize("condition", SLICE)
def test_training_again_gives_what_was_recorded(recording, condition):
    [before] = [
        r
        for r in recording["records"]
        if tuple(r[k] for k in CONDITION) == condition
    ]
    again = root_d.train_one(*condition)
    # float32 sums differ a little between machines.
    assert again["accuracy"] == pytest.approx(before["accuracy"], abs=0.03)
    assert again["loss"] == pytest.approx(before["loss"], rel=0.1)
    assert root_d.train_one(*condition) == again


@pytest.mark.parametrize("scale", ["1/√d", "none"])
def test_measuring_again_gives_what_was_recorded(recording, scale):
    condition = {"d": 64, "scale": scale, "init": "unit", "seed": 1}
    [before] = [
        r
        for r in recording["at_start"]
        if all(r[k] == v for k, v in condition.items())
    ]
    again = root_d.measure_at_start(**condition)
    assert again.keys() == before.keys()
    for name in again.keys() - condition.keys():
        assert again[name] == pytest.approx(before[name], rel=0.01), name


# A run that is stopped


@pytest.fixture
def tiny(tmp_path, monkeypatch):
    """Make the sweep so small that it takes a moment."""
    monkeypatch.setattr(parts.tempfile, "gettempdir", lambda: str(tmp_path))
    settings = {
        **root_d.SETTINGS,
        "d": [2, 4],
        "init": ["unit"],
        "learning_rate": {"sgd": [0.1], "adam": [0.01]},
        "steps": 5,
        "held_out": 64,
    }
    monkeypatch.setattr(root_d, "SETTINGS", settings)


def test_a_stopped_run_goes_on_where_it_was(tiny, monkeypatch, capsys):
    trained, train_one = [], root_d.train_one

    def stops(*condition):
        if len(trained) == 3:
            raise KeyboardInterrupt
        trained.append(condition)
        return train_one(*condition)

    monkeypatch.setattr(root_d, "train_one", stops)
    with pytest.raises(KeyboardInterrupt):
        root_d.record("root-d", range(1))
    monkeypatch.setattr(root_d, "train_one", train_one)
    content = root_d.record("root-d", range(1))
    said = capsys.readouterr().out
    assert "3 runs are there already" in said
    assert "10/10 runs, about 0.0 min left" in said
    assert len(content["records"]) == 2 * 2 * 2
    assert len(content["baseline"]) == 2
    found = [tuple(r[k] for k in CONDITION) for r in content["records"]]
    assert found[:3] == trained

    root_d.record("root-d", range(1))
    assert "already" not in capsys.readouterr().out


def test_the_number_of_threads_is_put_back(tiny):
    before = root_d.torch.get_num_threads()
    root_d.record("root-d", range(1))
    assert root_d.torch.get_num_threads() == before


def test_more_seeds_make_the_recording_out_of_date():
    three, again, five = (
        experiments.fingerprint("root_d", "root-d", n) for n in (3, 3, 5)
    )
    assert three == again != five


# Reading it


def runs(losses, accuracies, **condition):
    """Give one record for each seed."""
    names = {"d": 4, "scale": "none", "init": "unit", "optimiser": "sgd"}
    return [
        {**names, **condition, "seed": i, "loss": loss, "accuracy": accuracy}
        for i, (loss, accuracy) in enumerate(
            zip(losses, accuracies, strict=True)
        )
    ]


def test_the_best_rate_is_picked_by_training_loss():
    records = [
        *runs([2.0, 2.0], [1.0, 1.0], learning_rate=0.1),
        *runs([1.0, 1.5], [0.5, 0.75], learning_rate=1.0),
        *runs([0.1, None], [0.9, 0.1], learning_rate=10.0),
        *runs([None], [0.1], learning_rate=0.1, d=8),
    ]
    first, second = best(records)
    assert first == {
        "d": 4,
        "scale": "none",
        "init": "unit",
        "optimiser": "sgd",
        "learning_rate": 1.0,
        "loss": 1.25,
        "accuracies": [0.5, 0.75],
    }
    assert second["d"] == 8 and second["loss"] == math.inf


def test_the_runs_at_the_best_rate_are_those_of_every_seed():
    records = [
        *runs([2.0, 2.0], [1.0, 1.0], learning_rate=0.1),
        *runs([1.0, 1.5], [0.5, 0.75], learning_rate=1.0),
        *runs([3.0], [0.1], learning_rate=0.1, d=8),
    ]
    found = runs_at_best(records, "d")
    assert [r["accuracy"] for r in found[4]] == [0.5, 0.75]
    assert [r["accuracy"] for r in found[8]] == [0.1]


def test_a_rate_works_when_every_seed_does():
    records = [
        *runs([1.0, 1.0], [0.95, 1.0], learning_rate=0.1),
        *runs([1.0, 1.0], [0.94, 1.0], learning_rate=1.0),
    ]
    [condition] = working_rates(records, at_least=0.95)
    assert condition["learning_rates"] == [0.1]
    assert condition["tried"] == 2


def test_the_sweep_is_read_as_40_conditions(recording):
    picked = best(recording["records"])
    assert len(picked) == 40
    assert {len(p["accuracies"]) for p in picked} == {3}
    for rates in working_rates(recording["records"], at_least=0.95):
        assert rates["tried"] == 6
