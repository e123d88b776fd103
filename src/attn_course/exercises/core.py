"""What an exercise is: a task, and what helps and checks a learner.

One file holds one exercise. It makes an `Exercise` and hands functions to
it with three decorators:

- `is_solution`: the reference, whose source the learner may see
- `is_right`: another way to write it, which the checker must accept
- `is_wrong`: a mistake; the docstring is the sentence that names it

A mistake that is the solution but for a few words is stated so, by `edits`.
"""

import copy
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from attn_course.exercises import feedback
from attn_course.exercises.checking import check
from attn_course.exercises.edits import edited
from attn_course.exercises.task import DIFFICULTY, Case, Task, source_of

__all__ = ["DIFFICULTY", "Case", "Exercise"]


@dataclass
class Exercise(Task):
    """A task that helps and checks; `Task` lists its parameters."""

    hints_given: int = field(default=0, init=False)

    def edits(self, table: str, *, of: Callable | None = None) -> None:
        """Add mistakes that are the solution, or `of`, with something else.

        `edits.edited` says how the table is read, and what it refuses.
        """
        for answer in edited(of or self.reference, table):
            self.is_wrong(answer)

    def check(
        self, function: Callable, *, seconds: float = 3.0
    ) -> feedback.Result:
        """Try a function on many inputs; say what is right or wrong.

        Raises nothing that comes out of the function, only the learner's
        own KeyboardInterrupt. `seconds` is the time limit of one call.
        """
        return check(self, function, seconds=seconds)

    def hint(self) -> feedback.Note:
        """Give the next hint, or say that there are no more."""
        if self.hints_given == len(self.hints):
            return feedback.Note(
                "No more hints",
                "You have seen them all. `solution()` shows one way to "
                "write it.",
            )
        self.hints_given += 1
        return feedback.Note(
            f"Hint {self.hints_given} of {len(self.hints)}",
            self.hints[self.hints_given - 1],
        )

    def solution(self) -> feedback.Note:
        """Show one way to write it: the code that the checker itself runs."""
        return feedback.Note("One solution", code=source_of(self.reference))

    def fresh(self) -> Any:
        """Give a copy that has shown no hint yet."""
        other = copy.copy(self)
        other.hints_given = 0
        return other

    def __repr__(self) -> str:
        return feedback.exercise_text(self)

    def _repr_html_(self) -> str:
        return feedback.exercise_html(self)
