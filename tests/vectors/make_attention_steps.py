"""Write attention_steps.json: AttentionSteps, by plain loops.

`python tests/vectors/make_attention_steps.py` writes the file again.
"""

import json
import math
import random
from pathlib import Path

from loops import softmax

HERE = Path(__file__).parent


def dot(a, b):
    return sum(x * y for x, y in zip(a, b, strict=True))


def drawn(rng, *shape):
    """Draw nested lists of numbers with two decimals."""
    if not shape:
        return round(rng.gauss(0, 1.5), 2)
    return [drawn(rng, *shape[1:]) for _ in range(shape[0])]


def columns(matrix):
    return list(zip(*matrix, strict=True))


def normalised(row):
    mean = sum(row) / len(row)
    variance = sum((x - mean) ** 2 for x in row) / len(row)
    return [(x - mean) / math.sqrt(variance + 1e-5) for x in row]


def attend(query, key, value, allowed, d_k):
    """Give scores, weights and output of one head."""
    scores = [[dot(q, k) for k in key] for q in query]
    weights = [
        softmax([
            score / math.sqrt(d_k) if open_ else -math.inf
            for score, open_ in zip(row, may, strict=True)
        ])
        for row, may in zip(scores, allowed, strict=True)
    ]  # fmt: skip
    output = [[dot(w, c) for c in columns(value)] for w in weights]
    return scores, weights, output


def after(layer, outputs, i):
    """Give what a layer makes of word i, from the outputs of all heads."""
    joined = [x for head in outputs for x in head[i]]
    if "w_o" in layer:
        joined = [dot(joined, c) for c in columns(layer["w_o"])]
    add = [a + b for a, b in zip(layer["x"][i], joined, strict=True)]
    norm = normalised(add)
    inner = [
        max(0.0, dot(norm, c) + b)
        for c, b in zip(columns(layer["w_1"]), layer["b_1"], strict=True)
    ]
    feed = [
        dot(inner, c) + b
        for c, b in zip(columns(layer["w_2"]), layer["b_2"], strict=True)
    ]
    norm2 = normalised([a + b for a, b in zip(norm, feed, strict=True)])
    return {"add": add, "norm": norm, "feed": feed, "norm2": norm2}


def case(heads, n_q, n_k, d, d_v, d_k=None, masked=False, layer=None):
    rng = random.Random(100 * heads + 10 * n_q + n_k)
    query, key, value = (
        drawn(rng, heads, n, size)
        for n, size in ((n_q, d), (n_k, d), (n_k, d_v))
    )
    # Each may look at itself, and at some of the others.
    mask = [
        [
            [not masked or i == j or rng.random() < 0.6 for j in range(n_k)]
            for i in range(n_q)
        ]
        for _ in range(heads)
    ]
    each = [
        attend(*part, d_k or d)
        for part in zip(query, key, value, mask, strict=True)
    ]
    scores, weights, outputs = zip(*each, strict=True)
    made = {
        "query": query, "key": key, "value": value, "d_k": d_k,
        "mask": mask if masked else None,
        "scores": scores, "weights": weights, "output": outputs,
        "layer": None,
    }  # fmt: skip
    if layer is None:
        return made
    m, f, with_out = layer
    made["layer"] = {
        "x": drawn(rng, n_q, m),
        **({"w_o": drawn(rng, heads * d_v, m)} if with_out else {}),
        "w_1": drawn(rng, m, f), "b_1": drawn(rng, f),
        "w_2": drawn(rng, f, m), "b_2": drawn(rng, m),
    }  # fmt: skip
    made["after"] = [after(made["layer"], outputs, i) for i in range(n_q)]
    return made


def make():
    return {
        "tolerance": 1e-5,
        "cases": [
            case(1, 1, 3, 4, 4),
            case(1, 4, 4, 2, 3, masked=True, layer=(3, 5, False)),
            case(2, 3, 5, 12, 2, d_k=64, masked=True),
            case(3, 2, 2, 9, 2, layer=(4, 6, True)),
        ],
    }


if __name__ == "__main__":
    text = json.dumps(make()) + "\n"
    (HERE / "attention_steps.json").write_text(text, "utf-8")
