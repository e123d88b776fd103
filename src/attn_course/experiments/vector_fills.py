"""What a recurrent network's one vector holds, and what its gates do.

Two small tasks, each for a plain RNN, a GRU and an LSTM, with the same steps,
batches and grid of learning rates; the rate with the lowest training loss is
the one to look at.

**Copy**: read letters one by one, then name all of them from the last state,
which is equally long for all three. Afterwards a linear probe asks each state
on the way for each letter read so far, on sequences that neither the model nor
the probe has seen.

**Marked**: one letter of the sequence carries a mark, the others are noise.
Name the marked letter from the last state. What do the gates do at the mark,
and how far back may the mark lie? Training shows distances of up to
`trained_distance`; the test asks for more, too. The three have equally many
parameters, to within 3 %, so their states differ in length.

A first version had one learning rate for all, 0.003. With it the plain RNN
never learned Marked, which may be the rate's fault: hence the grid.
"""

import inspect
import itertools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import nn

from attn_course import models
from attn_course.experiments import fingerprint, provenance
from attn_course.experiments.parts import Parts, one_thread

__all__ = [
    "RECORDINGS",
    "SETTINGS",
    "Reader",
    "copy_batch",
    "inputs",
    "marked_batch",
    "probe_states",
    "record",
]

RECORDINGS = ("vector-fills", "gates")

# Hidden sizes: equally long states, or about as many parameters.
SIZES = {
    "vector-fills": {"RNN": 48, "GRU": 48, "LSTM": 48},
    "gates": {"RNN": 87, "GRU": 48, "LSTM": 41},
}
CELLS = {"RNN": nn.RNN, "GRU": nn.GRU, "LSTM": nn.LSTM}
SETTINGS = {
    "letters": 16,
    "d_in": 16,
    "copy_length": 12,
    "marked_length": [2, 40],
    "trained_distance": 20,
    "distances": [1, 5, 10, 20, 40, 80],
    "steps": {"vector-fills": 2000, "gates": 1500},
    "batch": 64,
    "learning_rate": [0.001, 0.003, 0.01],
    "held_out": 1000,
    "probe_ridge": 1.0,
}
CODE = (
    "experiments/vector_fills.py",
    "experiments/parts.py",
    "models.py",
    "recurrent.py",
)


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
        n, d_in = SETTINGS["letters"], SETTINGS["d_in"]
        # Letter 16 + a is letter a with the mark.
        self.embed = nn.Embedding(2 * n, d_in)
        self.cell = CELLS[cell](d_in, d_h, batch_first=True)
        self.output = nn.Linear(d_h, answers * n)

    def states(self, letters: torch.Tensor) -> torch.Tensor:
        """Give the state after each letter, (batch, n) → (batch, n, d_h)."""
        states, _ = self.cell(self.embed(letters))
        return states

    def forward(self, letters: torch.Tensor) -> torch.Tensor:
        """Score every letter as each answer, (batch · answers, 16)."""
        last = self.states(letters)[:, -1]  # (batch, d_h)
        return self.output(last).reshape(-1, SETTINGS["letters"])


def copy_batch(batch: int, generator: torch.Generator) -> models.Batch:
    """Draw letters, all of which are to be named: targets (batch · n,)."""
    shape = (batch, SETTINGS["copy_length"])
    letters = torch.randint(SETTINGS["letters"], shape, generator=generator)
    return models.Batch((letters,), letters.reshape(-1))


def marked_batch(
    batch: int,
    generator: torch.Generator,
    distance: int | None = None,
) -> models.Batch:
    """Draw letters, one of them marked; its name is the target, (batch,).

    `distance` is how many letters follow the marked one: drawn afresh for
    the whole batch if None.
    """
    if distance is None:
        high = SETTINGS["trained_distance"] + 1
        distance = int(torch.randint(1, high, (), generator=generator))
    low, long = SETTINGS["marked_length"]
    before = int(torch.randint(low - 1, long, (), generator=generator))
    shape = (batch, before + 1 + distance)
    letters = torch.randint(SETTINGS["letters"], shape, generator=generator)
    targets = letters[:, before].clone()
    letters[:, before] += SETTINGS["letters"]
    return models.Batch((letters,), targets)


def inputs(name: str, seeds: Sequence[int]) -> list[Any]:
    """List what a recording depends on, besides this module."""
    return [
        list(seeds),
        *(inspect.getsource(x) for x in (models.train, models.accuracy)),
    ]


def record(name: str, seeds: Sequence[int]) -> dict[str, Any]:
    """Train the three cells with every seed; take up what is done already."""
    parts = Parts(name, fingerprint("vector_fills", name, 0))
    one = {"vector-fills": fill_one, "gates": gate_one}[name]
    runs = list(itertools.product(CELLS, SETTINGS["learning_rate"], seeds))
    with one_thread():
        done = parts.run(runs, one)
    content = {
        "about": inspect.getdoc(inspect.getmodule(record)),
        "settings": SETTINGS,
        "hidden": SIZES[name],
        "parameters": {
            cell: sum(p.numel() for p in _model(name, cell, 0).parameters())
            for cell in CELLS
        },
        "chance": 1 / SETTINGS["letters"],
        "records": [entry["result"] for entry in done],
        "seconds": round(sum(entry["seconds"] for entry in done)),
        "recorded": provenance(
            name, seeds=list(seeds), packages=["torch"], code=CODE
        ),
    }
    parts.discard()
    return content


def fill_one(
    cell: str, rate: float, seed: int, steps: int | None = None
) -> dict[str, Any]:
    """Train one cell on Copy; probe every state for every letter.

    `probe` is `(n, n)`: row t, column i is the held-out accuracy for letter
    i from the state after letter t; null above the diagonal.
    """
    model = _model("vector-fills", cell, seed)
    loss = _train(model, copy_batch, "vector-fills", rate, seed, steps)
    held_out = copy_batch(
        SETTINGS["held_out"], torch.Generator().manual_seed(2000 + seed)
    )
    return {
        "model": cell,
        "learning_rate": rate,
        "seed": seed,
        "loss": loss,
        "accuracy": round(models.accuracy(model, held_out), 4),
        "probe": probe_states(model, seed),
    }


def gate_one(
    cell: str, rate: float, seed: int, steps: int | None = None
) -> dict[str, Any]:
    """Train one cell on Marked; measure accuracy by distance, and the gates.

    `keep` is the mean over units and sequences of the gate that keeps (GRU:
    keep, LSTM: forget), by position relative to the mark, from 5 before to
    10 after; null for the RNN, which has no gates.
    """
    model = _model("gates", cell, seed)
    loss = _train(model, marked_batch, "gates", rate, seed, steps)
    generator = torch.Generator().manual_seed(3000 + seed)
    return {
        "model": cell,
        "learning_rate": rate,
        "seed": seed,
        "loss": loss,
        "accuracy": [
            round(
                models.accuracy(
                    model,
                    marked_batch(SETTINGS["held_out"], generator, distance),
                ),
                4,
            )
            for distance in SETTINGS["distances"]
        ],
        "keep": _gates_around_the_mark(model, cell, seed),
    }


@torch.no_grad()
def probe_states(model: Reader, seed: int) -> list[list[float | None]]:
    """Ask each state for each letter so far, with a linear probe.

    Ridge regression onto one-hot letters, fitted on one half of fresh
    sequences, its accuracy on the other half.
    """
    generator = torch.Generator().manual_seed(4000 + seed)
    (letters,), _ = copy_batch(2 * SETTINGS["held_out"], generator)
    states = model.states(letters).double().numpy()  # (2m, n, d_h)
    names = np.eye(SETTINGS["letters"])[letters.numpy()]  # (2m, n, 16)
    n = letters.shape[1]
    half = SETTINGS["held_out"]
    table: list[list[float | None]] = []
    for t in range(n):
        h = np.concatenate([states[:, t], np.ones((2 * half, 1))], axis=1)
        ridge = SETTINGS["probe_ridge"] * np.eye(h.shape[1])
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
def _gates_around_the_mark(
    model: Reader, cell: str, seed: int
) -> list[float] | None:
    """Average the gate that keeps, from 5 before the mark to 10 after."""
    from attn_course.recurrent import gru_step, lstm_step, read

    if cell == "RNN":
        return None
    generator = torch.Generator().manual_seed(5000 + seed)
    n, m = SETTINGS["letters"], SETTINGS["held_out"]
    letters = torch.randint(n, (m, 20), generator=generator)
    letters[:, 9] += n
    xs = model.embed(letters).double().numpy()  # (m, 20, d_in)
    arrays = [p.double().numpy() for p in model.cell.parameters()]
    step = {"GRU": gru_step, "LSTM": lstm_step}[cell]
    gates = [one.keep.mean() for one in read(step, xs, *arrays)]
    return [round(float(g), 4) for g in gates[4:20]]


def _model(name: str, cell: str, seed: int) -> Reader:
    """Make a model; torch's own first weights, from the seed."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        answers = SETTINGS["copy_length"] if name == "vector-fills" else 1
        return Reader(cell, SIZES[name][cell], answers)


def _train(
    model: Reader,
    batches: Callable[[int, torch.Generator], models.Batch],
    name: str,
    rate: float,
    seed: int,
    steps: int | None,
) -> float | None:
    """Train in place; give the mean loss over the last fifth of the steps."""
    history = models.train(
        model,
        lambda generator: batches(SETTINGS["batch"], generator),
        steps=steps or SETTINGS["steps"][name],
        learning_rate=rate,
        seed=1000 + seed,
        evaluations=5,
        progress=False,
    )
    loss = history[-1]["loss"]
    return None if loss is None else float(f"{loss:.4g}")
