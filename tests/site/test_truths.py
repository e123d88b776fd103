"""What guesses are held against: numbers of recordings, never typed."""

from types import SimpleNamespace

import pytest

from attn_course.experiments import studies
from attn_course.site.truths import Truth, measured_over, read_truth


@pytest.mark.parametrize(
    ("text", "truth"),
    [
        ("a-b loss", ("a-b", "loss", "", {})),
        ("a loss over d", ("a", "loss", "d", {})),
        ("a loss where d=4", ("a", "loss", "", {"d": "4"})),
        (
            " a loss over d where scale=1/√d, init = unit",
            ("a", "loss", "d", {"scale": "1/√d", "init": "unit"}),
        ),
    ],
)
def test_a_truth_is_taken_apart(text, truth):
    assert read_truth(text) == Truth(*truth)


@pytest.mark.parametrize("text", ["", "a", "a b c", "a loss where d"])
def test_a_truth_that_is_none_says_what_one_is(text):
    with pytest.raises(ValueError, match=r"such as 3\.tie\.weight"):
        read_truth(text)


def study():
    added = [("a", 0), ("b", 10)]
    runs = [
        {"d": d, "seed": s, "scale": scale, "loss": d + s + more}
        for d in (1, 2) for s in (0, 2) for scale, more in added
    ]  # fmt: skip
    given = {
        "name": "made-up", "arms": {"d": [1, 2], "scale": ["a", "b"]},
        "sweep": {}, "chosen_by": None, "recording": {"records": runs},
    }  # fmt: skip
    return SimpleNamespace(**given)


def test_a_curve_is_the_mean_over_seeds():
    truth = read_truth("made-up loss over d where scale=a")
    assert measured_over(study(), truth) == {1: 2.0, 2: 3.0}


def test_one_number_has_no_axis():
    truth = read_truth("made-up loss where scale=b, d=2")
    assert measured_over(study(), truth) == {"": 13.0}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("made-up loss over d", "differ in their seed alone.*for scale"),
        ("made-up los where d=1", "expected 'los' among .*: d, seed, scale"),
        ("made-up loss over e where d=1", "expected 'e' among"),
        ("made-up loss where d=9", "with {'d': '9'}, got none"),
    ],
)
def test_what_is_no_mean_over_seeds_is_refused(text, message):
    with pytest.raises(ValueError, match=message):
        measured_over(study(), read_truth(text))


def test_a_swept_study_counts_with_its_best_setting():
    """The best rate is as good as, or better than, any other one."""
    swept = studies()["root-d"]
    where = "where score=q·k, init=unit, optimiser=adam"
    text = f"root-d {swept.chosen_by} over d {where}"
    best = measured_over(swept, read_truth(text))
    assert list(best) == list(swept.arms["d"])
    for run in swept.recording["records"]:
        fits = (run["score"], run["init"], run["optimiser"]) == (
            "q·k", "unit", "adam",
        )  # fmt: skip
        if fits:
            alike = [
                one[swept.chosen_by] for one in swept.recording["records"]
                if all(one[k] == run[k] for k in
                       ("d", "score", "init", "optimiser", "learning_rate"))
            ]  # fmt: skip
            assert best[run["d"]] <= sum(alike) / len(alike) + 1e-12
