"""HeadBrowser in Python: numbers, state, bad input."""

import html
import json
import re

import numpy as np
import pytest
import shared_vectors

from attn_course.data import load_recording, unpack_array
from attn_course.interpret import head_scores
from attn_course.widgets import HeadBrowser
from attn_course.widgets.head_browser import recorded_models

VECTORS = shared_vectors.load("heads")
HOSTILE = "</script><img src=x onerror=alert(1)>"


def browser_of(case, **options):
    measure = {"score": case["score"], "labelled": case["labelled"]}
    return HeadBrowser({"m": {"measures": {"a": measure}}}, **options)


def state_in(widget):
    text = re.search(r'data-state="([^"]*)"', widget.html()).group(1)
    return json.loads(html.unescape(text))


def test_vectors_are_what_the_loops_give():
    assert shared_vectors.maker("heads").make() == VECTORS
    assert len(VECTORS["browse"]) == len(VECTORS["switch"]) == 3


@pytest.mark.parametrize("case", VECTORS["browse"])
def test_it_starts_at_the_highest_score(case):
    widget = browser_of(case)
    assert (widget.layer, widget.head) == (case["layer"], case["head"])
    best = max(max(row) for row in case["score"])
    assert widget.scores["a"].score == pytest.approx(best)
    assert f"<td>{case['layer']}.{case['head']}</td>" in widget.table()


def test_the_recorded_readings_are_shown_with_their_labels():
    record = load_recording("head-readings")
    widget = HeadBrowser.from_recording(model="SmolLM2", measure="itself")
    models = {m["name"]: m for m in widget.source["models"]}
    assert list(models) == list(record["models"])
    names = [m["name"] for m in widget.source["measures"]]
    packed = record["models"]["MiniLM"]["weights"]["previous"]
    score, others = (unpack_array(packed[k]) for k in ("score", "others"))
    shown = models["MiniLM"]["readings"][names.index("previous word")]
    np.testing.assert_allclose(
        unpack_array(shown["score"]), score, atol=0.0005 + 1e-9
    )
    earned = head_scores.labelled("previous", score, others, packed["uniform"])
    assert shown["labelled"] == np.flatnonzero(earned).tolist() != []
    # A causal model can't look at the next word.
    assert models["SmolLM2"]["readings"][names.index("next word")] is None
    widget.layer, widget.head = 30, 9
    assert "next word" not in widget.scores
    # A smaller model shows its last head.
    widget.model = "MiniLM"
    last = unpack_array(shown["score"])[5, 8]
    assert widget.scores["previous word"].score == last


def test_own_scores_stand_beside_the_recorded_ones():
    models = recorded_models(
        load_recording("head-readings"), maps={"MiniLM": "minilm-cat"}
    )
    mine = np.full((6, 12), 0.25)
    models["MiniLM"]["measures"]["mine"] = {"score": mine, "text": "My own."}
    widget = HeadBrowser({"MiniLM": models["MiniLM"]}, measure="mine")
    assert widget.scores["mine"] == head_scores.Reading(0.25, None, None)
    weights = unpack_array(widget.source["models"][0]["weights"])
    np.testing.assert_allclose(weights.sum(axis=-1), 1, atol=1e-3)


def maps_of(weights):
    layers, heads, n, _ = np.shape(weights)
    model = {
        "measures": {"s": np.full((layers, heads), 0.5)},
        "weights": weights,
        "tokens": [f"t{i}" for i in range(n)],
    }
    return unpack_array(
        HeadBrowser({"m": model}).source["models"][0]["weights"]
    )


@pytest.mark.parametrize("n", [1, 3, 500, 512, 1024, 1365])
def test_rows_that_many_share_still_sum_to_one(n):
    """1,365 is where all of a uniform row is rounded down the most."""
    found = maps_of(np.full((1, 1, n, n), 1 / n))
    np.testing.assert_allclose(found.sum(axis=-1), 1, atol=1e-3)
    np.testing.assert_allclose(found, 1 / n, rtol=1e-3)


@pytest.mark.parametrize("spread", [0.1, 1.0, 10.0])
def test_maps_keep_small_weights_beside_large_ones(spread):
    scores = np.random.default_rng(0).normal(size=(1, 2, 512, 512)) * spread
    weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
    weights /= weights.sum(axis=-1, keepdims=True)
    found = maps_of(weights)
    np.testing.assert_allclose(found.sum(axis=-1), 1, atol=1e-3)
    np.testing.assert_allclose(found, weights, rtol=1e-3, atol=1e-7)


# What can't be measured


def test_a_sentence_without_a_target_is_shown_as_a_dash():
    words = ["The", "cat", "sat", "on", "a", "mat", "."]
    maps = np.full((2, 3, 7, 7), 1 / 7)
    for tokens, weights in ((["a", "b"], maps[..., :2, :2]), (words, maps)):
        found = head_scores.read_heads(weights, tokens)
        browser = HeadBrowser({"m": {"measures": found}})
        assert np.isnan(found["separator"].uniform)
        assert np.isnan(browser.scores["separator"].score)
        assert browser.scores["separator"].uniform is None
        none = "<td>–</td>" * 5
        assert f'<th scope="row">m: separator</th>{none}' in browser.table()
        packed = state_in(browser)["source"]["models"][0]["readings"]
        names = [m["name"] for m in browser.source["measures"]]
        lost = packed[names.index("separator")]
        assert lost["score"]["missing"] == list(range(6))
        assert (lost["others"], lost["uniform"]) == (None, None)
        # What can be measured travels as it did.
        assert "missing" not in packed[names.index("first")]["score"]
        browser.measure = "separator"


def test_heads_that_could_not_be_measured_stand_out_nowhere():
    score = np.array([[np.nan, 0.2], [0.7, np.nan]])
    measure = {"score": score, "others": score / 2}
    browser = HeadBrowser({"m": {"measures": {"s": measure}}})
    assert (browser.layer, browser.head) == (2, 1)
    cells = "<td>–</td><td>0.70</td><td>2.1</td><td>0.35</td><td>–</td>"
    assert cells in browser.table()
    browser.layer, browser.head = 1, 1
    assert np.isnan(browser.scores["s"].score)
    nothing = HeadBrowser({"m": {"measures": {"s": score * np.nan}}})
    assert (nothing.layer, nothing.head) == (1, 1)


def test_by_norms_is_another_reading():
    plain, normed = (
        HeadBrowser.from_recording(models=["MiniLM"], by=by)
        for by in ("weights", "norms")
    )
    assert len(plain.source["models"]) == 1
    assert plain.source["models"] != normed.source["models"]


def test_hostile_words_stay_text():
    case = VECTORS["browse"][1]
    widget = browser_of(case, title=HOSTILE, note=HOSTILE)
    assert "<img" not in widget.html()
    assert state_in(widget)["source"]["title"] == HOSTILE


SCORES = np.full((2, 3), 0.5)
BAD_BROWSERS = {
    "no models": ({}, "expected at least one model, got none"),
    "no measures": ({"m": {}}, "expected measures of m, got none"),
    "flat": (
        {"m": {"measures": {"a": [0.5]}}},
        r"expected scores 'a' of m of shape \(layers, heads\), got \(1,\)",
    ),
    "too large": (
        {"m": {"measures": {"a": SCORES + 1}}},
        "expected scores 'a' of m from 0 to 1, got 1.5",
    ),
    "maps that are not numbers": (
        {
            "m": {
                "measures": {"a": SCORES},
                "weights": np.full((2, 3, 1, 1), np.nan),
                "tokens": ["a"],
            }
        },
        "from 0 to 1, got nan",
    ),
    "words for a score": (
        {"m": {"measures": {"a": "high"}}},
        "expected scores 'a' of m as real numbers, got str 'high'",
    ),
    "no score": (
        {"m": {"measures": {"a": {"others": SCORES}}}},
        r"expected a score in 'a' of m, got \['others'\]",
    ),
    "more than is drawn": (
        {"m": {"measures": {"a": np.zeros((1, 257))}}},
        "expected at most 256 layers and heads of m, got 1 and 257",
    ),
    "two shapes": (
        {"m": {"measures": {"a": SCORES, "b": SCORES.T}}},
        r"of one shape, got \[\(2, 3\), \(3, 2\)\]",
    ),
    "a control of another shape": (
        {"m": {"measures": {"a": {"score": SCORES, "others": [1]}}}},
        r"expected others 'a' of m of shape \(2, 3\), got \(1,\)",
    ),
    "a control beyond all numbers": (
        {"m": {"measures": {"a": {"score": SCORES, "uniform": np.inf}}}},
        "expected scores uniform 'a' of m from 0 to 1, got inf",
    ),
    "maps of another shape": (
        {
            "m": {
                "measures": {"a": SCORES},
                "weights": np.zeros((2, 3, 4, 4)),
                "tokens": ["a", "b"],
            }
        },
        r"expected weights of m of shape \(2, 3, 2, 2\), got \(2, 3, 4, 4\)",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD_BROWSERS)
def test_bad_scores_say_what_was_expected_and_what_came(name):
    models, message = BAD_BROWSERS[name]
    with pytest.raises(ValueError, match=message):
        HeadBrowser(models)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("model", "n", r"expected model among \['m'\], got 'n'"),
        ("measure", "n", r"expected measure among \['a'\], got 'n'"),
        ("layer", 3, "expected layer from 1 to 2, got 3"),
        ("head", 0, "expected head from 1 to 3, got 0"),
    ],
)
def test_an_impossible_head_changes_nothing(name, value, message):
    widget = browser_of(VECTORS["browse"][1])
    before = getattr(widget, name)
    with pytest.raises(ValueError, match=message):
        setattr(widget, name, value)
    assert getattr(widget, name) == before


def test_unknown_readings_are_refused():
    record = load_recording("head-readings")
    with pytest.raises(ValueError, match="by='weights' or 'norms', got 'x'"):
        recorded_models(record, by="x")
    with pytest.raises(ValueError, match=r"got \['x'\]"):
        recorded_models(record, maps={"x": "minilm-cat"})
