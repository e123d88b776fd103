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


def _with(weights, tokens, *, score=None, control=None):
    """Give the right answer with one of the two replaced."""
    both = induction(weights, tokens).astype(float)
    if score is not None:
        both[..., 0] = score
    if control is not None:
        both[..., 1] = control
    return both


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


@EXERCISE.is_wrong
def the_same_token_itself(weights, tokens):
    """You took the earlier same token: the target is what came after it."""
    return _both(weights, _targets(tokens, shift=0))


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
def looks_ahead(weights, tokens):
    """You let later places be targets: j − 1 must come before i."""
    tokens = np.asarray(tokens)
    same = tokens[:, None] == np.roll(tokens, 1)
    same[:, 0] = False
    return _both(weights, same)


@EXERCISE.is_wrong
def round_the_corner(weights, tokens):
    """You let the last token stand before the first: place 0 is no target."""
    tokens = np.asarray(tokens)
    same = tokens[:, None] == np.roll(tokens, 1)
    return _both(weights, same & np.tri(len(tokens), dtype=bool))


@EXERCISE.is_wrong
def own_place_left_out(weights, tokens):
    """You left out j = i: in *a a*, the second *a* came after the first."""
    target = _targets(tokens) & np.tri(len(tokens), k=-1, dtype=bool)
    return _both(weights, target)


@EXERCISE.is_wrong
def last_one_only(weights, tokens):
    """You took the latest target alone: add up over all of them."""
    target = _targets(tokens)
    j = np.arange(len(tokens))
    last = np.where(target, j, -1).max(axis=-1, keepdims=True)
    return _both(weights, target & (j == last))


@EXERCISE.is_wrong
def first_one_only(weights, tokens):
    """You took the first target alone: add up over all of them."""
    target = _targets(tokens)
    return _both(weights, target & (np.cumsum(target, axis=-1) == 1))


@EXERCISE.is_wrong
def looked_at_by_it(weights, tokens):
    """You exchanged rows and columns: row i is the one that looks."""
    return induction(np.swapaxes(weights, -1, -2), tokens)


# Which mean


@EXERCISE.is_wrong
def new_tokens_count(weights, tokens):
    """You let new tokens count as zeros: they have no target to look at."""
    return _both(weights, _targets(tokens), count=len(tokens))


@EXERCISE.is_wrong
def mean_over_targets(weights, tokens):
    """You took the mean over a token's targets: add up their weights."""
    target = _targets(tokens)
    shared = target / np.maximum(target.sum(axis=-1, keepdims=True), 1)
    n = len(tokens)
    asks = target.any(axis=-1)
    score = (weights * shared).sum(axis=-1)[..., asks].mean(axis=-1)
    control = (1 / np.arange(1, n + 1))[asks].mean()
    return np.stack([score, np.full_like(score, control)], axis=-1)


@EXERCISE.is_wrong
def mean_over_all_targets(weights, tokens):
    """You divided by the number of targets: divide by that of tokens."""
    target = _targets(tokens)
    return _both(weights, target, count=target.sum())


@EXERCISE.is_wrong
def summed(weights, tokens):
    """You added up over the tokens: take the mean over those with a target."""
    return _both(weights, _targets(tokens), count=1)


@EXERCISE.is_wrong
def how_often_largest(weights, tokens):
    """You counted how often a target is largest: take the weights."""
    target = _targets(tokens)
    asks = target.any(axis=-1)
    top = weights.argmax(axis=-1)  # (..., n)
    hit = target[np.arange(len(tokens)), top]
    return _with(weights, tokens, score=hit[..., asks].mean(axis=-1))


@EXERCISE.is_wrong
def mean_over_heads_too(weights, tokens):
    """You averaged over the heads as well: each has its own score."""
    lead = tuple(range(weights.ndim - 2))
    return induction(weights, tokens).mean(axis=lead)


# Which control


@EXERCISE.is_wrong
def equal_over_all_places(weights, tokens):
    """Your control shares over all n places: later ones don't count."""
    target = _targets(tokens)
    found = target.sum(axis=-1)[target.any(axis=-1)]
    return _with(weights, tokens, control=found.mean() / len(tokens))


@EXERCISE.is_wrong
def own_place_left_out_of_the_control(weights, tokens):
    """Your control shares over i places: 0 to i are i + 1."""
    target = _targets(tokens)
    i = np.arange(len(tokens))
    asks = target.any(axis=-1)
    equal = target.sum(axis=-1)[asks] / i[asks]
    return _with(weights, tokens, control=equal.mean())


@EXERCISE.is_wrong
def one_target_in_the_control(weights, tokens):
    """Your control counts one target a token: some have several."""
    i = np.arange(1, len(tokens) + 1)
    asks = _targets(tokens).any(axis=-1)
    return _with(weights, tokens, control=(1 / i[asks]).mean())


@EXERCISE.is_wrong
def difference(weights, tokens):
    """You gave the difference of the two: return both."""
    both = induction(weights, tokens)
    return both[..., 0] - both[..., 1]


@EXERCISE.is_wrong
def no_control(weights, tokens):
    """You left out the control: it belongs beside the score."""
    return np.asarray(induction(weights, tokens)[..., 0])


@EXERCISE.is_wrong
def exchanged(weights, tokens):
    """You exchanged the two: first the score, then the control."""
    return induction(weights, tokens)[..., ::-1]


@EXERCISE.is_wrong
def squeezed(weights, tokens):
    """You squeezed the result: of one head, too, the axis must stay."""
    return induction(weights, tokens).squeeze()


@EXERCISE.is_wrong
def compared_with_is(weights, tokens):
    """You compared tokens with `is`: equal numbers may be two objects."""
    target = _targets(tokens) & (np.asarray(tokens)[:, None] <= 256)
    return _both(weights, target)
