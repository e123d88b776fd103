"""Reading a recorded sweep: the best learning rate, and how many work."""

import math
from collections.abc import Sequence
from typing import Any

__all__ = ["best", "chosen", "runs_at_best", "runs_of", "working_rates"]

CONDITION = ("d", "score", "init", "optimiser")


def runs_of(
    records: Sequence[dict[str, Any]], **fixed: Any
) -> list[dict[str, Any]]:
    """Give the records that have these values, in their order.

    >>> runs_of([{"model": "GRU", "seed": 0}, {"model": "RNN"}], model="GRU")
    [{'model': 'GRU', 'seed': 0}]
    """
    return [r for r in records if fixed.items() <= r.items()]


def best(
    records: Sequence[dict[str, Any]],
    names: Sequence[str] = CONDITION,
) -> list[dict[str, Any]]:
    """Pick each condition's learning rate, by training loss alone.

    Returns
    -------
    list of dict
        For each condition, by default d, score, init and optimiser: the
        learning rate with the lowest mean loss over seeds (one that diverged
        with any seed is not picked) and the held-out `accuracies`, one for
        each seed.
    """
    picked = []
    for condition, rates in _by_condition(records, names):
        rate = _best_rate(rates)
        picked.append(
            {
                **condition,
                "learning_rate": rate,
                "loss": _mean_loss(rates[rate]),
                "accuracies": [r["accuracy"] for r in rates[rate]],
            }
        )
    return picked


def runs_at_best(
    records: Sequence[dict[str, Any]], name: str
) -> dict[str, list[dict[str, Any]]]:
    """Give the runs of each level of one condition at its best rate.

    Returns
    -------
    dict
        From the level (`"GRU"`) to its records, one for each seed.
    """
    return {
        condition[name]: rates[_best_rate(rates)]
        for condition, rates in _by_condition(records, [name])
    }


def chosen(
    records: Sequence[dict[str, Any]],
) -> dict[str, list[dict[str, Any]]]:
    """Give each model's runs at its best rate, one for each seed."""
    return runs_at_best(
        [{**r, "loss": r["chosen_by"]} for r in records], "model"
    )


def working_rates(
    records: Sequence[dict[str, Any]], *, at_least: float
) -> list[dict[str, Any]]:
    """List, for each condition, the learning rates that work.

    Returns
    -------
    list of dict
        For each d, score, init and optimiser: `learning_rates`, those of the
        grid with which every seed reaches the held-out accuracy `at_least`,
        and `tried`, how many there are.
    """
    return [
        {
            **condition,
            "learning_rates": [
                rate
                for rate, runs in rates.items()
                if min(r["accuracy"] for r in runs) >= at_least
            ],
            "tried": len(rates),
        }
        for condition, rates in _by_condition(records, CONDITION)
    ]


def _by_condition(
    records: Sequence[dict[str, Any]], names: Sequence[str]
) -> list[tuple[dict[str, Any], dict[float, list[dict[str, Any]]]]]:
    """Gather records by condition, then by learning rate, over seeds."""
    conditions: dict[tuple, dict[float, list[dict[str, Any]]]] = {}
    for r in records:
        rates = conditions.setdefault(tuple(r[n] for n in names), {})
        rates.setdefault(r["learning_rate"], []).append(r)
    return [
        (dict(zip(names, values, strict=True)), rates)
        for values, rates in conditions.items()
    ]


def _best_rate(rates: dict[float, list[dict[str, Any]]]) -> float:
    """Give the rate whose runs have the lowest mean loss."""
    return min(rates, key=lambda rate: _mean_loss(rates[rate]))


def _mean_loss(records: list[dict[str, Any]]) -> float:
    """Average the loss over seeds; infinite where one diverged."""
    losses = [r["loss"] for r in records]
    return math.inf if None in losses else sum(losses) / len(losses)
