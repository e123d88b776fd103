"""What takes a real model or a long run, recorded once for all readers.

Each experiment is a module that declares a `Study` (or several); it is found
by itself. Run them with `attn-course experiments`; a recording whose code and
settings have not changed is kept.

Those in EXPERIMENTS are older: modules with three names, RECORDINGS (the files
they make), `inputs(name, seeds)` (what a recording depends on, besides the
module's own code) and `record(name, seeds)` (the content).
"""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Any

from attn_course import provenance as told
from attn_course.data import load_recording, recordings, save_recording
from attn_course.data.store import check_writable, sweep_drafts
from attn_course.experiments.parts import kept_until_saved
from attn_course.masks import check_count
from attn_course.optional import explained
from attn_course.provenance import machine, source_of, version_of

if TYPE_CHECKING:
    from attn_course.experiments.study import Study

__all__ = [
    "EXPERIMENTS",
    "fingerprint",
    "is_current",
    "machine",
    "provenance",
    "run",
    "source_of",
    "studies",
    "version_of",
]

# The modules of this package that record something.
EXPERIMENTS = ()

# More make no number here surer, and weeks of work.
MOST_SEEDS = 1000

# What a recording depends on, unless its experiment says otherwise.
CODE = (
    "experiments",
    "families.py",
    "pieces.py",
    "positions.py",
    "pretrained.py",
    ":(glob)data/*.py",
)


def studies() -> dict[str, "Study"]:
    """Find every study, by the name of its recording."""
    from attn_course.experiments.study import declared_in

    found = {}
    for module in iter_modules(__path__):
        found |= declared_in(_module(module.name))
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
    declared = studies()
    chosen = _choose(only, declared)
    if scheduler is not None:
        from attn_course.experiments.runs import Workers

        with explained(), Workers(scheduler=scheduler):
            pass  # it can be reached: asked before anything is run
    for draft in sweep_drafts():
        say(f"{draft}: thrown away, a run was stopped while it wrote this")
    written: list[Path] = []
    for done, (experiment, name) in enumerate(chosen, start=1):
        count = f"[{done}/{len(chosen)}] {name}"
        study = declared.get(name)
        if not force and is_current(experiment, name, seeds, study):
            say(f"{count}: kept, its inputs have not changed")
            continue
        if _is_damaged(name):
            say(f"{count}: damaged, so it is thrown away")
        elif study and not force and study.is_same_today():
            say(f"{count}: kept, a slice of every arm comes out the same")
            written.append(study.stamp())
            continue
        if not written:
            check_writable()
        say(f"{count}: recording …")
        with explained():
            if study:
                path = study.record(
                    seeds=seeds, jobs=jobs, scheduler=scheduler, say=say
                )
            else:
                path = _recorded(experiment, name, seeds)
        written.append(path)
        say(f"{count}: written, {path.stat().st_size / 1000:.0f} kB")
    return written


def _recorded(experiment: str, name: str, seeds: int) -> Path:
    """Record with an experiment that is no `Study`."""
    with kept_until_saved():
        content = _module(experiment).record(name, range(seeds))
        mark = fingerprint(experiment, name, seeds)
        content["recorded"]["inputs"] = mark
        return save_recording(name, content)


def is_current(
    experiment: str, name: str, seeds: int, study: "Study | None" = None
) -> bool:
    """Say whether a recording was made from the inputs of today."""
    if name not in recordings() or _is_damaged(name):
        return False
    if study is not None:
        return study.is_current(seeds)
    recorded = load_recording(name)["recorded"]
    return recorded.get("inputs") == fingerprint(experiment, name, seeds)


def _is_damaged(name: str) -> bool:
    """Say whether a recording is there and can't be read."""
    try:
        load_recording(name)
    except ValueError:
        return name in recordings()
    return False


def provenance(
    name: str,
    *,
    seeds: list[int],
    packages: list[str],
    code: Sequence[str] = CODE,
) -> dict[str, Any]:
    """Say how an experiment that is no `Study` made a recording."""
    package = Path(__file__).parents[1]
    files = [file if file.startswith(":") else package / file for file in code]
    command = f"attn-course experiments --only {name}"
    return told.provenance(
        command, seeds=seeds, packages=packages, files=files
    )


def fingerprint(experiment: str, name: str, seeds: int) -> str:
    """Hash all that a recording depends on, the recorder's code included."""
    module = _module(experiment)
    parts = [Path(module.__file__).read_text("utf-8")]
    parts.append(json.dumps(module.inputs(name, range(seeds))))
    return hashlib.sha256("\0".join(parts).encode("utf-8")).hexdigest()


def _choose(
    only: str | None, declared: Mapping[str, "Study"]
) -> list[tuple[str, str]]:
    """List the experiments and recordings that `only` names."""
    pairs = [
        (study.module.rpartition(".")[2], name)
        for name, study in declared.items()
    ]
    pairs += [
        (experiment, name)
        for experiment in EXPERIMENTS
        for name in _module(experiment).RECORDINGS
    ]
    if only is None:
        return pairs
    chosen = [pair for pair in pairs if only in pair]
    if not chosen:
        names = sorted({name for pair in pairs for name in pair})
        raise ValueError(f"expected one of {names}, got {only!r}")
    return chosen


def _module(experiment: str) -> Any:
    """Import one experiment."""
    return import_module(f"attn_course.experiments.{experiment}")
