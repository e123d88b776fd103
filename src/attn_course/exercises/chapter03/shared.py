"""What the exercises of chapter 3 share: inputs, and a softmax."""

import numpy as np

from attn_course.exercises.core import Case

__all__ = ["Sizes", "query_key_cases", "softmax", "swap"]

# What a case is called, its batch axes, n_q, n_k, d_k, d_v, dtype.
Sizes = tuple[str, tuple[int, ...], int, int, int, int, str]

SIZES: list[Sizes] = [
    ("two queries, three keys", (), 2, 3, 4, 5, "float64"),
    ("as many keys as queries", (), 3, 3, 2, 4, "float64"),
    ("all sizes equal", (), 4, 4, 4, 4, "float64"),
    ("values as long as keys", (), 3, 5, 2, 2, "float64"),
    ("a single key", (), 3, 1, 4, 2, "float64"),
    ("vectors of one number", (), 2, 4, 1, 3, "float64"),
    ("vectors of 64 numbers", (), 2, 5, 64, 3, "float64"),
    ("a batch axis", (2,), 3, 4, 5, 2, "float64"),
    ("a batch, all sizes equal", (3,), 3, 3, 3, 3, "float64"),
    ("two batch axes", (2, 3), 4, 5, 6, 7, "float64"),
    ("float32", (), 3, 4, 5, 2, "float32"),
    ("float16", (), 3, 5, 4, 2, "float16"),
]


def softmax(x: np.ndarray, axis: int | tuple[int, ...] = -1) -> np.ndarray:
    """Turn numbers into shares that sum to 1 along an axis."""
    shares = np.exp(x - x.max(axis=axis, keepdims=True))
    return shares / shares.sum(axis=axis, keepdims=True)


def swap(x: np.ndarray) -> np.ndarray:
    """Transpose the last two axes: (..., n, d) to (..., d, n)."""
    return np.swapaxes(x, -1, -2)


def query_key_cases(rng: np.random.Generator) -> list[Case]:
    """Give queries, keys and values of many shapes and sizes."""
    cases = [
        Case(
            "one query, two keys",
            (
                np.array([[2.0, 0.0]]),
                np.array([[1.0, 0.0], [0.0, 1.0]]),
                np.array([[10.0], [20.0]]),
            ),
        )
    ]
    for sizes in SIZES + random_sizes(rng):
        cases.append(_random_case(rng, sizes))
    query, key, value = _random_case(rng, SIZES[0]).arguments
    equal = np.ones_like(key)
    cases.append(Case("equal keys", (query, equal, value)))
    cases.append(Case("a query of zeros", (0.0 * query, key, value)))
    return cases + large_cases()


def large_cases() -> list[Case]:
    """Give scores so large that exp overflows, or so low that all are 0."""
    key = np.array([[1.0, 0.0], [1.0, 1.0]])
    value = np.array([[1.0], [2.0]])
    return [
        Case(
            "scores above 700", (np.array([[1500.0, 1.5]]), key.copy(), value)
        ),
        Case(
            "scores below −700",
            (np.array([[-1500.0, 1.5]]), key.copy(), value),
        ),
        Case(
            "one query with scores above 700, one with small scores",
            (np.array([[1500.0, 1.5], [0.0, 2.0]]), key.copy(), value),
        ),
    ]


def random_sizes(rng: np.random.Generator) -> list[Sizes]:
    """Draw sizes; no two of n_q, n_k, d_k and d_v are the same."""
    drawn = []
    for batch in [(), (), (), (2,), (1, 2)]:
        n_q, n_k, d_k, d_v = rng.permutation(np.arange(2, 9))[:4].tolist()
        name = f"{n_q} queries, {n_k} keys, d_k={d_k}, d_v={d_v}"
        name += f", batch axes {batch}" if batch else ""
        drawn.append((name, batch, n_q, n_k, d_k, d_v, "float64"))
    return drawn


def _random_case(rng: np.random.Generator, sizes: Sizes) -> Case:
    """Draw numbers of a little more than unit variance."""
    name, batch, n_q, n_k, d_k, d_v, dtype = sizes
    shapes = [(n_q, d_k), (n_k, d_k), (n_k, d_v)]
    return Case(
        name,
        tuple(
            rng.normal(scale=1.2, size=(*batch, *shape)).round(2).astype(dtype)
            for shape in shapes
        ),
    )
