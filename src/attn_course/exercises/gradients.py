"""Try an answer on torch tensors: what comes, and whether gradients flow.

torch is optional, and only loaded once there is something to try.
"""

import math
import time
import traceback
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from attn_course.exercises.answers import last_line
from attn_course.exercises.limits import call
from attn_course.exercises.task import Case, Task
from attn_course.optional import need

__all__ = ["has_torch", "on_tensors"]

# Beyond this softmax is hard, and its gradient rounding.
LARGEST = 100.0
# So many cases are tried: shapes were told apart with NumPy.
TRIED = 8


@cache
def has_torch() -> bool:
    """Say whether there is a torch that will do; load it."""
    try:
        need("torch")
    except ImportError:
        return False
    return True


def on_tensors(
    task: Task, function: Callable, cases: Sequence[Case], seconds: float
) -> tuple[str, str] | None:
    """Find what is wrong with tensors: a mistake's name and its sentence.

    All calls together may take `seconds`.
    """
    last = time.monotonic() + seconds
    plain = [case for case in cases if _is_plain(case)]
    for case in plain[:: math.ceil(len(plain) / TRIED)]:
        left = max(last - time.monotonic(), 0.01)
        found = _wrong(task, function, case, left)
        if found is not None:
            return found
    return None


def _is_plain(case: Case) -> bool:
    """Say whether all numbers are floats of a size that one trains with."""
    return all(
        isinstance(x, np.ndarray)
        and x.dtype in (np.float32, np.float64)
        and bool((np.abs(x) < LARGEST).all())
        for x in case.arguments
    )


def _wrong(
    task: Task, function: Callable, case: Case, seconds: float
) -> tuple[str, str] | None:
    """Compare value and gradients with the reference's on one case."""
    given, ours = _tensors(case), _tensors(case)
    result = call(function, given, seconds)
    if result.slow:
        return "too_slow", "With tensors it did not end in time."
    if result.error is not None:
        return _raised(result.error)
    expected = task.reference(*ours)
    return (
        _no_tensor(result.value, expected)
        or _other_value(result.value, expected, case.tolerance)
        or _no_gradient(task, result.value, given)
        or _other_gradient(result.value, given, expected, ours, case.tolerance)
    )


def _tensors(case: Case) -> tuple:
    """Give the arguments as tensors that ask for gradients."""
    torch = need("torch")
    return tuple(torch.tensor(x, requires_grad=True) for x in case.arguments)


def _raised(error: BaseException) -> tuple[str, str]:
    """Say what is at fault when tensors make an answer raise."""
    line, text = last_line(error), str(error)
    where = f" ({line})" if line else ""
    if "return_types" in text or "return_types" in line:
        return (
            "two_results_of_max",
            f"A tensor's `max` along an axis gives two things{where}: take "
            "`xp.max(x, axis=…)`, where `xp = array_namespace(x)`.",
        )
    if "numpy()" in text or _came_through_numpy(error):
        return (
            "numpy_on_tensor",
            "A function of NumPy's breaks the gradient of a tensor"
            f"{where}: take `xp.` in place of `np.`, where "
            "`xp = array_namespace(query)`.",
        )
    return (
        "raises_on_tensors",
        f"With torch tensors it raised {type(error).__name__}: {text}{where}",
    )


def _came_through_numpy(error: BaseException) -> bool:
    """Say whether a function of NumPy's called what raised."""
    folder = str(Path(np.__file__).parent)
    frames = traceback.extract_tb(error.__traceback__)
    return any(frame.filename.startswith(folder) for frame in frames)


def _no_tensor(got: Any, expected: Any) -> tuple[str, str] | None:
    """See whether the result is a tensor of the right dtype and shape."""
    torch = need("torch")
    if not isinstance(got, torch.Tensor):
        return (
            "not_a_tensor",
            "Given tensors, it should return a tensor, but it returned "
            f"{type(got).__name__}: a gradient can't come back through that.",
        )
    if got.dtype != expected.dtype:
        return (
            "other_dtype",
            f"Given tensors of {expected.dtype}, it should return that, but "
            f"it returned {got.dtype}.",
        )
    if got.shape != expected.shape:
        return (
            "other_shape",
            f"With tensors the result should have shape "
            f"{tuple(expected.shape)}, but has {tuple(got.shape)}.",
        )
    return None


def _other_value(
    got: Any, expected: Any, tolerance: float
) -> tuple[str, str] | None:
    """Compare the numbers."""
    if _close(got, expected, tolerance):
        return None
    return "other_values", "With torch tensors the numbers are others."


def _no_gradient(task: Task, got: Any, given: tuple) -> tuple[str, str] | None:
    """See whether a gradient reaches each argument at all."""
    names = task.parameters
    if got.requires_grad:
        gradients = _gradients(got, given)
        names = [
            name
            for name, gradient in zip(names, gradients, strict=True)
            if gradient is None
        ]
    if not names:
        return None
    which = " and ".join(f"`{name}`" for name in names)
    return (
        "gradient_stops",
        f"No gradient comes back to {which}: is there a `detach`, a "
        "`no_grad`, or a new tensor made of numbers?",
    )


def _other_gradient(
    got: Any, given: tuple, expected: Any, ours: tuple, tolerance: float
) -> tuple[str, str] | None:
    """Compare the gradients."""
    mine, right = _gradients(got, given), _gradients(expected, ours)
    pairs = zip(mine, right, strict=True)
    if all(_close(x, y, tolerance) for x, y in pairs):
        return None
    return (
        "gradient_in_part",
        "The numbers are right, but the gradients are not: part of the way "
        "is cut, by a `detach` or a new tensor made of numbers.",
    )


def _gradients(result: Any, arguments: tuple) -> tuple:
    """Give d(probe · result)/d(argument); None where none flows.

    The sum alone won't do as a loss: that of a softmax never changes.
    """
    torch = need("torch")
    probe = torch.cos(torch.arange(result.numel())).to(result.dtype)
    loss = (result * probe.reshape(result.shape)).sum()
    return torch.autograd.grad(
        loss, arguments, allow_unused=True, retain_graph=True
    )


def _close(got: Any, right: Any, tolerance: float) -> bool:
    """Compare two tensors, of which small numbers may be rounded away.

    A gradient that is 0 comes out as a little more or less.
    """
    got, right = got.detach().double(), right.detach().double()
    scale = max(right.abs().max().item(), 1.0)
    return bool(((got - right).abs() <= tolerance * scale).all())
