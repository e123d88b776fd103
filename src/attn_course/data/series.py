"""One real series in one dimension: four years of Seattle's weather."""

from importlib import resources
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

__all__ = ["Series", "load_series"]

SOURCE = (
    "Daily maximum temperature in Seattle, 2012 to 2015, in °C: NOAA, public "
    "domain (https://www.weather.gov/disclaimer), by way of the PyPI package "
    "vega_datasets 0.9.0"
)


class Series(NamedTuple):
    """One number a day.

    `year` and `day` (of the year, from 1) say when, `temperature` what was
    measured, all of shape `(n,)`; `source` says where it comes from.
    """

    year: Int[np.ndarray, " n"]
    day: Float[np.ndarray, " n"]
    temperature: Float[np.ndarray, " n"]
    source: str


def load_series() -> Series:
    """Read the highest temperature of each day in Seattle, in order.

    Every day of 2012 to 2015 is there, 1461 in all.

    Examples
    --------
    >>> series = load_series()
    >>> series.temperature.shape
    (1461,)
    >>> series.day[:3], series.temperature[:3]
    (array([1., 2., 3.]), array([12.8, 10.6, 11.7]))
    """
    file = resources.files("attn_course") / "data/seattle-temperatures.csv"
    rows = [line.split(",") for line in file.read_text("utf-8").split()[1:]]
    dates = np.array([date for date, _ in rows], dtype="datetime64[D]")
    years = dates.astype("datetime64[Y]")  # (n,)
    day = (dates - years).astype(np.int64) + 1  # (n,)
    return Series(
        year=years.astype(np.int64) + 1970,
        day=day.astype(np.float64),
        temperature=np.array([float(degrees) for _, degrees in rows]),
        source=SOURCE,
    )
