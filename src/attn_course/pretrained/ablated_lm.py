"""A language model of our own blocks, with a real model's weights.

It is made to be taken apart: keep what goes into every layer, switch one head
off, and compute only the layers above again.
"""

from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any, NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import nn

from attn_course.nn.causal_lm import from_pretrained
from attn_course.pretrained import Model

__all__ = ["LanguageModel", "Texts", "mean_reads", "pack", "without_heads"]


class Texts(NamedTuple):
    """Texts as numbers, `(batch, n)`; `real` is False for padding."""

    tokens: torch.Tensor
    real: torch.Tensor


def pack(model: Model, texts: Sequence[str]) -> Texts:
    """Cut texts into tokens, and fill them up to one length.

    Padding stands behind a text, where no token of a causal model sees it.

    Raises
    ------
    ValueError
        When there is no text, or one without a token, or more tokens than
        the model reads.
    """
    if isinstance(texts, str) or not len(texts):
        raise ValueError(f"expected a list of texts, got {texts!r}")
    for text in texts:
        model.check_length(len(model.tokens(text)))
    rows = [
        torch.tensor(
            model.tokenizer(text, add_special_tokens=model.adds_special)[
                "input_ids"
            ]
        )
        for text in texts
    ]
    pad = nn.utils.rnn.pad_sequence
    real = [torch.ones(len(row), dtype=torch.bool) for row in rows]
    return Texts(pad(rows, batch_first=True), pad(real, batch_first=True))


class LanguageModel(nn.Module):
    """Score every token of the vocabulary as the next one.

    Parameters
    ----------
    model
        As `generation.from_pretrained` takes it, such as "smollm2": its
        embedding serves as the output map as well.

    Raises
    ------
    ValueError
        As `generation.from_pretrained`.
    """

    def __init__(self, model: Model):
        super().__init__()
        ours = from_pretrained(model)
        self.embed, self.layers, self.norm = ours.embed, ours.blocks, ours.norm

    @torch.no_grad()
    def states(
        self, tokens: Int[torch.Tensor, "batch n"]
    ) -> list[Float[torch.Tensor, "batch n d_model"]]:
        """Give what goes into every layer, and what leaves the last."""
        states = [self.embed(tokens)]
        for layer in self.layers:
            states.append(layer(states[-1]))
        return states

    @torch.no_grad()
    def losses(
        self, last: Float[torch.Tensor, "batch n d_model"], texts: Texts
    ) -> Float[torch.Tensor, " batch"]:
        """Give each text's loss: nats for a token, but for the first.

        `last` is what leaves the last layer.
        """
        asked = texts.real[:, 1:]  # (batch, n − 1): tokens that are told
        read = self.norm(last[:, :-1][asked])  # (asked, d_model)
        scores = read @ self.embed.weight.T  # (asked, n_tokens)
        loss = torch.zeros(asked.shape)
        loss[asked] = nn.functional.cross_entropy(
            scores, texts.tokens[:, 1:][asked], reduction="none"
        )
        return loss.sum(1) / asked.sum(1)


@torch.no_grad()
def without_heads(
    model: LanguageModel,
    states: Sequence[Float[torch.Tensor, "batch n d_model"]],
    off: Bool[Any, "L H"],
    instead: Float[torch.Tensor, "L d_model"] | None = None,
) -> Float[torch.Tensor, "batch n d_model"]:
    """Switch heads off; give what leaves the last layer then.

    Parameters
    ----------
    model
        Is as it was, afterwards.
    states
        What `LanguageModel.states` gave with all heads: the layers below the
        first that loses a head do not change, and are not computed again.
    off
        True for each head to switch off; at least one.
    instead
        What to put in the place of what it reads, as `mean_reads` gives it;
        zeros if None.

    Raises
    ------
    ValueError
        When `off` is not one truth value for each head, or names no head.
    """
    off = torch.as_tensor(np.asarray(off, dtype=bool))
    shape = (len(model.layers), model.layers[0].heads)
    if tuple(off.shape) != shape or not off.any():
        raise ValueError(
            f"expected off of shape {shape} with at least one head, got "
            f"{tuple(off.shape)} with {int(off.sum())}"
        )
    first = int(off.any(dim=1).nonzero()[0])
    with ExitStack() as stack:
        for number, layer in enumerate(model.layers):
            width = layer.output.in_features // layer.heads
            lost = off[number].repeat_interleave(width)  # (d_model,)
            mean = torch.zeros(1) if instead is None else instead[number]

            def replace(module, inputs, lost=lost, mean=mean):
                return (torch.where(lost, mean, inputs[0]),)

            if lost.any():
                handle = layer.output.register_forward_pre_hook(replace)
                stack.callback(handle.remove)
        x = states[first]
        for layer in model.layers[first:]:
            x = layer(x)
    return x


@torch.no_grad()
def mean_reads(
    model: LanguageModel, texts: Texts
) -> Float[torch.Tensor, "L d_model"]:
    """Average what the heads of each layer read, over all tokens.

    The heads' parts stand side by side, before the output map mixes them.
    """
    seen: list[torch.Tensor] = []
    with ExitStack() as stack:
        for layer in model.layers:
            handle = layer.output.register_forward_pre_hook(
                lambda module, inputs: seen.append(
                    inputs[0][texts.real].mean(0)
                )
            )
            stack.callback(handle.remove)
        model.states(texts.tokens)
    return torch.stack(seen)
