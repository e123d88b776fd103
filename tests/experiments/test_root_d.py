"""The sweep with and without √d: its recording."""

import json
import math

import numpy as np
import pytest

from attn_course import data
from attn_course.data import store
from attn_course.experiments import root_d

CONDITION = ("d", "scale", "init", "optimiser", "learning_rate", "seed")
SIZES = root_d.SETTINGS["d"]


@pytest.fixture(scope="module")
def recording():
    return data.load_recording("root-d")


@pytest.fixture(scope="module")
def at_start():
    return data.load_recording("root-d-start")


def mean_at_start(at_start, name, **wanted):
    """Average one measure over seeds, for each d."""
    return [
        np.mean(
            [
                r[name]
                for r in at_start["records"]
                if r["d"] == d and all(r[k] == v for k, v in wanted.items())
            ]
        )
        for d in SIZES
    ]


# The recording


def test_every_number_is_one(recording, at_start):
    def refuse(name):
        raise AssertionError(f"{name} is not JSON")

    path = store.Path(store.__file__).parent / "recordings" / "root-d.json"
    assert path.stat().st_size < 600_000
    json.loads(path.read_text("utf-8"), parse_constant=refuse)
    for r in recording["records"] + recording["baseline"]:
        assert set(r) - {"history"} == {*CONDITION, "accuracy", "loss"}
        assert 0.0 <= r["accuracy"] <= 1.0
        assert r["loss"] is None or r["loss"] > 0.0
    for r in at_start["records"]:
        assert 0.0 <= r["entropy"] <= math.log(8)
        assert 0.0 <= r["jacobian_norm"] <= 0.5
        assert 0.0 <= r["saturated"] <= 1.0


def test_guessing_is_known(recording):
    assert len(recording["baseline"]) == 12 * len(
        recording["recorded"]["seeds"]
    )
    assert recording["chance"]["any_value"] == 1 / 16
    assert 1 / 8 < recording["chance"]["a_shown_value"] < 1 / 4


# What it shows


def test_the_variance_of_q_k_is_what_theory_says(at_start):
    for init, each in (("unit", 1.0), ("default", 1 / 9)):
        plain, scaled = (
            mean_at_start(at_start, "score_variance", scale=s, init=init)
            for s in ("none", "1/√d")
        )
        expected = np.array(SIZES) * each
        np.testing.assert_allclose(plain, expected, rtol=0.35)
        np.testing.assert_allclose(scaled, np.full(5, each), rtol=0.35)


def test_without_scaling_the_softmax_saturates_as_d_grows(at_start):
    for name in ("entropy", "jacobian_norm", "gradient_median"):
        plain, scaled = (
            mean_at_start(at_start, name, scale=s, init="unit")
            for s in ("none", "1/√d")
        )
        assert plain[-1] < 0.2 * plain[0]
        assert scaled[-1] > 0.8 * scaled[0]


def test_what_cannot_look_up_stays_near_guessing(recording):
    for r in recording["baseline"]:
        assert r["accuracy"] < 2 * recording["chance"]["a_shown_value"]


# One run


def test_a_run_that_diverges_has_no_loss():
    run = root_d.train_one(4, "none", "unit", "sgd", 1e30, 0)
    assert run["loss"] is None and run["history"][-1] is None


def test_the_loss_is_that_of_the_last_fifth(monkeypatch):
    monkeypatch.setitem(root_d.SETTINGS, "steps", 50)
    run = root_d.train_one(4, "none", "unit", "sgd", 0.1, 0)
    assert len(run["history"]) == 50
    assert run["loss"] == pytest.approx(np.mean(run["history"][-10:]), 1e-3)
