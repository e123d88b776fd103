"""Exercise 9.3: a residual block in the wrong order, to be mended."""

import numpy as np

from attn_course.exercises.cases import Case, normal, sized
from attn_course.exercises.core import Exercise


def inputs(rng: np.random.Generator) -> list[Case]:
    """Give vectors, the norm's gain and shift, and two maps."""
    small = (
        np.array([[3.0, 1.0]]),
        np.array([2.0, 1.0]),
        np.array([0.0, 0.5]),
        np.array([[1.0], [0.0]]),
        np.array([[10.0, 20.0]]),
    )
    x, gain, shift, w_in, w_out = _draw(rng, (3,), 4, 6)
    rest = (gain, shift, w_in, w_out)
    return [
        Case("two numbers", small),
        Case("as many words as numbers", tuple(_draw(rng, (4,), 4, 4))),
        Case("a narrow middle", tuple(_draw(rng, (3,), 4, 1))),
        Case("a wide middle", tuple(_draw(rng, (3,), 4, 16))),
        Case("maps of zeros", (x, gain, shift, w_in, 0 * w_out)),
        Case("all numbers of a vector alike", (0 * x + 3.0, *rest)),
        Case("zeros", (0 * x, *rest)),
        Case("numbers close together", (0.001 * x, *rest)),
        Case("large numbers", (1e4 * x, *rest)),
        Case("huge numbers", (1e10 * x, *rest)),
        *sized(rng, _draw),
    ]


def _draw(rng, batch, d, d_ff):
    """Draw vectors, a gain near 1, a shift near 0, and two maps."""
    return [
        2 * normal(rng, *batch, d) + 0.5,
        1 + 0.3 * normal(rng, d),
        0.3 * normal(rng, d),
        normal(rng, d, d_ff),
        normal(rng, d_ff, d),
    ]


EXERCISE = Exercise(
    id="9.3",
    title="A residual block in the wrong order",
    statement="""\
This block should normalise *first*, and leave a straight way from its input to
its output. It does neither. Mend it: write
`block(x, gain, shift, w_in, w_out)`.

```
def block(x, gain, shift, w_in, w_out):
    x = x + np.maximum(x @ w_in, 0) @ w_out
    mean = x.mean(axis=-1, keepdims=True)
    root = np.sqrt(x.var(axis=-1, keepdims=True) + 1e-5)
    return gain * (x - mean) / root + shift
```

- `x` has shape `(..., d)`; `gain` and `shift` have `(d,)`; `w_in` has
  `(d, d_ff)` and `w_out` has `(d_ff, d)`.
- Keep all its parts: the norm over the last axis (1e-5 is added to the
  variance), the two maps with a ReLU between them, the sum.
- A test of your own: where `w_out` is zero, `x` must come out as it went
  in.""",
    difficulty=1,
    minutes=10,
    hints=[
        "Draw two ways from input to output. On one stands the norm and then "
        "the two maps; what stands on the other?",
        "If a name is given to something else too early, what is added in "
        "the end is no longer what came in.",
    ],
    inputs=inputs,
)


@EXERCISE.is_solution
def block(x, gain, shift, w_in, w_out):
    """Normalise, map twice, and add the result to what came in.

    x (..., d), gain and shift (d,), w_in (d, d_ff), w_out (d_ff, d)
    → (..., d)
    """
    mean = x.mean(axis=-1, keepdims=True)
    root = np.sqrt(x.var(axis=-1, keepdims=True) + 1e-5)
    h = gain * (x - mean) / root + shift  # (..., d)
    return x + np.maximum(h @ w_in, 0) @ w_out


def _norm(x, gain=1.0, shift=0.0):
    mean = x.mean(axis=-1, keepdims=True)
    root = np.sqrt(x.var(axis=-1, keepdims=True) + 1e-5)
    return gain * (x - mean) / root + shift


def _maps(h, w_in, w_out):
    return np.maximum(h @ w_in, 0) @ w_out


# Right in other words


@EXERCISE.is_right
def with_functions(x, gain, shift, w_in, w_out):
    """Give each part a function."""
    return x + _maps(_norm(x, gain, shift), w_in, w_out)


@EXERCISE.is_right
def with_a_root_of_squares(x, gain, shift, w_in, w_out):
    """Compute the variance by hand."""
    centred = x - x.mean(axis=-1, keepdims=True)
    variance = (centred**2).mean(axis=-1, keepdims=True)
    h = centred * (variance + 1e-5) ** -0.5 * gain + shift
    wide = h @ w_in
    return np.where(wide > 0, wide, 0) @ w_out + x


@EXERCISE.is_right
def with_torch_in_words(x, gain, shift, w_in, w_out):
    """Fold gain and shift into the first map."""
    folded, bias = gain[:, None] * w_in, shift @ w_in
    return x + np.maximum(_norm(x) @ folded + bias, 0) @ w_out


# The order

EXERCISE.edits(
    """
as_it_was: You left it as it was: the norm still comes last.
    → _norm(x + _maps(x, w_in, w_out), gain, shift)
normalised_added: You added to the normalised x: add to x as it came in.
    x + np.maximum → h + np.maximum
norm_behind_the_maps: You normalised what the maps gave: normalise before them.
    → x + _norm(_maps(x, w_in, w_out), gain, shift)
norm_at_both_ends: You normalised first, and once more at the end: no longer
        straight.
    → _norm(x + _maps(_norm(x, gain, shift), w_in, w_out), gain, shift)
norm_between_the_maps: You normalised between the maps: the norm comes before
        both.
    → x + np.maximum(_norm(x @ w_in), 0) @ w_out
nothing_added: You left out the sum: x has no straight way to the output.
    x + np.maximum → np.maximum
no_norm: You left out the norm: it stands before the maps.
    h @ w_in → x @ w_in
added_twice: You added x twice.
    return x → return 2 * x
subtracted: You subtracted what the maps gave: add it.
    x + np.maximum → x - np.maximum
output_only_normalised: You normalised and forgot the maps.
    np.maximum(h @ w_in, 0) @ w_out → h
    """
)


# The norm

EXERCISE.edits(
    """
gain_left_out: You left out the gain.
    gain * (x - mean) → (x - mean)
shift_left_out: You left out the shift.
    root + shift → root
shift_before_gain: You added the shift before the gain: multiply first.
    gain * (x - mean) / root + shift → gain * ((x - mean) / root + shift)
mean_kept: You divided without taking the mean away first.
    (x - mean) → x
root_mean_square: You divided by the root mean square: that is another norm.
    x.var(axis=-1, keepdims=True) → (x**2).mean(axis=-1, keepdims=True)
    (x - mean) → x
divided_by_the_variance: You divided by the variance: take its root.
    / root → / root**2
one_fewer: You divided by d − 1 for the variance: here it is d.
    x.var(axis=-1, → x.var(axis=-1, ddof=1,
nothing_added_to_the_variance: You left out the 1e-5: a vector of equal numbers
        gives 0 / 0.
    + 1e-5 →
added_behind_the_root: You added 1e-5 behind the root: it belongs under it.
    keepdims=True) + 1e-5) → keepdims=True)) + 1e-5
over_everything: You normalised over all words at once: each has its own norm.
    x.mean(axis=-1, keepdims=True) → x.mean()
    x.var(axis=-1, keepdims=True) → x.var()
over_the_words: You normalised over the words: the norm runs over a vector.
    x.mean(axis=-1 → x.mean(axis=max(-2, -x.ndim)
    x.var(axis=-1 → x.var(axis=max(-2, -x.ndim)
    """
)


# The maps

EXERCISE.edits(
    """
no_relu: You left out the ReLU: two linear maps are one.
    np.maximum(h @ w_in, 0) → h @ w_in
relu_at_the_end: You put the ReLU behind the second map: it stands between the
        two.
    np.maximum(h @ w_in, 0) @ w_out → np.maximum(h @ w_in @ w_out, 0)
relu_of_the_sum: You took the ReLU of the sum: then nothing negative gets
        through.
    → np.maximum(block(x, gain, shift, w_in, w_out), 0)
    """
)
