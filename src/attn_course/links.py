"""Does a head follow a grammatical link? Asked on lists of sentences.

A list is a text file with one sentence a line. `=` marks the word that asks,
`+` the word it should look at, `-` a rival. The sentences of one paragraph
share their words, with the parts exchanged: no word and no place wins by
itself.
"""

import re
from collections.abc import Sequence
from importlib import resources
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Bool, Float

from attn_course.arrays import as_mask, as_numbers
from attn_course.pieces import merge_pieces, word_of_each

__all__ = [
    "LISTS",
    "RELATED",
    "SENTENCES",
    "SOUND",
    "BestHead",
    "Link",
    "best_head",
    "halves",
    "looks",
    "parse_link",
    "read_links",
    "sentences",
]

LISTS = (
    "agreement",
    "agreement-impossible",
    "agreement-leaky",
    "subjects",
    "modifiers",
    "roles",
    "pronouns",
    "pronouns-impossible",
    "meaning",
)
# Asked by another experiment than the lists above.
RELATED = "related"
# Lists of sound sentences: one of them leaks, two are impossible by design.
SOUND = [name for name in LISTS if "-" not in name]
# How many of them are read, unless told otherwise.
SENTENCES = 50

_MARK = re.compile(r"(?<!\S)([=+-])(?=\w)")


class Link(NamedTuple):
    """A sentence, and the places of three of its words, counted from 0."""

    text: str
    query: int
    right: int
    rival: int
    group: int = 0

    @property
    def backward(self) -> bool:
        """Say whether both nouns stand before the word that asks."""
        return max(self.right, self.rival) < self.query

    @property
    def nearest(self) -> bool:
        """Say whether the right noun is the nearer one."""
        return abs(self.right - self.query) < abs(self.rival - self.query)

    @property
    def first(self) -> bool:
        """Say whether the right noun is the first one."""
        return self.right < self.rival


def parse_link(line: str, group: int = 0) -> Link:
    """Read one marked sentence.

    Raises
    ------
    ValueError
        When it does not hold each of the three marks once.

    Examples
    --------
    >>> parse_link("The -cat was =chased by the +dog.")
    Link(text='The cat was chased by the dog.', query=3, right=6, rival=1, \
group=0)
    """
    pieces = _MARK.split(line)  # text, mark, text, mark, …
    marks = pieces[1::2]
    if sorted(marks) != sorted("=+-"):
        raise ValueError(
            "expected one word each marked with =, + and -, got "
            f"{''.join(marks) or 'none'} in {line!r}"
        )
    text = "".join(pieces[::2])
    starts = [sum(map(len, pieces[: i + 1 : 2])) for i in (0, 2, 4)]
    places = dict(zip(marks, word_of_each(starts, text), strict=True))
    return Link(text, places["="], places["+"], places["-"], group)


def read_links(name: str) -> list[Link]:
    """Read one of the lists; the paragraphs are its groups.

    Raises
    ------
    ValueError
        When there is no list of that name.
    """
    known = [*LISTS, RELATED]
    if name not in known:
        raise ValueError(f"expected one of {known}, got {name!r}")
    file = resources.files("attn_course") / "data" / "links" / f"{name}.txt"
    lines = [
        line
        for line in file.read_text("utf-8").splitlines()
        if not line.startswith("#")
    ]
    groups = re.split(r"\n\n+", "\n".join(lines).strip())
    return [
        parse_link(line, number)
        for number, group in enumerate(groups)
        for line in group.splitlines()
    ]


def sentences(count: int = SENTENCES) -> list[str]:
    """Choose sentences from the sound lists, from each in turn.

    One of each group, not always its first.

    >>> sentences(2)[1]
    'The dog that saw the cat slept.'
    """
    each = []
    for name in SOUND:
        groups: dict[int, list[str]] = {}
        for link in read_links(name):
            groups.setdefault(link.group, []).append(link.text)
        each.append([g[i % len(g)] for i, g in enumerate(groups.values())])
    turns = zip(*each, strict=False)
    return [text for turn in turns for text in turn][:count]


def looks(model: Any, link: Link) -> Float[np.ndarray, "2 L H 2 2"]:
    """Measure how much weight passes between a word and each noun.

    Word pieces are joined: sum over the pieces that are looked at, mean over
    the pieces that look.

    Returns
    -------
    array
        Axes: the word asks the noun, or the noun asks the word; layer; head;
        the marked word, or the word before it (a control); the right noun,
        or the rival.

    Raises
    ------
    ValueError
        When no word stands before the one that asks, or the model has no
        token that starts one of them.
    """
    words = model.words(link.text)  # for each piece
    between = merge_pieces(model.attentions(link.text), words)
    order = [
        word
        for place, word in enumerate(words)
        if word is None or word != (words[place - 1] if place else None)
    ]
    wanted = {link.query, link.query - 1, link.right, link.rival}
    if unread := sorted(wanted - set(order)):
        raise ValueError(
            "expected a token that starts each marked word, and the word "
            f"before the one that asks, got none at {unread} in {link.text!r}"
        )
    pairs = np.stack([between, between.swapaxes(-1, -2)])
    asking = [order.index(word) for word in (link.query, link.query - 1)]
    nouns = [order.index(word) for word in (link.right, link.rival)]
    return pairs[..., asking, :][..., nouns]  # (2, L, H, 2, 2)


class BestHead(NamedTuple):
    """The head that did best on one half, and what it did on the other."""

    direction: int
    layer: int
    head: int
    chosen: float
    held_out: float
    control: float
    right: float
    rival: float


def best_head(
    seen: Float[np.ndarray, "n D L H 2 2"], *, choose: Bool[np.ndarray, " n"]
) -> BestHead:
    """Choose a head on one part of a list and measure it on the rest.

    Parameters
    ----------
    seen
        What `looks` gave for each sentence.
    choose
        True for the sentences to choose on.

    Returns
    -------
    BestHead
        Direction, layer and head, from 0. The share of sentences in which
        the right noun got more weight: where it was `chosen`, and
        `held_out`. Held out too: the same share for the word before
        (`control`), and the mean weight of the `right` noun and the `rival`.
    """
    seen = as_numbers("seen", seen)
    choose = as_mask("choose", choose, seen.shape[:1])
    right = seen[..., 0] > seen[..., 1]  # (n, D, L, H, 2)
    margin = (seen[..., 0, 0] - seen[..., 0, 1])[choose].mean(axis=0)
    score = right[choose][..., 0].mean(axis=0)  # (D, L, H)
    # Among heads that are right equally often: the most decided one.
    order = np.lexsort((margin.ravel(), score.ravel()))
    best = np.unravel_index(order[-1], score.shape)
    rest = seen[~choose][:, *best]  # (n, 2, 2)
    rest_right = right[~choose][:, *best].mean(axis=0)  # (2,)
    return BestHead(
        *(int(i) for i in best),
        chosen=float(score[best]),
        held_out=float(rest_right[0]),
        control=float(rest_right[1]),
        right=float(rest[:, 0, 0].mean()),
        rival=float(rest[:, 0, 1].mean()),
    )


def halves(links: Sequence[Link]) -> Bool[np.ndarray, " n"]:
    """Split a list in two without dividing a group: True, then False."""
    return np.array([link.group % 2 == 0 for link in links])
