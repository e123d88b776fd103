"""Associative recall: its episodes, its model, its training."""

import math
import re

import pytest
import torch

from attn_course.nn import train as models


def seeded(seed):
    return torch.Generator().manual_seed(seed)


def small(scale=None, init="default", seed=0):
    return models.Recall(16, scale=scale, init=init, generator=seeded(seed))


def episodes(generator):
    return models.recall_batch(32, generator)


def train(model, **options):
    settings = {"steps": 20, "learning_rate": 0.01, "seed": 1}
    settings |= {"progress": False, **options}
    return models.train(model, episodes, **settings)


# Episodes


@pytest.mark.parametrize("held_out", [False, True])
def test_an_episode_asks_for_one_of_its_pairs(held_out):
    (keys, values, query), targets = models.recall_batch(
        200, seeded(0), pairs=5, n_keys=12, n_values=8, held_out=held_out
    )
    assert keys.shape == values.shape == (200, 5)
    assert query.shape == targets.shape == (200,)
    assert 0 <= keys.min() and keys.max() < 12
    assert 0 <= values.min() and values.max() < 8
    for row, row_values, key, value in zip(
        keys.tolist(), values.tolist(), query, targets, strict=True
    ):
        assert len(set(row)) == 5
        assert row_values[row.index(key)] == value


def test_no_held_out_pair_is_ever_trained():
    pairs = []
    for held_out in (False, True):
        (keys, values, _), _ = models.recall_batch(
            4000, seeded(1), held_out=held_out
        )
        drawn = zip(*(x.ravel().tolist() for x in (keys, values)), strict=True)
        pairs.append(set(drawn))
    trained, tested = pairs
    assert not trained & tested
    # Together they are all pairs there can be.
    assert len(trained) == 64 * 12 and len(tested) == 64 * 4


def test_the_generator_decides():
    a, b, c = (models.recall_batch(4, seeded(seed)) for seed in (5, 5, 6))
    assert torch.equal(a.inputs[0], b.inputs[0])
    assert not torch.equal(a.inputs[0], c.inputs[0])


# The model


def test_the_model_scores_every_value():
    model, batch = small(), episodes(seeded(0))
    assert model(*batch.inputs).shape == (32, 16)


def test_scaling_changes_neither_size_nor_first_weights():
    ours, theirs = small(scale=None).state_dict(), small(scale=1).state_dict()
    assert ours.keys() == theirs.keys()
    for name in ours:
        assert torch.equal(ours[name], theirs[name])


def test_the_scale_is_one_over_the_root_of_d_unless_told():
    batch = episodes(seeded(0))
    default = small()(*batch.inputs)
    assert torch.equal(default, small(scale=0.25)(*batch.inputs))
    assert not torch.equal(default, small(scale=1.0)(*batch.inputs))


def test_the_model_reads_as_the_formula_says():
    model, batch = small(), episodes(seeded(2))
    keys, values, query = batch.inputs
    logits = model(*batch.inputs)
    for i in (0, 7):
        q = model.w_query @ model.embed_key[query[i]]
        k = model.embed_key[keys[i]] @ model.w_key.T
        weights = torch.softmax(k @ q / 4, dim=0)
        read = weights @ model.embed_value[values[i]]
        torch.testing.assert_close(logits[i], model.w_output @ read)


def test_the_order_of_the_pairs_does_not_matter():
    model, ((keys, values, query), _) = small(), episodes(seeded(3))
    here = model(keys, values, query)
    there = model(keys.flip(1), values.flip(1), query)
    torch.testing.assert_close(here, there)


def test_a_scale_of_0_cannot_look_up():
    model, ((keys, values, query), _) = small(scale=0.0), episodes(seeded(3))
    here = model(keys, values, query)
    there = model(keys, values, (query + 1) % 64)
    torch.testing.assert_close(here, there)


def test_default_weights_are_those_of_torch():
    ours = small(seed=4)
    generator = seeded(4)
    torch.nn.init.normal_(torch.empty(64, 64), generator=generator)
    torch.nn.init.normal_(torch.empty(16, 64), generator=generator)
    with torch.random.fork_rng(devices=[]):
        torch.random.set_rng_state(generator.get_state())
        linear = torch.nn.Linear(64, 16, bias=False)
    assert torch.equal(ours.w_query, linear.weight)


@pytest.mark.parametrize("init, variance", [("default", 1 / 3), ("unit", 1)])
def test_first_queries_and_keys_have_the_variance_they_should(init, variance):
    model = models.Recall(256, init=init, generator=seeded(0))
    with torch.no_grad():
        q, k = model.queries_keys(torch.arange(64)[None], torch.arange(64))
    assert q.var().item() == pytest.approx(variance, rel=0.1)
    assert k.var().item() == pytest.approx(variance, rel=0.1)


def test_an_unknown_start_is_named():
    with pytest.raises(ValueError, match="'default' or 'unit', got 'big'"):
        small(init="big")


# Training


def test_training_is_the_same_under_the_same_seed():
    held_out = models.recall_batch(64, seeded(9), held_out=True)
    runs = [
        (model := small(), train(model, held_out=held_out)) for _ in range(2)
    ]
    assert runs[0][1] == runs[1][1]
    for a, b in zip(*(m.parameters() for m, _ in runs), strict=True):
        assert torch.equal(a, b)
    assert train(small(), seed=2) != train(small(), seed=1)


def test_training_leaves_global_random_numbers_alone():
    state = torch.random.get_rng_state()
    train(small())
    assert torch.equal(state, torch.random.get_rng_state())


@pytest.mark.parametrize("optimiser, rate", [("adam", 0.01), ("sgd", 0.3)])
def test_recall_is_learned_and_holds_for_new_pairs(optimiser, rate):
    held_out = models.recall_batch(256, seeded(9), held_out=True)
    model = small()
    before = models.accuracy(model, held_out)
    history = train(
        model,
        steps=200,
        optimiser=optimiser,
        learning_rate=rate,
        held_out=held_out,
    )
    assert before < 0.3
    assert history[-1]["accuracy"] > 0.9
    assert history[-1]["accuracy"] == models.accuracy(model, held_out)
    assert history[-1]["loss"] < history[0]["loss"]


def test_the_history_has_the_steps_asked_for():
    history = train(small(), steps=20, evaluations=4)
    assert [entry["step"] for entry in history] == [5, 10, 15, 20]
    assert {entry["accuracy"] for entry in history} == {None}
    short = train(small(), steps=3, evaluations=10)
    assert [entry["step"] for entry in short] == [1, 2, 3]


def test_training_stops_when_the_loss_is_not_finite(capsys):
    model = small()
    with torch.no_grad():
        model.w_output[0, 0] = math.nan
    history = train(model, progress=True)
    assert history == [{"step": 1, "loss": None, "accuracy": None}]
    assert "step 1/20, loss not finite: stopped" in capsys.readouterr().out


def test_progress_is_printed_or_not(capsys):
    held_out = models.recall_batch(16, seeded(9), held_out=True)
    train(small(), progress=False)
    assert capsys.readouterr().out == ""
    train(small(), progress=True, evaluations=2, held_out=held_out)
    first, last = capsys.readouterr().out.splitlines()
    form = (
        r"step 10/20, loss \d\.\d{3}, held-out accuracy \d\.\d{3}, \d s left"
    )
    assert re.fullmatch(form, first)
    assert last.endswith(", 0 s left")


def test_an_unknown_optimiser_is_named():
    with pytest.raises(ValueError, match=r"\['adam', 'sgd'\], got 'lion'"):
        train(small(), optimiser="lion")
