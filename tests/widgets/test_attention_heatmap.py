"""The heatmap in Python: its twin's numbers, its HTML, its bad input."""

import base64
import html
import json
import re
from html.parser import HTMLParser

import numpy as np
import pytest
import shared_vectors
import traitlets

from attn_course.data import load_recording, unpack_array
from attn_course.widgets import AttentionHeatmap

HOSTILE = "</script><img src=x onerror=alert(1)>"


def cases():
    return shared_vectors.load("heatmap")["cases"]


def widget_of(case):
    source = case["source"]
    kinds = ("scores", "query", "key", "weights", "value")
    arrays = {k: unpack_array(source[k]) for k in kinds if source[k]}
    if source["mask"]:
        arrays["mask"] = unpack_array(source["mask"]).astype(bool)
    d_k = None if source["query"] else source["d_k"]
    state = dict(case["state"])
    if d_k is None and source["query"] is None:
        state["scaled"] = False
    return AttentionHeatmap(
        source["query_tokens"],
        key_tokens=source["key_tokens"],
        axes={a["name"]: a["labels"] for a in source["axes"]},
        d_k=d_k,
        words=source["query_words"],
        key_words=source["key_words"],
        special=source["query_special"],
        key_special=source["key_special"],
        **arrays,
        **state,
    )


def test_vectors_are_what_the_loops_give():
    fresh = shared_vectors.maker("heatmap").make()
    kept = shared_vectors.load("heatmap")
    assert len(fresh["cases"]) == len(kept["cases"]) > 15
    for one, other in zip(fresh["cases"], kept["cases"], strict=True):
        assert one["source"] == other["source"]
        assert one["state"] == other["state"]
        np.testing.assert_allclose(
            one["weights"], other["weights"], atol=1e-12
        )


@pytest.mark.parametrize("case", cases(), ids=lambda case: case["name"])
def test_twin_agrees_with_the_vectors(case):
    widget = widget_of(case)
    np.testing.assert_allclose(widget.weights, case["weights"], atol=1e-6)
    if case["output"] is None:
        assert widget.output is None
    else:
        np.testing.assert_allclose(widget.output, case["output"], atol=1e-6)


def test_html_carries_the_state_and_a_real_table():
    widget = AttentionHeatmap(
        ["it"], key_tokens=["cat", "mat"], scores=[[1.0, 1.0]], name="tie"
    )
    bundle = widget._repr_mimebundle_()
    data = bundle[0]
    assert "application/vnd.jupyter.widget-view+json" in data
    text = data["text/html"]
    state = re.search(r'data-state="([^"]*)"', text)[1]
    state = json.loads(html.unescape(state))
    assert state["name"] == "tie"
    assert state["source"]["key_tokens"] == ["cat", "mat"]
    assert state["state"]["temperature"] == 1.0
    assert "<td>0.500</td><td>0.500</td><td>1.000</td>" in text


def test_hostile_tokens_stay_text():
    tags = []

    class Tags(HTMLParser):
        def handle_starttag(self, tag, attrs):
            tags.append(tag)

    widget = AttentionHeatmap(
        [HOSTILE, "b"], weights=np.full((2, 2), 0.5), title=HOSTILE
    )
    Tags().feed(widget.html())
    assert "img" not in tags and "script" not in tags
    assert tags.count("td") == 6


def test_a_large_map_gets_a_short_table():
    n = 64
    widget = AttentionHeatmap(
        [f"t{i}" for i in range(n)], weights=np.eye(n) * 0.9 + 0.1 / n
    )
    assert widget.table().count("<td>") == 3 * n
    assert "t5 0.902" in widget.table()


def test_a_recording_shows_every_head():
    widget = AttentionHeatmap.from_recording(
        "minilm-cat", selection={"layer": 6, "head": 12}
    )
    assert widget.selection == {"layer": "6", "head": "12"}
    np.testing.assert_allclose(widget.weights.sum(axis=1), 1.0)
    assert [len(a["labels"]) for a in widget.source["axes"]] == [6, 12]
    assert "Recorded" in widget.source["note"]
    first = widget.weights.copy()
    widget.selection = {"head": "1"}
    assert widget.selection == {"layer": "6", "head": "1"}
    assert np.abs(widget.weights - first).max() > 0.1


def test_a_recording_of_weights_hides_what_a_causal_model_hides():
    widget = AttentionHeatmap.from_recording(
        "smollm2-tired", selection={"layer": 14, "head": 9}
    )
    assert [len(a["labels"]) for a in widget.source["axes"]] == [30, 9]
    recorded = unpack_array(load_recording("smollm2-tired")["weights"])
    np.testing.assert_allclose(widget.weights, recorded[13, 8], atol=1e-12)
    hidden = ~unpack_array(widget.source["mask"]).astype(bool)
    assert (hidden == np.triu(np.ones((13, 13), dtype=bool), 1)).all()
    assert "4 bits" in widget.source["note"]


# The table of a map with hidden pairs


def test_hidden_cells_say_so_and_are_not_among_the_most_looked_at():
    causal = np.tri(3, dtype=bool)
    for options in ({"mask": causal}, {"causal": True}):
        widget = AttentionHeatmap(
            ["a", "b", "c"], scores=np.zeros((3, 3)), **options
        )
        assert "<td>1.000</td><td>masked</td><td>masked</td>" in widget.table()
        assert widget.table().count("masked") == 3
    n = 40
    words = [f"t{i}" for i in range(n)]
    widget = AttentionHeatmap(words, scores=np.zeros((n, n)), causal=True)
    rows = re.findall(r'<tr><th scope="row">.*?</tr>', widget.table())
    assert "<td>t0 1.000</td><td>–</td><td>–</td>" in rows[0]
    assert "<td>t0 0.500</td><td>t1 0.500</td><td>–</td>" in rows[1]
    assert "<td>t0 0.025</td>" in rows[-1]
    # What is seen and weighs nothing is not hidden.
    given = AttentionHeatmap(["a", "b"], weights=np.eye(2))
    assert "masked" not in given.table()


@pytest.mark.parametrize(
    ("weight", "text"),
    [
        (0.0, "0.000"),
        (1.0, "1.000"),
        (0.01, "0.010"),
        (0.0099999, "0.010"),
        (0.00097, "0.00097"),
        (1e-6, "0.0000010"),
        (1e-7, "1.0e-7"),
    ],
)
def test_small_weights_are_not_written_as_nothing(weight, text):
    """As JavaScript's toPrecision: the browser's table is a twin."""
    widget = AttentionHeatmap(
        ["a"], key_tokens=["b", "c"], weights=[[weight, 1.0]], normalise=False
    )
    shown = float(np.float32(weight))
    assert shown == pytest.approx(weight)
    assert f"<td>{text}</td>" in widget.table()


def test_scores_beyond_float32_become_its_largest():
    least = np.finfo(float).min
    widget = AttentionHeatmap(
        ["a", "b"], scores=[[0.0, least], [-least, 0.0]], scaled=False
    )
    np.testing.assert_array_equal(widget.weights, np.eye(2)[[0, 0]])
    raw = base64.b64decode(widget.source["scores"]["base64"])
    assert np.isfinite(np.frombuffer(raw, "<f4")).all()


@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf])
def test_what_is_no_number_is_refused_before_it_travels(number):
    with pytest.raises(ValueError, match="expected finite numbers in scores"):
        AttentionHeatmap(["a"], scores=[[number]])
    widget = AttentionHeatmap(["a"], scores=[[1.0]])
    for name in ("temperature", "threshold"):
        with pytest.raises(traitlets.TraitError):
            setattr(widget, name, number)


def test_numbers_of_numpy_travel_as_json_knows_them():
    size = np.int64(2)
    widget = AttentionHeatmap(
        ["a", "b"],
        scores=np.zeros((2, 2, 2), np.float32),
        axes={"head": size},
        d_k=np.int64(4),
        words=np.arange(2),
        special=np.array([0]),
        step=np.float32(0.5),
    )
    assert '"head"' in html.unescape(widget.html())


def test_torch_tensors_are_welcome():
    import torch

    weights = torch.full((2, 2), 0.5, requires_grad=True)
    widget = AttentionHeatmap(["a", "b"], weights=weights)
    np.testing.assert_allclose(widget.weights, 0.5)


BAD = {
    "no tokens": (dict(tokens=[], scores=np.zeros((0, 0))), "1 to 2048"),
    "one text": (dict(tokens="it", scores=[[1.0]]), "list of texts"),
    "no data": (dict(tokens=["a"]), "got none"),
    "two kinds": (
        dict(tokens=["a"], scores=[[1.0]], weights=[[1.0]]),
        "expected one of scores",
    ),
    "query alone": (dict(tokens=["a"], query=[[1.0]]), "query with key"),
    "shape": (
        dict(tokens=["a", "b"], scores=np.zeros((2, 3))),
        r"scores of shape \(2, 2\), got \(2, 3\)",
    ),
    "axes": (
        dict(tokens=["a"], scores=np.zeros((3, 1, 1)), axes={"head": 2}),
        r"scores of shape \(2, 1, 1\), got \(3, 1, 1\)",
    ),
    "nan": (dict(tokens=["a"], scores=[[np.nan]]), "NaN or inf"),
    "negative": (dict(tokens=["a"], weights=[[-0.1]]), "got -0.1"),
    "d_k": (
        dict(tokens=["a"], query=[[1.0, 2.0]], key=[[1.0]]),
        "expected key with d_k=2, got 1",
    ),
    "d_k of nothing": (
        dict(tokens=["a"], scores=[[1.0]], d_k=0),
        "expected d_k as a number above 0, got 0",
    ),
    "d_k beyond all numbers": (
        dict(tokens=["a"], scores=[[1.0]], d_k=10**400),
        "expected d_k as a number above 0, got 1000",
    ),
    "an axis beyond all memory": (
        dict(tokens=["a"], scores=np.zeros((1, 1, 1)), axes={"head": 2**70}),
        "expected at most 2048 head in axes, got 1180591620717411303424",
    ),
    "an axis of nothing": (
        dict(tokens=["a"], scores=np.zeros((0, 1, 1)), axes={"head": 0}),
        "expected at least one head in axes, got none",
    ),
    "step": (
        dict(tokens=["a"], scores=[[1.0]], step=0.0),
        r"expected a finite step above 0, got 0\.0",
    ),
    "words": (
        dict(tokens=["a"], scores=[[1.0]], words=[0, 0]),
        "each of 1 tokens, got 2",
    ),
    "special": (
        dict(tokens=["a"], scores=[[1.0]], special=[4]),
        "from 0 to 0",
    ),
    "unknown state": (
        dict(tokens=["a"], scores=[[1.0]], tau=2.0),
        "got \\['tau'\\]",
    ),
    "cell": (
        dict(tokens=["a"], scores=[[1.0]], cell=[0, 7]),
        r"within \[1, 1\], got \[0, 7\]",
    ),
    "selection": (
        dict(tokens=["a"], scores=[[1.0]], selection={"head": "1"}),
        "got 'head'",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_says_what_was_expected_and_what_came(name):
    arguments, message = BAD[name]
    arguments = dict(arguments)
    tokens = arguments.pop("tokens")
    with pytest.raises(ValueError, match=message):
        AttentionHeatmap(tokens, **arguments)


@pytest.mark.parametrize("value", [0.0, 11.0, "warm", 10**400])
def test_an_impossible_temperature_changes_nothing(value):
    widget = AttentionHeatmap(["a"], scores=[[1.0]])
    with pytest.raises(traitlets.TraitError):
        widget.temperature = value
    assert widget.temperature == 1.0


def test_observe_hears_a_change():
    widget = AttentionHeatmap(["a", "b"], scores=np.eye(2))
    heard = []
    widget.observe(lambda change: heard.append(change.new), "temperature")
    widget.temperature = 0.5
    assert heard == [0.5]


def test_rows_as_given_and_made_to_sum_to_one():
    widget = AttentionHeatmap(
        ["a", "b"], weights=[[0.5, 0.0], [1.5, 0.5]], normalise=False
    )
    assert widget.weights.tolist() == [[0.5, 0.0], [1.5, 0.5]]
    assert widget.table().count("(not 1)") == 2
    widget.temperature = 5.0
    assert widget.weights.tolist() == [[0.5, 0.0], [1.5, 0.5]]
    widget.causal = True
    assert widget.weights.tolist() == [[0.5, 0.0], [1.5, 0.5]]
    widget.temperature, widget.normalise = 1.0, True
    np.testing.assert_allclose(widget.weights, [[1.0, 0.0], [0.75, 0.25]])
    assert "(not 1)" not in widget.table()


def test_a_mask_over_rows_as_given_makes_up_for_nothing():
    widget = AttentionHeatmap(
        ["a", "b"], weights=np.full((2, 2), 0.5), normalise=False, causal=True
    )
    assert widget.weights.tolist() == [[0.5, 0.0], [0.5, 0.5]]
    assert "<td>0.500 (not 1)</td>" in widget.table()


def test_scores_are_never_rows_as_given():
    with pytest.raises(ValueError, match="with normalise=False, got"):
        AttentionHeatmap(["a"], scores=[[1.0]], normalise=False)
