"""FlashStepper in Python: its steps, its table, bad input."""

import html
import json
import re

import numpy as np
import pytest
import traitlets

from attn_course.flash.steps import steps
from attn_course.functional import attention
from attn_course.widgets import FlashStepper


def arrays(n_q=4, n_k=5, d_k=3, d_v=2):
    rng = np.random.default_rng(1)
    return [
        rng.normal(size=(n, d)).round(1)
        for n, d in ((n_q, d_k), (n_k, d_k), (n_k, d_v))
    ]


def test_its_steps_are_those_of_the_package():
    given = arrays()
    state = {"block_q": 3, "block_k": 2, "causal": True, "order": "keys"}
    stepper = FlashStepper(*given, **state)
    for one, other in zip(stepper.steps, steps(*given, **state), strict=True):
        assert one.tile == other.tile
        np.testing.assert_array_equal(one.output, other.output)
    whole = attention(*given, causal=True)
    np.testing.assert_allclose(stepper.steps[-1].normalized, whole, atol=1e-12)


def test_in_the_example_half_of_the_rows_need_the_factor():
    stepper = FlashStepper()
    assert stepper.wrong_rows == []
    stepper.broken = True
    assert len(stepper.wrong_rows) == 4
    assert stepper.steps[-1].errors[stepper.wrong_rows].min() > 0.4
    stepper.block_k = 8  # one tile of keys: nothing is ever rescaled
    assert stepper.wrong_rows == []


def test_the_element_carries_the_data_and_the_state():
    query, key, value = arrays()
    text = FlashStepper(query, key, value, step=2, block_k=1).html()
    found = re.search('state="([^"]*)"', text)[1]
    state = json.loads(html.unescape(found))
    assert state["source"]["query"] == query.tolist()
    assert state["source"]["value"] == value.tolist()
    assert state["state"] == {
        "step": 2,
        "block_q": 4,
        "block_k": 1,
        "causal": False,
        "order": "queries",
        "broken": False,
    }


def test_the_table_shows_the_result_beside_plain_attention():
    stepper = FlashStepper(broken=True)
    table = stepper.table()
    last = stepper.steps[-1]
    for q in (0, 7):
        cells = re.search(f"<th scope=.row.>q{q + 1}</th>(.*?)</tr>", table)[1]
        shown = re.findall("<td>(.*?)</td>", cells)
        for text, row in zip(
            shown[-2:], (last.normalized[q], last.expected[q]), strict=True
        ):
            assert text == ", ".join(f"{x:.2f}" for x in row)
    assert f"{last.read + last.written} bytes" in table
    assert "attention moves 1280" in table


def test_hostile_words_stay_words():
    assert "<script>" not in FlashStepper(title="<script>x").html()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"query": np.ones((17, 3))}, r"query of shape .*got \(17, 3\)"),
        ({"key": np.ones(3)}, r"key of shape .*got \(3,\)"),
        ({"value": np.ones((5, 3))}, r"value of shape .*got \(5, 3\)"),
        ({"query": np.full((4, 3), np.nan)}, "expected query within ±100"),
        ({"query": np.ones((4, 2))}, r"keys as long as queries.*\(4, 2\)"),
        ({"value": np.ones((4, 2))}, r"a value for each key.*\(4, 2\)"),
    ],
)
def test_vectors_that_do_not_fit_are_named(change, message):
    given = dict(zip(("query", "key", "value"), arrays(), strict=True))
    with pytest.raises(ValueError, match=message):
        FlashStepper(**{**given, **change})


@pytest.mark.parametrize(
    ("name", "value"),
    [("block_q", 9), ("block_k", 0), ("step", 65), ("order", "rows")],
)
def test_a_state_that_does_not_fit_is_refused(name, value):
    stepper = FlashStepper()
    with pytest.raises(traitlets.TraitError, match=name):
        setattr(stepper, name, value)
    with pytest.raises(traitlets.TraitError, match=name):
        FlashStepper(**{name: value})
