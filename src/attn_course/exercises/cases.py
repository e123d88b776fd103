"""Inputs on which a wrong answer shows, of which each exercise takes a few.

- `sized`: axes of length 1, equal and different lengths, batch axes, float16
  to float64, whole numbers
- `steep`, `steep_batch`: scores that lie 1e4 or 1e10 apart, in every order
- `unseen`: NaN, inf and huge numbers in what must not count
- `query_key_value`: all that fits an exercise with queries and keys
"""

import copy
import inspect
from collections.abc import Callable, Iterable, Mapping
from itertools import count
from typing import Any

import numpy as np

from attn_course.exercises.task import Case

__all__ = [
    "NUMBERS",
    "Case",
    "hard",
    "normal",
    "query_key",
    "query_key_value",
    "sized",
    "steep",
    "steep_batch",
    "unseen",
    "weights",
]

# What may stand where nobody looks.
NUMBERS = {
    "NaN": np.nan,
    "inf": np.inf,
    "−inf": -np.inf,
    "1e10": 1e10,
    "−1e10": -1e10,
}


# What numbers are drawn


def normal(rng: np.random.Generator, *shape: int) -> np.ndarray:
    """Draw numbers of a little more than unit variance."""
    return rng.normal(scale=1.2, size=shape).round(2)


def weights(rng: np.random.Generator, *shape: int) -> np.ndarray:
    """Draw uneven weights, whose rows sum to 1."""
    drawn = rng.gamma(0.7, size=shape) + 0.01
    return drawn / drawn.sum(axis=-1, keepdims=True)


def whole(x: np.ndarray) -> np.ndarray:
    """Round, with few zeros."""
    return np.rint(2 * x)


def hard(x: np.ndarray) -> np.ndarray:
    """Give all the weight of a row to its largest: these are whole, too."""
    return np.eye(x.shape[-1])[x.argmax(axis=-1)]


# How large they are


def sized(
    rng: np.random.Generator,
    draw: Callable[..., Iterable],
    *,
    to_ints: Callable[[np.ndarray], np.ndarray] = whole,
) -> list[Case]:
    """Give cases of all kinds of sizes and dtypes.

    Parameters
    ----------
    rng
        What random numbers come from.
    draw
        Takes `rng` and, by name, the length of each axis: `draw(rng, batch,
        n_q, n_k)`. Gives the arguments, as float64. Where it takes `batch`,
        a tuple, there are batch axes too.
    to_ints
        Makes whole numbers of an argument, for the case of ints.
    """
    names = list(inspect.signature(draw).parameters)[1:]
    has_batch = "batch" in names
    names = [name for name in names if name != "batch"]
    up = dict(zip(names, count(2), strict=False))
    down = dict(zip(reversed(names), count(2), strict=False))
    same = dict.fromkeys(names, 3)

    def case(name, sizes, batch=(), convert: Any = np.float64):
        more = {"batch": batch} if has_batch else {}
        drawn = draw(rng, **more, **sizes)
        return Case(name, tuple(_converted(x, convert) for x in drawn))

    cases = [
        case("each axis of length 1", dict.fromkeys(names, 1)),
        case("lengths that grow", up),
        case("lengths that shrink", down),
        case("all lengths equal", same),
        case("float32", up, (2,), np.float32),
        case("float16", down, (), np.float16),
        case("ints", down, (), lambda x: to_ints(x).astype(np.int64)),
    ]
    if len(names) > 1:
        cases += [case(f"{name} = 1", {**up, name: 1}) for name in names]
    if has_batch:
        cases += [
            case("a batch axis", down, (2,)),
            case("a batch, all lengths equal", same, (3,)),
            case("a batch of one", up, (1,)),
            case("two batch axes", up, (2, 3)),
        ]
        cases += [
            case(f"{name} = 1, in a batch", {**up, name: 1}, (2,))
            for name in names
        ]
    for i, batch in enumerate([(), (), (1, 2)], 1):
        lengths = rng.permutation(np.arange(2, 5 + len(names))).tolist()
        sizes = dict(zip(names, lengths, strict=False))
        cases.append(case(f"drawn lengths, no. {i}", sizes, batch))
    return cases


def _converted(x: Any, convert: Callable) -> Any:
    """Convert a floating array; let all else be."""
    if not isinstance(x, np.ndarray) or x.dtype.kind != "f":
        return x
    if isinstance(convert, type):
        # Older NumPy makes a number of `np.float64(x)` where x holds one.
        return x.astype(convert)
    return np.asarray(convert(x))


# What numbers make a softmax fail


def steep() -> dict[str, np.ndarray]:
    """Give scores, (n_q, 4), whose exponentials overflow and vanish.

    Whoever subtracts anything but the largest score of each row gets 0/0 or
    inf/inf in some of them.
    """
    patterns = {
        "rising": [[0, 1, 2, 3]],
        "falling": [[3, 2, 1, 0]],
        "far below zero": [[-1, -2, -3, -2]],
        "on both sides of zero": [[-1, 1, 1, -2]],
        "rows far apart": [[3, 2, 3, 2], [-2, -2, -3, -3], [0, 0, 0, 0]],
        "the largest anywhere": [
            *([0, 3, 1, 2], [2, 0, 3, 1], [1, 2, 0, 3], [3, 1, 2, 0]),
        ],
    }
    scores = {}
    for said, size in [("1e4", 1e4), ("1e10", 1e10)]:
        for name, pattern in patterns.items():
            scores[f"scores {said} apart, {name}"] = size * np.array(pattern)
    # At 1e10 rounding would tell right answers apart.
    scores["close scores near 1e8"] = 1e8 + np.array([[0.0, 1.0, -1.0, 2.0]])
    return scores


def steep_batch() -> np.ndarray:
    """Give scores, (2, 3, 4), that lie far apart along each axis."""
    rows = steep()["scores 1e4 apart, rows far apart"]
    return np.stack([rows, rows[::-1]])


def query_key(scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Give queries and keys with these scores, (..., n_q, 4), exactly."""
    return 2 * scores, np.ones((*scores.shape[:-2], 1, 1)) * np.eye(4)


def query_key_value(rng: np.random.Generator) -> list[Case]:
    """Give queries, keys and values of many shapes, and steep scores."""

    def draw(rng, batch, n_q, n_k, d_k, d_v):
        shapes = [(n_q, d_k), (n_k, d_k), (n_k, d_v)]
        return [normal(rng, *batch, *shape) for shape in shapes]

    cases = sized(rng, draw)
    value = normal(rng, 4, 3)
    for name, scores in steep().items():
        cases.append(Case(name, (*query_key(scores), value)))
    batch = query_key(steep_batch())
    query, key, value = draw(rng, (), 2, 3, 2, 1)
    return [
        *cases,
        Case("scores far apart in a batch", (*batch, normal(rng, 2, 4, 3))),
        Case("equal keys", (query, np.ones_like(key), value)),
        Case("a query of zeros", (0 * query, key, value)),
    ]


# What must not count


def unseen(
    name: str, arguments: tuple, places: Mapping[int, Any]
) -> list[Case]:
    """Give the arguments with each of `NUMBERS` in what must not count.

    `places` has an index for each of the arguments to write into, by number:
    `{1: np.s_[..., 2:, :]}`.
    """
    cases = []
    for said, number in NUMBERS.items():
        case = Case(f"{name} of {said}", copy.deepcopy(arguments))
        for which, place in places.items():
            case.arguments[which][place] = number
        cases.append(case)
    return cases
