"""Three scores, trained and before training: their recordings, one run."""

import json
import math

import numpy as np
import pytest
import torch

from attn_course import data
from attn_course.data import store
from attn_course.experiments import root_d
from attn_course.functional import additive_weights, attention_weights
from attn_course.nn.train import recall_batch

DIVIDED, PLAIN, ADDITIVE = root_d.SETTINGS["score"]
CONDITION = {"d", "score", "init", "optimiser", "learning_rate", "seed"}
SIZES = root_d.START.arms["d"]


@pytest.fixture(scope="module")
def recording():
    return data.load_recording("root-d")


@pytest.fixture(scope="module")
def at_start():
    return data.load_recording("root-d-start")


def mean_at_start(at_start, name, **wanted):
    """Average one measure over seeds, for each d."""
    return np.array(
        [
            np.mean(
                [
                    r[name]
                    for r in at_start["records"]
                    if {"d": d, **wanted}.items() <= r.items()
                ]
            )
            for d in SIZES
        ]
    )


# The recording


def test_every_number_is_one(recording, at_start):
    def refuse(name):
        raise AssertionError(f"{name} is not JSON")

    path = store.Path(store.__file__).parent / "recordings" / "root-d.json"
    assert path.stat().st_size < 600_000
    json.loads(path.read_text("utf-8"), parse_constant=refuse)
    for r in recording["records"] + recording["baseline"]:
        assert set(r) - CONDITION == {"accuracy", "loss", "history", "stuck"}
        assert 0.0 <= r["stuck"] <= 1.0 and 0.0 <= r["accuracy"] <= 1.0
        assert r["loss"] is None or r["loss"] > 0.0
    for r in at_start["records"]:
        assert 0.0 <= r["entropy"] <= math.log(8)
        assert 0.0 <= r["jacobian_norm"] <= 0.5
        assert 0.0 <= r["saturated"] <= 1.0
        assert 1 / 8 <= r["largest"] <= 1.0


def test_guessing_is_known(recording):
    rates = sum(map(len, root_d.SETTINGS["learning_rate"].values()))
    seeds = len(recording["recorded"]["seeds"])
    assert len(recording["baseline"]) == rates * seeds
    assert recording["chance"]["any_value"] == 1 / 16
    assert 1 / 8 < recording["chance"]["a_shown_value"] < 1 / 4


def test_additive_scores_have_d_numbers_more(recording):
    for d in recording["settings"]["d"]:
        divided, plain, additive = (
            recording["parameters"][score][str(d)]
            for score in (DIVIDED, PLAIN, ADDITIVE)
        )
        assert divided == plain == additive - d


def test_every_condition_of_the_missing_division_is_told(recording):
    numbers = root_d.STUDY.numbers()["3.scaling-training"]
    for d in recording["settings"]["d"]:
        for init in ("default", "unit"):
            for optimiser in ("sgd", "adam"):
                for name in ("gap", "additive"):
                    gaps = numbers[f"{name}_{d}_{init}_{optimiser}"]
                    assert len(gaps) == len(recording["recorded"]["seeds"])


# What it shows


def test_the_variance_of_q_k_is_what_theory_says(at_start):
    for init, each in (("unit", 1.0), ("default", 1 / 9)):
        plain, scaled = (
            mean_at_start(at_start, "score_variance", score=s, init=init)
            for s in (PLAIN, DIVIDED)
        )
        np.testing.assert_allclose(plain, np.array(SIZES) * each, rtol=0.35)
        np.testing.assert_allclose(scaled, np.full(5, each), rtol=0.35)


def test_without_scaling_the_softmax_saturates_as_d_grows(at_start):
    for name in ("entropy", "jacobian_norm", "gradient_median"):
        plain, scaled, additive = (
            mean_at_start(at_start, name, score=s, init="unit")
            for s in (PLAIN, DIVIDED, ADDITIVE)
        )
        assert plain[-1] < 0.2 * plain[0]
        assert scaled[-1] > 0.8 * scaled[0]
        assert additive[-1] > 0.8 * additive[0]


def test_what_cannot_look_up_stays_near_guessing(recording):
    for r in recording["baseline"]:
        assert r["accuracy"] < 2 * recording["chance"]["a_shown_value"]


# One run


@pytest.mark.parametrize("score", root_d.SETTINGS["score"])
def test_weights_are_those_of_the_library(score):
    generator = torch.Generator().manual_seed(0)
    model = root_d.Lookup(16, score=score, init="unit", generator=generator)
    (keys, _, asked), _ = recall_batch(4, generator)
    with torch.no_grad():
        found = model.scores(keys, asked).softmax(-1)
        query, key = model.embed_key[asked][:, None], model.embed_key[keys]
        w_query, w_key = model.w_query.T, model.w_key.T
        if score == ADDITIVE:
            weights = additive_weights(query, key, w_query, w_key, model.v)
        else:
            scale = 0.25 if score == DIVIDED else 1.0
            weights = attention_weights(
                query @ w_query, key @ w_key, scale=scale
            )
    torch.testing.assert_close(found, weights[:, 0])


def test_all_scores_start_from_the_same_weights():
    first, *others = (
        root_d.Lookup(
            8,
            score=score,
            init="default",
            generator=torch.Generator().manual_seed(1),
        )
        for score in (*root_d.SETTINGS["score"], "equal weights")
    )
    for other in others:
        for name, tensor in first.named_parameters():
            assert torch.equal(tensor, dict(other.named_parameters())[name])


def test_a_softmax_that_settled_on_a_wrong_key_is_stuck():
    wrong = root_d.Lookup(
        256, score=PLAIN, init="unit", generator=torch.Generator()
    )
    with torch.no_grad():
        wrong.w_query.copy_(-wrong.w_key)  # least where the keys are the same
        right = root_d.Lookup(
            256, score=PLAIN, init="unit", generator=torch.Generator()
        )
        right.w_query.copy_(right.w_key)
    batch = recall_batch(64, torch.Generator())
    assert root_d._stuck(wrong, batch) > 0.5
    assert root_d._stuck(right, batch) == 0.0


def test_a_run_that_diverges_has_no_loss():
    run = root_d.one(16, PLAIN, "unit", "sgd", 1e30, 0)
    assert run["loss"] is None and run["history"][-1] is None


def test_the_loss_is_that_of_the_last_fifth(monkeypatch):
    monkeypatch.setitem(root_d.SETTINGS, "steps", 40)
    run = root_d.one(16, PLAIN, "unit", "sgd", 0.1, 0)
    assert len(run["history"]) == 20
    assert run["loss"] == pytest.approx(np.mean(run["history"][-4:]), 1e-3)
