"""Recorded results: numbers that took a real model or a long run.

A recording is one JSON file inside the package. Its `recorded` entry says
which command made it, at which commit, with which versions and seeds.
"""

import json
import os
import tempfile
import time
from importlib import resources
from pathlib import Path
from typing import Any

__all__ = [
    "check_writable",
    "load_recording",
    "recordings",
    "save_recording",
    "sweep_drafts",
]

# What a recording says of how it was made.
_NEEDED = {"command", "commit", "seeds", "versions"}
# A draft that nobody has touched for so long was left by a run that ended.
_STALE_SECONDS = 60


def recordings() -> list[str]:
    """Name every recording that the package carries."""
    folder = resources.files("attn_course") / "data" / "recordings"
    return sorted(
        f.name.removesuffix(".json")
        for f in folder.iterdir()
        if f.name.endswith(".json")
    )


def load_recording(name: str) -> dict[str, Any]:
    """Read one recording.

    Raises
    ------
    ValueError
        When there is none of that name; the message lists those there are.
        When its file is damaged; the message says how to get it back.
    """
    if name not in recordings():
        raise ValueError(f"expected one of {recordings()}, got {name!r}")
    folder = resources.files("attn_course") / "data" / "recordings"
    file = folder / f"{name}.json"
    try:
        content = json.loads(file.read_text("utf-8"))
        _check(content)
    except (OSError, ValueError, RecursionError) as error:
        raise ValueError(
            f"expected a recording in {file}, got a file that is damaged "
            f"({error}): restore it (`git checkout -- {file}`, or install "
            "the course again), or record it again (`attn-course experiments "
            f"--only {name}`)"
        ) from None
    return content


def save_recording(name: str, content: dict[str, Any]) -> Path:
    """Write a recording into the package's own folder, whole or not at all.

    Raises
    ------
    ValueError
        When `content` does not say how it was recorded.
    OSError
        When the file can't be written; the old one stays.
    """
    _check(content)
    path = _folder() / f"{name}.json"
    # Two runs at once do not write into each other's draft.
    draft = path.with_suffix(f".{os.getpid()}.tmp")
    try:
        draft.write_text(
            json.dumps(content, ensure_ascii=False, indent=1) + "\n", "utf-8"
        )
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
    return path


def check_writable() -> None:
    """Raise an OSError when recordings can't be written here."""
    try:
        tempfile.TemporaryFile(dir=_folder()).close()
    except OSError as error:
        raise OSError(
            f"expected a folder to write recordings into, got {_folder()}: "
            f"{error.strerror}"
        ) from None


def sweep_drafts() -> list[str]:
    """Throw away drafts of runs that were killed; name their files."""
    swept = []
    for draft in sorted(_folder().glob("*.tmp")):
        try:
            if time.time() - draft.stat().st_mtime < _STALE_SECONDS:
                continue  # perhaps of a run that is still there
            draft.unlink()
        except OSError:
            continue  # gone meanwhile
        swept.append(draft.name)
    return swept


def _folder() -> Path:
    """Give the folder that recordings are written into."""
    return Path(__file__).parent / "recordings"


def _check(content: Any) -> None:
    """Check that this is a recording which says how it was made."""
    recorded = content.get("recorded") if isinstance(content, dict) else None
    if not isinstance(recorded, dict):
        kind = type(content).__name__
        raise ValueError(
            f'expected an object with an entry "recorded", got a {kind} '
            "without one"
        )
    missing = _NEEDED - set(recorded)
    if missing:
        raise ValueError(
            f"expected recorded={sorted(_NEEDED)}, "
            f"got none of {sorted(missing)}"
        )
