"""What labs share: first and last cell, a plain table, and what is kept."""

import os
import platform
import sys
import time
from collections.abc import Mapping, Sequence
from importlib import metadata
from typing import Any

import attn_course
from attn_course.exercises.keeping import (
    download_mine,
    keep,
    mine,
    upload_mine,
)
from attn_course.handover import hand_over
from attn_course.html import html_table

__all__ = [
    "download_mine",
    "keep",
    "mine",
    "report",
    "setup",
    "table",
    "upload_mine",
]

# Below this many cores one thread is faster: with two busy cores, two
# threads made a training loop fifteen times slower.
FEW_CORES = 4

_started = time.perf_counter()


def setup() -> None:
    """Start the clock, say what runs here, and keep torch calm on few cores.

    Torch is only asked if it is installed, and its device is only named:
    nothing moves there by itself.
    """
    global _started
    _started = time.perf_counter()
    print(
        f"attn_course {attn_course.__version__} · "
        f"Python {platform.python_version()} · "
        + " · ".join(f"{name} {_version(name)}" for name in ("numpy", "torch"))
    )
    print(f"{os.cpu_count()} cores · {_device()}")


def report() -> None:
    """Print the seconds since `setup` and the process's peak memory.

    The same numbers travel as data, for the book's table of runs.
    """
    seconds = time.perf_counter() - _started
    peak = _peak_megabytes()
    numbers = {
        "kind": "run",
        "seconds": round(seconds, 1),
        "peak_mb": None if peak is None else round(peak),
        "threads": _threads(),
    }
    memory = "" if peak is None else f", {peak:.0f} MB of memory at most"
    print(f"This notebook took {seconds:.1f} s{memory}.")
    hand_over(numbers)


def table(
    rows: Sequence[Mapping[str, Any]], *, caption: str, columns: Sequence[str]
) -> Any:
    """Show records as a table: one row each, these entries as columns.

    Texts are escaped; numbers are shown as they are.

    Raises
    ------
    KeyError
        When a record lacks one of the columns.
    """
    from IPython.display import HTML

    first, *others = columns
    return HTML(
        html_table(
            caption,
            columns,
            [(str(row[first]), [str(row[c]) for c in others]) for row in rows],
            attributes=' class="attn-table" data-state',
        )
    )


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "not installed"


def _device() -> str:
    if _version("torch") == "not installed":
        return "no torch here"
    from attn_course.optional import need

    try:
        torch = need("torch")
    except ImportError as error:
        return str(error)
    if torch.cuda.is_available():
        return f"GPU: {torch.cuda.get_device_name()}"
    if (os.cpu_count() or 1) < FEW_CORES:
        torch.set_num_threads(1)
    return f"no GPU here: torch uses {torch.get_num_threads()} CPU thread(s)"


def _threads() -> int | None:
    torch: Any = sys.modules.get("torch")
    return torch.get_num_threads() if torch else None


def _peak_megabytes() -> float | None:
    """Peak resident memory of this process; None where Windows can't say."""
    try:
        import resource
    except ImportError:
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # Linux counts kilobytes, macOS bytes.
    return peak / 1024**2 if sys.platform == "darwin" else peak / 1024
