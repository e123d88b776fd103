"""Small models that learn in seconds, and the loop that trains them.

`Recall` is the smallest model that needs attention: it must look up. One
attention read, no layers around it, so that what training does to queries
and keys can be seen.
"""

import math
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch
from jaxtyping import Float, Int
from torch import nn

from attn_course.functional import attention

__all__ = [
    "Batch",
    "Recall",
    "accuracy",
    "last_loss",
    "losses",
    "recall_batch",
    "thinned",
    "train",
    "trained_parameters",
]

OPTIMISERS = {"adam": torch.optim.Adam, "sgd": torch.optim.SGD}

# One pair in four is kept for the test.
HELD_OUT = 4


class Batch(NamedTuple):
    """What a model reads, and the class that it should name.

    `inputs` are the arguments of `model(*inputs)`; `targets` has shape
    `(batch,)`.
    """

    inputs: tuple[torch.Tensor, ...]
    targets: torch.Tensor


def recall_batch(
    batch: int,
    generator: torch.Generator,
    *,
    pairs: int = 8,
    n_keys: int = 64,
    n_values: int = 16,
    held_out: bool = False,
) -> Batch:
    """Draw episodes of associative recall.

    Each shows `pairs` different keys, each with a value drawn afresh, then
    asks for the value of one of them (Graves et al. 2014, section 4.3; Ba et
    al. 2016, section 4.1). Nothing can be learned by heart but how to look
    up. Key k with value v is held out for the test where k + v divides by 4:
    training never shows such a pair, the test shows no other, so no test
    episode shares even one pair with training.

    Returns
    -------
    Batch
        Inputs: keys and values, both `(batch, pairs)`, and the query key,
        `(batch,)`. Targets: the value asked for, `(batch,)`.
    """
    chances = torch.rand(batch, n_keys, generator=generator)
    keys = chances.topk(pairs).indices  # (batch, pairs), all different
    sums = torch.arange(n_values)
    sums = sums[(sums % HELD_OUT == 0) == held_out]
    drawn = torch.randint(len(sums), (batch, pairs), generator=generator)
    values = (sums[drawn] - keys) % n_values  # (batch, pairs)
    asked = torch.randint(pairs, (batch, 1), generator=generator)
    query = keys.gather(1, asked).squeeze(1)  # (batch,)
    targets = values.gather(1, asked).squeeze(1)  # (batch,)
    return Batch((keys, values, query), targets)


class Recall(nn.Module):
    """Look a value up by its key, with one attention read.

    Parameters
    ----------
    d_k
        Size of queries and keys.
    scale
        What q·k is multiplied by: 1/√d_k unless told; 1 leaves it out. It
        is no parameter: models that differ in it start from the same
        numbers and have equally many.
    init
        "default" draws the matrices of q and k as `nn.Linear` does, uniform
        within ±1/√d_model, which gives q and k variance 1/3. "unit" draws
        them normal with variance 1/d_model, which gives q and k variance 1,
        as the argument for 1/√d_k assumes (Vaswani et al. 2017, footnote 4).
    generator
        Where the first weights come from.
    """

    def __init__(
        self,
        d_k: int,
        *,
        scale: float | None = None,
        init: str = "default",
        n_keys: int = 64,
        n_values: int = 16,
        d_model: int = 64,
        generator: torch.Generator,
    ):
        super().__init__()
        if init not in ("default", "unit"):
            raise ValueError(
                f"expected init to be 'default' or 'unit', got {init!r}"
            )
        self.scale = scale
        self.embed_key = nn.Parameter(torch.empty(n_keys, d_model))
        self.embed_value = nn.Parameter(torch.empty(n_values, d_model))
        self.w_query = nn.Parameter(torch.empty(d_k, d_model))
        self.w_key = nn.Parameter(torch.empty(d_k, d_model))
        self.w_output = nn.Parameter(torch.empty(n_values, d_model))

        # Embeddings start as those of nn.Embedding: normal, variance 1.
        for table in (self.embed_key, self.embed_value):
            nn.init.normal_(table, generator=generator)
        for matrix in (self.w_query, self.w_key):
            if init == "unit":
                std = 1 / math.sqrt(d_model)
                nn.init.normal_(matrix, std=std, generator=generator)
            else:
                _as_linear(matrix, generator)
        _as_linear(self.w_output, generator)

    def queries_keys(
        self,
        keys: Int[torch.Tensor, "batch pairs"],
        query: Int[torch.Tensor, " batch"],
    ) -> tuple[
        Float[torch.Tensor, "batch 1 d_k"],
        Float[torch.Tensor, "batch pairs d_k"],
    ]:
        """Give the vectors q and k that attention compares."""
        # Project each key token once, then pick: cheaper than the reverse.
        queries = self.embed_key @ self.w_query.T  # (n_keys, d_k)
        offers = self.embed_key @ self.w_key.T  # (n_keys, d_k)
        pick = nn.functional.embedding
        return pick(query, queries)[:, None], pick(keys, offers)

    def forward(
        self,
        keys: Int[torch.Tensor, "batch pairs"],
        values: Int[torch.Tensor, "batch pairs"],
        query: Int[torch.Tensor, " batch"],
    ) -> Float[torch.Tensor, "batch n_values"]:
        """Score every value as the answer."""
        q, k = self.queries_keys(keys, query)
        v = nn.functional.embedding(
            values, self.embed_value
        )  # (batch, pairs, d_model)

        # One head: (batch, 1, n, d).
        read = attention(q[:, None], k[:, None], v[:, None], scale=self.scale)
        read = read[:, 0, 0]  # (batch, d_model)
        return read @ self.w_output.T  # (batch, n_values)


def train(
    model: nn.Module,
    batches: Callable[[torch.Generator], Batch],
    *,
    steps: int,
    optimiser: str = "adam",
    learning_rate: float,
    seed: int,
    held_out: Batch | None = None,
    evaluations: int = 10,
    progress: bool = True,
) -> list[dict[str, Any]]:
    """Train a classifier with cross-entropy, in place.

    Parameters
    ----------
    model
        Any module; its weights are what changes.
    batches
        Called with a generator at each step, gives the next `Batch`.
    steps
        How many batches to learn from.
    optimiser
        "adam" or "sgd", as in torch, without momentum or weight decay.
    learning_rate
        Constant over the steps.
    seed
        Of the generator that draws the batches.
    held_out
        What to measure accuracy on.
    evaluations
        How often to measure during training.
    progress
        Print a line at each evaluation.

    Returns
    -------
    list of dict
        One entry for each evaluation: `step`, `loss` (mean over the steps
        since the last) and `accuracy` (None without `held_out`). Training
        stops early where the loss is no longer finite; that loss is None.
    """
    if optimiser not in OPTIMISERS:
        raise ValueError(
            f"expected optimiser in {sorted(OPTIMISERS)}, got {optimiser!r}"
        )
    generator = torch.Generator().manual_seed(seed)
    update = OPTIMISERS[optimiser](model.parameters(), lr=learning_rate)
    ends = {round(steps * i / evaluations) for i in range(1, evaluations + 1)}
    history, losses, started = [], [], time.perf_counter()

    for step in range(1, steps + 1):
        inputs, targets = batches(generator)
        loss = nn.functional.cross_entropy(model(*inputs), targets)
        update.zero_grad()
        loss.backward()
        update.step()

        losses.append(loss.item())
        diverged = not math.isfinite(losses[-1])
        if step in ends or diverged:
            mean = sum(losses) / len(losses)
            history.append(
                {
                    "step": step,
                    "loss": None if diverged else mean,
                    "accuracy": held_out and accuracy(model, held_out),
                }
            )
            losses = []
            if progress:
                print(_line(history[-1], steps, started), flush=True)
        if diverged:
            break
    return history


def losses(history: list[dict[str, Any]]) -> list[float | None]:
    """Give the losses of `train` in four digits, as recordings keep them.

    >>> losses([{"loss": 2.079442}, {"loss": None}])
    [2.079, None]
    """
    return [
        None if entry["loss"] is None else float(f"{entry['loss']:.4g}")
        for entry in history
    ]


def last_loss(history: Sequence[dict[str, Any]]) -> float | None:
    """Average the loss over the last fifth of the steps of `train`.

    Four digits; None where it was not finite.

    >>> last_loss([{"loss": 8 / 2**i} for i in range(10)])
    0.02344
    """
    last = [entry["loss"] for entry in history]
    last = last[-max(1, round(len(last) / 5)) :]
    return None if None in last else float(f"{sum(last) / len(last):.4g}")


def thinned(losses: Sequence[float], numbers: int = 50) -> list[float]:
    """Average the losses of single steps over equal stretches.

    >>> thinned([4.0, 2.0, 1.0, 0.0], numbers=2)
    [3.0, 0.5]
    """
    size = -(-len(losses) // numbers)
    stretches = (losses[i : i + size] for i in range(0, len(losses), size))
    return [float(f"{sum(some) / len(some):.4g}") for some in stretches]


@torch.no_grad()
def accuracy(model: nn.Module, batch: Batch) -> float:
    """Measure the share of targets that get the highest score."""
    named = model(*batch.inputs).argmax(-1)  # (batch,)
    return (named == batch.targets).float().mean().item()


def _as_linear(matrix: nn.Parameter, generator: torch.Generator) -> None:
    """Draw a matrix as `nn.Linear` does: uniform within ±1/√d_in."""
    nn.init.kaiming_uniform_(matrix, a=math.sqrt(5), generator=generator)


def _line(entry: dict[str, Any], steps: int, started: float) -> str:
    """Say how far training is."""
    passed = time.perf_counter() - started
    left = passed / entry["step"] * (steps - entry["step"])
    loss, right = entry["loss"], entry["accuracy"]
    parts = [
        f"step {entry['step']}/{steps}",
        "loss not finite: stopped" if loss is None else f"loss {loss:.3f}",
        None if right is None else f"held-out accuracy {right:.3f}",
        f"{left:.0f} s left",
    ]
    return ", ".join(part for part in parts if part)


def trained_parameters(model: nn.Module) -> int:
    """Count the numbers that training changes."""
    return sum(p.numel() for p in model.parameters() if p.requires_grad)
