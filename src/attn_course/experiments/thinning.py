"""How thin the weights of real heads become as the text grows.

Entropy and largest weight of every head of MiniLM, of SmolLM2 and of both
with random weights, over texts of 16 to 384 tokens: our sentences, one after
the other, in an order that each seed shuffles. MiniLM reads each text anew,
and all its queries count. In SmolLM2 no token sees a later one, so that one
reading holds the texts of all lengths: at each, the last eighth of the
queries counts. `random` is the same for random queries and keys. Nothing is
trained or tuned.
"""

import random
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from attn_course import figures
from attn_course.cost import scaling
from attn_course.experiments.study import Study
from attn_course.interpret.real_heads import (
    MODELS,
    PACKAGES,
    is_causal,
    loaded,
)
from attn_course.interpret.relations import SOUND, sentences
from attn_course.pretrained import Model
from attn_course.softmax import entropy

if TYPE_CHECKING:
    from attn_course.figures import Chart

__all__ = ["LENGTHS", "RANDOM", "STUDY", "by_length", "long_text", "one"]

LENGTHS = [16, 32, 64, 128, 256, 384]
TEXTS = 100
BLANK = "random weights"
STUDY = Study(
    "thinning",
    chapter=7,
    question="Do the weights of real heads thin out as the text grows?",
    design=__doc__,
    arms={
        "model": [
            name for label in MODELS for name in (label, f"{label}, {BLANK}")
        ]
    },
    settings={"lengths": LENGTHS, "sentences": TEXTS},
    packages=["torch", "transformers"],
    needs=PACKAGES,
    data=[f"links/{name}.txt" for name in SOUND],
    tolerance=2e-3,
)
RANDOM = Study(
    "thinning-random",
    chapter=7,
    question="How thin are weights when queries and keys are random?",
    design="""
    Random queries and keys of 64 numbers each, softmax of q·k/√64, mean over
    256 queries. `gap` is how far the entropy stays below that of equal
    weights, ln n. By arithmetic it should come near ½ for any n.
    """,
    arms={"n": [64, 512, 4096]},
    seeds=0,
    tolerance=1e-6,
)


@STUDY.run
def one(model: str, seed: int) -> dict[str, Any]:
    """Read one text, at all lengths."""
    return by_length(_read_by(model, seed), seed)


@STUDY.summary
def content(records: list[dict[str, Any]]) -> dict[str, Any]:
    """Say what the numbers are, and add random queries and keys."""
    seeds = sorted({r["seed"] for r in records})
    return {
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
        "random": _random(LENGTHS, seeds),
    }


@STUDY.slice
def short_texts(recording: dict[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """Read with every model the texts of the first lengths once more."""
    few = LENGTHS[:3]
    for name in STUDY.arms["model"]:
        [then] = [
            r
            for r in recording["records"]
            if (r["model"], r["seed"]) == (name, 0)
        ]
        for part, values in by_length(_read_by(name, 0), 0, few).items():
            yield f"{name}: {part}", then[part][: len(few)], values
    again = _random(few, [0, 1, 2])
    for part in ("entropy", "largest"):
        then = [row[: len(few)] for row in recording["random"][part]]
        yield f"random: {part}", then, again[part]


@STUDY.claim("7.any-length")
def of_the_median_head(recording: Mapping[str, Any]) -> dict[str, float]:
    """Give the first and the last length, mean over the texts."""
    minilm, smollm2 = (_texts(recording, name, "largest") for name in MODELS)
    lengths = recording["settings"]["lengths"]
    return {
        "minilm_short": minilm[:, 0].mean(),
        "minilm_long": minilm[:, -1].mean(),
        "smollm2_short": smollm2[:, 0].mean(),
        "smollm2_long": smollm2[:, -1].mean(),
        "smollm2_sharp": _texts(recording, "SmolLM2", "sharp")[:, -1].mean(),
        "smollm2_elsewhere": _texts(recording, "SmolLM2", "sharp elsewhere")[
            :, -1
        ].mean(),
        "shortest": lengths[0],
        "longest": lengths[-1],
    }


@STUDY.figure(
    """
    The median head's largest weight over the length of the text, 16 to 384
    tokens. MiniLM falls from about 0.5 to below 0.2, SmolLM2 from about 0.5
    to a third, MiniLM with random weights from 0.08 to near 0.
    """
)
def largest(recording: Mapping[str, Any]) -> "Chart":
    """Draw the largest weight of both models, and of random ones."""
    return figures.curves(
        recording["settings"]["lengths"],
        {
            name: _texts(recording, name, "largest")
            for name in ("SmolLM2", "MiniLM", f"MiniLM, {BLANK}")
        },
        xlabel="tokens",
        ylabel="largest weight, median head",
        title="Recorded: three texts each",
        log_x=True,
    )


@RANDOM.run
def of_random(n: int) -> dict[str, float]:
    """Measure random queries and keys."""
    found = scaling.thinness_of_random(n)
    return {
        "entropy": round(found.entropy, 8),
        "largest": round(found.largest, 8),
        "gap": round(float(np.log(n)) - found.entropy, 8),
    }


@RANDOM.slice
def random_again(recording: dict[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """Measure all once more."""
    for then in recording["records"]:
        for part, value in of_random(then["n"]).items():
            yield f"{then['n']} keys: {part}", then[part], value


@RANDOM.claim("7.any-length")
def random_gap(recording: Mapping[str, Any]) -> dict[str, float]:
    """Give how far below equal weights the entropy stays, for most keys."""
    return {"random_gap": recording["records"][-1]["gap"]}


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


def by_length(
    model: Any, seed: int, lengths: Sequence[int] = LENGTHS
) -> dict[str, Any]:
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
        whole = model.attentions(long_text(model, lengths[-1], seed))
    for n in lengths:
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


def _read_by(name: str, seed: int) -> Model:
    """Give a model by its label, trained or with random weights."""
    label, _, blank = name.partition(", ")
    model = loaded(MODELS[label])
    return model.untrained(seed) if blank else model


def _random(lengths: Sequence[int], seeds: Sequence[int]) -> dict[str, Any]:
    """Measure random queries and keys, (seeds, lengths)."""
    found = [
        [scaling.thinness_of_random(n, seed=seed) for n in lengths]
        for seed in seeds
    ]
    return {
        "tokens": list(lengths),
        **{
            part: [[round(getattr(x, part), 4) for x in row] for row in found]
            for part in ("entropy", "largest")
        },
    }


def _texts(recording: Mapping[str, Any], model: str, part: str) -> np.ndarray:
    """Give each text's value, of the median head: (texts, lengths)."""
    median = 2  # of least, quartiles and most
    rows = [
        np.array(r[part]) for r in recording["records"] if r["model"] == model
    ]
    return np.array([r[:, median] if r.ndim == 2 else r for r in rows])
