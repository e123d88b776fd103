"""How thin the weights of real heads become as the text grows.

Entropy and largest weight of every head of MiniLM, of SmolLM2 and of both
with random weights, over texts of 16 to 384 tokens: our sentences, one after
the other, in an order that each seed shuffles. MiniLM reads each text anew,
and all its queries count. In SmolLM2 no token sees a later one, so that one
reading holds the texts of all lengths: at each, the last eighth of the
queries counts.
"""

import inspect
import random
from collections.abc import Sequence
from typing import Any

import numpy as np

from attn_course import growth
from attn_course.experiments import provenance, version_of
from attn_course.experiments.head_links import MODELS, PACKAGES
from attn_course.experiments.head_readings import is_causal, sentences
from attn_course.measures import entropy
from attn_course.pretrained import load

__all__ = [
    "LENGTHS",
    "RECORDINGS",
    "by_length",
    "inputs",
    "long_text",
    "record",
]

RECORDINGS = ("thinning",)
LENGTHS = [16, 32, 64, 128, 256, 384]
TEXTS = 100
CODE = (
    "experiments/head_links.py",
    "experiments/head_readings.py",
    "experiments/thinning.py",
    "links.py",
    "measures.py",
    "pieces.py",
    "pretrained.py",
    "data/links",
)


def inputs(name: str, seeds: Sequence[int]) -> list[Any]:
    """List what the recording depends on."""
    versions = [version_of(package) for package in PACKAGES]
    code = [inspect.getsource(growth.thinness_of_random)]
    return [sentences(TEXTS), versions, list(seeds), code]


def record(name: str, seeds: Sequence[int]) -> dict[str, Any]:
    """Read every text with every model."""
    models: dict[str, Any] = {}
    for label, short in MODELS.items():
        model = load(short, progress=False)
        models[label] = [by_length(model, seed) for seed in seeds]
        print(f"  {label}", flush=True)
        blank = f"{label}, random weights"
        models[blank] = [by_length(model.untrained(s), s) for s in seeds]
        print(f"  {blank}", flush=True)
    return {
        "about": inspect.getdoc(inspect.getmodule(record)),
        "settings": {"lengths": LENGTHS, "sentences": TEXTS},
        "keys": {
            "tokens": "keys that a query sees, on average",
            "evenness": (
                "entropy / ln of the number of keys, mean over a head's "
                "queries: least, quartiles and most of all heads, by length"
            ),
            "entropy, largest": "likewise: entropy in nats, largest weight",
            "first": "likewise: what the first token gets",
            "sharp": (
                "share of heads whose largest weight is above 1/2, on "
                "average over queries"
            ),
            "sharp elsewhere": "the same, the first token left out",
        },
        "models": models,
        "random": {
            "tokens": LENGTHS,
            **{
                part: [
                    [
                        round(getattr(found, part), 4)
                        for n in LENGTHS
                        for found in [growth.thinness_of_random(n, seed=seed)]
                    ]
                    for seed in seeds
                ]
                for part in ("entropy", "largest")
            },
        },
        "recorded": provenance(
            name,
            seeds=list(seeds),
            packages=["torch", "transformers"],
            code=CODE,
        ),
    }


def long_text(model: Any, tokens: int, seed: int) -> str:
    """Join sentences, in a shuffled order, until there are enough tokens."""
    texts = sentences(TEXTS)
    random.Random(seed).shuffle(texts)
    for count in range(1, len(texts) + 1):
        text = " ".join(texts[:count])
        if len(model.tokens(text)) >= tokens:
            return text
    raise ValueError(
        f"expected at most {len(model.tokens(text))} tokens, got {tokens}"
    )


def by_length(model: Any, seed: int) -> dict[str, Any]:
    """Measure every head at every length."""
    found: dict[str, list] = {
        part: []
        for part in (
            "tokens",
            "evenness",
            "entropy",
            "largest",
            "first",
            "sharp",
            "sharp elsewhere",
        )
    }
    causal = is_causal(model)
    if causal:
        whole = model.attentions(long_text(model, LENGTHS[-1], seed))
    for n in LENGTHS:
        if causal:
            first = n - n // 8
            maps = whole[:, :, first:n]  # (L, H, n/8, tokens)
            seen = np.arange(first, n) + 1
        else:
            maps = model.attentions(long_text(model, n, seed))
            seen = np.full(maps.shape[-2], maps.shape[-1])
        spread = entropy(maps)  # (L, H, queries)
        found["tokens"].append(round(float(seen.mean()), 1))
        for part, each in (
            ("evenness", spread / np.log(seen)),
            ("entropy", spread),
            ("largest", maps.max(-1)),
            ("first", maps[..., 0]),
        ):
            mean = each.mean(-1).ravel()  # (L · H,)
            five = np.quantile(mean, [0, 0.25, 0.5, 0.75, 1])
            found[part].append([round(float(x), 4) for x in five])
        for part, each in (
            ("sharp", maps),
            ("sharp elsewhere", maps[..., 1:]),
        ):
            sharp = each.max(-1).mean(-1) > 0.5  # (L, H)
            found[part].append(round(float(sharp.mean()), 4))
    return found
