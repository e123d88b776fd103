"""What takes a real model or a long run, recorded once for all readers.

Each experiment is a module that declares a `Study` (or several); it is found
by itself. Run them with `attn-course experiments`; a recording whose code and
settings have not changed is kept.
"""

from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import TYPE_CHECKING

from attn_course.data import load_recording, recordings
from attn_course.data.store import check_writable, sweep_drafts
from attn_course.masks import check_count
from attn_course.optional import explained

if TYPE_CHECKING:
    from attn_course.experiments.study import Study


# More make no number here surer, and weeks of work.
MOST_SEEDS = 1000


def studies() -> dict[str, "Study"]:
    """Find every study, by the name of its recording."""
    from attn_course.experiments.study import declared_in

    found = {}
    for module in iter_modules(__path__):
        found |= declared_in(import_module(f"{__name__}.{module.name}"))
    return found


def run(
    *,
    seeds: int = 3,
    only: str | None = None,
    force: bool = False,
    jobs: int = 1,
    scheduler: str | None = None,
    say: Callable[[str], None] = print,
) -> list[Path]:
    """Make every recording that is missing, damaged or out of date.

    A recording of older code is kept, and stamped, when a slice of every arm
    comes out the same today.

    Parameters
    ----------
    seeds
        How many seeds an experiment with chance in it runs: from 1 to
        MOST_SEEDS.
    only
        The name of one recording, or of one experiment.
    force
        Record again what is up to date.
    jobs, scheduler
        Who carries out the runs of a study: so many processes, or the Dask
        cluster at an address.
    say
        Where progress goes.

    Returns
    -------
    list of Path
        The files written.

    Raises
    ------
    ValueError
        When `only` names nothing, the message lists what there is; when
        `seeds` is out of range, or no scheduler can be reached.
    ImportError
        When a package is missing; the message names the command that
        installs it.
    OSError
        When nothing can be written where recordings are kept: said before
        anything is run.
    """
    check_count("seeds", seeds, least=1)
    if seeds > MOST_SEEDS:
        raise ValueError(f"expected at most {MOST_SEEDS} seeds, got {seeds}")
    chosen = _choose(only, studies())
    if scheduler is not None:
        from attn_course.experiments.runs import Workers

        with explained(), Workers(scheduler=scheduler):
            pass  # it can be reached: asked before anything is run
    for draft in sweep_drafts():
        say(f"{draft}: thrown away, a run was stopped while it wrote this")
    written: list[Path] = []
    for done, study in enumerate(chosen, start=1):
        count = f"[{done}/{len(chosen)}] {study.name}"
        if _is_damaged(study.name):
            say(f"{count}: damaged, so it is thrown away")
        elif not force and study.is_current(seeds):
            say(f"{count}: kept, its inputs have not changed")
            continue
        elif not force and study.is_same_today():
            say(f"{count}: kept, a slice of every arm comes out the same")
            written.append(study.stamp())
            continue
        if not written:
            check_writable()
        say(f"{count}: recording …")
        with explained():
            path = study.record(
                seeds=seeds, jobs=jobs, scheduler=scheduler, say=say
            )
        written.append(path)
        say(f"{count}: written, {path.stat().st_size / 1000:.0f} kB")
    return written


def _is_damaged(name: str) -> bool:
    """Say whether a recording is there and can't be read."""
    try:
        load_recording(name)
    except ValueError:
        return name in recordings()
    return False


def _choose(
    only: str | None, declared: Mapping[str, "Study"]
) -> list["Study"]:
    """List the studies that `only` names: one, or all of one module."""
    chosen = [
        study
        for study in declared.values()
        if only in (None, study.name, study.module.rpartition(".")[2])
    ]
    if not chosen:
        modules = {s.module.rpartition(".")[2] for s in declared.values()}
        names = sorted({*modules, *declared})
        raise ValueError(f"expected one of {names}, got {only!r}")
    return chosen
