"""Exercise 6.3: the induction score of a map."""

import numpy as np

from attn_course.exercises.cases import Case, hard, sized, weights
from attn_course.exercises.core import Exercise

# What a case is called, and the tokens.
SENTENCES = [
    ("the cat … the", "abca"),
    ("a token said twice in a row", "abaa"),
    ("two tokens, the same", "aa"),
    ("a block of three, twice", "abcabc"),
    ("twice with others between", "abxyzab"),
    ("one token three times", "axaya"),
    ("four times", "abababab"),
    ("the last token stood first", "abcda"),
    ("one token only, again and again", "aaaaa"),
    ("a long text", "thecatsatonthematandthecatslept"),
]


def inputs(rng: np.random.Generator) -> list[Case]:
    """Give weights whose rows sum to 1, and the numbers of the tokens."""
    first = np.array([[1.0, 0.0, 0.0], [0.5, 0.25, 0.25], [0.25, 0.75, 0.0]])
    cases = [Case("three tokens", (first, [7, 4, 7]))]
    for name, text in SENTENCES:
        tokens = [ord(letter) - ord("a") for letter in text]
        cases.append(Case(name, (weights(rng, *[len(text)] * 2), tokens)))
    for name, batch in [("as many heads as tokens", (5,)), ("heads", (2, 4))]:
        maps = weights(rng, *batch, 5, 5)
        cases.append(Case(name, (maps, [0, 1, 2, 0, 1])))
    return cases + sized(rng, _draw, to_ints=hard)


def _draw(rng, batch, n):
    """Draw maps, and at least two tokens, of which the last came before."""
    n = max(n, 2)
    # Ids above 1,000: each is an int of its own, equal and not the same.
    ids = 1000 * rng.integers(1, n + 1, size=n) + 7
    ids[-1] = ids[rng.integers(n - 1)]
    return weights(rng, *batch, n, n), [int(x) for x in ids]


EXERCISE = Exercise(
    id="6.3",
    title="Induction score",
    statement="""\
Write `induction(weights, tokens)`: how much a head looks at what came *after*
an earlier same token, and a control.

- `weights` has shape `(..., n, n)`: row i says how token i looks at all n, so
  it may hold weights on later tokens. `tokens` lists n numbers.
- The targets of token i are the places j for which token j − 1 equals token i,
  and j − 1 comes before i. Its score is the sum of its weights on its targets.
- A token that is new has no target and does not count. Take the mean over
  those that have one; there is always at least one.
- The control: what equal weights over the places 0, 1, …, i would score, by
  the same mean.
- Return both in a last axis: `(..., 2)`.""",
    difficulty=2,
    minutes=20,
    hints=[
        "In *a b c a* the last token has one target, place 1: there stands "
        "what came after the first *a*.",
        "For one i: `[j for j in range(1, i + 1) if ...]` lists its targets.",
        "Equal weights over i + 1 places give each target 1 / (i + 1).",
        "The control is one number; `np.full_like` gives it the shape of "
        "the scores, `np.stack` joins the two.",
    ],
    inputs=inputs,
)


@EXERCISE.is_solution
def induction(weights, tokens):
    """Score a head by what it gives the places after the same token.

    weights (..., n, n), tokens (n numbers) → (..., 2)
    """
    scores, equal = [], []
    for i, token in enumerate(tokens):
        targets = [j for j in range(1, i + 1) if tokens[j - 1] == token]
        if targets:
            scores.append(weights[..., i, targets].sum(axis=-1))
            equal.append(len(targets) / (i + 1))
    score = np.mean(scores, axis=0)
    return np.stack([score, np.full_like(score, np.mean(equal))], axis=-1)


def _targets(tokens, shift=1):
    """Say where the targets are: (n, n), the token `shift` before is i."""
    tokens = np.asarray(tokens)
    n = len(tokens)
    i, j = np.indices((n, n))
    there = (j - shift >= 0) & (j - shift < i) & (j - shift < n)
    return there & (tokens[np.clip(j - shift, 0, n - 1)] == tokens[i])


def _both(weights, target, count=None):
    """Score targets (n, n), and what equal weights would give them."""
    n = target.shape[-1]
    given = (weights * target).sum(axis=-1)  # (..., n)
    equal = target.sum(axis=-1) / np.arange(1, n + 1)
    asks = target.any(axis=-1)
    count = max(asks.sum(), 1) if count is None else count
    score = given[..., asks].sum(axis=-1) / count
    control = np.full_like(score, equal[asks].sum() / count)
    return np.stack([score, control], axis=-1)


# Right in other words


@EXERCISE.is_right
def with_a_mask(weights, tokens):
    """Compare all tokens at once."""
    return _both(weights, _targets(tokens))


@EXERCISE.is_right
def with_a_dictionary(weights, tokens):
    """Remember what came after each token."""
    after, score, control, count = {}, 0, 0, 0
    for i, token in enumerate(tokens):
        if i:
            after.setdefault(tokens[i - 1], []).append(i)
        if token in after:
            places = after[token]
            score = score + sum(weights[..., i, j] for j in places)
            control, count = control + len(places) / (i + 1), count + 1
    score = np.asarray(score / count)
    return np.stack([score, np.full_like(score, control / count)], axis=-1)


# Which places

EXERCISE.edits(
    """
the_same_token_itself: You took the earlier same token: the target is what came
        after it.
    range(1, i + 1) → range(i)
    tokens[j - 1] → tokens[j]
looks_ahead: You let later places be targets: j − 1 must come before i.
    range(1, i + 1) → range(1, len(tokens))
round_the_corner: You let the last token stand before the first: place 0 is no
        target.
    range(1, i + 1) → range(i + 1)
last_one_only: You took the latest target alone: add up over all of them.
    weights[..., i, targets] → weights[..., i, targets[-1:]]
    len(targets) / (i + 1) → 1 / (i + 1)
first_one_only: You took the first target alone: add up over all of them.
    weights[..., i, targets] → weights[..., i, targets[:1]]
    len(targets) / (i + 1) → 1 / (i + 1)
looked_at_by_it: You exchanged rows and columns: row i is the one that looks.
    → induction(np.swapaxes(weights, -1, -2), tokens)
    """
)


@EXERCISE.is_wrong
def one_too_far(weights, tokens):
    """You took two places after the same token: the target comes next."""
    target = _targets(tokens, shift=2) & np.tri(len(tokens), dtype=bool)
    asks = _targets(tokens).any(axis=-1)
    return _both(weights, target, count=asks.sum())


@EXERCISE.is_wrong
def the_one_before(weights, tokens):
    """You took what came before the same token: the target comes after."""
    asks = _targets(tokens).any(axis=-1)
    return _both(weights, _targets(tokens, shift=-1), count=asks.sum())


@EXERCISE.is_wrong
def own_place_left_out(weights, tokens):
    """You left out j = i: in *a a*, the second *a* came after the first."""
    target = _targets(tokens) & np.tri(len(tokens), k=-1, dtype=bool)
    return _both(weights, target)


# Which mean

EXERCISE.edits(
    """
new_tokens_count: You let new tokens count as zeros: they have no target to
        look at.
    if targets → if True
mean_over_targets: You took the mean over a token's targets: add up their
        weights.
    .sum(axis=-1) → .mean(axis=-1)
    len(targets) / (i + 1) → 1 / (i + 1)
summed: You added up over the tokens: take the mean over those with a target.
    np.mean(scores, axis=0) → 1.0 * np.sum(scores, axis=0)
    np.mean(equal) → np.sum(equal)
how_often_largest: You counted how often a target is largest: take the weights.
    weights[..., i, targets].sum → np.isin(weights[..., i, :].argmax
    (axis=-1)) → (axis=-1), targets))
mean_over_heads_too: You averaged over the heads as well: each has its own
        score.
    → induction(weights, tokens).reshape(-1, 2).mean(axis=0)
    """
)


@EXERCISE.is_wrong
def mean_over_all_targets(weights, tokens):
    """You divided by the number of targets: divide by that of tokens."""
    target = _targets(tokens)
    return _both(weights, target, count=target.sum())


# Which control

EXERCISE.edits(
    """
equal_over_all_places: Your control shares over all n places: later ones don't
        count.
    (i + 1)) → len(tokens))
own_place_left_out_of_the_control: Your control shares over i places: 0 to i
        are i + 1.
    len(targets) / (i + 1) → len(targets) / i
one_target_in_the_control: Your control counts one target a token: some have
        several.
    len(targets) / (i + 1) → 1 / (i + 1)
no_control: You left out the control: it belongs beside the score.
    → np.asarray(induction(weights, tokens)[..., 0])
exchanged: You exchanged the two: first the score, then the control.
    → induction(weights, tokens)[..., ::-1]
squeezed: You squeezed the result: of one head, too, the axis must stay.
    → induction(weights, tokens).squeeze()
difference: You gave the difference of the two: return both.
    → -np.diff(induction(weights, tokens))[..., 0]
    """
)


@EXERCISE.is_wrong
def compared_with_is(weights, tokens):
    """You compared tokens with `is`: equal numbers may be two objects."""
    target = _targets(tokens) & (np.asarray(tokens)[:, None] <= 256)
    return _both(weights, target)
