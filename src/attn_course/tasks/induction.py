"""Sequences that repeat themselves, and models of attention alone.

Somewhere among fresh letters a block comes twice. How long the block is (the
period) is drawn anew for each sequence, so that nobody can learn to copy from
a fixed distance: the model must find where the last letter
stood before, and copy what came after it. A head that looks there is called
an induction head (Elhage et al. 2021; Olsson et al. 2022).
"""

import string
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import nn

from attn_course.functional import attention, attention_weights
from attn_course.heads import merge_heads, split_heads
from attn_course.positions import sinusoidal

__all__ = [
    "LENGTH",
    "LETTERS",
    "TRAINED_PERIODS",
    "UNSEEN_PERIODS",
    "AttentionOnly",
    "Repeats",
    "checkpoints",
    "induction_targets",
    "mean_weight",
    "previous_targets",
    "repeats",
    "second_block",
]

LETTERS = string.ascii_uppercase + string.ascii_lowercase + string.digits
LENGTH = 32
# Never trained: two between trained periods, two shorter, two longer.
UNSEEN_PERIODS = (2, 3, 6, 9, 14, 16)
TRAINED_PERIODS = (4, 5, 7, 8, 10, 11, 12)
POSITIONS = ("sinusoidal", "learned")


class Repeats(NamedTuple):
    """Sequences, `(batch, n)`; of each, the period and where block two starts.

    `periods` and `second` have shape `(batch,)`.
    """

    letters: torch.Tensor
    periods: torch.Tensor
    second: torch.Tensor

    @property
    def known(self) -> Bool[torch.Tensor, "batch n"]:
        """Say which letters can be told from those before: block two.

        Its first letter can't be known before it comes.
        """
        after = torch.arange(self.letters.shape[1]) - self.second[:, None]
        return (after > 0) & (after < self.periods[:, None])


def repeats(
    batch: int,
    generator: torch.Generator,
    *,
    periods: Sequence[int] = TRAINED_PERIODS,
    length: int = LENGTH,
    repeat: bool = True,
) -> Repeats:
    """Draw sequences in which a block is followed by itself.

    It starts anywhere. All other letters are different, so each letter of
    the second block stood in exactly one place before.

    Parameters
    ----------
    batch
        How many sequences.
    generator
        Where chance comes from.
    periods
        What the length of the block is drawn from, for each sequence anew.
    length
        Of the whole sequence.
    repeat
        False: fresh letters in place of the second block, a control.

    Raises
    ------
    ValueError
        When two blocks are longer than the sequence, or the letters run out.

    Examples
    --------
    >>> drawn = repeats(1, torch.Generator().manual_seed(0), periods=[3],
    ...                 length=8)
    >>> "".join(LETTERS[i] for i in drawn.letters[0])
    'zaflafl2'
    """
    if 2 * max(periods) > length:
        raise ValueError(
            f"expected periods of at most {length // 2} for length={length}, "
            f"got {max(periods)}"
        )
    if length > len(LETTERS):
        raise ValueError(
            f"expected length of at most {len(LETTERS)}, got {length}"
        )
    chances = torch.rand(batch, len(LETTERS), generator=generator)
    fresh = chances.topk(length).indices  # (batch, n), all different
    drawn = torch.randint(len(periods), (batch,), generator=generator)
    period = torch.tensor(list(periods))[drawn]  # (batch,)
    starts = length - 2 * period + 1  # how many places the first may have
    start = (torch.rand(batch, generator=generator) * starts).long()
    second = start + period  # (batch,)
    after = torch.arange(length) - second[:, None]  # (batch, n)
    again = (after >= 0) & (after < period[:, None])
    source = torch.arange(length) - again * period[:, None]
    letters = fresh.gather(1, source) if repeat else fresh
    return Repeats(letters, period, second)


class AttentionOnly(nn.Module):
    """A causal language model of attention layers, and nothing else.

    Each layer adds what its heads read to the vector it got; there is no
    feed-forward part and no normalisation (Elhage et al. 2021, "Transformer
    overview"). All maps are without bias.

    Parameters
    ----------
    layers, heads
        How many layers, and heads in each.
    d_model, d_head
        Length of the vectors, and of each head's queries, keys and values.
        `heads * d_head` need not be `d_model`.
    positions
        "sinusoidal" adds `positions.sinusoidal`, "learned" a trained table.
    length
        The most letters in a sequence.
    seed
        Of the first weights; torch's own generator is left as it was.

    Raises
    ------
    ValueError
        When `positions` is neither of the two, or a sequence is too long.
    """

    def __init__(
        self,
        *,
        layers: int,
        heads: int = 4,
        d_model: int = 64,
        d_head: int = 16,
        positions: str = "sinusoidal",
        length: int = LENGTH,
        seed: int,
    ):
        super().__init__()
        if positions not in POSITIONS:
            raise ValueError(
                f"expected positions in {list(POSITIONS)}, got {positions!r}"
            )
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.embed = nn.Embedding(len(LETTERS), d_model)
            self.layers = nn.ModuleList(
                _Layer(d_model, heads, d_head) for _ in range(layers)
            )
            self.output = nn.Linear(d_model, len(LETTERS), bias=False)
            learned = torch.randn(length, d_model)
        if positions == "learned":
            self.places = nn.Parameter(learned)
        else:
            places = torch.tensor(sinusoidal(length, d_model))
            self.register_buffer("places", places.float())

    def forward(
        self, letters: Int[torch.Tensor, "batch n"]
    ) -> Float[torch.Tensor, "batch n n_letters"]:
        """Score every letter as the next one, at every place."""
        x = self._embedded(letters)  # (batch, n, d_model)
        for layer in self.layers:
            x = x + layer(x)
        return self.output(x)

    @torch.no_grad()
    def attentions(
        self, letters: Int[torch.Tensor, "batch n"]
    ) -> Float[torch.Tensor, "layers batch heads n n"]:
        """Give every head's attention weights."""
        x, maps = self._embedded(letters), []
        for layer in self.layers:
            maps.append(layer.weights(x))  # pyright: ignore[reportCallIssue]
            x = x + layer(x)
        return torch.stack(maps)

    def _embedded(self, letters: torch.Tensor) -> torch.Tensor:
        n, most = letters.shape[-1], len(self.places)
        if n > most:
            raise ValueError(f"expected at most {most} letters, got {n}")
        return self.embed(letters) + self.places[:n]


class _Layer(nn.Module):
    """Causal attention, and the map that mixes its heads."""

    def __init__(self, d_model: int, heads: int, d_head: int):
        super().__init__()
        self.heads = heads
        width = heads * d_head
        self.query = nn.Linear(d_model, width, bias=False)
        self.key = nn.Linear(d_model, width, bias=False)
        self.value = nn.Linear(d_model, width, bias=False)
        self.output = nn.Linear(width, d_model, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        v = split_heads(self.value(x), self.heads)  # (batch, heads, n, d)
        read = attention(*self._queries_keys(x), v, causal=True)
        return self.output(merge_heads(read))  # (batch, n, d_model)

    def weights(self, x: torch.Tensor) -> torch.Tensor:
        return attention_weights(*self._queries_keys(x), causal=True)

    def _queries_keys(
        self, x: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        q = split_heads(self.query(x), self.heads)
        return q, split_heads(self.key(x), self.heads)


def induction_targets(tokens: Any) -> Bool[np.ndarray, "... n n"]:
    """Say where an induction head looks: after the same token, earlier.

    Row i, column j is True where token j − 1 is token i, and stands before
    it. A token that is new has no target (Olsson et al. 2022, "prefix
    matching").

    Examples
    --------
    >>> found = induction_targets(list("abcab"))
    >>> [(int(i), int(j)) for i, j in zip(*found.nonzero())]
    [(3, 1), (4, 2)]
    """
    tokens = np.asarray(tokens)
    n = tokens.shape[-1]
    before = np.roll(tokens, 1, axis=-1)  # (..., n): token j − 1 at place j
    same = tokens[..., :, None] == before[..., None, :]  # (..., n, n)
    same[..., 0] = False  # nothing stands before the first
    return same & np.tri(n, dtype=bool)


def previous_targets(n: int) -> Bool[np.ndarray, "n n"]:
    """Say where a previous-token head looks.

    >>> previous_targets(3).astype(int).tolist()
    [[0, 0, 0], [1, 0, 0], [0, 1, 0]]
    """
    return np.eye(n, k=-1, dtype=bool)


def mean_weight(
    weights: Float[Any, "... batch heads n n"],
    target: Bool[np.ndarray, "#batch n n"],
) -> Float[np.ndarray, "... heads"]:
    """Average what each head gives its targets, over queries that have any.

    With `induction_targets` this is the induction score.

    Examples
    --------
    >>> equal = np.tri(4) / np.arange(1, 5)[:, None]
    >>> target = previous_targets(4)
    >>> mean_weight(equal[None, None], target[None]).round(3)  # 1/2, 1/3, 1/4
    array([0.361])
    """
    weights = np.asarray(weights, dtype=np.float64)
    asks = target.any(axis=-1)[:, None]  # (batch, 1, n)  # pyright: ignore[reportIndexIssue]
    given = (weights * target[:, None]).sum(axis=-1)  # (..., batch, heads, n)
    asks = np.broadcast_to(asks, given.shape)
    total = (given * asks).sum(axis=(-3, -1))
    return total / asks.sum(axis=(-3, -1))


@torch.no_grad()
def second_block(model: AttentionOnly, drawn: Repeats) -> dict[str, float]:
    """Measure how well the second block is told, but for its first letter.

    The first letter of the block can't be known before it comes.

    Returns
    -------
    dict
        `loss`, mean cross-entropy in nats, and `accuracy`.
    """
    scores, next_letter = _asked(model, drawn)
    loss = nn.functional.cross_entropy(scores, next_letter)
    right = (scores.argmax(-1) == next_letter).float().mean()
    return {"loss": loss.item(), "accuracy": right.item()}


def _asked(
    model: AttentionOnly, drawn: Repeats
) -> tuple[torch.Tensor, torch.Tensor]:
    """Give the scores for each letter that can be known, and the letters."""
    scores = model(drawn.letters[:, :-1])  # (batch, n − 1, n_letters)
    known = drawn.known[:, 1:]
    return scores[known], drawn.letters[:, 1:][known]


def checkpoints(
    model: AttentionOnly,
    at: Sequence[int],
    *,
    learning_rate: float,
    batch: int = 64,
    seed: int,
) -> Iterator[int]:
    """Train to name the next letter in block two; stop at each checkpoint.

    Adam with a constant rate. Only letters that can be known count.

    Parameters
    ----------
    model
        Changes in place; look at it whenever a step is handed over.
    at
        The steps to stop at, rising; 0 is before training.
    learning_rate, batch, seed
        Adam's rate, sequences in a step, seed of the sequences.

    Yields
    ------
    int
        Each step of `at`.

    Raises
    ------
    ValueError
        When the steps do not rise.
    """
    if list(at) != sorted(set(at)):
        raise ValueError(f"expected rising steps, got {list(at)}")
    generator = torch.Generator().manual_seed(seed)
    update = torch.optim.Adam(model.parameters(), lr=learning_rate)
    done = 0
    for stop in at:
        for _ in range(done, stop):
            asked = _asked(model, repeats(batch, generator))
            loss = nn.functional.cross_entropy(*asked)
            update.zero_grad()
            loss.backward()
            update.step()
        done = stop
        yield stop
