"""A language model that writes: token by token, with and without a cache."""

from typing import Any

import torch
from jaxtyping import Float, Int
from torch import nn

from attn_course.nn.encoder import CausalBlock
from attn_course.nn.kv_cache import KVCache

__all__ = ["CausalModel", "cache_bytes", "from_pretrained", "generate"]


class CausalModel(nn.Module):
    """Words in, scores for the next word at every position out.

    Blocks of `CausalBlock` between an embedding and a linear map, as in
    Llama-like models (Touvron et al. 2023).

    Parameters
    ----------
    n_words
        Size of the vocabulary.
    layers, d_model, heads, kv_heads, d_ff
        As in `CausalBlock`. `kv_heads` equal to `heads` is multi-head
        attention, 1 multi-query attention (Shazeer 2019), and a number
        between them grouped-query attention (Ainslie et al. 2023).
    tied
        Let the output use the embedding's vectors again.
    seed
        Of the first weights; torch's own generator is left as it was.
    options
        `base` and `eps` of `CausalBlock`.
    """

    def __init__(
        self,
        n_words: int,
        *,
        layers: int = 2,
        d_model: int = 64,
        heads: int = 4,
        kv_heads: int = 4,
        d_ff: int = 128,
        tied: bool = False,
        seed: int,
        **options: float,
    ):
        super().__init__()
        sizes = (d_model, heads, kv_heads, d_ff)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.embed = nn.Embedding(n_words, d_model)
            self.blocks = nn.ModuleList(
                CausalBlock(*sizes, **options) for _ in range(layers)
            )
            self.norm = nn.RMSNorm(d_model, eps=self.blocks[0].norm_1.eps)  # pyright: ignore[reportArgumentType, reportAttributeAccessIssue]
            self.output = nn.Linear(d_model, n_words, bias=False)
        if tied:
            self.output.weight = self.embed.weight

    def new_cache(self) -> list[KVCache]:
        """Make an empty cache for each layer."""
        return [KVCache() for _ in self.blocks]

    def forward(
        self,
        words: Int[torch.Tensor, "... n"],
        cache: list[KVCache] | None = None,
        *,
        last: bool = False,
    ) -> Float[torch.Tensor, "... n_scored n_words"]:
        """Score every word as the next one, at every position.

        With a `cache`, `words` are only those after the ones it holds.
        `last` asks for the last position's scores alone, `(..., 1,
        n_words)`: all that writing needs.
        """
        x = self.embed(words)  # (..., n, d_model)
        for i, block in enumerate(self.blocks):
            x = block(x, cache and cache[i])
        x = x[..., -1:, :] if last else x
        return self.output(self.norm(x))


@torch.no_grad()
def generate(
    model: CausalModel,
    words: Int[torch.Tensor, "... n"],
    steps: int,
    *,
    cached: bool = True,
) -> Int[torch.Tensor, "... n_plus_steps"]:
    """Write on, always with the word of the highest score.

    Both ways give the same words. Without a cache every step reads the whole
    text again; with one it reads the word it has just written.

    Examples
    --------
    >>> model = CausalModel(10, seed=0)
    >>> start = torch.tensor([3, 1])
    >>> slow = generate(model, start, 5, cached=False)
    >>> torch.equal(generate(model, start, 5), slow)
    True
    """
    cache, new = model.new_cache(), words
    for _ in range(steps):
        if cached:
            scores = model(new, cache, last=True)
        else:
            scores = model(words, last=True)
        new = scores[..., -1, :].argmax(-1, keepdim=True)  # (..., 1)
        words = torch.cat([words, new], dim=-1)
    return words


def cache_bytes(cache: list[KVCache]) -> int:
    """Measure the memory of all layers' arrays, in bytes."""
    return sum(layer.n_bytes for layer in cache)


def from_pretrained(model: Any) -> CausalModel:
    """Make the course's model with the weights of a loaded one.

    Parameters
    ----------
    model
        From `pretrained.load`, a Llama-like model such as "smollm2", whose
        output uses its embedding's vectors.

    Raises
    ------
    ValueError
        When its family's layer is no `CausalBlock`, or its output has
        vectors of its own.
    """
    theirs, config = model.model, model.model.config
    blocks = [model.our_layer(i) for i in range(model.layers)]
    if not isinstance(blocks[0], CausalBlock):
        raise ValueError(
            "expected a Llama-like causal model, got one of type "
            f"{config.model_type!r}"
        )
    if not config.tie_word_embeddings:
        raise ValueError(
            "expected a model whose output is tied to its embedding"
        )
    ours = CausalModel(1, layers=1, d_model=config.hidden_size, heads=1,
                       kv_heads=1, d_ff=1, seed=0)  # fmt: skip
    ours.blocks = nn.ModuleList(blocks)
    ours.embed.weight = theirs.embed_tokens.weight
    ours.output.weight = theirs.embed_tokens.weight
    ours.norm = theirs.norm
    return ours.eval()
