"""Tasks whose answer is no function: vectors, measurements, a finding.

Many answers are right, so nothing is compared: a function judges.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from attn_course.exercises.core import Exercise
from attn_course.exercises.feedback import Result
from attn_course.exercises.task import Case

__all__ = ["Quest", "right", "wrong"]


def _nothing(rng: np.random.Generator) -> list[Case]:
    """Give no inputs: no function is tried."""
    return []


@dataclass(repr=False)
class Quest(Exercise):
    """An exercise that judges values.

    `is_solution`, `is_right` and `is_wrong` take functions without
    parameters that give an answer; the names of the wrong ones are those of
    the mistakes.
    """

    inputs: Callable[[np.random.Generator], list[Case]] = _nothing
    judge: Callable[..., Result] = field(init=False)

    @property
    def checked(self) -> str:
        """Say what `check` takes."""
        code = self.judge.__code__
        return ", ".join(code.co_varnames[: code.co_argcount])

    def is_judged_by(self, function: Callable) -> Callable:
        """Let this function look at the answer's parts and give a result."""
        self.judge = function
        return function

    def check(self, *answer: Any) -> Result:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Judge an answer; a part that is `...` is not tried yet.

        Raises nothing: what can't be read is told.
        """
        if any(part is ... for part in answer):
            return wrong("not_tried", "Not tried yet.")
        try:
            return self.judge(*answer)
        except Exception as error:
            return wrong(
                "unreadable",
                f"`check({self.checked})` can't read this: "
                f"{type(error).__name__}: {error}",
            )


def right(message: str) -> Result:
    """Accept an answer."""
    return Result(True, None, message)


def wrong(mistake: str, message: str) -> Result:
    """Refuse an answer, with the mistake's name."""
    return Result(False, mistake, message)
