"""Every exercise against its own answers, right and wrong.

The tests run over all exercises there are: adding one adds its tests.
"""

import ast
import doctest
import inspect
import re
import subprocess
import sys
import threading
import time
from html.parser import HTMLParser
from pathlib import Path

import nbformat
import numpy as np
import pytest
from array_api_compat import array_namespace
from nbclient import NotebookClient

from attn_course import exercises, functional
from attn_course.exercises import cases, checking, exercise, exercise_ids
from attn_course.exercises.core import DIFFICULTY
from attn_course.exercises.limits import KEPT, call
from attn_course.exercises.quest import Quest

ROOT = Path(__file__).parents[2]
EVERY = [exercise(id) for id in exercise_ids()]
EXERCISES = [ex for ex in EVERY if not isinstance(ex, Quest)]
QUESTS = [ex for ex in EVERY if isinstance(ex, Quest)]
IDS = [ex.id for ex in EXERCISES]
# What the statements let an answer call.
NAMES = {"np": np, "array_namespace": array_namespace}

each = pytest.mark.parametrize("ex", EXERCISES, ids=IDS)
each_quest = pytest.mark.parametrize("ex", QUESTS, ids=lambda ex: ex.id)
each_of_both = pytest.mark.parametrize("ex", EVERY, ids=lambda ex: ex.id)
each_right = pytest.mark.parametrize(
    ("ex", "right"),
    [(ex, f) for ex in EXERCISES for f in [ex.reference, *ex.variants]],
    ids=lambda x: getattr(x, "id", None) or x.__name__,
)
each_wrong = pytest.mark.parametrize(
    ("ex", "wrong"),
    [(ex, f) for ex in EXERCISES for f in ex.wrong_answers],
    ids=lambda x: getattr(x, "id", None) or x.__name__,
)


def answer(ex, body, **names):
    """Write an answer with the exercise's own parameters."""
    parameters = ", ".join(ex.parameters)
    lines = "\n    ".join(body.splitlines())
    code = f"def answer({parameters}):\n    {lines}\n"
    namespace = {**NAMES, "right": ex.reference, **names}
    exec(compile(code, "answer.py", "exec"), namespace)
    return namespace["answer"]


# Finding them


def test_the_example_runs():
    result = doctest.testmod(exercises)
    assert result.attempted
    assert not result.failed


def test_an_unknown_exercise_is_told_with_those_there_are():
    for id in ("9.99", "3", 3.1):
        with pytest.raises(ValueError, match=r"3\.1, 3\.2.*got"):
            exercise(id)


def test_ids_are_in_the_order_of_the_course():
    ids = exercise_ids()
    assert ids[ids.index("3.9") :][:4] == ["3.9", "3.10", "3.11", "3.12"]
    assert sorted(ids, key=lambda id: [*map(int, id.split("."))]) == ids


def test_each_function_has_a_name_of_its_own():
    """By its name an answer is kept, and found again."""
    names = [ex.reference.__name__ for ex in EXERCISES]
    assert len(set(names)) == len(names)


def test_importing_the_exercises_loads_nothing_heavy():
    code = (
        "import sys; from attn_course.exercises import exercise; "
        "exercise('3.3'); "
        "sys.exit(any(m in sys.modules for m in "
        "['torch', 'matplotlib', 'anywidget', 'IPython']))"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True)


# What an exercise must have


@each
def test_it_says_what_to_do_how_hard_it_is_and_how_long_it_takes(ex):
    assert ex.title
    assert ex.difficulty in DIFFICULTY
    assert 1 <= ex.minutes <= 60
    assert f"`{ex.reference.__name__}(" in ex.statement
    for name in ex.parameters:
        assert name in ex.statement
    assert max(map(len, ex.statement.splitlines())) <= 79
    assert ex.reference.__doc__.count("(") >= len(ex.parameters) / 2


@each
def test_hints_are_several_and_do_not_give_the_solution_away(ex):
    assert len(ex.hints) >= 2
    function = ast.parse(ex.solution().code).body[0]
    lines = [ast.unparse(line) for line in function.body[1:]]
    for hint in ex.hints:
        for line in lines:
            assert line not in hint
            assert line.split(" = ")[-1] not in hint


@each_of_both
def test_hints_come_one_by_one_and_then_say_that_there_are_no_more(ex):
    ex = ex.fresh()
    for i, hint in enumerate(ex.hints, 1):
        note = ex.hint()
        assert f"Hint {i} of {len(ex.hints)}" in repr(note)
        assert hint in repr(note)
    assert "No more hints" in repr(ex.hint())
    assert "No more hints" in repr(ex.hint())
    assert "Hint 1 " in repr(exercise(ex.id).hint())


@each
def test_the_solution_shown_is_the_code_that_runs(ex):
    shown = ex.solution().code
    assert shown in inspect.getsource(ex.reference)
    namespace = dict(NAMES)
    exec(shown, namespace)
    assert ex.check(namespace[ex.reference.__name__]).passed
    assert shown in repr(ex.solution())


@each
def test_the_stub_is_not_tried_yet(ex):
    namespace = dict(NAMES)
    exec(ex.stub, namespace)
    result = ex.check(namespace[ex.reference.__name__])
    assert result.mistake == "not_tried"
    assert repr(result) == "○ Not tried yet."
    # With a call of `check` it fits a cell.
    assert len(ex.stub.splitlines()) <= 13


@each
def test_the_inputs_are_many_awkward_and_the_same_each_time(ex):
    cases = ex.cases()
    assert len(cases) >= 12
    assert len({case.name for case in cases}) == len(cases)
    sizes = [case.size for case in cases]
    assert sizes == sorted(sizes)
    assert sizes[0] <= 20
    for case, again in zip(cases, ex.cases(), strict=True):
        for x, y in zip(case.arguments, again.arguments, strict=True):
            np.testing.assert_array_equal(x, y)


@each
def test_the_reference_is_finite_unless_something_sees_nan(ex):
    outcomes = checking.outcomes(ex, ex.reference)
    for case, outcome in zip(ex.cases(), outcomes, strict=True):
        if all(np.isfinite(x).all() for x in case.floats):
            assert outcome.is_finite
        assert np.isfinite(outcome.value).any()


# Inputs by kind: what a signature or a solution speaks of must be tried.
# Of these, more is promised than a shape tells.
LEAST = {
    # a previous token needs two, and so does somebody else who looks at it
    ("5.2", "n"): 2,
    # one token must have come before
    ("6.3", "n"): 2,
    # a cache may be empty
    ("7.2", "n"): 0,
    # numbers are turned in pairs
    ("9.1", "d"): 2,
}
# In seconds of arc and in microseconds numbers leave the range of float16.
NO_HALF = {"1.1", "1.2"}
# What is hidden is a token, whose NaN would come back with its value.
FINITE = {"6.2"}
# What is right in some exercises.
RIGHT = {
    ("6.2", "hidden: −inf added"),  # all that is hidden is finite
    ("4.2", "is"),  # words are numbered from 0, and are few
    ("8.3", "squeezed"),  # the result is a pair
    # a single row has no other
    ("3.3", "its own"),
    ("3.4", "its own"),
    # whole numbers times or less whole numbers are whole
    ("6.1", "in the input's dtype"),
    ("6.4", "in the input's dtype"),
}


def shapes(ex):
    """Read `name (..., n, d)` of arrays from the solution's docstring."""
    given = ex.reference.__doc__.split("\n\n", 1)[-1].split("→")[0]
    found = {}
    for names, shape in re.findall(r"([\w ,]+?) \(([^)]*)\)", given):
        axes = [axis.strip() for axis in shape.removesuffix(",").split(",")]
        for name in re.findall(r"\w+", names):
            if name in ex.parameters and isinstance(
                arguments(ex, name)[0], np.ndarray
            ):
                found[name] = axes
    return found


def arguments(ex, name):
    """Give what each case hands over as this parameter."""
    place = ex.parameters.index(name)
    return [case.arguments[place] for case in ex.cases()]


@each
def test_each_axis_is_1_in_one_case_and_more_in_another(ex):
    for name, axes in shapes(ex).items():
        for i, axis in enumerate(axes):
            if not axis.isidentifier():
                continue
            lengths = {
                x.shape[i - len(axes)]
                for x in arguments(ex, name)
                if x.ndim >= len(axes) - i  # else it broadcasts
            }
            assert min(lengths) == LEAST.get((ex.id, axis), 1), axis
            assert len(lengths) > 2, axis


@each
def test_batch_axes_are_none_one_two_and_of_length_1(ex):
    for name, axes in shapes(ex).items():
        if axes[0] == "...":
            batches = [
                x.shape[: max(x.ndim + 1 - len(axes), 0)]
                for x in arguments(ex, name)
            ]
            least = 1 if axes == ["..."] else 0
            assert {len(batch) for batch in batches} >= {least, 1, 2}
            assert any(1 in batch for batch in batches)


@each
def test_numbers_are_of_every_dtype_and_whole_ones_too(ex):
    everywhere = set()
    for name in shapes(ex):
        dtypes = {str(x.dtype) for x in arguments(ex, name)}
        everywhere |= dtypes
        if "float64" in dtypes:
            assert dtypes >= {"float32", "int64"}
    assert ("float16" in everywhere) == (ex.id not in NO_HALF)


@each
def test_what_is_hidden_holds_whatever_may_stand_there(ex):
    hides = Mutation(hiding)
    hides.visit(ast.parse(ex.solution().code))
    if not hides.count and "mask" not in ex.parameters:
        return
    given = [
        np.asarray(x, float).ravel()
        for case in ex.cases()
        for x in case.floats
    ]
    numbers = np.concatenate(given)
    if ex.id not in FINITE:
        assert np.isnan(numbers).any()
        assert {np.inf, -np.inf} <= set(numbers)
    finite = numbers[np.isfinite(numbers)]
    assert finite.max() >= 1e10
    assert finite.min() <= -1e10


def test_queries_and_keys_have_the_scores_that_were_asked_for():
    for scores in [*cases.steep().values(), cases.steep_batch()]:
        query, key = cases.query_key(scores)
        got = query @ np.swapaxes(key, -1, -2) / np.sqrt(key.shape[-1])
        np.testing.assert_array_equal(got, scores)


def test_what_is_unseen_is_written_into_copies():
    given = np.ones((2, 3)), 7
    made = cases.unseen("a column", given, {0: np.s_[:, 1]})
    assert [case.name for case in made[:2]] == [
        *("a column of NaN", "a column of inf"),
    ]
    for case, number in zip(made, cases.NUMBERS.values(), strict=True):
        row = np.array([1.0, number, 1.0])
        np.testing.assert_array_equal(case.arguments[0], [row, row])
        assert case.arguments[1] == 7
    np.testing.assert_array_equal(given[0], np.ones((2, 3)))


# What learners write in place of a row's largest score.
SHIFTS = {
    "the smallest": lambda x, **k: x.min(**k),
    "the first": lambda x, **k: x[..., :1],
    "the last": lambda x, **k: x[..., -1:],
    "the first or the last": lambda x, **k: np.maximum(
        x[..., :1], x[..., -1:]
    ),
    "the mean": lambda x, **k: x.mean(**k),
    "the median": lambda x, **k: np.median(x, **k),
    "half the largest": lambda x, **k: x.max(**k) / 2,
    "the largest absolute": lambda x, **k: np.abs(x).max(**k),
    "the largest or 0": lambda x, **k: x.max(initial=0, **k),
    "the largest of all": lambda x, **k: np.full_like(x, x.max()),
    "the largest of the matrix": lambda x, **k: x.max((-2, -1), keepdims=True),
    "the largest of a column": lambda x, **k: x.max(axis=-2, keepdims=True),
    "its own": lambda x, **k: (
        np.diagonal(x, 0, -2, -1)[..., None]
        if x.ndim > 1 and x.shape[-1] == x.shape[-2]
        else x.max(**k)
    ),
    "another row's": lambda x, **k: np.roll(x.max(**k), 1, axis=-2),
    "the first row's": lambda x, **k: x.max(**k)[..., :1, :],
    "nothing": lambda x, **k: 0.0,
    "700": lambda x, **k: 700.0,
}
BATCH_SHIFTS = {
    "the largest over the batch": lambda x, **k: x.max(
        axis=(*range(x.ndim - 2), -1), keepdims=True
    ),
    "the largest of the first in the batch": lambda x, **k: x.max(**k)[:1],
}
# What they hide a score with, or how they do it.
HIDDEN = {
    **{f"{x:g}": f"np.where(seen, x, {x})" for x in (0, -1, -100, -1e4, -1e9)},
    **{
        f"{x:g} added": f"x + np.where(seen, 0, {x})"
        for x in (-100, -1e4, -1e9)
    },
    "−inf added": "x + np.where(seen, 0, -np.inf)",
    "the lower triangle": "x * seen",
    "what is 0": "np.where(x * seen == 0, -np.inf, x)",
    "−inf times 0": "x - np.inf * (1 - seen)",
}
TANH = {
    "tanh by hand": lambda _, x: (
        (np.exp(x) - np.exp(-x)) / (np.exp(x) + np.exp(-x))
    ),
    "tanh as a ratio": lambda _, x: (np.exp(2 * x) - 1) / (np.exp(2 * x) + 1),
    "tanh as another": lambda _, x: (
        (1 - np.exp(-2 * x)) / (1 + np.exp(-2 * x))
    ),
}
TIES = {
    "the last": lambda x, axis=-1: (
        x.shape[axis] - 1 - np.flip(x, axis).argmax(axis)
    ),
}


class Mutation(ast.NodeTransformer):
    """Replaces what `which` finds by a call of `mutant`; counts them."""

    def __init__(self, which):
        self.which, self.count = which, 0

    def visit_Call(self, node):
        self.generic_visit(node)
        found = self.which(node)
        if found is None:
            return node
        self.count += 1
        name = ast.Name("mutant", ast.Load())
        return ast.Call(name, found, getattr(node, "keywords", []))

    visit_Compare = visit_Call


def method(name):
    """Find `x.name(...)` and `xp.name(x, ...)`."""

    def which(node):
        function = getattr(node, "func", None)
        if isinstance(function, ast.Attribute) and function.attr == name:
            owner = node.func.value
            is_library = isinstance(owner, ast.Name) and owner.id == "xp"
            return [*([] if is_library else [owner]), *node.args]
        return None

    return which


def equal(node):
    """Find `x == y`."""
    if isinstance(node, ast.Compare) and isinstance(node.ops[0], ast.Eq):
        return [node.left, *node.comparators]
    return None


def hiding(node):
    """Find `np.where(seen, x, -np.inf)`."""
    if ast.unparse(node).startswith("np.where("):
        seen, x, instead = node.args
        if ast.unparse(instead) == "-np.inf":
            return [seen, x]
    return None


def mutants(ex):
    """Change the solution as learners do: a name and a function each."""
    source = ex.solution().code
    families = [
        (method("max"), SHIFTS),
        (method("max"), BATCH_SHIFTS if "..." in str(shapes(ex)) else {}),
        (method("argmax"), TIES),
        (method("tanh"), TANH),
        (equal, {"is": lambda x, y: x is y}),
    ]
    hidden = {
        f"hidden: {name}": eval(f"lambda seen, x: {code}", {"np": np})
        for name, code in HIDDEN.items()
    }
    for which, family in [*families, (hiding, hidden)]:
        mutation = Mutation(which)
        tree = ast.fix_missing_locations(mutation.visit(ast.parse(source)))
        if mutation.count:
            code = compile(tree, "mutant.py", "exec")
            for name, mutant in family.items():
                namespace = {**NAMES, "mutant": mutant}
                exec(code, namespace)
                yield name, namespace[ex.reference.__name__]


def wrapped(ex):
    """Change what the solution gives: a name and a function each."""
    axes = next(iter(shapes(ex).values()), [])

    def in_the_inputs_dtype(*arguments):
        result = ex.reference(*arguments)
        return result.astype(np.asarray(arguments[0]).dtype)

    def first_of_the_batch(*arguments):
        result = ex.reference(*arguments)
        batch = arguments[0].ndim + 1 - len(axes)
        result[...] = result[(0,) * batch]
        return result

    yield "squeezed", lambda *arguments: ex.reference(*arguments).squeeze()
    yield "in the input's dtype", in_the_inputs_dtype
    if "..." in axes:
        yield "the first of the batch", first_of_the_batch


@each
def test_changed_solutions_are_refused(ex, monkeypatch):
    # Here it does not matter by which name, which takes the time.
    monkeypatch.setattr(checking, "_named", lambda *_: None)
    changed = [*mutants(ex), *wrapped(ex)]
    accepted = {
        (ex.id, name) for name, mutant in changed if ex.check(mutant).passed
    }
    assert accepted == {name for name in RIGHT if name[0] == ex.id}


@each
def test_the_solution_states_the_shape_of_every_array(ex):
    first = zip(ex.parameters, ex.cases()[0].arguments, strict=True)
    arrays = {name for name, x in first if isinstance(x, np.ndarray)}
    assert arrays == set(shapes(ex))


@each
def test_statement_and_stub_stand_in_the_notebook_as_they_are_here(ex):
    (path,) = (ROOT / "notebooks").glob(f"0{ex.id[0]}-*.ipynb")
    cells = nbformat.read(path, as_version=4).cells
    text = "\n".join(cell.source for cell in cells)
    assert f"*{ex.level}.*\n\n{ex.statement}\n" in text
    assert f"{ex.stub}\n" in text


# Right and wrong answers


@each
def test_there_are_several_right_and_many_wrong_answers(ex):
    assert len(ex.variants) >= 2
    assert len(ex.wrong_answers) >= 10
    names = [wrong.__name__ for wrong in ex.wrong_answers]
    assert len(set(names)) == len(names)
    sentences = {wrong.__doc__ for wrong in ex.wrong_answers}
    assert len(sentences) == len(names)


@each_right
def test_right_answers_pass(ex, right):
    result = ex.check(right)
    assert result.passed, result
    assert result.mistake is None
    assert repr(result).startswith("✓ Right.")


@each_wrong
def test_wrong_answers_are_rejected_by_name(ex, wrong):
    result = ex.check(wrong)
    assert not result.passed
    assert result.mistake == wrong.__name__
    assert inspect.cleandoc(wrong.__doc__) in result.message
    assert result.message in repr(result)
    assert "expected" in repr(result)


@each_wrong
def test_no_two_wrong_answers_are_alike(ex, wrong):
    cases, outcomes = ex.cases(), checking.outcomes(ex, wrong)
    everywhere = list(range(len(cases)))
    assert checking.matches(ex, cases, outcomes, everywhere) == [wrong]


def test_a_function_that_the_statement_forbids_is_told():
    def softmax(scores):
        xp = array_namespace(scores)
        exps = xp.exp(scores - xp.max(scores, axis=-1, keepdims=True))
        return exps / xp.sum(exps, axis=-1, keepdims=True)

    def with_my_answer(query, key, value):
        scores = query @ key.swapaxes(-1, -2) / query.shape[-1] ** 0.5
        return softmax(scores) @ value

    def with_the_course(query, key, value):
        return functional.attention(1.0 * query, 1.0 * key, 1.0 * value)

    assert exercise("3.2").check(softmax).passed
    assert exercise("3.5").check(with_my_answer).passed
    for forbidden in (with_the_course, functional.attention):
        result = exercise("3.5").check(forbidden)
        assert result.mistake == "forbidden", result
        assert "attention" in result.message


def test_the_mistakes_that_the_course_promises_to_name_are_there():
    weights = {wrong.__name__ for wrong in exercise("3.3").wrong_answers}
    assert weights >= {
        "cosine",
        "divided_by_d",
        "divided_by_root_n_k",
        "hard_argmax",
        "no_maximum_subtracted",
        "not_scaled",
        "scaled_after_softmax",
    }
    full = {wrong.__name__ for wrong in exercise("3.5").wrong_answers}
    assert full >= {
        "keys_as_values",
        "sigmoid",
        "softmax_over_everything",
        "softmax_over_queries",
        "two_dimensional_only",
    }


def test_the_first_of_two_mistakes_has_a_name():
    def answer(query, key):
        exps = np.exp(key @ query)
        return exps / exps.sum()

    result = exercise("3.3").check(answer)
    assert result.mistake == "not_scaled"
    assert "not the only mistake" in result.message


# What is to be mended


def mended(ex, *changes):
    """Change the code that is given."""
    source = ex.stub
    for before, after in changes:
        assert before in source
        source = source.replace(before, after)
    namespace = dict(NAMES)
    exec(source, namespace)
    return ex.check(namespace[ex.reference.__name__])


BOTH = [
    ("3.7", ("query.shape[-1]", "query.shape[-1] ** 0.5"),
     ("exps.sum(-1)", "exps.sum(-1)[..., None]"),
     ("sum_without_keepdims", "divided_by_d")),
    ("3.8", ("query /= query.shape", "query = query / query.shape"),
     ("weights @ key", "weights @ value"),
     ("keys_as_values", "query_written_into")),
]  # fmt: skip


@pytest.mark.parametrize(("id", "one", "two", "left"), BOTH)
def test_what_is_left_to_mend_is_named(id, one, two, left):
    ex = exercise(id)
    assert mended(ex, one).mistake == left[0]
    assert mended(ex, two).mistake == left[1]
    assert mended(ex, one, two).passed


def test_what_is_given_and_no_more_is_not_tried():
    ex = exercise("3.6")
    assert mended(ex, ("one mistake", "a mistake")).mistake != "not_tried"
    assert mended(ex, ("axis=-2", "axis=-1")).passed


# What is no function


@each_quest
def test_a_quest_says_what_to_do_and_stands_in_its_notebook(ex):
    (path,) = (ROOT / "notebooks").glob(f"0{ex.id[0]}-*.ipynb")
    cells = nbformat.read(path, as_version=4).cells
    text = "\n".join(cell.source for cell in cells)
    assert f"*{ex.level}.*\n\n{ex.statement}\n" in text
    assert f"ex.check({ex.checked})" in text
    assert max(map(len, ex.statement.splitlines())) <= 79
    assert len(ex.hints) >= 2
    assert ex.solution().code in inspect.getsource(ex.reference)
    assert f"check({ex.checked})" in repr(ex)


@each_quest
def test_a_quest_takes_right_answers(ex):
    assert ex.variants
    for right in (ex.reference, *ex.variants):
        result = ex.check(*right())
        assert result.passed, result


@each_quest
def test_a_quest_names_every_mistake_of_its_judge(ex):
    for wrong in ex.wrong_answers:
        result = ex.check(*wrong())
        assert result.mistake == wrong.__name__, result
        assert result.state == "failed"
    module = inspect.getsource(sys.modules[ex.judge.__module__])
    calls = [n for n in ast.walk(ast.parse(module)) if is_naming(n)]
    named = {node.args[0].value for node in calls}
    assert named <= {wrong.__name__ for wrong in ex.wrong_answers}


def is_naming(node):
    """Find `wrong("name", …)`."""
    return (
        isinstance(node, ast.Call)
        and getattr(node.func, "id", "") == "wrong"
        and isinstance(node.args[0], ast.Constant)
    )


@each_quest
def test_a_quest_that_is_not_tried_or_unreadable_is_told(ex):
    n = len(ex.reference())
    assert ex.check(*[...] * n).mistake == "not_tried"
    for odd in (None, "text", {}, object(), [[1], [2, 3]]):
        result = ex.check(*[odd] * n)
        assert not result.passed
        assert "<" not in result._repr_html_().replace("<div", "").replace(
            "<p>", ""
        ).replace("<strong>", "").replace("<code>", "").replace("</", "")


# Answers that are no answers


@each
@pytest.mark.parametrize(
    "body",
    [
        "pass",
        "return None",
        "return ...",
        "raise NotImplementedError",
        "'''Do it later.'''",
    ],
)
def test_an_empty_answer_is_not_tried_yet(ex, body):
    result = ex.check(answer(ex, body))
    assert result.mistake == "not_tried"
    assert result.state == "untried"


@each
def test_a_missing_return_is_told(ex):
    result = ex.check(answer(ex, f"x = 2 * {ex.parameters[0]}"))
    assert result.mistake == "returns_nothing"
    assert "return" in result.message


@each
@pytest.mark.parametrize(
    ("change", "mistake", "words"),
    [
        (lambda x: x * np.nan, "not_finite", "NaN"),
        (lambda x: x.tolist(), "wrong_type", "list"),
        (lambda x: (x,), "wrong_type", "tuple"),
        (lambda x: "text", "wrong_type", "str"),
        (lambda x: x[None, None], "wrong_shape", "should have shape"),
        (lambda x: x.astype(complex), "wrong_dtype", "complex128"),
        (lambda x: x.astype(object), "wrong_dtype", "object"),
        (lambda x: x.astype(np.float16), "wrong_dtype", "float16"),
        (lambda x: x + 0.5, "wrong_values", "numbers are not"),
    ],
    ids=lambda x: x if isinstance(x, str) else "",
)
def test_other_mistakes_are_told_kindly(ex, change, mistake, words):
    body = f"return change(right({', '.join(ex.parameters)}))"
    result = ex.check(answer(ex, body, change=change))
    assert result.mistake == mistake
    assert "got" in result.example.text
    assert words in result.message


@each
def test_an_exception_is_shown_with_its_line(ex):
    def my_answer(*arguments):
        raise KeyError("a key of <b>mine</b>")  # this very line

    result = ex.check(my_answer)
    assert result.mistake == "raises"
    assert "KeyError" in result.message
    assert 'raise KeyError("a key of' in result.message
    line = inspect.getsourcelines(my_answer)[1] + 1
    assert f"line {line}" in result.message
    assert "<b>" not in result._repr_html_()
    assert "&lt;b&gt;mine" in result._repr_html_()


@each
def test_an_endless_loop_is_ended(ex):
    start = time.monotonic()
    before = threading.active_count()
    result = ex.check(answer(ex, "while True:\n    pass"), seconds=0.2)
    assert result.mistake == "too_slow"
    assert "0.2 s" in result.message
    assert "restart" not in result.message
    assert time.monotonic() - start < 5
    assert threading.active_count() == before


@each
def test_a_function_that_changes_its_arguments_is_told_which(ex):
    first = ex.parameters[0]
    body = f"result = right({', '.join(ex.parameters)})\n{first} -= 1\n"
    result = ex.check(answer(ex, body + "return result"))
    assert result.mistake == "changes_arguments"
    assert f"`{first}`" in result.message
    assert ex.check(ex.reference).passed


@each
def test_what_is_no_function_is_told(ex):
    for x in (None, 3, ex.cases()[0].arguments[0]):
        result = ex.check(x)
        assert result.mistake == "not_a_function"
        assert f"check({ex.reference.__name__})" in result.message
    result = ex.check(lambda: None)
    assert result.mistake == "wrong_arguments"
    assert ex.parameters[-1] in result.message
    assert "takes ()" in result.message


@each
def test_what_a_function_prints_is_shown_for_the_example(ex, capsys):
    body = "print('looking at', np.pi)\nreturn np.zeros(7)"
    text = repr(ex.check(answer(ex, body)))
    assert text.count("looking at 3.14") == 1
    assert capsys.readouterr().out == ""


def test_what_can_not_be_shown_is_told_by_its_type():
    class Broken(Exception):
        def __repr__(self):
            raise RuntimeError

        __str__ = __repr__

    def fail(query, key):
        raise Broken

    for broken in (fail, lambda query, key: Broken()):
        result = exercise("3.3").check(broken)
        assert not result.passed
        assert "type Broken" in repr(result)
    result = exercise("3.3").check(lambda query, key: "x" * 999)
    assert len(repr(result)) < 800


# The time limit


def test_a_loop_that_catches_everything_is_ended():
    def loop():
        while True:
            try:
                [].pop()
            except:  # noqa: E722
                pass

    result = call(loop, (), 0.1)
    assert result.slow
    assert result.stopped


def test_a_loop_that_prints_keeps_its_start():
    def loop():
        while True:
            print("x" * 99)

    result = call(loop, (), 0.1)
    assert result.slow
    assert len(result.printed) == KEPT


def test_a_call_that_can_not_be_ended_is_told(monkeypatch):
    monkeypatch.setattr("attn_course.exercises.limits.PATIENCE", 0.1)

    def slow(query, key):
        time.sleep(1.5)

    result = exercise("3.3").check(slow, seconds=0.1)
    assert result.mistake == "too_slow"
    assert "restart the kernel" in result.message


def test_even_exit_and_deep_recursion_come_back():
    assert isinstance(call(sys.exit, (), 1).error, SystemExit)

    def deep():
        return deep()

    assert isinstance(call(deep, (), 5).error, RecursionError)


def test_without_threads_the_function_is_called_directly(monkeypatch):
    def refuse(self):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    assert exercise("3.3").check(exercise("3.3").reference).passed


# What learners see


class Outline(HTMLParser):
    """Reads HTML: which elements, which attributes, are all closed."""

    def __init__(self, text):
        super().__init__()
        self.names, self.attributes, self.open, self.text = [], [], [], ""
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.names.append(tag)
        self.attributes += [name for name, _ in attrs]
        self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


def shown(ex):
    hostile = answer(ex, "raise ValueError('</pre><script>1</script>')")
    return {
        "exercise": ex,
        "right": ex.check(ex.reference),
        "wrong": ex.check(ex.wrong_answers[0]),
        "hostile": ex.check(hostile),
        "untried": ex.check(answer(ex, "...")),
        "hint": ex.fresh().hint(),
        "solution": ex.solution(),
    }


@each
def test_the_html_is_plain_and_closed(ex):
    for x in shown(ex).values():
        outline = Outline(x._repr_html_())
        assert set(outline.names) <= {
            *("div", "p", "strong", "code", "pre", "details", "summary"),
        }
        assert set(outline.attributes) <= {
            *("class", "data-state", "role", "aria-label", "tabindex"),
        }
        assert x._repr_html_().startswith(
            '<div class="attn-exercise" data-state='
        )


@each_of_both
def test_hints_and_solution_are_folded_in_the_html(ex):
    outline = Outline(ex._repr_html_())
    assert outline.names.count("details") == len(ex.hints) + 1
    # What it is stands above: title, level and statement.
    assert ex.title not in outline.text
    assert f"Exercise {ex.id}: {ex.title}" in ex._repr_html_()
    assert ex.solution().code in outline.text


@each
def test_the_terminal_shows_the_statement(ex):
    assert ex.statement in repr(ex)
    assert DIFFICULTY[ex.difficulty] in repr(ex)
    assert f"check({ex.reference.__name__})" in repr(ex)


def test_a_kernel_stays_usable_after_an_endless_loop():
    cells = [
        "from attn_course.exercises import exercise\nex = exercise('3.3')\nex",
        "def loop(query, key):\n    while True:\n        pass\n\n"
        "ex.check(loop, seconds=0.5)",
        "def slip(query, key):\n    return query @ keys.T\n\nex.check(slip)",
        "ex.check(ex.reference)",
    ]
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(cell) for cell in cells]
    )
    NotebookClient(notebook, timeout=60, kernel_name="python3").execute()
    html = []
    for cell in notebook.cells:
        (output,) = cell.outputs
        html.append(output["data"]["text/html"])
    assert html[0].count("<details>") == 3
    assert "loop that never ends" in html[1]
    assert "(line 2: return query @ keys.T)" in html[2]
    assert "✓ Right." in html[3]
