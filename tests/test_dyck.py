"""Dyck strings, the models that read them, and the recording."""

import numpy as np
import pytest
import torch

from attn_course import data, models
from attn_course.dyck import (
    DEPTH,
    KINDS,
    LENGTH,
    SIGNS,
    Asked,
    GruReader,
    Reader,
    batches,
    looks,
    right,
    strings,
)
from attn_course.experiments import dyck as experiment


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def test_each_bracket_closes_the_last_one_open():
    drawn = strings(100, generator(), length=30, depth=5)
    for row in range(100):
        unclosed = []
        for place, sign in enumerate(drawn.text(row)):
            if SIGNS.index(sign) < KINDS:
                unclosed.append(place)
            else:
                closes = SIGNS[SIGNS.index(sign) - KINDS]
                assert drawn.text(row)[unclosed.pop()] == closes
            assert drawn.depth[row, place] == len(unclosed)
            last = unclosed[-1] if unclosed else -1
            assert drawn.opener[row, place] == last
            if unclosed:
                kind = SIGNS.index(drawn.text(row)[last])
                assert drawn.kind[row, place] == kind
    assert drawn.depth.max() == 5


def test_every_kind_must_close_equally_often():
    drawn = strings(2000, generator())
    counts = torch.bincount(drawn.kind[drawn.looked_up]).float()
    np.testing.assert_allclose(counts / counts.sum(), 1 / KINDS, atol=0.02)


def test_the_tests_go_beyond_what_is_trained():
    tests = experiment.tests()
    longer, behind = tests["longer"]
    assert longer.brackets.shape[1] == 2 * LENGTH
    assert not behind[:, :LENGTH].any() and behind[:, LENGTH:].all()
    deeper, deep = tests["deeper"]
    assert deeper.depth[deep].min() == DEPTH + 1
    assert strings(500, generator()).depth.max() == DEPTH
    for drawn, where in tests.values():
        asked = drawn.looked_up if where is None else drawn.looked_up & where
        assert asked.sum() > 500
        assert (drawn.brackets[asked] >= KINDS).all()


def test_models_have_nearly_as_many_parameters():
    counts = [
        sum(
            p.numel()
            for p in experiment.make(name, 0).parameters()
            if p.requires_grad
        )
        for name in experiment.MODELS
    ]
    assert max(counts) / min(counts) < 1.05


@pytest.mark.parametrize("name", experiment.MODELS)
def test_no_bracket_sees_a_later_one(name):
    model = experiment.make(name, 0)
    brackets = strings(4, generator()).brackets
    changed = brackets.clone()
    changed[:, 12:] = (changed[:, 12:] + 1) % len(SIGNS)
    torch.testing.assert_close(model(brackets)[:, :12], model(changed)[:, :12])


def test_equal_weights_stay_equal():
    model = Reader(equal=True, seed=0)
    models.train(
        Asked(model),
        batches(4),
        steps=3,
        learning_rate=0.01,
        seed=0,
        progress=False,
    )
    maps = model.attentions(strings(2, generator()).brackets)
    equal = torch.ones(LENGTH, LENGTH).tril()
    equal = (equal / equal.sum(-1, keepdim=True)).expand(maps.shape)
    torch.testing.assert_close(maps, equal)


def test_an_ideal_head_scores_one_and_a_near_sighted_one_nothing():
    drawn = strings(40, generator())
    n = LENGTH
    ideal = np.eye(n)[drawn.opener.clamp(min=0).numpy()]  # (batch, n, n)
    found = looks(ideal[None, :, None], drawn)
    assert found.score == pytest.approx(1)
    for control in (found.elsewhere, found.nearest, found.same_kind):
        assert control == pytest.approx(0)
    opens = drawn.brackets.numpy() < KINDS
    last = np.maximum.accumulate(np.where(opens, np.arange(n), 0), axis=-1)
    found = looks(np.eye(n)[last][None, :, None], drawn)
    assert found.nearest == pytest.approx(1)
    assert found.score == pytest.approx(0)


def test_the_control_is_what_other_places_give_the_same_bracket():
    drawn = strings(5, generator())
    rng = np.random.default_rng(0)
    weights = rng.random((5, LENGTH, LENGTH)) * np.tri(LENGTH)
    found = []
    for row in range(5):
        opener = drawn.opener[row].tolist()
        for place in range(LENGTH):
            key = opener[place]
            elsewhere = [
                weights[row, later, key]
                for later in range(key, LENGTH)
                if opener[later] not in (key, -1)
            ]
            if drawn.looked_up[row, place] and elsewhere:
                found.append(np.mean(elsewhere))
    measured = looks(weights[None, :, None], drawn).elsewhere
    assert measured == pytest.approx(np.mean(found))


def test_a_model_that_always_says_the_same_is_right_by_chance():
    model = GruReader(seed=0)
    torch.nn.init.zeros_(model.output.weight)
    drawn = strings(500, generator())
    assert right(model, drawn) == pytest.approx(1 / KINDS, abs=0.05)


def test_training_lowers_the_loss():
    model = Reader(positions="none", seed=0)
    history = models.train(
        Asked(model),
        batches(16),
        steps=40,
        learning_rate=0.003,
        seed=1,
        evaluations=4,
        progress=False,
    )
    assert history[-1]["loss"] < history[0]["loss"]


# The recording


@pytest.fixture(scope="module")
def recording():
    return data.load_recording("dyck")


def test_labels_follow_from_the_scores(recording):
    for r in recording["records"]:
        for heads in filter(None, (r["heads"], r["untrained_heads"])):
            score = np.array(heads["score"])
            for control in ("elsewhere", "nearest", "uniform"):
                passed = score >= 2 * np.array(heads[control])
                assert not (np.array(heads["labelled"]) & ~passed).any()
            assert (score[np.array(heads["labelled"])] >= 0.5).all()


def test_the_recorded_map_is_causal(recording):
    kept = recording["map"]
    weights = data.unpack_array(kept["weights"])
    n = len(kept["brackets"])
    assert weights.shape == (n, n) == (LENGTH, LENGTH)
    assert not weights[~np.tri(n, dtype=bool)].any()
    np.testing.assert_allclose(weights.sum(-1), 1, atol=n * experiment.STEP)
