"""Word by word and all words at once: two forms of one thing, or not quite.

Linear attention reads 64 random words as a recurrent network and as one sum
(`attn_course.linear`). A small language model with random weights scores
twelve words with a KV cache, one after the other, and without
(`attn_course.generation`). The largest difference of any number is kept. By
arithmetic both should be 0, but for rounding: float64 for linear attention,
float32 for the language model.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import torch

from attn_course.experiments.study import Study
from attn_course.generation import CausalModel
from attn_course.linear import linear_attention, read_linearly

__all__ = ["STUDY", "both"]

WORDS, SIZE = 64, 8
STUDY = Study(
    "two-forms",
    chapter=7,
    question="Does reading word by word give the same as reading all at once?",
    design=__doc__,
    seeds=0,
    packages=["torch"],
)


@STUDY.run
def both() -> dict[str, Any]:
    """Read both ways, twice."""
    q, k, v = np.random.default_rng(0).normal(size=(3, WORDS, SIZE))
    outputs, state = read_linearly(q, k, v)
    parallel = linear_attention(q, k, v, causal=True)
    return {
        "linear_apart": float(np.abs(outputs - parallel).max()),
        "linear_state": state.size,
        "cache_apart": _with_a_cache(),
    }


@STUDY.slice
def again(recording: dict[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """Read once more: how roundings fall depends on the computer."""
    now = both()
    for what, most in (("linear_apart", 1e-12), ("cache_apart", 1e-5)):
        yield f"{what} by rounding", recording[what] < most, now[what] < most
    yield "state", recording["linear_state"], now["linear_state"]


@STUDY.claim("7.linear")
def linear(recording: Mapping[str, Any]) -> dict[str, float]:
    """Give how far apart the forms are, and what the recurrent one keeps."""
    return {
        "difference": recording["linear_apart"],
        "state": recording["linear_state"],
    }


@STUDY.claim("7.cache")
def cache(recording: Mapping[str, Any]) -> dict[str, float]:
    """Give how far apart the scores are."""
    return {"apart": recording["cache_apart"]}


@torch.no_grad()
def _with_a_cache() -> float:
    """Give the largest difference of a score, with a cache and without."""
    writer = CausalModel(50, layers=2, heads=8, kv_heads=2, seed=0)
    generator = torch.Generator().manual_seed(0)
    words = torch.randint(50, (1, 12), generator=generator)
    kept = writer.new_cache()
    steps = [writer(word, kept) for word in words.split(1, dim=1)]
    return (torch.cat(steps, dim=1) - writer(words)).abs().max().item()
