"""What a release needs to say about itself."""

from __future__ import annotations

import re
from pathlib import Path

from telling import CourseError


def release_notes(root: Path, tag: str) -> str:
    """Give the section of the changelog that a tag releases.

    The tag, the package and the changelog must name the same version.
    """
    project, changes = (
        _text(root / name) for name in ("pyproject.toml", "CHANGELOG.md")
    )
    stated = re.search(r'^version = "(.+)"$', project, re.MULTILINE)
    if not stated:
        raise CourseError(
            'expected a line `version = "…"` in pyproject.toml, got none.'
        )
    version = stated[1]
    if tag != f"v{version}":
        raise CourseError(
            f"expected the tag v{version}, as in pyproject.toml, got {tag!r}."
        )
    heading = rf"^## {re.escape(version)}(?![\w.])(.*)\n"
    found = re.search(rf"{heading}((?:(?!## ).*\n?)*)", changes, re.MULTILINE)
    if not found:
        raise CourseError(
            f"expected `## {version}` in CHANGELOG.md, got none."
        )
    if "not released" in found[1]:
        raise CourseError(
            f"expected a date after `## {version}` in CHANGELOG.md, got "
            f"{found[1].strip()!r}."
        )
    return found[2].strip() + "\n"


def _text(path: Path) -> str:
    """Read a file of the course."""
    try:
        return path.read_text("utf-8")
    except OSError as error:
        raise CourseError(
            f"expected the file {path.name}, got none that can be read: "
            f"{error.strerror}."
        ) from None
