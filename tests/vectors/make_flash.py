"""Write flash.json: the tiles of FlashStepper, by plain loops.

`python tests/vectors/make_flash.py` writes the file again. Each row of each
step is computed from the scores that the row has met, not from the step
before; bytes are counted one number at a time. No largest score: null.
"""

import json
import math
import random
from pathlib import Path

HERE = Path(__file__).parent
# n_q, n_k, d_k, d_v, block_q, block_k, causal, order, broken
CASES = [
    (4, 4, 2, 2, 2, 2, False, "queries", False),
    (4, 4, 2, 2, 2, 2, False, "keys", False),
    (5, 5, 3, 1, 2, 3, True, "keys", False),
    (5, 4, 1, 2, 3, 1, True, "queries", False),
    (3, 5, 2, 2, 1, 2, False, "queries", True),
    (4, 4, 2, 1, 2, 1, True, "keys", True),
    (2, 3, 2, 2, 2, 3, False, "keys", True),
]


def blocks(n, size):
    return [range(a, min(a + size, n)) for a in range(0, n, size)]


def walk(n_q, n_k, block_q, block_k, causal, order):
    found = []
    rows, columns = blocks(n_q, block_q), blocks(n_k, block_k)
    if order == "queries":
        pairs = [(i, j) for i in range(len(rows)) for j in range(len(columns))]
    else:
        pairs = [(i, j) for j in range(len(columns)) for i in range(len(rows))]
    for i, j in pairs:
        if causal and all(q < k for q in rows[i] for k in columns[j]):
            continue
        found.append((i, j, rows[i], columns[j]))
    return found


class Row:
    """What one query holds: the parts it has met, each with its largest."""

    def __init__(self):
        self.parts = []  # (m when it was met, scores, values)

    def meet(self, scores, values):
        before = self.m
        self.parts.append((max([before, *scores]), scores, values))
        return math.exp(before - self.m)

    @property
    def m(self):
        return self.parts[-1][0] if self.parts else -math.inf

    def total(self, of, broken):
        """Sum exp(score − m) · of(value); broken: m is that of its time."""
        return sum(
            math.exp(score - (then if broken else self.m)) * of(value)
            for then, scores, values in self.parts
            for score, value in zip(scores, values, strict=True)
        )


def case(n_q, n_k, d_k, d_v, block_q, block_k, causal, order, broken):
    rng = random.Random(f"{n_q} {n_k} {block_q} {order} {broken}")
    query, key, value = (
        [[round(rng.gauss(0, 1.5), 1) for _ in range(d)] for _ in range(n)]
        for n, d in ((n_q, d_k), (n_k, d_k), (n_k, d_v))
    )
    rows = [Row() for _ in range(n_q)]
    read = written = 0
    found = walk(n_q, n_k, block_q, block_k, causal, order)
    outer = [t[0] if order == "queries" else t[1] for t in found]
    steps = []
    for number, (i, j, queries, keys) in enumerate(found):
        factors = [1.0] * n_q
        for q in queries:
            met = [k for k in keys if not causal or k <= q]
            scores = [
                sum(query[q][c] * key[k][c] for c in range(d_k))
                / math.sqrt(d_k)
                for k in met
            ]
            factors[q] = rows[q].meet(scores, [value[k] for k in met])
        first = outer[number] not in outer[:number]
        last = outer[number] not in outer[number + 1 :]
        if order == "keys" or first:
            for _ in queries:
                read += 4 * d_k
        if order == "queries" or first:
            for _ in keys:
                read += 4 * d_k  # the key
                read += 4 * d_v  # the value
        if order == "keys":
            for _ in queries:
                read += 4 * d_v + 4 + 4  # O, m, l
                written += 4 * d_v + 4 + 4
        elif last:
            for _ in queries:
                written += 4 * d_v + 4  # O, m + log l
        everything = range(d_v)
        steps.append(
            {
                "tile": [i, j],
                "m": [r.m if r.parts else None for r in rows],
                "l": [r.total(lambda _: 1.0, broken) for r in rows],
                "output": [
                    [r.total(lambda v, c=c: v[c], broken) for c in everything]
                    for r in rows
                ],
                "factors": factors,
                "expected": [
                    [
                        r.total(lambda v, c=c: v[c], False)
                        / (r.total(lambda _: 1.0, False) or 1.0)
                        for c in everything
                    ]
                    for r in rows
                ],
                "read": read,
                "written": written,
            }
        )
    return {
        "source": {"query": query, "key": key, "value": value},
        "state": {
            "block_q": block_q,
            "block_k": block_k,
            "causal": causal,
            "order": order,
            "broken": broken,
        },
        "steps": steps,
    }


def make():
    return {"tolerance": 1e-6, "cases": [case(*numbers) for numbers in CASES]}


if __name__ == "__main__":
    text = json.dumps(make(), separators=(",", ":")) + "\n"
    (HERE / "flash.json").write_text(text, "utf-8")
