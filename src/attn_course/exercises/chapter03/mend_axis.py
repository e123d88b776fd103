"""Exercise 3.6: the first of three broken versions."""

# What is given and what is right share a name.
# pyright: reportRedeclaration=false

from array_api_compat import array_namespace

from attn_course.exercises.chapter03.attention import EXERCISE as ATTENTION
from attn_course.exercises.core import Exercise

EXERCISE = Exercise(
    id="3.6",
    title="Mend the first",
    statement="""\
`attention_a(query, key, value)` should do what 3.5 asks, for the same shapes,
and it runs without an error. One thing is wrong with it. Mend it.""",
    difficulty=1,
    minutes=5,
    hints=[
        "Let the values be `np.eye(n_k)`: then the output is the weights. "
        "What is the sum of each row?",
        "Shapes beside the lines: `exps` is (..., n_q, n_k). Along which of "
        "the two does each line go?",
    ],
    inputs=ATTENTION.inputs,
    forbids=ATTENTION.forbids,
    differentiable=True,
)


@EXERCISE.is_given
def attention_a(query, key, value):
    """Mix the values: one mistake.

    query (..., n_q, d_k), key (..., n_k, d_k), value (..., n_k, d_v)
    → (..., n_q, d_v)
    """
    xp = array_namespace(query)
    scores = query @ key.swapaxes(-1, -2) / query.shape[-1] ** 0.5
    exps = xp.exp(scores - xp.max(scores, axis=-2, keepdims=True))
    weights = exps / xp.sum(exps, axis=-2, keepdims=True)
    return weights @ value


given = attention_a


@EXERCISE.is_solution
def attention_a(query, key, value):
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
EXERCISE.edits(
    """
only_the_sum_mended: Mended in the sum, not in the maximum: it is along the
        queries.
    xp.max(scores, axis=-1 → xp.max(scores, axis=-2
only_the_maximum_mended: Mended in the maximum, not in the sum: it is along
        the queries.
    xp.sum(exps, axis=-1 → xp.sum(exps, axis=-2
"""
)
