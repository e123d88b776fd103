"""Write heatmap.json: what AttentionHeatmap must show, by plain loops.

The TypeScript of the widget and its Python twin are both held to these
numbers. `python tests/vectors/make_heatmap.py` writes the file again.
"""

import json
import math
from pathlib import Path

import numpy as np
from loops import softmax

from attn_course.data import pack_array, unpack_array

HERE = Path(__file__).parent

DEFAULTS = {
    "selection": {},
    "temperature": 1.0,
    "scaled": True,
    "causal": False,
    "threshold": 0.0,
    "hide_special": False,
    "merge_words": False,
    "normalise": True,
    "cell": [],
    "locked": [],
}


def expected_weights(source: dict, state: dict, index: tuple) -> list:
    def chosen(name):
        return unpack_array(source[name])[index].tolist()

    n_q, n_k = len(source["query_tokens"]), len(source["key_tokens"])
    factor = 1.0 / state["temperature"]
    if source["weights"]:
        weights = chosen("weights")
        scores = [
            [math.log(w) if w else -math.inf for w in row] for row in weights
        ]
    else:
        if source["scores"]:
            scores = chosen("scores")
        else:
            q, k = chosen("query"), chosen("key")
            scores = [
                [
                    sum(a * b for a, b in zip(q[i], k[j], strict=True))
                    for j in range(n_k)
                ]
                for i in range(n_q)
            ]
        if state["scaled"] and source["d_k"]:
            factor /= math.sqrt(source["d_k"])
    mask = (
        unpack_array(source["mask"]) if source["mask"] else np.ones((n_q, n_k))
    )
    rows = []
    if not state["normalise"]:
        return [
            [
                weights[i][j]
                if mask[i][j] and not (state["causal"] and j > i)
                else 0.0
                for j in range(n_k)
            ]
            for i in range(n_q)
        ]
    for i in range(n_q):
        logits = [
            scores[i][j] * factor
            if mask[i][j] and not (state["causal"] and j > i)
            else -math.inf
            for j in range(n_k)
        ]
        rows.append(softmax(logits))
    return rows


def groups(tokens, words, hidden):
    made, last = [], None
    for i, _ in enumerate(tokens):
        word = words[i] if words else None
        if i in hidden:
            last = None
        elif word is not None and word == last:
            made[-1].append(i)
        else:
            made.append([i])
            last = word
    return made


def expected_picture(source, state, weights):
    def side(name):
        return groups(
            source[f"{name}_tokens"],
            source[f"{name}_words"] if state["merge_words"] else None,
            source[f"{name}_special"] if state["hide_special"] else [],
        )

    rows, cols = side("query"), side("key")
    shown = [
        [
            sum(weights[i][j] for i in row for j in col) / len(row)
            for col in cols
        ]
        for row in rows
    ]
    sums = [sum(w for w in row if w >= state["threshold"]) for row in shown]
    return {"rows": rows, "cols": cols, "weights": shown, "sums": sums}


def case(name, *, n_q=5, n_k=5, lead=(), axes=(), kind="scores", **more):
    rng = np.random.default_rng(sum(map(ord, name)))
    state = {**DEFAULTS, **more.pop("state", {})}
    step = more.pop("step", None)
    d_k = more.pop("d_k", None)

    def normal(*shape):
        return pack_array(rng.normal(0, 3, (*lead, *shape)), step=step)

    source = {
        "axes": [{"name": n, "labels": labels} for n, labels in axes],
        "scores": normal(n_q, n_k) if kind == "scores" else None,
        "query": normal(n_q, d_k) if kind == "query" else None,
        "key": normal(n_k, d_k) if kind == "query" else None,
        "weights": None,
        "value": None,
        "mask": None,
        "d_k": d_k,
        "query_tokens": [f"q{i}" for i in range(n_q)],
        "key_tokens": [f"k{j}" for j in range(n_k)],
        "query_words": None,
        "key_words": None,
        "query_special": [],
        "key_special": [],
        "title": name,
        "note": "",
    }
    if kind == "weights":
        raw = rng.random((*lead, n_q, n_k)) * rng.integers(0, 2, (n_q, n_k))
        source["weights"] = pack_array(raw)
    if "d_v" in more:
        source["value"] = normal(n_k, more.pop("d_v"))
    if "mask" in more:
        source["mask"] = pack_array(more.pop("mask"), step=1.0)
    source |= more
    start = {axis: labels[0] for axis, labels in axes}
    state["selection"] = start | state["selection"]
    index = tuple(
        labels.index(state["selection"][axis]) for axis, labels in axes
    )
    weights = expected_weights(source, state, index)
    output = None
    if source["value"]:
        value = unpack_array(source["value"])[index]
        output = [
            [
                sum(w * v for w, v in zip(row, column, strict=True))
                for column in value.T
            ]
            for row in weights
        ]
    return {
        "name": name,
        "source": source,
        "state": state,
        "weights": weights,
        "output": output,
        "picture": expected_picture(source, state, weights),
    }


def make() -> dict:
    axes = [("layer", ["1", "2"]), ("head", ["1", "2", "3"])]
    pieces = {
        "query_words": [None, 0, 1, 1, 1, 2, None],
        "key_words": [None, 0, 1, 1, 1, 2, None],
        "query_special": [0, 6],
        "key_special": [0, 6],
    }
    empty = np.tri(5, dtype=bool)
    empty[2] = False
    cases = [
        case("plain scores"),
        case("one token", n_q=1, n_k=1, d_k=4),
        case("scaled by the root of d", d_k=16),
        case("not scaled", d_k=16, state={"scaled": False}),
        case("cold", d_k=8, state={"temperature": 0.1}),
        case("hot", d_k=8, state={"temperature": 10.0}),
        case("causal", state={"causal": True}),
        case("causal, fewer keys", n_k=3, state={"causal": True}),
        case("mask with an empty row", mask=empty),
        case("mask and causal", mask=empty.T, state={"causal": True}),
        case("query and key", kind="query", d_k=6, n_q=3, d_v=2),
        case("weights, warmer", kind="weights", state={"temperature": 2.0}),
        case("weights, causal", kind="weights", state={"causal": True}),
        case("weights as given", kind="weights", state={"normalise": False}),
        case(
            "weights as given, causal and hot", kind="weights", d_v=2,
            mask=empty,
            state={"normalise": False, "causal": True, "temperature": 10.0},
        ),
        case("weights with rows of any sum", kind="weights"),
        case(
            "second layer, third head",
            lead=(2, 3), axes=axes, d_k=4, d_v=3, step=1 / 128,
            state={"selection": {"layer": "2", "head": "3"}},
        ),
        case("threshold", state={"threshold": 0.2}),
        case("hidden", n_q=7, n_k=7, **pieces, state={"hide_special": True}),
        case("joined", n_q=7, n_k=7, **pieces, state={"merge_words": True}),
        case(
            "everything", n_q=7, n_k=7, d_k=9, **pieces,
            state={
                "merge_words": True, "hide_special": True, "causal": True,
                "threshold": 0.1, "temperature": 0.7,
            },
        ),
        case("large scores", step=0.5, d_k=1, state={"temperature": 0.1}),
    ]  # fmt: skip
    return {"tolerance": 1e-6, "cases": cases}


def text() -> str:
    return json.dumps(make(), indent=1) + "\n"


if __name__ == "__main__":
    (HERE / "heatmap.json").write_text(text(), "utf-8")
