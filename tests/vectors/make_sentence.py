"""Write sentence.json: a tiny transformer on words, by plain loops.

`python tests/vectors/make_sentence.py` writes the file again.
"""

import base64
import json
import math
import random
import struct
from pathlib import Path

from loops import softmax

HERE = Path(__file__).parent
WORDS = ["<pad>", "<blank>", "<none>", *"the cat mat saw she it was .".split()]
CLASSES = {
    "neuter nouns": ["cat", "mat"],
    "pronouns": ["it", "she"],
    "verbs": ["saw"],
    "determiners": ["the"],
}
D, HEADS, LAYERS, WIDE, LONG = 6, 2, 2, 5, 8
TEXTS = {
    "The cat saw the mat.": "the cat saw the mat .",
    "  IT   wasn’t--Anna's O’Neill!": "it wasn't - - anna's o'neill !",
    "well-known (Ça va) ___ __ _": "well-known ( ça va ) <blank> <blank> _",
    "3 cats & 1½ <b>": "3 cats & 1½ < b >",
    "": "",
}
PAIRS = {
    ("cat", "cat"): 0,
    ("cat", "cats"): 1,
    ("tyred", "tired"): 1,
    ("teh", "the"): 1,
    ("", "mat"): 3,
    ("kitten", "sitting"): 3,
}


def half(x):
    return struct.unpack("<e", struct.pack("<e", x))[0]


def tensors(rng):
    def draw(*shape, spread=1.0, around=0.0):
        if len(shape) == 1:
            return [half(around + rng.gauss(0, spread)) for _ in range(*shape)]
        return [draw(*shape[1:], spread=spread) for _ in range(shape[0])]

    made = {"places": draw(LONG, D), "embed.weight": draw(len(WORDS), D)}

    def linear(name, d_in, d_out):
        made[f"{name}.weight"] = draw(d_out, d_in, spread=0.7)
        made[f"{name}.bias"] = draw(d_out, spread=0.2)

    def norm(name):
        made[f"{name}.weight"] = draw(D, spread=0.3, around=1.0)
        made[f"{name}.bias"] = draw(D, spread=0.3)

    for i in range(LAYERS):
        for part in ("query", "key", "value", "output"):
            linear(f"layers.{i}.{part}", D, D)
        norm(f"layers.{i}.norm_1")
        linear(f"layers.{i}.widen", D, WIDE)
        linear(f"layers.{i}.narrow", WIDE, D)
        norm(f"layers.{i}.norm_2")
    norm("norm")
    linear("output", D, len(WORDS))
    return made


def pack(made):
    header = {
        "__metadata__": {
            "words": json.dumps(WORDS),
            "classes": json.dumps(CLASSES),
            "heads": str(HEADS),
        }
    }
    body = b""
    for name, tensor in made.items():
        flat, shape = tensor, [len(tensor)]
        if isinstance(tensor[0], list):
            shape.append(len(tensor[0]))
            flat = [x for row in tensor for x in row]
        piece = struct.pack(f"<{len(flat)}e", *flat)
        header[name] = {
            "dtype": "F16",
            "shape": shape,
            "data_offsets": [len(body), len(body) + len(piece)],
        }
        body += piece
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + body


def forward(made, numbers):
    n = len(numbers)

    def linear(name, rows):
        weight, bias = made[f"{name}.weight"], made[f"{name}.bias"]
        return [
            [
                b + sum(w * x for w, x in zip(ws, row, strict=True))
                for ws, b in zip(weight, bias, strict=True)
            ]
            for row in rows
        ]

    def norm(name, rows):
        out = []
        for row in rows:
            mean = sum(row) / D
            size = math.sqrt(sum((x - mean) ** 2 for x in row) / D + 1e-5)
            gain, bias = made[f"{name}.weight"], made[f"{name}.bias"]
            out.append(
                [
                    (x - mean) / size * g + b
                    for x, g, b in zip(row, gain, bias, strict=True)
                ]
            )
        return out

    def add(a, b):
        return [
            [x + y for x, y in zip(*rows, strict=True)]
            for rows in zip(a, b, strict=True)
        ]

    x = add([made["embed.weight"][i] for i in numbers], made["places"][:n])
    scores, weights = [], []
    for i in range(LAYERS):
        name, size = f"layers.{i}.", D // HEADS
        h = norm(f"{name}norm_1", x)
        q, k, v = (linear(name + p, h) for p in ("query", "key", "value"))
        read = [[0.0] * D for _ in numbers]
        for head in range(HEADS):
            part = range(head * size, (head + 1) * size)
            dots = [[sum(a[d] * b[d] for d in part) for b in k] for a in q]
            shares = [softmax([s / math.sqrt(size) for s in r]) for r in dots]
            for a in range(n):
                for d in part:
                    read[a][d] = sum(shares[a][b] * v[b][d] for b in range(n))
            scores += [s for row in dots for s in row]
            weights += [w for row in shares for w in row]
        x = add(x, linear(f"{name}output", read))
        wide = [
            [z * 0.5 * (1 + math.erf(z / math.sqrt(2))) for z in row]
            for row in linear(f"{name}widen", norm(f"{name}norm_2", x))
        ]
        x = add(x, linear(f"{name}narrow", wide))
    out = linear("output", norm("norm", x))
    return scores, weights, [softmax(row) for row in out]


def make():
    made = tensors(random.Random(5))
    cases = []
    for text in (
        "the cat saw it .",
        "she",
        "the mat was the cat it saw <blank>",
    ):
        words = text.split()
        numbers = [WORDS.index(word) for word in words]
        scores, weights, chances = forward(made, numbers)
        cases.append(
            {
                "words": words,
                "numbers": numbers,
                "scores": [round(s, 9) for s in scores],
                "weights": [round(w, 9) for w in weights],
                "chances": [[round(c, 9) for c in row] for row in chances],
            }
        )
    return {
        "tolerance": 1e-6,
        "file": base64.b64encode(pack(made)).decode(),
        "sentences": cases,
        "texts": [[text, words.split()] for text, words in TEXTS.items()],
        "edits": [[*pair, count] for pair, count in PAIRS.items()],
    }


if __name__ == "__main__":
    text = json.dumps(make(), separators=(",", ":"), ensure_ascii=False)
    (HERE / "sentence.json").write_text(
        text.replace('],"', '],\n"') + "\n", "utf-8"
    )
