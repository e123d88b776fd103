"""Are the course's layers those of a transformer? PyTorch's weights in ours.

Layers of PyTorch with random weights lend these to `attn_course.blocks`, and
both read the same random numbers: 2 texts of 10 and 7 vectors of 64, 4 heads,
norms before each part and after each sum. `differences` are the largest of an
output. `parameters` count a decoder layer of the base model of 2017 (512 wide,
8 heads, 2048 in the feed-forward part), and those that attend. Nothing was
tuned.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import nn

from attn_course.blocks import DecoderLayer, from_torch
from attn_course.experiments.study import Study

__all__ = ["STUDY", "difference", "hold_together"]

STUDY = Study(
    "torch-layers",
    chapter=9,
    question="Do our layers give what PyTorch's transformer layers give?",
    design=__doc__,
    seeds=0,
    packages=["torch"],
    tolerance=1e-5,
)


@STUDY.run
def hold_together() -> dict[str, Any]:
    """Compare both kinds of layers; count a decoder layer."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        written, read = torch.randn(2, 10, 64), torch.randn(2, 7, 64)
        differences = {
            name: [difference(kind, first, *texts) for first in (True, False)]
            for name, kind, texts in (
                ("encoder", nn.TransformerEncoderLayer, [read]),
                ("decoder", nn.TransformerDecoderLayer, [written, read]),
            )
        }
    layer = DecoderLayer(512, 8, 2048)
    attending = (
        layer.query, layer.key, layer.value, layer.output, layer.cross
    )  # fmt: skip
    return {
        "differences": differences,
        "parameters": {
            "all": _count(layer),
            "attention": sum(_count(part) for part in attending),
        },
    }


@STUDY.slice
def again(recording: Mapping[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """Compare all layers once more."""
    for name, found in hold_together()["differences"].items():
        yield name, recording["differences"][name], found


@STUDY.claim("9.assembled")
def same_layers(recording: Mapping[str, Any]) -> dict[str, Any]:
    """Give the largest differences, and the share that attends."""
    parameters = recording["parameters"]
    return {
        **{name: max(x) for name, x in recording["differences"].items()},
        "share": parameters["attention"] / parameters["all"],
    }


def difference(
    kind: type[nn.Module], norm_first: bool, *texts: torch.Tensor
) -> float:
    """Say how far our layer's output is from torch's, same weights."""
    theirs = kind(
        64, 4, 256,
        activation="gelu", batch_first=True, norm_first=norm_first,
    ).eval()  # fmt: skip
    options = {}
    if kind is nn.TransformerDecoderLayer:  # its mask says who may NOT look
        options["tgt_mask"] = torch.ones(10, 10, dtype=torch.bool).triu(1)
    with torch.no_grad():
        ours = from_torch(theirs)(*texts)
        return (ours - theirs(*texts, **options)).abs().max().item()


def _count(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())
