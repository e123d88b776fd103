"""Which bracket does this one close? Lines of code to ask a model with.

In each line the last bracket closes one of two brackets of its kind: the
earlier, because the later is closed already, or the later. Both lines of such
a pair are made of the same tokens, and the two brackets and the one that asks
stand at the same places: no word and no distance is right more often than
wrong. Only nesting decides.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Bool, Float

from attn_course.links import Link
from attn_course.pieces import merge_pieces, word_spans
from attn_course.reading import THRESHOLD, TIMES

__all__ = [
    "PAIRS",
    "SHAPES",
    "WORDINGS",
    "code_lines",
    "labelled_openers",
    "line_words",
    "looks_at_openers",
    "mixed_lines",
    "openers",
]

PAIRS = {"(": ")", "[": "]"}
# How the two lines of a pair are built. `wide` is a name of two tokens, all
# others are one: it makes up for the bracket that is closed later or sooner.
# The brackets after f, g and h are of one kind, those after k of the other.
SHAPES = {
    "plain": ("f(wide, g(a) + b)", "f(a) + g(wide, b)"),
    "another between": (
        "f(wide - h(a) + g(c) * b)",
        "f(a) + h(c) * g(wide - b)",
    ),
    "other kind before": (
        "f(k(c) * wide, g(a) + b)",
        "f(k(c) * a) + g(wide, b)",
    ),
    "other kind after": (
        "f(wide, g(a) + k(c) - b)",
        "f(a) + g(wide, k(c) - b)",
    ),
    "wide inside": ("f(a, c * g(wide) + b)", "f(wide) + g(a, c * b)"),
}
STARTS = ("return", "x =", "if", "yield")
CALLED = "max min sum abs round len open read find sort map filter"
KEPT = "rows keys values lines names files words items users nodes cols data"
PLAIN = "a b c i j k n m p q s t u v w y"
WIDE = "userId fileName itemCount startTime maxValue rowCount lastIndex"
# Wordings of each shape: one for either half.
WORDINGS = 2


def openers(words: Sequence[str]) -> dict[int, int]:
    """Find for each closing bracket the one that it closes.

    Returns
    -------
    dict
        The place of each closing bracket, and that of its opener.

    Raises
    ------
    ValueError
        When a bracket closes another kind, or nothing, or stays open.

    Examples
    --------
    >>> openers(list("f(a[i])"))
    {5: 3, 6: 1}
    """
    closes = {closer: opener for opener, closer in PAIRS.items()}
    found: dict[int, int] = {}
    unclosed: list[int] = []
    for place, word in enumerate(words):
        if word in PAIRS:
            unclosed.append(place)
        elif word in closes:
            if not unclosed or words[unclosed[-1]] != closes[word]:
                raise ValueError(
                    f"expected no {word!r} at place {place} of {words}"
                )
            found[place] = unclosed.pop()
    if unclosed:
        raise ValueError(f"expected all brackets of {words} to be closed")
    return found


def code_lines() -> list[Link]:
    """Make the list: each shape, both kinds of bracket, two wordings.

    Four lines make a group: a pair, and the same pair with the names before
    the two brackets exchanged. `query` is the last bracket, `right` the one
    that it closes, `rival` the other of its kind; places count words, and a
    sign is a word.

    Examples
    --------
    >>> lines = code_lines()
    >>> len(lines)
    80
    >>> for line in lines[:2]:
    ...     print(line.text, line.right, line.rival)
    return max(userId, min(a) + b) 2 6
    return max(a) + min(userId, b) 7 2
    """
    lines = []
    for number, (shape, kind) in enumerate(_groups()):
        names = _names(number, kind)
        kinds = {**dict.fromkeys("fgh", kind), "k": _other(kind)}
        exchanged = {**names, "f": names["g"], "g": names["f"]}
        for each in (names, exchanged):
            for line in SHAPES[shape]:
                text = _write(line, each, kinds, number)
                lines.append(_link(text, kind, number))
    return lines


def mixed_lines() -> list[str]:
    """Make lines whose last bracket is missing, and its kind can be told.

    The two brackets are of different kinds here: a model that keeps track
    of them knows which must be closed next. The one to close is round in
    half of the lines, and it is the earlier one in half.

    Examples
    --------
    >>> for line in mixed_lines()[:4]:
    ...     print(line)
    return max(userId, rows[a] + b
    return max(a) + rows[userId, b
    return rows[userId, max(a) + b
    return rows[a] + max(userId, b
    """
    lines = []
    for number, (shape, kind) in enumerate(_groups()):
        if "k" in line_words(SHAPES[shape][0]):
            continue  # it has brackets of both kinds already
        names = _names(number, kind)
        mine, other = (names["f"], kind), (names["k"], _other(kind))
        for f, g in ((mine, other), (other, mine)):
            each = {**names, "f": f[0], "g": g[0]}
            kinds = {"f": f[1], "g": g[1], "h": kind}
            lines += [
                _write(line, each, kinds, number)[:-1]
                for line in SHAPES[shape]
            ]
    return lines


def line_words(text: str) -> list[str]:
    """Cut a line into words and signs.

    >>> line_words("f(a) + b")
    ['f', '(', 'a', ')', '+', 'b']
    """
    return [text[start:end] for start, end in word_spans(text)]


def looks_at_openers(model: Any, line: Link) -> Float[np.ndarray, "3 L H 2"]:
    """Measure what both brackets get, in every head.

    Returns
    -------
    array
        Axes: who asks (the last bracket; the word before it, from which it
        must be predicted; and, as a control, the word after the later of the
        two brackets, where the question is still open); layer; head; the
        right bracket, or the rival.

    Raises
    ------
    ValueError
        When the model joins a bracket with its neighbours in one token.
    """
    words = model.words(line.text)  # for each piece
    signs = line_words(line.text)
    pieces: list[list[str]] = [[] for _ in signs]
    for token, word in zip(model.tokens(line.text), words, strict=True):
        pieces[word].append(token)
    for place in (line.query, line.right, line.rival):
        if pieces[place] != [signs[place]]:
            raise ValueError(
                f"expected {signs[place]!r} as a token of its own in "
                f"{line.text!r}, got {pieces[place]}"
            )
    between = merge_pieces(model.attentions(line.text), words)
    asking = [line.query, line.query - 1, max(line.right, line.rival) + 1]
    seen = between[:, :, asking][..., [line.right, line.rival]]
    return np.moveaxis(seen, 2, 0)  # (3, L, H, 2)


def labelled_openers(
    weights: Float[np.ndarray, "*heads 2"],
) -> Bool[np.ndarray, "*heads"]:
    """Say which heads earn the label "looks at the bracket to close".

    The mean weight of the right bracket is at least `THRESHOLD`, and `TIMES`
    that of its rival. Over a group each bracket is right as often as it is
    the rival, at the same place and with the same words: what the rival gets
    is what the right one would get anyway.

    >>> labelled_openers(np.array([[0.6, 0.1], [0.6, 0.4], [0.4, 0]])).tolist()
    [True, False, False]
    """
    right, rival = weights[..., 0], weights[..., 1]
    return (right >= THRESHOLD) & (right >= TIMES * rival)


def _groups() -> list[tuple[str, str]]:
    """List shape and kind of each group; every second is of one half."""
    return [
        (shape, kind)
        for shape in SHAPES
        for kind in PAIRS
        for _ in range(WORDINGS)
    ]


def _other(kind: str) -> str:
    """Give the other kind of bracket.

    >>> _other("(")
    '['
    """
    [other] = set(PAIRS) - {kind}
    return other


def _names(number: int, kind: str) -> dict[str, str]:
    """Choose the names of one group: what is called, what is indexed."""
    lists = {"(": CALLED, "[": KEPT}

    def choose(words: str, start: int, count: int = 1) -> list[str]:
        known = words.split()
        return [known[(start + i) % len(known)] for i in range(count)]

    return {
        **dict(zip("fgh", choose(lists[kind], 3 * number, 3), strict=True)),
        **dict(zip("abc", choose(PLAIN, 3 * number, 3), strict=True)),
        "k": choose(lists[_other(kind)], number)[0],
        "wide": choose(WIDE, number)[0],
    }


def _write(
    line: str, names: dict[str, str], kinds: dict[str, str], number: int
) -> str:
    """Write one line of a pair with its names and kinds of brackets."""
    words = line_words(line)
    written = [names.get(word, word) for word in words]
    for closer, opener in openers(words).items():
        kind = kinds[words[opener - 1]]
        written[opener], written[closer] = kind, PAIRS[kind]
    ends = [0, *(end for _, end in word_spans(line))]
    gaps = [
        line[end:start]
        for end, (start, _) in zip(ends, word_spans(line), strict=False)
    ]
    code = "".join(map("".join, zip(gaps, written, strict=True)))
    return f"{STARTS[number % len(STARTS)]} {code}"


def _link(text: str, kind: str, group: int) -> Link:
    """Say which bracket asks, which it closes, and which is the rival."""
    words = line_words(text)
    query = len(words) - 1
    right = openers(words)[query]
    # What a liking for the first or for the nearest would take.
    first, *_, last = (i for i, word in enumerate(words) if word == kind)
    rival = last if right == first else first
    return Link(text, query, right, rival, group)
