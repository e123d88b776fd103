"""Predict a day's temperature from similar days of other years.

Kernel regression on four years in Seattle: each day is predicted from the
other three years, weighted by how near their days of the year are. Leaving
out single days would test too little, for neighbours err together. Three
records, one a year, match the day of the year exactly: their mean is one
baseline, equal weights for all days the other. Ten bandwidths were set
beforehand; the best of them is named by the same errors that are shown, and no
further data were kept apart to test it: for that, see the study learned-days.
Errors are root mean squares.
"""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from attn_course import figures
from attn_course.data import load_series
from attn_course.experiments.rules import choices
from attn_course.experiments.study import Study
from attn_course.regression import (
    kernel_regression,
    learn_attention,
    leave_one_out_error,
    on_circle,
    root_mean_square,
)

if TYPE_CHECKING:
    from attn_course.figures import Chart

__all__ = ["BANDWIDTHS", "LEARNED", "STUDY", "errors", "learn"]

# In days. The last weighs all days alike: it gives the mean.
BANDWIDTHS = [0.5, 1, 2, 5, 10, 15, 20, 30, 60, 120]
FLAT = 1e4
# So narrow that only the same day of the year counts.
EXACT = 0.01
STUDY = Study(
    "similar-days",
    chapter=3,
    question="Does a weighted average of similar days beat the mean of all, "
    "and that of the days that match exactly?",
    design=__doc__,
    seeds=0,
    settings={"bandwidths": BANDWIDTHS},
    data=["seattle-temperatures.csv"],
    tolerance=1e-4,
)


@STUDY.run
def errors() -> dict[str, Any]:
    """Measure the error of every bandwidth, root mean square in °C."""
    series = load_series()

    def error(bandwidth: float) -> float:
        found = leave_one_out_error(
            series.day, series.temperature, bandwidth, groups=series.year
        )
        return round(found, 6)

    return {
        "days": len(series.day),
        "errors": [error(bandwidth) for bandwidth in BANDWIDTHS],
        "mean_error": error(FLAT),
        "exact_error": error(EXACT),
    }


@STUDY.slice
def again(recording: Mapping[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """Measure every bandwidth once more."""
    now = errors()
    for key in ("days", "errors", "mean_error", "exact_error"):
        yield key, recording[key], now[key]


@STUDY.claim("3.library")
def best_and_narrowest(recording: Mapping[str, Any]) -> dict[str, Any]:
    """Give the lowest error, and those of both baselines."""
    found = recording["errors"]
    return {
        "days": recording["days"],
        "mean_error": recording["mean_error"],
        "exact_error": recording["exact_error"],
        "best_error": min(found),
        "best_bandwidth": BANDWIDTHS[int(np.argmin(found))],
        "narrow_error": found[0],
    }


@STUDY.figure(
    """
    Scatter plot of the daily highest temperature in Seattle over the day of
    the year, from about 5 degrees in winter to 25 in summer, with three
    fitted lines: a jagged one for bandwidth half a day, a smooth one through
    the middle of the points for 15 days, and a nearly flat one for 120 days.
    """
)
def fits(recording: Mapping[str, Any]) -> "Chart":
    """Draw the days, and what three bandwidths make of them."""
    series, days = load_series(), np.linspace(1, 365, 365)
    return figures.scatter(
        series.day,
        series.temperature,
        {
            f"h = {h:g} days": (
                days,
                kernel_regression(days, series.day, series.temperature, h),
            )
            for h in (0.5, 15, 120)
        },
        xlabel="day of the year (query and key)",
        ylabel="highest temperature in °C (value)",
        title="Four years in Seattle, looked up by similar days",
    )


LEARNED = Study(
    "learned-days",
    chapter=3,
    question="Does attention that learned what to compare do better than a "
    "kernel set by hand?",
    design="""
    Both learn from 2012 and 2013 and are tested on 2014 and 2015. By hand:
    the bandwidth of similar-days that errs least when 2012 is predicted from
    2013 and the other way round. Learned: two matrices of 2 × 2 numbers, for
    queries and keys, by gradient descent (Adam) on that same error. Given to
    attention are the period of a year and its geometry, a point on a circle
    for each day; to the kernel a line of days, on which 31 December is far
    from 1 January. The baseline is the mean of 2012 and 2013. Errors are root
    mean squares in °C. The learning rate is chosen by the error of training;
    steps and grid were set beforehand. Two years of one city.
    """,
    sweep={"learning_rate": [0.03, 0.1, 0.3, 1.0, 3.0]},
    settings={"steps": 100, "bandwidths": BANDWIDTHS, "learned_from": 2014},
    chosen_by="loss",
    baseline="mean",
    packages=["torch"],
    data=["seattle-temperatures.csv"],
    tolerance=0.01,
)


@LEARNED.run
def learn(learning_rate: float, seed: int) -> dict[str, Any]:
    """Learn from two years; `error` is that of the other two.

    `loss` is the error of each year predicted from the other before the last
    step; `history` the same before every step.
    """
    series = load_series()
    place = on_circle(series.day, 365.25)  # (n, 2)
    old, y = _old(series), series.temperature
    model = learn_attention(
        place[old],
        y[old],
        groups=series.year[old],
        steps=LEARNED.settings["steps"],
        learning_rate=learning_rate,
        seed=seed,
    )
    guess = model.predict(place[~old], place[old], y[old])
    return {
        "error": round(root_mean_square(guess - y[~old]), 4),
        "loss": round(model.errors[-1], 4),
        "history": [round(error, 4) for error in model.errors],
    }


@LEARNED.summary
def by_hand(records: list[dict[str, Any]]) -> dict[str, Any]:
    """Give what the kernel and the mean do, on the same days."""
    series = load_series()
    old, day, y = _old(series), series.day, series.temperature
    tried = [
        leave_one_out_error(day[old], y[old], h, groups=series.year[old])
        for h in BANDWIDTHS
    ]
    bandwidth = BANDWIDTHS[int(np.argmin(tried))]
    guess = kernel_regression(day[~old], day[old], y[old], bandwidth)
    flat = leave_one_out_error(day[old], y[old], FLAT, groups=series.year[old])
    return {
        "baselines": {"mean": round(flat, 4)},
        "kernel": {
            "bandwidth": bandwidth,
            "loss": round(min(tried), 4),
            "error": round(root_mean_square(guess - y[~old]), 4),
        },
        "mean_error": round(root_mean_square(y[old].mean() - y[~old]), 4),
    }


@LEARNED.slice
def learn_again(
    recording: Mapping[str, Any],
) -> Iterator[tuple[str, Any, Any]]:
    """Learn once more with one rate; ask the kernel again."""
    now = by_hand([])
    yield "kernel", *(x["kernel"]["error"] for x in (recording, now))
    yield "mean", recording["mean_error"], now["mean_error"]
    for then in recording["records"]:
        if then["learning_rate"] == 0.3:
            found = learn(0.3, then["seed"])
            yield f"seed {then['seed']}", then["error"], found["error"]


@LEARNED.claim("3.library")
def on_the_same_days(recording: Mapping[str, Any]) -> dict[str, Any]:
    """Give the errors of 2014 and 2015: learned, by hand, mean."""
    [chosen] = choices(LEARNED, recording["records"])
    return {
        "learned_error": [run["error"] for run in chosen.runs],
        "kernel_error": recording["kernel"]["error"],
        "kernel_bandwidth": recording["kernel"]["bandwidth"],
        "flat_error": recording["mean_error"],
    }


def _old(series: Any) -> np.ndarray:
    """Say which days are there to learn from, shape (n,)."""
    return series.year < LEARNED.settings["learned_from"]
