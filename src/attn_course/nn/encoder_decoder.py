"""Encoder and decoder, put together from the course's own parts.

`transformer.EncoderLayer` is the encoder's layer; the decoder's has one part
more, which asks another text. Given torch's weights (`from_torch`) both give
torch's outputs. `EncoderDecoder` is the whole of Vaswani et al. 2017, figure
1, but for dropout.
"""

from typing import Any

import torch
from jaxtyping import Bool, Float, Int
from torch import nn

from attn_course import masks
from attn_course.functional import attention, attention_weights
from attn_course.heads import merge_heads, split_heads
from attn_course.nn.encoder import EncoderLayer, Transformer

__all__ = ["CrossAttention", "DecoderLayer", "EncoderDecoder", "from_torch"]


class CrossAttention(nn.Module):
    """One text asks another: queries from here, keys and values from there.

    Vaswani et al. 2017, section 3.2.3, "encoder-decoder attention".

    Parameters
    ----------
    d_model, heads
        Length of the vectors on both sides, number of heads.
    """

    def __init__(self, d_model: int, heads: int):
        super().__init__()
        self.heads = heads
        self.query = nn.Linear(d_model, d_model)
        self.key = nn.Linear(d_model, d_model)
        self.value = nn.Linear(d_model, d_model)
        self.output = nn.Linear(d_model, d_model)

    def forward(
        self,
        x: Float[torch.Tensor, "... n_q d_model"],
        memory: Float[torch.Tensor, "... n_k d_model"],
        mask: Bool[torch.Tensor, "..."] | None = None,
    ) -> Float[torch.Tensor, "... n_q d_model"]:
        """Read from `memory` what `x` asks for.

        `mask` is True where a query may look; it broadcasts to
        `(..., heads, n_q, n_k)`.
        """
        q, k = self._queries_keys(x, memory)
        v = split_heads(self.value(memory), self.heads)
        read = attention(q, k, v, mask=mask)  # (..., heads, n_q, d_head)
        return self.output(merge_heads(read))  # (..., n_q, d_model)

    def weights(
        self,
        x: Float[torch.Tensor, "... n_q d_model"],
        memory: Float[torch.Tensor, "... n_k d_model"],
        mask: Bool[torch.Tensor, "..."] | None = None,
    ) -> Float[torch.Tensor, "... heads n_q n_k"]:
        """Give the weights that `forward` uses."""
        return attention_weights(*self._queries_keys(x, memory), mask=mask)

    def _queries_keys(
        self, x: torch.Tensor, memory: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        q = split_heads(self.query(x), self.heads)
        return q, split_heads(self.key(memory), self.heads)


class DecoderLayer(EncoderLayer):
    """Causal self-attention, cross-attention, then two linear maps.

    Vaswani et al. 2017, section 3.1: each part is added to its input, and
    the sum is normalised. With `norm_first` the input of each part is
    normalised instead (Xiong et al. 2020).

    Parameters
    ----------
    d_model, heads, d_ff, norm_first, eps
        As in `EncoderLayer`.
    """

    def __init__(
        self,
        d_model: int,
        heads: int,
        d_ff: int,
        *,
        norm_first: bool = False,
        eps: float = 1e-5,
    ):
        super().__init__(d_model, heads, d_ff, norm_first=norm_first, eps=eps)
        self.cross = CrossAttention(d_model, heads)
        self.norm_cross = nn.LayerNorm(d_model, eps=eps)

    def forward(
        self,
        x: Float[torch.Tensor, "... n_q d_model"],
        memory: Float[torch.Tensor, "... n_k d_model"],
        mask: Bool[torch.Tensor, "..."] | None = None,
    ) -> Float[torch.Tensor, "... n_q d_model"]:
        """Read what was written so far, then `memory`, then think alone.

        No position sees a later one of `x`. `mask` says which places of
        `memory` may be seen; it broadcasts to `(..., heads, n_q, n_k)`.
        """
        past = torch.as_tensor(masks.causal(x.shape[-2]), device=x.device)
        if self.norm_first:
            x = x + self._attend(self.norm_1(x), past)
            x = x + self.cross(self.norm_cross(x), memory, mask)
            return x + self._feed_forward(self.norm_2(x))
        x = self.norm_1(x + self._attend(x, past))
        x = self.norm_cross(x + self.cross(x, memory, mask))
        return self.norm_2(x + self._feed_forward(x))


class EncoderDecoder(nn.Module):
    """Read one text, write another: the transformer of 2017.

    Parameters
    ----------
    n_words
        Size of the vocabulary, which both texts share.
    layers, d_model, heads, d_ff
        As in `Transformer`, for the encoder and for the decoder; each layer
        normalises first.
    positions, max_length
        As in `Transformer`.
    seed
        Of the first weights; torch's own generator is left as it was.
    """

    def __init__(
        self,
        n_words: int,
        *,
        layers: int = 2,
        d_model: int = 64,
        heads: int = 4,
        d_ff: int = 128,
        positions: str = "sinusoidal",
        max_length: int = 32,
        seed: int,
    ):
        super().__init__()
        sizes = {
            "layers": layers,
            "d_model": d_model,
            "heads": heads,
            "d_ff": d_ff,
            "positions": positions,
            "max_length": max_length,
        }
        # Embedding, positions, layers, last norm and output map: an encoder
        # has them all, and a decoder differs in its layers alone.
        self.encoder = Transformer(n_words, **sizes, seed=seed)
        self.encoder.output = nn.Identity()
        self.decoder = Transformer(n_words, **sizes, seed=seed + 1)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed + 2)
            self.decoder.layers = nn.ModuleList(
                DecoderLayer(d_model, heads, d_ff, norm_first=True)
                for _ in range(layers)
            )

    def forward(
        self,
        source: Int[torch.Tensor, "... n_k"],
        target: Int[torch.Tensor, "... n_q"],
    ) -> Float[torch.Tensor, "... n_q n_words"]:
        """Score every word as the next one of `target`, at every place."""
        memory = self.encoder.states(source)  # (..., n_k, d_model)
        x = self.decoder.embedded(target)  # (..., n_q, d_model)
        for layer in self.decoder.layers:
            x = layer(x, memory)
        return self.decoder.output(self.decoder.norm(x))


def from_torch(
    theirs: nn.TransformerEncoderLayer | nn.TransformerDecoderLayer,
) -> EncoderLayer:
    """Make the course's layer with the weights of one of torch's.

    Returns
    -------
    EncoderLayer
        A `DecoderLayer` for a decoder's layer. It has no dropout: it gives
        what theirs gives in `eval()`.

    Raises
    ------
    ValueError
        When theirs is of another kind, or its activation is not GELU.

    Examples
    --------
    >>> theirs = nn.TransformerEncoderLayer(
    ...     8, 2, 16, activation="gelu", batch_first=True
    ... ).eval()
    >>> x = torch.randn(5, 8)
    >>> torch.allclose(from_torch(theirs)(x), theirs(x), atol=1e-5)
    True
    """
    makers = {
        nn.TransformerEncoderLayer: EncoderLayer,
        nn.TransformerDecoderLayer: DecoderLayer,
    }
    if type(theirs) not in makers:
        raise ValueError(
            f"expected one of {[kind.__name__ for kind in makers]}, got "
            f"{type(theirs).__name__}"
        )
    if theirs.activation is not nn.functional.gelu:
        raise ValueError(
            f"expected activation='gelu', got {theirs.activation}"
        )
    ours = makers[type(theirs)](
        theirs.linear1.in_features,
        theirs.self_attn.num_heads,
        theirs.linear1.out_features,
        norm_first=theirs.norm_first,
        eps=theirs.norm1.eps,
    )
    _copy_attention(theirs.self_attn, ours)
    pairs = {"widen": "linear1", "narrow": "linear2", "norm_1": "norm1"}
    if isinstance(ours, DecoderLayer):
        _copy_attention(theirs.multihead_attn, ours.cross)
        pairs |= {"norm_cross": "norm2", "norm_2": "norm3"}
    else:
        pairs |= {"norm_2": "norm2"}
    for mine, name in pairs.items():
        part = getattr(theirs, name)
        getattr(ours, mine).load_state_dict(part.state_dict())
    return ours.eval()


@torch.no_grad()
def _copy_attention(theirs: nn.MultiheadAttention, ours: Any) -> None:
    """Copy four maps; torch keeps the first three in one table."""
    weights = theirs.in_proj_weight.chunk(3)
    biases = theirs.in_proj_bias.chunk(3)
    maps = (ours.query, ours.key, ours.value)
    for linear, weight, bias in zip(maps, weights, biases, strict=True):
        linear.weight.copy_(weight)
        linear.bias.copy_(bias)
    ours.output.load_state_dict(theirs.out_proj.state_dict())
