"""What learners read: plain text in a terminal, HTML in a notebook.

The HTML has no colours and no scripts of its own, so that it reads well in
light and dark, in Jupyter and on the website.
"""

import html
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from attn_course.exercises.task import Task, source_of

__all__ = ["Example", "Note", "Result", "said", "show"]


@dataclass(frozen=True)
class Example:
    """One input with what was expected and what came."""

    name: str
    rows: list[tuple[str, str]]
    printed: str = ""

    @property
    def title(self) -> str:
        """Say which input this is."""
        return f"The smallest input where it shows ({self.name}):"

    @property
    def text(self) -> str:
        """Set the rows in two columns, and what was printed below."""
        width = max(len(name) for name, _ in self.rows) + 2
        lines = [
            name.ljust(width) + text.replace("\n", "\n" + " " * width)
            for name, text in self.rows
        ]
        if self.printed:
            lines += ["", "Your function printed:", self.printed.rstrip()]
        return "\n".join(lines)


@dataclass(frozen=True, repr=False)
class Result:
    """What a check found; displaying it gives the feedback.

    `mistake` is None when all is right, and otherwise a name: that of a
    wrong answer, or one that every exercise shares ("not_tried", "raises",
    "too_slow", "wrong_shape", …).
    """

    passed: bool
    mistake: str | None
    message: str
    example: Example | None = field(default=None)

    @property
    def state(self) -> str:
        """Give "passed", "untried" or "failed"."""
        if self.passed:
            return "passed"
        return "untried" if self.mistake == "not_tried" else "failed"

    @property
    def verdict(self) -> str:
        """Give the first words."""
        return {"passed": "✓ Right.", "failed": "✗ Not yet."}.get(
            self.state, "○"
        )

    def __repr__(self) -> str:
        text = f"{self.verdict} {self.message}"
        if self.example is None:
            return text
        return f"{text}\n\n{self.example.title}\n\n{self.example.text}"

    def _repr_html_(self) -> str:
        body = (
            f"<p><strong>{self.verdict}</strong> {_inline(self.message)}</p>"
        )
        if self.example is not None:
            body += f"<p>{html.escape(self.example.title)}</p>"
            body += _pre(self.example.text)
        return _box(body, self.state)


@dataclass(frozen=True, repr=False)
class Note:
    """A hint or a solution."""

    title: str
    text: str = ""
    code: str = ""

    def __repr__(self) -> str:
        parts = [f"{self.title}: {self.text}" if self.text else self.title]
        return "\n\n".join([*parts, self.code] if self.code else parts)

    def _repr_html_(self) -> str:
        title = f"<strong>{html.escape(self.title)}.</strong>"
        body = f"<p>{title} {_inline(self.text)}</p>"
        return _box(body + (_pre(self.code) if self.code else ""))


def exercise_text(task: Task) -> str:
    """Write an exercise for a terminal."""
    return "\n\n".join(
        [
            f"Exercise {task.id}: {task.title} ({task.level})",
            task.statement,
            f"check({task.checked}) checks your answer, hint() helps, "
            "solution() shows one.",
        ]
    )


def exercise_html(task: Task) -> str:
    """Write an exercise's help for a notebook, where it stands above."""
    parts = []
    for i, hint in enumerate(task.hints, 1):
        name = f"Hint {i} of {len(task.hints)}"
        parts.append(_folded(name, f"<p>{_inline(hint)}</p>"))
    parts.append(_folded("Solution", _pre(source_of(task.reference))))
    label = html.escape(f"Exercise {task.id}: {task.title}, help")
    return _box("".join(parts), "", f' role="group" aria-label="{label}"')


def show(x: Any) -> str:
    """Write an array with its shape; of a large one only the corners."""
    if not isinstance(x, np.ndarray):
        return said(x, repr)
    numbers = np.array2string(
        x,
        precision=4,
        suppress_small=True,
        threshold=24,
        edgeitems=2,
        max_line_width=64,
    )
    dtype = "" if x.dtype == np.float64 else f" {x.dtype}"
    return f"shape {x.shape}{dtype}\n{numbers}"


def said(x: Any, how: Callable[[Any], str] = str, most: int = 300) -> str:
    """Write anything that a learner's function gave, even a broken thing."""
    try:
        text = how(x)
    except Exception:
        return f"something of type {type(x).__name__} that can't be shown"
    return text if len(text) <= most else text[:most] + " …"


def _box(body: str, state: str = "", attributes: str = "") -> str:
    """Wrap HTML; data-state lets the website's dark mode leave it alone."""
    return (
        f'<div class="attn-exercise" data-state="{state}"{attributes}>'
        f"{body}</div>"
    )


def _folded(title: str, body: str) -> str:
    return f"<details><summary>{title}</summary>{body}</details>"


def _pre(text: str) -> str:
    """Write text as it is; a box that may scroll must take the focus."""
    return f'<pre tabindex="0"><code>{html.escape(text)}</code></pre>'


def _inline(text: str) -> str:
    """Escape text, in which `backticks` mark code."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", html.escape(text))
