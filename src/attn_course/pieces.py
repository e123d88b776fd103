"""From the pieces that a model reads to the words that people read."""

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Float

__all__ = ["join_pieces", "merge_pieces", "word_of_each", "word_spans"]

# A word keeps its apostrophes; any other sign stands alone.
_WORD = re.compile(r"\w+(?:['’]\w+)*|[^\w\s]")


def word_spans(text: str) -> list[tuple[int, int]]:
    """Find where each word starts and ends; a sign is a word of its own.

    >>> word_spans("It isn't.")
    [(0, 2), (3, 8), (8, 9)]
    """
    return [match.span() for match in _WORD.finditer(text)]


def word_of_each(starts: Sequence[int | None], text: str) -> list[int | None]:
    """Find the word at each starting place; words are counted from 0.

    >>> word_of_each([None, 0, 4, 5, 7], "It isn't.")
    [None, 0, 1, 1, 1]
    >>> word_of_each([0, 2], "Hm.")
    [0, 1]
    """
    ends = [end for _, end in word_spans(text)]
    return [
        None if start is None else sum(end <= start for end in ends)
        for start in starts
    ]


def join_pieces(
    tokens: Sequence[str], words: Sequence[int | None]
) -> list[str]:
    """Join the neighbours that belong to one word; None stands alone.

    Raises
    ------
    ValueError
        When there are not as many words as tokens.

    Examples
    --------
    >>> join_pieces(["[CLS]", "hip", "##po", "!"], [None, 0, 0, 1])
    ['[CLS]', 'hippo', '!']
    """
    _check_length("tokens", len(tokens), words)
    return [
        tokens[group[0]] + "".join(tokens[i].removeprefix("##") for i in rest)
        for group in _groups(words)
        for rest in [group[1:]]
    ]


def merge_pieces(
    weights: Float[Any, "... n n"], words: Sequence[int | None]
) -> Float[np.ndarray, "... w w"]:
    """Turn attention between pieces into attention between words.

    To a word: the sum over its pieces, so that a row still sums to 1. From
    a word: the mean over its pieces (Clark et al. 2019, section 4.1).

    Parameters
    ----------
    weights
        One row for each piece that asks, one column for each piece asked.
    words
        The word of each piece, as `Model.words` gives it; None stands alone.

    Raises
    ------
    ValueError
        When `weights` has other sizes than one row and one column a piece.

    Examples
    --------
    >>> weights = np.array([[0.5, 0.25, 0.25],
    ...                     [0.5, 0.5, 0.0],
    ...                     [0.0, 1.0, 0.0]])
    >>> merge_pieces(weights, [0, 1, 1])  # the last two are one word
    array([[0.5 , 0.5 ],
           [0.25, 0.75]])
    """
    weights = np.asarray(weights)
    _check_length("rows of weights", weights.shape[-2], words)
    _check_length("columns of weights", weights.shape[-1], words)
    groups = _groups(words)
    belongs = np.zeros((len(groups), len(words)), dtype=weights.dtype)
    for row, group in zip(belongs, groups, strict=True):
        row[group] = 1.0
    pieces = belongs.sum(axis=-1, keepdims=True)  # (w, 1)
    return (belongs / pieces) @ weights @ belongs.T


def _groups(words: Sequence[int | None]) -> list[list[int]]:
    """List the places of each word's pieces."""
    groups: list[list[int]] = []
    for place, word in enumerate(words):
        if place and word is not None and word == words[place - 1]:
            groups[-1].append(place)
        else:
            groups.append([place])
    return groups


def _check_length(name: str, n: int, words: Sequence[int | None]) -> None:
    """Check that there is a word for each."""
    if n != len(words):
        raise ValueError(f"expected {len(words)} {name}, as words, got {n}")
