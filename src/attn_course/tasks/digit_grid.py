"""Boards of nine handwritten digits, and a word that names one of them."""

from collections.abc import Callable

import torch
from jaxtyping import Float, Int

from attn_course.nn.train import Batch

__all__ = ["CELLS", "asked", "batches"]

CELLS, DIGITS = 9, 10


def asked(
    pictures: Float[torch.Tensor, "n 8 8"],
    labels: Int[torch.Tensor, " n"],
    count: int,
    generator: torch.Generator,
) -> Batch:
    """Draw boards of nine different digits, and ask for one digit of each.

    Which digit is missing, where the others stand, whose hand wrote them and
    which one is asked for: all is drawn afresh, and evenly.

    Returns
    -------
    Batch
        Inputs: the word, `(count,)`, and the board, `(count, 9, 64)`, row by
        row. Targets: the cell in which the digit stands, `(count,)`.

    Raises
    ------
    ValueError
        When a digit has no picture.
    """
    having = torch.bincount(labels, minlength=DIGITS)  # pictures of each digit
    if not having.all():
        missing = (having == 0).nonzero().flatten().tolist()
        raise ValueError(f"expected pictures of all digits, got no {missing}")
    chances = torch.rand(count, DIGITS, generator=generator)
    digits = chances.argsort(-1)[:, :CELLS]  # (count, 9), all different
    picks = torch.rand(count, CELLS, generator=generator)
    nth = (picks * having[digits]).long()  # (count, 9)
    # Pictures in order of their digit: those of one digit stand together.
    order, first = labels.argsort(stable=True), having.cumsum(0) - having
    boards = pictures[order[first[digits] + nth]].flatten(-2)
    cells = torch.randint(CELLS, (count,), generator=generator)
    words = digits.gather(1, cells[:, None])[:, 0]
    return Batch((words, boards), cells)


def batches(
    pictures: Float[torch.Tensor, "n 8 8"],
    labels: Int[torch.Tensor, " n"],
    size: int,
) -> Callable[[torch.Generator], Batch]:
    """Draw boards at random, `size` at a time, for `models.train`."""
    return lambda generator: asked(pictures, labels, size, generator)
