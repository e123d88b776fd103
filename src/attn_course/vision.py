"""A small vision transformer, and two rivals that read the same pictures.

A picture is cut into patches; each becomes a token, and from there on
everything is the transformer of words (Dosovitskiy et al. 2021). The rivals
are a multi-layer perceptron, for which every pixel is a number of its own,
and a convolutional network, which knows which pixels are neighbours.
"""

from collections.abc import Callable
from functools import cache
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import nn

from attn_course.data import load_digits
from attn_course.models import Batch
from attn_course.transformer import EncoderLayer

__all__ = [
    "PATCHES",
    "SHARES",
    "SIDE",
    "Split",
    "VisionTransformer",
    "as_maps",
    "batches",
    "cnn",
    "mlp",
    "patches",
    "split",
    "without",
]

SIDE, PATCH, CLASSES = 8, 2, 10
ACROSS = SIDE // PATCH
PATCHES = ACROSS**2
POSITIONS = ("learned", "none")
SHARES = [1100, 200, 497]  # to train on, to choose with, to test


def patches(
    pictures: Float[torch.Tensor, "... rows cols"], size: int = PATCH
) -> Float[torch.Tensor, "... n_patches pixels"]:
    """Cut pictures into square patches, row by row.

    Raises
    ------
    ValueError
        When rows or columns do not divide by the size of a patch.

    Examples
    --------
    >>> picture = torch.arange(16).reshape(4, 4)
    >>> patches(picture, 2)[1]
    tensor([2, 3, 6, 7])
    """
    *_, rows, cols = pictures.shape
    if rows % size or cols % size:
        raise ValueError(
            f"expected rows and columns that divide by {size}, "
            f"got {rows} × {cols}"
        )
    down = pictures.unflatten(-2, (-1, size)).unflatten(-1, (-1, size))
    return down.transpose(-3, -2).flatten(-2).flatten(-3, -2)


class VisionTransformer(nn.Module):
    """Name the digit in a picture of 8 × 8, from its 16 patches.

    The first token, CLS, is no patch: it starts the same in every picture,
    reads what the layers let it, and is what the digit is named from
    (Dosovitskiy et al. 2021, section 3.1). Each layer normalises first.

    Parameters
    ----------
    layers, d_model, heads, d_ff
        As in `EncoderLayer`.
    positions
        "learned" adds a vector to each place, which is trained; "none" adds
        nothing, so that the patches are a bag.
    equal
        Replace attention by equal weights: all scores are 0, for good. A
        wider feed-forward part makes up for the parameters of q and k.
    seed
        Of the first weights; torch's own generator is left as it was.

    Raises
    ------
    ValueError
        When `positions` is neither.
    """

    def __init__(
        self,
        *,
        layers: int = 2,
        d_model: int = 32,
        heads: int = 4,
        d_ff: int = 64,
        positions: str = "learned",
        equal: bool = False,
        seed: int,
    ):
        super().__init__()
        if positions not in POSITIONS:
            raise ValueError(
                f"expected positions in {list(POSITIONS)}, got {positions!r}"
            )
        wide = d_ff + d_model if equal else d_ff
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.embed = nn.Linear(PATCH**2, d_model)
            # As small as in the paper: a patch is not drowned by its place.
            self.cls = nn.Parameter(0.02 * torch.randn(d_model))
            places = 0.02 * torch.randn(PATCHES + 1, d_model)
            self.layers = nn.ModuleList(
                EncoderLayer(d_model, heads, wide, norm_first=True)
                for _ in range(layers)
            )
            self.norm = nn.LayerNorm(d_model)
            self.output = nn.Linear(d_model, CLASSES)
        if positions == "learned":
            self.places = nn.Parameter(places)
        else:
            self.register_buffer("places", torch.zeros_like(places))
        if equal:
            for layer in self.layers:
                for unused in (layer.query, layer.key):
                    unused.requires_grad_(False)
                    nn.init.zeros_(unused.weight)
                    nn.init.zeros_(unused.bias)

    def forward(
        self,
        pictures: Float[torch.Tensor, "batch 8 8"],
        hidden: Bool[torch.Tensor, "batch 16"] | None = None,
    ) -> Float[torch.Tensor, "batch 10"]:
        """Score every digit; nothing may look at `hidden` patches."""
        x, mask = self._tokens(pictures), _visible(hidden)
        for layer in self.layers:
            x = layer(x, mask)
        return self.output(self.norm(x[..., 0, :]))

    @torch.no_grad()
    def attentions(
        self,
        pictures: Float[torch.Tensor, "batch 8 8"],
        hidden: Bool[torch.Tensor, "batch 16"] | None = None,
    ) -> Float[torch.Tensor, "layers batch heads 17 17"]:
        """Give every head's attention weights; token 0 is CLS."""
        x, mask = self._tokens(pictures), _visible(hidden)
        maps = []
        for layer in self.layers:
            maps.append(layer.weights(x, mask))
            x = layer(x, mask)
        return torch.stack(maps)

    def looks(
        self, pictures: Float[torch.Tensor, "batch 8 8"]
    ) -> Float[torch.Tensor, "batch 16"]:
        """Give what CLS gives to each patch: last layer, mean over heads."""
        return self.attentions(pictures)[-1, :, :, 0, 1:].mean(1)

    def _tokens(self, pictures: torch.Tensor) -> torch.Tensor:
        if pictures.shape[-2:] != (SIDE, SIDE):
            raise ValueError(
                f"expected pictures of {SIDE} × {SIDE}, "
                f"got shape {tuple(pictures.shape)}"
            )
        embedded = self.embed(patches(pictures))  # (batch, 16, d_model)
        cls = self.cls.expand(*embedded.shape[:-2], 1, -1)
        return torch.cat([cls, embedded], dim=-2) + self.places


def mlp(*, hidden: int = 102, seed: int) -> nn.Sequential:
    """Make a perceptron with two hidden layers: pictures to scores."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return nn.Sequential(
            nn.Flatten(-2),
            nn.Linear(SIDE**2, hidden),
            nn.ReLU(),
            nn.Linear(hidden, hidden),
            nn.ReLU(),
            nn.Linear(hidden, CLASSES),
        )


def cnn(*, channels: int = 18, wide: int = 35, seed: int) -> nn.Sequential:
    """Make a network of three 3 × 3 convolutions: pictures to scores."""
    c, d = channels, wide
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return nn.Sequential(
            nn.Unflatten(-2, (1, SIDE)),
            nn.Conv2d(1, c, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(c, d, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(d, d, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Flatten(-3),
            nn.Linear(d * (SIDE // 4) ** 2, CLASSES),
        )


def batches(
    pictures: Float[torch.Tensor, "n 8 8"],
    labels: Int[torch.Tensor, " n"],
    size: int = 32,
) -> Callable[[torch.Generator], Batch]:
    """Draw pictures at random, `size` at a time, for `models.train`."""

    def draw(generator: torch.Generator) -> Batch:
        i = torch.randint(len(labels), (size,), generator=generator)
        return Batch((pictures[i],), labels[i])

    return draw


class Split(NamedTuple):
    """Digits to train on, to choose the rate with, and to test on."""

    train: Batch
    choose: Batch
    test: Batch


@cache
def split(pixels: str = "in place") -> Split:
    """Give the digits in three parts, in the order of the data set.

    They stand there grouped by hand: most of the test was written by hands
    that training never saw. "shuffled" moves all pixels to other places, the
    same ones in every picture.
    """
    digits = load_digits()
    pictures = torch.tensor(digits.pictures, dtype=torch.float32)
    if pixels == "shuffled":
        generator = torch.Generator().manual_seed(3000)
        moved = torch.randperm(SIDE**2, generator=generator)
        pictures = pictures.flatten(1)[:, moved].reshape(pictures.shape)
    shares = zip(
        pictures.split(SHARES),
        torch.tensor(digits.labels).split(SHARES),
        strict=True,
    )
    return Split(*(Batch((x,), y) for x, y in shares))


def without(
    order: Int[torch.Tensor, "batch n_patches"], count: int
) -> Bool[torch.Tensor, "batch n_patches"]:
    """Hide the first `count` patches of each picture's order.

    Examples
    --------
    >>> without(torch.tensor([[2, 0, 1]]), 2)
    tensor([[ True, False,  True]])
    """
    rank = order.argsort(-1)  # (batch, n_patches): each patch's place
    return rank < count


def as_maps(
    values: Float[np.ndarray, "... 16"],
) -> Float[np.ndarray, "... 8 8"]:
    """Spread one number a patch over its pixels, to be shown as a picture.

    Examples
    --------
    >>> as_maps(np.arange(16.0))[:3, :4]
    array([[0., 0., 1., 1.],
           [0., 0., 1., 1.],
           [4., 4., 5., 5.]])
    """
    grid = np.asarray(values).reshape(*np.shape(values)[:-1], ACROSS, ACROSS)
    return grid.repeat(PATCH, axis=-2).repeat(PATCH, axis=-1)


def _visible(hidden: torch.Tensor | None) -> torch.Tensor | None:
    """Turn hidden patches into a mask of keys, (batch, 1, 1, 17)."""
    if hidden is None:
        return None
    cls = torch.zeros_like(hidden[..., :1])
    return ~torch.cat([cls, hidden], dim=-1)[..., None, None, :]
