r"""Look up two values at once, in order: one head must fail, two need not.

An episode shows `places` keys, each with a value, and asks for the values of
two of them: the first, then the second. A single attention layer reads; a
linear map names both values.

Why one head can't, of whatever width. Assume that

1. the weights :math:`\alpha_j` depend on the keys and on what is asked, not on
   the values;
2. the vector read at a place depends on its value alone (no positions);
3. one linear map, with or without a bias, turns what is read into scores for
   the first and for the second answer, and the highest score is the answer;
4. there are at least three values, and any may stand at any place.

Fix keys and question, so that :math:`\alpha` is fixed. Value c gets the score
:math:`T_c = \sum_j \alpha_j g(v_j)_c + \beta_c` as second answer, with g any
table. Suppose that all second answers are right. Rename the values: the
renamed table is right as well, for the task is the same for all names. So is
the mean of all renamed tables, for a sum of positive margins is positive. But
this mean knows each value only as itself or as another one:
:math:`T_c = p \cdot (\text{weight on places with value } c) + \text{const}`.

Call the places asked a and b. With w at b, u at all other places, and a third
value nowhere, w must beat the third one: :math:`p\,\alpha_b > 0`, hence p > 0.
With u at a, w at b and a third value elsewhere, w must beat u: so
:math:`\alpha_b > \alpha_a`. The same for the first answers gives
:math:`\alpha_a > \alpha_b`. Both can't be. Two heads have two sets of weights,
and the contradiction is gone: one looks at a, the other at b.

The proof is ours. That one head averages and thereby mixes what it reads is
the reason given for several heads by Vaswani et al. 2017, section 3.2.2.
"""

import itertools
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import nn

from attn_course.functional import attention
from attn_course.heads import merge_heads, split_heads
from attn_course.nn.train import Batch

__all__ = [
    "N_KEYS",
    "N_VALUES",
    "PLACES",
    "Search",
    "TwoPlaces",
    "both_right",
    "search",
    "two_places_batch",
]

N_KEYS, N_VALUES, PLACES = 16, 8, 6
# One question in four is kept for the test.
HELD_OUT = 4


def two_places_batch(
    batch: int, generator: torch.Generator, *, held_out: bool = False
) -> Batch:
    """Draw episodes; the question is an ordered pair of keys that are there.

    Training never asks for keys a, b, in this order, where a + 2b divides by
    4; the test asks for no others.

    Returns
    -------
    Batch
        Inputs: keys and values, `(batch, places)`, and the keys asked,
        `(batch, 2)`. Targets: the two values of each episode,
        `(2 · batch,)`.
    """
    found: list[torch.Tensor] = []
    while sum(map(len, found)) < batch:
        chances = torch.rand(2 * batch, N_KEYS, generator=generator)
        keys = chances.topk(PLACES).indices  # all different, in any order
        hidden = (keys[:, 0] + 2 * keys[:, 1]) % HELD_OUT == 0
        found.append(keys[hidden == held_out])
    keys = torch.cat(found)[:batch]  # the first two are asked for
    asked = keys[:, :2]
    values = torch.randint(N_VALUES, keys.shape, generator=generator)
    # Places mean nothing to the model: shuffling them would change nothing.
    return Batch((keys, values, asked), values[:, :2].reshape(-1))


class TwoPlaces(nn.Module):
    """One layer of attention and a linear read-out.

    Parameters
    ----------
    heads, width
        How many heads, and how wide all of them are together. The number of
        parameters depends on `width` alone.
    d_model
        Length of the vectors of keys, values and questions.
    seed
        Of the first weights; torch's own generator is left as it was.

    Raises
    ------
    ValueError
        When `width` is no multiple of `heads`.
    """

    def __init__(
        self, *, heads: int, width: int, d_model: int = 32, seed: int
    ):
        super().__init__()
        if width % heads:
            raise ValueError(
                f"expected width to be a multiple of {heads} heads, "
                f"got {width}"
            )
        self.heads = heads
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.embed_key = nn.Embedding(N_KEYS, d_model)
            self.embed_value = nn.Embedding(N_VALUES, d_model)
            self.embed_asked = nn.ModuleList(
                nn.Embedding(N_KEYS, d_model) for _ in range(2)
            )
            self.query = nn.Linear(d_model, width)
            self.key = nn.Linear(d_model, width)
            self.value = nn.Linear(d_model, width)
            self.output = nn.Linear(width, 2 * N_VALUES)

    def forward(
        self,
        keys: Int[torch.Tensor, "batch places"],
        values: Int[torch.Tensor, "batch places"],
        asked: Int[torch.Tensor, "batch 2"],
    ) -> Float[torch.Tensor, "batch_2 n_values"]:
        """Score every value as the first and as the second answer."""
        first, second = self.embed_asked
        question = first(asked[:, 0]) + second(asked[:, 1])
        q = split_heads(self.query(question)[:, None], self.heads)
        k = split_heads(self.key(self.embed_key(keys)), self.heads)
        v = split_heads(self.value(self.embed_value(values)), self.heads)
        read = merge_heads(attention(q, k, v))[:, 0]  # (batch, width)
        return self.output(read).reshape(-1, N_VALUES)


@torch.no_grad()
def both_right(model: TwoPlaces, batch: Batch) -> float:
    """Measure the share of episodes in which both answers are right."""
    named = model(*batch.inputs).argmax(-1)  # (2 · batch,)
    right = (named == batch.targets).reshape(-1, 2).all(-1)
    return right.float().mean().item()


class Search(NamedTuple):
    """The most episodes that were right, and how many there are."""

    best: int
    episodes: int


def search(
    *,
    heads: int,
    places: int = 3,
    n_values: int = 3,
    restarts: int = 100,
    steps: int = 500,
    seed: int = 0,
) -> Search:
    """Look for weights and a read-out that get every episode right.

    Keys and question are fixed, so a head is one set of weights, found
    directly; what it reads from a value and the read-out are one table for
    each head, of any width. All episodes, one for each way to put values at
    the places, are tried at every step of Adam.

    Examples
    --------
    >>> search(heads=2, restarts=5)
    Search(best=27, episodes=27)
    """
    generator = torch.Generator().manual_seed(seed)
    episodes = torch.tensor(
        list(itertools.product(range(n_values), repeat=places))
    )  # (episodes, places)
    there = nn.functional.one_hot(episodes, n_values).float()
    targets = episodes[:, :2].reshape(-1).repeat(restarts)
    shapes = [(heads, places), (heads, n_values, 2, n_values), (2, n_values)]
    scores, table, bias = (
        torch.randn(restarts, *shape, generator=generator).requires_grad_()
        for shape in shapes
    )
    update = torch.optim.Adam([scores, table, bias], lr=0.05)
    best = 0
    for _ in range(steps):
        share = torch.einsum("rhp,epv->rehv", scores.softmax(-1), there)
        answers = torch.einsum("rehv,rhvac->reac", share, table)
        answers = (answers + bias[:, None]).reshape(-1, n_values)
        named = answers.argmax(-1)
        right = (named == targets).reshape(restarts, len(episodes), 2)
        best = max(best, int(right.all(-1).sum(-1).max()))
        loss = nn.functional.cross_entropy(answers, targets)
        update.zero_grad()
        loss.backward()
        update.step()
    return Search(best, len(episodes))
