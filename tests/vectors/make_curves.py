"""Write curves.json: what RecordedCurves shows, by plain loops.

`python tests/vectors/make_curves.py` writes the file again.
"""

import json
import random
from pathlib import Path

HERE = Path(__file__).parent
LENGTHS = [5, 10, 40]
MODELS = ["fixed vector", "attention"]


def runs():
    """Give one record a run; attention was not run with hidden 32."""
    rng = random.Random(7)
    for model in MODELS:
        for hidden in (32, 128):
            if (model, hidden) == ("attention", 32):
                continue
            for seed in (0, 1, 2):
                yield {
                    "model": model,
                    "hidden": hidden,
                    "seed": seed,
                    "token": [round(rng.random(), 4) for _ in LENGTHS],
                    "loss": [round(5 * rng.random(), 4) for _ in LENGTHS],
                }


def summary(x, numbers):
    return {
        "x": x,
        "mean": sum(numbers) / len(numbers),
        "low": min(numbers),
        "high": max(numbers),
    }


def against_length(records, measure, hidden):
    return {
        model: [
            summary(length, [r[measure][i] for r in chosen])
            for i, length in enumerate(LENGTHS)
            if chosen
        ]
        for model in MODELS
        for chosen in [
            [
                r
                for r in records
                if r["model"] == model and r["hidden"] == hidden
            ]
        ]
    }


def against_hidden(records, measure, length):
    lines = {}
    for model in MODELS:
        lines[model] = []
        for hidden in (32, 128):
            chosen = [
                r[measure][LENGTHS.index(length)]
                for r in records
                if r["model"] == model and r["hidden"] == hidden
            ]
            if chosen:
                lines[model].append(summary(hidden, chosen))
    return lines


def make():
    """Give the records and what five states of the widget show."""
    records = list(runs())
    cases = []
    for measure in ("token", "loss"):
        for hidden in (32, 128):
            state = {
                "x": "length",
                "measure": measure,
                "picks": {"hidden": str(hidden)},
            }
            shown = against_length(records, measure, hidden)
            cases.append({"state": state, "lines": shown})
        state = {
            "x": "hidden",
            "measure": measure,
            "picks": {"length": "10"},
        }
        shown = against_hidden(records, measure, 10)
        cases.append({"state": state, "lines": shown})
    return {"lengths": LENGTHS, "records": records, "cases": cases}


def source(made):
    """Give the widget's data, as Python hands it to the browser."""
    from attn_course.widgets import RecordedCurves

    return RecordedCurves(
        made["records"],
        axis=("length", LENGTHS),
        lines="model",
        measures={"token": "token accuracy", "loss": "loss"},
    ).source


if __name__ == "__main__":
    made = make()
    made["source"] = source(made)
    (HERE / "curves.json").write_text(
        json.dumps(made, indent=1) + "\n", "utf-8"
    )
