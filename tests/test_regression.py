"""Kernel regression is attention; the series it is shown on."""

import re

import numpy as np
import pytest

from attn_course import data
from attn_course.regression import (
    kernel_regression,
    learn_attention,
    leave_one_out_error,
    on_circle,
    root_mean_square,
)


@pytest.fixture
def known():
    generator = np.random.default_rng(3)
    x = np.sort(generator.uniform(-5.0, 40.0, 60))
    return x, np.sin(x / 4) + generator.normal(0.0, 0.2, 60)


def formula(x_query, x, y, bandwidth, mask=None):
    """Follow Nadaraya and Watson, one query at a time."""
    answers = []
    for i, at in enumerate(x_query):
        kernel = np.exp(-((at - x) ** 2) / (2 * bandwidth**2))
        if mask is not None:
            kernel = kernel * mask[i]
        answers.append((kernel * y).sum() / kernel.sum())
    return np.array(answers)


@pytest.mark.parametrize("bandwidth", [0.5, 2.0, 30.0])
def test_attention_is_the_formula_of_nadaraya_and_watson(known, bandwidth):
    x_query = np.linspace(-6.0, 41.0, 37)
    ours = kernel_regression(x_query, *known, bandwidth)
    theirs = formula(x_query, *known, bandwidth)
    np.testing.assert_allclose(ours, theirs, rtol=1e-9)


def test_moving_every_x_changes_nothing(known):
    x, y = known
    here = kernel_regression(x, x, y, 1.0)
    there = kernel_regression(x + 1000.0, x + 1000.0, y, 1.0)
    np.testing.assert_allclose(here, there, rtol=1e-8)


def test_a_small_bandwidth_finds_the_nearest_a_large_one_the_mean(known):
    x, y = known
    near = kernel_regression(x + 1e-9, x, y, 1e-4)
    np.testing.assert_allclose(near, y)
    far = kernel_regression(x, x, y, 1e6)
    np.testing.assert_allclose(far, y.mean())
    # Where every kernel underflows the formula divides 0 by 0.
    assert kernel_regression(np.array([1e4]), x, y, 0.1) == [y[-1]]


def test_leaving_one_out_uses_all_others(known):
    x, y = known
    others = ~np.eye(len(x), dtype=bool)
    error = formula(x, x, y, 2.0, others) - y
    assert leave_one_out_error(x, y, 2.0) == pytest.approx(
        np.sqrt(np.mean(error**2))
    )


def test_leaving_a_group_out_uses_all_other_groups(known):
    x, y = known
    groups = np.arange(len(x)) % 3
    error = formula(x, x, y, 2.0, groups[:, None] != groups) - y
    assert leave_one_out_error(x, y, 2.0, groups) == pytest.approx(
        np.sqrt(np.mean(error**2))
    )


@pytest.mark.parametrize("bandwidth", [0.0, -1.0, float("nan")])
def test_a_bandwidth_must_be_above_0(known, bandwidth):
    x, y = known
    with pytest.raises(ValueError, match="expected bandwidth above 0, got"):
        kernel_regression(x, x, y, bandwidth)


def test_shapes_that_do_not_fit_are_named(known):
    x, y = known
    with pytest.raises(
        ValueError, match=re.escape("got (60,), (60,) and (59,)")
    ):
        kernel_regression(x, x, y[1:], 1.0)


def test_vectors_on_a_circle():
    x = np.array([1.0, 366.25, 200.0])
    points = on_circle(x, 365.25)
    np.testing.assert_allclose((points**2).sum(-1), 1.0)
    np.testing.assert_allclose(points[0], points[1])
    gap = points[0] - points[2]
    assert (gap**2).sum() == pytest.approx(2 - 2 * points[0] @ points[2])


def test_the_series_is_four_whole_years():
    series = data.load_series()
    counts = [int((series.year == year).sum()) for year in range(2012, 2016)]
    assert counts == [366, 365, 365, 365]
    for year, count in zip(range(2012, 2016), counts, strict=True):
        days = series.day[series.year == year]
        np.testing.assert_array_equal(days, np.arange(1, count + 1))
    assert series.temperature.dtype == np.float64
    assert series.temperature.min() == -1.6
    assert series.temperature.max() == 35.6
    assert "public domain" in series.source


def test_near_days_beat_the_mean_and_learning_comes_near():
    series = data.load_series()
    before = series.year < 2014
    x, y, year = series.day[before], series.temperature[before], series.year
    x_later, y_later = series.day[~before], series.temperature[~before]

    mean = root_mean_square(y.mean() - y_later)
    by_hand = kernel_regression(x_later, x, y, 20.0)
    assert root_mean_square(by_hand - y_later) < 0.6 * mean

    features = on_circle(x, 365.25), on_circle(x_later, 365.25)
    learned = learn_attention(
        features[0], y, groups=year[before], steps=40, learning_rate=0.2
    )
    again = learn_attention(
        features[0], y, groups=year[before], steps=40, learning_rate=0.2
    )
    np.testing.assert_array_equal(learned.w_query, again.w_query)
    assert learned.errors[-1] < learned.errors[0]
    predicted = learned.predict(features[1], features[0], y)
    assert root_mean_square(predicted - y_later) < 0.6 * mean


def test_leaving_out_a_day_and_a_year_choose_differently():
    # A day's neighbours share its weather: one left out tests too little.
    series = data.load_series()
    before = series.year < 2014
    x, y = series.day[before], series.temperature[before]
    year = series.year[before]
    widths = [1.0, 2.0, 5.0, 10.0, 20.0, 50.0]
    by_day = [leave_one_out_error(x, y, h) for h in widths]
    by_year = [leave_one_out_error(x, y, h, year) for h in widths]
    assert widths[int(np.argmin(by_day))] == 2.0
    assert widths[int(np.argmin(by_year))] == 20.0
