"""The transformer that names a pronoun's antecedent, in torch."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import nn

from attn_course.nn.encoder import Transformer
from attn_course.nn.train import Batch
from attn_course.tasks.pronouns.sentences import Sentence
from attn_course.tasks.pronouns.words import PAD, WORDS

__all__ = ["MAX_WORDS", "PLACE", "Reader", "batches", "looks", "pack"]

PLACE = {word: i for i, word in enumerate(WORDS)}
MAX_WORDS = 24


class Reader(nn.Module):
    """Read a sentence; score every word as the answer at one place.

    Parameters
    ----------
    layers, d_model, heads, d_ff
        As in `Transformer`.
    equal
        Replace attention by equal weights: no word can be looked at more
        than another. Queries and keys then learn nothing; a wider
        feed-forward part makes up for their number.
    start
        What the first vectors of words and positions are multiplied by.
        From 1 a model learns the nouns by heart before it learns their
        gender.
    seed
        Of the first weights.
    """

    def __init__(
        self,
        *,
        layers: int = 2,
        d_model: int = 48,
        heads: int = 4,
        d_ff: int = 96,
        equal: bool = False,
        start: float = 0.03,
        seed: int,
    ):
        super().__init__()
        self.transformer = Transformer(
            len(WORDS),
            layers=layers,
            d_model=d_model,
            heads=heads,
            d_ff=d_ff + d_model if equal else d_ff,
            max_length=MAX_WORDS,
            seed=seed,
        )
        with torch.no_grad():
            self.transformer.embed.weight *= start
            self.transformer.places *= start
        if equal:
            self._make_equal()

    def forward(
        self,
        words: Int[torch.Tensor, "batch n"],
        at: Int[torch.Tensor, " batch"],
    ) -> Float[torch.Tensor, "batch n_words"]:
        """Score every word of the vocabulary at the place `at`."""
        states = self.transformer.states(words, self.mask(words))
        asked = states[torch.arange(len(at)), at]  # (batch, d_model)
        return self.transformer.output(asked)

    def mask(self, words: torch.Tensor) -> torch.Tensor:
        """Hide the padding, (batch, 1, 1, n)."""
        return (words != PLACE[PAD])[:, None, None, :]

    def _make_equal(self) -> None:
        """Set every query to zero, for good: all scores are 0."""
        for layer in self.transformer.layers:
            for unused in (layer.query, layer.key):
                unused.requires_grad_(False)
                nn.init.zeros_(unused.weight)
                nn.init.zeros_(unused.bias)


def pack(sentences: Sequence[Sentence]) -> Batch:
    """Turn sentences into numbers, filled up with padding.

    Returns
    -------
    Batch
        Inputs: words, `(batch, n)`, and the place that is asked, `(batch,)`.
        Targets: the answers, `(batch,)`.
    """
    rows = [torch.tensor([PLACE[x] for x in s.words]) for s in sentences]
    words = nn.utils.rnn.pad_sequence(rows, batch_first=True)
    at = torch.tensor([s.at for s in sentences])
    answers = torch.tensor([PLACE[s.answer] for s in sentences])
    return Batch((words, at), answers)


def batches(
    sentences: Sequence[Sentence], size: int = 64
) -> Callable[[torch.Generator], Batch]:
    """Draw from sentences at random, `size` at a time, for `models.train`."""
    (words, at), answers = pack(sentences)
    lengths = (words != PLACE[PAD]).sum(1)

    def draw(generator: torch.Generator) -> Batch:
        i = torch.randint(len(words), (size,), generator=generator)
        return Batch((words[i, : lengths[i].max()], at[i]), answers[i])

    return draw


def looks(
    reader: Reader, sentences: Sequence[Sentence]
) -> Float[np.ndarray, "batch 1 layers heads 2 2"]:
    """Measure where the pronoun looks, in sentences with two nouns.

    Returns
    -------
    array
        As `links.best_head` takes it; the last two axes are: the pronoun,
        or the word before it (a control); the noun that fits, or its rival.
    """
    (words, at), _ = pack(sentences)
    maps = reader.transformer.attentions(words, reader.mask(words))
    right = torch.tensor([s.antecedent for s in sentences])
    rival = torch.tensor(
        [sum(s.nouns) - s.antecedent for s in sentences]
    )  # (batch,)
    row = torch.arange(len(at))
    # A pronoun that comes first has no word before it: itself, then.
    asking = torch.stack([at, (at - 1).clamp(min=0)])  # (2, batch)
    nouns = torch.stack([right, rival])  # (2, batch)
    seen: Any = maps[:, row, :, asking[:, None], nouns]
    # torch puts the indexed axes first: (2, 2, batch, layers, heads).
    return seen.permute(2, 3, 4, 0, 1)[:, None].numpy()
