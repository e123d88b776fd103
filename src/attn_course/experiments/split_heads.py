"""Split, attend, merge and mix, beside PyTorch's layer.

One layer of `torch.nn.MultiheadAttention`, two heads of four numbers, reads
five random vectors. The same is computed by hand with the layer's own
weights: once as it should be, once with heads that come from reshaping alone,
and once as a sum over heads, each through its columns of the output map.
Told are the largest differences from PyTorch's output, and the largest number
of that output. One size, one draw of weights: an identity needs no more.
"""

from collections.abc import Iterator
from typing import Any

import torch
from torch import nn

from attn_course.experiments.study import Study
from attn_course.functional import attention
from attn_course.heads import merge_heads, split_heads

__all__ = ["STUDY", "by_hand"]

HEADS, D_HEAD, TOKENS = 2, 4, 5
STUDY = Study(
    "split-heads",
    chapter=6,
    question="Do split, attend, merge and mix give PyTorch's own layer?",
    design=__doc__,
    seeds=0,
    settings={"heads": HEADS, "d_head": D_HEAD, "tokens": TOKENS},
    packages=["torch"],
    tolerance=1e-6,
)


@STUDY.run
@torch.no_grad()
def by_hand() -> dict[str, float]:
    """Measure how far each way is from PyTorch's output."""
    d_model = HEADS * D_HEAD
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        layer = nn.MultiheadAttention(d_model, HEADS, batch_first=True)
        x = torch.randn(TOKENS, d_model)
    expected = layer(x[None], x[None], x[None])[0][0]  # (n, d_model)
    qkv = x @ layer.in_proj_weight.T + layer.in_proj_bias
    parts = qkv.chunk(3, dim=-1)  # three times (n, d_model)

    read = merge_heads(attention(*(split_heads(p, HEADS) for p in parts)))
    wrong = attention(*(p.reshape(HEADS, TOKENS, D_HEAD) for p in parts))
    W_o = layer.out_proj.weight  # (d_model, d_model): columns by head
    each = zip(read.split(D_HEAD, -1), W_o.split(D_HEAD, -1), strict=True)
    ways = {
        "difference": layer.out_proj(read),
        "reshaped": layer.out_proj(wrong.reshape(TOKENS, d_model)),
        "summed": sum(r @ W.T for r, W in each) + layer.out_proj.bias,
    }
    return {
        **{way: _largest(found - expected) for way, found in ways.items()},
        "largest": _largest(expected),
    }


@STUDY.slice
def again(recording: dict[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """Compute all of it once more."""
    for name, value in by_hand().items():
        yield name, recording[name], value


@STUDY.claim("6.concatenate")
def numbers(recording: dict[str, Any]) -> dict[str, Any]:
    """Give the differences as they are."""
    names = ("difference", "reshaped", "summed", "largest")
    return {name: recording[name] for name in names}


def _largest(x: torch.Tensor) -> float:
    return x.abs().max().item()
