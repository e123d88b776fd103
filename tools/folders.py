"""Files and folders that a run may leave in the middle, and their stamps.

A stamp says what a folder was made from. It is written last, inside.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import time
from pathlib import Path

from telling import say

WINDOWS = os.name == "nt"


def digest(*parts: str | bytes) -> str:
    """Hash a list of texts."""
    total = hashlib.sha256()
    for part in parts:
        part = part.encode() if isinstance(part, str) else part
        total.update(len(part).to_bytes(8, "big") + part)
    return total.hexdigest()


def read_stamp(path: Path) -> str:
    """Read a stamp; none, or a damaged one, is as good as a wrong one."""
    try:
        return path.read_text("utf-8").strip()
    except (OSError, ValueError):
        return ""


def write_whole(path: Path, content: bytes) -> None:
    """Write a file, whole or not at all."""
    draft = path.with_name(path.name + ".new")
    draft.write_bytes(content)
    os.replace(draft, path)


def write_stamp(path: Path, value: str) -> None:
    """Write a stamp."""
    write_whole(path, f"{value}\n".encode())


# --- Folders that are replaced --------------------------------------------


def remove(path: Path) -> None:
    """Remove a file, a link or a folder, if there is one."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def old(folder: Path) -> Path:
    """Say where a folder waits until its successor stands."""
    return folder.with_name(folder.name + ".old")


def set_aside(folder: Path) -> None:
    """Make room for a successor; `settle` ends what begins here."""
    if os.path.lexists(folder):
        remove(old(folder))
        folder.rename(old(folder))


def settle(folder: Path, stamp: Path) -> None:
    """Delete what was set aside, or bring it back.

    A successor that stands holds its stamp, which is written last. Where it
    is missing, a run failed or was killed in between.
    """
    if not os.path.lexists(old(folder)):
        return
    if stamp.exists():
        remove(old(folder))
        return
    remove(folder)
    old(folder).rename(folder)
    say(f"{folder.name} is again what it was before a run that did not end")


# The locks that are held: the numbers of their open files.
HELD: list[int] = []


@contextlib.contextmanager
def one_at_a_time(folder: Path):
    """Hold the lock of this checkout: two builds would mix their files."""
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "lock", "a+") as file:
        if not _lock(file, wait=False):
            say("Another run is at work here; waiting for it to end")
            _lock(file, wait=True)
        HELD.append(file.fileno())
        try:
            yield
        finally:
            HELD.remove(file.fileno())


def _lock(file, *, wait: bool) -> bool:
    """Lock an open file; closing it, or dying, unlocks it."""
    if WINDOWS:
        import msvcrt

        while True:
            try:
                file.seek(0)
                msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
                return True
            except OSError:
                if not wait:
                    return False
                time.sleep(1.0)
    import fcntl

    try:
        fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        return True
    except BlockingIOError:
        return False
