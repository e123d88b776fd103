"""RecordedCurves in Python: numbers, states, bad input."""

import json

import numpy as np
import pytest
import shared_vectors
from bs4 import BeautifulSoup
from traitlets import TraitError

from attn_course.widgets import RecordedCurves

VECTORS = shared_vectors.load("curves")
MEASURES = {"token": "token accuracy", "loss": "loss"}


def widget(records=VECTORS["records"], **options):
    chosen = {"lines": "model", "measures": MEASURES, **options}
    return RecordedCurves(
        records, axis=("length", VECTORS["lengths"]), **chosen
    )


def test_vectors_are_what_the_loops_give():
    module = shared_vectors.maker("curves")
    fresh = module.make()
    assert fresh == {k: VECTORS[k] for k in fresh}
    assert module.source(fresh) == VECTORS["source"]


@pytest.mark.parametrize("case", VECTORS["cases"])
def test_the_curves_agree_with_the_vectors(case):
    shown = widget(**case["state"]).curves
    assert list(shown) == list(case["lines"])
    for line, points in case["lines"].items():
        for name in ("x", "mean", "low", "high"):
            expected = [p[name] for p in points]
            np.testing.assert_allclose(shown[line][name], expected, atol=1e-6)


def test_a_pick_keeps_the_others():
    w = widget(picks={"length": "5"})
    assert w.picks == {"hidden": "128", "length": "5"}
    w.picks = {"hidden": "32"}
    assert w.picks == {"hidden": "32", "length": "5"}


@pytest.mark.parametrize(
    ("trait", "bad", "message"),
    [
        ("picks", {"hidden": "64"}, r"hidden in \['32', '128'\], got '64'"),
        ("x", "seed", r"x in \['length', 'hidden'\]"),
        ("measure", "bleu", r"measure in \['token', 'loss'\]"),
    ],
)
def test_an_impossible_trait_is_refused(trait, bad, message):
    w = widget()
    before = getattr(w, trait)
    with pytest.raises(TraitError, match=message):
        setattr(w, trait, bad)
    assert getattr(w, trait) == before


RECORD = VECTORS["records"][0]


@pytest.mark.parametrize(
    ("records", "message"),
    [
        ([], "at least one record"),
        ([RECORD, RECORD], "got two for"),
        ([{**RECORD, "token": [1.0]}], "expected 3 numbers of token"),
        ([{**RECORD, "token": [1.0, 0.0, np.inf]}], "3 numbers of token"),
        ([{**RECORD, "token": "high"}], "token as real numbers, got str"),
        ([RECORD, {"model": "x"}], "expected 'hidden' in each record"),
    ],
)
def test_bad_records_say_what_was_expected(records, message):
    with pytest.raises(ValueError, match=message):
        widget(records)


@pytest.mark.parametrize("gap", [None, float("nan"), np.float32("nan")])
def test_what_could_not_be_measured_is_a_gap(gap):
    """And numbers of NumPy travel as JSON knows them."""
    runs = [
        {"model": np.str_("a"), "seed": np.int64(s), "loss": [0.5, gap, s]}
        for s in range(2)
    ]
    w = RecordedCurves(
        runs,
        axis=("length", np.array([1, 2, 4])),
        lines="model",
        measures={"loss": "loss"},
    )
    assert w.curves["a"]["x"] == [1, 4]
    assert w.curves["a"]["mean"] == [0.5, 0.5]
    soup = BeautifulSoup(w.html(), "html.parser")
    state = json.loads(soup.find("attn-curves")["data-state"])
    values = state["source"]["measures"][0]["values"]
    assert values == [0.5, None, 0.0, 0.5, None, 1.0]


def test_lines_must_be_a_condition():
    with pytest.raises(ValueError, match=r"expected one of .*got 'colour'"):
        widget(lines="colour")


def test_without_scripts_there_is_a_table_that_says_what_is_missing():
    w = widget(picks={"hidden": "32"}, title="<i>hostile</i>")
    soup = BeautifulSoup(w.html(), "html.parser")
    assert soup.i is None
    rows = soup.select("tbody tr")
    assert [r.th.get_text() for r in rows] == ["fixed vector", "attention"]
    assert [c.get_text() for c in rows[1].select("td")] == ["–"] * 3
    first = w.curves["fixed vector"]
    expected = f"{first['mean'][0]:.2f} ({first['low'][0]:.2f} to"
    assert rows[0].td.get_text().startswith(expected)
