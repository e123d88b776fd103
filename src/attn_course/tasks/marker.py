"""Name the word after the mark: a task that needs to know who stands where.

Nothing but the order says which word follows the mark. What a model learned
about places up to one length can then be tried at greater lengths.
"""

import torch
from jaxtyping import Float, Int
from torch import nn

from attn_course import masks
from attn_course.functional import attention
from attn_course.heads import merge_heads
from attn_course.nn.encoder import EncoderLayer, Transformer
from attn_course.nn.train import Batch
from attn_course.positions import rotate

__all__ = ["POSITIONS", "WORDS", "Reader", "RotaryLayer", "episodes"]

VALUES = 8
MARK, QUESTION = VALUES, VALUES + 1
WORDS = VALUES + 2
POSITIONS = ("none", "sinusoidal", "learned", "rotary")


def episodes(batch: int, generator: torch.Generator, *, length: int) -> Batch:
    """Draw episodes: `length` words with one mark, then the question.

    Words are numbers below 8, the mark is 8, the question 9. The mark
    stands anywhere but last.

    Returns
    -------
    Batch
        Inputs: words, `(batch, length + 1)`. Targets: the word right after
        the mark.

    Raises
    ------
    ValueError
        When there is no room for the mark and a word.

    Examples
    --------
    >>> drawn = episodes(1, torch.Generator().manual_seed(0), length=6)
    >>> drawn.inputs[0].tolist(), drawn.targets.tolist()
    ([[4, 7, 8, 0, 3, 3, 9]], [0])
    """
    if length < 2:
        raise ValueError(f"expected a length of at least 2, got {length}")
    words = torch.randint(VALUES, (batch, length), generator=generator)
    place = torch.randint(length - 1, (batch, 1), generator=generator)
    targets = words.gather(1, place + 1)[:, 0]
    words = words.scatter(1, place, MARK)
    words = torch.cat([words, torch.full((batch, 1), QUESTION)], dim=1)
    return Batch((words,), targets)


class RotaryLayer(EncoderLayer):
    """A layer that turns queries and keys by their position.

    Source: Su et al. 2021, equation 34. No parameter is added.
    """

    def _attend(
        self, x: torch.Tensor, mask: torch.Tensor | None
    ) -> torch.Tensor:
        q = rotate(self._heads(self.query, x))  # (..., heads, n, d_head)
        k = rotate(self._heads(self.key, x))  # (..., heads, n, d_head)
        v = self._heads(self.value, x)  # (..., heads, n, d_head)
        return self.output(merge_heads(attention(q, k, v, mask=mask)))


class Reader(nn.Module):
    """A small causal transformer, with one kind of positions.

    Whatever the kind, the first weights are the same. The rows of a learned
    table that stand beyond the lengths of training stay as they were drawn.

    Parameters
    ----------
    positions
        One of POSITIONS.
    max_length
        The most words, the question included.
    layers, d_model, heads, d_ff
        As in `Transformer`.
    seed
        Of the first weights.

    Raises
    ------
    ValueError
        When there are no such positions.
    """

    def __init__(
        self,
        positions: str,
        *,
        max_length: int,
        layers: int,
        d_model: int,
        heads: int,
        d_ff: int,
        seed: int,
    ):
        super().__init__()
        if positions not in POSITIONS:
            raise ValueError(
                f"expected positions in {list(POSITIONS)}, got {positions!r}"
            )
        rotary = positions == "rotary"
        self.body = Transformer(
            WORDS,
            layers=layers,
            d_model=d_model,
            heads=heads,
            d_ff=d_ff,
            positions="none" if rotary else positions,
            max_length=max_length,
            seed=seed,
        )
        if rotary:
            for i, plain in enumerate(self.body.layers):
                turning = RotaryLayer(d_model, heads, d_ff, norm_first=True)
                turning.load_state_dict(plain.state_dict())
                self.body.layers[i] = turning

    def forward(
        self, words: Int[torch.Tensor, "batch n"]
    ) -> Float[torch.Tensor, "batch words"]:
        """Score every word as the answer to the question at the end."""
        mask = torch.as_tensor(masks.causal(words.shape[-1]))
        return self.body(words, mask)[:, -1]
