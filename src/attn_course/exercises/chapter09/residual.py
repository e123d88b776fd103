"""Exercise 9.3: a residual block in the wrong order, to be mended."""

import numpy as np

from attn_course.exercises.cases import Case, normal, sized
from attn_course.exercises.core import Exercise

EPS = 1e-5


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


def _norm(x, gain=1.0, shift=0.0, *, axis: int | None = -1, eps=EPS):
    """Normalise, with one thing done otherwise."""
    mean = x.mean(axis=axis, keepdims=True)
    root = np.sqrt(x.var(axis=axis, keepdims=True) + eps)
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
    h = centred * (variance + EPS) ** -0.5 * gain + shift
    wide = h @ w_in
    return np.where(wide > 0, wide, 0) @ w_out + x


@EXERCISE.is_right
def with_torch_in_words(x, gain, shift, w_in, w_out):
    """Fold gain and shift into the first map."""
    folded, bias = gain[:, None] * w_in, shift @ w_in
    return x + np.maximum(_norm(x) @ folded + bias, 0) @ w_out


# The order


@EXERCISE.is_wrong
def as_it_was(x, gain, shift, w_in, w_out):
    """You left it as it was: the norm still comes last."""
    return _norm(x + _maps(x, w_in, w_out), gain, shift)


@EXERCISE.is_wrong
def normalised_added(x, gain, shift, w_in, w_out):
    """You added to the normalised x: add to x as it came in."""
    h = _norm(x, gain, shift)
    return h + _maps(h, w_in, w_out)


@EXERCISE.is_wrong
def norm_behind_the_maps(x, gain, shift, w_in, w_out):
    """You normalised what the maps gave: normalise before them."""
    return x + _norm(_maps(x, w_in, w_out), gain, shift)


@EXERCISE.is_wrong
def norm_at_both_ends(x, gain, shift, w_in, w_out):
    """You normalised first, and once more at the end: no longer straight."""
    return _norm(x + _maps(_norm(x, gain, shift), w_in, w_out), gain, shift)


@EXERCISE.is_wrong
def norm_between_the_maps(x, gain, shift, w_in, w_out):
    """You normalised between the maps: the norm comes before both."""
    return x + np.maximum(_norm(x @ w_in), 0) @ w_out


@EXERCISE.is_wrong
def nothing_added(x, gain, shift, w_in, w_out):
    """You left out the sum: x has no straight way to the output."""
    return _maps(_norm(x, gain, shift), w_in, w_out)


@EXERCISE.is_wrong
def no_norm(x, gain, shift, w_in, w_out):
    """You left out the norm: it stands before the maps."""
    return x + _maps(x, w_in, w_out)


@EXERCISE.is_wrong
def added_twice(x, gain, shift, w_in, w_out):
    """You added x twice."""
    return x + block(x, gain, shift, w_in, w_out)


@EXERCISE.is_wrong
def subtracted(x, gain, shift, w_in, w_out):
    """You subtracted what the maps gave: add it."""
    return 2 * x - block(x, gain, shift, w_in, w_out)


@EXERCISE.is_wrong
def output_only_normalised(x, gain, shift, w_in, w_out):
    """You normalised and forgot the maps."""
    return x + _norm(x, gain, shift)


# The norm


@EXERCISE.is_wrong
def gain_left_out(x, gain, shift, w_in, w_out):
    """You left out the gain."""
    return x + _maps(_norm(x, 1.0, shift), w_in, w_out)


@EXERCISE.is_wrong
def shift_left_out(x, gain, shift, w_in, w_out):
    """You left out the shift."""
    return x + _maps(_norm(x, gain), w_in, w_out)


@EXERCISE.is_wrong
def shift_before_gain(x, gain, shift, w_in, w_out):
    """You added the shift before the gain: multiply first."""
    return x + _maps(gain * (_norm(x) + shift), w_in, w_out)


@EXERCISE.is_wrong
def mean_kept(x, gain, shift, w_in, w_out):
    """You divided without taking the mean away first."""
    root = np.sqrt(x.var(axis=-1, keepdims=True) + EPS)
    return x + _maps(gain * x / root + shift, w_in, w_out)


@EXERCISE.is_wrong
def root_mean_square(x, gain, shift, w_in, w_out):
    """You divided by the root mean square: that is another norm."""
    root = np.sqrt((x**2).mean(axis=-1, keepdims=True) + EPS)
    return x + _maps(gain * x / root + shift, w_in, w_out)


@EXERCISE.is_wrong
def divided_by_the_variance(x, gain, shift, w_in, w_out):
    """You divided by the variance: take its root."""
    centred = x - x.mean(axis=-1, keepdims=True)
    h = gain * centred / (x.var(axis=-1, keepdims=True) + EPS) + shift
    return x + _maps(h, w_in, w_out)


@EXERCISE.is_wrong
def one_fewer(x, gain, shift, w_in, w_out):
    """You divided by d − 1 for the variance: here it is d."""
    centred = x - x.mean(axis=-1, keepdims=True)
    variance = x.var(axis=-1, keepdims=True, ddof=1)
    h = gain * centred / np.sqrt(variance + EPS) + shift
    return x + _maps(h, w_in, w_out)


@EXERCISE.is_wrong
def nothing_added_to_the_variance(x, gain, shift, w_in, w_out):
    """You left out the 1e-5: a vector of equal numbers gives 0 / 0."""
    return x + _maps(_norm(x, gain, shift, eps=0.0), w_in, w_out)


@EXERCISE.is_wrong
def added_behind_the_root(x, gain, shift, w_in, w_out):
    """You added 1e-5 behind the root: it belongs under it."""
    centred = x - x.mean(axis=-1, keepdims=True)
    root = np.sqrt(x.var(axis=-1, keepdims=True)) + EPS
    return x + _maps(gain * centred / root + shift, w_in, w_out)


@EXERCISE.is_wrong
def over_everything(x, gain, shift, w_in, w_out):
    """You normalised over all words at once: each has its own norm."""
    return x + _maps(_norm(x, gain, shift, axis=None), w_in, w_out)


@EXERCISE.is_wrong
def over_the_words(x, gain, shift, w_in, w_out):
    """You normalised over the words: the norm runs over a vector."""
    axis = -2 if x.ndim > 1 else -1
    return x + _maps(_norm(x, gain, shift, axis=axis), w_in, w_out)


# The maps


@EXERCISE.is_wrong
def no_relu(x, gain, shift, w_in, w_out):
    """You left out the ReLU: two linear maps are one."""
    return x + _norm(x, gain, shift) @ w_in @ w_out


@EXERCISE.is_wrong
def relu_at_the_end(x, gain, shift, w_in, w_out):
    """You put the ReLU behind the second map: it stands between the two."""
    return x + np.maximum(_norm(x, gain, shift) @ w_in @ w_out, 0)


@EXERCISE.is_wrong
def relu_of_the_sum(x, gain, shift, w_in, w_out):
    """You took the ReLU of the sum: then nothing negative gets through."""
    return np.maximum(block(x, gain, shift, w_in, w_out), 0)
