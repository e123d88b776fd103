"""Keep executed notebooks apart by the package that ran them.

The cache of executed notebooks compares cells only. After an edit of the
package it would hand out old outputs, so its folder is named by a hash of
everything else that a run depends on.
"""

import hashlib
import shutil
import sys
from pathlib import Path
from typing import Any

__all__ = ["cache_key", "prune", "setup"]


def cache_key(root: Path) -> str:
    """Hash what a notebook's outputs depend on, other than its cells.

    That is the package without this folder (no notebook imports it), the
    pinned versions and Python's own.
    """
    package = root / "src" / "attn_course"
    files = [root / "constraints.txt", *package.rglob("*")]
    digest = hashlib.sha256(f"{sys.version_info[:2]}".encode())
    for path in sorted(files):
        parts = path.relative_to(root).parts
        if "__pycache__" in parts or parts[2:3] == ("site",):
            continue
        if path.is_file():
            digest.update("/".join(parts).encode() + b"\0")
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:16]


def prune(folder: Path, keep: int) -> None:
    """Delete all but the `keep` folders that were used last."""
    if not folder.is_dir():
        return
    by_age = sorted(folder.iterdir(), key=lambda path: path.stat().st_mtime)
    for old in by_age[: max(0, len(by_age) - keep)]:
        shutil.rmtree(old, ignore_errors=True)


def _set_cache_folder(app: Any, config: Any) -> None:
    """Name the cache folder, and read every page again when it changes."""
    root = Path(app.confdir)
    key = cache_key(root)
    folder = root / "_build" / "executed" / key
    folder.mkdir(parents=True, exist_ok=True)
    folder.touch()
    prune(folder.parent, keep=3)
    config.nb_execution_cache_path = str(folder)
    config.attn_course_cache_key = key


def setup(app: Any) -> None:
    """Connect to Sphinx."""
    app.add_config_value("attn_course_cache_key", "", "env")
    app.connect("config-inited", _set_cache_folder)
