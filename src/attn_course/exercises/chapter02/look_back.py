"""Exercise 2.2: one look back, as Bahdanau's decoder takes it."""

import numpy as np

from attn_course.exercises.cases import (
    Case,
    normal,
    sized,
    steep,
    steep_batch,
)
from attn_course.exercises.core import Exercise
from attn_course.exercises.parts import softmax
from attn_course.functional import additive_weights


def inputs(rng: np.random.Generator) -> list[Case]:
    """Give a state, annotations and the three learned arrays."""
    state, annotations, w, u, v = _draw(rng, (), 3, 2, 4, 3)
    return [
        *sized(rng, _draw),
        *[Case(name, _scored(scores)) for name, scores in steep().items()],
        Case("scores far apart in a batch", _scored(steep_batch())),
        Case("large annotations", (state, 1e4 * annotations, w, u, v)),
        Case("a large state", (1e10 * state, annotations, w, u, v)),
        Case("equal words", (state, np.ones_like(annotations), w, u, v)),
        Case("a state of zeros", (0 * state, annotations, w, u, v)),
    ]


def _draw(rng, batch, n_in, d_s, d_h, d_a):
    """Draw all arrays."""
    shapes = [(*batch, d_s), (*batch, n_in, d_h), (d_a, d_s), (d_a, d_h)]
    return [normal(rng, *shape) for shape in [*shapes, (d_a,)]]


def _scored(scores):
    """Give arguments whose words have these scores, (..., n_in)."""
    size = scores.size  # a hidden unit for each word, which tanh makes 1
    annotations = 20.0 * np.eye(size).reshape(*scores.shape, size)
    state, w = np.zeros((*scores.shape[:-1], 1)), np.zeros((size, 1))
    return state, annotations, w, np.eye(size), scores.ravel()


EXERCISE = Exercise(
    id="2.2",
    title="Look back",
    statement="""\
Write `look_back(state, annotations, w, u, v)`: the context vector that the
decoder of Bahdanau and colleagues (2015) reads before it writes a word.

- `state` s is `(..., d_s)`. The `annotations` h_1 … h_n of the words read are
  `(..., n_in, d_h)`. `w` is `(d_a, d_s)`, `u` is `(d_a, d_h)`, `v` `(d_a,)`.
- Word j's score is v · tanh(W s + U h_j). A softmax over the words makes
  weights of the scores; the context is the annotations' weighted sum.
- Return the context, `(..., d_h)`. A score may be 1000.""",
    difficulty=2,
    minutes=15,
    hints=[
        "Three steps: scores `(..., n_in)`, weights `(..., n_in)`, context "
        "`(..., d_h)`. Write the shape beside each line.",
        "W s belongs to no word. `[..., None, :]` gives it an axis that "
        "broadcasts over the words.",
        "To multiply each annotation by its weight, the weights need a last "
        "axis; then sum over the words, which are axis −2.",
    ],
    inputs=inputs,
)


@EXERCISE.is_solution
def look_back(state, annotations, w, u, v):
    """Mix the annotations by how well each fits the state.

    state (..., d_s), annotations (..., n_in, d_h), w (d_a, d_s),
    u (d_a, d_h), v (d_a,) → (..., d_h)
    """
    asked = (state @ w.T)[..., None, :]  # (..., 1, d_a)
    offered = annotations @ u.T  # (..., n_in, d_a)
    scores = np.tanh(asked + offered) @ v  # (..., n_in)
    exps = np.exp(scores - scores.max(axis=-1, keepdims=True))
    weights = exps / exps.sum(axis=-1, keepdims=True)  # (..., n_in)
    return (weights[..., None] * annotations).sum(axis=-2)


# Right in other words


@EXERCISE.is_right
def with_einsum(state, annotations, w, u, v):
    """Let einsum find the axes."""
    asked = np.einsum("...s,as->...a", state, w)
    offered = np.einsum("...nh,ah->...na", annotations, u)
    scores = np.einsum(
        "...na,a->...n", np.tanh(asked[..., None, :] + offered), v
    )
    return np.einsum("...n,...nh->...h", softmax(scores), annotations)


@EXERCISE.is_right
def with_loops(state, annotations, w, u, v):
    """One word at a time."""
    context = np.zeros(annotations[..., 0, :].shape)
    for place in np.ndindex(state.shape[:-1]):
        words = annotations[place]
        scores = np.array(
            [v @ np.tanh(w @ state[place] + u @ h) for h in words]
        )
        for weight, h in zip(softmax(scores), words, strict=True):
            context[place] += weight * h
    return context


@EXERCISE.is_right
def with_the_courses_function(state, annotations, w, u, v):
    """Ask with one query; it takes floats alone."""
    arrays = state[..., None, :], annotations, w.T, u.T, v
    weights = additive_weights(*(1.0 * x for x in arrays))
    return (weights @ annotations)[..., 0, :]


# Scored wrongly

EXERCISE.edits(
    """
no_tanh: You left out the tanh: the state then cancels in the softmax.
    np.tanh(asked + offered) → (asked + offered)
no_v: You summed the numbers after the tanh: weigh them with v.
    np.tanh(asked + offered) @ v → np.tanh(asked + offered).sum(axis=-1)
tanh_last: You took the tanh of the score: it belongs inside, before v.
    np.tanh(asked + offered) @ v → np.tanh((asked + offered) @ v)
state_left_out: You left the state out of the scores: add W s before the tanh.
    asked + offered → offered
scaled: You divided by √d_a: additive scores are not scaled.
    (asked + offered) @ v → (asked + offered) @ v / np.sqrt(len(v))
relu: You used a ReLU: Bahdanau's score has a tanh.
    np.tanh(asked + offered) → np.maximum(asked + offered, 0)
not_transposed: W and U are (d_a, d): multiply by their transposes from the
        right.
    state @ w.T → state @ w
    annotations @ u.T → annotations @ u
no_new_axis: Right without batch axes: W s needs an axis before its last.
    (state @ w.T)[..., None, :] → state @ w.T
    """
)


@EXERCISE.is_wrong
def tanh_by_hand(state, annotations, w, u, v):
    """Your exponentials overflow, and inf/inf is NaN: take `np.tanh`."""
    both = (state @ w.T)[..., None, :] + annotations @ u.T
    up, down = np.exp(both), np.exp(-both)
    weights = softmax((up - down) / (up + down) @ v)
    return (weights[..., None] * annotations).sum(axis=-2)


# Weighed wrongly

EXERCISE.edits(
    """
nosoftmax: You weighed with the scores themselves: the softmax is missing.
    exps / exps.sum(axis=-1, keepdims=True) → scores
no_maximum_subtracted: Right for small scores, but exp overflows: subtract the
        maximum.
    scores - scores.max(axis=-1, keepdims=True) → scores
minimum_subtracted: You subtracted the minimum: scores far above it overflow.
    scores.max → scores.min
largest_absolute_subtracted: You subtracted the largest |score|: far below it
        all become 0/0.
    scores.max( → np.abs(scores).max(
maximum_of_the_batch: One maximum for the batch: where all is far below it,
        0/0.
    scores.max(axis=-1, keepdims=True) → scores.max()
sigmoid: You took a sigmoid of each score: the weights do not sum to 1.
    exps / exps.sum(axis=-1, keepdims=True) → (1 + np.tanh(scores / 2)) / 2
only_the_best: You took the best word alone: softmax lets all words have a
        share.
    weights[..., None] → np.eye(scores.shape[-1])[scores.argmax(-1)][..., None]
plain_average: You averaged the annotations: nothing was looked up.
    → annotations.mean(-2)
    """
)


# Something else returned

EXERCISE.edits(
    """
the_fixed_vector: You returned the last annotation: that is the fixed vector
        again.
    → annotations[..., -1, :]
returns_scores: You returned the scores: softmax and weighted sum are missing.
    (weights[..., None] * annotations).sum(axis=-2) → scores
returns_weights: You returned the weights: mix the annotations with them.
    (weights[..., None] * annotations).sum(axis=-2) → weights
mixes_the_projected: You mixed U h: the keys are for scoring, the values are h
        itself.
    weights[..., None] * annotations → weights[..., None] * offered
not_summed: You weighed each annotation but did not sum over the words.
    annotations).sum(axis=-2) → annotations)
    """
)
