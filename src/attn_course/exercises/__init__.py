"""Exercises that say which mistake they see.

>>> from attn_course.exercises import exercise
>>> ex = exercise("3.5")
>>> ex.title
'Attention'

Then `ex.check(my_function)`, `ex.hint()` and `ex.solution()`.
"""

import importlib
import pkgutil
from functools import cache

from attn_course.exercises.core import Exercise

__all__ = ["exercise", "exercise_ids"]


def exercise(id: str) -> Exercise:
    """Give an exercise by chapter and number, as in `exercise("3.5")`.

    Raises
    ------
    ValueError
        When there is no such exercise; the message lists those there are.
    """
    found = _all()
    if id not in found:
        raise ValueError(
            f"expected one of the exercises {', '.join(found)}, got {id!r}"
        )
    return found[id].fresh()


def exercise_ids() -> list[str]:
    """List the exercises there are, in the order of the course."""
    return list(_all())


@cache
def _all() -> dict[str, Exercise]:
    """Find the exercises: every `EXERCISE` in a file of a chapter's folder.

    So a new file is a new exercise, and its tests come with it.
    """
    found = []
    prefix = f"{__name__}.chapter"
    for chapter in pkgutil.iter_modules(__path__, f"{__name__}."):
        if not chapter.name.startswith(prefix):
            continue
        folder = importlib.import_module(chapter.name)
        for file in pkgutil.iter_modules(folder.__path__, f"{chapter.name}."):
            module = importlib.import_module(file.name)
            if hasattr(module, "EXERCISE"):
                found.append(module.EXERCISE)
    found.sort(key=lambda ex: [int(part) for part in ex.id.split(".")])
    return {ex.id: ex for ex in found}
