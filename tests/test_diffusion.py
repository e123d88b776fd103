"""Pictures from noise: mixtures, denoisers, and what was recorded."""

import numpy as np
import pytest
import torch

from attn_course import diffusion
from attn_course.data import load_recording, unpack_array
from attn_course.diffusion import LEVELS, noised, shares
from attn_course.experiments import denoiser as experiment
from attn_course.experiments.sweeps import chosen
from attn_course.models import trained_parameters

LEVEL = torch.arange(1, LEVELS + 1)
MODELS = experiment.MODELS


def random(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


# Mixtures


def test_pictures_fade_as_noise_grows():
    picture, noise = shares(torch.arange(LEVELS + 1))
    torch.testing.assert_close(picture**2 + noise**2, torch.ones(LEVELS + 1))
    assert picture[0] == 1 and noise[-1] == 1
    assert float(picture[-1]) == pytest.approx(0, abs=1e-6)
    assert (picture.diff() < 0).all() and (noise.diff() > 0).all()


def test_a_mixture_has_the_mean_and_deviation_of_its_level():
    pictures = torch.full((4000, 8, 8), 0.5)
    for step in (1, LEVELS // 2, LEVELS):
        level = torch.full((4000,), step)
        mixed = noised(pictures, level, torch.Generator().manual_seed(0))
        picture, noise = shares(torch.tensor(step))
        assert float(mixed.mean()) == pytest.approx(
            float(picture) / 2, abs=0.01
        )
        assert float(mixed.std()) == pytest.approx(float(noise), abs=0.01)


def test_who_knows_the_picture_draws_it():
    known = random(8, 8)

    def knows(mixed, level):
        return known.expand_as(mixed)

    made = diffusion.draw(knows, 3, torch.Generator().manual_seed(0))
    torch.testing.assert_close(made, known.expand(3, 8, 8))


@pytest.mark.parametrize("name", MODELS)
def test_drawing_follows_the_generator_alone(name):
    model = MODELS[name](seed=0)
    a, b, c = (
        diffusion.draw(model, 2, torch.Generator().manual_seed(seed))
        for seed in (0, 0, 1)
    )
    assert torch.equal(a, b) and not torch.equal(a, c)
    assert a.shape == (2, 8, 8)


# Denoisers that look up


def test_looking_up_gives_each_known_picture_its_chance():
    """Attention over known pictures is Bayes' rule, written out here."""
    known = random(5, 8, 8)
    level = torch.tensor([3, 10, LEVELS - 1])
    mixed = noised(known[:3], level, torch.Generator().manual_seed(1))
    found = diffusion.by_training_pictures(known)(mixed, level)
    for x, step, guess in zip(mixed, level, found, strict=True):
        a, s = (float(y) for y in shares(step))
        apart = ((x - a * known) ** 2).sum((-2, -1)) / (2 * s**2)
        chance = torch.exp(apart.min() - apart)
        chance = chance / chance.sum()
        mean = (chance[:, None, None] * known).sum(0)
        torch.testing.assert_close(guess, mean, rtol=1e-4, atol=1e-4)


def test_looking_up_finds_the_picture_in_little_noise():
    known = random(5, 8, 8)
    level = torch.ones(5, dtype=torch.long)
    mixed = noised(known, level, torch.Generator().manual_seed(1))
    found = diffusion.by_training_pictures(known)(mixed, level)
    torch.testing.assert_close(found, known, rtol=0, atol=1e-4)


def test_the_linear_map_is_the_best_one():
    """Least squares over many mixtures finds no better linear map."""
    known = random(3000, 8, 8) * torch.linspace(0.1, 1, 8) + 0.3
    level = torch.full((3000,), LEVELS // 2)
    mixed = noised(known, level, torch.Generator().manual_seed(1))
    ours = diffusion.linear_map(known)(mixed, level)
    x = torch.cat([mixed.flatten(1), torch.ones(3000, 1)], dim=1)
    fitted = torch.linalg.lstsq(x, known.flatten(1)).solution
    best = (x @ fitted - known.flatten(1)).square().mean()
    assert float((ours - known).square().mean()) == pytest.approx(
        float(best), rel=0.06
    )


# Denoisers that learn


def test_rivals_are_equally_large():
    sizes = [trained_parameters(make(seed=0)) for make in MODELS.values()]
    assert max(sizes) / min(sizes) < 1.02


@pytest.mark.parametrize("name", MODELS)
def test_first_weights_follow_the_seed_alone(name):
    a, b, c = (MODELS[name](seed=seed) for seed in (0, 0, 1))
    mixed = random(20, 8, 8)
    assert torch.equal(a(mixed, LEVEL), b(mixed, LEVEL))
    assert not torch.equal(a(mixed, LEVEL), c(mixed, LEVEL))


@pytest.mark.parametrize("name", MODELS)
def test_each_picture_is_denoised_by_itself_and_told_its_level(name):
    model = MODELS[name](seed=0)
    mixed = random(20, 8, 8)
    alone = model(mixed[4:5], LEVEL[4:5])[0]
    torch.testing.assert_close(model(mixed, LEVEL)[4], alone)
    assert not torch.allclose(model(mixed, LEVEL.flip(0))[4], alone)


def test_equal_weights_cannot_tell_patches_apart_that_others_read():
    """A change far away arrives; where it was made makes no difference."""
    model = MODELS["equal weights"](seed=0)
    with torch.no_grad():
        model.places.zero_()
    one, other = random(2, 8, 8)[0].repeat(2, 1, 1)
    one[0:2, 0:2], other[6:8, 6:8] = 3, 3
    one[6:8, 6:8], other[0:2, 0:2] = 1, 1
    level = torch.tensor([5])
    a, b = (model(x[None], level)[0, 2:4, 2:4] for x in (one, other))
    torch.testing.assert_close(a, b)


def test_training_lowers_the_loss_and_follows_the_seed():
    pictures = experiment.digits()[0][:200]
    settings = {"steps": 60, "learning_rate": 0.01}
    first, again, other = (
        diffusion.train(
            MODELS["perceptron"](seed=0), pictures, seed=seed, **settings
        )
        for seed in (0, 0, 1)
    )
    assert first == again != other
    assert np.mean(first[-10:]) < 0.7 * np.mean(first[:10])


def test_training_stops_where_the_loss_is_not_finite():
    losses = diffusion.train(
        MODELS["perceptron"](seed=0),
        torch.full((4, 8, 8), torch.inf),
        steps=5,
        learning_rate=0.1,
        seed=0,
    )
    assert len(losses) == 1


# What was recorded


@pytest.fixture(scope="module")
def run():
    return load_recording("denoiser")


def test_every_model_learned_longer_at_its_best_rate(run):
    best, seeds = chosen(run["records"]), run["recorded"]["seeds"]
    assert [(r["model"], r["learning_rate"]) for r in run["longer"]] == [
        (m, best[m][0]["learning_rate"]) for m in MODELS for _ in seeds
    ]


def test_attention_wins_at_levels_that_follow_each_other(run):
    linear = np.array(run["unlearned"]["linear map"][0]["by_level"])
    ahead = experiment._by_level(run, "attention").max(0) < linear
    levels = np.flatnonzero(ahead)
    assert len(levels) and (np.diff(levels) == 1).all()


def test_what_learns_nothing_was_measured_as_it_is_now(run):
    for name, way in experiment.unlearned().items():
        now = experiment.measure(way, pictures=False)
        for entry in run["unlearned"][name]:
            assert entry["error"] == pytest.approx(now["error"], abs=2e-4)
            assert len(entry["by_level"]) == LEVELS


def test_copies_are_known_as_copies(run):
    for entry in run["unlearned"]["training pictures"]:
        assert entry["nearest"] < 0.01


def test_the_tests_own_pictures_are_as_near_as_they_are():
    tested = experiment.digits()[2]
    assert experiment._judged(tested)["nearest"] == 1


def test_crowds_are_told_apart_and_twins_are_not():
    tested = experiment.digits()[2]
    assert experiment.told_apart(torch.ones(500, 8, 8)) > 0.99
    assert experiment.told_apart(tested) < 0.01  # nearest is its own twin
    mirrored = tested.flip(-1)
    assert 0.5 < experiment.told_apart(mirrored) < 0.99


def test_noise_is_told_apart_from_digits(run):
    assert run["noise"]["told_apart"] > max(run["real"]["told_apart"])


def test_a_slice_runs_again():
    first, again = (
        experiment.run_one("attention", 0.003, 0, 3) for _ in range(2)
    )
    assert first == again
    assert unpack_array(first["example"]).shape == (9, 8, 8)
