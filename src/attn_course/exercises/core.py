"""What an exercise is: a task, its hints, its solution, its wrong answers.

One file holds one exercise. It makes an `Exercise` and hands functions to
it with three decorators:

- `is_solution`: the reference, whose source the learner may see
- `is_right`: another way to write it, which the checker must accept
- `is_wrong`: a mistake; the docstring is the sentence that names it
"""

import ast
import copy
import inspect
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from attn_course.exercises import feedback
from attn_course.exercises.checking import Case, check

__all__ = ["DIFFICULTY", "Case", "Exercise"]

DIFFICULTY = {1: "warm-up", 2: "moderate", 3: "challenging"}
SEED = 3


@dataclass
class Exercise:
    """A task with everything that is needed to help and to check.

    Parameters
    ----------
    id
        Chapter and number: "3.1".
    title, statement
        The statement is Markdown; it also stands in the notebook.
    difficulty
        1, 2 or 3, said in words by `DIFFICULTY`.
    minutes
        How long a learner may need.
    hints
        Each a little closer to the solution, which none contains.
    inputs
        Takes a random generator, gives the cases to try.
    """

    id: str
    title: str
    statement: str
    difficulty: int
    minutes: int
    hints: Sequence[str]
    inputs: Callable[[np.random.Generator], list[Case]]
    reference: Callable = field(init=False)
    variants: list[Callable] = field(default_factory=list, init=False)
    wrong_answers: list[Callable] = field(default_factory=list, init=False)
    hints_given: int = field(default=0, init=False)

    # For learners

    def check(
        self, function: Callable, *, seconds: float = 3.0
    ) -> feedback.Result:
        """Try a function on many inputs; say what is right or wrong.

        Never raises. `seconds` is the time limit of one call.
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

    @property
    def level(self) -> str:
        """Say how hard it is and how long it takes, in words."""
        return f"{DIFFICULTY[self.difficulty]}, about {self.minutes} minutes"

    @property
    def stub(self) -> str:
        """Give the function to fill in: the solution without its body."""
        lines = source_of(self.reference).splitlines()
        function = ast.parse("\n".join(lines)).body[0]
        assert isinstance(function, ast.FunctionDef)
        docstring = function.body[0]
        return "\n".join([*lines[: docstring.end_lineno], "    ..."])

    def __repr__(self) -> str:
        return feedback.exercise_text(self)

    def _repr_html_(self) -> str:
        return feedback.exercise_html(self)

    # For authors

    def is_solution(self, function: Callable) -> Callable:
        """Make this function the reference; its docstring gives shapes."""
        self.reference = function
        return function

    def is_right(self, function: Callable) -> Callable:
        """Add another correct way to write it."""
        self.variants.append(function)
        return function

    def is_wrong(self, function: Callable) -> Callable:
        """Add a mistake; its docstring is what the learner is told."""
        self.wrong_answers.append(function)
        return function

    def cases(self) -> list[Case]:
        """Give the inputs that every answer is tried on, small ones first."""
        cases = self.inputs(np.random.default_rng(SEED))
        return sorted(cases, key=lambda case: case.size)

    @property
    def parameters(self) -> list[str]:
        """Give the names of the solution's parameters."""
        return list(inspect.signature(self.reference).parameters)

    def fresh(self) -> Any:
        """Give a copy that has shown no hint yet."""
        other = copy.copy(self)
        other.hints_given = 0
        return other


def source_of(function: Callable) -> str:
    """Give a function's own source, without its decorators."""
    lines = textwrap.dedent(inspect.getsource(function)).splitlines()
    parsed = ast.parse("\n".join(lines)).body[0]
    return "\n".join(lines[parsed.lineno - 1 :])
