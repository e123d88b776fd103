"""Exercise 1.3: what is lost when a word is left out."""

import numpy as np

from attn_course.exercises.cases import Case, normal, sized
from attn_course.exercises.core import Exercise


def inputs(rng: np.random.Generator) -> list[Case]:
    """Give vectors of whole sentences and of sentences without a word."""
    whole, without = _draw(rng, (), 5, 4)
    same = without.copy()
    same[[1, 3]] = whole
    return [
        *sized(rng, _draw),
        Case("many words", _draw(rng, (), 7, 8)),
        Case("two words change nothing", (whole, same)),
        Case("vectors of other lengths", (7 * whole, 0.01 * without)),
        Case("long and short vectors", (1e10 * whole, 1e-10 * without)),
        Case("short and long vectors", (1e-10 * whole, 1e10 * without)),
        Case("short vectors", (1e-10 * whole, 1e-10 * without)),
        Case("opposite vectors", (whole, 0 * without - 3 * whole)),
    ]


def _draw(rng, batch, n, d):
    """Draw vectors that share a direction, as sentences do."""
    shared = normal(rng, *batch, 1, d)
    whole = shared[..., 0, :] + normal(rng, *batch, d)
    return whole, shared + normal(rng, *batch, n, d)


EXERCISE = Exercise(
    id="1.3",
    title="Leave one out",
    statement="""\
Write `lost(whole, without)`: how far a sentence's vector turns when a word is
left out.

- `whole` is the vector of the sentence, `(..., d)`. `without` holds one vector
  for each word: that of the sentence without it, `(..., n, d)`.
- Return 1 − cosine of the angle between the two, for each word: `(..., n)`.
- The vectors may be long or short; none has length zero.""",
    difficulty=1,
    minutes=10,
    hints=[
        "The cosine is the dot product over the product of the two lengths.",
        "`whole[..., None, :]` has shape (..., 1, d): it meets every word.",
        "`np.linalg.norm(x, axis=-1)` gives the lengths. Divide, then "
        "subtract from 1.",
    ],
    inputs=inputs,
)


def _unit(x):
    return x / np.linalg.norm(x, axis=-1, keepdims=True)


@EXERCISE.is_solution
def lost(whole, without):
    """Give 1 − cosine for each word.

    whole (..., d), without (..., n, d) → (..., n)
    """
    products = (without * whole[..., None, :]).sum(axis=-1)  # (..., n)
    lengths = np.linalg.norm(whole, axis=-1)[..., None]  # (..., 1)
    lengths = lengths * np.linalg.norm(without, axis=-1)  # (..., n)
    return 1 - products / lengths


@EXERCISE.is_right
def with_unit_vectors(whole, without):
    """Make all vectors one long, then take a matrix product."""
    return 1 - (_unit(without) @ _unit(whole)[..., None])[..., 0]


@EXERCISE.is_right
def with_half_the_square(whole, without):
    """Half the squared distance of unit vectors is 1 − cosine."""
    apart = _unit(without) - _unit(whole)[..., None, :]
    return 0.5 * (apart**2).sum(axis=-1)


@EXERCISE.is_right
def with_einsum(whole, without):
    """Sum over d by name."""
    a, b = _unit(whole), _unit(without)
    return 1 - np.einsum("...d,...nd->...n", a, b)


EXERCISE.edits(
    """
cosine: You returned the cosine: a word that changes nothing would get 1.
    1 - products → products
not_divided: You took 1 − the dot product: divide by both lengths first.
    products / lengths → products
one_length: You divided by the length of `whole` alone.
    lengths * np.linalg.norm(without, axis=-1) → lengths
other_length: You divided by the length of `without` alone.
    lengths * np.linalg.norm(without → np.linalg.norm(without
squared_lengths: You divided by the squared lengths: take the roots.
    products / lengths → products / lengths**2
a_little_added: You added a little to the lengths: short vectors then lose
        their own.
    norm(without, axis=-1) → norm(without, axis=-1) + lengths * 1e-8
distance: You took the distance between the vectors: here only angles count.
    → np.linalg.norm(without - whole[..., None, :], axis=-1)
distance_of_units: You took the distance of unit vectors: 1 − cosine is half
        its square.
    → np.linalg.norm(_unit(without) - _unit(whole)[..., None, :], axis=-1)
angle: You returned the angle: its cosine is asked for, subtracted from 1.
    1 - products / lengths → np.arccos(np.clip(products / lengths, -1, 1))
absolute_cosine: You took the cosine without its sign: opposite vectors lose
        most.
    → 1 - np.abs(1 - lost(whole, without))
mean_over_words: You averaged over the words: give each word its own number.
    → lost(whole, without).mean(axis=-1)
two_dimensional_only: Right without batch axes: put `...` before the new axis.
    whole[..., None, :] → whole[None, :]
    (whole, axis=-1)[..., None] → (whole, axis=-1)
squeezed: You squeezed the products: every axis of length 1 goes, not one.
    products / lengths → products.squeeze() / lengths
    """
)


@EXERCISE.is_wrong
def shares(whole, without):
    """You made the numbers sum to 1: they are distances, not weights."""
    values = lost(whole, without)
    total = values.sum(axis=-1, keepdims=True)
    return values / np.where(total == 0, 1, total)
