"""Repeated letters, models of attention alone, and the recording of both."""

import math

import numpy as np
import pytest
import torch

from attn_course import data, induction
from attn_course.experiments import induction as experiment
from attn_course.induction import (
    LENGTH,
    LETTERS,
    TRAINED_PERIODS,
    UNSEEN_PERIODS,
    AttentionOnly,
    checkpoints,
    induction_targets,
    mean_weight,
    repeats,
    second_block,
)


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def small(**options):
    return AttentionOnly(
        **{"layers": 2, "positions": "learned", "seed": 0, **options}
    )


def test_the_block_comes_twice_and_all_else_is_new():
    drawn = repeats(200, generator())
    for letters, period, second in zip(*drawn, strict=True):
        block = letters[second : second + period]
        assert torch.equal(block, letters[second - period : second])
        assert len(set(letters.tolist())) == LENGTH - period
    assert set(drawn.periods.tolist()) == set(TRAINED_PERIODS)
    assert len(set(drawn.second.tolist())) > 10


def test_no_trained_period_is_tested():
    assert not set(TRAINED_PERIODS) & set(UNSEEN_PERIODS)
    assert experiment.SETTINGS["unseen_periods"] == list(UNSEEN_PERIODS)
    unseen = experiment.tests()["unseen"].periods
    assert set(unseen.tolist()) == set(UNSEEN_PERIODS)


def test_the_control_has_the_same_places_and_no_repeat():
    drawn = experiment.tests()
    unseen, fresh = drawn["unseen"], drawn["no repeat"]
    assert torch.equal(unseen.second, fresh.second)
    assert torch.equal(unseen.periods, fresh.periods)
    assert not induction_targets(fresh.letters.numpy()).any()


def test_each_letter_of_the_second_block_has_one_target():
    drawn = repeats(50, generator())
    targets = induction_targets(drawn.letters.numpy())
    for rows, period, second in zip(
        targets, drawn.periods, drawn.second, strict=True
    ):
        queries, keys = rows.nonzero()
        place = np.arange(int(period)) + int(second)
        assert queries.tolist() == place.tolist()
        assert keys.tolist() == (place - int(period) + 1).tolist()


def test_what_can_be_known_is_known_from_the_target():
    drawn = repeats(50, generator())
    letters = drawn.letters.numpy()
    targets = induction_targets(letters)
    for row, rows, known in zip(letters, targets, drawn.known, strict=True):
        for place in known.nonzero().flatten().tolist():
            [key] = rows[place - 1].nonzero()[0]
            assert row[key] == row[place]


def test_an_ideal_pair_of_heads_scores_one():
    letters = repeats(20, generator()).letters.numpy()
    target = induction_targets(letters)
    weights = target[None, :, None].astype(float)
    assert mean_weight(weights, target) == pytest.approx(1.0)


def test_no_letter_sees_a_later_one():
    model = small()
    letters = repeats(4, generator()).letters
    changed = letters.clone()
    changed[:, 20:] = (changed[:, 20:] + 1) % len(LETTERS)
    torch.testing.assert_close(model(letters)[:, :20], model(changed)[:, :20])
    maps = model.attentions(letters)
    assert maps.shape == (2, 4, 4, LENGTH, LENGTH)
    torch.testing.assert_close(maps.sum(-1), torch.ones(2, 4, 4, LENGTH))


def test_both_models_have_equally_many_parameters():
    one, two = (experiment._model(name, 0) for name in experiment.MODELS)
    counts = [sum(p.numel() for p in m.parameters()) for m in (one, two)]
    assert counts[0] == counts[1]


def test_a_model_that_knows_nothing_is_no_better_than_chance():
    model = small()
    torch.nn.init.zeros_(model.output.weight)
    found = second_block(model, repeats(100, generator()))
    assert found["loss"] == pytest.approx(math.log(len(LETTERS)), abs=1e-5)


def test_stopping_changes_nothing():
    often, once = small(), small()
    options = {"learning_rate": 0.003, "batch": 4, "seed": 1}
    assert list(checkpoints(often, [0, 2, 3, 5], **options)) == [0, 2, 3, 5]
    assert list(checkpoints(once, [5], **options)) == [5]
    for a, b in zip(often.parameters(), once.parameters(), strict=True):
        assert torch.equal(a, b)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: repeats(1, generator(), periods=[17]), "at most 16"),
        (lambda: repeats(1, generator(), length=63), "at most 62"),
        (lambda: small(positions="none"), "expected positions in"),
        (lambda: small(length=8)(torch.zeros(1, 9).long()), "at most 8"),
        (
            lambda: next(
                checkpoints(small(), [3, 1], learning_rate=1, seed=0)
            ),
            "rising",
        ),
    ],
)
def test_what_does_not_fit_is_named(call, words):
    with pytest.raises(ValueError, match=words):
        call()


@pytest.mark.parametrize("positions", induction.POSITIONS)
def test_training_lowers_the_loss_on_what_is_trained(positions):
    model = small(positions=positions)
    drawn = repeats(200, generator(7))
    before = second_block(model, drawn)["loss"]
    list(checkpoints(model, [60], learning_rate=0.003, batch=16, seed=1))
    assert second_block(model, drawn)["loss"] < before


# When a head is born


def test_a_head_is_born_at_its_first_score_of_one_half():
    scores = np.zeros((2, 12))
    scores[0, 3:] = scores[1, 8:] = 0.5
    assert experiment.born(scores) == [60, 350]
    scores[1] = 0.4
    with pytest.raises(ValueError, match="every seed"):
        experiment.born(scores)


# The recording


@pytest.fixture(scope="module")
def recording():
    return data.load_recording("induction")


def runs(recording, model, key):
    """Give one measure of a model at the end, for each rate and seed."""
    return np.array(
        [r[key][-1] for r in recording["records"] if r["model"] == model]
    )


def test_what_is_known_once(recording):
    assert recording["settings"] == experiment.SETTINGS
    assert recording["models"] == experiment.MODELS
    assert recording["baselines"] == experiment.baselines()
    assert len(set(recording["parameters"].values())) == 1
    for r in recording["records"]:
        layers, heads = experiment.MODELS[r["model"]].values()
        for key in ("induction", "control", "previous"):
            shape = (len(experiment.SETTINGS["steps"]), layers, heads)
            assert np.shape(r[key]) == shape


def test_the_maps_that_are_kept(recording):
    model, rate, seed = experiment.PAGE
    again = experiment.one(model, rate, seed, steps=[0, 10])["maps"]
    maps, kept = (
        data.unpack_array(x["weights"]) for x in (again, recording["maps"])
    )
    assert again["tokens"] == recording["maps"]["tokens"]
    assert maps.shape == (2, *kept.shape[1:])


def test_recorded_maps_are_causal_weights(recording):
    maps = recording["maps"]
    weights = data.unpack_array(maps["weights"])
    n = len(maps["tokens"])
    assert weights.shape == (len(maps["steps"]), 2, n, n)
    assert not weights[..., ~np.tri(n, dtype=bool)].any()
    np.testing.assert_allclose(weights.sum(-1), 1, atol=n * experiment.STEP)


def test_recorded_scores_of_untrained_heads_are_no_label(recording):
    for r in recording["records"]:
        assert np.max(r["induction"][0]) < 0.2
        assert abs(r["loss"][0] - math.log(len(LETTERS))) < 1
