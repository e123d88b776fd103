"""Acuity, blur and sharp places: laws, vectors, bad input."""

import numpy as np
import pytest
import shared_vectors
from hypothesis import given
from hypothesis import strategies as st

from attn_course.perception import foveation
from attn_course.perception.foveation import (
    E2,
    MAR0,
    blur_radius,
    eccentricity,
    fixations_needed,
    foveate,
    gaussian_blur,
    minimum_angle,
    pixels_per_degree,
    sharp,
    sharp_fraction,
)

VECTORS = shared_vectors.load("seeing")
CENTRE = np.array([[0.5, 0.5]])
places = st.lists(
    st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=6
)


def test_vectors_are_what_the_loops_give():
    module = shared_vectors.maker("seeing")
    assert module.make() == VECTORS


@pytest.mark.parametrize("case", VECTORS["law"])
def test_the_law_agrees_with_the_vectors(case):
    e, scale = case["eccentricity"], case["scale"]
    sigma = blur_radius(e, scale)
    assert minimum_angle(e) == pytest.approx(case["minimum_angle"], abs=1e-9)
    assert sigma == pytest.approx(case["blur_radius"], abs=1e-9)
    level = np.interp(sigma, foveation.LEVELS, range(len(foveation.LEVELS)))
    assert level == pytest.approx(case["level"], abs=1e-9)


@pytest.mark.parametrize("case", VECTORS["sharp"])
def test_sharp_places_agree_with_the_vectors(case):
    shape = (case["height"], case["width"])
    path, degrees = np.array(case["places"]), case["degrees"]
    assert sharp_fraction(shape, path, degrees) == case["fraction"]
    for each in case["boxes"]:
        needed = fixations_needed(each["box"], shape, path, degrees)
        assert needed == each["needed"]


@pytest.mark.parametrize("case", VECTORS["blur"])
def test_the_blur_agrees_with_the_vectors(case):
    blurred = gaussian_blur(np.array(case["picture"]), case["sigma"])
    np.testing.assert_allclose(blurred, case["blurred"], atol=1e-12)


def test_acuity_halves_at_e2_and_the_published_model_is_met():
    assert minimum_angle(E2) == pytest.approx(2 * MAR0)
    # Geisler and Perry (1998), equation 2: the highest frequency that is
    # visible at eccentricity e is e2 ln(1/CT0) / (alpha (e + e2)).
    e = np.array([0.0, 5.0, 20.0])
    frequency = 2.3 * np.log(64) / (0.106 * (e + 2.3))  # cycles per degree
    theirs = 1 / (2 * frequency)
    ours = minimum_angle(e, mar0=theirs[0])
    np.testing.assert_allclose(ours, theirs, rtol=1e-12)


def test_the_finest_visible_stripes_all_but_vanish():
    # Long stripes, each of their bars as wide as the angle seen there.
    scale, e = 60.0, 9 * E2  # pixels for each degree; 10 MAR0
    bar = minimum_angle(e) * scale  # 10 pixels
    stripes = np.sin(np.pi * np.arange(400) / bar)[None, :].repeat(8, 0)
    blurred = gaussian_blur(stripes, blur_radius(e, scale))
    contrast = np.abs(blurred[4, 100:300]).max()
    # The kernel is cut off at 3 σ, which leaves a little more than 1/64.
    assert contrast == pytest.approx(1 / 64, abs=0.004)
    twice = np.sin(np.pi * np.arange(400) / bar / 2)[None, :].repeat(8, 0)
    kept = gaussian_blur(twice, blur_radius(e, scale))[4, 100:300]
    assert np.abs(kept).max() > 0.3


@given(places, st.floats(5, 80))
def test_another_fixation_never_takes_sharpness_away(path, degrees):
    path = np.array(path)
    shape = (20, 30)
    scale = pixels_per_degree(30, degrees)
    few = eccentricity(shape, path[:1], scale)
    all_of_them = eccentricity(shape, path, scale)
    assert (all_of_them <= few).all()
    assert sharp(shape, path, degrees)[sharp(shape, path[:1], degrees)].all()


@given(st.floats(10, 60))
def test_the_sharp_part_is_the_disc_of_radius_e2(degrees):
    expected = np.pi * (E2 / degrees) ** 2
    got = sharp_fraction((400, 400), CENTRE, degrees)
    assert got == pytest.approx(expected, rel=0.03)


def test_a_flat_picture_stays_flat_and_light_is_kept():
    flat = np.full((12, 16, 3), 0.3)
    np.testing.assert_allclose(foveate(flat, CENTRE, 40.0), flat)
    picture = np.random.default_rng(0).random((12, 16))
    before = picture.copy()
    seen = foveate(picture, CENTRE, 40.0)
    np.testing.assert_array_equal(picture, before)
    assert picture.min() <= seen.min() and seen.max() <= picture.max()


def test_blur_grows_away_from_the_fixation():
    noise = np.random.default_rng(0).normal(size=(80, 80))
    seen = foveate(noise, np.array([[0.0, 0.5]]), 2.0)
    spread = [part.std() for part in np.split(seen, 4, axis=1)]
    assert spread == sorted(spread, reverse=True)
    # Where a copy of exactly this blur exists, the mixture is that copy.
    scale = pixels_per_degree(80, 2.0)
    sigma = blur_radius(eccentricity((80, 80), CENTRE, scale), scale)
    assert sigma.min() > foveation.LEVELS[0]


def test_blurring_twice_adds_the_squares():
    picture = np.zeros((41, 41))
    picture[20, 20] = 1.0
    twice = gaussian_blur(gaussian_blur(picture, 1.5), 2.0)
    once = gaussian_blur(picture, 2.5)
    np.testing.assert_allclose(twice, once, atol=1e-3)
    assert gaussian_blur(picture, 0.0) is picture


def test_a_place_is_seen_from_its_edge_and_one_degree_beside():
    shape, box = (100, 100), (40, 40, 60, 60)  # 5 pixels for each degree

    def needed(x, y, **more):
        return fixations_needed(box, shape, np.array([[x, y]]), 20.0, **more)

    assert needed(0.5, 0.5) == needed(0.6, 0.4) == needed(0.65, 0.5) == 1
    assert needed(0.66, 0.5) is None
    assert needed(0.65, 0.65) is None  # √2 degrees from the corner
    assert needed(0.65, 0.65, margin=1.5) == 1
    assert needed(0.61, 0.5, margin=0.0) is None


@pytest.mark.parametrize("degrees", [0.0, -3.0, 180.0, np.nan])
def test_an_impossible_width_is_refused(degrees):
    with pytest.raises(ValueError, match="expected degrees within 0 and 180"):
        sharp_fraction((4, 4), CENTRE, degrees)


@pytest.mark.parametrize("path", [np.zeros((0, 2)), np.zeros(2), [[1.0]]])
def test_fixations_have_two_coordinates(path):
    with pytest.raises(ValueError, match=r"fixations of shape \(n, 2\)"):
        foveate(np.zeros((4, 4)), path, 20.0)
