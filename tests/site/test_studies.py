"""Studies on pages, and verdicts that follow the rules of evidence."""

import dataclasses
from typing import ClassVar

import pytest

from attn_course import claims, figures
from attn_course.experiments.rules import Broken, blocks
from attn_course.experiments.study import Study
from attn_course.site import studies as pages
from attn_course.site import verdicts

CLAIMS = [claim for part in claims.ledger() for claim in part.claims]


class Fake(Study):
    """A study that needs no file."""

    recording: ClassVar = {"y": [1.0, 2.0], "recorded": {"seeds": [0]}}


def line(recording):
    y = recording["y"]
    return figures.curves([*range(len(y))], {"a": y}, xlabel="x", ylabel="y")


def fake(**more):
    study = Fake("fake", 3, "Why?", "Because.", **more)
    study.figure("A line that rises.")(line)
    return study


def test_a_figure_is_drawn_once_and_again_when_the_recording_changes(tmp_path):
    study = fake()
    path = pages.draw(study, "line", tmp_path)
    drawn = path.read_text("utf-8")
    assert drawn.startswith('<figure class="attn-chart" role="img" ')
    assert 'aria-label="A line that rises."' in drawn
    assert "<style" not in drawn and "data-unsaid" not in drawn
    first = path.stat().st_mtime_ns
    assert pages.draw(study, "line", tmp_path) == path
    assert path.stat().st_mtime_ns == first
    study.recording = {**study.recording, "y": [1.0, 3.0]}
    other = pages.draw(study, "line", tmp_path)
    assert other != path
    assert other.read_bytes() != path.read_bytes()


def test_a_figure_that_is_not_there_names_those_that_are(tmp_path):
    with pytest.raises(ValueError, match="such as line; got 'lines'"):
        pages.draw(fake(), "lines", tmp_path)


@pytest.mark.parametrize(
    "rule, verdict, arms, expected",
    [
        ("converged", "does not hold", 1, True),
        ("converged", "holds", 1, False),
        ("converged", "holds", 2, True),
        ("inside the grid", "holds", 1, True),
        ("complete", "holds within limits", 1, True),
        ("baselines", "does not hold", 2, True),
    ],
)
def test_what_a_broken_rule_blocks(rule, verdict, arms, expected):
    study = fake(arms={"model": ["a", "b"][:arms]}, chosen_by="loss")
    assert blocks(study, Broken(rule, "…"), verdict) is expected


@pytest.fixture
def resting(monkeypatch):
    """Let a claim rest on a study that tuned at the edge of its grid."""
    study = fake(
        arms={"model": ["a"]},
        sweep={"rate": [0.1, 0.3, 1.0]},
        seeds=1,
        chosen_by="loss",
        baseline="uniform",
    )
    records = [
        {
            "model": "a",
            "rate": rate,
            "seed": 0,
            "loss": loss,
            "history": [2.0, 1.0, *[loss] * 20],
        }
        for rate, loss in ((0.1, 0.5), (0.3, 0.2), (1.0, 0.4))
    ]
    study.recording = {
        "records": records,
        "baselines": {"uniform": 2.0},
        "recorded": {"seeds": [0]},
    }
    monkeypatch.setattr(verdicts, "_resting", lambda: {"3.tie": [study]})
    return study


def test_a_claim_whose_study_keeps_the_rules_keeps_its_verdict(resting):
    claim = claims.look_up("3.tie")
    found = verdicts.verdict_of(claim)
    assert (found.text, found.open, found.notes) == (claim.verdict, [], [])


def test_a_claim_whose_study_breaks_a_rule_is_not_settled(resting):
    resting.recording["records"][2]["loss"] = 0.1
    found = verdicts.verdict_of(claims.look_up("3.tie"))
    assert found.text == "not settled"
    assert found.css == "attn-not-settled"
    assert "rate 1.0, the edge" in found.open[0]


def test_nothing_fails_to_hold_over_training_that_was_not_over(resting):
    claim = dataclasses.replace(
        claims.look_up("3.tie"), verdict="does not hold", because="…"
    )
    assert verdicts.verdict_of(claim).text == "does not hold"
    resting.recording["records"][1]["history"] = [2.0, 1.0, 0.8, 0.6, 0.4, 0.2]
    assert verdicts.verdict_of(claim).text == "not settled"


def test_a_missing_curve_is_a_note_where_nothing_is_compared(resting):
    del resting.recording["records"][1]["history"]
    claim = claims.look_up("3.tie")
    found = verdicts.verdict_of(claim)
    assert found.text == claim.verdict
    assert found.notes == ["fake: every arm: convergence not recorded"]


def test_every_claim_of_a_study_is_in_the_ledger():
    known = {claim.id for claim in CLAIMS}
    for study in verdicts.studies().values():
        assert set(study.claims) <= known, study.name


def test_a_study_inherits_the_rules_that_its_sources_break(
    resting, monkeypatch
):
    source = fake(trains=True, seeds=0)
    source.recording = {"recorded": {"seeds": []}}
    monkeypatch.setattr(verdicts, "studies", lambda: {"source": source})
    claim = claims.look_up("3.tie")
    resting.rests_on = ["source"]
    found = verdicts.verdict_of(claim)
    assert found.text == "not settled"
    assert found.open[0] == (
        "fake: one setting only was tried, set beforehand"
    )
