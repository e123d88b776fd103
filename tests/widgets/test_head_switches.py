"""HeadSwitches in Python: subsets of heads, state, bad input."""

import numpy as np
import pytest
import shared_vectors
import traitlets

from attn_course.data import load_recording, unpack_array
from attn_course.widgets import HeadSwitches

VECTORS = shared_vectors.load("heads")
HOSTILE = "</script><img src=x onerror=alert(1)>"
NAMES = ["x", "y"]


def switches_of(case, **options):
    return HeadSwitches(
        case["loss"],
        case["accuracy"],
        layers=case["layers"],
        heads=case["heads"],
        ways=NAMES,
        tests=NAMES,
        seeds=NAMES,
        **options,
    )


@pytest.mark.parametrize("case", VECTORS["switch"])
def test_subsets_are_ranked_as_the_vectors_say(case):
    for pick in case["picks"]:
        widget = switches_of(
            case,
            show=pick["show"],
            **{name: NAMES[pick[name]] for name in ("seed", "way", "test")},
        )
        for size, wanted in enumerate(pick["ranked"]):
            assert widget.ranked(size) == wanted
        for subset, value in enumerate(pick["values"]):
            widget.subset = subset
            assert widget.value(pick["show"]) == pytest.approx(value)


def test_heads_are_switched_by_a_mask():
    widget = switches_of(VECTORS["switch"][2])
    assert widget.keep.all()
    widget.keep = [[True, False], [False, True]]
    assert widget.subset == 0b1001
    np.testing.assert_array_equal(widget.keep, [[True, False], [False, True]])
    with pytest.raises(ValueError, match=r"shape \(2, 2\), got \(2,\)"):
        widget.keep = [True, False]


def test_the_recorded_subsets_are_shown():
    record = load_recording("head-subsets")
    widget = HeadSwitches.from_recording()
    for run, seed in zip(
        record["records"], widget.source["seeds"], strict=True
    ):
        for way in range(2):
            widget.set_trait("seed", seed)
            widget.way = widget.source["ways"][way]
            for name in ("loss", "accuracy"):
                wanted = unpack_array(run[name])[way, 0]
                for widget.subset in (0, 77, 255):
                    assert widget.value(name) == pytest.approx(
                        wanted[widget.subset], abs=0.001 + 1e-9
                    )


def test_hostile_words_stay_text_in_the_switches():
    widget = switches_of(VECTORS["switch"][0], title=HOSTILE)
    assert "<img" not in widget.html()


def test_the_table_names_best_and_worst_of_every_size():
    widget = switches_of(VECTORS["switch"][2], show="accuracy")
    table = widget.table()
    assert table.count("<tr>") == 1 + 5
    best, worst = widget.ranked(1)[0], widget.ranked(1)[-1]
    for subset in (best, worst):
        layer, head = divmod(subset.bit_length() - 1, 2)
        assert f"<td>{layer + 1}.{head + 1}</td>" in table


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"heads": 9}, "expected 1 to 10 heads in all, got 2 layers of 9"),
        ({"layers": 1.5}, "expected layers to be an integer, got 1.5"),
        (
            {"layers": -1, "heads": -4},
            "expected layers of at least 1, got -1",
        ),
        ({"heads": 1}, r"expected loss of shape \(2, 2, 2, 4\), got"),
        ({"loss": -np.ones((2, 2, 2, 16))}, "loss of at least 0, got -1"),
    ],
)
def test_bad_losses_say_what_was_expected_and_what_came(changes, message):
    with pytest.raises(ValueError, match=message):
        switches_of({**VECTORS["switch"][2], **changes})


@pytest.mark.parametrize(
    ("name", "value"),
    [("subset", 16), ("subset", -1), ("way", "z"), ("show", "all")],
)
def test_an_impossible_switch_changes_nothing(name, value):
    widget = switches_of(VECTORS["switch"][2])
    before = getattr(widget, name)
    with pytest.raises((ValueError, traitlets.TraitError)):
        setattr(widget, name, value)
    assert getattr(widget, name) == before
