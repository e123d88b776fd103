"""What a task is: its statement, hints, inputs, right and wrong answers.

Nothing here checks or shows anything: `checking` and `feedback` look at a
task, and `core` puts the three together.
"""

import ast
import copy
import inspect
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from attn_course.exercises.holding import Room

__all__ = ["DIFFICULTY", "Case", "Task", "source_of"]

DIFFICULTY = {1: "warm-up", 2: "moderate", 3: "challenging"}
SEED = 3
# How far an answer may be from the reference, by bytes of the narrowest
# number that goes in: rounding differs from one right answer to the next.
TOLERANCE = {2: 2e-2, 4: 1e-4, 8: 1e-6}


@dataclass
class Case:
    """One input: what it is called, and the arguments in order.

    With `room`, what an answer holds at once is measured.
    """

    name: str
    arguments: tuple
    room: Room | None = None

    @property
    def size(self) -> int:
        """Count the numbers in it."""
        return sum(np.size(x) for x in self.arguments)

    @property
    def floats(self) -> list[np.ndarray]:
        """Give the arguments that are floating arrays."""
        return [
            x
            for x in self.arguments
            if isinstance(x, np.ndarray) and x.dtype.kind == "f"
        ]

    @property
    def dtype(self) -> np.dtype:
        """Give the dtype that an answer should have, or a wider one.

        Where all that goes in are integers, it is float64.
        """
        return np.result_type(*self.floats or [np.float64])

    @property
    def tolerance(self) -> float:
        """Say how far an answer may be from the reference."""
        sizes = [x.dtype.itemsize for x in self.floats]
        return TOLERANCE[min(sizes, default=8)]

    def copies(self) -> tuple:
        """Give the arguments to somebody who may change them."""
        return copy.deepcopy(self.arguments)


@dataclass
class Task:
    """A task with its answers, right and wrong.

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
    forbids
        What an answer may not call, where the statement says so: a package
        or module ("attn_course": any function in it), or the plain name of
        another function ("attention_weights"), wherever it is defined.
    differentiable
        Whether answers also take torch tensors, and let gradients through
        to every floating argument.
    """

    id: str
    title: str
    statement: str
    difficulty: int
    minutes: int
    hints: Sequence[str]
    inputs: Callable[[np.random.Generator], list[Case]]
    forbids: Sequence[str] = ()
    differentiable: bool = False
    reference: Callable = field(init=False)
    given: Callable | None = field(default=None, init=False)
    variants: list[Callable] = field(default_factory=list, init=False)
    wrong_answers: list[Callable] = field(default_factory=list, init=False)

    @property
    def level(self) -> str:
        """Say how hard it is and how long it takes, in words."""
        return f"{DIFFICULTY[self.difficulty]}, about {self.minutes} minutes"

    @property
    def parameters(self) -> list[str]:
        """Give the names of the solution's parameters."""
        return list(inspect.signature(self.reference).parameters)

    @property
    def checked(self) -> str:
        """Say what `check` takes."""
        return self.reference.__name__

    @property
    def stub(self) -> str:
        """Give the function to mend, or to fill in: one without a body."""
        if self.given is not None:
            return source_of(self.given)
        lines = source_of(self.reference).splitlines()
        function = ast.parse("\n".join(lines)).body[0]
        assert isinstance(function, ast.FunctionDef)
        docstring = function.body[0]
        return "\n".join([*lines[: docstring.end_lineno], "    ..."])

    def cases(self) -> list[Case]:
        """Give the inputs that every answer is tried on, small ones first."""
        cases = self.inputs(np.random.default_rng(SEED))
        return sorted(cases, key=lambda case: case.size)

    def is_solution(self, function: Callable) -> Callable:
        """Make this function the reference; its docstring gives shapes."""
        self.reference = function
        return function

    def is_given(self, function: Callable) -> Callable:
        """Make this function, with its mistakes, the one to mend."""
        self.given = function
        return function

    def is_right(self, function: Callable) -> Callable:
        """Add another correct way to write it."""
        self.variants.append(function)
        return function

    def is_wrong(self, function: Callable) -> Callable:
        """Add a mistake; its docstring is what the learner is told."""
        self.wrong_answers.append(function)
        return function


def source_of(function: Callable) -> str:
    """Give a function's own source, without its decorators."""
    lines = textwrap.dedent(inspect.getsource(function)).splitlines()
    parsed = ast.parse("\n".join(lines)).body[0]
    return "\n".join(lines[parsed.lineno - 1 :])
