"""A small diffusion model of digits: noise, denoisers, and a way back.

A picture is mixed with noise, more at each of LEVELS levels, until nothing of
it is left. A denoiser is shown the mixture and its level, and guesses the
picture. Asked again and again, from pure noise down to none, it makes a new
one (Ho et al. 2020; the steps without new noise are those of Song et al.
2021). Pictures are ink from −1 (none) to 1 here.
"""

import math
from collections.abc import Callable

import torch
from jaxtyping import Float, Int
from torch import nn

from attn_course import attention
from attn_course.nn.encoder import EncoderLayer
from attn_course.nn.vit import PATCH, PATCHES, SIDE, patches

__all__ = [
    "LEVELS",
    "Convolutions",
    "Denoiser",
    "PatchTransformer",
    "Perceptron",
    "by_training_pictures",
    "draw",
    "joined",
    "linear_map",
    "noised",
    "shares",
    "train",
]

LEVELS = 20
# Guesses the pictures from (mixtures, levels).
Denoiser = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


def shares(
    level: Int[torch.Tensor, "*batch"],
) -> tuple[Float[torch.Tensor, "*batch"], Float[torch.Tensor, "*batch"]]:
    """Give how much picture and how much noise a level mixes.

    Their squares sum to 1, so that a mixture is about as large as a picture:
    a quarter turn from all picture (level 0) to all noise (LEVELS), as in
    the cosine schedule of Nichol and Dhariwal (2021), without its offset.

    Examples
    --------
    >>> picture, noise = shares(torch.tensor([0, LEVELS // 2, LEVELS]))
    >>> noise
    tensor([0.0000, 0.7071, 1.0000])
    """
    angle = math.pi / 2 * level / LEVELS
    return angle.cos().clamp(min=0), angle.sin()


def noised(
    pictures: Float[torch.Tensor, "batch 8 8"],
    level: Int[torch.Tensor, " batch"],
    generator: torch.Generator,
) -> Float[torch.Tensor, "batch 8 8"]:
    """Mix each picture with noise of its level (Ho et al. 2020, eq. 4)."""
    picture, noise = (x[:, None, None] for x in shares(level))
    drawn = torch.randn(pictures.shape, generator=generator)
    return picture * pictures + noise * drawn


def draw(
    denoiser: Denoiser, count: int, generator: torch.Generator
) -> Float[torch.Tensor, "count 8 8"]:
    """Make pictures from noise (Song et al. 2021, eq. 12, with σ = 0).

    Each step guesses the picture, works out which noise is left beside it,
    and mixes both again, one level down.
    """
    mixed = torch.randn(count, SIDE, SIDE, generator=generator)
    with torch.no_grad():
        for step in range(LEVELS, 0, -1):
            picture, noise = shares(torch.tensor(step))
            guess = denoiser(mixed, torch.full((count,), step))
            left = (mixed - picture * guess) / noise
            picture, noise = shares(torch.tensor(step - 1))
            mixed = picture * guess + noise * left
    return mixed


def train(
    model: nn.Module,
    pictures: Float[torch.Tensor, "n 8 8"],
    *,
    steps: int,
    learning_rate: float,
    batch: int = 64,
    seed: int,
) -> list[float]:
    """Train a denoiser in place; give the loss of each step.

    The loss is the mean squared error of the guessed picture, at a level
    drawn from 1 to LEVELS for each. Training stops where it is not finite.
    """
    generator = torch.Generator().manual_seed(seed)
    update = torch.optim.Adam(model.parameters(), lr=learning_rate)
    losses: list[float] = []
    for _ in range(steps):
        which = torch.randint(len(pictures), (batch,), generator=generator)
        level = torch.randint(1, LEVELS + 1, (batch,), generator=generator)
        clean = pictures[which]  # (batch, 8, 8)
        guess = model(noised(clean, level, generator), level)
        loss = nn.functional.mse_loss(guess, clean)
        update.zero_grad()
        loss.backward()
        update.step()
        losses.append(loss.item())
        if not math.isfinite(losses[-1]):
            break
    return losses


# Denoisers that learn


class PatchTransformer(nn.Module):
    """Denoise with a transformer whose tokens are patches of 2 × 2 pixels.

    Parameters
    ----------
    equal
        Replace attention by equal weights: all scores are 0, for good. A
        wider feed-forward part makes up for the parameters of q and k.
    layers, d_model, heads, d_ff
        As in `EncoderLayer`; positions and levels are learned vectors.
    seed
        Of the first weights; torch's own generator is left as it was.
    """

    def __init__(
        self,
        *,
        equal: bool = False,
        layers: int = 2,
        d_model: int = 32,
        heads: int = 4,
        d_ff: int = 64,
        seed: int,
    ):
        super().__init__()
        wide = d_ff + d_model if equal else d_ff
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.embed = nn.Linear(PATCH**2, d_model)
            self.places = nn.Parameter(0.02 * torch.randn(PATCHES, d_model))
            self.level = nn.Embedding(LEVELS + 1, d_model)
            self.layers = nn.ModuleList(
                EncoderLayer(d_model, heads, wide, norm_first=True)
                for _ in range(layers)
            )
            self.norm = nn.LayerNorm(d_model)
            self.output = nn.Linear(d_model, PATCH**2)
        if equal:
            for layer in self.layers:
                for unused in (layer.query, layer.key):
                    unused.requires_grad_(False)
                    nn.init.zeros_(unused.weight)
                    nn.init.zeros_(unused.bias)

    def forward(
        self,
        mixed: Float[torch.Tensor, "batch 8 8"],
        level: Int[torch.Tensor, " batch"],
    ) -> Float[torch.Tensor, "batch 8 8"]:
        """Guess the pictures."""
        x = self.embed(patches(mixed)) + self.places  # (batch, 16, d_model)
        x = x + self.level(level)[:, None]
        for layer in self.layers:
            x = layer(x)
        return joined(self.output(self.norm(x)))


class Convolutions(nn.Module):
    """Denoise with four 3 × 3 convolutions, told the level at each bend."""

    def __init__(self, *, channels: int = 31, seed: int):
        super().__init__()
        c = channels
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.first = nn.Conv2d(1, c, 3, padding=1)
            self.level = nn.Embedding(LEVELS + 1, c)
            self.between = nn.ModuleList(
                nn.Conv2d(c, c, 3, padding=1) for _ in range(2)
            )
            self.last = nn.Conv2d(c, 1, 3, padding=1)

    def forward(
        self,
        mixed: Float[torch.Tensor, "batch 8 8"],
        level: Int[torch.Tensor, " batch"],
    ) -> Float[torch.Tensor, "batch 8 8"]:
        """Guess the pictures."""
        told = self.level(level)[:, :, None, None]  # (batch, c, 1, 1)
        x = self.first(mixed[:, None])  # (batch, c, 8, 8)
        for convolution in self.between:
            x = x + convolution(torch.relu(x + told))
        return self.last(torch.relu(x + told))[:, 0]


class Perceptron(nn.Module):
    """Denoise with two hidden layers over all pixels, told the level."""

    def __init__(self, *, hidden: int = 80, seed: int):
        super().__init__()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.first = nn.Linear(SIDE**2, hidden)
            self.level = nn.Embedding(LEVELS + 1, hidden)
            self.second = nn.Linear(hidden, hidden)
            self.last = nn.Linear(hidden, SIDE**2)

    def forward(
        self,
        mixed: Float[torch.Tensor, "batch 8 8"],
        level: Int[torch.Tensor, " batch"],
    ) -> Float[torch.Tensor, "batch 8 8"]:
        """Guess the pictures."""
        x = self.first(mixed.flatten(-2)) + self.level(level)
        x = self.second(torch.relu(x))  # (batch, hidden)
        return self.last(torch.relu(x)).unflatten(-1, (SIDE, SIDE))


def joined(
    cut: Float[torch.Tensor, "... 16 4"],
) -> Float[torch.Tensor, "... 8 8"]:
    """Put patches together again: the way back from `vision.patches`.

    Examples
    --------
    >>> picture = torch.randn(8, 8)
    >>> torch.equal(joined(patches(picture)), picture)
    True
    """
    across = SIDE // PATCH
    grid = cut.unflatten(-2, (across, across)).unflatten(-1, (PATCH, PATCH))
    return grid.transpose(-3, -2).flatten(-2).flatten(-3, -2)


# Denoisers that only look up


def by_training_pictures(
    known: Float[torch.Tensor, "n 8 8"],
) -> Denoiser:
    """Guess with attention over the pictures of training themselves.

    The mixture is the query, the known pictures are keys and values. With
    scores −|x − a·known|² / 2s², for shares a and s, the softmax gives each
    known picture's chance of being the one in the mixture, were there no
    others: the best guess for pictures already seen.
    """
    flat = known.flatten(-2)  # (n, 64)

    def guess(mixed: torch.Tensor, level: torch.Tensor) -> torch.Tensor:
        a, s = (x[:, None] for x in shares(level))  # (batch, 1)
        query = mixed.flatten(-2) * a / s**2  # (batch, 64)
        # What of the square depends on the key alone; |x|² falls away.
        bias = -((a / s) ** 2) / 2 * (flat**2).sum(-1)  # (batch, n)
        found = attention(query, flat, flat, bias=bias, scale=1.0)
        return found.unflatten(-1, (SIDE, SIDE))

    return guess


def linear_map(known: Float[torch.Tensor, "n 8 8"]) -> Denoiser:
    """Guess with the best linear map for each level (Wiener's filter).

    It needs the mean of the known pictures and how their pixels vary
    together, nothing else.
    """
    flat = known.flatten(-2)
    mean, vary = flat.mean(0), flat.T.cov()  # (64,), (64, 64)

    def guess(mixed: torch.Tensor, level: torch.Tensor) -> torch.Tensor:
        a, s = (x[:, None, None] for x in shares(level))  # (batch, 1, 1)
        seen = a**2 * vary + s**2 * torch.eye(SIDE**2)
        off = mixed.flatten(-2) - a[..., 0] * mean  # (batch, 64)
        found = torch.linalg.solve(seen, off[..., None])  # (batch, 64, 1)
        return (mean + (a * vary @ found)[..., 0]).unflatten(-1, (SIDE, SIDE))

    return guess
