"""From a picture of attention to a number, and from weights to influence.

A map shows where a head looks. `read_heads` says how often it looks where a
name would have it look, beside two controls. `value_norms` and `rollout` ask
what raw maps leave out: how much is taken from a place, and through how many
layers.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from unicodedata import category

import numpy as np
from jaxtyping import Bool, Float

from attn_course.arrays import as_array, as_layers, as_mask, as_numbers
from attn_course.softmax import entropy

__all__ = [
    "MEASURES",
    "RELATIONS",
    "THRESHOLD",
    "Reading",
    "average",
    "labelled",
    "norm_weighted",
    "read_heads",
    "read_map",
    "rollout",
    "spread",
    "targets",
    "value_norms",
]

# The target depends on the word that asks …
RELATIONS = ("previous", "next", "itself", "same")
# … or it is the same for every word.
PLACES = ("first", "separator", "punctuation")
MEASURES = (*RELATIONS, *PLACES)
# More than all other keys together.
THRESHOLD = 0.5
# And at least so many times what a control gets.
TIMES = 2.0


def targets(
    tokens: Sequence[str], special: Sequence[int] = ()
) -> dict[str, Bool[np.ndarray, "n n"]]:
    """Say for each measure which keys a query should look at.

    Special tokens ask nothing. The first token, often a sink, is a target of
    "first" alone: a head that always looks there would else count as looking
    at the previous word whenever that is the first.

    Returns
    -------
    dict
        For each of `MEASURES` a mask, True where the key is a target:
        "previous" and "next" word, "itself", the "same" word elsewhere, the
        "first" token, a "separator" (a special token that is not the first),
        "punctuation".

    Examples
    --------
    >>> masks = targets(["[CLS]", "the", "cat", "[SEP]"], special=[0, 3])
    >>> masks["previous"].astype(int)
    array([[0, 0, 0, 0],
           [0, 0, 0, 0],
           [0, 1, 0, 0],
           [0, 0, 0, 0]])
    """
    tokens = _texts(tokens)
    n = len(tokens)
    words = np.array([token.lower() for token in tokens], dtype=str)
    is_special = np.isin(np.arange(n), list(special))
    # Letters, their marks, and numbers make a word; all else is punctuation.
    marks = [
        not any(category(sign)[0] in "LMN" for sign in token)
        for token in tokens
    ]
    marks = np.array(marks, dtype=bool)
    marks &= ~is_special
    place = np.arange(n)
    step = place[None, :] - place[:, None]  # (n, n): key minus query
    own = {
        "previous": step == -1,
        "next": step == 1,
        "itself": step == 0,
        "same": (words[:, None] == words[None, :]) & (step != 0),
        "first": np.broadcast_to(place == 0, (n, n)),
        "separator": np.broadcast_to(is_special & (place > 0), (n, n)),
        "punctuation": marks[None, :] & ~marks[:, None],
    }
    found = {}
    for name, mask in own.items():
        mask = mask & ~is_special[:, None]
        if name == "first":
            mask[:1] = False  # it can't help looking at itself
        else:
            mask[:, :1] = False
        if name in RELATIONS:
            mask &= ~is_special[None, :]
        found[name] = mask
    return found


class Reading(NamedTuple):
    """How much weight goes to the targets, and how much would anyway.

    Attributes
    ----------
    score
        Weight on the targets, mean over the queries that have one.
    others
        A control: what the same targets get from the other words that may
        see them. It is what the score would be on average if the rows of the
        map were shuffled.
    uniform
        A control: what equal weights would give.

    NaN where no query has a target that it may see.
    """

    score: Any
    others: Any
    uniform: Any


def read_map(
    weights: Float[Any, "... n n"],
    target: Bool[np.ndarray, "n n"],
    *,
    asks: Bool[np.ndarray, " n"] | None = None,
    causal: bool = False,
) -> Reading:
    """Measure one kind of target in the maps of one sentence.

    Parameters
    ----------
    weights
        Attention maps of any heads, as arrays, lists or tensors; a query is
        a row.
    target
        True where a key is a target of a query.
    asks
        The queries that a control may use, such as all words; all of them
        unless told.
    causal
        Whether a query sees only itself and earlier keys.

    Raises
    ------
    ValueError
        When the maps are not square, or `target` has another shape.

    Examples
    --------
    A head that always looks one back, and one that looks at key 0:

    >>> back = np.array([[1.0, 0, 0], [1.0, 0, 0], [0, 1.0, 0]])
    >>> first = np.array([[1.0, 0, 0], [1.0, 0, 0], [1.0, 0, 0]])
    >>> previous = np.eye(3, k=-1, dtype=bool)
    >>> found = read_map(np.stack([back, first]), previous)
    >>> found.score.tolist(), found.others.tolist()
    ([1.0, 0.5], [0.25, 0.5])
    >>> round(found.uniform, 3)
    0.333
    """
    weights = _maps(weights)
    n = weights.shape[-1]
    target = as_array("target", target)
    if target.shape != weights.shape[-2:] or target.dtype != bool:
        raise ValueError(
            f"expected targets of shape {weights.shape[-2:]} and dtype bool, "
            f"got {target.shape}, {target.dtype}"
        )
    asks = (
        np.ones(n, dtype=bool) if asks is None else as_mask("asks", asks, (n,))
    )
    seen = np.tri(n, dtype=bool) if causal else np.ones((n, n), dtype=bool)
    target = target & seen
    queries = target.any(axis=-1)
    if not queries.any():
        nan = np.full(weights.shape[:-2], np.nan)
        return Reading(nan, nan, float("nan"))
    on_targets = (weights * target).sum(axis=-1)  # (..., n)
    share = target.sum(axis=-1) / seen.sum(axis=-1)  # (n,)
    return Reading(
        on_targets[..., queries].mean(axis=-1),
        _from_others(weights, target, seen & asks[:, None]),
        float(share[queries].mean()),
    )


def _from_others(weights: Any, target: Any, may_ask: Any) -> Any:
    """Give what the targets get from other queries, mean over queries."""
    weights = weights * may_ask
    count = may_ask.sum(axis=0) - may_ask  # (n, n): others that see the key
    total = weights.sum(axis=-2, keepdims=True) - weights  # (..., n, n)
    known = target & (count > 0)
    queries = known.any(axis=-1)
    if not queries.any():
        return np.full(weights.shape[:-2], np.nan)
    mean = total / np.maximum(count, 1)  # (..., n, n)
    return (mean * known).sum(axis=-1)[..., queries].mean(axis=-1)


def read_heads(
    weights: Float[Any, "... n n"],
    tokens: Sequence[str],
    *,
    special: Sequence[int] = (),
    causal: bool = False,
    batch: int | None = None,
) -> dict[str, Reading]:
    """Measure what each head does in one sentence, by every measure.

    Parameters
    ----------
    weights
        Attention maps of any heads, such as `(layers, heads, n, n)`. Five
        dimensions are `(layers, batch, heads, n, n)`, as the tuple
        `outputs.attentions` of transformers.
    tokens
        One text for each token.
    special
        Positions of special tokens, which ask nothing.
    causal
        Whether a query sees only itself and earlier keys.
    batch
        Which text of a batch; a batch of one needs no choice.

    Returns
    -------
    dict
        For each of `MEASURES` a reading. Where no word has a target, as in a
        sentence without punctuation, its numbers are NaN.

    Raises
    ------
    ValueError
        When the maps are not those of the tokens, or a batch of several has
        no choice.

    Examples
    --------
    >>> layer = np.full((1, 4, 2, 2), 0.5)  # a batch of one, four heads
    >>> found = read_heads((layer, layer), ["the", "cat"])
    >>> found["first"].score.shape, found["punctuation"].uniform
    ((2, 4), nan)
    """
    tokens = _texts(tokens)
    weights = _maps(weights)
    if weights.ndim > 4 or batch is not None:
        weights = as_layers("weights", weights, batch=batch)
    n = len(tokens)
    if weights.shape[-2:] != (n, n):
        raise ValueError(
            f"expected weights of shape (..., {n}, {n}) for {n} tokens, "
            f"got {weights.shape}"
        )
    asks = ~np.isin(np.arange(len(tokens)), list(special))
    return {
        name: read_map(weights, mask, asks=asks, causal=causal)
        for name, mask in targets(tokens, special).items()
    }


def spread(
    weights: Float[Any, "... n n"], *, causal: bool = False
) -> Float[np.ndarray, "..."]:
    """Measure how evenly a head spreads its weights, mean over queries.

    Entropy divided by that of equal weights: 1 for a head that looks at all
    alike, 0 for one that looks at one key. Queries that see a single key
    are left out; NaN where that leaves none.

    Examples
    --------
    >>> float(spread(np.full((4, 4), 0.25)))
    1.0
    """
    weights = _maps(weights)
    n = weights.shape[-1]
    most = np.log(np.arange(1, n + 1) if causal else np.full(n, n))
    choice = most > 0
    if not choice.any():
        return np.full(weights.shape[:-2], np.nan)
    return (entropy(weights)[..., choice] / most[choice]).mean(axis=-1)  # pyright: ignore[reportIndexIssue]


def labelled(
    name: str, score: Any, others: Any, uniform: Any
) -> Bool[np.ndarray, "..."]:
    """Say which heads earn a label.

    The score reaches `THRESHOLD` and twice what equal weights would give.
    Where the target depends on the word that asks, also twice what the other
    words give the same keys.

    >>> labelled("previous", [0.9, 0.9, 0.4], [0.1, 0.8, 0.1], 0.1).tolist()
    [True, False, False]
    """
    score = as_numbers("score", score)
    passed = score >= THRESHOLD
    passed = passed & (score >= TIMES * as_numbers("uniform", uniform))
    if name in RELATIONS:
        passed = passed & (score >= TIMES * as_numbers("others", others))
    return passed


def value_norms(
    values: Float[Any, "... H_kv n d_v"],
    output: Float[Any, "... d_model H_d_v"],
) -> Float[np.ndarray, "... H n"]:
    """Measure how long each value is when it reaches the output: ‖v W_O‖.

    Kobayashi et al. 2020, eq. 3: a head adds α v W_O to a word, so a large
    weight on a short vector moves little.

    Parameters
    ----------
    values
        The values of each head; several query heads may share one.
    output
        The matrix that mixes the heads, as torch keeps it: one column for
        each number of each head, `(d_model, H · d_v)`.

    Raises
    ------
    ValueError
        When the columns are no multiple of the numbers of all values.

    Examples
    --------
    >>> values = np.array([[[3.0, 4.0], [0.0, 0.0]]])  # one head, two tokens
    >>> value_norms(values, np.eye(2))
    array([[5., 0.]])
    """
    values = as_numbers("values", values, least_ndim=3)
    output = as_numbers("output", output, least_ndim=2)
    kv_heads, _, d_v = values.shape[-3:]
    *lead, d_model, columns = output.shape
    if kv_heads * d_v == 0 or columns % (kv_heads * d_v):
        raise ValueError(
            f"expected a multiple of {kv_heads * d_v} columns in output, "
            f"got {columns}"
        )
    heads = columns // d_v
    each = output.reshape(*lead, d_model, heads, d_v)
    each = np.moveaxis(each, -2, -3)  # (..., H, d_model, d_v)
    values = np.repeat(values, heads // kv_heads, axis=-3)  # (..., H, n, d_v)
    return np.linalg.norm(values @ each.swapaxes(-1, -2), axis=-1)


def norm_weighted(
    weights: Float[Any, "... n n"], norms: Float[Any, "... n"]
) -> Float[np.ndarray, "... n n"]:
    """Weigh each weight by how long the vector is that it lets through.

    Rows are made to sum to 1 again, so that they can be compared with
    weights; a row whose vectors are all 0 stays 0.

    Examples
    --------
    Half of the weight goes to a key that hands over nothing:

    >>> norm_weighted([[0.5, 0.25, 0.25]], np.array([0.0, 1.0, 3.0]))
    array([[0.  , 0.25, 0.75]])
    """
    weights = as_numbers("weights", weights, least_ndim=2)
    norms = as_numbers("norms", norms, least_ndim=1)
    wanted = (*weights.shape[:-2], weights.shape[-1])
    try:
        fits = np.broadcast_shapes(norms.shape, wanted) == wanted
    except ValueError:
        fits = False
    if not fits:
        raise ValueError(
            f"expected norms of shape {wanted}, one for each key of each map, "
            f"got {norms.shape} (weights.shape={weights.shape})"
        )
    moved = weights * norms[..., None, :]
    total = moved.sum(axis=-1, keepdims=True)
    return moved / np.where(total == 0, 1.0, total)


def rollout(
    weights: Float[Any, "layers *batch heads n n"],
    *,
    batch: int | None = None,
) -> Float[np.ndarray, "layers n n"]:
    """Follow attention down to the input (Abnar and Zuidema 2020).

    The mean over heads is taken, and half of it replaced by the identity: a
    layer adds what it reads to what was there. Then the layers are
    multiplied. Row i of result l: where what stands at place i after layer l
    comes from, if all that is read weighs alike.

    Parameters
    ----------
    weights
        Of shape `(layers, heads, n, n)`, or with a batch axis after the
        layers, as the tuple `outputs.attentions` of transformers.
    batch
        Which text of a batch; a batch of one needs no choice.

    Raises
    ------
    ValueError
        When the shape is another, or a batch of several has no choice.

    Examples
    --------
    Two layers that hand everything on by one place:

    >>> step = np.array([[1.0, 0, 0], [1.0, 0, 0], [0, 1.0, 0]])
    >>> rollout(np.stack([step, step])[:, None])[-1]
    array([[1.  , 0.  , 0.  ],
           [0.75, 0.25, 0.  ],
           [0.25, 0.5 , 0.25]])
    """
    mean = as_layers("weights", weights, batch=batch).mean(axis=1)  # (L, n, n)
    layers = (mean + np.eye(mean.shape[-1])) / 2
    joined = [layers[0]]
    for layer in layers[1:]:
        joined.append(layer @ joined[-1])
    return np.stack(joined)


def average(readings: Sequence[Mapping[str, Reading]]) -> dict[str, Reading]:
    """Average over sentences, leaving out those without a target."""
    return {
        name: Reading(
            *(
                _mean([one[name][part] for one in readings])
                for part in range(3)
            )
        )
        for name in readings[0]
    }


def _mean(numbers: Sequence[Any]) -> Any:
    """Average what is not NaN; NaN where nothing is left."""
    stacked = as_numbers("readings", [as_array("reading", x) for x in numbers])
    known = ~np.isnan(stacked)
    total = np.where(known, stacked, 0.0).sum(axis=0)
    count = known.sum(axis=0)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _texts(tokens: Sequence[str]) -> list[str]:
    """List the texts of tokens; one text alone would fall into letters."""
    if isinstance(tokens, str):
        raise ValueError("expected tokens as a list of texts, got one text")
    return [str(token) for token in tokens]


def _maps(weights: Any) -> Float[np.ndarray, "... n n"]:
    """Check that maps are square."""
    weights = as_numbers("weights", weights, least_ndim=2)
    if weights.shape[-1] != weights.shape[-2]:
        raise ValueError(
            f"expected weights of shape (..., n, n), got {weights.shape}"
        )
    return weights
