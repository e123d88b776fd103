"""Two tasks of memory for a recurrent network, and the network.

**Copy**: read letters one by one, then name all of them from the last state.
**Marked**: one letter of the sequence carries a mark; name it at the end.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import nn

from attn_course import models
from attn_course.recurrent import gru_step, lstm_step, read

__all__ = [
    "CELLS",
    "COPY_LENGTH",
    "LETTERS",
    "TRAINED_DISTANCE",
    "Reader",
    "copy_batch",
    "gates_around_the_mark",
    "make",
    "marked_batch",
    "probe_states",
    "train",
]

CELLS = {"RNN": nn.RNN, "GRU": nn.GRU, "LSTM": nn.LSTM}
LETTERS = 16
EMBEDDING = 16
COPY_LENGTH = 12
# How many letters a marked sequence has up to the mark, at least and at most,
# and how many may follow it in training.
MARKED_LENGTH = (2, 40)
TRAINED_DISTANCE = 20
RIDGE = 1.0


class Reader(nn.Module):
    """Read letters one by one, then answer from the last state alone.

    Parameters
    ----------
    cell
        "RNN", "GRU" or "LSTM".
    d_h
        Length of the state.
    answers
        How many letters are to be named.
    """

    def __init__(self, cell: str, d_h: int, answers: int = 1):
        super().__init__()
        # Letter 16 + a is letter a with the mark.
        self.embed = nn.Embedding(2 * LETTERS, EMBEDDING)
        self.cell = CELLS[cell](EMBEDDING, d_h, batch_first=True)
        self.output = nn.Linear(d_h, answers * LETTERS)

    def states(
        self, letters: Int[torch.Tensor, "batch n"]
    ) -> Float[torch.Tensor, "batch n d_h"]:
        """Give the state after each letter."""
        states, _ = self.cell(self.embed(letters))
        return states

    def forward(
        self, letters: Int[torch.Tensor, "batch n"]
    ) -> Float[torch.Tensor, "asked letters"]:
        """Score every letter as each answer, (batch · answers, 16)."""
        last = self.states(letters)[:, -1]  # (batch, d_h)
        return self.output(last).reshape(-1, LETTERS)


def make(cell: str, d_h: int, seed: int, answers: int = 1) -> Reader:
    """Make a reader; torch's own first weights, from the seed."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return Reader(cell, d_h, answers)


def train(
    model: Reader,
    batches: Callable[[int, torch.Generator], models.Batch],
    *,
    steps: int,
    every: int,
    batch: int,
    learning_rate: float,
    seed: int,
) -> dict[str, Any]:
    """Train in place.

    Returns
    -------
    dict
        `loss`, as `models.last_loss` gives it, and `history`: the mean loss
        over every `every` steps.
    """
    history = models.train(
        model,
        lambda generator: batches(batch, generator),
        steps=steps,
        learning_rate=learning_rate,
        seed=1000 + seed,
        evaluations=steps // every,
        progress=False,
    )
    return {
        "loss": models.last_loss(history),
        "history": models.losses(history),
    }


def copy_batch(batch: int, generator: torch.Generator) -> models.Batch:
    """Draw letters, all of which are to be named: targets (batch · n,)."""
    shape = (batch, COPY_LENGTH)
    letters = torch.randint(LETTERS, shape, generator=generator)
    return models.Batch((letters,), letters.reshape(-1))


def marked_batch(
    batch: int, generator: torch.Generator, distance: int | None = None
) -> models.Batch:
    """Draw letters, one of them marked; its name is the target, (batch,).

    `distance` is how many letters follow the marked one: drawn afresh for
    the whole batch if None.
    """
    if distance is None:
        high = TRAINED_DISTANCE + 1
        distance = int(torch.randint(1, high, (), generator=generator))
    low, long = MARKED_LENGTH
    before = int(torch.randint(low - 1, long, (), generator=generator))
    shape = (batch, before + 1 + distance)
    letters = torch.randint(LETTERS, shape, generator=generator)
    targets = letters[:, before].clone()
    letters[:, before] += LETTERS
    return models.Batch((letters,), targets)


@torch.no_grad()
def probe_states(
    model: Reader, seed: int, held_out: int
) -> list[list[float | None]]:
    """Ask each state for each letter so far, with a linear probe.

    Ridge regression onto one-hot letters, fitted on one half of fresh
    sequences; given is its accuracy on the other half, `held_out` sequences,
    as rows of states and columns of letters: None above the diagonal.
    """
    generator = torch.Generator().manual_seed(4000 + seed)
    (letters,), _ = copy_batch(2 * held_out, generator)
    states = model.states(letters).double().numpy()  # (2m, n, d_h)
    names = np.eye(LETTERS)[letters.numpy()]  # (2m, n, 16)
    n, half = letters.shape[1], held_out
    table: list[list[float | None]] = []
    for t in range(n):
        h = np.concatenate([states[:, t], np.ones((2 * half, 1))], axis=1)
        ridge = RIDGE * np.eye(h.shape[1])
        wanted = names[:half, : t + 1].reshape(half, -1)  # (m, (t+1) · 16)
        fitted = np.linalg.solve(
            h[:half].T @ h[:half] + ridge, h[:half].T @ wanted
        )
        guess = (h[half:] @ fitted).reshape(half, t + 1, -1).argmax(-1)
        right = (guess == letters[half:, : t + 1].numpy()).mean(0)
        table.append(
            [round(float(x), 3) for x in right] + [None] * (n - t - 1)
        )
    return table


@torch.no_grad()
def gates_around_the_mark(
    model: Reader, cell: str, seed: int, held_out: int
) -> list[float] | None:
    """Average the gate that keeps, from 5 before the mark to 10 after.

    That is GRU's keep and LSTM's forget, mean over units and sequences; None
    for the RNN, which has no gates.
    """
    if cell == "RNN":
        return None
    generator = torch.Generator().manual_seed(5000 + seed)
    letters = torch.randint(LETTERS, (held_out, 20), generator=generator)
    letters[:, 9] += LETTERS
    xs = model.embed(letters).double().numpy()  # (m, 20, d_in)
    arrays = [p.double().numpy() for p in model.cell.parameters()]
    step = {"GRU": gru_step, "LSTM": lstm_step}[cell]
    gates = [one.keep.mean() for one in read(step, xs, *arrays)]
    return [round(float(g), 4) for g in gates[4:20]]
