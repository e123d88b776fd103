"""Models that fill in a map of distances, pair by pair.

Each pair of residues has a vector. A layer mixes these vectors, then bends
each one alone. What a model may mix is its `Mixer`: triangle attention
(Jumper et al. 2021, supplementary algorithms 13 and 14, simplified), the same
with equal weights, products over triangles (algorithms 11 and 12, simplified,
no attention), or convolutions over the map, which came before (Wang et al.
2017).
"""

import torch
from jaxtyping import Bool, Float, Int
from torch import nn

from attn_course.heads import merge_heads, split_heads

__all__ = [
    "UNKNOWN",
    "Convolution",
    "MapFiller",
    "RowMean",
    "TriangleAttention",
    "TriangleProduct",
    "asked",
    "hide",
]

UNKNOWN = -1


def asked(
    seen: Int[torch.Tensor, "... n n"],
) -> Bool[torch.Tensor, "... n n"]:
    """Say which pairs are asked for: the unknown ones, each of them once.

    Examples
    --------
    >>> asked(torch.tensor([[0, -1], [-1, 0]])).int()
    tensor([[0, 1],
            [0, 0]], dtype=torch.int32)
    """
    return (seen == UNKNOWN).triu(1)


def hide(
    kinds: Int[torch.Tensor, "... n n"],
    share: float,
    generator: torch.Generator,
) -> Int[torch.Tensor, "... n n"]:
    """Put UNKNOWN for the distances that are not told.

    Each is told with the chance `share`, and always between residues up to
    two places apart.

    Raises
    ------
    ValueError
        When `share` is no chance.
    """
    if not 0 <= share <= 1:
        raise ValueError(f"expected share between 0 and 1, got {share}")
    n = kinds.shape[-1]
    drawn = torch.rand(kinds.shape, generator=generator)
    told = (drawn < share).triu(1)
    told = told | told.mT  # both ways, or not at all
    near = torch.ones(n, n).triu(-2).tril(2).bool()
    return torch.where(told | near, kinds, UNKNOWN)


class TriangleAttention(nn.Module):
    """Let each pair (i, j) ask the pairs (i, k), with a bias from (j, k).

    Jumper et al. 2021, supplementary algorithm 13, without its gate. In a
    symmetric map algorithm 14, where the pairs share their other end, is the
    same mirrored: see `MapFiller`.

    Parameters
    ----------
    d_model, heads
        Length of a pair's vector, number of heads.
    """

    def __init__(self, d_model: int, heads: int):
        super().__init__()
        self.heads = heads
        self.query = nn.Linear(d_model, d_model)
        self.key = nn.Linear(d_model, d_model)
        self.value = nn.Linear(d_model, d_model)
        self.bias = nn.Linear(d_model, heads)
        self.output = nn.Linear(d_model, d_model)

    def forward(
        self, x: Float[torch.Tensor, "batch n n d_model"]
    ) -> Float[torch.Tensor, "batch n n d_model"]:
        """Read from each pair's row."""
        q, k, v = (
            split_heads(part(x), self.heads)  # (batch, i, heads, n, d_head)
            for part in (self.query, self.key, self.value)
        )
        bias = self.bias(x).movedim(-1, 1)[:, None]  # (batch, 1, heads, j, k)
        bias = bias.expand(*q.shape[:-1], -1)  # (batch, i, heads, j, k)
        # torch's own, which adds a float mask to the scores: twice as fast.
        read = nn.functional.scaled_dot_product_attention(
            q, k, v, attn_mask=bias
        )  # (batch, i, heads, j, d_head)
        return self.output(merge_heads(read))


class RowMean(nn.Module):
    """Let each pair read its row with equal weights: nothing chooses."""

    def __init__(self, d_model: int):
        super().__init__()
        self.value = nn.Linear(d_model, d_model)
        self.output = nn.Linear(d_model, d_model)

    def forward(
        self, x: Float[torch.Tensor, "batch n n d_model"]
    ) -> Float[torch.Tensor, "batch n n d_model"]:
        """Read the mean of each pair's row, the same for the whole row."""
        read = self.value(x).mean(2, keepdim=True)  # (batch, i, 1, d_model)
        return self.output(read).expand_as(x)


class TriangleProduct(nn.Module):
    """Add up, over all k, a product of what (i, k) and (j, k) say.

    Jumper et al. 2021, supplementary algorithm 11, without its gates. It
    sees whole triangles, and nothing in it chooses.

    Parameters
    ----------
    d_model, width
        Length of a pair's vector, and of the two that are multiplied.
    """

    def __init__(self, d_model: int, width: int):
        super().__init__()
        self.one = nn.Linear(d_model, width)
        self.other = nn.Linear(d_model, width)
        self.norm = nn.LayerNorm(width)
        self.output = nn.Linear(width, d_model)

    def forward(
        self, x: Float[torch.Tensor, "batch n n d_model"]
    ) -> Float[torch.Tensor, "batch n n d_model"]:
        """Sum over the third residue."""
        one, other = (
            part(x).movedim(-1, 1)  # (batch, width, n, n)
            for part in (self.one, self.other)
        )
        both = one @ other.mT  # (batch, width, i, j)
        return self.output(self.norm(both.movedim(1, -1)))


class Convolution(nn.Module):
    """Mix each pair with those around it in the map, 3 × 3 of them.

    `apart` is how many places these are apart (Senior et al. 2020 let it
    grow from layer to layer).
    """

    def __init__(self, d_model: int, apart: int):
        super().__init__()
        self.mix = nn.Conv2d(
            d_model, d_model, 3, padding=apart, dilation=apart
        )

    def forward(
        self, x: Float[torch.Tensor, "batch n n d_model"]
    ) -> Float[torch.Tensor, "batch n n d_model"]:
        """Read from each pair's surroundings; outside the map are zeros."""
        return self.mix(x.movedim(-1, 1)).movedim(1, -1)


class MapFiller(nn.Module):
    """Name the bin of every unknown distance, from the known ones.

    A pair's vector starts from what is known of it and from how many places
    apart it is in the chain. Each layer adds what it mixes, and the mirror
    image of that, so that (i, j) and (j, i) stay the same.

    Parameters
    ----------
    mix
        "attention", "equal", "product" or "convolution".
    length, bins
        Residues in a fragment; kinds of distances.
    layers, d_model, d_ff
        Number of layers, length of a pair's vector, width of the bends.
    heads, width
        Of attention; of the products.
    seed
        Of the first weights; torch's own generator is left as it was.

    Raises
    ------
    ValueError
        When there is no such `mix`.
    """

    def __init__(
        self,
        mix: str,
        *,
        length: int,
        bins: int,
        layers: int = 2,
        d_model: int = 16,
        d_ff: int = 32,
        heads: int = 4,
        width: int = 16,
        seed: int,
    ):
        super().__init__()
        makers = {
            "attention": lambda _: TriangleAttention(d_model, heads),
            "equal": lambda _: RowMean(d_model),
            "product": lambda _: TriangleProduct(d_model, width),
            "convolution": lambda layer: Convolution(d_model, 2**layer),
        }
        if mix not in makers:
            raise ValueError(
                f"expected mix to be one of {list(makers)}, got {mix!r}"
            )
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.known = nn.Embedding(bins + 1, d_model)
            self.apart = nn.Embedding(length, d_model)
            self.mixers = nn.ModuleList(map(makers[mix], range(layers)))
            self.bends = nn.ModuleList(
                nn.Sequential(
                    nn.LayerNorm(d_model),
                    nn.Linear(d_model, d_ff),
                    nn.ReLU(),
                    nn.Linear(d_ff, d_model),
                )
                for _ in range(layers)
            )
            self.norms = nn.ModuleList(
                nn.LayerNorm(d_model) for _ in range(layers)
            )
            self.output = nn.Sequential(
                nn.LayerNorm(d_model), nn.Linear(d_model, bins)
            )

    def pairs(
        self, seen: Int[torch.Tensor, "batch n n"]
    ) -> Float[torch.Tensor, "batch n n d_model"]:
        """Give the vector of each pair after the last layer."""
        place = torch.arange(seen.shape[-1])
        apart = (place[:, None] - place).abs()
        x = self.known(seen - UNKNOWN) + self.apart(apart)
        for norm, mix, bend in zip(
            self.norms, self.mixers, self.bends, strict=True
        ):
            read = mix(norm(x))  # (batch, n, n, d_model)
            x = x + read + read.transpose(1, 2)
            x = x + bend(x)
        return x

    def forward(
        self, seen: Int[torch.Tensor, "batch n n"]
    ) -> Float[torch.Tensor, "asked bins"]:
        """Score the bins of the asked pairs, map by map and row by row."""
        return self.output(self.pairs(seen)[asked(seen)])
