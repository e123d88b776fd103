"""What the miniatures of chapter 9 have in common: a fair comparison.

Every model of a task learns with every rate and seed, from the same batches.
The rate with the lowest loss on data that is neither trained on nor tested is
the one to look at; the test comes last. A task's experiment says what the
models and the data are.
"""

import inspect
import itertools
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from types import ModuleType
from typing import Any, NamedTuple

import torch
from torch import nn

from attn_course import miniatures, models
from attn_course.experiments import fingerprint, provenance
from attn_course.experiments.parts import Parts, one_thread
from attn_course.experiments.sweeps import chosen
from attn_course.models import trained_parameters

__all__ = ["RATES", "Task", "commonest", "dependencies", "record", "run_one"]

RATES = (0.001, 0.003, 0.01)
CODE = (
    "blocks.py",
    "experiments/miniatures.py",
    "experiments/parts.py",
    "experiments/patches.py",
    "functional.py",
    "heads.py",
    "miniatures.py",
    "models.py",
    "transformer.py",
)


def _nothing(_: nn.Module) -> dict[str, Any]:
    return {}


class Task(NamedTuple):
    """What is compared, on what.

    `models` are makers, called with a seed; `batches` draws for training;
    `choose` chooses the rate; `longer` names the models that learn once more,
    at their best rate, and for how many steps; `measure` adds to a run's
    entry what else is to be known of a trained model.
    """

    models: Mapping[str, Callable[..., nn.Module]]
    batches: Callable[[torch.Generator], models.Batch]
    choose: models.Batch
    test: models.Batch
    steps: int
    longer: Mapping[str, int]
    measure: Callable[[nn.Module], dict[str, Any]] = _nothing


def dependencies(seeds: Sequence[int], *parts: Any) -> list[Any]:
    """List what a recording depends on: seeds, this code, and `parts`."""
    code = (inspect.getmodule(dependencies), miniatures, models.train, *parts)
    return [list(seeds), *(inspect.getsource(part) for part in code)]


def record(
    module: ModuleType,
    name: str,
    seeds: Sequence[int],
    *,
    code: Sequence[str],
    more: Mapping[str, Any],
) -> dict[str, Any]:
    """Run a miniature's experiment; take up what is there.

    Parameters
    ----------
    module
        The experiment, with `task(name)` and SETTINGS.
    name, seeds
        The recording, and the seeds of its runs.
    code
        The package's files that it needs besides those of all miniatures.
    more
        What else to put into the recording.
    """
    task = module.task(name)
    short = module.__name__.rpartition(".")[2]
    parts = Parts(name, fingerprint(short, name, 0))
    runs = list(itertools.product(task.models, RATES, seeds))
    with one_thread():
        done = parts.run(runs, partial(run_one, task), every=3)
        records = [entry["result"] for entry in done]
        more_steps = parts.run(
            _longer(task, records, seeds), partial(run_one, task)
        )
    content = {
        "about": inspect.getdoc(module),
        "settings": {**module.SETTINGS, "learning_rate": list(RATES)},
        "keys": {
            "loss": "training loss, mean over the last tenth of the steps",
            "chosen_by": "loss on the data that chooses the rate",
            "accuracy": "on the test",
            "commonest": "accuracy of always naming the commonest class",
        },
        "parameters": {
            model: trained_parameters(make(seed=0))
            for model, make in task.models.items()
        },
        "sizes": {
            "choose": len(task.choose.targets),
            "test": len(task.test.targets),
        },
        "commonest": commonest(task.test.targets),
        "records": records,
        "longer": [entry["result"] for entry in more_steps],
        **more,
        "seconds": round(
            sum(entry["seconds"] for entry in [*done, *more_steps])
        ),
        "recorded": provenance(
            name, seeds=list(seeds), packages=["torch"], code=[*CODE, *code]
        ),
    }
    parts.discard()
    return content


def run_one(
    task: Task, model: str, rate: float, seed: int, steps: int | None = None
) -> dict[str, Any]:
    """Train one model, all steps or the first; give its entry of `records`."""
    made = task.models[model](seed=seed)
    history = models.train(
        made,
        task.batches,
        steps=steps or task.steps,
        learning_rate=rate,
        seed=1000 + seed,
        progress=False,
    )
    loss = history[-1]["loss"]
    with torch.no_grad():
        scores = made(*task.choose.inputs)
    by = nn.functional.cross_entropy(scores, task.choose.targets).item()
    return {
        "model": model,
        "learning_rate": rate,
        "seed": seed,
        "steps": steps or task.steps,
        "loss": None if loss is None else float(f"{loss:.4g}"),
        "chosen_by": float(f"{by:.4g}"),
        "accuracy": round(models.accuracy(made, task.test), 4),
        **task.measure(made),
    }


def _longer(
    task: Task, records: Sequence[dict[str, Any]], seeds: Sequence[int]
) -> list[tuple]:
    """List the runs with more steps, at each model's best rate."""
    best = chosen(records)
    return [
        (model, best[model][0]["learning_rate"], seed, steps)
        for model, steps in task.longer.items()
        for seed in seeds
    ]


def commonest(targets: torch.Tensor) -> float:
    """Give the accuracy of always naming the commonest target."""
    counts = torch.bincount(targets)
    return round((counts.max() / counts.sum()).item(), 4)
