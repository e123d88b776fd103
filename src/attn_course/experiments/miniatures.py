"""What the miniatures of chapter 9 have in common: a fair comparison.

Every model of a task learns with every rate and seed, from the same batches.
The rate with the lowest loss on data that is neither trained on nor tested is
the one to look at; the test comes last. Some models learn once more at that
rate, for longer. A task's module says what the models and the data are, and
makes its study with `compare`.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import wraps
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import nn

from attn_course import lab, models
from attn_course.data import load_recording
from attn_course.experiments.study import Study
from attn_course.experiments.sweeps import chosen
from attn_course.models import trained_parameters
from attn_course.tables import span

__all__ = [
    "RATES",
    "TASKS",
    "Lead",
    "Task",
    "commonest",
    "compare",
    "count_leads",
    "each_seed",
    "lead",
    "leads",
    "longer_runs",
    "run_one",
    "sweep_table",
    "table_of_leads",
]

RATES = (0.001, 0.003, 0.01)


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


def compare(
    name: str,
    task: Callable[[], Task],
    makers: Mapping[str, Any],
    more: Callable[[], dict[str, Any]] | None = None,
    *,
    question: str,
    design: str,
    settings: Mapping[str, Any],
    data: Sequence[str] = (),
) -> Study:
    """Make the study that compares the models of a task.

    Parameters
    ----------
    name, question, design, settings, data
        As in `Study`.
    task
        Gives the task; at the top of its module, so that its code counts.
    makers
        The task's models.
    more
        What else the recording holds.
    """
    study = Study(
        name,
        chapter=9,
        question=question,
        design=design,
        arms={"model": makers},
        sweep={"learning_rate": RATES},
        settings={**settings, "learning_rate": list(RATES)},
        chosen_by="chosen_by",
        baseline="frequencies",
        packages=["torch"],
        data=data,
        code=[run_one, longer_runs, _known],
        tolerance=0.03,
    )

    @study.run
    @wraps(task)
    def one(
        model: str, learning_rate: float, seed: int, steps: int | None = None
    ) -> dict[str, Any]:
        return run_one(task(), model, learning_rate, seed, steps)

    @study.after
    @wraps(task)
    def longer(records: Sequence[dict[str, Any]]) -> dict[str, Any]:
        return {"longer": longer_runs(task(), records)}

    @study.summary
    @wraps(more or task)
    def content(**stages: Any) -> dict[str, Any]:
        return {**_known(task()), **(more() if more else {})}

    @study.slice
    def again(recording: Mapping[str, Any]) -> Iterator[tuple]:
        """Train each model once more, with the lowest rate."""
        for then in recording["records"]:
            if then["learning_rate"] == RATES[0] and then["seed"] == 0:
                model = then["model"]
                now = run_one(task(), model, RATES[0], 0)
                for key in ("loss", "accuracy"):
                    yield f"{model}: {key}", then[key], now[key]

    return study


def run_one(
    task: Task, model: str, rate: float, seed: int, steps: int | None = None
) -> dict[str, Any]:
    """Train one model, all steps or the first; say how well it does.

    `loss` is the training loss, mean over the last tenth of the steps, and
    the last of `history`; `chosen_by` is that on the data that chooses the
    rate; `accuracy` is on the test.
    """
    made = task.models[model](seed=seed)
    history = models.train(
        made,
        task.batches,
        steps=steps or task.steps,
        learning_rate=rate,
        seed=1000 + seed,
        progress=False,
    )
    losses = [
        None if entry["loss"] is None else float(f"{entry['loss']:.4g}")
        for entry in history
    ]
    with torch.no_grad():
        scores = made(*task.choose.inputs)
    by = nn.functional.cross_entropy(scores, task.choose.targets).item()
    return {
        "steps": steps or task.steps,
        "loss": losses[-1],
        "history": losses,
        "chosen_by": float(f"{by:.4g}"),
        "accuracy": round(models.accuracy(made, task.test), 4),
        **task.measure(made),
    }


def longer_runs(
    task: Task, records: Sequence[dict[str, Any]]
) -> list[dict[str, Any]]:
    """List the runs with more steps, at each model's best rate."""
    best = chosen(records)
    names = ("model", "learning_rate", "seed")
    return [
        {**{name: run[name] for name in names}, "steps": steps}
        for model, steps in task.longer.items()
        for run in best[model]
    ]


def commonest(targets: torch.Tensor) -> float:
    """Give the accuracy of always naming the commonest target."""
    counts = torch.bincount(targets)
    return round((counts.max() / counts.sum()).item(), 4)


def _known(task: Task) -> dict[str, Any]:
    """Say how large models and data are, and what needs no learning.

    "frequencies" is the loss of who knows how often each class comes.
    """
    shares = torch.bincount(task.choose.targets) / len(task.choose.targets)
    return {
        "parameters": {
            model: trained_parameters(make(seed=0))
            for model, make in task.models.items()
        },
        "sizes": {
            "choose": len(task.choose.targets),
            "test": len(task.test.targets),
        },
        "commonest": commonest(task.test.targets),
        "baselines": {
            "frequencies": round(torch.special.entr(shares).sum().item(), 4)
        },
    }


# Reading what was recorded


def each_seed(
    recording: Mapping[str, Any],
    model: str,
    value: str = "accuracy",
    *,
    stage: str = "records",
) -> list[float]:
    """Give a value of one model, one a seed: at its best rate, or longer."""
    runs = recording[stage]
    if stage == "records":
        runs = chosen(runs)[model]
    return [run[value] for run in runs if run["model"] == model]


def sweep_table(name: str, caption: str, value: str = "accuracy") -> Any:
    """Show a comparison as a table: every model, every rate, more steps."""
    recording = load_recording(name)
    tables: dict[str, dict[str, list[float]]] = {}
    for run in recording["records"] + recording["longer"]:
        more = run["steps"] // recording["settings"]["steps"]
        rate = str(run["learning_rate"])
        column = f"{more} × the steps" if more > 1 else rate
        found = tables.setdefault(column, {})
        found.setdefault(run["model"], []).append(run[value])
    rows = [
        {"model": model}
        | {c: span(t[model]) if model in t else "–" for c, t in tables.items()}
        for model in recording["parameters"]
    ]
    return lab.table(rows, caption=caption, columns=["model", *tables])


# All miniatures side by side: the recording, and what is looked at
TASKS = {
    "who speaks": ("who-speaks", "accuracy"),
    "a word and a picture": ("named-digit", "accuracy"),
    "pictures from noise (error)": ("denoiser", "error"),
    "a small game": ("tic-tac-toe", "accuracy"),
    "the next item (hits)": ("next-item-long-ago", "hits"),
    "a folded chain": ("folded-chains", "accuracy"),
}
APART = "a word and a picture"  # the one large lead


class Lead(NamedTuple):
    """Attention and its best rival, a number each seed; who is ahead.

    `ahead` is "yes" or "no" where that holds in every seed, else "even".
    """

    mine: list[float]
    theirs: list[float]
    rival: str
    ahead: str

    @property
    def gap(self) -> float:
        """Give the difference of the means."""
        return float(np.mean(self.mine) - np.mean(self.theirs))


def lead(
    recording: Mapping[str, Any], value: str, stage: str = "records"
) -> Lead | None:
    """Set attention beside its best rival; None where they did not run."""
    sign = -1 if value == "error" else 1  # of errors less is better
    found = {
        model: each_seed(recording, model, value, stage=stage)
        for model in recording["parameters"]
    }
    mine = found.pop("attention")
    rivals = {model: each for model, each in found.items() if each}
    if not mine or not rivals:
        return None
    rival = max(rivals, key=lambda model: sign * np.mean(rivals[model]))
    one, other = (sign * np.array(x) for x in (mine, rivals[rival]))
    ahead = "even"
    if one.min() > other.max():
        ahead = "yes"
    elif one.max() < other.min():
        ahead = "no"
    return Lead(mine, rivals[rival], rival, ahead)


def leads(stage: str = "records") -> dict[str, Lead]:
    """Compare attention with its best rival in every task that has one."""
    found = {
        task: lead(load_recording(name), value, stage)
        for task, (name, value) in TASKS.items()
    }
    return {task: entry for task, entry in found.items() if entry}


def count_leads() -> dict[str, Any]:
    """Say in how many tasks attention leads, and by how much."""
    first, longer = leads(), leads("longer")
    recordings = [load_recording(name) for name, _ in TASKS.values()]
    return {
        "tasks": len(first),
        "leads": sum(entry.ahead == "yes" for entry in first.values()),
        "tasks_longer": len(longer),
        "leads_longer": sum(entry.ahead == "yes" for entry in longer.values()),
        "largest_gap": max(
            abs(entry.gap)
            for task, entry in [*first.items(), *longer.items()]
            if task != APART
        ),
        "word_gap": first[APART].gap,
        "seconds": max(
            one["seconds"] / len(one["records"] + one["longer"])
            for one in recordings
        ),
    }


def table_of_leads() -> Any:
    """Show attention beside its best rival, task by task."""
    longer = leads("longer")
    rows = []
    for task, (mine, theirs, rival, ahead) in leads().items():
        later = f", later {longer[task].ahead}" if task in longer else ""
        rows.append(
            {
                "task": task,
                "attention": span(mine),
                "best rival": f"{span(theirs)}, {rival}",
                "ahead": ahead + later,
            }
        )
    return lab.table(
        rows,
        caption="Recorded: share that is right (for noise the error: less is "
        "better); is attention ahead in every seed, and later, after four "
        "times the steps? Even: the ranges over seeds touch",
        columns=["task", "attention", "best rival", "ahead"],
    )
