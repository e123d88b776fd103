"""Layers of a transformer, in torch, around the course's own attention.

`EncoderLayer` is that of 2017 and of BERT, `CausalBlock` that of today's
small language models: given a real model's weights they give its output
(`attn_course.pretrained` hands them over). `Transformer` stacks encoder
layers into a small model that learns in seconds.
"""

from typing import Any

import torch
from jaxtyping import Bool, Float, Int
from torch import nn

from attn_course.functional import attention, attention_weights
from attn_course.heads import merge_heads, split_heads
from attn_course.nn.kv_cache import KVCache
from attn_course.positions import rotate, sinusoidal

__all__ = ["CausalBlock", "EncoderLayer", "Transformer"]

POSITIONS = ("none", "sinusoidal", "learned")


class EncoderLayer(nn.Module):
    """Self-attention, then two linear maps; each is added to its input.

    Vaswani et al. 2017, section 3.1: the sum is normalised afterwards
    (`norm_first=False`, as in BERT, Devlin et al. 2019). With `norm_first`
    the input of each part is normalised instead (Xiong et al. 2020).

    Parameters
    ----------
    d_model, heads, d_ff
        Length of the vectors, number of heads, width between the two maps.
    norm_first
        Normalise before each part, not after it.
    eps
        What layer normalisation adds to the variance.
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
        super().__init__()
        self.heads = heads
        self.norm_first = norm_first
        self.query = nn.Linear(d_model, d_model)
        self.key = nn.Linear(d_model, d_model)
        self.value = nn.Linear(d_model, d_model)
        self.output = nn.Linear(d_model, d_model)
        self.norm_1 = nn.LayerNorm(d_model, eps=eps)
        self.widen = nn.Linear(d_model, d_ff)
        self.narrow = nn.Linear(d_ff, d_model)
        self.norm_2 = nn.LayerNorm(d_model, eps=eps)

    def forward(
        self,
        x: Float[torch.Tensor, "... n d_model"],
        mask: Bool[torch.Tensor, "..."] | None = None,
    ) -> Float[torch.Tensor, "... n d_model"]:
        """Let every position read from every other, then from itself alone.

        `mask` is True where a query may look; it broadcasts to
        `(..., heads, n, n)`, as in `attention`.
        """
        if self.norm_first:
            x = x + self._attend(self.norm_1(x), mask)
            return x + self._feed_forward(self.norm_2(x))
        x = self.norm_1(x + self._attend(x, mask))
        return self.norm_2(x + self._feed_forward(x))

    def weights(
        self,
        x: Float[torch.Tensor, "... n d_model"],
        mask: Bool[torch.Tensor, "..."] | None = None,
    ) -> Float[torch.Tensor, "... heads n n"]:
        """Give the attention weights that `forward` uses on the same `x`."""
        x = self.norm_1(x) if self.norm_first else x
        q, k = self._heads(self.query, x), self._heads(self.key, x)
        return attention_weights(q, k, mask=mask)

    def _attend(
        self, x: torch.Tensor, mask: torch.Tensor | None
    ) -> torch.Tensor:
        q = self._heads(self.query, x)  # (..., heads, n, d_head)
        k = self._heads(self.key, x)  # (..., heads, n, d_head)
        v = self._heads(self.value, x)  # (..., heads, n, d_head)
        read = attention(q, k, v, mask=mask)  # (..., heads, n, d_head)
        return self.output(merge_heads(read))  # (..., n, d_model)

    def _heads(self, projection: nn.Linear, x: torch.Tensor) -> torch.Tensor:
        return split_heads(projection(x), self.heads)

    def _feed_forward(self, x: torch.Tensor) -> torch.Tensor:
        wide = nn.functional.gelu(self.widen(x))  # (..., n, d_ff)
        return self.narrow(wide)  # (..., n, d_model)


class CausalBlock(nn.Module):
    """A block of a Llama-like language model (Touvron et al. 2023).

    Differences from `EncoderLayer`: no position sees a later one; queries
    and keys are turned by their position (`positions.rotate`); several query
    heads share one key and value head (Ainslie et al. 2023); the
    normalisation divides by the root mean square only (Zhang and Sennrich
    2019) and comes first; the wide layer is gated (Shazeer 2020); there are
    no biases.

    Parameters
    ----------
    d_model, heads, kv_heads, d_ff
        Length of the vectors, number of query heads, number of key and value
        heads, width of the feed-forward part.
    base
        How slowly the slowest pair of numbers turns.
    eps
        What the normalisation adds to the mean square.
    """

    def __init__(
        self,
        d_model: int,
        heads: int,
        kv_heads: int,
        d_ff: int,
        *,
        base: float = 10_000.0,
        eps: float = 1e-5,
    ):
        super().__init__()
        self.heads, self.kv_heads, self.base = heads, kv_heads, base
        d_kv = d_model // heads * kv_heads
        self.query = nn.Linear(d_model, d_model, bias=False)
        self.key = nn.Linear(d_model, d_kv, bias=False)
        self.value = nn.Linear(d_model, d_kv, bias=False)
        self.output = nn.Linear(d_model, d_model, bias=False)
        self.norm_1 = nn.RMSNorm(d_model, eps=eps)
        self.gate = nn.Linear(d_model, d_ff, bias=False)
        self.widen = nn.Linear(d_model, d_ff, bias=False)
        self.narrow = nn.Linear(d_ff, d_model, bias=False)
        self.norm_2 = nn.RMSNorm(d_model, eps=eps)

    def forward(
        self,
        x: Float[torch.Tensor, "... n d_model"],
        cache: KVCache | None = None,
    ) -> Float[torch.Tensor, "... n d_model"]:
        """Let every position read from those before it and from itself.

        With a `cache`, `x` holds only the tokens that come after those in
        it; their keys and values are added to it.
        """
        start = 0 if cache is None else cache.length
        h = self.norm_1(x)  # (..., n, d_model)
        q, k = self._turned(h, start)
        v = split_heads(self.value(h), self.kv_heads)
        if cache is not None:
            k, v = cache.add(k, v)  # (..., kv_heads, start + n, d_head)
        read = attention(q, k, v, causal=True, q_offset=start)
        x = x + self.output(merge_heads(read))  # (..., n, d_model)
        h = self.norm_2(x)
        wide = nn.functional.silu(self.gate(h)) * self.widen(h)
        return x + self.narrow(wide)  # (..., n, d_model)

    def queries_keys(
        self, x: Float[torch.Tensor, "... n d_model"]
    ) -> tuple[
        Float[torch.Tensor, "... heads n d_head"],
        Float[torch.Tensor, "... kv_heads n d_head"],
    ]:
        """Give queries and keys, turned: what attention compares."""
        return self._turned(self.norm_1(x))

    def _turned(
        self, h: torch.Tensor, start: int = 0
    ) -> tuple[torch.Tensor, torch.Tensor]:
        q = split_heads(self.query(h), self.heads)
        k = split_heads(self.key(h), self.kv_heads)
        turn = {"base": self.base, "start": start}
        return rotate(q, **turn), rotate(k, **turn)


class Transformer(nn.Module):
    """A small encoder: words in, scores for a word at every position out.

    Parameters
    ----------
    n_words
        Size of the vocabulary, on both sides.
    layers, d_model, heads, d_ff
        As in `EncoderLayer`; each layer normalises first.
    positions
        "sinusoidal" adds `positions.sinusoidal`, "learned" adds a table that
        is trained, "none" adds nothing.
    max_length
        The most words in a sentence.
    seed
        Of the first weights; torch's own generator is left as it was.

    Raises
    ------
    ValueError
        When `positions` is none of the three.
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
        if positions not in POSITIONS:
            raise ValueError(
                f"expected positions in {list(POSITIONS)}, got {positions!r}"
            )
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.embed = nn.Embedding(n_words, d_model)
            self.layers = nn.ModuleList(
                EncoderLayer(d_model, heads, d_ff, norm_first=True)
                for _ in range(layers)
            )
            self.norm = nn.LayerNorm(d_model)
            self.output = nn.Linear(d_model, n_words)
            places = _places(positions, max_length, d_model)
        if positions == "learned":
            self.places = nn.Parameter(places)
        else:
            self.register_buffer("places", places)

    def forward(
        self,
        words: Int[torch.Tensor, "... n"],
        mask: Bool[torch.Tensor, "..."] | None = None,
    ) -> Float[torch.Tensor, "... n n_words"]:
        """Score every word of the vocabulary at every position.

        `mask` broadcasts to `(..., heads, n, n)`; True = may look.
        """
        return self.output(self.states(words, mask))

    def states(
        self,
        words: Int[torch.Tensor, "... n"],
        mask: Bool[torch.Tensor, "..."] | None = None,
    ) -> Float[torch.Tensor, "... n d_model"]:
        """Give the vectors that `output` reads."""
        x = self.embedded(words)  # (..., n, d_model)
        for layer in self.layers:
            x = layer(x, mask)
        return self.norm(x)

    @torch.no_grad()
    def attentions(
        self,
        words: Int[torch.Tensor, "... n"],
        mask: Bool[torch.Tensor, "..."] | None = None,
    ) -> Float[torch.Tensor, "layers ... heads n n"]:
        """Give every head's attention weights."""
        x, maps = self.embedded(words), []
        for layer in self.layers:
            maps.append(layer.weights(x, mask))  # pyright: ignore[reportCallIssue]
            x = layer(x, mask)
        return torch.stack(maps)

    def embedded(
        self, words: Int[torch.Tensor, "... n"]
    ) -> Float[torch.Tensor, "... n d_model"]:
        """Give the vectors that the first layer reads: words and places."""
        n, most = words.shape[-1], len(self.places)
        if n > most:
            raise ValueError(f"expected at most {most} words, got {n}")
        return self.embed(words) + self.places[:n]


def _places(positions: str, n: int, d_model: int) -> Any:
    """Make the vectors of the positions, (n, d_model)."""
    if positions == "sinusoidal":
        return torch.tensor(sinusoidal(n, d_model), dtype=torch.float32)
    if positions == "learned":
        return torch.randn(n, d_model)  # as nn.Embedding starts
    return torch.zeros(n, d_model)
