"""What a release needs to say about itself."""

from __future__ import annotations

import re
from pathlib import Path

from telling import CourseError


def release_notes(root: Path, tag: str) -> str:
    """Give the section of the changelog that a tag releases.

    The tag, the package and the changelog must name the same version.
    """
    project = (root / "pyproject.toml").read_text("utf-8")
    version = re.search(r'^version = "(.+)"$', project, re.MULTILINE)[1]
    if tag != f"v{version}":
        raise CourseError(
            f"expected the tag v{version}, as in pyproject.toml, got {tag!r}."
        )
    changes = (root / "CHANGELOG.md").read_text("utf-8")
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
