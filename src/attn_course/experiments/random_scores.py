"""What dot products and softmax do with random vectors, as d grows.

Every number in q and k is drawn by itself from a normal distribution with
mean 0 and variance 1, as the argument for the division by √d assumes, and once
more with mean 1. Measured are the variance of q·k, over 4,000 pairs, and of 64
queries that each meet 32 keys the largest weight and the Frobenius norm of
softmax's derivative, with the division and without. Nothing is tuned. What
trained vectors are like is another matter.
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

__all__ = ["MEANS", "SIZES", "STUDY", "measure"]

SIZES = [1, 4, 16, 64, 256, 512, 1024]
MEANS = [0.0, 1.0]
SETTINGS = {"pairs": 4000, "queries": 64, "keys": 32}
STUDY = Study(
    "random-scores",
    chapter=3,
    question="How do random dot products grow with d, and what does softmax "
    "make of them?",
    design=__doc__,
    arms={"mean": MEANS, "d": SIZES},
    settings=SETTINGS,
    tolerance=1e-4,
)


@STUDY.run
def measure(mean: float, d: int, seed: int) -> dict[str, Any]:
    """Measure the variance of q·k, and the weights with and without √d.

    `scaled` and `unscaled` are norms of the derivative, `largest_…` the
    largest of 32 weights: means over queries.
    """
    rng = np.random.default_rng(seed)
    query = rng.normal(mean, size=(SETTINGS["queries"], d))
    key = rng.normal(mean, size=(SETTINGS["keys"], d))
    found = {
        "variance": dot_product_variance(d, SETTINGS["pairs"], seed, mean=mean)
    }
    for name, scale in (("scaled", None), ("unscaled", 1.0)):
        weights = np.asarray(attention_weights(query, key, scale=scale))
        found[name] = softmax_jacobian_norm(weights).mean()
        found[f"largest_{name}"] = weights.max(axis=-1).mean()
    return {name: round(float(x), 6) for name, x in found.items()}


@STUDY.slice
def again(recording: Mapping[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """Measure everything once more."""
    for then in recording["records"]:
        now = measure(then["mean"], then["d"], then["seed"])
        for key, value in now.items():
            name = f"mean {then['mean']:g}, d = {then['d']}: {key}"
            yield name, then[key], value


@STUDY.claim("3.scaling-size")
def growth(recording: Mapping[str, Any]) -> dict[str, Any]:
    """Give how the variance grows, for each seed: with d, and with the mean.

    `slope` is its power of d; the others are variances of q·k/√d at d = 1024.
    """
    logs = np.log(SIZES)
    variances, shifted = (
        _by_seed(recording, "variance", mean) for mean in MEANS
    )
    return {
        "slope": [np.polyfit(logs, np.log(v), 1)[0] for v in variances],
        "scaled_variance": variances[:, -1] / SIZES[-1],
        "shifted_variance": shifted[:, -1] / SIZES[-1],
        "spread_512": np.sqrt(variances[:, SIZES.index(512)]),
    }


@STUDY.claim("3.scaling-gradient")
def weights_and_norms(recording: Mapping[str, Any]) -> dict[str, Any]:
    """Give largest weights and derivatives at d = 512 and 1024."""
    found = {}
    for d, end in ((1024, ""), (512, "_512")):
        for name in ("scaled", "unscaled"):
            for key in (name, f"largest_{name}"):
                column = _by_seed(recording, key)[:, SIZES.index(d)]
                found[key + end] = column.tolist()
    return found


@STUDY.figure(
    """
    Line plot with two logarithmic axes of the variance of q times k over d
    from 1 to 1024. For mean 0 the measured line rises in proportion to d,
    for mean 1 three times as high; after dividing by the root of d the
    variance stays at 1 and at 3 for every d.
    """
)
def variances(recording: Mapping[str, Any]) -> "Chart":
    """Draw the variance for both means, divided and not."""
    measured = {
        f"mean {mean:g}: ": _by_seed(recording, "variance", mean)
        for mean in MEANS
    }
    return figures.curves(
        SIZES,
        {
            **{f"{name}q·k": v for name, v in measured.items()},
            **{
                f"{name}q·k / √d": v / np.array(SIZES)
                for name, v in measured.items()
            },
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
    return _both(recording, "", "norm of softmax's derivative")


@STUDY.figure(
    """
    Line plot of the largest of 32 weights over d from 1 to 1024. With the
    division it stays near 0.2. Without, it rises to 0.95 at d = 1024.
    """
)
def largest_weights(recording: Mapping[str, Any]) -> "Chart":
    """Draw how much of the weight one key gets."""
    return _both(recording, "largest_", "largest of 32 weights, mean")


def _both(recording: Mapping[str, Any], what: str, ylabel: str) -> "Chart":
    """Draw one measure of the weights, divided and not, for mean 0."""
    return figures.curves(
        SIZES,
        {
            "divided by √d": _by_seed(recording, f"{what}scaled"),
            "not divided": _by_seed(recording, f"{what}unscaled"),
        },
        xlabel="d",
        ylabel=ylabel,
        log_x=True,
    )


def _by_seed(
    recording: Mapping[str, Any], key: str, mean: float = 0.0
) -> np.ndarray:
    """Gather one measure, shape (seeds, sizes)."""
    values = [r[key] for r in recording["records"] if r["mean"] == mean]
    return np.reshape(values, (len(SIZES), -1)).T
