"""What does each head look at? Every head of two models, on 50 sentences.

For each measure: the weight that a head gives its targets, mean over
sentences, and the two controls of `attn_course.reading`. The same once more
with weights that count how long the vectors are that they let through. A
model with random weights is read in the same way. And one list of sentences
asks whether a head looks at the noun of related meaning.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from attn_course.data import pack_array
from attn_course.experiments import provenance, version_of
from attn_course.experiments.head_links import DRAWS
from attn_course.interpret.real_heads import (
    MODELS,
    PACKAGES,
    UNTRAINED,
    is_causal,
    norms,
    output_matrices,
)
from attn_course.links import (
    RELATED,
    SENTENCES,
    best_head,
    halves,
    looks,
    luck,
    read_links,
    sentences,
)
from attn_course.pretrained import load
from attn_course.reading import (
    MEASURES,
    average,
    norm_weighted,
    read_heads,
    spread,
)

__all__ = [
    "RECORDINGS",
    "SENTENCES",
    "inputs",
    "is_causal",
    "norms",
    "output_matrices",
    "record",
    "related",
    "sentences",
    "summary",
]

RECORDINGS = ("head-readings",)
STEP = 1 / 4096
CODE = (
    "experiments/head_readings.py",
    "experiments/head_links.py",
    "reading.py",
    "links.py",
    "families.py",
    "pieces.py",
    "pretrained.py",
    "data/links",
)


def inputs(name: str, seeds: Sequence[int]) -> list[Any]:
    """List what the recording depends on; chance makes random weights."""
    pairs = [list(link) for link in read_links(RELATED)]
    versions = [version_of(package) for package in PACKAGES]
    return [sentences(), pairs, versions, list(seeds), DRAWS]


def record(name: str, seeds: Sequence[int]) -> dict[str, Any]:
    """Read the heads of both models, and of one that learned nothing."""
    texts = sentences()
    models: dict[str, Any] = {}
    pairs = []
    for label, short in MODELS.items():
        model = load(short)
        models[label] = summary(model, texts)
        pairs.append({"model": label, **related(model)})
        print(f"{label}: {len(texts)} sentences", flush=True)
        if short != "minilm":
            continue
        for seed in seeds:
            blank = model.untrained(seed)
            models[f"{UNTRAINED}, seed {seed}"] = summary(blank, texts)
            pairs.append({"model": UNTRAINED, "seed": seed, **related(blank)})
            print(f"{UNTRAINED}, seed {seed}", flush=True)
    return {
        "about": __doc__.strip(),
        "sentences": texts,
        "measures": list(MEASURES),
        "models": models,
        "related": pairs,
        "rounding": f"Scores are rounded to the nearest {STEP:g}.",
        "recorded": provenance(
            name,
            seeds=list(seeds),
            packages=["torch", "transformers", *PACKAGES],
            code=CODE,
        ),
    }


def summary(model: Any, texts: Sequence[str]) -> dict[str, Any]:
    """Read every head in all sentences, by weight and by norm."""
    causal = is_causal(model)
    mixing = output_matrices(model)
    by_weight, by_norm, spreads, ratios, most = [], [], [], [], []
    for text in texts:
        maps = model.attentions(text)  # (L, H, n, n)
        lengths = norms(model, text, mixing)  # (L, H, n)
        weighed = norm_weighted(maps, lengths)
        options = {"special": model.special(text), "causal": causal}
        tokens = model.tokens(text)
        by_weight.append(read_heads(maps, tokens, **options))
        by_norm.append(read_heads(weighed, tokens, **options))
        spreads.append(spread(maps, causal=causal))
        ratios.append(lengths[..., 0] / lengths[..., 1:].mean(axis=-1))
        most.append((maps[:, :, 1:].argmax(axis=-1) == 0).mean(axis=-1))
    return {
        "layers": model.layers,
        "heads": model.heads,
        "causal": causal,
        "note": model.note,
        "first_tokens": sorted({model.tokens(text)[0] for text in texts}),
        "weights": _measures(by_weight),
        "norms": _measures(by_norm),
        "spread": pack_array(np.mean(spreads, axis=0), step=STEP),
        # How long the first token's value is, beside the mean of the others.
        "first_length": pack_array(np.mean(ratios, axis=0), step=1 / 512),
        # Share of queries whose largest weight is on the first token.
        "first_largest": pack_array(np.mean(most, axis=0), step=STEP),
    }


def _measures(readings: list[dict[str, Any]]) -> dict[str, Any]:
    """Average the readings, over all sentences and over either half."""
    whole = average(readings)
    parts = [average(readings[start::2]) for start in (0, 1)]
    found = {}
    for name, reading in whole.items():
        seen = [one[name].uniform for one in readings]
        count = sum(not math.isnan(x) for x in seen)
        if not count:
            found[name] = None  # a causal model can't look ahead
            continue
        half = np.stack([part[name].score for part in parts])
        found[name] = {
            "score": pack_array(reading.score, step=STEP),
            "others": pack_array(reading.others, step=STEP),
            "uniform": float(reading.uniform),
            "halves": pack_array(half, step=STEP),
            "sentences": count,
        }
    return found


def related(model: Any) -> dict[str, Any]:
    """Look for a head that finds the noun of related meaning."""
    links = read_links(RELATED)
    seen = np.stack([looks(model, link) for link in links])
    if is_causal(model):
        seen = seen[:, :1]  # the nouns can't ask the word behind them
    half = halves(links)
    right = seen[..., 0, 0] > seen[..., 0, 1]  # (n, D, L, H)
    chance = luck(right[half], draws=DRAWS, seed=0)
    folds = [best_head(seen, choose=choose) for choose in (half, ~half)]
    return {
        "sentences": len(links),
        "heads": int(np.prod(seen.shape[1:4])),
        "luck_95": float(np.quantile(chance, 0.95)),
        "folds": [fold._asdict() for fold in folds],
        "right": pack_array(right.mean(axis=0), step=1 / 1024),
        # Mean weight on the right noun, the largest over all heads.
        "largest_weight": float(seen[..., 0, 0].mean(axis=0).max()),
    }
