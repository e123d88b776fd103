"""Many look-ups from one text: softmax against linear attention.

The task is that of `models.recall_batch`, but every key is asked for (Arora
et al. 2024 call it multi-query associative recall). Softmax attention keeps
all keys and values; linear attention keeps sums of a fixed size.
"""

import torch
from jaxtyping import Float, Int
from torch import nn

from attn_course.functional import attention
from attn_course.linear import linear_attention
from attn_course.nn.train import Batch, recall_batch

__all__ = ["READS", "Lookup", "lookup_accuracy", "lookup_batch"]

READS = {"softmax": attention, "linear": linear_attention}


class Lookup(nn.Module):
    """Look values up by their keys, with one attention read and one head.

    Parameters
    ----------
    read
        "softmax" or "linear". It has no parameters: models that differ in it
        start from the same numbers and have equally many.
    d
        Size of queries, keys and values; linear attention keeps d · (d + 1)
        numbers.
    n_keys, n_values, d_model
        How many keys and values there are, and the size of their vectors.
    seed
        Of the first weights; torch's own generator is left as it was.

    Raises
    ------
    ValueError
        When `read` is neither of the two.
    """

    def __init__(
        self,
        read: str,
        d: int,
        *,
        n_keys: int = 128,
        n_values: int = 16,
        d_model: int = 64,
        seed: int,
    ):
        super().__init__()
        if read not in READS:
            raise ValueError(f"expected read in {list(READS)}, got {read!r}")
        self.read = read
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.embed_key = nn.Embedding(n_keys, d_model)
            self.embed_value = nn.Embedding(n_values, d_model)
            self.query = nn.Linear(d_model, d)
            self.key = nn.Linear(d_model, d)
            self.value = nn.Linear(d_model, d)
            self.output = nn.Linear(d, n_values)

    def forward(
        self,
        keys: Int[torch.Tensor, "batch pairs"],
        values: Int[torch.Tensor, "batch pairs"],
        asked: Int[torch.Tensor, "batch queries"],
    ) -> Float[torch.Tensor, "batch n_values queries"]:
        """Score every value for every query.

        The axis of values comes second, as `cross_entropy` wants it.
        """
        q = self.query(self.embed_key(asked))  # (batch, queries, d)
        k = self.key(self.embed_key(keys))  # (batch, pairs, d)
        v = self.value(self.embed_value(values))  # (batch, pairs, d)
        read = READS[self.read](q[:, None], k[:, None], v[:, None])
        return self.output(read[:, 0]).transpose(1, 2)


def lookup_batch(
    batch: int,
    generator: torch.Generator,
    *,
    pairs: int,
    n_keys: int = 128,
    n_values: int = 16,
    held_out: bool = False,
) -> Batch:
    """Draw pairs of `recall_batch`; ask for the value of every key.

    Returns
    -------
    Batch
        Inputs: keys, values and the keys asked for, targets: the values, all
        `(batch, pairs)`.

    Examples
    --------
    >>> drawn = lookup_batch(2, torch.Generator().manual_seed(0), pairs=3)
    >>> drawn.targets.shape
    torch.Size([2, 3])
    """
    shown = recall_batch(
        batch,
        generator,
        pairs=pairs,
        n_keys=n_keys,
        n_values=n_values,
        held_out=held_out,
    )
    keys, values, _ = shown.inputs
    return Batch((keys, values, keys), values)


@torch.no_grad()
def lookup_accuracy(model: Lookup, batch: Batch) -> float:
    """Measure the share of look-ups that name the right value."""
    named = model(*batch.inputs).argmax(1)  # (batch, queries)
    return (named == batch.targets).float().mean().item()
