"""The rules of evidence that a recording can break, found by looking at it.

A rule that is broken is no error: it is shown beside the study, and a claim
that rests on it is "not settled" until it is mended.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from attn_course.experiments.study import Study

__all__ = [
    "Broken",
    "Choice",
    "blocks",
    "broken_rules",
    "choices",
    "converged",
    "in_words",
]

# Training counts as done where its last tenth improves the loss by less than
# this share of its gap to the baseline.
STILL_FALLS = 0.02


@dataclass(frozen=True)
class Broken:
    """A rule that a recording breaks, and how."""

    rule: str
    what: str


@dataclass(frozen=True)
class Choice:
    """The best setting of one arm, by the lowest mean over seeds."""

    arm: Mapping[str, Any]
    setting: Mapping[str, Any]
    score: float
    runs: Sequence[Mapping[str, Any]]
    at_edge: Sequence[str]


def broken_rules(study: "Study", recording: Mapping[str, Any]) -> list[Broken]:
    """List the rules that a recording breaks."""
    return [
        *_incomplete(study, recording),
        *_unfinished(study, recording),
        *_at_edge(study, recording),
        *_without_baseline(study, recording),
    ]


def blocks(study: "Study", broken: Broken, verdict: str) -> bool:
    """Say whether a verdict can't stand on a study that breaks a rule.

    Training that was not over, or whose end was not recorded, blocks "does
    not hold", and any verdict on a comparison of trained arms. Every other
    rule blocks every verdict.
    """
    if broken.rule != "converged" or verdict == "does not hold":
        return True
    return _trains(study) and len(study.each_arm()) > 1


def choices(
    study: "Study", records: Sequence[Mapping[str, Any]]
) -> list[Choice]:
    """Choose the best setting of each arm, by the lowest mean over seeds.

    A setting with which any seed diverged is never the best.
    """
    return [_choice(study, arm, records) for arm in study.each_arm()]


def _choice(
    study: "Study", arm: Mapping[str, Any], records: Sequence[Mapping]
) -> Choice:
    """Choose the best setting of one arm."""
    runs: dict[tuple, list[Mapping[str, Any]]] = {}
    for record in records:
        if _fits(record, arm):
            setting = tuple(record[name] for name in study.sweep)
            runs.setdefault(setting, []).append(record)
    scores = {
        setting: _mean(record[study.chosen_by] for record in some)
        for setting, some in runs.items()
    }
    best = min(scores, key=lambda setting: scores[setting])
    setting = dict(zip(study.sweep, best, strict=True))
    at_edge = [
        name
        for name, value in setting.items()
        if value in _ends(study.grid(name, arm))
    ]
    return Choice(arm, setting, scores[best], runs[best], at_edge)


def _fits(record: Mapping[str, Any], arm: Mapping[str, Any]) -> bool:
    return all(record.get(name) == level for name, level in arm.items())


def _trains(study: "Study") -> bool:
    return bool(study.trains or study.chosen_by)


def _mean(scores: Iterable[float | None]) -> float:
    """Average over seeds; infinite where one diverged."""
    known = [math.nan if score is None else score for score in scores]
    mean = sum(known) / len(known)
    return mean if math.isfinite(mean) else math.inf


def _ends(grid: Sequence[Any]) -> tuple[Any, Any]:
    return min(grid), max(grid)


def converged(history: Sequence[float | None], baseline: float) -> bool | None:
    """Say whether training was over: None where that can't be told.

    Parameters
    ----------
    history
        The loss over time, at equal distances, the last at the end.
    baseline
        The loss of what learns nothing.

    Examples
    --------
    >>> converged([2.0, 1.0, 0.5] + [0.5] * 20, baseline=2.0)
    True
    >>> converged([2.0, 1.8, 1.6, 1.4, 1.2, 1.0], baseline=2.0)
    False
    """
    if len(history) < 2 or any(
        loss is None or not math.isfinite(loss) for loss in history
    ):
        return None
    tenth = max(1, round(len(history) / 10))
    # Means, for the loss of one step is noise.
    last = _mean(history[-tenth:])
    before = _mean(history[-2 * tenth : -tenth])
    gap = baseline - last
    learned = gap > STILL_FALLS * abs(baseline)
    rose = last - min(history) > STILL_FALLS * gap and last > before
    return learned and not rose and before - last < STILL_FALLS * gap


def _incomplete(study: "Study", recording: Mapping) -> Iterator[Broken]:
    """Find runs of the sweep that are not in the recording."""
    seeds = recording["recorded"]["seeds"]
    if len(seeds) < study.seeds:
        what = f"{len(seeds)} of {study.seeds} seeds"
        yield Broken("complete", what)
    cells = study.cells(seeds)
    if len(cells) == 1:  # its record is the recording itself
        return
    if "records" not in recording:
        yield Broken("complete", "single runs are not in the recording")
        return
    names = list(cells[0])
    there = [[r.get(name) for name in names] for r in recording["records"]]
    for cell in cells:
        if list(cell.values()) not in there:
            yield Broken("complete", f"no run of {in_words(cell)}")


def _at_edge(study: "Study", recording: Mapping) -> Iterator[Broken]:
    """Find best settings that lie at the edge of their grid."""
    rule = "inside the grid"
    if _trains(study) and not study.sweep:
        yield Broken(rule, "one setting only was tried, set beforehand")
    for choice in _chosen(study, recording):
        for name in choice.at_edge:
            tried = study.grid(name, choice.arm)
            best = in_words({name: choice.setting[name]})
            what = (
                f"best at {best}, the edge of what was tried"
                if len(tried) > 2
                else f"best at {best}, of {len(tried)} that were tried"
            )
            yield Broken(rule, f"{in_words(choice.arm)}: {what}")


def _unfinished(study: "Study", recording: Mapping) -> Iterator[Broken]:
    """Find arms whose training was not over, or whose curve is missing."""
    baseline = recording.get("baselines", {}).get(study.baseline)
    chosen = _looked_at(study, recording)
    for choice in chosen:
        if _over(choice, baseline) is False:
            what = f"{in_words(choice.arm)}: the loss was still falling"
            yield Broken("converged", what)
    missing = [choice for choice in chosen if _over(choice, baseline) is None]
    arms = [in_words(choice.arm) for choice in missing]
    if len(missing) == len(chosen):
        arms = arms and ["every arm"]
    for arm in arms:
        yield Broken("converged", f"{arm}: convergence not recorded")


def _over(choice: Choice, baseline: float | None) -> bool | None:
    """Say whether every run of an arm was over; None where one can't tell."""
    if baseline is None:
        return None
    told = [converged(run.get("history", ()), baseline) for run in choice.runs]
    return None if None in told else all(told)


def _without_baseline(study: "Study", recording: Mapping) -> Iterator[Broken]:
    """Ask for what a referee would ask for."""
    if _trains(study) and study.baseline not in recording.get("baselines", {}):
        name = study.baseline or "what learns nothing"
        what = f"the loss of a baseline ({name}) is not recorded"
        yield Broken("baselines", what)


def _looked_at(study: "Study", recording: Mapping) -> list[Choice]:
    """Give the runs of each arm that count: the best, or all of them."""
    if study.chosen_by or not study.trains:
        return _chosen(study, recording)
    runs = recording.get("records", [recording])
    return [
        Choice(arm, {}, math.nan, [r for r in runs if _fits(r, arm)], [])
        for arm in study.each_arm()
    ]


def _chosen(study: "Study", recording: Mapping) -> list[Choice]:
    """Choose where the study trains and tunes; else there is no choice."""
    return choices(study, recording["records"]) if study.chosen_by else []


def in_words(cell: Mapping[str, Any]) -> str:
    """Write an arm: `one layer, seed 0`."""
    return ", ".join(
        value
        if isinstance(value, str)
        else f"{name.replace('_', ' ')} {value}"
        for name, value in cell.items()
    )
