"""Models for the small tasks of chapter 9, with attention and without.

`Reader` is a transformer that ends in one vector; with `equal` its weights
are equal for good, so that nothing is chosen. `perceptron` and `Recurrent`
read the same tokens without attention. `Finder` and `FlatFinder` read a
picture and a word.
"""

from collections.abc import Iterable
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import nn

from attn_course.nn.encoder import Transformer
from attn_course.nn.encoder_decoder import CrossAttention

__all__ = [
    "Finder",
    "FlatFinder",
    "OneHot",
    "Reader",
    "Recurrent",
    "equalise",
    "perceptron",
]

POOLS = ("mean", "last")
WAYS = ("attention", "pooled", "early")


def equalise(parts: Iterable[Any]) -> None:
    """Make all scores of these layers 0, for good: equal weights."""
    for part in parts:
        for unused in (part.query, part.key):
            unused.requires_grad_(False)
            nn.init.zeros_(unused.weight)
            nn.init.zeros_(unused.bias)


class Reader(nn.Module):
    """Name a class from a row of tokens, with a small transformer.

    Parameters
    ----------
    n_tokens, n_classes, length
        Kinds of tokens, classes to name, tokens in a row.
    pool
        The vector that the class is named from: the "mean" over all places,
        or that of the "last".
    equal
        Replace attention by equal weights. A wider feed-forward part makes
        up for the parameters of q and k.
    layers, d_model, heads, d_ff
        As in `Transformer`; positions are learned.
    seed
        Of the first weights; torch's own generator is left as it was.

    Raises
    ------
    ValueError
        When `pool` is neither; when there are more tokens than `length`.
    """

    def __init__(
        self,
        n_tokens: int,
        n_classes: int,
        *,
        length: int,
        pool: str,
        equal: bool = False,
        layers: int = 2,
        d_model: int = 32,
        heads: int = 4,
        d_ff: int = 64,
        seed: int,
    ):
        super().__init__()
        if pool not in POOLS:
            raise ValueError(f"expected pool in {list(POOLS)}, got {pool!r}")
        self.pool = pool
        self.body = Transformer(
            n_tokens,
            layers=layers,
            d_model=d_model,
            heads=heads,
            d_ff=d_ff + d_model if equal else d_ff,
            positions="learned",
            max_length=length,
            seed=seed,
        )
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed + 1)
            self.body.output = nn.Linear(d_model, n_classes)
        if equal:
            equalise(self.body.layers)

    def forward(
        self, tokens: Int[torch.Tensor, "batch n"]
    ) -> Float[torch.Tensor, "batch n_classes"]:
        """Score every class."""
        states = self.body.states(tokens)  # (batch, n, d_model)
        one = states.mean(-2) if self.pool == "mean" else states[..., -1, :]
        return self.body.output(one)


class Recurrent(nn.Module):
    """Name a class from a row of tokens, with a GRU (Cho et al. 2014)."""

    def __init__(
        self,
        n_tokens: int,
        n_classes: int,
        *,
        d_model: int = 32,
        hidden: int,
        seed: int,
    ):
        super().__init__()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.embed = nn.Embedding(n_tokens, d_model)
            self.cell = nn.GRU(d_model, hidden, batch_first=True)
            self.output = nn.Linear(hidden, n_classes)

    def forward(
        self, tokens: Int[torch.Tensor, "batch n"]
    ) -> Float[torch.Tensor, "batch n_classes"]:
        """Score every class from the state after the last token."""
        states, _ = self.cell(self.embed(tokens))  # (batch, n, hidden)
        return self.output(states[:, -1])


class OneHot(nn.Module):
    """Write each token as zeros and a one, all in one row."""

    def __init__(self, n_tokens: int):
        super().__init__()
        self.n_tokens = n_tokens

    def forward(
        self, tokens: Int[torch.Tensor, "batch n"]
    ) -> Float[torch.Tensor, "batch n_tokens_n"]:
        """Give `(batch, n * n_tokens)` numbers."""
        ones = nn.functional.one_hot(tokens, self.n_tokens)
        return ones.flatten(-2).float()


def perceptron(
    n_tokens: int, n_classes: int, *, length: int, hidden: int, seed: int
) -> nn.Sequential:
    """Make a perceptron with two hidden layers: tokens to scores."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return nn.Sequential(
            OneHot(n_tokens),
            nn.Linear(n_tokens * length, hidden),
            nn.ReLU(),
            nn.Linear(hidden, hidden),
            nn.ReLU(),
            nn.Linear(hidden, n_classes),
        )


class Finder(nn.Module):
    """Say in which cell of a board stands the digit that a word names.

    A cell's pixels and its place go through a bend together, so that even a
    mean over cells could keep which digit stands where. Two linear maps read
    what the cells give.

    Parameters
    ----------
    cells, pixels, n_words
        Cells of a board, numbers in a cell, words to ask with.
    way
        "attention": the word asks the cells, one cross-attention. "pooled":
        all cells get equal weights, and the word is added to their mean.
        "early": the same, but every cell is told the word before its bend.
        Where nothing asks, a wider feed-forward part makes up for the
        parameters of q and k.
    d_model, heads, d_ff
        Length of the vectors, number of heads, width of the bends.
    seed
        Of the first weights; torch's own generator is left as it was.

    Raises
    ------
    ValueError
        When there is no such way.
    """

    def __init__(
        self,
        *,
        cells: int = 9,
        pixels: int = 64,
        n_words: int = 10,
        way: str = "attention",
        d_model: int = 48,
        heads: int = 4,
        d_ff: int = 96,
        seed: int,
    ):
        super().__init__()
        if way not in WAYS:
            raise ValueError(f"expected way in {list(WAYS)}, got {way!r}")
        self.way = way
        wide = d_ff if way == "attention" else d_ff + d_model
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.word = nn.Embedding(
                n_words, d_ff if way == "early" else d_model
            )
            self.pixels = nn.Linear(pixels, d_ff)
            self.places = nn.Parameter(torch.randn(cells, d_ff))
            self.cell = nn.Linear(d_ff, d_model)
            self.cross = CrossAttention(d_model, heads)
            self.norm = nn.LayerNorm(d_model)
            self.widen = nn.Linear(d_model, wide)
            self.narrow = nn.Linear(wide, d_model)
            self.output = nn.Linear(d_model, cells)
        if way != "attention":
            equalise([self.cross])

    def forward(
        self,
        words: Int[torch.Tensor, " batch"],
        boards: Float[torch.Tensor, "batch cells pixels"],
    ) -> Float[torch.Tensor, "batch cells"]:
        """Score every cell."""
        asks, memory = self._sides(words, boards)
        x = asks + self.cross(asks, memory)  # (batch, 1, d_model)
        wide = nn.functional.gelu(self.widen(self.norm(x)))
        return self.output((x + self.narrow(wide))[..., 0, :])

    @torch.no_grad()
    def looks(
        self,
        words: Int[torch.Tensor, " batch"],
        boards: Float[torch.Tensor, "batch cells pixels"],
    ) -> Float[torch.Tensor, "batch cells"]:
        """Give what is read of each cell, mean over heads."""
        return self.cross.weights(*self._sides(words, boards)).mean(1)[:, 0]

    def _sides(
        self, words: torch.Tensor, boards: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Give who asks, (batch, 1, d_model), and (batch, cells, d_model)."""
        told = self.word(words)[..., None, :]
        seen = self.pixels(boards) + self.places  # (batch, cells, d_ff)
        if self.way != "early":
            return told, self.cell(torch.relu(seen))
        memory = self.cell(torch.relu(seen + told))
        return torch.zeros_like(memory[..., :1, :]), memory


class FlatFinder(nn.Module):
    """The same question, for a perceptron: all pixels and the word in a row.

    Parameters
    ----------
    cells, pixels, n_words
        As in `Finder`.
    hidden
        Width of both hidden layers.
    seed
        Of the first weights; torch's own generator is left as it was.
    """

    def __init__(
        self,
        *,
        cells: int = 9,
        pixels: int = 64,
        n_words: int = 10,
        hidden: int,
        seed: int,
    ):
        super().__init__()
        self.n_words = n_words
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.layers = nn.Sequential(
                nn.Linear(cells * pixels + n_words, hidden),
                nn.ReLU(),
                nn.Linear(hidden, hidden),
                nn.ReLU(),
                nn.Linear(hidden, cells),
            )

    def forward(
        self,
        words: Int[torch.Tensor, " batch"],
        boards: Float[torch.Tensor, "batch cells pixels"],
    ) -> Float[torch.Tensor, "batch cells"]:
        """Score every cell."""
        word = nn.functional.one_hot(words, self.n_words).float()
        return self.layers(torch.cat([boards.flatten(-2), word], dim=-1))
