"""Recorded results: numbers that took a real model or a long run.

A recording is one JSON file inside the package. Its `recorded` entry says
which command made it, at which commit, with which versions and seeds.
"""

import json
from importlib import resources
from pathlib import Path
from typing import Any

__all__ = ["load_recording", "recordings", "save_recording"]


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
    """
    if name not in recordings():
        raise ValueError(f"expected one of {recordings()}, got {name!r}")
    folder = resources.files("attn_course") / "data" / "recordings"
    return json.loads((folder / f"{name}.json").read_text("utf-8"))


def save_recording(name: str, content: dict[str, Any]) -> Path:
    """Write a recording into the package's own folder, whole or not at all.

    Raises
    ------
    ValueError
        When `content` does not say how it was recorded.
    """
    needed = {"command", "commit", "seeds", "versions"}
    missing = needed - set(content.get("recorded", {}))
    if missing:
        raise ValueError(
            f"expected recorded={sorted(needed)}, "
            f"got none of {sorted(missing)}"
        )
    path = Path(__file__).parent / "recordings" / f"{name}.json"
    draft = path.with_suffix(".tmp")
    draft.write_text(
        json.dumps(content, ensure_ascii=False, indent=1) + "\n", "utf-8"
    )
    draft.replace(path)
    return path
