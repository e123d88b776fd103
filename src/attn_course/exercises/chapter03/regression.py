"""Exercise 3.5: kernel regression is attention."""

import numpy as np

from attn_course.exercises.cases import Case, normal, sized
from attn_course.exercises.core import Exercise
from attn_course.exercises.parts import softmax


def inputs(rng: np.random.Generator) -> list[Case]:
    """Give places to ask about, points, their heights, and a bandwidth."""
    asked = np.array([0.0])
    points, heights = np.array([0.0, 2.0]), np.array([10.0, 20.0])
    cases = [
        Case("one question, two points", (asked, points, heights, 2.0)),
        Case("halfway", (np.array([1.0]), points, heights, 0.5)),
        Case("far from every point", (np.array([90.0]), points, heights, 0.7)),
        Case("near and far", (np.array([1.0, -90.0]), points, heights, 0.7)),
        Case("all points in one place", (asked, 0 * points, heights, 0.5)),
    ]
    far = np.array([90.0, -90.0, 40.0])
    for name, x_key in [
        ("far from two points that are close", [0.0, 1e-3]),
        ("points in order, far apart", [0.0, 100.0, 200.0]),
        ("points in order, backwards", [1e6, 1e5, 1e4]),
    ]:
        known = np.array(x_key), np.arange(len(x_key)) + 1.0
        cases.append(Case(name, (far, *known, 0.7)))
    return cases + sized(rng, _draw)


def _draw(rng, n_q, n_k):
    """Draw questions, points and heights; the bandwidth is not always 1."""
    arrays = normal(rng, n_q), normal(rng, n_k), normal(rng, n_k)
    return *arrays, round(rng.uniform(0.3, 3.0), 1)


EXERCISE = Exercise(
    id="3.5",
    title="Kernel regression as attention",
    statement="""\
Write `kernel_regression(x_query, x_key, y_value, bandwidth)` after Nadaraya
and Watson (1964): predict y at each `x_query` as a weighted average of the
known `y_value`. The weight of a known point is proportional to
exp(−(x_query − x_key)² / (2 · bandwidth²)), and the weights sum to 1.

- `x_query` has shape `(n_q,)`, `x_key` and `y_value` have `(n_k,)`; return
  `(n_q,)`. `bandwidth` is one number.
- Far from every point all exponentials are 0 in floating point. The answer
  must still be a number: which trick of 3.1 helps?""",
    difficulty=1,
    minutes=10,
    hints=[
        "Read the exponent as a score. Then this is attention: scores of "
        "shape (n_q, n_k), a softmax over the keys, a mixture of values.",
        "A column of queries minus a row of keys gives all differences at "
        "once: (n_q, 1) and (n_k,).",
        "As in 3.1, take each row's largest score away before the "
        "exponential: the nearest point then counts 1.",
    ],
    inputs=inputs,
)


@EXERCISE.is_solution
def kernel_regression(x_query, x_key, y_value, bandwidth):
    """Predict y at x_query from known points (x_key, y_value).

    x_query (n_q,), x_key (n_k,), y_value (n_k,) → (n_q,)
    """
    differences = x_query[:, None] - x_key  # (n_q, n_k)
    scores = -(differences**2) / (2 * bandwidth**2)
    exps = np.exp(scores - scores.max(axis=-1, keepdims=True))
    weights = exps / exps.sum(axis=-1, keepdims=True)
    return weights @ y_value  # (n_q,)


def _differences(x_query, x_key):
    return x_query[:, None] - x_key


# Right in other words


@EXERCISE.is_right
def with_loops(x_query, x_key, y_value, bandwidth):
    """One question at a time."""
    answers = []
    for x in x_query.tolist():
        scores = [-((x - k) ** 2) / 2 / bandwidth**2 for k in x_key.tolist()]
        shares = [np.exp(score - max(scores)) for score in scores]
        total = sum(s * y for s, y in zip(shares, y_value, strict=True))
        answers.append(total / sum(shares))
    return np.array(answers)


@EXERCISE.is_right
def from_the_nearest(x_query, x_key, y_value, bandwidth):
    """Subtract the smallest distance, divide at the end."""
    far = np.subtract.outer(x_query, x_key) ** 2
    far = far - far.min(axis=1)[:, None]
    kernel = np.exp(-0.5 * far / bandwidth**2)
    return (kernel * y_value).sum(1) / kernel.sum(1)


@EXERCISE.is_right
def as_dot_products(x_query, x_key, y_value, bandwidth):
    """Drop x_query², which is the same for all keys: a dot product stays."""
    query = np.stack([x_query, np.ones_like(x_query)], axis=-1)
    query = query.astype(np.float64)
    key = np.stack([x_key, -(x_key.astype(np.float64) ** 2) / 2], axis=-1)
    return softmax(query @ key.T / bandwidth**2) @ y_value


# The kernel


@EXERCISE.is_wrong
def not_squared(x_query, x_key, y_value, bandwidth):
    """You forgot to square the difference."""
    far = _differences(x_query, x_key)
    return softmax(-far / (2 * bandwidth**2)) @ y_value


@EXERCISE.is_wrong
def absolute_difference(x_query, x_key, y_value, bandwidth):
    """You took the absolute difference: the Gaussian squares it."""
    far = np.abs(_differences(x_query, x_key))
    return softmax(-far / (2 * bandwidth**2)) @ y_value


@EXERCISE.is_wrong
def bandwidth_not_squared(x_query, x_key, y_value, bandwidth):
    """You forgot to square the bandwidth."""
    far = _differences(x_query, x_key) ** 2
    return softmax(-far / (2 * bandwidth)) @ y_value


@EXERCISE.is_wrong
def no_half(x_query, x_key, y_value, bandwidth):
    """You left out the 2 under the squared difference."""
    far = _differences(x_query, x_key) ** 2
    return softmax(-far / bandwidth**2) @ y_value


@EXERCISE.is_wrong
def two_squared(x_query, x_key, y_value, bandwidth):
    """You squared the 2 as well: only the bandwidth is squared."""
    far = _differences(x_query, x_key) ** 2
    return softmax(-far / (2 * bandwidth) ** 2) @ y_value


@EXERCISE.is_wrong
def multiplied_by_bandwidth(x_query, x_key, y_value, bandwidth):
    """You multiplied by bandwidth²: `/ 2 * b` divides by 2 alone."""
    far = _differences(x_query, x_key) ** 2
    return softmax(-far / 2 * bandwidth**2) @ y_value


@EXERCISE.is_wrong
def bandwidth_ignored(x_query, x_key, y_value, bandwidth):
    """You did not use the bandwidth."""
    return softmax(-(_differences(x_query, x_key) ** 2) / 2) @ y_value


@EXERCISE.is_wrong
def sign_forgotten(x_query, x_key, y_value, bandwidth):
    """You left out the minus sign: the farthest point counts most."""
    far = _differences(x_query, x_key) ** 2
    return softmax(far / (2 * bandwidth**2)) @ y_value


@EXERCISE.is_wrong
def dot_product(x_query, x_key, y_value, bandwidth):
    """You multiplied query and key: here their distance is the score."""
    return softmax(np.outer(x_query, x_key) / bandwidth**2) @ y_value


# The average


@EXERCISE.is_wrong
def not_normalised(x_query, x_key, y_value, bandwidth):
    """You summed by the kernel alone: the weights must sum to 1."""
    far = _differences(x_query, x_key) ** 2
    return np.exp(-far / (2 * bandwidth**2)) @ y_value


@EXERCISE.is_wrong
def mean_of_kernel(x_query, x_key, y_value, bandwidth):
    """You divided by the number of points: divide by the kernel's sum."""
    far = _differences(x_query, x_key) ** 2
    kernel = np.exp(-far / (2 * bandwidth**2))
    return kernel @ y_value / len(x_key)


@EXERCISE.is_wrong
def gaussian_density(x_query, x_key, y_value, bandwidth):
    """You divided by the Gaussian's area: divide by the kernel's sum."""
    far = _differences(x_query, x_key) ** 2
    area = bandwidth * np.sqrt(2 * np.pi)
    return np.exp(-far / (2 * bandwidth**2)) / area @ y_value


@EXERCISE.is_wrong
def no_maximum_subtracted(x_query, x_key, y_value, bandwidth):
    """Right near the points, but far away 0/0: subtract the maximum."""
    far = _differences(x_query, x_key) ** 2
    kernel = np.exp(-far / (2 * bandwidth**2))
    return kernel @ y_value / kernel.sum(axis=-1)


@EXERCISE.is_wrong
def nearest_where_all_are_zero(x_query, x_key, y_value, bandwidth):
    """You took the nearest point where the sum is 0: others share there."""
    far = _differences(x_query, x_key) ** 2
    kernel = np.exp(-far / (2 * bandwidth**2))
    total = kernel.sum(axis=-1)
    nearest = y_value[far.argmin(axis=-1)]
    average = kernel @ y_value / np.where(total == 0, 1, total)
    return np.where(total == 0, nearest, average)


@EXERCISE.is_wrong
def maximum_of_everything(x_query, x_key, y_value, bandwidth):
    """One maximum for all rows: a row far below it becomes 0/0."""
    scores = -(_differences(x_query, x_key) ** 2) / (2 * bandwidth**2)
    kernel = np.exp(scores - scores.max())
    return kernel @ y_value / kernel.sum(axis=-1)


@EXERCISE.is_wrong
def softmax_over_queries(x_query, x_key, y_value, bandwidth):
    """You made the weights sum to 1 over the queries, not the points."""
    far = _differences(x_query, x_key) ** 2
    return softmax(-far / (2 * bandwidth**2), axis=0) @ y_value


@EXERCISE.is_wrong
def softmax_over_everything(x_query, x_key, y_value, bandwidth):
    """All weights together sum to 1: those of each query should."""
    far = _differences(x_query, x_key) ** 2
    return softmax(-far / (2 * bandwidth**2), axis=(0, 1)) @ y_value


@EXERCISE.is_wrong
def nearest_point(x_query, x_key, y_value, bandwidth):
    """You took the nearest point alone: average over all of them."""
    return y_value[np.argmin(_differences(x_query, x_key) ** 2, axis=1)]


@EXERCISE.is_wrong
def mean_of_all(x_query, x_key, y_value, bandwidth):
    """You averaged all points alike: the near ones count more."""
    return np.full(x_query.shape, y_value.mean())


@EXERCISE.is_wrong
def returns_weights(x_query, x_key, y_value, bandwidth):
    """You returned the weights: average the values with them."""
    far = _differences(x_query, x_key) ** 2
    return softmax(-far / (2 * bandwidth**2))


@EXERCISE.is_wrong
def column_of_answers(x_query, x_key, y_value, bandwidth):
    """You returned a column: the shape should be `(n_q,)`."""
    answer = kernel_regression(x_query, x_key, y_value, bandwidth)
    return answer[:, None]
