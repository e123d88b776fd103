"""Exercise 3.8: the third of three broken versions."""

# What is given and what is right share a name.
# pyright: reportRedeclaration=false

from array_api_compat import array_namespace

from attn_course.exercises.chapter03.attention import EXERCISE as ATTENTION
from attn_course.exercises.core import Exercise

EXERCISE = Exercise(
    id="3.8",
    title="Mend the third",
    statement="""\
`attention_c(query, key, value)` should do what 3.5 asks, for the same shapes.
Two things are wrong with it. One gives wrong numbers; the other gives right
ones and still does harm. Mend both.""",
    difficulty=2,
    minutes=10,
    hints=[
        "How long is the output, and how long is a value? Name what each of "
        "the three arrays is for, and where it is used.",
        "`x /= y` writes into `x`. Whose array is that?",
    ],
    inputs=ATTENTION.inputs,
    forbids=ATTENTION.forbids,
    differentiable=True,
)


@EXERCISE.is_given
def attention_c(query, key, value):
    """Mix the values: two mistakes.

    query (..., n_q, d_k), key (..., n_k, d_k), value (..., n_k, d_v)
    → (..., n_q, d_v)
    """
    xp = array_namespace(query)
    query /= query.shape[-1] ** 0.5
    scores = query @ key.swapaxes(-1, -2)
    exps = xp.exp(scores - xp.max(scores, axis=-1, keepdims=True))
    weights = exps / xp.sum(exps, axis=-1, keepdims=True)
    return weights @ key


given = attention_c


@EXERCISE.is_solution
def attention_c(query, key, value):
    """Mix the values, each query by its own weights.

    query (..., n_q, d_k), key (..., n_k, d_k), value (..., n_k, d_v)
    → (..., n_q, d_v)
    """
    xp = array_namespace(query)
    query = query / query.shape[-1] ** 0.5
    scores = query @ key.swapaxes(-1, -2)
    exps = xp.exp(scores - xp.max(scores, axis=-1, keepdims=True))
    weights = exps / xp.sum(exps, axis=-1, keepdims=True)
    return weights @ value


EXERCISE.variants = [ATTENTION.reference, *ATTENTION.variants]
EXERCISE.wrong_answers = list(ATTENTION.wrong_answers)


@EXERCISE.is_wrong
def both_left(query, key, value):
    """You mix the keys, and `/=` writes into the query: both are there."""
    return given(query, key, value)


EXERCISE.edits(
    """
query_written_into: You mix the values now, but `/=` still writes into the
        query.
    query = query / query → query /= query
"""
)
