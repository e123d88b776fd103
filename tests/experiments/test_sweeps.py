"""Reading a recorded sweep."""

import math

from attn_course.experiments.sweeps import best, runs_at_best, working_rates


def runs(losses, accuracies, **condition):
    """Give one record for each seed."""
    names = {"d": 4, "score": "q·k", "init": "unit", "optimiser": "sgd"}
    return [
        {**names, **condition, "seed": i, "loss": loss, "accuracy": accuracy}
        for i, (loss, accuracy) in enumerate(
            zip(losses, accuracies, strict=True)
        )
    ]


def test_the_best_rate_is_picked_by_training_loss():
    records = [
        *runs([2.0, 2.0], [1.0, 1.0], learning_rate=0.1),
        *runs([1.0, 1.5], [0.5, 0.75], learning_rate=1.0),
        *runs([0.1, None], [0.9, 0.1], learning_rate=10.0),
        *runs([None], [0.1], learning_rate=0.1, d=8),
    ]
    first, second = best(records)
    assert first == {
        "d": 4,
        "score": "q·k",
        "init": "unit",
        "optimiser": "sgd",
        "learning_rate": 1.0,
        "loss": 1.25,
        "accuracies": [0.5, 0.75],
    }
    assert second["d"] == 8 and second["loss"] == math.inf


def test_the_runs_at_the_best_rate_are_those_of_every_seed():
    records = [
        *runs([2.0, 2.0], [1.0, 1.0], learning_rate=0.1),
        *runs([1.0, 1.5], [0.5, 0.75], learning_rate=1.0),
        *runs([3.0], [0.1], learning_rate=0.1, d=8),
    ]
    found = runs_at_best(records, "d")
    assert [r["accuracy"] for r in found[4]] == [0.5, 0.75]
    assert [r["accuracy"] for r in found[8]] == [0.1]


def test_a_rate_works_when_every_seed_does():
    records = [
        *runs([1.0, 1.0], [0.95, 1.0], learning_rate=0.1),
        *runs([1.0, 1.0], [0.94, 1.0], learning_rate=1.0),
    ]
    [condition] = working_rates(records, at_least=0.95)
    assert condition["learning_rates"] == [0.1]
    assert condition["tried"] == 2
