"""From the pieces that a model reads to the words that people read.

What a letter is, and where a script puts no spaces between its words, is
Unicode's to say: the package `regex` knows it.
"""

import functools
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Float

from attn_course.arrays import as_numbers
from attn_course.optional import need

__all__ = [
    "join_pieces",
    "merge_pieces",
    "word_of_each",
    "word_spans",
    "words_of_tokens",
]

# Scripts without spaces between words: East Asian ones, and those where only
# a dictionary, or the syllable, says where a line may break (SA, AK, AP, AS).
_UNSPACED = (
    r"[\p{Han}\p{Ideographic}\p{Hiragana}\p{WB=Katakana}\p{Bopomofo}"
    r"\p{LB=SA}\p{LB=AK}\p{LB=AP}\p{LB=AS}]"
)
# \X is a letter with its marks and joiners (a grapheme cluster, UAX #29). A
# digit or letter that is drawn as an emoji is a sign; what can't be seen, a
# soft hyphen for one, divides nothing.
_LETTER = (
    r"(?:(?=[\p{L}\p{M}\p{N}_])(?!" + _UNSPACED + r")(?!.[\uFE0F\u20E3])"
    r"\X\p{WB=Format}*)"
)
_SIGN = r"(?=[^\s\p{Cc}\p{DI}])\X"
# A word keeps its apostrophes, and Hebrew's two marks that look alike.
_WORD = rf"(?={_UNSPACED})\X|{_LETTER}+(?:['’＇׳״]{_LETTER}+)*|{_SIGN}"


@functools.cache
def _pattern() -> Any:
    """Compile the pattern of a word."""
    return need("regex").compile(_WORD)


def word_spans(text: str) -> list[tuple[int, int]]:
    """Find where each word starts and ends; a sign is a word of its own.

    Where a script puts no spaces between words, each letter stands alone,
    with its marks: what a word is there is for a tokenizer to say (see
    `words_of_tokens`).

    Raises
    ------
    ModuleNotFoundError
        When the package `regex` is missing, which the extra `notebooks`
        brings.

    Examples
    --------
    >>> word_spans("It isn't.")
    [(0, 2), (3, 8), (8, 9)]
    >>> word_spans("हिन्दी"), word_spans("我爱")
    ([(0, 6)], [(0, 1), (1, 2)])
    """
    return [match.span() for match in _pattern().finditer(text)]


def word_of_each(starts: Sequence[int | None], text: str) -> list[int | None]:
    """Find the word at each starting place; words are counted from 0.

    In a gap between words: the one that comes next.

    >>> word_of_each([None, 0, 4, 5, 7], "It isn't.")
    [None, 0, 1, 1, 1]
    >>> word_of_each([0, 2], "Hm.")
    [0, 1]
    """
    ends = [end for _, end in word_spans(text)]
    return [
        None if start is None else bisect_right(ends, start)
        for start in starts
    ]


def words_of_tokens(
    offsets: Sequence[tuple[int, int] | None], text: str
) -> list[int | None]:
    """Find the word that each token of a text belongs to.

    Words are those of `word_spans`. A token that holds several of them, as
    it may where no spaces divide them, belongs to the first; so does the
    next token when it starts inside the last of them. So the tokens of a
    letter that has several bytes, or marks, stay together.

    Parameters
    ----------
    offsets
        Where each token starts and ends in the text; None for one that is
        not from there.
    text
        What the tokens were cut from.

    Returns
    -------
    list
        None where a token holds no word: it is None, or spaces alone.

    Examples
    --------
    >>> words_of_tokens([None, (0, 2), (2, 5), (5, 7), (7, 8)], "It isn't.")
    [None, 0, 1, 1, 1]
    >>> words_of_tokens([(0, 2), (2, 3), (3, 4)], "我们爱。")
    [0, 2, 3]
    """
    spans = word_spans(text)
    starts, ends = ([span[i] for span in spans] for i in (0, 1))
    words: list[int | None] = []
    word, last = None, -1  # of the token before: its word, its last one
    for offset in offsets:
        start, end = offset or (0, 0)
        first, beyond = bisect_right(ends, start), bisect_left(starts, end)
        if first >= beyond or start >= end:
            words.append(None)
            continue
        if first != last:
            word = first
        last = beyond - 1
        words.append(word)
    return words


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
    weights = as_numbers("weights", weights, least_ndim=2)
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
