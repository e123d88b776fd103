"""Seconds for the next token, with a cache and without, as a text grows.

A model of the shape of SmolLM2-135M with random weights (times don't depend
on them), batch 1, one thread. At each length the next tokens are written both
ways and their mean is taken; then all is done again. Computers differ, and
so do minutes on one: read the ratios, and the spread over the repeats.

Our own code copies keys and values that query heads share, so these are not
the times of a kernel that reads them in place. No size was tuned.
"""

import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from attn_course import figures
from attn_course.experiments.study import Study
from attn_course.nn.causal_lm import CausalModel, cache_bytes
from attn_course.pretrained.shapes import load_model_shapes

if TYPE_CHECKING:
    from attn_course.figures import Chart

__all__ = ["SETTINGS", "STUDY", "measure", "repeats"]

SETTINGS = {
    "shape": "SmolLM2-135M",
    "d_ff": 1536,
    "n_words": 49152,
    "lengths": [16, 32, 64, 128, 256, 512, 1024],
    "steps": 4,
    "repeats": 3,
}
STUDY = Study(
    "token-times",
    chapter=7,
    question="How much time does a KV cache save, and how much memory does "
    "it take?",
    design=__doc__,
    seeds=0,
    settings=SETTINGS,
    packages=["torch"],
    data=["model-shapes.csv"],
    tolerance=1e-3,
)


@STUDY.run
def repeats() -> dict[str, Any]:
    """Measure every length, several times over."""
    found = [
        measure(_model(repeat), SETTINGS["lengths"], steps=SETTINGS["steps"])
        for repeat in range(SETTINGS["repeats"])
    ]
    return {
        "seconds_per_token": {
            way: [[float(f"{x:.4g}") for x in one[way]] for one in found]
            for way in ("cached", "uncached")
        },
        "bytes": found[0]["bytes"],
        "bytes_by_formula": _formula(SETTINGS["lengths"]),
        "keys": {
            "seconds_per_token": "(repeats, lengths)",
            "bytes": "of the cache's arrays in float32, at each length",
        },
    }


@STUDY.slice
def bytes_again(recording: dict[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """Compare what both ways compute and keep, not times.

    A clock gives other times every time: here the same model reads short
    texts both ways.
    """
    lengths = SETTINGS["lengths"][:3]
    model = _model(0)
    again = measure(model, lengths, steps=1)["bytes"]
    yield "bytes", recording["bytes"][:3], again
    yield "formula", recording["bytes_by_formula"][:3], _formula(lengths)
    words, cache = torch.arange(lengths[0])[None], model.new_cache()
    with torch.no_grad():
        steps = [model(word, cache) for word in words.split(1, dim=1)]
        apart = torch.cat(steps, dim=1) - model(words)
    yield "scores apart", 0, apart.abs().max().item()


@STUDY.claim("7.cache")
def gains(recording: dict[str, Any]) -> dict[str, float]:
    """Give what the cache gains, how times grow, and what it weighs."""
    # (repeats, lengths)
    cached, uncached = (
        np.array(recording["seconds_per_token"][way])
        for way in ("cached", "uncached")
    )
    gain = uncached / cached
    grown, grown_uncached = (x[:, -1] / x[:, 0] for x in (cached, uncached))
    return {
        "gain_short": gain[:, 0].mean(),
        "gain_low": gain[:, -1].min(),
        "gain_high": gain[:, -1].max(),
        "longest": recording["settings"]["lengths"][-1],
        "cached_low": grown.min(),
        "cached_high": grown.max(),
        "uncached_low": grown_uncached.min(),
        "uncached_high": grown_uncached.max(),
        "bytes": recording["bytes"][-1] / 1e6,
    }


@STUDY.claim("7.cache")
def published(recording: dict[str, Any]) -> dict[str, float]:
    """Give the gigabytes that published models keep, by the formula."""
    names = {
        "alike": "LLaMA 65B",
        "grouped": "Llama 2 70B",
        "latent": "DeepSeek-V3",
    }
    shapes = load_model_shapes()
    return {
        key: shapes[name].cache_bytes(8192, batch=1, bytes_each=2) / 1e9
        for key, name in names.items()
    }


@STUDY.figure(
    """
    Seconds for the next token over 16 to 1024 tokens, both axes doubling.
    Without a cache it rises steeply, from a tenth of a second to several
    seconds; with a cache it rises little.
    """
)
def next_token(recording: dict[str, Any]) -> "Chart":
    """Draw both ways."""
    seconds = recording["seconds_per_token"]
    return figures.curves(
        recording["settings"]["lengths"],
        {
            "without a cache": seconds["uncached"],
            "with a cache": seconds["cached"],
        },
        xlabel="tokens so far",
        ylabel="seconds for the next token",
        title="Recorded: a model of SmolLM2’s shape, one thread",
        log_x=True,
        log_y=True,
    )


@torch.no_grad()
def measure(
    model: CausalModel, lengths: Sequence[int], *, steps: int
) -> dict[str, list]:
    """Time the next token after each length.

    Returns
    -------
    dict
        `cached` and `uncached`, seconds for a token: the mean of `steps`
        tokens, of one where there is no cache; `bytes` of the cache before
        them.
    """
    n_words = model.embed.num_embeddings
    found: dict[str, list] = {"cached": [], "uncached": [], "bytes": []}
    model(torch.zeros(1, 2, dtype=torch.long))  # what a first call sets up
    for n in lengths:
        words = torch.arange(n)[None] % n_words
        start = time.perf_counter()
        model(words, last=True)
        found["uncached"].append(time.perf_counter() - start)

        cache = model.new_cache()
        model(words, cache, last=True)
        found["bytes"].append(cache_bytes(cache))
        start = time.perf_counter()
        for _ in range(steps):
            model(words[:, -1:], cache, last=True)
        found["cached"].append((time.perf_counter() - start) / steps)
    return found


def _model(seed: int) -> CausalModel:
    shape = load_model_shapes()[SETTINGS["shape"]]
    return CausalModel(
        SETTINGS["n_words"],
        layers=shape.layers,
        d_model=shape.d_model,
        heads=shape.heads,
        kv_heads=shape.kv_heads,
        d_ff=SETTINGS["d_ff"],
        tied=True,
        seed=seed,
    )


def _formula(lengths: Sequence[int]) -> list[int]:
    """Give the bytes of the cache by the formula, in float32."""
    shape = load_model_shapes()[SETTINGS["shape"]]
    return [shape.cache_bytes(n, bytes_each=4) for n in lengths]
