"""How sure a measure of a head is: orders, nulls, halves, intervals.

A null says what would come out if what is claimed were not so. Rows that
belong together, such as the variants of one sentence, are a group: chance
moves all of them or none, for they are no independent cases.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int

__all__ = [
    "HeldOut",
    "Spread",
    "bootstrap_interval",
    "choose_and_test",
    "null_of_best",
    "null_of_share",
    "over_seeds",
    "p_value",
    "permutation_null",
    "rank_correlation",
]


def rank_correlation(
    a: Float[np.ndarray, " n"], b: Float[np.ndarray, " n"]
) -> float:
    """Give Spearman's ρ; equal numbers share their ranks.

    >>> rank_correlation(np.array([1.0, 2, 9]), np.array([0.1, 0.2, 0.3]))
    1.0
    """
    x, y = _ranks(a), _ranks(b)
    x, y = x - x.mean(), y - y.mean()
    size = np.sqrt((x**2).sum() * (y**2).sum())
    return float((x * y).sum() / size) if size else 0.0


# Nulls


def null_of_share(
    right: Bool[np.ndarray, "n *candidates"],
    *,
    draws: int,
    seed: int,
    groups: Sequence[Any] | None = None,
) -> Float[np.ndarray, "draws *candidates"]:
    """Ask how often each candidate would be right if the answers meant naught.

    In each draw a coin decides, for every group, whether right and wrong
    change parts. All candidates share the coins, so their likeness to one
    another is kept.

    Parameters
    ----------
    right
        For each row, of each candidate, whether it chose the right one of
        two.
    draws, seed
        How many draws, and where chance starts.
    groups
        The group of each row; each row is its own unless told.

    Returns
    -------
    array
        Shares, between 0 and 1; ½ is their mean.

    Examples
    --------
    >>> right = np.array([[True], [True], [False], [False]])
    >>> null = null_of_share(right, draws=99, seed=0, groups="aabb")
    >>> sorted({float(x) for x in null[:, 0]})
    [0.0, 0.5, 1.0]
    """
    right = np.asarray(right)
    signs = np.where(right.reshape(len(right), -1), 0.5, -0.5)
    coins = _coins(len(right), groups, draws, seed)  # (draws, n)
    shares = 0.5 + coins @ signs / len(right)
    return shares.reshape(draws, *right.shape[1:])


def null_of_best(
    right: Bool[np.ndarray, "n *candidates"],
    *,
    draws: int,
    seed: int,
    groups: Sequence[Any] | None = None,
) -> Float[np.ndarray, " draws"]:
    """Ask how well the best of all candidates would do by luck.

    A permutation test with the maximum as its statistic (Westfall and Young
    1993): the null of a score that was chosen for being the largest.
    Parameters as in `null_of_share`.

    Examples
    --------
    >>> right = np.array([[True, False]] * 4)  # two heads, four sentences
    >>> null = null_of_best(right, draws=99, seed=0)
    >>> sorted({float(x) for x in null})
    [0.5, 0.75, 1.0]
    """
    null = null_of_share(right, draws=draws, seed=seed, groups=groups)
    return null.reshape(draws, -1).max(axis=1)


def permutation_null(
    statistic: Callable[[Int[np.ndarray, " n"]], float],
    groups: Sequence[Any],
    *,
    draws: int,
    seed: int,
) -> Float[np.ndarray, " draws"]:
    """Ask what a statistic would be if answers belonged to other groups.

    Parameters
    ----------
    statistic
        Measures the data with its answers in another order: it is given, for
        each row, the row whose answer it gets.
    groups
        The group of each row. Whole groups change places, so all must have
        as many rows.
    draws, seed
        How many draws, and where chance starts.

    Raises
    ------
    ValueError
        When the groups differ in size.

    Examples
    --------
    >>> x = np.arange(8.0)
    >>> null = permutation_null(
    ...     lambda order: rank_correlation(x, x[order]), range(8), draws=99,
    ...     seed=0)
    >>> p_value(1.0, null)
    0.02
    """
    rows = _rows_of(groups)
    sizes = {len(each) for each in rows}
    if len(sizes) > 1:
        raise ValueError(
            f"expected groups of one size, got sizes {sorted(sizes)}"
        )
    places = np.stack(rows)  # (groups, rows of a group)
    rng = np.random.default_rng(seed)
    null = np.empty(draws)
    for draw in range(draws):
        order = np.empty(places.size, dtype=int)
        order[places] = rng.permutation(places)
        null[draw] = statistic(order)
    return null


def p_value(
    observed: float, null: Float[np.ndarray, " draws"], *, sides: int = 2
) -> float:
    """Say how often chance goes as far as what was observed.

    Two-sided unless the direction, upward, was fixed in advance. What was
    observed counts as one draw, so p is never 0 (Phipson and Smyth 2010).

    >>> p_value(0.9, np.linspace(0, 1, 99)), p_value(0.5, np.zeros(9), sides=1)
    (0.22, 0.1)
    """
    null = np.asarray(null)
    # Shares that are equal may differ in their last digit.
    near = 1e-9
    above = 1 + (null >= observed - near).sum()
    below = 1 + (null <= observed + near).sum()
    tail = above if sides == 1 else 2 * min(above, below)
    return float(min(1.0, tail / (1 + len(null))))


# Choosing on one half, testing on the other


class HeldOut(NamedTuple):
    """The candidate that did best on one half, and what it did on the other.

    Attributes
    ----------
    best
        Its index, along each axis of candidates.
    chosen, chosen_p
        Its share right where it was chosen, and how often the best of as
        many would do so well by luck.
    held_out, held_out_p
        Its share right on the other half, and how often chance gets as far
        from ½ there: that half knows of no choice.
    """

    best: tuple[int, ...]
    chosen: float
    chosen_p: float
    held_out: float
    held_out_p: float


def choose_and_test(
    right: Bool[np.ndarray, "n *candidates"],
    choose: Bool[np.ndarray, " n"],
    *,
    draws: int,
    seed: int,
    groups: Sequence[Any] | None = None,
) -> HeldOut:
    """Choose the best candidate on one half, and test it on the other.

    Parameters
    ----------
    right, draws, seed, groups
        As in `null_of_share`.
    choose
        True for the rows to choose on.

    Raises
    ------
    ValueError
        When a group has rows in both halves.

    Examples
    --------
    >>> right = np.ones((40, 3), dtype=bool)
    >>> right[::2, :2] = False  # the last candidate is always right
    >>> found = choose_and_test(right, np.arange(40) < 20, draws=999, seed=0)
    >>> found.best, found.held_out, found.held_out_p < 0.01
    ((2,), 1.0, True)
    """
    groups = np.array(range(len(right)) if groups is None else list(groups))
    if both := set(groups[choose].tolist()) & set(groups[~choose].tolist()):
        raise ValueError(
            f"expected each group in one half, got {sorted(both)} in both"
        )
    score = right[choose].mean(axis=0)
    best = np.unravel_index(score.argmax(), score.shape)
    tested = right[~choose][:, *best]  # (n,)
    luck = null_of_best(
        right[choose], draws=draws, seed=seed, groups=groups[choose]
    )
    chance = null_of_share(
        tested, draws=draws, seed=seed, groups=groups[~choose]
    )
    return HeldOut(
        best=tuple(int(i) for i in best),
        chosen=float(score[best]),
        chosen_p=p_value(score[best], luck, sides=1),
        held_out=float(tested.mean()),
        held_out_p=p_value(tested.mean(), chance),
    )


# Spread


class Spread(NamedTuple):
    """What several seeds gave, in the unit of what was measured."""

    mean: float
    min: float
    max: float


def over_seeds(values: Sequence[float]) -> Spread:
    """Give mean, smallest and largest of one number for each seed.

    >>> over_seeds([0.5, 0.75, 1.0])
    Spread(mean=0.75, min=0.5, max=1.0)
    """
    return Spread(math.fsum(values) / len(values), min(values), max(values))


def bootstrap_interval(
    values: Float[np.ndarray, "*measures n"],
    *,
    draws: int,
    seed: int,
    groups: Sequence[Any] | None = None,
    level: float = 0.95,
) -> Float[np.ndarray, "2 *measures"]:
    """Give where the mean lies if the cases are drawn again, with returns.

    The percentile interval of Efron 1979, in the unit of the values.

    Parameters
    ----------
    values
        One number for each case.
    draws, seed
        How many draws, and where chance starts.
    groups
        The group of each case: whole groups are drawn.
    level
        Which share of the draws the interval holds.

    Examples
    --------
    >>> bootstrap_interval(np.array([0.5, 0.5]), draws=9, seed=0).tolist()
    [0.5, 0.5]
    """
    sizes = np.ones(values.shape[-1])
    if groups is not None:
        rows = _rows_of(groups)
        values = np.stack([values[..., r].sum(axis=-1) for r in rows], axis=-1)
        sizes = np.array([len(r) for r in rows], dtype=float)
    n = len(sizes)
    rng = np.random.default_rng(seed)
    counts = rng.multinomial(n, np.full(n, 1 / n), size=draws)  # (draws, n)
    means = values @ counts.T / (counts @ sizes)
    tail = (1 - level) / 2
    return np.quantile(means, [tail, 1 - tail], axis=-1)


def _coins(
    n: int, groups: Sequence[Any] | None, draws: int, seed: int
) -> Float[np.ndarray, "draws n"]:
    """Throw one coin a group: 1 or −1 for each of its rows."""
    rng = np.random.default_rng(seed)
    if groups is None:
        return rng.choice([-1.0, 1.0], size=(draws, n))
    names, group = np.unique(list(groups), return_inverse=True)
    return rng.choice([-1.0, 1.0], size=(draws, len(names)))[:, group]


def _rows_of(groups: Sequence[Any]) -> list[Int[np.ndarray, " rows"]]:
    """List the rows of each group."""
    names, group = np.unique(list(groups), return_inverse=True)
    return [np.flatnonzero(group == i) for i in range(len(names))]


def _ranks(x: np.ndarray) -> np.ndarray:
    """Give each number its rank, from 1."""
    below = (x[:, None] > x[None, :]).sum(axis=1)
    equal = (x[:, None] == x[None, :]).sum(axis=1)
    return below + (equal + 1) / 2
