"""The ledger of claims, and what a cell prints and sends when it reports."""

import doctest
import importlib
import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from attn_course import claims
from attn_course.claims import numbers
from attn_course.claims.chapters import Claim, read_section
from attn_course.handover import MIME

ROOT = Path(__file__).parents[2]
CLAIMS = [claim for part in claims.ledger() for claim in part.claims]
COMPLETE = {
    "id": "3.x",
    "statement": "A claim.",
    "kind": "measured",
    "verdict": "holds",
    "where": "notebooks/x",
    "values": {"a": "a number"},
}


@pytest.fixture
def sent(monkeypatch):
    """Catch what a cell displays."""
    caught = []

    def display(bundle, raw):
        # Another program shows the text: without one it complains.
        assert raw and bundle["text/plain"] == ""
        # What can't be written as JSON would not reach the website.
        caught.append(json.loads(json.dumps(bundle, allow_nan=False))[MIME])

    monkeypatch.setattr("IPython.display.display", display)
    return caught


# --- The ledger -----------------------------------------------------------


def test_the_examples_run():
    result = doctest.testmod(numbers)
    assert result.failed == 0
    assert result.attempted >= 5


def test_each_claim_stands_once_and_is_found_by_its_id():
    ids = [claim.id for claim in CLAIMS]
    assert len(set(ids)) == len(ids) >= 10
    for claim in CLAIMS:
        assert claims.look_up(claim.id) is claim


def test_sections_come_in_the_order_of_the_article():
    found = [float(part.number) for part in claims.ledger()]
    assert found == sorted(set(found))


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.id)
def test_a_claim_names_places_and_sources_that_exist(claim):
    page = claim.where.partition("#")[0]
    if page:
        assert any(
            (ROOT / f"{page}{end}").is_file() for end in (".md", ".ipynb")
        )
    bibliography = (ROOT / "book" / "references.bib").read_text("utf-8")
    for key in claim.cite:
        assert f"{{{key}," in bibliography


@pytest.mark.parametrize(
    "change, message",
    [
        ({"kind": "guessed"}, "expected kind to be one of measured, derived"),
        ({"verdict": "maybe"}, "expected verdict to be one of holds, holds"),
        ({"values": {}}, "expected `values` for a claim that is measured"),
        ({"where": ""}, "expected `where` for a claim that is measured"),
        ({"statement": ""}, "expected `statement`"),
        ({"verdict": "does not hold"}, "expected `because`"),
        ({"verdict": "holds within limits"}, "expected `because`"),
        ({"kind": "derived"}, "expected `because` for a claim .* derived"),
        ({"kind": "cited"}, "expected `cite` for a claim that is cited"),
    ],
)
def test_an_incomplete_claim_is_refused(change, message):
    assert Claim(**COMPLETE).id == "3.x"
    with pytest.raises(ValueError, match=rf"claim 3\.x: .*{message}"):
        Claim(**{**COMPLETE, **change})


@pytest.mark.parametrize("name", ["4.x", "x", "3.x.y"])
def test_an_id_begins_with_its_section(name):
    content = {"section": "3", "title": "T", "claims": [COMPLETE]}
    assert read_section(content).claims[0].id == "3.x"
    content["claims"] = [{**COMPLETE, "id": name}]
    with pytest.raises(ValueError, match=r"expected an id like 3\.name"):
        read_section(content)


def test_an_id_stands_once():
    content = {"section": "3", "title": "T", "claims": [COMPLETE, COMPLETE]}
    with pytest.raises(ValueError, match=r"\['3\.x'\] twice"):
        read_section(content)


@pytest.mark.parametrize("name", ["3.tye", "3.tie.weight", "tie", ""])
def test_an_unknown_id_lists_near_ones(name):
    with pytest.raises(ValueError, match=r"such as .*3\.tie.*got") as caught:
        claims.look_up(name)
    assert repr(name) in str(caught.value)


# --- Numbers --------------------------------------------------------------


@pytest.mark.parametrize(
    "value, text",
    [
        (0.333333, "0.333"),
        (0.71, "0.71"),
        (1, "1"),
        (1024, "1,024"),
        (0, "0"),
        (0.0, "0"),
        (-0.5, "−0.5"),
        (12345.6, "12,346"),
        (0.0000123, "1.23 × 10⁻⁵"),
        ("[CLS]", "[CLS]"),
        ("all-MiniLM", "all-MiniLM"),
    ],
)
def test_numbers_are_readable(value, text):
    assert claims.readable(value) == text


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_readable_number_is_right_to_three_digits(number):
    text = claims.readable(number).replace(",", "").replace("−", "-")
    mantissa, _, power = text.partition(" × 10")
    down = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")
    back = float(f"{mantissa}e{power.translate(down) or 0}")
    assert math.isclose(back, number, rel_tol=0.005)


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=9))
def test_a_list_becomes_its_mean_between_smallest_and_largest(each):
    value = claims.measured(each)
    assert value["min"] == min(each) and value["max"] == max(each)
    slack = 1e-9 * (1 + max(map(abs, each)))
    assert value["min"] - slack <= value["mean"] <= value["max"] + slack
    assert value["each"] == each
    assert claims.show(value, field="seeds") == str(len(each))


@pytest.mark.parametrize(
    "each, text",
    [
        ([0.69, 0.71, 0.73], "0.71 (0.69 to 0.73 over 3 seeds)"),
        ([0.99, 1.0, 1.02], "1.00 (0.99 to 1.02 over 3 seeds)"),
        ([-0.01, 0.0, 0.02], "0.00 (−0.01 to 0.02 over 3 seeds)"),
        ([-0.02, 0.0, 0.019], "0.00 (−0.02 to 0.02 over 3 seeds)"),
        ([0.5, 0.5, 0.5], "0.5 (0.5 to 0.5 over 3 seeds)"),
        ([0.0, 0.0], "0 (0 to 0 over 2 seeds)"),
        ([1e-5, 3e-5], "2.00 × 10⁻⁵ (1.00 × 10⁻⁵ to 3.00 × 10⁻⁵"
         " over 2 seeds)"),
        ([1000, 3000], "2,000 (1,000 to 3,000 over 2 seeds)"),
    ],
)  # fmt: skip
def test_a_spread_shows_the_digits_that_differ(each, text):
    value = claims.measured(each)
    assert claims.show(value, field="spread") == text
    assert claims.show(value) == text.partition(" (")[0]


def test_a_format_and_a_field_can_be_chosen():
    value = claims.measured([0.25, 0.5, 0.75])
    assert claims.show(value, ".0%") == "50%"
    assert claims.show(value, ".3f", "min") == "0.250"
    assert claims.show(value, field="max") == "0.8"
    assert claims.show(1e-7, ".0e") == "1 × 10⁻⁷"


def test_a_format_or_field_that_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="reported without seeds"):
        claims.show(0.5, field="spread")
    with pytest.raises(ValueError):
        claims.show(0.5, "nonsense")
    with pytest.raises(ValueError):
        claims.show("a word", ".2f")


# --- Reports --------------------------------------------------------------


def test_a_report_is_printed_and_sent(sent, capsys):
    claims.report("3.tie", score=1, weight=1 / 3)
    assert capsys.readouterr().out == "claim 3.tie: score 1, weight 0.333\n"
    assert sent == [
        {
            "kind": "claim",
            "id": "3.tie",
            "values": {"score": 1, "weight": 1 / 3},
        }
    ]


def test_a_value_may_come_from_several_seeds(sent, capsys):
    claims.report(
        "3.scaling-size", seeds=[0, 1, 2], slope=[0.9, 1.0, 1.1], scale=0.5
    )
    printed = capsys.readouterr().out
    assert "slope 1.0 (0.9 to 1.1 over 3 seeds), scale 0.5" in printed
    [content] = sent
    assert content["seeds"] == [0, 1, 2]
    assert content["values"]["slope"]["each"] == [0.9, 1.0, 1.1]


@pytest.mark.parametrize("library", ["numpy", "torch"])
def test_arrays_and_tensors_are_numbers_too(sent, library):
    module = importlib.import_module(library)
    one = module.ones(3)
    claims.report("3.tie", seeds=range(3), a=one[0], b=one, c=one[0] > 0)
    values = sent[0]["values"]
    assert values["a"] == 1 and values["b"]["each"] == [1, 1, 1]
    assert values["c"] == "yes"
    assert sent[0]["seeds"] == [0, 1, 2]


@pytest.mark.parametrize(
    "values, message",
    [
        ({}, "expected values, got none"),
        ({"a": math.nan}, r"3\.tie, a: expected a finite number"),
        ({"a": np.float32("inf")}, r"3\.tie, a: expected a finite number"),
        ({"a": None}, "expected a finite number, a word"),
        ({"a": []}, "expected one number for each seed"),
        ({"a": [[1, 2]]}, "expected one number for each seed"),
        ({"a": ["x"]}, "expected one number for each seed"),
        ({"a": [1, 2]}, r"one seed for each of 2 numbers, got None"),
        ({"a": [1, 2], "seeds": [0]}, r"of 2 numbers, got \[0\]"),
    ],
)
def test_what_is_no_measurement_is_refused(sent, values, message):
    with pytest.raises(ValueError, match=message):
        claims.report("3.tie", **values)
    assert sent == []


def test_an_unknown_claim_is_refused(sent):
    with pytest.raises(ValueError, match=r"such as .*3\.tie"):
        claims.report("3.tye", weight=1)
    assert sent == []


def test_what_is_recorded_travels_with_its_command():
    values = {"sgd_gap": [0.5, 0.7], "runs": 36}
    content = claims.report_of(
        "3.scaling-training", values, [0, 1], "attn-course experiments"
    )
    assert content["recorded"] == "attn-course experiments"
    assert content["seeds"] == [0, 1]
    assert content["values"]["sgd_gap"]["mean"] == pytest.approx(0.6)
    with pytest.raises(ValueError, match="one seed for each of 2 numbers"):
        claims.report_of("3.scaling-training", values)
