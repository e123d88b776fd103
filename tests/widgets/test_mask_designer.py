"""MaskDesigner in Python: its masks, its state, its bad input."""

import html
import json
import re

import numpy as np
import pytest
import shared_vectors
import traitlets

from attn_course import attention, masks
from attn_course.widgets import MaskDesigner

CASES = shared_vectors.load("masks")["cases"]
HOSTILE = "</script><img src=x onerror=alert(1)>"


def designer_of(case):
    layers = len(case["masks"])
    presets = case["presets"] * (layers if case["same"] else 1)
    widget = MaskDesigner(
        case["n"],
        layers=layers,
        preset=presets,
        same=case["same"],
        causal=case["causal"],
        **case["numbers"],
    )
    painted = widget.masks
    for layer, i, j in case["paint"]:
        chosen = slice(None) if case["same"] else layer - 1
        painted[chosen, i, j] ^= True
    widget._paint(painted)
    return widget


def test_vectors_are_what_the_loops_give():
    fresh = shared_vectors.maker("masks").make()
    assert fresh == shared_vectors.load("masks")
    assert len(CASES) >= 20


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_twin_agrees_with_the_vectors(case):
    widget = designer_of(case)
    first = np.array(case["first"], dtype=float)  # None becomes NaN
    np.testing.assert_array_equal(widget.masks, np.array(case["masks"], bool))
    for layer, heard in enumerate(widget.reach, start=1):
        np.testing.assert_array_equal(heard, first <= layer)
    assert [list(pair) for pair in widget.leaks] == case["leaks"]
    assert [c.pairs for c in widget.cost] == case["pairs"]
    assert [c.most_keys for c in widget.cost] == case["most_keys"]
    if case["same"]:
        assert widget.connected == case["connected"]


def test_a_big_bird_is_that_of_the_masks():
    widget = MaskDesigner(
        40, preset="BigBird-like", window=2, n_global=2, n_random=3, seed=4
    )
    wanted = masks.big_bird(40, window=2, n_global=2, n_random=3, seed=4)
    np.testing.assert_array_equal(widget.as_mask(), wanted)


def test_a_hole_leaks_two_layers_on():
    mask = masks.causal(4)
    mask[0, 3] = True
    widget = MaskDesigner(list("abcd"), mask=mask, layers=1)
    assert widget.leaks == [(0, 3)]
    deeper = MaskDesigner(list("abcd"), mask=mask, layers=2)
    # Token 3 knows 1 and 2 by then; 1 and 2 hear of 3 through 0.
    assert deeper.leaks == [(0, 1), (0, 2), (0, 3), (1, 3), (2, 3)]
    assert deeper.same
    x = np.random.default_rng(0).normal(size=(4, 2))
    moved = x.copy()
    moved[3] += 1.0
    outputs = [
        attention(y, y, y, mask=deeper.as_mask(1))[1] for y in (x, moved)
    ]
    np.testing.assert_array_equal(*outputs)


def test_layers_may_differ():
    widget = MaskDesigner(6, preset=["blocks", "global tokens"], block=3)
    assert not widget.same
    assert widget.connected is None
    assert widget.as_mask(2).sum() == 11
    widget.preset = {"2": "blocks"}
    assert widget.preset == {"1": "blocks", "2": "blocks"}
    assert widget.connected is None
    widget.preset = {"2": "full"}
    assert widget.connected == 2
    widget.same = True
    np.testing.assert_array_equal(widget.as_mask(2), widget.as_mask(1))


def test_short_sentences_keep_the_numbers_in_range():
    widget = MaskDesigner(["a"], preset="blocks")
    assert (widget.block, widget.padded, widget.dilation) == (1, 1, 1)
    assert widget.connected == 0


def test_html_carries_the_state_and_a_real_table():
    widget = MaskDesigner(
        ["<i>", "b", "c"], presets=["causal", "full"], title=HOSTILE
    )
    text = widget._repr_mimebundle_()[0]["text/html"]
    state = re.search(r'data-state="([^"]*)"', text)[1]
    state = json.loads(html.unescape(state))
    assert state["source"]["presets"] == ["causal", "full"]
    assert state["state"]["preset"] == {"1": "causal", "2": "causal"}
    assert "<td>&lt;i&gt;, b</td>" in text
    assert "<td>all</td>" in text and "<img" not in text


def test_the_table_of_many_tokens_counts_them():
    table = MaskDesigner(40, preset="sliding window").table()
    assert "<td>3 tokens</td><td>3 tokens</td>" in table
    assert (
        "<td>nothing</td>"
        in MaskDesigner(3, preset="padding", padded=3).table()
    )


BAD = {
    "no tokens": (dict(tokens=[]), "1 to 64 tokens, got 0"),
    "many tokens": (dict(tokens=65), "1 to 64 tokens, got 65"),
    "tokens beyond all memory": (dict(tokens=2**70), "got 1180591620717411"),
    "one text": (dict(tokens="it"), "list of texts"),
    "layers": (dict(tokens=2, layers=5), "1 to 4 layers, got 5"),
    "no layer": (dict(tokens=2, layers=0), "layers of at least 1, got 0"),
    "presets": (
        dict(tokens=2, presets=["diagonal"]),
        r"presets among .*got \['diagonal'\]",
    ),
    "no presets": (dict(tokens=2, presets=[]), "got none"),
    "preset": (
        dict(tokens=2, presets=["full"], preset="causal"),
        r"preset among \['full'\], got \['causal', 'causal'\]",
    ),
    "preset a layer": (
        dict(tokens=2, preset=["full"]),
        "one preset for each of 2 layers, got 1",
    ),
    "dtype": (dict(tokens=2, dtype="int8"), "got 'int8'"),
    "state": (dict(tokens=2, left=1), r"got \['left'\]"),
    "mask of numbers": (
        dict(tokens=2, mask=np.ones((2, 2))),
        "mask of dtype bool .*, got float64: .* pass mask == 1",
    ),
    "mask's shape": (
        dict(tokens=2, mask=np.ones((3, 2, 2), dtype=bool)),
        r"to broadcast to .* \(2, 2, 2\), got \(3, 2, 2\)",
    ),
    "large mask": (
        dict(tokens=33, mask=np.zeros((33, 33), dtype=bool)),
        "at most 32 tokens to paint, got 33",
    ),
    "window": (dict(tokens=3, window=4), "window of at most 3, got 4"),
    "layer": (dict(tokens=3, layer=3), "layer of at most 2, got 3"),
    "cell": (dict(tokens=3, cell=[0, 3]), r"below 3, got \[0, 3\]"),
    "painted": (dict(tokens=3, painted={"1": "<b>"}), "got '<b>'"),
    "painted outside": (dict(tokens=2, painted={"1": "AB"}), "got 'AB'"),
    "painted layer": (
        dict(tokens=2, painted={"3": "g"}),
        r"layers of painted among \['1', '2'\], got \['3'\]",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_says_what_was_expected_and_what_came(name):
    arguments, message = BAD[name]
    with pytest.raises(ValueError, match=message):
        MaskDesigner(**arguments)


def test_a_layer_that_is_not_there_has_no_mask():
    with pytest.raises(ValueError, match="layer of at most 2, got 3"):
        MaskDesigner(3).as_mask(3)


@pytest.mark.parametrize(
    "name, value",
    [("window", -1), ("window", 9), ("seed", 10), ("layer", 0), ("cell", [1])],
)
def test_an_impossible_state_changes_nothing(name, value):
    widget = MaskDesigner(4)
    before = getattr(widget, name)
    with pytest.raises((traitlets.TraitError, ValueError)):
        setattr(widget, name, value)
    assert getattr(widget, name) == before
