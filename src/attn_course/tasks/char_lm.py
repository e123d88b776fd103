"""Models that name the next letter of a text, and write on.

`writer` makes three of equal size: a causal transformer, the same with equal
weights in place of attention, and a GRU. What differs is how the letters
before reach the one that is asked for.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import nn

from attn_course import attention_weights
from attn_course.masks import check_count
from attn_course.nn.causal_lm import CausalModel
from attn_course.nn.train import Batch

__all__ = [
    "KINDS",
    "Alphabet",
    "Writer",
    "attentions",
    "batches",
    "bits",
    "weight_by_distance",
    "write",
    "writer",
]

KINDS = ("attention", "equal weights", "GRU")


class Alphabet:
    """The letters of a text, in order, and their numbers.

    Raises
    ------
    ValueError
        When a text is empty; `encode` and `decode`, when they are given what
        is not in the alphabet.

    Examples
    --------
    >>> alphabet = Alphabet("banana")
    >>> alphabet.encode("nab").tolist()
    [2, 0, 1]
    >>> alphabet.decode([1, 0, 2])
    'ban'
    """

    def __init__(self, text: str):
        if not text:
            raise ValueError("expected a text with letters, got an empty one")
        self.letters = "".join(sorted(set(text)))
        self._places = {letter: i for i, letter in enumerate(self.letters)}

    def __len__(self) -> int:
        return len(self.letters)

    def encode(self, text: str) -> Int[torch.Tensor, " n"]:
        """Turn letters into numbers."""
        unknown = sorted(set(text) - set(self.letters))
        if unknown:
            raise ValueError(
                f"expected letters among {self.letters!r}, got {unknown}"
            )
        return torch.tensor([self._places[letter] for letter in text])

    def decode(self, numbers: Sequence[int] | Any) -> str:
        """Turn numbers into letters."""
        numbers = [int(number) for number in numbers]
        if not all(0 <= number < len(self) for number in numbers):
            raise ValueError(
                f"expected numbers from 0 to {len(self) - 1}, got {numbers}"
            )
        return "".join(self.letters[number] for number in numbers)


class Writer(nn.Module):
    """A language model, asked at every place of a batch at once.

    `body` gives `(batch, n, letters)` for letters `(batch, n)`.
    """

    def __init__(self, body: nn.Module):
        super().__init__()
        self.body = body

    def forward(
        self, letters: Int[torch.Tensor, "batch n"]
    ) -> Float[torch.Tensor, "asked n_letters"]:
        """Score every letter as the next one; asked = batch · n."""
        return self.body(letters).flatten(0, 1)


class RecurrentModel(nn.Module):
    """Letters in, scores for the next one out, by a GRU (Cho et al. 2014)."""

    def __init__(self, n_words: int, *, d_model: int, d_h: int, seed: int):
        super().__init__()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.embed = nn.Embedding(n_words, d_model)
            self.cell = nn.GRU(d_model, d_h, batch_first=True)
            self.output = nn.Linear(d_h, n_words)

    def forward(
        self, words: Int[torch.Tensor, "batch n"]
    ) -> Float[torch.Tensor, "batch n n_words"]:
        """Score every letter as the next one, at every place."""
        states, _ = self.cell(self.embed(words))  # (batch, n, d_h)
        return self.output(states)


def writer(
    kind: str,
    n_letters: int,
    *,
    layers: int = 2,
    d_model: int = 96,
    heads: int = 4,
    d_ff: int = 192,
    seed: int,
) -> Writer:
    """Make one of KINDS, with its first weights.

    The sizes are those of the transformer. With equal weights its queries
    and keys are zero for good, and a wider feed-forward part makes up for
    their number; the GRU's state is as wide as gives it as many parameters
    that learn.

    Raises
    ------
    ValueError
        When there is no such kind.

    Examples
    --------
    >>> sizes = {
    ...     kind: sum(p.numel() for p in writer(kind, 70, seed=0).parameters()
    ...               if p.requires_grad)
    ...     for kind in KINDS
    ... }
    >>> max(sizes.values()) / min(sizes.values()) < 1.02
    True
    """
    if kind not in KINDS:
        raise ValueError(f"expected kind in {list(KINDS)}, got {kind!r}")
    sizes = {"d_model": d_model, "heads": heads, "kv_heads": heads}
    if kind == "attention":
        body = CausalModel(
            n_letters, layers=layers, d_ff=d_ff, seed=seed, **sizes
        )
        return Writer(body)
    if kind == "equal weights":
        # Three maps of d_model · d_ff make up for two of d_model².
        wider = d_ff + round(2 * d_model / 3)
        body = CausalModel(
            n_letters, layers=layers, d_ff=wider, seed=seed, **sizes
        )
        for block in body.blocks:
            for unused in (block.query, block.key):
                unused.requires_grad_(False)
                nn.init.zeros_(unused.weight)
        return Writer(body)
    wanted = layers * (4 * d_model**2 + 3 * d_model * d_ff + 2 * d_model)
    wanted += d_model + d_model * n_letters
    # 3 h² + (3 d_model + 6 + letters) h, solved for what is wanted.
    half = (3 * d_model + 6 + n_letters) / 6
    d_h = round(math.sqrt(half**2 + (wanted - n_letters) / 3) - half)
    return Writer(
        RecurrentModel(n_letters, d_model=d_model, d_h=d_h, seed=seed)
    )


def batches(
    letters: Int[torch.Tensor, " n"], *, length: int, size: int
) -> Callable[[torch.Generator], Batch]:
    """Cut pieces out of a text at random, for `models.train`.

    Returns
    -------
    callable
        Takes a generator, gives a batch: letters `(size, length)`, and the
        one after each of them, `(size · length,)`.

    Raises
    ------
    ValueError
        When the text has no letter after `length` of them.
    """
    check_count("length", length, least=1)
    check_count("size", size, least=1)
    if len(letters) <= length:
        raise ValueError(
            f"expected more than {length} letters, got {len(letters)}"
        )
    pieces = letters.unfold(0, length + 1, 1)  # (n − length, length + 1)

    def draw(generator: torch.Generator) -> Batch:
        places = torch.randint(len(pieces), (size,), generator=generator)
        piece = pieces[places]  # (size, length + 1)
        return Batch((piece[:, :-1],), piece[:, 1:].flatten())

    return draw


@torch.no_grad()
def bits(
    model: Writer, letters: Int[torch.Tensor, " n"], *, length: int
) -> Float[np.ndarray, " length"]:
    """Measure the bits for a letter, by how many letters stand before it.

    The text is cut into pieces that overlap in one letter. Number i of the
    result is the mean over pieces of the letter that has i + 1 before it.

    Raises
    ------
    ValueError
        When the text has no letter after `length` of them.
    """
    if len(letters) <= length:
        raise ValueError(
            f"expected more than {length} letters, got {len(letters)}"
        )
    pieces = letters.unfold(0, length + 1, length)
    lost = [
        nn.functional.cross_entropy(
            model(some[:, :-1]), some[:, 1:].flatten(), reduction="none"
        ).unflatten(0, (-1, length))
        for some in pieces.split(64)
    ]
    return torch.cat(lost).mean(0).double().numpy() / math.log(2)


@torch.no_grad()
def weight_by_distance(
    model: Writer, letters: Int[torch.Tensor, " n"], *, length: int
) -> Float[np.ndarray, "layers heads length"]:
    """Average what the last of `length` letters gives to each before it.

    Number i of the result belongs to the letter that stands i places before
    the one that asks: 0 is itself. The mean is over pieces of the text.

    Raises
    ------
    ValueError
        When the text is shorter than `length`, or the model has no
        attention.
    """
    if len(letters) < length:
        raise ValueError(
            f"expected at least {length} letters, got {len(letters)}"
        )
    pieces = letters.unfold(0, length, length)  # (pieces, length)
    rows = [attentions(model, some)[..., -1, :] for some in pieces.split(64)]
    mean = torch.cat(rows, dim=1).mean(1)  # (layers, heads, length)
    return mean.flip(-1).double().numpy()


@torch.no_grad()
def write(
    model: Writer,
    letters: Int[torch.Tensor, " n"],
    steps: int,
    *,
    temperature: float = 1.0,
    length: int,
    seed: int,
) -> Int[torch.Tensor, " n_plus_steps"]:
    """Write on, each letter drawn from the model's chances for it.

    Parameters
    ----------
    model
        What to ask.
    letters
        What stands there already: at least one letter.
    steps
        How many to add.
    temperature
        Scores are divided by it: below 1 the likely letters become likelier,
        0 takes the likeliest.
    length
        How many letters back the model reads: those of training.
    seed
        Of the draws.

    Raises
    ------
    ValueError
        When there is no letter to begin with, or the temperature is below 0.
    """
    check_count("steps", steps)
    if not len(letters):
        raise ValueError("expected at least one letter to begin with, got 0")
    if not temperature >= 0:
        raise ValueError(
            f"expected a temperature of at least 0, got {temperature}"
        )
    generator = torch.Generator().manual_seed(seed)
    for _ in range(steps):
        scores = model(letters[None, -length:])[-1]  # (n_letters,)
        if temperature == 0:
            new = scores.argmax()[None]
        else:
            chances = (scores / temperature).softmax(-1)
            new = torch.multinomial(chances, 1, generator=generator)
        letters = torch.cat([letters, new])
    return letters


@torch.no_grad()
def attentions(
    model: Writer, letters: Int[torch.Tensor, "... n"]
) -> Float[torch.Tensor, "layers ... heads n n"]:
    """Give the weights of every head.

    Raises
    ------
    ValueError
        When the model has no attention.
    """
    if not isinstance(model.body, CausalModel):
        raise ValueError(
            f"expected a transformer, got a {type(model.body).__name__}"
        )
    x, maps = model.body.embed(letters), []
    for block in model.body.blocks:
        maps.append(attention_weights(*block.queries_keys(x), causal=True))
        x = block(x)
    return torch.stack(maps)
