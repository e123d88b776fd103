"""Models that name the speaker of an utterance, with attention and without.

An utterance is a row of frames, twelve numbers each. Utterances of different
lengths stand in one batch, filled up with zeros behind their last frame; no
model reads those. Each ends in a mean over frames, so that they differ in how
frames learn of one another, if at all.
"""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from jaxtyping import Bool, Float, Int
from torch import nn

from attn_course.data.utterances import COEFFICIENTS, SPEAKERS
from attn_course.nn.baselines import equalise
from attn_course.nn.encoder import EncoderLayer
from attn_course.nn.train import Batch

__all__ = [
    "FrameGRU",
    "FrameTransformer",
    "MeanFrame",
    "batches",
    "mean_over",
    "pad",
    "shuffled",
    "spoken",
]

LONGEST = 29


def spoken(
    lengths: Int[torch.Tensor, " batch"], n: int
) -> Bool[torch.Tensor, "batch n"]:
    """Say which of `n` frames were spoken; the others fill up.

    Examples
    --------
    >>> spoken(torch.tensor([1, 3]), 3)
    tensor([[ True, False, False],
            [ True,  True,  True]])
    """
    return torch.arange(n) < lengths[..., None]


def mean_over(
    states: Float[torch.Tensor, "batch n d"],
    lengths: Int[torch.Tensor, " batch"],
) -> Float[torch.Tensor, "batch d"]:
    """Take the mean over the frames that were spoken."""
    real = spoken(lengths, states.shape[-2])[..., None]  # (batch, n, 1)
    return (states * real).sum(-2) / lengths[..., None]


def pad(
    frames: Sequence[Float[Any, "n coefficients"]],
) -> tuple[
    Float[torch.Tensor, "batch longest coefficients"],
    Int[torch.Tensor, " batch"],
]:
    """Stack utterances, zeros behind their last frame; give their lengths.

    Examples
    --------
    >>> frames, lengths = pad([[[1.0, 2.0]], [[3.0, 4.0], [5.0, 6.0]]])
    >>> frames.shape, frames[0, 1], lengths
    (torch.Size([2, 2, 2]), tensor([0., 0.]), tensor([1, 2]))
    """
    rows = [torch.as_tensor(x, dtype=torch.float32) for x in frames]
    lengths = torch.tensor([len(row) for row in rows])
    return nn.utils.rnn.pad_sequence(rows, batch_first=True), lengths


def shuffled(
    frames: Float[torch.Tensor, "batch n coefficients"],
    lengths: Int[torch.Tensor, " batch"],
    generator: torch.Generator,
) -> Float[torch.Tensor, "batch n coefficients"]:
    """Put the frames of each utterance in an order drawn at random.

    What fills up stays behind them.
    """
    chances = torch.rand(frames.shape[:-1], generator=generator)
    chances[~spoken(lengths, frames.shape[-2])] = 2.0
    order = chances.argsort(-1)[..., None]  # (batch, n, 1)
    return frames.gather(-2, order.expand_as(frames))


def batches(
    frames: Float[torch.Tensor, "n longest coefficients"],
    lengths: Int[torch.Tensor, " n"],
    speakers: Int[torch.Tensor, " n"],
    size: int,
) -> Callable[[torch.Generator], Batch]:
    """Draw utterances at random, `size` at a time, for `models.train`."""

    def draw(generator: torch.Generator) -> Batch:
        i = torch.randint(len(speakers), (size,), generator=generator)
        return Batch((frames[i], lengths[i]), speakers[i])

    return draw


class FrameTransformer(nn.Module):
    """Name the speaker with one layer of a transformer over the frames.

    Frames are vectors already: one linear map embeds them. Each place has a
    vector of its own, which is learned; the layer normalises first.

    Parameters
    ----------
    equal
        Replace attention by equal weights, all scores 0 for good. A wider
        feed-forward part makes up for the parameters of q and k.
    d_model, heads, d_ff
        As in `EncoderLayer`.
    seed
        Of the first weights; torch's own generator is left as it was.
    """

    def __init__(
        self,
        *,
        equal: bool = False,
        d_model: int = 32,
        heads: int = 4,
        d_ff: int = 64,
        seed: int,
    ):
        super().__init__()
        self.equal = equal
        wide = d_ff + d_model if equal else d_ff
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.embed = nn.Linear(COEFFICIENTS, d_model)
            # Small, so that a frame is not drowned by its place.
            self.places = nn.Parameter(0.02 * torch.randn(LONGEST, d_model))
            self.layer = EncoderLayer(d_model, heads, wide, norm_first=True)
            self.norm = nn.LayerNorm(d_model)
            self.output = nn.Linear(d_model, SPEAKERS)
        if equal:
            equalise([self.layer])

    def forward(
        self,
        frames: Float[torch.Tensor, "batch n 12"],
        lengths: Int[torch.Tensor, " batch"],
    ) -> Float[torch.Tensor, "batch 9"]:
        """Score every speaker.

        Raises
        ------
        ValueError
            When there are more frames than places.
        """
        x, mask = self._tokens(frames, lengths)
        states = self.norm(self.layer(x, mask))  # (batch, n, d_model)
        return self.output(mean_over(states, lengths))

    @torch.no_grad()
    def looks(
        self,
        frames: Float[torch.Tensor, "batch n 12"],
        lengths: Int[torch.Tensor, " batch"],
    ) -> Float[torch.Tensor, "batch n"]:
        """Give what each frame gets: mean over heads and spoken queries."""
        weights = self.layer.weights(*self._tokens(frames, lengths))
        return mean_over(weights.mean(1), lengths)  # (batch, n)

    def _tokens(
        self, frames: torch.Tensor, lengths: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Give vectors, (batch, n, d_model), and who may be looked at."""
        n = frames.shape[-2]
        if n > LONGEST:
            raise ValueError(f"expected at most {LONGEST} frames, got {n}")
        mask = spoken(lengths, n)[:, None, None, :]  # (batch, 1, 1, n)
        return self.embed(frames) + self.places[:n], mask


class FrameGRU(nn.Module):
    """Name the speaker with a GRU over the frames (Cho et al. 2014)."""

    def __init__(self, *, d_model: int = 32, hidden: int, seed: int):
        super().__init__()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.embed = nn.Linear(COEFFICIENTS, d_model)
            self.cell = nn.GRU(d_model, hidden, batch_first=True)
            self.output = nn.Linear(hidden, SPEAKERS)

    def forward(
        self,
        frames: Float[torch.Tensor, "batch n 12"],
        lengths: Int[torch.Tensor, " batch"],
    ) -> Float[torch.Tensor, "batch 9"]:
        """Score every speaker from the mean of the states."""
        # A state knows only what came before: no mask is needed.
        states, _ = self.cell(self.embed(frames))  # (batch, n, hidden)
        return self.output(mean_over(states, lengths))


class MeanFrame(nn.Module):
    """Name the speaker with a perceptron that sees the mean frame alone."""

    def __init__(self, *, hidden: int, seed: int):
        super().__init__()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.layers = nn.Sequential(
                nn.Linear(COEFFICIENTS, hidden),
                nn.ReLU(),
                nn.Linear(hidden, hidden),
                nn.ReLU(),
                nn.Linear(hidden, SPEAKERS),
            )

    def forward(
        self,
        frames: Float[torch.Tensor, "batch n 12"],
        lengths: Int[torch.Tensor, " batch"],
    ) -> Float[torch.Tensor, "batch 9"]:
        """Score every speaker."""
        return self.layers(mean_over(frames, lengths))
