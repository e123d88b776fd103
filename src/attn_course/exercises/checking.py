"""Try an answer on many inputs, and find out which mistake it makes.

A wrong answer is a function like the learner's. Where the two give the same
on every input, the mistake has a name.
"""

import inspect
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from attn_course.exercises import doors, interrupts
from attn_course.exercises.answers import is_stub, last_line, same_code
from attn_course.exercises.feedback import Example, Result, said, show
from attn_course.exercises.gradients import has_torch, on_tensors
from attn_course.exercises.holding import Meter
from attn_course.exercises.limits import Call, call
from attn_course.exercises.task import Case, Task
from attn_course.exercises.watching import Watch

__all__ = ["Outcome", "check", "matches", "outcomes"]

# Two mistakes at once: the first gets a name when a wrong answer explains so
# many of the failing answers, and at least so large a part of them.
ENOUGH, MOST = 3, 0.75
# What a stub gives, and what a function without a return gives.
NOTHING = {"NoneType", "ellipsis"}
STUBS = {*NOTHING, "NotImplementedType", "NotImplementedError"}
# What to do with what is no array.
CURES = {
    "list": " `np.array` makes one of it.",
    "masked array": " `filled` puts numbers where it has none.",
    "method": " Are the brackets of a call missing?",
    "builtin_function_or_method": " Are the brackets of a call missing?",
}


@dataclass
class Outcome:
    """What an answer did with one case.

    kind is "array", "type" (no array of real numbers), "raised" or "slow";
    label names the type or the exception, parts are those of a tuple or
    list; forbidden is a function that the statement forbids and that was
    called; is_over, whether too much was held at once.
    """

    kind: str
    label: str = ""
    value: Any = None
    detail: str = ""
    printed: str = ""
    changed: list[str] = field(default_factory=list)
    forbidden: str = ""
    parts: list["Outcome"] = field(default_factory=list)
    is_over: bool = False

    @property
    def is_finite(self) -> bool:
        """Say whether it is an array without NaN and inf."""
        return self.kind == "array" and bool(np.isfinite(self.value).all())


@dataclass
class Problem:
    """Why an outcome is not right."""

    mistake: str
    message: str


def check(
    task: Task,
    function: Callable,
    *,
    seconds: float,
    together: float | None = None,
) -> Result:
    """Try the function on every case of the exercise; say what it does.

    One call may take `seconds`, all with NumPy may take `together`. Raises
    KeyboardInterrupt when the learner interrupts, and RuntimeError inside a
    function that is being checked; nothing else.
    """
    if doors.is_answering():
        raise RuntimeError(
            "a check inside the function that is checked: does its line need "
            "less indentation?"
        )
    wrong_use = _wrong_use(task, function)
    if wrong_use is not None:
        return Result(False, wrong_use.mistake, wrong_use.message)
    with interrupts.held():
        cases = task.cases()
        last = None if together is None else time.monotonic() + together
        mine = _tried(task, function, cases, seconds, last)
        early = _without_comparing(task, function, mine)
        if early is not None:
            return Result(False, early.mistake, early.message)
        expected = [_expected(task, case) for case in cases]
        result = _judged(task, cases, mine, expected, seconds)
        if not result.passed or not task.differentiable:
            return result
        return _with_gradients(task, function, cases, seconds)


def _with_gradients(
    task: Task, function: Callable, cases: list[Case], seconds: float
) -> Result:
    """Check with torch what is right with NumPy."""
    message = f"Your function is right on all {len(cases)} inputs"
    if not has_torch():
        return Result(
            True,
            None,
            f"{message}. torch is not installed here: whether it takes "
            "tensors, and lets gradients through, was not checked.",
        )
    found = on_tensors(task, function, cases, seconds)
    if found is not None:
        mistake, sentence = found
        return Result(False, mistake, f"Right with NumPy. {sentence}")
    message += ", and on torch tensors, with their gradients."
    return Result(True, None, message)


def _tried(
    task: Task,
    function: Callable,
    cases: list[Case],
    seconds: float,
    last: float | None,
) -> list["Outcome"]:
    """Run a learner's function on the cases, until one takes too long."""
    mine = []
    for case in cases:
        if last is not None:
            seconds = min(seconds, max(last - time.monotonic(), 0.01))
        mine.append(_outcome(task, function, case, seconds))
        if mine[-1].kind == "slow":
            break
    return mine


def _judged(
    task: Task,
    cases: list[Case],
    mine: list["Outcome"],
    expected: list[np.ndarray],
    seconds: float,
) -> Result:
    """Compare with what is expected, and say what is wrong."""
    problems = [
        _problem(outcome, case, right, seconds)
        for outcome, case, right in zip(mine, cases, expected, strict=False)
    ]
    failing = [i for i, problem in enumerate(problems) if problem]
    if not failing:
        message = f"Your function is right on all {len(cases)} inputs."
        return Result(True, None, message)
    is_slow = mine[-1].kind == "slow"
    first = len(mine) - 1 if is_slow else failing[0]
    named = None if is_slow else _named(task, cases, mine, expected)
    problem = named or problems[first]
    assert problem is not None  # the first that fails has one
    example = _example(task, cases[first], mine[first], expected[first])
    return Result(False, problem.mistake, problem.message, example)


# What an answer does


def outcomes(task: Task, function: Callable) -> list[Outcome]:
    """Run one of the exercise's own functions on every case."""
    return [_own_outcome(function, case) for case in task.cases()]


def _own_outcome(function: Callable, case: Case) -> Outcome:
    """Run one of the exercise's own functions on one case."""
    result, meter = Call(), Meter(function, case.room)
    try:
        with np.errstate(all="ignore"):
            result.value = meter(*case.copies())
    except Exception as error:
        result.error = error
    outcome = _classify(result)
    outcome.is_over = meter.is_over
    return outcome


def _outcome(
    task: Task, function: Callable, case: Case, seconds: float
) -> Outcome:
    """Run a learner's function on one case, within the time limit."""
    given, watch = case.copies(), Watch(function, task.forbids)
    meter = Meter(watch, case.room)
    result = call(meter, given, seconds)
    outcome = _classify(result)
    outcome.printed, outcome.forbidden = result.printed, watch.found
    outcome.is_over = meter.is_over
    if outcome.kind != "slow":
        outcome.changed = [
            name
            for name, before, after in zip(
                task.parameters, case.arguments, given, strict=True
            )
            if not _equal(before, after)
        ]
    return outcome


def _equal(before: Any, after: Any) -> bool:
    """Compare an argument with itself; NaN stays NaN."""
    numbers = isinstance(before, np.ndarray) and before.dtype.kind == "f"
    return np.array_equal(before, after, equal_nan=numbers)


def _classify(result: Call) -> Outcome:
    """Say of which kind a result is."""
    if result.slow:
        return Outcome("slow", detail="" if result.stopped else "still runs")
    if result.error is not None:
        where = last_line(result.error)
        name = type(result.error).__name__
        return Outcome("raised", name, said(result.error), where)
    return _classify_value(result.value)


def _classify_value(value: Any, *, most_parts: int = 9) -> Outcome:
    """Say of which kind a value is: one array of real numbers or not."""
    if isinstance(value, tuple | list):
        label = f"{type(value).__name__} of {len(value)}"
        parts = [_classify_value(x, most_parts=0) for x in value[:most_parts]]
        return Outcome("type", label, value, parts=parts)
    if not isinstance(value, np.ndarray | np.generic | int | float):
        return Outcome("type", type(value).__name__, value)
    if np.ma.is_masked(value):
        return Outcome("type", "masked array", value)
    array = np.array(value)  # a copy: the function may use its own again
    if array.dtype.kind not in "fiub":
        return Outcome("type", f"array of dtype {array.dtype}", value)
    return Outcome("array", value=array)


def _expected(task: Task, case: Case) -> np.ndarray:
    """Give the reference's answer, computed in float64."""
    wide = tuple(
        x.astype(np.float64)
        if isinstance(x, np.ndarray) and x.dtype.kind == "f"
        else x
        for x in case.copies()
    )
    with np.errstate(all="ignore"):
        return task.reference(*wide)


# What is wrong with it


def _wrong_use(task: Task, function: Any) -> Problem | None:
    """See whether the function can be called at all."""
    name = task.reference.__name__
    if not callable(function):
        return Problem(
            "not_a_function",
            "Hand over the function itself, without calling it: "
            f"`check({name})`. This was of type {type(function).__name__}.",
        )
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):  # some functions have none to show
        return None
    try:
        signature.bind(*task.parameters)
    except TypeError:
        return Problem(
            "wrong_arguments",
            f"Your function should take ({', '.join(task.parameters)}), "
            f"but takes {signature}.",
        )
    return None


def _without_comparing(
    task: Task, function: Callable, mine: list[Outcome]
) -> Problem | None:
    """See whether there is an answer at all, and an allowed one."""
    forbidden = [x.forbidden for x in mine if x.forbidden]
    if forbidden:
        return Problem(
            "forbidden",
            f"Your function calls `{forbidden[0]}`, which the statement "
            "forbids: write out what it does.",
        )
    labels = {outcome.label for outcome in mine}
    if (labels <= STUBS and is_stub(function)) or same_code(
        function, task.given
    ):
        return Problem("not_tried", "Not tried yet.")
    if labels <= NOTHING:
        return Problem(
            "returns_nothing",
            "Your function returns nothing: is the `return` missing?",
        )
    return None


def _problem(
    outcome: Outcome, case: Case, right: np.ndarray, seconds: float
) -> Problem | None:
    """Compare one outcome with the reference; None when all is well."""
    if outcome.kind == "slow":
        message = (
            f"Your function did not end within {seconds:g} s on a small "
            "input: is there a loop that never ends?"
        )
        if outcome.detail:
            message += " It could not be stopped: restart the kernel."
        return Problem("too_slow", message)
    if outcome.kind == "raised":
        return Problem("raises", _raised(outcome))
    if outcome.kind == "type":
        return _wrong_type(outcome)
    return _wrong_array(outcome, case, right)


def _raised(outcome: Outcome) -> str:
    """Say which exception came, and from which line."""
    where = f" ({outcome.detail})" if outcome.detail else ""
    if outcome.label == "SystemExit":
        return (
            f"Your function ends Python{where}: return the result in place "
            "of `exit()`."
        )
    return f"Your function raised {_error(outcome)}{where}"


def _error(outcome: Outcome) -> str:
    """Write an exception, with its message if it has one."""
    return outcome.label + (f": {outcome.value}" if outcome.value else "")


def _wrong_type(outcome: Outcome) -> Problem:
    """Name what came in place of an array of numbers."""
    label = outcome.label
    if label in NOTHING:
        return Problem(
            "returns_nothing",
            "Your function returns nothing on this input: does every way "
            "through it end in a `return`?",
        )
    if label.startswith("array"):
        return Problem(
            "wrong_dtype",
            f"Your function should return real numbers, but returned an "
            f"{label}.",
        )
    kind = label.partition(" of ")[0]
    what = "a tuple of one: is there a comma behind it?"
    if label != "tuple of 1":
        what = f"a {label}." if kind in ("tuple", "list") else f"{kind}."
    return Problem(
        "wrong_type",
        "Your function should return one NumPy array, but returned "
        + what
        + CURES.get(kind, ""),
    )


def _wrong_array(
    outcome: Outcome, case: Case, right: np.ndarray
) -> Problem | None:
    """Compare an array with the reference's."""
    got = outcome.value
    if got.shape != right.shape:
        has = f"has {got.shape}" if got.shape else "is a single number"
        return Problem(
            "wrong_shape",
            f"The result should have shape {right.shape}, but {has}.",
        )
    counts = np.isfinite(right)  # what sees NaN may be anything
    if not np.isfinite(got[counts]).all():
        return Problem(
            "not_finite",
            "There is NaN or inf in the result: 0/0, inf − inf, or exp of "
            "a large number?",
        )
    if got.dtype.kind != "f" and right.dtype.kind == "f":
        return Problem(
            "wrong_dtype",
            f"The result should be of a floating dtype, but is {got.dtype}. "
            "An array made like one of integers holds integers.",
        )
    if got.dtype.itemsize < case.dtype.itemsize:
        return Problem(
            "wrong_dtype",
            f"The inputs are {case.dtype}, but the result is {got.dtype}: "
            "numbers were rounded on the way.",
        )
    if not _close(got[counts], right[counts], case.tolerance):
        return Problem(
            "wrong_values",
            "The shape is right, but the numbers are not, and it is no "
            "mistake that we know: follow the example by hand.",
        )
    if outcome.is_over:
        return Problem(
            "holds_too_much",
            "The result is right, but your function holds more numbers at "
            "once than the statement allows.",
        )
    if outcome.changed:
        return Problem("changes_arguments", _changes(outcome.changed))
    return None


def _changes(names: list[str]) -> str:
    """Say which arguments were changed."""
    which = " and ".join(f"`{name}`" for name in names)
    return (
        f"The result is right, but your function changes its argument "
        f"{which}. Make a new array: `x = x - y`, not `x -= y`."
    )


def _close(got: np.ndarray, right: np.ndarray, tolerance: float) -> bool:
    """Compare two arrays, of which small numbers may be rounded away."""
    if got.shape != right.shape:
        return False
    got, right = got.astype(np.float64), right.astype(np.float64)
    finite = np.abs(right[np.isfinite(right)])
    scale = finite.max(initial=0.0) or 1.0
    return np.allclose(
        got, right, rtol=tolerance, atol=tolerance * scale, equal_nan=True
    )


# Which mistake it is


def matches(
    task: Task,
    cases: list[Case],
    mine: list[Outcome],
    among: list[int],
) -> list[Callable]:
    """Find the wrong answers that do the same on the cases `among`."""
    return [
        wrong
        for wrong in task.wrong_answers
        if all(_does_the_same(wrong, cases[i], mine[i]) for i in among)
    ]


def _does_the_same(wrong: Callable, case: Case, mine: Outcome) -> bool:
    """Compare a wrong answer with the learner's on one case."""
    return _same(mine, _own_outcome(wrong, case), case)


def _same(mine: Outcome, theirs: Outcome, case: Case) -> bool:
    """Compare two outcomes of one case."""
    if mine.kind != theirs.kind or mine.is_over != theirs.is_over:
        return False
    if mine.kind == "array":
        return _close(mine.value, theirs.value, case.tolerance)
    return mine.label == theirs.label and all(
        _same(x, y, case)
        for x, y in zip(mine.parts, theirs.parts, strict=True)
    )


def _named(
    task: Task,
    cases: list[Case],
    mine: list[Outcome],
    expected: list[np.ndarray],
) -> Problem | None:
    """Name the mistake, if it is one that we know."""
    if all(outcome.kind == "raised" for outcome in mine):
        return None
    found = matches(task, cases, mine, list(range(len(cases))))
    if found:
        return Problem(found[0].__name__, _sentence(found[0]))
    found = _first_of_two(task, cases, mine, expected)
    if found is None:
        return None
    more = " It is not the only mistake: mend it, and check again."
    return Problem(found.__name__, _sentence(found) + more)


def _first_of_two(
    task: Task,
    cases: list[Case],
    mine: list[Outcome],
    expected: list[np.ndarray],
) -> Callable | None:
    """Find the one wrong answer that explains most of the wrong numbers.

    Right numbers of a wrong dtype it need not explain.
    """
    finite = [i for i, outcome in enumerate(mine) if outcome.is_finite]
    passes = [
        i
        for i in finite
        if _close(mine[i].value, expected[i], cases[i].tolerance)
    ]
    fails = [i for i in finite if i not in passes]
    least = max(ENOUGH, MOST * len(fails))
    found = [
        wrong
        for wrong in matches(task, cases, mine, passes)
        if sum(_does_the_same(wrong, cases[i], mine[i]) for i in fails)
        >= least
    ]
    return found[0] if len(found) == 1 else None


def _sentence(wrong: Callable) -> str:
    """Give what a learner is told about a wrong answer."""
    return inspect.cleandoc(wrong.__doc__ or wrong.__name__)


def _example(
    task: Task, case: Case, outcome: Outcome, right: np.ndarray
) -> Example:
    """Show the smallest input on which an answer fails."""
    got = show(outcome.value)
    if outcome.kind == "slow":
        got = "nothing in time"
    elif outcome.kind == "raised":
        got = _error(outcome)
    rows = [
        (name, show(x))
        for name, x in zip(task.parameters, case.arguments, strict=True)
    ]
    rows += [("expected", show(right)), ("got", got)]
    return Example(case.name, rows, outcome.printed)
