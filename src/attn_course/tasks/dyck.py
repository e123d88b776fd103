"""Dyck strings, brackets of several kinds, and models that keep track of them.

After each bracket the question is: which kind must close next? That is the
kind of the last one still open. Right after an opening bracket the answer
stands at the same place. After a closing one it must be looked up, and
neither the nearest bracket nor counting one kind will do.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import nn

from attn_course.nn.encoder import Transformer
from attn_course.nn.train import Batch

__all__ = [
    "DEPTH",
    "KINDS",
    "LENGTH",
    "MOST",
    "SIGNS",
    "Asked",
    "GruReader",
    "Looks",
    "Reader",
    "Strings",
    "batches",
    "looks",
    "right",
    "strings",
]

SIGNS = "([{)]}"
KINDS = len(SIGNS) // 2
LENGTH = 24
DEPTH = 4
# The longest string that a model is asked about.
MOST = 48


class Strings(NamedTuple):
    """Strings of brackets, `(batch, n)`; kinds, then the same, closing.

    `opener` is the place of the last bracket that is open still, −1 where
    none is; `depth` counts those that are.
    """

    brackets: torch.Tensor
    opener: torch.Tensor
    depth: torch.Tensor

    @property
    def asked(self) -> Bool[torch.Tensor, "batch n"]:
        """Say where something is open."""
        return self.depth > 0

    @property
    def looked_up(self) -> Bool[torch.Tensor, "batch n"]:
        """Say where it was not opened just now."""
        return self.asked & (self.brackets >= KINDS)

    @property
    def kind(self) -> Int[torch.Tensor, "batch n"]:
        """Give the kind that must close next; any where nothing is open."""
        return self.brackets.gather(1, self.opener.clamp(min=0))

    def text(self, row: int) -> str:
        """Write one string as people do."""
        return "".join(SIGNS[i] for i in self.brackets[row].tolist())


def strings(
    batch: int,
    generator: torch.Generator,
    *,
    length: int = LENGTH,
    depth: int = DEPTH,
) -> Strings:
    """Draw beginnings of Dyck strings.

    A coin decides between opening and closing, as far as the depth allows
    both; another draw decides the kind. What stays open at the end could be
    closed later.

    Parameters
    ----------
    batch
        How many.
    generator
        Where chance comes from.
    length, depth
        Of each string, and the most brackets that are open at once.

    Examples
    --------
    >>> drawn = strings(1, torch.Generator().manual_seed(1), length=8)
    >>> drawn.text(0)
    '{({}[][]'
    """
    rows = torch.arange(batch)
    stack = torch.full((batch, depth + 1), -1)  # places; the first is none
    open_now = torch.zeros(batch, dtype=torch.long)
    opens = torch.rand(batch, length, generator=generator) < 0.5
    kinds = torch.randint(KINDS, (batch, length), generator=generator)
    brackets = torch.zeros(batch, length, dtype=torch.long)
    openers, depths = torch.zeros_like(brackets), torch.zeros_like(brackets)
    for place in range(length):
        top = stack[rows, open_now]  # (batch,)
        opening = (opens[:, place] | (open_now == 0)) & (open_now < depth)
        closing = brackets[rows, top.clamp(min=0)] + KINDS
        brackets[:, place] = torch.where(opening, kinds[:, place], closing)
        open_now = open_now + torch.where(opening, 1, -1)
        pushed = torch.where(opening, place, stack[rows, open_now])
        stack[rows, open_now] = pushed
        openers[:, place], depths[:, place] = pushed, open_now
    return Strings(brackets, openers, depths)


class Reader(nn.Module):
    """A small transformer that sees no later bracket.

    Parameters
    ----------
    layers, d_model, heads, d_ff, positions
        As in `Transformer`.
    equal
        Replace attention by equal weights over all brackets so far; a wider
        feed-forward part makes up for the queries and keys.
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
        positions: str = "sinusoidal",
        equal: bool = False,
        seed: int,
    ):
        super().__init__()
        self.transformer = Transformer(
            len(SIGNS),
            layers=layers,
            d_model=d_model,
            heads=heads,
            d_ff=d_ff + d_model if equal else d_ff,
            positions=positions,
            max_length=MOST,
            seed=seed,
        )
        if equal:  # all scores are 0, for good
            for layer in self.transformer.layers:
                for unused in (layer.query, layer.key):
                    unused.requires_grad_(False)
                    nn.init.zeros_(unused.weight)
                    nn.init.zeros_(unused.bias)

    def forward(
        self, brackets: Int[torch.Tensor, "batch n"]
    ) -> Float[torch.Tensor, "batch n kinds"]:
        """Score each kind as the one that must close next."""
        return self.transformer(brackets, _causal(brackets))[..., :KINDS]

    def attentions(
        self, brackets: Int[torch.Tensor, "batch n"]
    ) -> Float[torch.Tensor, "layers batch heads n n"]:
        """Give every head's attention weights."""
        return self.transformer.attentions(brackets, _causal(brackets))


class GruReader(nn.Module):
    """A recurrent network for the same task (Cho et al. 2014).

    Parameters
    ----------
    d_model, hidden
        Length of the vectors of brackets, and of the state.
    seed
        Of the first weights.
    """

    def __init__(self, *, d_model: int = 48, hidden: int = 88, seed: int):
        super().__init__()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.embed = nn.Embedding(len(SIGNS), d_model)
            self.gru = nn.GRU(d_model, hidden, batch_first=True)
            self.output = nn.Linear(hidden, KINDS)

    def forward(
        self, brackets: Int[torch.Tensor, "batch n"]
    ) -> Float[torch.Tensor, "batch n kinds"]:
        """Score each kind as the one that must close next."""
        states, _ = self.gru(self.embed(brackets))
        return self.output(states)


class Asked(nn.Module):
    """A model as `models.train` wants it: scores where something is open."""

    def __init__(self, model: nn.Module):
        super().__init__()
        self.model = model

    def forward(
        self,
        brackets: Int[torch.Tensor, "batch n"],
        asked: Bool[torch.Tensor, "batch n"],
    ) -> Float[torch.Tensor, "asked kinds"]:
        """Give the scores of all places asked, one after the other."""
        return self.model(brackets)[asked]


def batches(size: int = 64) -> Callable[[torch.Generator], Batch]:
    """Draw strings for `models.train`, all places where one is open."""

    def draw(generator: torch.Generator) -> Batch:
        drawn = strings(size, generator)
        asked = drawn.asked
        return Batch((drawn.brackets, asked), drawn.kind[asked])

    return draw


@torch.no_grad()
def right(
    model: nn.Module,
    drawn: Strings,
    where: Bool[torch.Tensor, "batch n"] | None = None,
) -> float:
    """Measure the share of right kinds where they must be looked up.

    `where` says which of those places count; all unless told.
    """
    asked = drawn.looked_up if where is None else drawn.looked_up & where
    named = model(drawn.brackets).argmax(-1)  # (batch, n)
    return (named == drawn.kind)[asked].float().mean().item()


class Looks(NamedTuple):
    """What each head gives to some brackets, mean over places that ask.

    Attributes
    ----------
    score
        Weight of the bracket that must be closed next.
    elsewhere
        A control: what the same brackets get from later places that must
        close another first.
    nearest
        A control: weight of the last bracket that was opened, and is closed
        by now.
    same_kind
        Weight of all other opening brackets of the same kind together.
    uniform
        What equal weights would give to one.
    """

    score: Any
    elsewhere: Any
    nearest: Any
    same_kind: Any
    uniform: float


def looks(
    weights: Float[Any, "layers batch heads n n"], drawn: Strings
) -> Looks:
    """Measure where heads look from places that must look up.

    Examples
    --------
    >>> drawn = strings(1, torch.Generator().manual_seed(1), length=8)
    >>> equal = np.tri(8) / np.arange(1, 9)[:, None]
    >>> found = looks(equal[None, None, None], drawn)
    >>> found.score.round(3), round(found.uniform, 3)
    (array([[0.181]]), 0.181)
    """
    weights = np.asarray(weights, dtype=np.float64)
    brackets, opener = drawn.brackets.numpy(), drawn.opener.numpy()
    n = brackets.shape[-1]
    place = np.arange(n)
    asks = drawn.looked_up.numpy()
    before = np.tri(n, dtype=bool)
    target = (opener[..., None] == place) & asks[..., None]  # (batch, n, n)
    opens = (brackets < KINDS)[:, None, :] & before
    last = np.maximum.accumulate(
        np.where(brackets < KINDS, place, -1), axis=-1
    )
    nearest = (last[..., None] == place) & asks[..., None]
    kind = drawn.kind.numpy()
    same = opens & (brackets[:, None, :] == kind[..., None]) & asks[..., None]
    # Later places at which another bracket is the last one open.
    others = before & (opener[..., None] != place) & (opener[..., None] >= 0)
    given = (weights * others[:, None]).sum(-2)  # (layers, batch, heads, n)
    given = given / np.maximum(others.sum(-2), 1)[:, None]
    counted = target & (others.sum(-2) > 0)[:, None, :]

    def mean(mask: np.ndarray, of: np.ndarray, count: int) -> np.ndarray:
        return (of * mask[:, None]).sum((1, 3, 4)) / count

    count = int(asks.sum())
    return Looks(
        score=mean(target, weights, count),
        elsewhere=mean(counted, given[..., None, :], int(counted.sum())),
        nearest=mean(nearest, weights, count),
        same_kind=mean(same & ~target, weights, count),
        uniform=float((1 / (place + 1) * asks).sum() / count),
    )


def _causal(brackets: torch.Tensor) -> torch.Tensor:
    n = brackets.shape[-1]
    return torch.ones(n, n, dtype=torch.bool).tril()
