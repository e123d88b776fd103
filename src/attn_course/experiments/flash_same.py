"""Is flash attention the same as attention? Read one by one, merged, in tiles.

`apart` is how far attention that reads the keys one by one is from chapter
3's, one random query of 64 keys each time. `merged` is how far the sum of a
softmax is from that of the whole row when the row is cut into parts at two
random places and these are joined from the left or from the right, relative
to it. `errors` are those of output and gradients of fast tiles against
float64, over random lengths, every other one causal: the largest of an array,
relative to the largest number there, or to 1. Nothing was tuned.
"""

from collections.abc import Iterator, Mapping
from functools import reduce
from typing import Any

import numpy as np
import torch

from attn_course import attention
from attn_course.experiments.study import Study
from attn_course.flash import flash_attention, flash_attention_backward
from attn_course.flash.softmax import merge, online_attention, state_of

__all__ = ["STUDY", "compare", "errors_of_tiles", "errors_one_by_one"]

TRIALS = 100
SHAPES = 10
STUDY = Study(
    "flash-same",
    chapter=8,
    question="Does flash attention give the same numbers as attention?",
    design=__doc__,
    seeds=0,
    packages=["torch"],
    tolerance=1e-4,
)


@STUDY.run
def compare() -> dict[str, Any]:
    """Compare outputs, sums and gradients."""
    return {
        **errors_one_by_one(TRIALS),
        "errors": {
            dtype: [errors_of_tiles(dtype, seed) for seed in range(SHAPES)]
            for dtype in ("float32", "float16")
        },
    }


@STUDY.slice
def again(recording: Mapping[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """Compare all once more."""
    found = compare()
    for key in ("apart", "merged"):
        yield key, recording[key], found[key]
    for dtype, errors in recording["errors"].items():
        yield dtype, errors, found["errors"][dtype]


@STUDY.claim("8.same")
def largest(recording: Mapping[str, Any]) -> dict[str, Any]:
    """Give the largest differences, and of how many."""
    return {
        "apart": max(recording["apart"]),
        "merged": max(recording["merged"]),
        "trials": len(recording["apart"]),
        "fp32": max(recording["errors"]["float32"]),
        "fp16": max(recording["errors"]["float16"]),
        "shapes": len(recording["errors"]["float32"]),
    }


def errors_one_by_one(trials: int) -> dict[str, list[float]]:
    """Read keys one by one, and join parts of a row from either side."""
    rng = np.random.default_rng(0)
    apart, merged = [], []
    for _ in range(trials):
        q, keys, values = rng.normal(size=(3, 64, 8))
        found = online_attention(q[:1], keys, values, block=1)
        apart.append(_largest(found - attention(q[:1], keys, values)))
        row = 30 * rng.normal(size=64)
        cuts = sorted(rng.integers(1, 64, size=2))
        parts = [state_of(part) for part in np.split(row, cuts) if part.size]
        left = reduce(merge, parts)
        right = reduce(lambda late, part: merge(part, late), parts[::-1])
        whole = state_of(row)
        merged += [float(abs(s.l / whole.l - 1)) for s in (left, right)]
    return {"apart": apart, "merged": merged}


def errors_of_tiles(dtype: str, seed: int) -> float:
    """Run fast tiles forward and back at a random length: largest error."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(2, 400))
    q, k, v, grad = rng.normal(size=(4, 2, n, 16)).astype(dtype)
    causal = bool(seed % 2)
    output, lse = flash_attention(q, k, v, causal=causal, return_lse=True)
    found = [
        output,
        *flash_attention_backward(grad, q, k, v, output, lse, causal=causal),
    ]
    leaves = [torch.tensor(x.astype(float), requires_grad=True)
              for x in (q, k, v)]  # fmt: skip
    true = attention(*leaves, causal=causal)
    true.backward(torch.tensor(grad.astype(float)))
    wanted = [true.detach(), *(leaf.grad for leaf in leaves)]
    return max(
        _largest(x - y.numpy()) / max(1.0, _largest(y.numpy()))
        for x, y in zip(found, wanted, strict=True)
    )


def _largest(array: np.ndarray) -> float:
    return float(np.abs(array).max())
