"""Little reviews whose verdict has a known cause, and a model that reads them.

A review has three clauses, "the plot was not dull". A verdict is good where
most of the clauses are; "not" turns the word behind it around. So it is known
which words decide: the three adjectives, and every "not".
"""

from collections.abc import Callable
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import nn

from attn_course.nn.train import Batch

__all__ = [
    "GOOD",
    "LENGTH",
    "WORDS",
    "Classifier",
    "Guided",
    "Reviews",
    "batches",
    "divergence",
    "reviews",
    "total_variation",
]

GOOD = ("good", "fine", "great", "fresh", "bright", "warm", "clever", "lovely")
BAD = ("bad", "dull", "poor", "stale", "bleak", "cold", "silly", "awful")
DEGREES = ("not", "very", "quite", "rather")
THINGS = (
    "plot", "music", "cast", "story", "sound", "end", "start", "song",
    "scene", "pace", "light", "dance",
)  # fmt: skip
SMALL = ("the", "was", "seemed", "and", "but")
WORDS = (*SMALL, *THINGS, *DEGREES, *GOOD, *BAD)
CLAUSES = 3
# Five words a clause, and a small word between two clauses.
LENGTH = 6 * CLAUSES - 1
ENCODERS = ("GRU", "words")


class Reviews(NamedTuple):
    """Reviews as numbers of WORDS."""

    words: Int[torch.Tensor, "batch n"]
    good: Int[torch.Tensor, " batch"]  # 1: most clauses are good
    decides: Bool[torch.Tensor, "batch n"]  # adjectives, and every "not"

    def text(self, row: int) -> list[str]:
        """Give one review as words."""
        return [WORDS[i] for i in self.words[row]]


def reviews(size: int, generator: torch.Generator) -> Reviews:
    """Draw reviews; every word is drawn evenly and on its own.

    Examples
    --------
    >>> drawn = reviews(1, torch.Generator().manual_seed(1))
    >>> print(*drawn.text(0)[:11])
    the dance was very bad and the end was rather awful
    >>> print(*drawn.text(0)[11:], drawn.good.item())
    but the dance seemed not dull 0
    """
    shape = (size, CLAUSES)

    def draw(texts: tuple[str, ...]) -> torch.Tensor:
        picked = torch.randint(len(texts), shape, generator=generator)
        return torch.tensor([WORDS.index(t) for t in texts])[picked]

    the = torch.full(shape, WORDS.index("the"))
    degree, adjective = draw(DEGREES), draw((*GOOD, *BAD))
    columns = [
        the, draw(THINGS), draw(("was", "seemed")), degree, adjective,
        draw(("and", "but")),
    ]  # fmt: skip
    words = torch.stack(columns, dim=-1).flatten(1)[:, :LENGTH]

    turned = degree == WORDS.index("not")  # (size, clauses)
    good = (adjective < WORDS.index(BAD[0])) != turned
    verdict = (good.sum(1) > CLAUSES / 2).long()
    always = torch.ones_like(turned)
    columns = [~always, ~always, ~always, turned, always, ~always]
    decides = torch.stack(columns, dim=-1).flatten(1)[:, :LENGTH]
    return Reviews(words, verdict, decides)


def batches(size: int) -> Callable[[torch.Generator], Batch]:
    """Draw reviews for `models.train`."""

    def draw(generator: torch.Generator) -> Batch:
        drawn = reviews(size, generator)
        return Batch((drawn.words,), drawn.good)

    return draw


class Classifier(nn.Module):
    """Encode every word, mix all by attention, name the verdict.

    The scores are additive, without a query: v · tanh(W h) (Jain and Wallace
    2019, section 2).

    Parameters
    ----------
    encoder
        "GRU": a word's vector is read from both sides, so it may hold the
        whole review. "words": it holds its word alone.
    uniform
        Give every word the same weight.
    d_model
        Length of a word's vector, before and after encoding.
    seed
        Of the first weights.

    Raises
    ------
    ValueError
        When there is no such encoder.
    """

    def __init__(
        self,
        encoder: str = "GRU",
        *,
        uniform: bool = False,
        d_model: int = 32,
        seed: int,
    ):
        super().__init__()
        if encoder not in ENCODERS:
            raise ValueError(
                f"expected encoder in {list(ENCODERS)}, got {encoder!r}"
            )
        self.uniform = uniform
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.embed = nn.Embedding(len(WORDS), d_model)
            self.encoder = (
                nn.GRU(
                    d_model, d_model // 2, batch_first=True,
                    bidirectional=True,
                )
                if encoder == "GRU"
                else nn.Sequential(nn.Linear(d_model, d_model), nn.Tanh())
            )  # fmt: skip
            self.score = nn.Sequential(
                nn.Linear(d_model, d_model),
                nn.Tanh(),
                nn.Linear(d_model, 1, bias=False),
            )
            self.output = nn.Linear(d_model, 2)

    def forward(
        self,
        words: Int[torch.Tensor, "batch n"],
        weights: Float[torch.Tensor, "batch n"] | None = None,
    ) -> Float[torch.Tensor, "batch 2"]:
        """Score both verdicts, by its own weights or by those given."""
        states = self.encode(self.embed(words))
        if weights is None:
            weights = self.attend(states)
        return self.verdict(states, weights)

    def encode(
        self, x: Float[torch.Tensor, "batch n d_model"]
    ) -> Float[torch.Tensor, "batch n d_model"]:
        """Give what stands at each word, given the words' vectors."""
        states = self.encoder(x)
        return states[0] if isinstance(states, tuple) else states

    def attend(
        self, states: Float[torch.Tensor, "batch n d_model"]
    ) -> Float[torch.Tensor, "batch n"]:
        """Give each word its weight."""
        scores = self.score(states)[..., 0]  # (batch, n)
        if self.uniform:
            scores = torch.zeros_like(scores)
        return scores.softmax(-1)

    def verdict(
        self,
        states: Float[torch.Tensor, "batch n d_model"],
        weights: Float[torch.Tensor, "batch n"],
    ) -> Float[torch.Tensor, "batch 2"]:
        """Score both verdicts from the mixture."""
        mixed = (weights[:, None] @ states)[:, 0]  # (batch, d_model)
        return self.output(mixed)

    def weights(
        self, words: Int[torch.Tensor, "batch n"]
    ) -> Float[torch.Tensor, "batch n"]:
        """Give each word of a review its weight."""
        return self.attend(self.encode(self.embed(words)))


class Guided(nn.Module):
    """A model of words alone that must use another model's weights.

    Wiegreffe and Pinter 2019, section 3.4: if weights that one model found
    help another, which sees no context, they say something about the words.
    """

    def __init__(self, guide: Classifier, *, seed: int):
        super().__init__()
        self.reader = Classifier("words", seed=seed)
        # In a list, so that its weights are not trained with ours.
        self._guide = [guide]

    def forward(
        self, words: Int[torch.Tensor, "batch n"]
    ) -> Float[torch.Tensor, "batch 2"]:
        """Score both verdicts by the guide's weights."""
        with torch.no_grad():
            weights = self._guide[0].weights(words)
        return self.reader(words, weights)


def divergence(
    p: Float[torch.Tensor, "... n"], q: Float[torch.Tensor, "... n"]
) -> Float[torch.Tensor, "..."]:
    """Give the Jensen-Shannon divergence in nats: 0 same, ln 2 disjoint.

    >>> divergence(torch.tensor([1.0, 0.0]), torch.tensor([0.0, 1.0]))
    tensor(0.6931)
    """
    mean = (p + q) / 2
    # The smallest normal number keeps 0 · log 0 at 0, gradients included.
    tiny = torch.finfo(p.dtype).tiny
    p, q, mean = p.clamp(min=tiny), q.clamp(min=tiny), mean.clamp(min=tiny)
    return ((p * (p / mean).log() + q * (q / mean).log()) / 2).sum(-1)


def total_variation(
    p: Float[torch.Tensor, "... n"], q: Float[torch.Tensor, "... n"]
) -> Float[torch.Tensor, "..."]:
    """Give half the sum of differences: 0 same, 1 disjoint.

    >>> total_variation(torch.tensor([0.75, 0.25]), torch.tensor([0.5, 0.5]))
    tensor(0.2500)
    """
    return (p - q).abs().sum(-1) / 2
