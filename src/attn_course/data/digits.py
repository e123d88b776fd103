"""Real pictures, small enough to learn in seconds: handwritten digits."""

import gzip
from importlib import resources
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

__all__ = ["Digits", "load_digits"]

SOURCE = (
    "Optical Recognition of Handwritten Digits, test part: E. Alpaydin and "
    "C. Kaynak 1998, UCI Machine Learning Repository, "
    "https://doi.org/10.24432/C50P49, CC BY 4.0, by way of the PyPI package "
    "scikit-learn 1.9.1"
)


class Digits(NamedTuple):
    """Pictures of one handwritten digit each.

    `pictures` is ink from 0 (none) to 1, `(n, 8, 8)`; `labels` is the digit,
    `(n,)`; `source` says where they come from.
    """

    pictures: Float[np.ndarray, "n 8 8"]
    labels: Int[np.ndarray, " n"]
    source: str


def load_digits() -> Digits:
    """Read 1797 digits of 13 writers, in the order of the data set.

    Each picture was 32 × 32 black or white pixels; a number here is the
    share of black ones among 4 × 4 of them.

    Examples
    --------
    >>> digits = load_digits()
    >>> digits.pictures.shape, digits.labels[:5]
    ((1797, 8, 8), array([0, 1, 2, 3, 4]))
    """
    file = resources.files("attn_course") / "data/digits.csv.gz"
    text = gzip.decompress(file.read_bytes()).decode("ascii")
    rows = np.array(
        [line.split(",") for line in text.split()], dtype=np.int64
    )  # (n, 64 + 1)
    return Digits(
        pictures=rows[:, :-1].reshape(-1, 8, 8) / 16,
        labels=rows[:, -1],
        source=SOURCE,
    )
