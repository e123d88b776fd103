"""Predict a day's temperature from similar days of other years.

Kernel regression on four years in Seattle: each day is predicted from the
other three years, weighted by how near their days of the year are. Leaving
out single days would test too little, for neighbours err together. The
baseline gives all days equal weights. Ten bandwidths were set beforehand; the
best of them is named by the same errors that are shown, and no further data
were kept apart to test it.
"""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from attn_course import figures
from attn_course.data import load_series
from attn_course.experiments.study import Study
from attn_course.regression import kernel_regression, leave_one_out_error

if TYPE_CHECKING:
    from attn_course.figures import Chart

__all__ = ["BANDWIDTHS", "STUDY", "errors"]

# In days. The last weighs all days alike: it gives the mean.
BANDWIDTHS = [0.5, 1, 2, 5, 10, 15, 20, 30, 60, 120]
FLAT = 1e4
STUDY = Study(
    "similar-days",
    chapter=3,
    question="Does a weighted average of similar days beat the mean of all?",
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
    }


@STUDY.slice
def again(recording: Mapping[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """Measure every bandwidth once more."""
    now = errors()
    for key in ("days", "errors", "mean_error"):
        yield key, recording[key], now[key]


@STUDY.claim("3.library")
def best_and_narrowest(recording: Mapping[str, Any]) -> dict[str, Any]:
    """Give the lowest error, and those of a mean and of half a day."""
    found = recording["errors"]
    return {
        "days": recording["days"],
        "mean_error": recording["mean_error"],
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
