"""Digits, the vision transformer and its rivals, what is hidden from it."""

import itertools

import numpy as np
import pytest
import torch

from attn_course import vision
from attn_course.data import load_digits, load_recording
from attn_course.experiments import patches as experiment
from attn_course.models import trained_parameters
from attn_course.vision import VisionTransformer, patches


def pictures(count=6, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(count, 8, 8, generator=generator)


# The data set


def test_digits_are_ink_and_labels():
    digits = load_digits()
    assert digits.pictures.shape == (1797, 8, 8)
    assert (digits.pictures.min(), digits.pictures.max()) == (0, 1)
    assert set((digits.pictures * 16).ravel() % 1) == {0}
    assert np.bincount(digits.labels).tolist() == [
        178, 182, 177, 183, 181, 182, 181, 179, 174, 180,
    ]  # fmt: skip
    assert "CC BY 4.0" in digits.source


def test_neighbours_in_the_data_set_are_of_like_hands():
    """Why the split keeps the order: a random one would mix the hands."""
    flat = load_digits().pictures.reshape(1797, 64)
    squares = (flat**2).sum(1)
    apart = squares[:, None] + squares - 2 * flat @ flat.T
    np.fill_diagonal(apart, np.inf)
    i = np.arange(len(flat))
    steps = abs(apart.argmin(1) - i)
    by_chance = abs(np.random.default_rng(0).permutation(i) - i)
    assert np.median(steps) < np.median(by_chance) / 4


def test_a_split_repeats_no_picture():
    parts = vision.split()
    sizes = [len(part.targets) for part in parts]
    assert sizes == experiment.SETTINGS["split"]
    train, test = (
        {p.numpy().tobytes() for p in x.inputs[0]} for x in parts[::2]
    )
    assert not train & test


def test_shuffling_moves_all_pictures_alike():
    plain, moved = (vision.split(p).test for p in ("in place", "shuffled"))
    assert torch.equal(plain.targets, moved.targets)
    a, b = (part.inputs[0].flatten(1) for part in (plain, moved))
    assert not torch.equal(a, b)
    torch.testing.assert_close(a.sort(1).values, b.sort(1).values)
    # Columns are the same columns, in another order.
    assert sorted(a.T.tolist()) == sorted(b.T.tolist())


# Patches and models


def test_patches_are_squares_row_by_row():
    x = pictures()
    cut = patches(x)
    assert cut.shape == (6, 16, 4)
    for place in range(16):
        row, col = divmod(place, 4)
        square = x[:, 2 * row : 2 * row + 2, 2 * col : 2 * col + 2]
        torch.testing.assert_close(cut[:, place], square.flatten(1))
    back = vision.as_maps(cut.mean(-1).numpy())
    np.testing.assert_allclose(back[:, ::2, ::2].reshape(6, 16), cut.mean(-1))


def test_patches_must_fit():
    with pytest.raises(ValueError, match=r"divide by 3, got 8 × 8"):
        patches(pictures(), 3)
    with pytest.raises(ValueError, match=r"got shape \(6, 4, 8\)"):
        VisionTransformer(seed=0)(pictures()[:, :4])
    with pytest.raises(ValueError, match="got 'rotary'"):
        VisionTransformer(positions="rotary", seed=0)
    with pytest.raises(ValueError, match="got 'GRU'"):
        experiment.make("GRU", 0)


@pytest.mark.parametrize("name", experiment.MODELS)
def test_every_model_reads_pictures_and_can_learn(name):
    model = experiment.make(name, 0)
    scores = model(pictures())
    assert scores.shape == (6, 10)
    scores.logsumexp(-1).sum().backward()
    for p in model.parameters():
        assert (p.grad is not None) == p.requires_grad


def test_models_are_equally_large():
    sizes = [
        trained_parameters(experiment.make(name, 0))
        for name in experiment.MODELS
    ]
    assert max(sizes) / min(sizes) < 1.02
    for size in sizes:
        assert abs(size / sizes[0] - 1) < 0.01


def test_without_positions_patches_are_a_bag():
    x = pictures()
    order = torch.randperm(16, generator=torch.Generator().manual_seed(1))
    cut = patches(x)[:, order].reshape(6, 4, 4, 2, 2)
    moved = cut.transpose(2, 3).reshape(6, 8, 8)
    bag = VisionTransformer(positions="none", seed=0)
    placed = VisionTransformer(seed=0)
    torch.testing.assert_close(bag(x), bag(moved))
    assert not torch.allclose(placed(x), placed(moved), atol=1e-4)


def test_moving_patches_with_their_places_changes_nothing():
    """So learned positions know nothing of rows and columns at first."""
    x = pictures()
    order = torch.randperm(16, generator=torch.Generator().manual_seed(1))
    moved = patches(x)[:, order].reshape(6, 4, 4, 2, 2)
    moved = moved.transpose(2, 3).reshape(6, 8, 8)
    one, other = (VisionTransformer(seed=0) for _ in range(2))
    with torch.no_grad():
        other.places[1:] = one.places[1:][order]
    torch.testing.assert_close(one(x), other(moved))


def test_equal_weights_are_equal_and_stay_so():
    model = VisionTransformer(equal=True, seed=0)
    experiment.train(model, 0.01, 0, steps=3)
    maps = model.attentions(pictures())
    assert maps.shape == (2, 6, 4, 17, 17)
    torch.testing.assert_close(maps, torch.full_like(maps, 1 / 17))


def test_what_is_hidden_does_not_matter():
    x, model = pictures(), VisionTransformer(seed=0)
    hidden = vision.without(torch.arange(16).expand(6, 16), 4)
    changed = x.clone()
    changed[:, :2] = 0  # the first four patches
    torch.testing.assert_close(model(x, hidden), model(changed, hidden))
    assert not torch.allclose(model(x), model(changed))
    maps = model.attentions(x, hidden)
    assert (maps[..., 1:5] == 0).all()
    torch.testing.assert_close(maps.sum(-1), torch.ones(2, 6, 4, 17))
    nothing = torch.zeros_like(hidden)
    torch.testing.assert_close(model(x, nothing), model(x))


def test_cls_looks_at_patches_and_itself():
    x, model = pictures(), VisionTransformer(seed=0)
    looks, maps = model.looks(x), model.attentions(x)
    rest = maps[-1, :, :, 0, 0].mean(1)
    torch.testing.assert_close(looks.sum(-1) + rest, torch.ones(6))


def test_orders_hide_the_right_patches_first():
    x, model = pictures(), VisionTransformer(seed=0)
    found = experiment.orders(model, x, 0)
    assert tuple(found) == experiment.ORDERS
    row = torch.arange(6)
    looks, ink = model.looks(x), patches(x).sum(-1)
    [most], [least] = found["most attended"], found["least attended"]
    assert torch.equal(looks[row, most[:, 0]], looks.max(1).values)
    assert torch.equal(looks[row, least[:, 0]], looks.min(1).values)
    [inked], [hurting] = found["most ink"], found["hurts most alone"]
    assert torch.equal(ink[row, inked[:, 0]], ink.max(1).values)
    alone = experiment.hurts(model, x)
    one = vision.without(hurting, 1)
    with torch.no_grad():
        whole, less = (model(x, h).log_softmax(-1) for h in (None, one))
    named = whole.argmax(-1)
    fall = (whole - less)[row, named]
    torch.testing.assert_close(fall, alone.max(1).values)


# The recording


@pytest.fixture(scope="module")
def recording():
    return load_recording("patches")


def test_changes_are_of_every_seed(recording):
    changed = [
        (r["change"], r["model"], r["seed"]) for r in recording["changed"]
    ]
    assert changed == [
        (change, model, seed)
        for change, names in experiment.SETTINGS["changed"].items()
        for model, seed in itertools.product(
            names, recording["recorded"]["seeds"]
        )
    ]
    seeds = [entry["seed"] for entry in recording["hidden"]]
    assert seeds == recording["recorded"]["seeds"]


def test_with_nothing_hidden_nothing_changes(recording):
    best = experiment.chosen(recording["records"])[experiment.VIT]
    whole = [r["accuracy"] for r in best]
    for entry, accuracy in zip(recording["hidden"], whole, strict=True):
        for how in entry["hidden"].values():
            assert tuple(how) == experiment.ORDERS
            starts = [curve[0] for curve in how.values()]
            assert starts == pytest.approx([accuracy] * len(how), abs=1e-3)


def test_the_example_is_a_test_picture(recording):
    digits = load_digits()
    first = sum(experiment.SETTINGS["split"][:2])
    np.testing.assert_allclose(
        recording["example"]["picture"],
        digits.pictures[first + experiment.EXAMPLE],
    )
    for entry in recording["hidden"]:
        assert 0 < sum(entry["example"]) < 1
