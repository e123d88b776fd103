"""What part of the input each head's query draws on.

In the trained small transformer of the pronouns (2 layers of 4 heads, 48
numbers a vector) each head's query is a linear map of the whole vector. How
much it draws on each input number is the sum of its squared weights there.
Told are the share of it that falls on the head's "own" slice, the quarter
that a cut of the input would give it, and on how many numbers it draws
effectively: the participation ratio, 48 where all count alike. One model, the
one of the page, chosen beforehand; queries alone.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np

from attn_course.experiments.study import Study
from attn_course.tasks.pronouns.weights import ASSET, load_reader

__all__ = ["STUDY", "drawn_on"]

STUDY = Study(
    "head-inputs",
    chapter=6,
    question="Does each head read its own slice of the input?",
    design=__doc__,
    rests_on=["pronouns"],
    seeds=0,
    data=[ASSET],
    tolerance=1e-6,
)


@STUDY.run
def drawn_on() -> dict[str, Any]:
    """Measure the queries of every head, `own` and `used`: (layers, heads)."""
    model = load_reader()
    weights = [
        np.split(model.tensors[f"layers.{layer}.query.weight"], model.heads)
        for layer in range(model.layers)
    ]
    size = (np.array(weights) ** 2).sum(axis=2)  # (layers, heads, d_model)
    slices = np.split(size, model.heads, axis=-1)
    own = [part[:, h].sum(axis=-1) for h, part in enumerate(slices)]
    total = size.sum(axis=-1)  # (layers, heads)
    return {
        "heads": model.heads,
        "d_model": size.shape[-1],
        "own": (np.stack(own, axis=-1) / total).tolist(),
        "used": (total**2 / (size**2).sum(axis=-1)).tolist(),
    }


@STUDY.slice
def again(recording: dict[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """Measure all heads once more."""
    for name, value in drawn_on().items():
        yield name, recording[name], value


@STUDY.claim("6.dimensions")
def numbers(recording: dict[str, Any]) -> dict[str, Any]:
    """Tell how narrow the heads are at most and at least."""
    heads, d_model = recording["heads"], recording["d_model"]
    return {
        "heads": heads,
        "d_model": d_model,
        "d_head": d_model // heads,
        "equal": 1 / heads,
        "own_low": np.min(recording["own"]),
        "own_high": np.max(recording["own"]),
        "used_low": np.min(recording["used"]),
        "used_high": np.max(recording["used"]),
    }
