"""Write playground.json: QKVPlayground and SoftmaxLab, by plain loops.

`python tests/vectors/make_playground.py` writes the file again.
"""

import json
import math
import random
from itertools import islice
from pathlib import Path

from loops import mulberry32, normal, softmax

HERE = Path(__file__).parent


def dot(a, b):
    return sum(x * y for x, y in zip(a, b, strict=True))


def qkv_case(n, d, d_v, d_k, scaled, temperature):
    rng = random.Random(10 * n + d)
    draw = [
        [round(rng.gauss(0, 2), 2) for _ in range(size)]
        for size in (d, *[d] * n, *[d_v] * n)
    ]
    query, key, value = draw[0], draw[1 : n + 1], draw[n + 1 :]
    factor = (1 / math.sqrt(d_k) if scaled else 1.0) / temperature
    weights = softmax([dot(query, k) * factor for k in key])
    return {
        "tokens": [f"k{i}" for i in range(n)],
        "d_k": d_k,
        "state": {
            "query": query,
            "key": key,
            "value": value,
            "scaled": scaled,
            "temperature": temperature,
        },
        "weights": weights,
        "output": [
            dot(weights, column) for column in zip(*value, strict=True)
        ],
    }


def lab_case(d, temperature, scaled, seed):
    stream = mulberry32(seed * 4096 + d)
    query, key = (
        list(islice(normal(stream), count)) for count in (64 * d, 32 * d)
    )
    rows = [
        [dot(query[i * d : i * d + d], key[j * d : j * d + d])
         for j in range(32)]
        for i in range(64)
    ]  # fmt: skip
    flat = [x for row in rows for x in row]
    mean = sum(flat) / len(flat)
    factor = (1 / math.sqrt(d) if scaled else 1.0) / temperature
    entropy = gradient = 0.0
    for row in rows:
        p = softmax([x * factor for x in row])
        entropy -= sum(x * math.log(x) for x in p if x > 0) / 64
        jacobian = sum(
            ((p[i] if i == j else 0.0) - p[i] * p[j]) ** 2
            for i in range(32)
            for j in range(32)
        )
        gradient += math.sqrt(jacobian) / 64
    return {
        "state": {
            "d": d, "temperature": temperature, "scaled": scaled, "seed": seed
        },
        "spread": math.sqrt(sum((x - mean) ** 2 for x in flat) / len(flat)),
        "entropy": entropy,
        "gradient": gradient,
    }  # fmt: skip


def make():
    return {
        "tolerance": 1e-6,
        "qkv": [
            qkv_case(3, 2, 2, 2, True, 1.0),
            qkv_case(3, 4, 3, 4, True, 0.3),
            qkv_case(4, 2, 2, 32, True, 2.0),
            qkv_case(1, 1, 1, 1, False, 1.0),
            qkv_case(6, 8, 8, 8, False, 10.0),
        ],
        "softmax_lab": [
            lab_case(1, 1.0, True, 0),
            lab_case(3, 1.0, True, 1),
            lab_case(16, 0.5, False, 2),
            lab_case(64, 10.0, True, 9),
        ],
    }


if __name__ == "__main__":
    text = json.dumps(make(), indent=1) + "\n"
    (HERE / "playground.json").write_text(text, "utf-8")
