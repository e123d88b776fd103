"""Parts of a long experiment, kept so that it can be stopped and resumed."""

import json
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from attn_course.experiments.runs import one_thread

__all__ = ["Parts", "kept_until_saved", "one_thread"]

# Files of parts whose whole is not saved yet; None: they may go at once.
_waiting: list[Path] | None = None


class Parts:
    """Results by name, each saved at once, in the system's temporary folder.

    The file carries the fingerprint of all that the results depend on, so
    that results of other code or settings are never taken up.

    Examples
    --------
    >>> parts = Parts("sweep", "0123abcd")
    >>> parts.add("d=4", {"accuracy": 1.0})
    >>> Parts("sweep", "0123abcd").done["d=4"]
    {'accuracy': 1.0}
    >>> parts.discard()
    """

    def __init__(self, name: str, fingerprint: str):
        folder = Path(tempfile.gettempdir()) / "attn-course-experiments"
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / f"{name}-{fingerprint[:16]}.jsonl"
        self.done = self._read()

    def add(self, part: str, result: dict[str, Any]) -> None:
        """Keep one result."""
        self.done[part] = result
        # A line of its own, also after one that was cut off.
        with self.path.open("a", encoding="utf-8") as file:
            file.write("\n" + json.dumps([part, result]))

    def run(
        self,
        runs: Sequence[tuple],
        one: Callable[..., Any],
        *,
        every: int = 1,
    ) -> list[dict[str, Any]]:
        """Call `one(*run)` for each run that is not done yet.

        Says how far it is after every so many runs.

        Returns
        -------
        list of dict
            For each run, in order: `result`, what `one` gave, and `seconds`.
        """
        missing = [run for run in runs if repr(run) not in self.done]
        there = len(runs) - len(missing)
        if there:
            print(f"  {there} runs are there already")
        started = time.perf_counter()
        for count, run in enumerate(missing, start=1):
            began = time.perf_counter()
            result = one(*run)
            seconds = time.perf_counter() - began
            self.add(repr(run), {"result": result, "seconds": seconds})
            if count % every == 0 or count == len(missing):
                passed = time.perf_counter() - started
                left = passed / count * (len(missing) - count) / 60
                print(
                    f"  {there + count}/{len(runs)} runs, "
                    f"about {left:.1f} min left",
                    flush=True,
                )
        return [self.done[repr(run)] for run in runs]

    def discard(self) -> None:
        """Forget every result: the whole is recorded."""
        if _waiting is None:
            self.path.unlink(missing_ok=True)
        else:
            _waiting.append(self.path)
        self.done = {}

    def _read(self) -> dict[str, dict[str, Any]]:
        """Read what is there; lines that are damaged are left out."""
        if not self.path.exists():
            return {}
        text = self.path.read_text("utf-8", errors="replace")
        lines = [line for line in text.splitlines() if line.strip()]
        parts = [part for part in map(_part, lines) if part]
        if damaged := len(lines) - len(parts):
            print(f"  {damaged} results were cut off: they are made again")
        return dict(parts)


def _part(line: str) -> tuple[str, dict[str, Any]] | None:
    """Read the name of a part and its result; None where it is damaged."""
    try:
        part, result = json.loads(line)
    except (ValueError, TypeError, RecursionError):
        return None
    if not isinstance(part, str) or not isinstance(result, dict):
        return None
    return None if "\ufffd" in line else (part, result)


@contextmanager
def kept_until_saved() -> Iterator[None]:
    """Let parts that are discarded go only when this block ends well.

    A full disk, met while the whole is saved, costs no results then.
    """
    global _waiting
    _waiting = []
    try:
        yield
        for path in _waiting:
            path.unlink(missing_ok=True)
    finally:
        _waiting = None
