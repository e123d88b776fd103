"""What dot products and softmax do with random vectors, as d grows.

Every number in q and k is drawn from a normal distribution with variance 1,
as the argument for the division by √d assumes. Measured are the variance of
q·k, over 4,000 pairs, and the Frobenius norm of softmax's derivative, mean
over 64 queries of 32 keys, with the division and without. Nothing is tuned.
What trained vectors are like is another matter.
"""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from attn_course import figures
from attn_course.experiments.study import Study
from attn_course.functional import attention_weights
from attn_course.softmax import dot_product_variance, softmax_jacobian_norm

if TYPE_CHECKING:
    from attn_course.figures import Chart

__all__ = ["SIZES", "STUDY", "measure"]

SIZES = [4**i for i in range(6)]
SETTINGS = {"pairs": 4000, "queries": 64, "keys": 32}
STUDY = Study(
    "random-scores",
    chapter=3,
    question="How do random dot products grow with d, and what does softmax "
    "make of them?",
    design=__doc__,
    arms={"d": SIZES},
    settings=SETTINGS,
    tolerance=1e-4,
)


@STUDY.run
def measure(d: int, seed: int) -> dict[str, Any]:
    """Measure the variance of q·k, and the norm with and without √d."""
    rng = np.random.default_rng(seed)
    query = rng.normal(size=(SETTINGS["queries"], d))
    key = rng.normal(size=(SETTINGS["keys"], d))
    norms = {
        name: softmax_jacobian_norm(attention_weights(query, key, scale=scale))
        for name, scale in (("scaled", None), ("unscaled", 1.0))
    }
    variance = dot_product_variance(d, SETTINGS["pairs"], seed)
    return {
        "variance": round(variance, 6),
        **{name: round(float(x.mean()), 6) for name, x in norms.items()},
    }


@STUDY.slice
def again(recording: Mapping[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """Measure everything once more."""
    for then in recording["records"]:
        now = measure(then["d"], then["seed"])
        for key, value in now.items():
            yield f"d = {then['d']}: {key}", then[key], value


@STUDY.claim("3.scaling-size")
def growth(recording: Mapping[str, Any]) -> dict[str, Any]:
    """Give the power of d with which the variance grows, for each seed."""
    logs = np.log(SIZES)
    variances = _by_seed(recording, "variance")
    return {
        "slope": [np.polyfit(logs, np.log(v), 1)[0] for v in variances],
        "scaled_variance": variances[:, -1] / SIZES[-1],
    }


@STUDY.claim("3.scaling-gradient")
def norms_at_largest(recording: Mapping[str, Any]) -> dict[str, Any]:
    """Give the norm of softmax's derivative at d = 1024."""
    return {
        name: _by_seed(recording, name)[:, -1].tolist()
        for name in ("scaled", "unscaled")
    }


@STUDY.figure(
    """
    Line plot with two logarithmic axes of the variance of q times k over d
    from 1 to 1024. The measured line rises in proportion to d and lies on
    the theory's line; after dividing by the root of d the variance stays at
    1 for every d.
    """
)
def variances(recording: Mapping[str, Any]) -> "Chart":
    """Draw the variance beside what theory says."""
    measured = _by_seed(recording, "variance")
    return figures.curves(
        SIZES,
        {
            "q·k": measured,
            "theory: d": SIZES,
            "q·k / √d": measured / np.array(SIZES),
        },
        xlabel="d",
        ylabel="variance",
        title="Random q and k with variance 1, three seeds",
        log_x=True,
        log_y=True,
    )


@STUDY.figure(
    """
    Line plot of the norm of the derivative of softmax over d from 1 to 1024.
    With the division it stays near a quarter. Without, it rises to 0.3 at
    d = 16 and then falls, to 0.06 at d = 1024.
    """
)
def derivatives(recording: Mapping[str, Any]) -> "Chart":
    """Draw how much the weights still move when a score does."""
    return figures.curves(
        SIZES,
        {
            "divided by √d": _by_seed(recording, "scaled"),
            "not divided": _by_seed(recording, "unscaled"),
        },
        xlabel="d",
        ylabel="norm of softmax's derivative",
        log_x=True,
    )


def _by_seed(recording: Mapping[str, Any], key: str) -> np.ndarray:
    """Gather one measure, shape (seeds, sizes)."""
    values = [r[key] for r in recording["records"]]
    return np.reshape(values, (len(SIZES), -1)).T
