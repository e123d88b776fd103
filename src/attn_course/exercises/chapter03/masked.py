"""Exercise 3.3: masks, and queries that may look at nothing."""

import numpy as np

from attn_course.exercises.cases import (
    Case,
    normal,
    query_key,
    query_key_value,
    steep,
    unseen,
)
from attn_course.exercises.core import Exercise
from attn_course.exercises.parts import (
    hidden_too_little,
    named,
    softmax,
    swap,
)
from attn_course.functional import attention_weights as from_the_course


def inputs(rng: np.random.Generator) -> list[Case]:
    """Give queries, keys and masks: some rows empty, some masks shared."""
    cases = []
    for case in query_key_value(rng):
        query, key, _ = case.arguments
        mask = rng.random((*query.shape[:-1], key.shape[-2])) < 0.6
        # Here every query sees a key; an empty row is a case of its own.
        mask[..., 0] |= ~mask.any(axis=-1)
        cases.append(Case(case.name, (query, key, mask)))
    for name, scores in steep().items():
        seen = scores < scores.max(axis=-1, keepdims=True)
        name += ", the largest hidden"
        cases.append(Case(name, (*query_key(scores), seen)))
    return cases + _awkward(rng)


def _awkward(rng: np.random.Generator) -> list[Case]:
    """Give empty rows, masks that broadcast, and numbers nobody sees."""
    query, key = np.array([[2.0, 0.0]]), np.array([[1.0, 0.0], [0.0, 1.0]])
    cases = [
        Case("nothing hidden", (query, key, np.array([[True, True]]))),
        Case("one key hidden", (query, key, np.array([[False, True]]))),
        Case("nothing to see", (query, key, np.array([[False, False]]))),
    ]
    for name, batch in [("an empty row", ()), ("empty rows", (2, 2))]:
        query, key = (normal(rng, *batch, 4, 3) for _ in range(2))
        mask = rng.random((*batch, 4, 4)) < 0.5
        mask[..., 1, :] = False
        cases.append(Case(name, (query, key, mask)))
        name = f"one mask for batch axes {batch}" if batch else "causal"
        causal = np.tri(4, dtype=bool)
        cases.append(Case(name, (query, key, causal)))
        name = f"the last key hidden from all, batch axes {batch}"
        cases.append(Case(name, (query, key, np.arange(4) < 3)))  # (n_k,)
    query, key = query[0, 0], key[0, 0]
    row = np.array([[True, True, True, False]])  # (1, n_k)
    cases.append(Case("one row for all queries", (query, key, row)))
    half = tuple(x.astype(np.float16) for x in (query, key))
    mask = np.tri(4, k=-1, dtype=bool)
    cases.append(Case("float16 with an empty row", (*half, mask)))
    blind = np.array([True, False, True, True])[:, None]  # (n_q, 1)
    cases.append(Case("one column for all keys", (query, key, blind)))
    mask = blind & row
    return cases + unseen(
        "a key and a query", (query, key, mask), {0: 1, 1: 3}
    )


EXERCISE = Exercise(
    id="3.3",
    title="Masked weights",
    statement="""\
Write `masked_weights(query, key, mask)`: attention weights where a query sees
only the keys that its mask allows.

- `mask` is boolean, True means “may look”; its shape is `(..., n_q, n_k)`, or
  one that broadcasts to it, such as `(n_q, n_k)`.
- A hidden key gets weight 0, and the others share 1 among themselves, whatever
  the hidden score was.
- A query that may look at nothing gets zeros: no NaN.""",
    difficulty=2,
    minutes=15,
    hints=[
        "Hide a key before the softmax. Which score has the exponential 0?",
        "`np.where` puts one number where the mask is False, and it "
        "broadcasts. Let the row's maximum come after that, so that a "
        "hidden score cannot win.",
        "In an empty row the maximum is −inf, and −inf − (−inf) is NaN; the "
        "sum is 0, and 0/0 is NaN. Replace both, in those rows only.",
    ],
    inputs=inputs,
)


@EXERCISE.is_solution
def masked_weights(query, key, mask):
    """Weigh the keys that each query may see.

    query (..., n_q, d_k), key (..., n_k, d_k), mask (..., n_q, n_k)
    → (..., n_q, n_k)
    """
    scores = query @ np.swapaxes(key, -1, -2) / np.sqrt(key.shape[-1])
    scores = np.where(mask, scores, -np.inf)  # (..., n_q, n_k)
    highest = scores.max(axis=-1, keepdims=True)  # (..., n_q, 1)
    highest = np.where(np.isfinite(highest), highest, 0.0)
    exps = np.exp(scores - highest)  # exp(−inf) = 0
    total = exps.sum(axis=-1, keepdims=True)
    return exps / np.where(total == 0.0, 1.0, total)


# Right in other words


def _scores(query, key):
    return query @ swap(key) / np.sqrt(key.shape[-1])


@EXERCISE.is_right
def with_nan_to_num(query, key, mask):
    """Let the empty rows become NaN, and replace it at the end."""
    weights = softmax(np.where(mask, _scores(query, key), -np.inf))
    return np.where(mask, np.nan_to_num(weights), 0.0)


@EXERCISE.is_right
def with_where(query, key, mask):
    """Sum over the allowed keys alone, with NumPy's own `where`."""
    scores = _scores(query, key).astype(np.float64)
    allowed = np.broadcast_to(mask, scores.shape)
    highest = scores.max(-1, keepdims=True, where=allowed, initial=-1e30)
    exps = np.where(allowed, np.exp(np.minimum(scores - highest, 0)), 0)
    return exps / np.maximum(exps.sum(-1, keepdims=True), 1e-30)


@EXERCISE.is_right
def with_loops(query, key, mask):
    """One query at a time, over its allowed keys."""
    scores = _scores(query, key).astype(np.float64)
    weights = np.zeros(scores.shape)
    mask = np.broadcast_to(mask, scores.shape)
    for place in np.ndindex(scores.shape[:-1]):
        if mask[place].any():
            seen = scores[place][mask[place]]
            weights[place][mask[place]] = softmax(seen)
    return weights


@EXERCISE.is_right
def with_the_course(query, key, mask):
    """Ask the course's own function."""
    return from_the_course(1.0 * query, 1.0 * key, mask=mask)


# Hidden in the wrong way


@EXERCISE.is_wrong
def mask_ignored(query, key, mask):
    """Hidden keys still get weight: the mask is not used."""
    return softmax(_scores(query, key))


@EXERCISE.is_wrong
def mask_after_softmax(query, key, mask):
    """You hid the keys after the softmax: the rows no longer sum to 1."""
    return softmax(_scores(query, key)) * mask


@EXERCISE.is_wrong
def score_of_zero(query, key, mask):
    """You gave hidden keys the score 0: exp(0) = 1, so they are seen."""
    return softmax(np.where(mask, _scores(query, key), 0.0))


@EXERCISE.is_wrong
def score_of_zero_but_empty_rows(query, key, mask):
    """Hidden keys have the score 0, so they are seen: exp(0) = 1."""
    weights = softmax(_scores(query, key) * mask)
    return weights * mask.any(axis=-1, keepdims=True)


@EXERCISE.is_wrong
def mask_added(query, key, mask):
    """You added the mask: True only adds 1 to a score, and hides none."""
    return softmax(_scores(query, key) + mask)


@EXERCISE.is_wrong
def mask_inverted(query, key, mask):
    """You hid the allowed keys and showed the others: True may look."""
    return masked_weights(query, key, ~mask)


@EXERCISE.is_wrong
def mask_transposed(query, key, mask):
    """You transposed the mask: its rows are the queries."""
    return masked_weights(query, key, swap(mask))


@EXERCISE.is_wrong
def causal_instead(query, key, mask):
    """You hid the later keys: hide those that the mask names."""
    causal = np.tri(query.shape[-2], key.shape[-2], dtype=bool)
    return masked_weights(query, key, causal)


@EXERCISE.is_wrong
def mask_by_index(query, key, mask):
    """`scores[~mask]` needs a mask of full shape: `np.where` broadcasts."""
    scores = _scores(query, key)
    scores[~mask] = -np.inf
    return np.nan_to_num(softmax(scores))


def _or_zeros(weights, mask):
    """Give zeros to empty rows."""
    return np.where(mask.any(axis=-1, keepdims=True), weights, 0.0)


def _weighed(weigh):
    """Make an answer from what gives the weights."""

    def answer(query, key, mask):
        return _or_zeros(weigh(_scores(query, key), mask), mask)

    return answer


for _name, _sentence, _weigh in hidden_too_little():
    EXERCISE.is_wrong(named(_name, _sentence, _weighed(_weigh)))


@EXERCISE.is_wrong
def minus_infinity_added(query, key, mask):
    """You added −inf: NaN and inf stay NaN. Choose with `np.where`."""
    scores = _scores(query, key) + np.where(mask, 0.0, -np.inf)
    return _or_zeros(softmax(scores), mask)


# Empty rows


@EXERCISE.is_wrong
def empty_rows_are_nan(query, key, mask):
    """Right but for the empty rows, which are NaN: give them zeros."""
    return softmax(np.where(mask, _scores(query, key), -np.inf))


@EXERCISE.is_wrong
def empty_rows_are_uniform(query, key, mask):
    """Empty rows share equally: −1e9 for all is a tie. Give them zeros."""
    scores = _scores(query, key).astype(np.float64)
    return softmax(np.where(mask, scores, -1e9))


@EXERCISE.is_wrong
def empty_rows_are_unmasked(query, key, mask):
    """You added −1e9 to hidden scores: an empty row looks at them all."""
    return softmax(_scores(query, key) + np.where(mask, 0.0, -1e9))


@EXERCISE.is_wrong
def empty_rows_see_the_first_key(query, key, mask):
    """Empty rows look at the first key: give them zeros."""
    mask = np.broadcast_to(mask, (*query.shape[:-1], key.shape[-2])).copy()
    mask[..., 0] |= ~mask.any(axis=-1)
    return masked_weights(query, key, mask)


# The maximum


@EXERCISE.is_wrong
def maximum_of_hidden_keys(query, key, mask):
    """You let a huge hidden score win the maximum: the others underflow."""
    scores = _scores(query, key)
    exps = np.exp(scores - scores.max(axis=-1, keepdims=True)) * mask
    total = exps.sum(axis=-1, keepdims=True)
    return exps / np.where(total == 0, 1, total)


@EXERCISE.is_wrong
def divided_again(query, key, mask):
    """You divided by the sum again: 0/0 where nothing is left to see."""
    weights = softmax(_scores(query, key)) * mask
    return weights / weights.sum(axis=-1, keepdims=True)


@EXERCISE.is_wrong
def no_maximum_subtracted(query, key, mask):
    """Right for small scores, but exp overflows: subtract the maximum."""
    exps = np.exp(np.where(mask, _scores(query, key), -np.inf))
    total = exps.sum(axis=-1, keepdims=True)
    return exps / np.where(total == 0, 1, total)


@EXERCISE.is_wrong
def minimum_subtracted(query, key, mask):
    """You subtracted the smallest score seen: far above it exp overflows."""
    scores = _scores(query, key)
    seen = np.broadcast_to(mask, scores.shape)
    least = np.where(seen, scores, np.inf).min(axis=-1, keepdims=True)
    exps = np.exp(np.where(seen, scores - least, -np.inf))
    total = exps.sum(axis=-1, keepdims=True)
    return exps / np.where(total == 0, 1, total)


@EXERCISE.is_wrong
def maximum_of_everything(query, key, mask):
    """One maximum for all rows: a row far below it becomes 0/0."""
    scores = np.where(mask, _scores(query, key), -np.inf)
    exps = np.exp(scores - scores.max())
    total = exps.sum(axis=-1, keepdims=True)
    return exps / np.where(total == 0, 1, total)


# As in 3.1


@EXERCISE.is_wrong
def not_scaled(query, key, mask):
    """You left out the division by √d_k."""
    return masked_weights(query * np.sqrt(key.shape[-1]), key, mask)


@EXERCISE.is_wrong
def divided_by_d(query, key, mask):
    """You divided by d_k, not by √d_k."""
    return masked_weights(query / np.sqrt(key.shape[-1]), key, mask)


@EXERCISE.is_wrong
def softmax_over_queries(query, key, mask):
    """You took the softmax over the queries: each row must sum to 1."""
    mask = np.broadcast_to(mask, (*query.shape[:-1], key.shape[-2]))
    return swap(masked_weights(key, query, swap(mask)))


@EXERCISE.is_wrong
def two_dimensional_only(query, key, mask):
    """Right without batch axes. `.T` turns all axes: swap the last two."""
    scores = np.where(mask, query @ key.T / np.sqrt(key.shape[-1]), -np.inf)
    return np.nan_to_num(softmax(scores))
