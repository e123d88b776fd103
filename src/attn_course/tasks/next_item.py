"""Made-up shoppers, and what each of them takes next.

There are no people behind these data. Each item has three others that tend to
follow it, and some items are popular. Once, somewhere, a shopper takes the
first part of something in two parts. What is asked for is the item after
SHOWN: with the chance `sequel` it is the second part; else what follows the
last item, as everywhere. So with `sequel` = 0 only the last item counts.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

__all__ = [
    "FOLLOWS",
    "ITEMS",
    "SERIES",
    "SHOWN",
    "Shop",
    "best_scores",
    "draw",
    "followers",
    "open_shop",
    "popular",
]

# Items 0 to 9 are first parts; item i + 10 is the second part of item i.
ITEMS, SERIES, SHOWN = 40, 10, 12
# Chances of an item's three followers; else the next is drawn by popularity.
FOLLOWS = (0.4, 0.25, 0.15)


class Shop(NamedTuple):
    """How likely each item is after each: `(ITEMS, ITEMS)`, rows sum to 1."""

    after: Float[np.ndarray, "items items"]


def open_shop(seed: int) -> Shop:
    """Draw who follows whom, among the items that are in no series."""
    generator = np.random.default_rng(seed)
    single = np.arange(2 * SERIES, ITEMS)
    popularity = np.zeros(ITEMS)
    popularity[single] = 1 / np.arange(1, len(single) + 1)  # Zipf's law
    popularity /= popularity.sum()
    after = np.tile((1 - sum(FOLLOWS)) * popularity, (ITEMS, 1))
    for row in after:
        row[generator.choice(single, len(FOLLOWS), replace=False)] += FOLLOWS
    return Shop(after)


def draw(
    shop: Shop, count: int, sequel: float, generator: np.random.Generator
) -> tuple[Int[np.ndarray, "count shown"], Int[np.ndarray, " count"]]:
    """Draw shoppers: the items that they took, and the next one.

    The first part stands anywhere but last.

    Raises
    ------
    ValueError
        When `sequel` is no chance.
    """
    if not 0 <= sequel <= 1:
        raise ValueError(f"expected sequel between 0 and 1, got {sequel}")
    part = generator.integers(SERIES, size=count)
    place = generator.integers(SHOWN - 1, size=count)
    taken = np.empty((count, SHOWN + 1), dtype=np.int64)
    taken[:, 0] = generator.integers(2 * SERIES, ITEMS, size=count)
    for i in range(SHOWN + 1):
        if i:
            taken[:, i] = _follow(shop.after[taken[:, i - 1]], generator)
        taken[:, i] = np.where(place == i, part, taken[:, i])
    goes_on = generator.random(count) < sequel
    target = np.where(goes_on, part + SERIES, taken[:, -1])
    return taken[:, :-1], target


def best_scores(
    shop: Shop, shown: Int[np.ndarray, "count shown"], sequel: float
) -> Float[np.ndarray, "count items"]:
    """Give the true chance of each next item: nobody can know more."""
    scores = (1 - sequel) * shop.after[shown[:, -1]]
    first = shown[np.arange(len(shown)), (shown < SERIES).argmax(-1)]
    scores[np.arange(len(shown)), first + SERIES] += sequel
    return scores


def popular(
    targets: Int[np.ndarray, " count"],
) -> Float[np.ndarray, " items"]:
    """Count how often each item was the next."""
    return np.bincount(targets, minlength=ITEMS).astype(float)


def followers(
    shown: Int[np.ndarray, "count shown"], targets: Int[np.ndarray, " count"]
) -> Float[np.ndarray, "items items"]:
    """Count what followed each item, the asked-for ones included."""
    taken = np.column_stack([shown, targets])
    counts = np.zeros((ITEMS, ITEMS))
    np.add.at(counts, (taken[:, :-1].ravel(), taken[:, 1:].ravel()), 1)
    return counts


def _follow(
    chances: Float[np.ndarray, "count items"], generator: np.random.Generator
) -> Int[np.ndarray, " count"]:
    """Draw one item from each row of chances."""
    drawn = generator.random((len(chances), 1))
    # The last sum may be a little below 1: no item after the last.
    return (chances.cumsum(1) < drawn).sum(1).clip(max=ITEMS - 1)
