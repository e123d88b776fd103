"""Exercise 5.2: how much a head looks at the previous token."""

import numpy as np

from attn_course.exercises.cases import Case, hard, sized, weights
from attn_course.exercises.core import Exercise

# What a case is called, n, the special places.
SENTENCES = [
    ("three words between special tokens", 5, [0, 4]),
    ("an end token", 4, [3]),
    ("a special token in the middle", 7, [6, 0, 3]),
    ("a long sentence", 12, [0, 11]),
]


def inputs(rng: np.random.Generator) -> list[Case]:
    """Give weights whose rows sum to 1, and the special places."""
    cases = [
        Case(name, (weights(rng, n, n), special))
        for name, n, special in SENTENCES
    ]
    return [
        *cases,
        Case("heads", (weights(rng, 5, 5, 5), [0, 4])),
        *sized(rng, _draw, to_ints=hard),
    ]


def _draw(rng, batch, others):
    """Draw weights; there are two words at least."""
    n = others + 1
    return weights(rng, *batch, n, n), [0] if n > 3 else []


EXERCISE = Exercise(
    id="5.2",
    title="Previous-token score",
    statement="""\
Write `previous_token(weights, special)`: how much a head looks at the previous
token, and a control.

- `weights` has shape `(..., n, n)`: row i says how token i looks at all n.
  `special` lists the places of special tokens such as [CLS].
- The score is the mean weight from token i to token i − 1, over all i for
  which neither of the two is special.
- The control: the mean weight that the same tokens i − 1 get from the *other*
  tokens. For each i take the mean over all rows but i's own, leaving out
  special ones; then the mean over i.
- Return both in a last axis: `(..., 2)`.""",
    difficulty=2,
    minutes=20,
    hints=[
        "First list the i that count: 1 to n − 1, without those where i or "
        "i − 1 is special.",
        "The score of one i is `weights[..., i, i - 1]`.",
        "For the control of one i: the column i − 1, at the rows of the "
        "tokens that are not special and not i. `np.stack` joins the two.",
    ],
    inputs=inputs,
)


@EXERCISE.is_solution
def previous_token(weights, special):
    """Score a head, and what the same keys get from other tokens.

    weights (..., n, n), special (places) → (..., 2)
    """
    words = [i for i in range(weights.shape[-1]) if i not in special]
    own, others = [], []
    for i in words:
        if i - 1 in words:
            rest = [k for k in words if k != i]
            own.append(weights[..., i, i - 1])
            others.append(weights[..., rest, i - 1].mean(axis=-1))
    return np.stack([np.mean(own, axis=0), np.mean(others, axis=0)], axis=-1)


def _words(weights, special):
    return [i for i in range(weights.shape[-1]) if i not in special]


def _pairs(weights, special):
    """List the words that count, with a word at their side."""
    words = _words(weights, special)
    return [i for i in words if i - 1 in words]


def _both(score, control):
    return np.stack([score, control], axis=-1)


# Right in other words


@EXERCISE.is_right
def with_sums(weights, special):
    """Column sums without the own row, divided by how many are left."""
    words = _words(weights, special)
    i = np.array(_pairs(weights, special))
    own = weights[..., i, i - 1]
    column = weights[..., words, :].sum(axis=-2)[..., i - 1]
    others = (column - own) / (len(words) - 1)
    return _both(own.mean(axis=-1), others.mean(axis=-1))


@EXERCISE.is_right
def with_masks(weights, special):
    """Make a mask of the pairs, and one of the rows that may speak."""
    n = weights.shape[-1]
    word = ~np.isin(np.arange(n), special)
    pair = np.eye(n, k=-1, dtype=bool) & word[:, None] & word
    rows = word[None, :] & ~np.eye(n, dtype=bool)  # (i, other)
    others = rows @ weights / rows.sum(axis=-1, keepdims=True)
    return _both(
        weights[..., pair].mean(axis=-1), others[..., pair].mean(axis=-1)
    )


# Which weights

EXERCISE.edits(
    """
next_token: You took the next token: the previous one is at i − 1.
    i - 1 in words → i + 1 in words
    weights[..., i, i - 1] → weights[..., i, i + 1]
    weights[..., rest, i - 1] → weights[..., rest, i + 1]
looked_at_by_the_next: You exchanged rows and columns: row i is the one that
        looks.
    → previous_token(np.swapaxes(weights, -1, -2), special)
diagonal: You took each token's weight on itself: i − 1 is the one before.
    if i - 1 in words → if i in words
    weights[..., i, i - 1] → weights[..., i, i]
    weights[..., rest, i - 1] → weights[..., rest, i]
special_tokens_count: You let special tokens count: a sink before the first
        word helps.
    → previous_token(weights, [])
special_keys_count: You left out special queries, but not pairs whose key is
        special.
    i - 1 in words → i > 0
how_often_largest: You counted how often it is the largest: take the mean
        weight.
    weights[..., i, i - 1] → weights[..., i, :].argmax(axis=-1) == i - 1
summed: You added up: take the mean over the tokens that count.
    np.mean(own, axis=0) → np.sum(own, axis=0)
    np.mean(others, axis=0) → np.sum(others, axis=0)
divided_by_n: You divided by n: divide by how many tokens count.
    np.mean(own, axis=0) → np.sum(own, axis=0) / weights.shape[-1]
    np.mean(others, axis=0) → np.sum(others, axis=0) / weights.shape[-1]
    """
)


# Which control

EXERCISE.edits(
    """
equal_weights_as_control: Your control is 1/n, equal weights: ask what others
        give the keys.
    np.mean(others, axis=0) → 0 * np.mean(own, axis=0) + 1 / weights.shape[-1]
own_row_in_the_control: Your control holds the row's own weight too: leave row
        i out.
    if k != i →
special_rows_in_the_control: You let special tokens speak in the control: leave
        their rows out.
    k for k in words → k for k in range(weights.shape[-1])
other_keys_as_control: Your control is the rest of the row: ask the same keys'
        columns.
    rest = → n = weights.shape[-1]; rest =
    weights[..., rest, i - 1].mean(axis=-1) → (1 - own[-1]) / (n - 1)
no_control: You left out the control: it belongs beside the score.
    → previous_token(weights, special)[..., 0]
exchanged: You exchanged the two: first the score, then the control.
    → previous_token(weights, special)[..., ::-1]
squeezed: You squeezed the result: a batch axis of length 1 must stay.
    → previous_token(weights, special).squeeze()
difference: You gave the difference of the two: return both.
    → -np.diff(previous_token(weights, special))[..., 0]
mean_over_heads_too: You averaged over the heads as well: each has its own
        score.
    → previous_token(weights, special).reshape(-1, 2).mean(axis=0)
    """
)
