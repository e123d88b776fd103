"""Answers that are the solution with something replaced."""

import re
from collections.abc import Callable, Iterator
from inspect import signature

from attn_course.exercises.task import source_of

__all__ = ["edited"]

ARROW = "→"


def edited(function: Callable, table: str) -> Iterator[Callable]:
    """Make answers out of a function's source, one for each entry.

    An entry is a name, a colon and a sentence, which may go on below. Then
    each line with an arrow replaces what stands exactly once; one that
    begins with an arrow replaces everything, by what is returned:

        not_scaled: You left out the division by √d.
            / np.sqrt(key.shape[-1]) →
        divided_by_d: You divided by d, not by √d.
            np.sqrt(key.shape[-1]) → key.shape[-1]
        keys_as_values: You read from the keys: mix the values.
            → attend(query, key, key)

    An answer finds what the function finds, and the function by its name.

    Raises
    ------
    ValueError
        When there is no entry; when nothing is replaced, or by itself; when
        what to replace does not stand there exactly once.
    """
    before, *parts = re.split(r"^(\w+):", table, flags=re.MULTILINE)
    if before.strip() or not parts:
        raise ValueError(
            "expected entries, each from the start of a line, got "
            f"{before.strip()!r}"
        )
    for name, text in zip(parts[::2], parts[1::2], strict=True):
        lines = [line.strip() for line in text.strip().splitlines()]
        changes = [line for line in lines if ARROW in line]
        code = compile(_replaced(function, changes, name), name, "exec")
        found: dict[str, Callable] = {}
        exec(code, function.__globals__, found)
        answer = found[function.__name__]
        answer.__name__ = name
        answer.__doc__ = " ".join(x for x in lines if x not in changes)
        yield answer


def _replaced(function: Callable, changes: list[str], name: str) -> str:
    """Carry out the changes, one after the other."""
    if not changes:
        raise ValueError(f"expected {name} to replace something")
    source = source_of(function)
    for change in changes:
        old, new = (part.strip() for part in change.split(ARROW))
        if not old:
            parameters = ", ".join(signature(function).parameters)
            return f"def {function.__name__}({parameters}):\n    return {new}"
        count = source.count(old)
        if count != 1 or old == new:
            raise ValueError(
                f"expected {name} to replace what stands once by something "
                f"else, got {change!r}, which stands {count} times"
            )
        source = source.replace(old, new)
    return source
