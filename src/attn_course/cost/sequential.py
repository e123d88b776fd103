"""Recurrent layers against self-attention, as the sequence gets longer.

All layers are equally wide. What they do is not the same, and neither is the
number of their parameters: 2 d² an RNN's, 6 d² a GRU's, 8 d² an LSTM's, and
4 d² those of attention, but for biases.
"""

import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import nn

from attn_course.cost.critical_path import CriticalPath, critical_path
from attn_course.functional import attention
from attn_course.heads import merge_heads, split_heads

__all__ = ["LAYERS", "crossings", "make", "seconds", "waits"]

CELLS = {"RNN": nn.RNN, "GRU": nn.GRU, "LSTM": nn.LSTM}
LAYERS = (*CELLS, "attention", "attention, fused")


class SelfAttention(nn.Module):
    """Every place reads from every place, with four linear maps.

    Parameters
    ----------
    d_model, heads
        Length of the vectors, number of heads.
    fused
        Use torch's `scaled_dot_product_attention`, which never holds all
        scores at once; otherwise the course's own `attention`, which does.
    """

    def __init__(self, d_model: int, heads: int, *, fused: bool):
        super().__init__()
        self.heads = heads
        self.fused = fused
        self.project = nn.Linear(d_model, 3 * d_model)
        self.output = nn.Linear(d_model, d_model)

    def forward(
        self, x: Float[torch.Tensor, "batch n d_model"]
    ) -> Float[torch.Tensor, "batch n d_model"]:
        """Read once."""
        attend = (
            nn.functional.scaled_dot_product_attention
            if self.fused
            else attention
        )
        q, k, v = (
            split_heads(part, self.heads)  # (batch, heads, n, d_head)
            for part in self.project(x).chunk(3, dim=-1)
        )
        return self.output(merge_heads(attend(q, k, v)))


class Recurrent(nn.Module):
    """A recurrent layer that gives its states and nothing else."""

    def __init__(self, cell: str, d_model: int):
        super().__init__()
        self.cell = CELLS[cell](d_model, d_model, batch_first=True)

    def forward(
        self, x: Float[torch.Tensor, "batch n d_model"]
    ) -> Float[torch.Tensor, "batch n d_model"]:
        """Read word by word."""
        return self.cell(x)[0]


def make(name: str, *, d_model: int = 64, heads: int = 4) -> nn.Module:
    """Make one of LAYERS: `(batch, n, d_model)` in, the same shape out.

    Raises
    ------
    ValueError
        When there is no such layer.
    """
    if name not in LAYERS:
        raise ValueError(f"expected one of {list(LAYERS)}, got {name!r}")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        if name in CELLS:
            return Recurrent(name, d_model)
        return SelfAttention(d_model, heads, fused=name != "attention")


def seconds(
    layer: nn.Module,
    x: Float[torch.Tensor, "batch n d_model"],
    *,
    backward: bool = False,
    repeats: int = 1,
) -> list[float]:
    """Time a layer on `x`; a first, untimed run warms it up.

    On a GPU, where calls return before the work is done, it waits for it.
    """
    times = []
    for _ in range(repeats + 1):
        _settle(x)
        start = time.perf_counter()
        _run(layer, x, backward)
        _settle(x)
        times.append(time.perf_counter() - start)
    return times[1:]


def waits(name: str, n: int, *, backward: bool = False) -> CriticalPath:
    """Count the steps of one layer that must wait for one another.

    Counted as the layer is written down, operation by operation, at width 8
    with 2 heads. Fused attention computes what `attention` does.

    Examples
    --------
    >>> waits("RNN", 100).products, waits("attention", 100).products
    (100, 4)
    """
    # float64: in float32 torch may run a whole LSTM as one operation.
    layer = make(name.removesuffix(", fused"), d_model=8, heads=2).double()
    x = torch.zeros(1, n, 8, dtype=torch.float64)
    return critical_path(lambda: _run(layer, x, backward))


def crossings(lengths: Sequence[float], ours: Any, theirs: Any) -> list[float]:
    """Give the lengths at which one curve passes the other.

    Both are taken as straight between two lengths, on logarithmic axes.
    There may be none, or several.

    Raises
    ------
    ValueError
        When the three are not equally long, or not all positive.

    Examples
    --------
    >>> crossings([10, 100, 1000], [1, 10, 100], [5, 5, 5])
    [50.0]
    """
    table = np.array([lengths, ours, theirs], dtype=float)
    if not (table > 0).all():
        raise ValueError("expected positive lengths and times")
    x, a, b = np.log(table)
    apart = a - b
    found = []
    for i in range(len(x) - 1):
        if apart[i] * apart[i + 1] < 0:
            share = apart[i] / (apart[i] - apart[i + 1])
            at = np.exp(x[i] + share * (x[i + 1] - x[i]))
            found.append(round(float(at), 1))
    return found


def _run(layer: nn.Module, x: torch.Tensor, backward: bool) -> None:
    """Run a layer once, forward or forward and backward."""
    if not backward:
        with torch.no_grad():
            layer(x)
        return
    layer.zero_grad()
    layer(x).sum().backward()


def _settle(x: torch.Tensor) -> None:
    """Wait until a GPU has done what it was told."""
    if x.is_cuda:
        torch.cuda.synchronize()
