"""Parts of a long experiment, kept so that it can be stopped and resumed."""

import json
import tempfile
from pathlib import Path
from typing import Any

__all__ = ["Parts"]


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

    def discard(self) -> None:
        """Forget every result: the whole is recorded."""
        self.path.unlink(missing_ok=True)
        self.done = {}

    def _read(self) -> dict[str, dict[str, Any]]:
        """Read what is there; a line that was cut off is left out."""
        if not self.path.exists():
            return {}
        done = {}
        for line in self.path.read_text("utf-8").splitlines():
            try:
                part, result = json.loads(line)
            except ValueError:
                continue
            done[part] = result
        return done
