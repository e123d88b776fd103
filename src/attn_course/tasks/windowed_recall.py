"""Recall through a window: what was said must be handed on to be heard.

Marked values stand among noise, and the last word asks for one of them. A
model whose layers see only a few words back has to hand every marked value
on from layer to layer, before it is known which one will be asked for.
"""

import torch
from jaxtyping import Float, Int
from torch import nn

from attn_course import masks
from attn_course.nn.encoder import Transformer
from attn_course.nn.train import Batch

__all__ = ["VALUES", "WindowReader", "episodes", "say", "vocabulary"]

VALUES = 8
NAMES = "abcdefgh"


def vocabulary(marks: int) -> int:
    """Count the words: noise, each mark with each value, the questions."""
    return VALUES + marks * VALUES + marks


def episodes(
    batch: int,
    generator: torch.Generator,
    *,
    length: int,
    marks: int = 1,
    distance: int | None = None,
) -> Batch:
    """Draw episodes: `length` words, then a question.

    Each of the marks stands once, at a random place, with a random value;
    all other words are noise. Any mark may be asked for.

    Parameters
    ----------
    batch, generator
        How many episodes, and where they come from.
    length
        Words before the question.
    marks
        How many marked values stand there.
    distance
        How far before the question the mark asked for stands, from 1 to
        `length`; anywhere unless told.

    Returns
    -------
    Batch
        Inputs: words, `(batch, length + 1)`. Targets: the value asked for.

    Raises
    ------
    ValueError
        When the marks do not fit, or the distance is outside.

    Examples
    --------
    >>> drawn = episodes(
    ...     1, torch.Generator().manual_seed(0), length=6, marks=2
    ... )
    >>> [say(int(word), marks=2) for word in drawn.inputs[0][0]]
    ['4', 'a=7', '5', 'b=0', '3', '3', 'a?']
    >>> drawn.targets
    tensor([7])
    """
    if not 1 <= marks <= min(len(NAMES), length):
        raise ValueError(
            f"expected 1 to {min(len(NAMES), length)} marks among {length} "
            f"words, got {marks}"
        )
    if distance is not None and not 1 <= distance <= length:
        raise ValueError(
            f"expected a distance from 1 to {length}, got {distance}"
        )
    shape = (batch, length)
    words = torch.randint(VALUES, shape, generator=generator)
    chances = torch.rand(shape, generator=generator)
    if distance is not None:
        chances[:, length - distance] = 2.0  # this place first of all
    places = chances.topk(marks).indices  # (batch, marks)
    # Which mark stands at the first of these places: that one is asked for.
    names = torch.rand(batch, marks, generator=generator).argsort(1)
    asked, place = names[:, :1], places[:, :1]  # (batch, 1)
    targets = words.gather(1, place)[:, 0]
    marked = (names + 1) * VALUES + words.gather(1, places)
    words = words.scatter(1, places, marked)
    question = (marks + 1) * VALUES + asked
    return Batch((torch.cat([words, question], dim=1),), targets)


def say(word: int, *, marks: int) -> str:
    """Write one word: `a=5` a marked value, `5` noise, `a?` a question."""
    kind, value = divmod(word, VALUES)
    if kind > marks:
        return f"{NAMES[word - (marks + 1) * VALUES]}?"
    return f"{NAMES[kind - 1]}={value}" if kind else f"{value}"


class WindowReader(nn.Module):
    """A small transformer whose layers see `window` words back.

    Without positions: what stands where is not needed to answer, only the
    way there. Models with equally many layers have equally many parameters
    and the same first weights, whatever their window.

    Parameters
    ----------
    layers
        How many layers.
    window
        How many earlier words a word sees, besides itself.
    length, marks
        As in `episodes`.
    d_model, heads, d_ff
        As in `Transformer`.
    seed
        Of the first weights.
    """

    def __init__(
        self,
        layers: int,
        window: int,
        *,
        length: int,
        marks: int,
        d_model: int,
        heads: int,
        d_ff: int,
        seed: int,
    ):
        super().__init__()
        self.body = Transformer(
            vocabulary(marks),
            layers=layers,
            d_model=d_model,
            heads=heads,
            d_ff=d_ff,
            positions="none",
            max_length=length + 1,
            seed=seed,
        )
        mask = masks.sliding_window(length + 1, left=window, right=0)
        self.register_buffer("mask", torch.as_tensor(mask))

    def forward(
        self, words: Int[torch.Tensor, "batch n"]
    ) -> Float[torch.Tensor, "batch values"]:
        """Score every value as the answer to the last word."""
        return self.body(words, self.mask)[:, -1, :VALUES]
