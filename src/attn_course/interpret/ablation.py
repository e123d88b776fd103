"""Switch heads of a small transformer off, and see what it loses.

Zero ablation puts zeros in place of what a head reads (Michel et al. 2019,
section 2.3). That is a value the rest of the model may never have seen; mean
ablation puts what the head reads on average instead.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float, Int

from attn_course.nn.encoder import Transformer

__all__ = ["every_subset", "mean_reads", "switched_off"]


def every_subset(
    layers: int, heads: int
) -> Bool[np.ndarray, "n layers heads"]:
    """List every choice of heads to keep, as True.

    Choice number c keeps head h of layer l where bit l · heads + h of c is 1.

    Examples
    --------
    >>> every_subset(1, 2).astype(int).tolist()
    [[[0, 0]], [[1, 0]], [[0, 1]], [[1, 1]]]
    """
    numbers = np.arange(2 ** (layers * heads))[:, None]
    bits = numbers >> np.arange(layers * heads) & 1
    return bits.reshape(-1, layers, heads).astype(bool)


@contextmanager
def switched_off(
    model: Transformer,
    keep: Bool[Any, "layers heads"],
    means: Float[torch.Tensor, "layers d_model"] | None = None,
) -> Iterator[None]:
    """Run a model without some heads for a while.

    Parameters
    ----------
    model
        As it was afterwards.
    keep
        False for a head that is switched off.
    means
        What to put in its place, as `mean_reads` gives it; zeros if None.

    Raises
    ------
    ValueError
        When `keep` is not one truth value for each head.
    """
    keep = torch.as_tensor(np.asarray(keep, dtype=bool))
    shape = (len(model.layers), model.layers[0].heads)
    if tuple(keep.shape) != shape:
        raise ValueError(
            f"expected keep of shape {shape}, got {tuple(keep.shape)}"
        )
    with ExitStack() as stack:
        for number, layer in enumerate(model.layers):
            width = layer.output.in_features // layer.heads
            kept = keep[number].repeat_interleave(width)  # (d_model,)
            instead = torch.zeros(1) if means is None else means[number]

            def replace(module, inputs, kept=kept, instead=instead):
                return (torch.where(kept, inputs[0], instead),)

            handle = layer.output.register_forward_pre_hook(replace)
            stack.callback(handle.remove)
        yield


@torch.no_grad()
def mean_reads(
    model: Transformer,
    words: Int[torch.Tensor, "batch n"],
    real: Bool[torch.Tensor, "batch n"],
) -> Float[torch.Tensor, "layers d_model"]:
    """Average what the heads of each layer read, over all real words.

    `real` is False for padding. The heads' pieces stand side by side, before
    the output map mixes them.
    """
    seen: list[torch.Tensor] = []
    with ExitStack() as stack:
        for layer in model.layers:
            handle = layer.output.register_forward_pre_hook(
                lambda module, inputs: seen.append(inputs[0][real].mean(0))
            )
            stack.callback(handle.remove)
        model.states(words, real[:, None, None, :])
    return torch.stack(seen)
