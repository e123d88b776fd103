"""Exercise 3.7: the second of three broken versions."""

# What is given and what is right share a name.
# pyright: reportRedeclaration=false

from array_api_compat import array_namespace

from attn_course.exercises.chapter03.attention import EXERCISE as ATTENTION
from attn_course.exercises.core import Exercise

EXERCISE = Exercise(
    id="3.7",
    title="Mend the second",
    statement="""\
`attention_b(query, key, value)` should do what 3.5 asks, for the same shapes.
Two things are wrong with it, and one of them shows only for some shapes. Mend
both.""",
    difficulty=2,
    minutes=10,
    hints=[
        "Check after the first repair: the checker names what is left.",
        "One mistake makes the weights too even, the more so the larger "
        "d_k is. The other divides some weights by the sum of another row.",
        "`exps.sum(-1)` has no axis left for n_k. Against which axis of "
        "`exps` does it broadcast?",
    ],
    inputs=ATTENTION.inputs,
    forbids=ATTENTION.forbids,
    differentiable=True,
)


@EXERCISE.is_given
def attention_b(query, key, value):
    """Mix the values: two mistakes.

    query (..., n_q, d_k), key (..., n_k, d_k), value (..., n_k, d_v)
    → (..., n_q, d_v)
    """
    xp = array_namespace(query)
    scores = query @ key.swapaxes(-1, -2) / query.shape[-1]
    exps = xp.exp(scores - xp.max(scores, axis=-1, keepdims=True))
    weights = exps / exps.sum(-1)
    return weights @ value


given = attention_b


@EXERCISE.is_solution
def attention_b(query, key, value):
    """Mix the values, each query by its own weights.

    query (..., n_q, d_k), key (..., n_k, d_k), value (..., n_k, d_v)
    → (..., n_q, d_v)
    """
    xp = array_namespace(query)
    scores = query @ key.swapaxes(-1, -2) / query.shape[-1] ** 0.5
    exps = xp.exp(scores - xp.max(scores, axis=-1, keepdims=True))
    weights = exps / xp.sum(exps, axis=-1, keepdims=True)
    return weights @ value


EXERCISE.variants = [ATTENTION.reference, *ATTENTION.variants]
EXERCISE.wrong_answers = list(ATTENTION.wrong_answers)


@EXERCISE.is_wrong
def both_left(query, key, value):
    """Both mistakes are there: look at the scale, and at the sum."""
    return given(query, key, value)
