"""Exercise 6.4: how much each head matters to the whole model."""

import numpy as np

from attn_course.exercises.cases import Case, sized
from attn_course.exercises.core import Exercise


def inputs(rng: np.random.Generator) -> list[Case]:
    """Give the loss of every subset of heads."""
    return [
        Case("as printed", (np.array([4.0, 2.5, 3.0, 1.0]),)),
        Case("a head that harms", (np.array([3.0, 2.0, 1.0, 1.5]),)),
        Case("a useless head", (np.array([3.0, 3.0, 0.5, 0.5]),)),
        Case("either of two will do", (np.array([4.0, 1.0, 1.0, 1.0]),)),
        Case("eight heads", tuple(_draw(rng, (), 8))),
        *sized(rng, _draw),
    ]


def _draw(rng, batch, heads):
    """Draw losses: they are above 0."""
    return [rng.gamma(2.0, size=(*batch, 2**heads)).round(2) + 0.25]


EXERCISE = Exercise(
    id="6.4",
    title="How much a head matters",
    statement="""\
Write `importance(losses)`: how much the loss rises when one head is taken away
from the whole model, for each head.

- `losses` has shape `(..., 2 ** heads)`: the loss of a model with each subset
  of its heads. Number c keeps head h where bit h of c is 1, so 0 is no head
  at all, 1 is head 0 alone, and the last is the whole model.
- Return shape `(..., heads)`: for each head, how far the loss without it, and
  with all others, is above that of the whole model. It is below 0 for a head
  that does harm.""",
    difficulty=1,
    minutes=10,
    hints=[
        "With three heads the subsets are 000, 001, …, 111 in binary. Head 0 "
        "is the digit on the right. Which number is the model without head 1?",
        "`1 << h` is the number with bit h alone. Taking it away from the "
        "number of the whole model leaves all the others.",
        "How many heads there are is a logarithm: "
        "`(n - 1).bit_length()` of n subsets.",
    ],
    inputs=inputs,
)


@EXERCISE.is_solution
def importance(losses):
    """Give the rise of the loss without each head.

    losses (..., 2 ** heads) → (..., heads)
    """
    whole = losses.shape[-1] - 1
    heads = np.arange(whole.bit_length())
    return losses[..., whole - (1 << heads)] - losses[..., [whole]]


def _bits(losses):
    """Give the number of each head alone, (heads,), and of all heads."""
    whole = losses.shape[-1] - 1
    return 1 << np.arange(whole.bit_length()), whole


# Right in other words


@EXERCISE.is_right
def with_an_axis_for_each_head(losses):
    """Give each head an axis of length 2: off and on."""
    heads = (losses.shape[-1] - 1).bit_length()
    *lead, _ = losses.shape
    cube = losses.reshape(*lead, *(2,) * heads)  # the last axis is head 0
    rises = []
    for h in range(heads):
        place = [1] * heads
        place[heads - 1 - h] = 0
        rises.append(cube[(..., *place)] - cube[(..., *[1] * heads)])
    return np.stack(rises, axis=-1)


@EXERCISE.is_right
def with_digits(losses):
    """Write the subsets in binary."""
    heads = len(f"{losses.shape[-1] - 1:b}")
    rises = []
    for h in range(heads):
        digits = ["1"] * heads
        digits[-1 - h] = "0"
        rises.append(losses[..., int("".join(digits), 2)] - losses[..., -1])
    return np.stack(rises, axis=-1)


# What is compared

EXERCISE.edits(
    """
sign_exchanged: Your sign is exchanged: a useful head makes the loss rise, so >
        0.
    → -importance(losses)
added_to_nothing: You added a head to the empty model: take it away from the
        whole.
    losses[..., whole - (1 << heads)] → losses[..., [0]]
    losses[..., [whole]] → losses[..., 1 << heads]
head_alone_against_the_whole: You kept the head and removed all others: remove
        it alone.
    whole - (1 << heads) → 1 << heads
below_the_empty_model: You compared with the empty model: compare with the
        whole one.
    [whole] → [0]
loss_itself: You gave the loss without each head: subtract that of the whole.
    - losses[..., [whole]] →
ratio: You divided by the loss of the whole model: take the difference.
    - losses[..., [whole]] → / losses[..., [whole]]
relative_rise: You gave the rise as a share of the loss: the rise itself is
        asked.
    → importance(losses) / losses[..., [-1]]
size_of_the_change: You took the absolute value: a head that does harm is below
        0.
    → np.abs(importance(losses))
harm_cut_off: You cut off at 0: a head that does harm is below 0.
    → np.maximum(importance(losses), 0)
shares: You made them sum to 1: importances are no shares.
    → importance(losses) / importance(losses).sum(axis=-1, keepdims=True)
    """
)


@EXERCISE.is_wrong
def mean_over_all_subsets(losses):
    """You averaged over all subsets: only the whole model is asked."""
    bits, whole = _bits(losses)
    numbers = np.arange(whole + 1)
    rises = []
    for bit in bits:
        having = numbers[numbers & bit > 0]
        rise = losses[..., having - bit] - losses[..., having]
        rises.append(rise.mean(axis=-1))
    return np.stack(rises, axis=-1)


# Which bit

EXERCISE.edits(
    """
bits_from_the_left: You read bits from the left: head 0 is the last binary
        digit.
    → importance(losses)[..., ::-1]
one_lower_each: You went down one by one: without head h is 2 to the h lower.
    whole - (1 << heads) → whole - 1 - heads
one_bit_too_far: Your bits begin at 2: head 0 is bit 0, worth 1.
    → np.roll(importance(losses), -1, axis=-1)
heads_below_switched_off_too: You switched off the heads below as well: only
        bit h is 0.
    whole - (1 << heads) → whole - (2 << heads) + 1
most_important_first: You sorted them: keep the order of the heads.
    → np.sort(importance(losses), axis=-1)[..., ::-1]
one_head_for_each_subset: You gave one number for each subset: there are log2
        of them heads.
    → losses - losses[..., [-1]]
    """
)
