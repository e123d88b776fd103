"""Recall over a distance: episodes, readers, gradients, the recording."""

import numpy as np
import pytest
import torch

from attn_course import data
from attn_course.experiments import long_recall as experiment
from attn_course.long_recall import (
    KEYS,
    VALUES,
    AttentionReader,
    RecurrentReader,
    episodes,
    reach,
    say,
)

DISTANCES = experiment.SETTINGS["distances"]


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


# Episodes


@pytest.mark.parametrize("first", [False, True])
@pytest.mark.parametrize("pairs, length", [(1, 1), (4, 8), (16, 16), (16, 40)])
def test_the_answer_is_the_value_of_the_key_asked(pairs, length, first):
    (words,), targets = episodes(
        50, generator(), length=length, pairs=pairs, first=first
    )
    assert words.shape == (50, length + 1)
    for row, target in zip(words.tolist(), targets.tolist(), strict=True):
        *before, question = map(say, row)
        shown = dict(w.split("=") for w in before if "=" in w)
        assert len(shown) == sum("=" in w for w in before) == pairs
        assert shown[question[0]] == str(target)
        if first:
            assert before[0] == f"{question[0]}={target}"


def test_any_pair_is_asked_for_and_stands_anywhere():
    (words,), _ = episodes(4000, generator(), length=8, pairs=2)
    asked = words[:, -1] - (KEYS + 1) * VALUES
    place = (words[:, :-1] // VALUES == asked[:, None]).float().argmax(1)
    for drawn, kinds in ((asked, KEYS), (place, 8)):
        shares = torch.bincount(drawn, minlength=kinds) / 4000
        np.testing.assert_allclose(shares, 1 / kinds, atol=0.03)


def test_values_say_nothing_about_each_other():
    (words,), targets = episodes(4000, generator(), length=8, first=True)
    for place in range(1, 8):
        same = (words[:, place] % VALUES == targets).float().mean()
        assert abs(same - 1 / VALUES) < 0.03


@pytest.mark.parametrize("pairs, length", [(0, 8), (17, 40), (9, 8)])
def test_too_many_pairs_are_refused(pairs, length):
    with pytest.raises(ValueError, match=f"pairs among {length} words"):
        episodes(2, generator(), length=length, pairs=pairs)


# Readers


def test_models_have_nearly_as_many_parameters():
    counts = [
        sum(p.numel() for p in experiment.make(name, 0).parameters())
        for name in experiment.MODELS
    ]
    assert max(counts) / min(counts) < 1.05


def test_computing_the_last_place_alone_changes_nothing():
    model = AttentionReader("none", d_model=8, heads=2, d_ff=8, seed=0)
    x = torch.randn(3, 9, 8, generator=generator())
    whole = model.output(model.norm(model.layer(x)[:, -1]))
    torch.testing.assert_close(model.answer(x), whole)
    (words,), _ = episodes(3, generator(), length=8)
    maps = model.layer.weights(model.embed(words))
    torch.testing.assert_close(model.weights(words), maps[:, :, -1])


def test_order_counts_only_with_positions():
    (words,), _ = episodes(4, generator(), length=8)
    moved = torch.cat([words[:, :8].flip(1), words[:, 8:]], dim=1)
    for name in experiment.MODELS:
        model = experiment.make(name, 0)
        same = torch.allclose(model(words), model(moved), atol=1e-5)
        assert same == (name == "attention")


def test_a_seed_leaves_the_generator_of_torch_alone():
    before = torch.random.get_rng_state()
    for name in experiment.MODELS:
        a, b = experiment.make(name, 1), experiment.make(name, 1)
        for x, y in zip(a.parameters(), b.parameters(), strict=True):
            assert torch.equal(x, y)
    assert torch.equal(torch.random.get_rng_state(), before)


def test_unknown_kinds_are_refused():
    with pytest.raises(ValueError, match="cell in"):
        RecurrentReader("CRNN", d_model=4, d_h=4, seed=0)
    with pytest.raises(ValueError, match="positions in"):
        AttentionReader("learned", d_model=4, heads=1, d_ff=4, seed=0)


# Gradients


@pytest.mark.parametrize("name", experiment.MODELS)
def test_gradients_are_those_of_finite_differences(name):
    model = experiment.make(name, 0)
    batch = episodes(1, generator(), length=8, first=True)
    precise = experiment.make(name, 0).double()
    (words,), targets = batch
    x = precise.embed(words).detach()  # (1, 9, d_model)

    def score(x):
        return precise.answer(x)[0, targets[0]].item()

    slopes = []
    for i in range(x.shape[-1]):
        step = torch.zeros_like(x)
        step[0, 0, i] = 1e-5
        slopes.append((score(x + step) - score(x - step)) / 2e-5)
    assert reach(model, batch) == pytest.approx(
        np.linalg.norm(slopes), rel=1e-5
    )
    assert next(model.parameters()).dtype == torch.float32


def test_a_recurrence_that_halves_fades_by_half_a_word():
    model = RecurrentReader("RNN", d_model=4, d_h=4, seed=0)
    with torch.no_grad():
        for p in model.cell.parameters():
            p.zero_()
        model.cell.weight_ih_l0.copy_(1e-6 * torch.eye(4))
        model.cell.weight_hh_l0.copy_(0.5 * torch.eye(4))
    near, far = (
        reach(model, episodes(20, generator(), length=n, first=True))
        for n in (100, 300)
    )
    assert np.log2(near / far) == pytest.approx(200, rel=0.02)


# The recording


@pytest.fixture(scope="module")
def recording():
    return data.load_recording("long-recall")


def test_all_models_are_of_one_size(recording):
    sizes = recording["parameters"].values()
    assert max(sizes) / min(sizes) < 1.05


def test_pairs_that_have_no_place_are_not_asked_for(recording):
    for r in recording["records"] + recording["longer"]:
        for accuracy, distance in zip(r["accuracy"], DISTANCES, strict=True):
            assert (accuracy is None) == (distance < r["pairs"])


def test_before_training_only_recurrence_fades(recording):
    """Nothing was tuned here: the numbers are those of first weights."""
    for r in recording["records"]:
        near, far = r["before"][DISTANCES.index(16)], r["before"][-1]
        # In powers of ten, over 496 words. Attention: a share of 1/n each.
        if r["model"] in ("RNN", "GRU", "LSTM"):
            assert near - far > 50
        else:
            assert near - far < 2
