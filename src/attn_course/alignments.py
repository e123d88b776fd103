"""Word alignments: links out of attention weights, and how wrong they are."""

from collections.abc import Iterable, Sequence, Set
from typing import Any

import numpy as np
from jaxtyping import Float

__all__ = [
    "Link",
    "alignment_error_rate",
    "corpus_error_rate",
    "diagonal_links",
    "same_place_links",
    "strongest_links",
]

# (place in the translation, place in the sentence), counted from 0.
Link = tuple[int, int]


def alignment_error_rate(
    found: Iterable[Any], sure: Set[Any], possible: Set[Any]
) -> float:
    """Measure how far an alignment is from a gold alignment.

    Och and Ney 2003, section 5: 1 − (|A ∩ S| + |A ∩ P|) / (|A| + |S|) for
    the links found A, the sure links S and the possible links P, which
    include the sure ones. 0 is perfect: nothing found that is not possible,
    nothing missed that is sure. For many sentences, make the sentence part
    of the link: `(sentence, i, j)`.

    Raises
    ------
    ValueError
        When a sure link is not possible, or there is neither a link found
        nor a sure one.

    Examples
    --------
    >>> sure = {(0, 0)}
    >>> alignment_error_rate({(0, 0), (1, 2), (2, 2)}, sure, sure)
    0.5
    """
    found, sure, possible = set(found), set(sure), set(possible)
    if not sure <= possible:
        raise ValueError(
            "expected every sure link to be possible too, got "
            f"{sorted(sure - possible)[0]}"
        )
    if not found and not sure:
        raise ValueError("expected links, got none found and none sure")
    right = len(found & sure) + len(found & possible)
    return 1 - right / (len(found) + len(sure))


def corpus_error_rate(
    found: Sequence[Set[Link]],
    sure: Sequence[Set[Link]],
    possible: Sequence[Set[Link]],
) -> float:
    """Measure the alignment error rate of many sentences together.

    Each argument holds the links of each sentence.

    >>> corpus_error_rate([{(0, 0)}, {(0, 1)}], [{(0, 0)}] * 2, [{(0, 0)}] * 2)
    0.5
    """
    joined = (
        {(n, *link) for n, links in enumerate(some) for link in links}
        for some in (found, sure, possible)
    )
    return alignment_error_rate(*joined)


def strongest_links(weights: Float[Any, "n_q n_k"]) -> set[Link]:
    """Link each output word to the input word with the largest weight.

    >>> sorted(strongest_links([[0.9, 0.1], [0.3, 0.7]]))
    [(0, 0), (1, 1)]
    """
    best = np.asarray(weights).argmax(axis=-1)  # (n_q,)
    return set(enumerate(best.tolist()))


def diagonal_links(n_out: int, n_in: int) -> set[Link]:
    """Link each output word to the input word at the same fraction.

    >>> sorted(diagonal_links(4, 3))
    [(0, 0), (1, 1), (2, 1), (3, 2)]
    """
    places = (np.arange(n_out) + 0.5) * n_in / n_out
    return set(enumerate(np.floor(places).astype(int).tolist()))


def same_place_links(n_out: int, n_in: int) -> set[Link]:
    """Link each output word to the input word with the same number.

    What has no such word is linked to the last.

    >>> sorted(same_place_links(4, 3))
    [(0, 0), (1, 1), (2, 2), (3, 2)]
    """
    return {(i, min(i, n_in - 1)) for i in range(n_out)}
