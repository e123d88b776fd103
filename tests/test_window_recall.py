"""Recall through a window: episodes, the reader, the recording."""

import pytest
import torch

from attn_course import data, sparse
from attn_course.experiments import sparse_recall as experiment
from attn_course.window_recall import (
    VALUES,
    WindowReader,
    episodes,
    say,
    vocabulary,
)


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def reader(layers, window, length=12, marks=2):
    return WindowReader(
        layers,
        window,
        length=length,
        marks=marks,
        d_model=8,
        heads=2,
        d_ff=8,
        seed=0,
    )


@pytest.mark.parametrize("marks", [1, 3])
@pytest.mark.parametrize("distance", [None, 1, 5, 12])
def test_the_answer_is_the_value_of_the_mark_asked(marks, distance):
    (words,), targets = episodes(
        80, generator(), length=12, marks=marks, distance=distance
    )
    assert words.shape == (80, 13)
    assert words.max() < vocabulary(marks)
    for row, target in zip(words.tolist(), targets.tolist(), strict=True):
        *before, question = (say(w, marks=marks) for w in row)
        shown = dict(w.split("=") for w in before if "=" in w)
        assert len(shown) == sum("=" in w for w in before) == marks
        answer = f"{question[0]}={target}"
        assert answer in before
        if distance is not None:
            assert before[12 - distance] == answer


def test_marks_and_places_are_all_asked_for():
    (words,), targets = episodes(3000, generator(), length=6, marks=3)
    asked = words[:, -1] - 4 * VALUES
    place = (words[:, :-1] // VALUES == asked[:, None] + 1).int().argmax(1)
    for drawn, kinds in ((asked, 3), (place, 6), (targets, VALUES)):
        shares = torch.bincount(drawn, minlength=kinds) / 3000
        torch.testing.assert_close(
            shares, torch.full((kinds,), 1 / kinds), atol=0.04, rtol=0
        )


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="1 to 4 marks among 4 words, got 5"):
        episodes(1, generator(), length=4, marks=5)
    with pytest.raises(ValueError, match="from 1 to 4, got 5"):
        episodes(1, generator(), length=4, distance=5)


@pytest.mark.parametrize("layers, window", [(1, 3), (2, 3), (3, 2), (1, 12)])
def test_the_answer_depends_on_what_the_graph_reaches(layers, window):
    """With random weights, and without a look at the mask."""
    model = reader(layers, window)
    (words,), _ = episodes(1, generator(), length=12, marks=2)
    for place in range(13):
        other = words.clone()
        other[0, place] = (other[0, place] + 1) % VALUES
        same = torch.equal(model(words), model(other))
        back = 12 - place
        arrived = sparse.layers_until_arrival(
            [model.mask.numpy()] * layers, 12, place
        )
        assert same == (back > layers * window) == (arrived is None)


def test_windows_change_no_weight():
    narrow, wide = reader(2, 1), reader(2, 12)
    for a, b in zip(narrow.parameters(), wide.parameters(), strict=True):
        assert torch.equal(a, b)


# The recording


@pytest.fixture(scope="module")
def recording():
    return data.load_recording("sparse-recall")


def test_nothing_comes_from_further_than_the_graph_allows(recording):
    """Guessing is 1 in 8: 300 episodes spread by 0.02 around it."""
    beyond = [
        a
        for r in recording["records"] + recording["longer"]
        for a, d in zip(
            r["accuracy"], experiment.SETTINGS["distances"], strict=True
        )
        if d > r["reach"]
    ]
    assert len(beyond) > 100
    assert max(beyond) < 0.125 + 5 * 0.0191
    assert sum(beyond) / len(beyond) == pytest.approx(0.125, abs=0.005)
