"""Models of saliency and the paths that follow them; the photographs."""

import sys

import numpy as np
import pytest

from attn_course.data import asset_names, load_asset, load_photos
from attn_course.perception.foveation import E2, fixations_needed
from attn_course.perception.saliency import (
    CELLS,
    MAX_FIXATIONS,
    centre_map,
    itti_koch,
    map_shape,
    random_map,
    scan_path,
    scan_paths,
    spectral_residual,
)

PHOTOS = load_photos()
MODELS = [itti_koch, spectral_residual]


def odd_one_out(colour=False):
    """Draw upright bars on grey, one of them lying down or of its own hue."""
    picture = np.full((240, 320, 3), 0.5)
    for i, row in enumerate(range(20, 240, 50)):
        for j, column in enumerate(range(20, 320, 50)):
            odd = (i, j) == (1, 4)
            tall = colour or not odd
            h, w = (16, 5) if tall else (5, 16)
            part = np.s_[row - h : row + h, column - w : column + w]
            # Equally bright, so that only the hue tells.
            red, green = (0.6, 0.1, 0.2), (0.1, 0.6, 0.2)
            picture[part] = (red if odd else green) if colour else 0.9
    return picture, (220, 70)


@pytest.mark.parametrize("colour", [False, True])
def test_itti_and_koch_find_the_odd_one_out_first(colour):
    picture, (x, y) = odd_one_out(colour)
    (first,) = scan_path(itti_koch(picture), 20.0, count=1)
    assert np.hypot(first[0] * 320 - x, first[1] * 240 - y) < 25


@pytest.mark.parametrize("model", MODELS)
def test_a_lone_spot_is_found(model):
    picture = np.full((120, 160), 0.4)
    picture[30:42, 110:122] = 0.9
    (first,) = scan_path(model(picture), 20.0, count=1)
    assert np.hypot(first[0] * 160 - 116, first[1] * 120 - 36) < 12


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("shape", [(30, 50), (64, 20, 3), (9, 9)])
def test_a_map_is_finite_not_negative_and_40_cells_long(model, shape):
    picture = np.random.default_rng(0).random(shape)
    before = picture.copy()
    saliency = model(picture)
    np.testing.assert_array_equal(picture, before)
    assert saliency.shape == map_shape(shape)
    assert max(saliency.shape) == CELLS
    assert np.isfinite(saliency).all() and saliency.min() >= 0


def test_an_even_picture_has_nothing_salient():
    assert itti_koch(np.full((40, 40, 3), 0.5)).max() == 0.0
    assert itti_koch(np.zeros((40, 40))).max() == 0.0


def test_the_spectral_residual_sees_no_colour():
    picture, _ = odd_one_out(colour=True)
    grey = picture.mean(axis=-1)
    np.testing.assert_allclose(
        spectral_residual(picture), spectral_residual(grey), atol=1e-9
    )


def test_no_place_is_visited_twice_while_others_are_open():
    saliency = np.random.default_rng(0).random((30, 40))
    path = scan_path(saliency, 20.0)
    assert path.shape == (MAX_FIXATIONS, 2)
    degrees = path * (20.0, 15.0)
    apart = np.linalg.norm(degrees[:, None] - degrees, axis=-1)
    assert apart[~np.eye(MAX_FIXATIONS, dtype=bool)].min() > E2


def test_a_small_picture_is_looked_at_again():
    path = scan_path(np.arange(12.0).reshape(3, 4), 2.0, count=3)
    np.testing.assert_array_equal(path, [path[0]] * 3)


def test_the_centre_comes_first_and_then_what_is_near():
    for seed in range(5):
        rng = np.random.default_rng(seed)
        path = scan_path(centre_map((300, 300), rng), 20.0)
        distance = np.linalg.norm(path - 0.5, axis=1)
        assert distance[0] < 0.06
        assert distance[1:8].mean() < distance[8:].mean()


def test_chance_differs_between_seeds_and_not_within_one():
    one, other = (
        scan_path(random_map((50, 50), np.random.default_rng(seed)), 20.0)
        for seed in (0, 1)
    )
    assert not np.allclose(one, other)
    again = scan_path(random_map((50, 50), np.random.default_rng(0)), 20.0)
    np.testing.assert_array_equal(one, again)


@pytest.mark.parametrize(
    "saliency", [np.zeros(4), np.zeros((0, 3)), np.array([[np.nan]])]
)
def test_a_bad_map_is_refused(saliency):
    with pytest.raises(ValueError, match="expected a map in two dimensions"):
        scan_path(saliency, 20.0)


def test_paths_stay_inside_and_keep_their_length():
    paths = scan_paths(np.random.default_rng(0).random((40, 60, 3)), 20.0)
    assert list(paths) == ["saliency", "centre first", "random"]
    for path in paths.values():
        assert path.shape == (MAX_FIXATIONS, 2)
        assert 0 < path.min() and path.max() < 1


@pytest.mark.parametrize("photo", PHOTOS.values(), ids=list(PHOTOS))
def test_each_photo_is_what_is_said_of_it(photo):
    pixels = photo.pixels()
    assert pixels.shape[:2] == photo.shape
    assert 0 <= pixels.min() < pixels.max() <= 1
    assert photo.asset in asset_names()
    assert len(load_asset(photo.asset)) < 70_000
    assert len(photo.alt) > 40 and photo.credit
    for region in photo.regions:
        left, top, right, bottom = region.box
        assert 0 <= left < right <= photo.shape[1]
        assert 0 <= top < bottom <= photo.shape[0]


def test_there_are_several_places_of_each_kind():
    kinds = [r.kind for photo in PHOTOS.values() for r in photo.regions]
    counts = {kind: kinds.count(kind) for kind in set(kinds)}
    assert set(counts) == {"face", "red", "text"}
    assert min(counts.values()) >= 3 and len(kinds) == 16


@pytest.mark.parametrize("photo", PHOTOS.values(), ids=list(PHOTOS))
def test_places_marked_red_are_red(photo):
    for region in photo.regions:
        if region.kind == "red":
            left, top, right, bottom = region.box
            part = photo.pixels()[top:bottom, left:right]
            red = part[..., 0] - part[..., 1:].max(axis=-1) > 0.15
            assert red.mean() > 0.15, region.label


def test_without_pillow_the_message_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(ImportError, match=r"attn-course\[notebooks\]"):
        PHOTOS["camera"].pixels()


def test_what_the_page_says_of_the_models():
    """In the first second neither model finds more than chance does."""

    def share(maps):
        seen = [
            fixations_needed(
                region.box, photo.shape, scan_path(maps(photo), 20.0, 3), 20.0
            )
            for photo in PHOTOS.values()
            for region in photo.regions
        ]
        return np.mean([n is not None for n in seen])

    chance = [
        share(lambda p, s=s: random_map(p.shape, np.random.default_rng(s)))
        for s in range(20)
    ]
    for model in MODELS:
        assert share(lambda p, m=model: m(p.pixels())) < np.mean(chance)
