"""What a user is told: each step, and what to do when one fails."""

from __future__ import annotations

import errno
import os
import shutil


class CourseError(Exception):
    """Something that the user can mend; the message says how."""


class SetUpError(CourseError):
    """The environment could not be made; a site that stands can be read."""


def say(text: str) -> None:
    """Print one step."""
    print(f"» {text}", flush=True)


FULL = "The disk is full: free some space, then try again."
CLOSED = (
    "The course writes below its own folder only: make that writable, or "
    "copy the course to a folder of yours."
)
ADVICE = {
    errno.ENOSPC: FULL, errno.EDQUOT: FULL,
    errno.EROFS: CLOSED, errno.EACCES: CLOSED, errno.EPERM: CLOSED,
}  # fmt: skip


def explain(error: OSError) -> str:
    """Say what the system refused and what to do about it."""
    path, reason = error.filename, error.strerror or str(error)
    if isinstance(error, shutil.Error):  # one for each file of a folder
        _, path, reason = error.args[0][0]
    text = f"expected to use {path}, got: {reason}." if path else f"{reason}."
    for number, advice in ADVICE.items():
        if os.strerror(number) in reason:
            return f"{text} {advice}"
    return text
