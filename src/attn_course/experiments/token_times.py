"""Seconds for the next token, with a cache and without, as a text grows.

A model of the shape of SmolLM2-135M with random weights (times don't depend
on them), batch 1, one thread. At each length the next tokens are written both
ways and their mean is taken; then all is done again. Computers differ, and
so do minutes on one: read the ratios, and the spread over the repeats.
"""

import inspect
import time
from collections.abc import Sequence
from typing import Any

import torch

from attn_course import generation, kv_cache, transformer
from attn_course.experiments import fingerprint, provenance
from attn_course.experiments.parts import Parts, one_thread
from attn_course.generation import CausalModel, cache_bytes
from attn_course.model_shapes import load_model_shapes

__all__ = ["RECORDINGS", "SETTINGS", "inputs", "measure", "record", "run_one"]

RECORDINGS = ("token-times",)
SETTINGS = {
    "shape": "SmolLM2-135M",
    "d_ff": 1536,
    "n_words": 49152,
    "lengths": [16, 32, 64, 128, 256, 512, 1024],
    "steps": 4,
    "repeats": 3,
}
CODE = (
    "experiments/parts.py",
    "experiments/token_times.py",
    "functional.py",
    "generation.py",
    "kv_cache.py",
    "positions.py",
    "transformer.py",
)


def inputs(name: str, seeds: Sequence[int]) -> list[Any]:
    """List what the recording depends on, the code it runs included."""
    code = (generation, kv_cache, transformer.CausalBlock)
    return [inspect.getsource(part) for part in code]


def record(name: str, seeds: Sequence[int]) -> dict[str, Any]:
    """Measure every repeat; take up what is there."""
    parts = Parts(name, fingerprint("token_times", name, 0))
    with one_thread():
        runs = [(repeat,) for repeat in range(SETTINGS["repeats"])]
        done = parts.run(runs, run_one)
    results = [entry["result"] for entry in done]
    shape = load_model_shapes()[SETTINGS["shape"]]
    content = {
        "about": inspect.getdoc(inspect.getmodule(record)),
        "settings": SETTINGS,
        "seconds_per_token": {
            way: [[float(f"{x:.4g}") for x in r[way]] for r in results]
            for way in ("cached", "uncached")
        },
        "bytes": results[0]["bytes"],
        "bytes_by_formula": [
            shape.cache_bytes(n, bytes_each=4) for n in SETTINGS["lengths"]
        ],
        "keys": {
            "seconds_per_token": "(repeats, lengths)",
            "bytes": "of the cache's arrays in float32, at each length",
        },
        "seconds": round(sum(entry["seconds"] for entry in done)),
        "recorded": provenance(name, seeds=[], packages=["torch"], code=CODE),
    }
    parts.discard()
    return content


def run_one(repeat: int) -> dict[str, list]:
    """Measure every length once."""
    shape = load_model_shapes()[SETTINGS["shape"]]
    model = CausalModel(
        SETTINGS["n_words"],
        layers=shape.layers,
        d_model=shape.d_model,
        heads=shape.heads,
        kv_heads=shape.kv_heads,
        d_ff=SETTINGS["d_ff"],
        tied=True,
        seed=repeat,
    )
    return measure(model, SETTINGS["lengths"], steps=SETTINGS["steps"])


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
