"""Answers on torch tensors: what comes out, and what comes back."""

import subprocess
import sys

import numpy as np
import pytest
from array_api_compat import array_namespace

from attn_course.exercises import exercise, exercise_ids, gradients
from attn_course.exercises.quest import Quest

torch = pytest.importorskip("torch")
BOTH = [
    ex
    for ex in map(exercise, exercise_ids())
    if not isinstance(ex, Quest) and ex.differentiable
]
each = pytest.mark.parametrize("ex", BOTH, ids=lambda ex: ex.id)


def softmax_of(library, scores):
    shares = library.exp(scores - library.max(scores, axis=-1, keepdims=True))
    return shares / library.sum(shares, axis=-1, keepdims=True)


def right(scores):
    return softmax_of(array_namespace(scores), scores)


def is_tensor(x):
    return isinstance(x, torch.Tensor)


def with_numpy(scores):
    return softmax_of(np, scores)


def with_max_of_tensors(scores):
    xp = array_namespace(scores)
    shares = xp.exp(scores - scores.max(axis=-1, keepdims=True))
    return shares / shares.sum(axis=-1, keepdims=True)


def by_way_of_numpy(scores):
    if is_tensor(scores):
        scores = scores.detach().numpy()
    return right(scores)


def detached(scores):
    result = right(scores)
    return result.detach() if is_tensor(result) else result


def made_anew(scores):
    result = right(scores)
    if is_tensor(result):
        return torch.tensor(result.tolist(), dtype=result.dtype)
    return result


def cut_in_part(scores):
    xp = array_namespace(scores)
    shares = xp.exp(scores - xp.max(scores, axis=-1, keepdims=True))
    total = xp.sum(shares, axis=-1, keepdims=True)
    return shares / (total.detach() if is_tensor(total) else total)


def widened(scores):
    result = right(scores)
    return result.double() if is_tensor(result) else result


def of_another_shape(scores):
    result = right(scores)
    return result[None] if is_tensor(result) else result


def other_numbers(scores):
    result = right(scores)
    return 2 * result if is_tensor(result) else result


def only_arrays(scores):
    if is_tensor(scores):
        raise ValueError("no tensors, please")
    return right(scores)


def endless_for_tensors(scores):
    while is_tensor(scores):
        pass
    return right(scores)


@pytest.mark.parametrize(
    ("answer", "mistake", "words"),
    [
        (with_numpy, "numpy_on_tensor", "xp = array_namespace"),
        (with_max_of_tensors, "two_results_of_max", "two things"),
        (by_way_of_numpy, "not_a_tensor", "returned ndarray"),
        (detached, "gradient_stops", "`scores`"),
        (made_anew, "gradient_stops", "`scores`"),
        (cut_in_part, "gradient_in_part", "gradients are not"),
        (widened, "other_dtype", "torch.float32"),
        (of_another_shape, "other_shape", "should have shape"),
        (other_numbers, "other_values", "numbers are others"),
        (only_arrays, "raises_on_tensors", "no tensors, please"),
        (endless_for_tensors, "too_slow", "in time"),
    ],
    ids=lambda x: getattr(x, "__name__", ""),
)
def test_what_is_wrong_with_tensors_alone_has_a_name(answer, mistake, words):
    result = exercise("3.2").check(answer, seconds=2.0)
    assert result.mistake == mistake, result
    assert result.message.startswith("Right with NumPy.")
    assert words in result.message


def test_the_line_that_breaks_the_gradient_is_shown():
    result = exercise("3.2").check(with_numpy)
    assert "library.max(scores" in result.message


def test_the_arguments_without_a_gradient_are_named():
    def answer(query, key, value):
        if is_tensor(key):
            key, value = key.detach(), value.detach()
        return exercise("3.5").reference(query, key, value)

    result = exercise("3.5").check(answer)
    assert result.mistake == "gradient_stops"
    assert "`key` and `value`" in result.message


@each
def test_a_right_answer_is_told_to_be_right_on_tensors_too(ex):
    assert "torch tensors" in ex.check(ex.reference).message


@each
def test_the_references_gradients_are_those_of_small_steps(ex):
    case = next(c for c in ex.cases() if c.name == "lengths that grow")
    given = tuple(torch.tensor(x, requires_grad=True) for x in case.arguments)
    assert torch.autograd.gradcheck(ex.reference, given)


@each
def test_without_torch_it_says_what_was_not_checked(ex, monkeypatch):
    monkeypatch.setattr("attn_course.exercises.checking.has_torch", bool)
    result = ex.check(ex.reference)
    assert result.passed
    assert "torch is not installed" in result.message


def test_a_torch_that_is_missing_is_none():
    code = (
        "import sys; sys.modules['torch'] = None\n"
        "from attn_course.exercises import exercise\n"
        "ex = exercise('3.2')\n"
        "assert 'not installed' in ex.check(ex.reference).message"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True)
    assert gradients.has_torch()
