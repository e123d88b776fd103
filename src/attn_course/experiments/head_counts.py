"""How many heads published models have, counted in our list.

The list is `attn_course/data/model-shapes.csv`: models of 2017 to 2025, with
the place in the source of each. It is ours, no sample of all models; another
list gives other shares.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np

from attn_course import figures
from attn_course.experiments.study import Study
from attn_course.model_shapes import load_model_shapes

__all__ = ["STUDY", "counted"]

TYPICAL = (8, 12)
# Small models, as the article knows them.
OLDER = 2020
STUDY = Study(
    "head-counts",
    chapter=6,
    question="How many heads do published models have?",
    design=__doc__,
    seeds=0,
    data=["model-shapes.csv"],
)


@STUDY.run
def counted() -> dict[str, Any]:
    """List year, query heads, and heads of keys and values of each model."""
    return {
        "models": [
            {
                "name": model.name,
                "year": model.year,
                "heads": model.heads,
                "kv_heads": model.kv_heads,
            }
            for model in load_model_shapes().values()
        ]
    }


@STUDY.slice
def again(recording: dict[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """Count once more."""
    for then, now in zip(
        recording["models"], counted()["models"], strict=True
    ):
        counts = ([x[k] for k in ("heads", "kv_heads")] for x in (then, now))
        yield then["name"], *counts


@STUDY.claim("6.typically")
def numbers(recording: dict[str, Any]) -> dict[str, Any]:
    """Count models with 8 to 12 heads, and those that share keys."""
    models = recording["models"]
    heads = np.array([m["heads"] for m in models])
    older = np.array([m["year"] <= OLDER for m in models])
    typical = (heads >= TYPICAL[0]) & (heads <= TYPICAL[1])
    return {
        "models": len(models),
        "count": int(typical.sum()),
        "older": int(older.sum()),
        "older_count": int(typical[older].sum()),
        "newer": int((~older).sum()),
        "newer_count": int(typical[~older].sum()),
        "median": np.median(heads),
        "grouped": sum(m["kv_heads"] < m["heads"] for m in models),
    }


@STUDY.figure(
    """26 models from 2017 to 2025, one row each. Query heads reach from 8 to
    128; a band marks 8 to 12, and few models lie in it. From 2022 on a second
    mark, further left, shows fewer key and value heads in many models, often
    8."""
)
def counts(recording: dict[str, Any]) -> Any:
    """Draw how many heads each model has."""
    models = recording["models"]
    return figures.dumbbells(
        [f"{m['name']} ({m['year']})" for m in models],
        {
            "query heads": [m["heads"] for m in models],
            "key and value heads": [m["kv_heads"] for m in models],
        },
        xlabel="heads in a layer",
        band=TYPICAL,
        band_label="8 to 12",
    )
