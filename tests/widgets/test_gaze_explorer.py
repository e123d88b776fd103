"""GazeExplorer in Python: its numbers, its table, bad input."""

import numpy as np
import pytest
import traitlets

from attn_course.data import load_photos
from attn_course.perception.foveation import sharp_fraction
from attn_course.perception.saliency import MAX_FIXATIONS
from attn_course.widgets import GazeExplorer


@pytest.fixture
def gaze():
    return GazeExplorer(["astronaut", "page"])


def test_it_brings_its_photos_as_assets(gaze):
    names = ["pictures/astronaut.jpg", "pictures/page.jpg"]
    assert gaze.asset_names() == names
    assert list(gaze.assets) == names
    assert gaze.assets[names[0]].startswith("data:image/jpeg;base64,")
    assert "base64" not in gaze.html()


def test_all_photos_are_there_unless_some_are_named():
    gaze = GazeExplorer()
    assert [p["name"] for p in gaze.source["photos"]] == list(load_photos())


def test_what_is_shown_follows_the_state(gaze):
    np.testing.assert_array_equal(gaze.fixations, [[0.5, 0.5]])
    gaze.path, gaze.step = "saliency", 4
    np.testing.assert_array_equal(gaze.fixations, gaze.paths["saliency"][:4])
    gaze.path, gaze.own = "your own", [0.1, 0.2, 0.3, 0.4]
    expected = [[0.1, 0.2], [0.3, 0.4], [0.5, 0.5]]
    np.testing.assert_array_equal(gaze.fixations, expected)
    assert gaze.sharp_fraction == sharp_fraction(
        (512, 512), np.array(expected), 20.0
    )
    gaze.x, gaze.y = 0.3, 0.4
    np.testing.assert_array_equal(gaze.fixations, expected[:2])
    gaze.picture = "page"
    assert gaze.photo.shape == (191, 384)


def test_a_longer_path_shows_more(gaze):
    gaze.path = "saliency"
    parts = []
    for gaze.step in range(1, MAX_FIXATIONS + 1):
        parts.append(gaze.sharp_fraction)
    assert parts == sorted(parts) and parts[0] < parts[-1]


def test_a_miss_is_a_miss(gaze):
    ways = {"saliency", "centre first", "random"}
    for by_way in gaze.needed.values():
        assert set(by_way) == ways
        assert all(
            n is None or 1 <= n <= MAX_FIXATIONS for n in by_way.values()
        )
    found = [n for by_way in gaze.needed.values() for n in by_way.values()]
    assert None in found
    assert found.count(None) == gaze.table().count("<td>never</td>")
    gaze.own = [0.44, 0.26]
    assert gaze.needed["her face"]["your own"] == 1
    assert gaze.needed["name tag"]["your own"] is None


def test_html_has_the_state_and_a_table(gaze):
    text = gaze._repr_mimebundle_()[0]["text/html"]
    assert text.startswith('<attn-gaze data-state="')
    assert "<table><caption>Astronaut, 20° wide" in text
    assert set(gaze._reader) <= set(GazeExplorer.class_trait_names(sync=True))


@pytest.mark.parametrize("pictures", [["lena"], []])
def test_an_unknown_photo_lists_those_there_are(pictures):
    with pytest.raises(ValueError, match=r"expected pictures among .*coffee"):
        GazeExplorer(pictures)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("picture", "coffee", "expected picture among"),
        ("path", "best", "expected path among"),
        ("own", [0.5], "expected own as x, y"),
        ("own", [1.5, 0.5], "1.5"),
        ("own", [0.5] * 32, "own"),
        ("x", -0.1, "x"),
        ("degrees", 4.0, "degrees"),
        ("step", 16, "step"),
    ],
)
def test_an_impossible_state_is_refused(gaze, name, value, message):
    before = getattr(gaze, name)
    with pytest.raises(traitlets.TraitError, match=message):
        setattr(gaze, name, value)
    assert getattr(gaze, name) == before
