"""The numbers that guesses are held against, read from recordings.

`random-scores variance over d` is a curve: a measure of a study over one of
its arms, the mean of all seeds. `root-d accuracy where d=1024, scale=none`
is one number. Of a study with a sweep, each arm's best setting counts.
"""

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from attn_course.experiments.study import Study

__all__ = ["Truth", "measured_over", "read_truth"]

_TRUTH = re.compile(
    r"(?P<study>[\w-]+)\s+(?P<measure>\w+)"
    r"(?:\s+over\s+(?P<axis>\w+))?(?:\s+where\s+(?P<where>.+))?"
)


class Truth(NamedTuple):
    """What a guess names: a measure of a study, over an arm, of some runs."""

    study: str
    measure: str
    axis: str
    where: Mapping[str, str]


def read_truth(text: str) -> Truth:
    """Take `root-d accuracy over d where scale=none` apart.

    Raises
    ------
    ValueError
        When it does not have that form.
    """
    match = _TRUTH.fullmatch(text.strip())
    pairs = [
        [part.strip() for part in pair.split("=", 1)]
        for pair in ((match and match["where"]) or "").split(",")
        if pair.strip()
    ]
    if not match or any(len(pair) != 2 for pair in pairs):
        raise ValueError(
            "expected a claim's value, such as 3.tie.weight, or a study's "
            "measure, such as random-scores variance over d where seed=0; "
            f"got {text!r}"
        )
    where = {name: value for name, value in pairs}
    return Truth(match["study"], match["measure"], match["axis"] or "", where)


def measured_over(study: "Study", truth: Truth) -> dict[Any, float]:
    """Give the mean over seeds for each level of the axis, in its order.

    Without an axis the only level is "".

    Raises
    ------
    ValueError
        When no run fits, a run lacks the measure, or the runs of one level
        differ in more than their seed.
    """
    runs = [run for run in _runs(study) if _fits(run, truth.where)]
    if not runs:
        raise ValueError(
            f"expected runs of study {study.name} with "
            f"{dict(truth.where)}, got none"
        )
    names = [truth.measure, *([truth.axis] if truth.axis else [])]
    for name in names:
        if name not in runs[0]:
            raise ValueError(
                f"expected {name!r} among what study {study.name} records: "
                f"{', '.join(runs[0])}"
            )
    levels: dict[Any, list[Mapping[str, Any]]] = {}
    for run in runs:
        levels.setdefault(run.get(truth.axis, ""), []).append(run)
    for some in levels.values():
        _check_alike(study, some, truth)
    return {
        level: sum(run[truth.measure] for run in some) / len(some)
        for level, some in levels.items()
    }


def _runs(study: "Study") -> Sequence[Mapping[str, Any]]:
    """List all runs, or of each arm those with its best setting."""
    from attn_course.experiments.rules import choices

    records = study.recording["records"]
    if not (study.chosen_by and study.sweep):
        return records
    return [run for arm in choices(study, records) for run in arm.runs]


def _fits(run: Mapping[str, Any], where: Mapping[str, str]) -> bool:
    return all(str(run.get(name)) == value for name, value in where.items())


def _check_alike(
    study: "Study", runs: Sequence[Mapping[str, Any]], truth: Truth
) -> None:
    """Refuse a mean over what is not only another seed."""
    differ = [
        arm
        for arm in study.arms
        if arm != truth.axis and len({str(run.get(arm)) for run in runs}) > 1
    ]
    if differ:
        raise ValueError(
            f"expected runs of study {study.name} that differ in their seed "
            f"alone; say `where` for {', '.join(differ)}"
        )
