"""The next letter of a novel: attention, equal weights, a GRU, and counts.

Three models of about 198,000 parameters each learn from 23 chapters of Sense
and Sensibility and are tested on the three after them
(`attn_course.characters`). Each reads pieces of 64 letters, half a million
letters in all: the text twice. Three learning rates are tried with each, and
the one with the lowest training loss is the one to look at. Counts of what
followed the last few letters (`attn_course.ngrams`) are the measure for all.

`loss` is the training loss in nats, mean over the last tenth of the steps;
`history` has each tenth, in bits. `bits` are held-out bits for a letter with
32 or more before it, `by_place` by how many letters stand before, `accuracy`
the share of held-out letters that got most. `shown` is one more training of
the transformer, first seed and `shown_rate`: what it writes at each
temperature, all weights on the first letters of the held-out text, and what a
letter gives to those before it, by distance.

Pilots with seed 0 tried 200 to 1600 steps, batches of 16 and 32, and a
smaller transformer. 500 steps are what one core does in half a minute: the
lab trains one of these runs. At 1600 steps the GRU passed the counts (1.85
bits against 1.87), the transformer (1.94) had not.
"""

import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from attn_course import characters, figures, lab, models
from attn_course.characters import KINDS, Alphabet, Writer, batches, writer
from attn_course.data import pack_array
from attn_course.data.novel import load_novel
from attn_course.experiments.study import Study
from attn_course.experiments.sweeps import runs_at_best
from attn_course.models import trained_parameters
from attn_course.ngrams import Ngrams
from attn_course.tables import span

__all__ = ["SETTINGS", "STUDY", "make", "run_one", "table", "train"]

SETTINGS = {
    "kinds": list(KINDS),
    "learning_rate": [0.001, 0.003, 0.01],
    "model": {"layers": 2, "d_model": 96, "heads": 4, "d_ff": 192},
    "steps": 500,
    "batch": 16,
    "length": 64,
    "tenths": 10,
    "before": [0, 1, 2, 3, 4, 5, 6],
    "shown": 32,
    "shown_rate": 0.003,
    "written": 240,
    "temperatures": [0.0, 0.5, 1.0],
    "start": "Elinor ",
}
STUDY = Study(
    "char-model",
    chapter=9,
    question="Which names the letters of an unread chapter best: attention, "
    "a GRU or counts?",
    design=__doc__,
    arms={"kind": KINDS},
    sweep={"learning_rate": SETTINGS["learning_rate"]},
    settings=SETTINGS,
    chosen_by="loss",
    baseline="frequencies of letters",
    packages=["torch"],
    data=["texts/sense-and-sensibility.txt"],
    tolerance=0.01,
)


@STUDY.run
def run_one(kind: str, learning_rate: float, seed: int) -> dict[str, Any]:
    """Train one model; measure what it knows of the unread chapters."""
    model, history = train(kind, learning_rate, seed)
    novel = load_novel()
    letters = Alphabet(novel.training).encode(novel.held_out)
    by_place = characters.bits(model, letters, length=SETTINGS["length"])
    pieces = letters.unfold(0, SETTINGS["length"] + 1, SETTINGS["length"])
    right = models.accuracy(
        model, models.Batch((pieces[:, :-1],), pieces[:, 1:].flatten())
    )
    losses = [entry["loss"] for entry in history]
    return {
        "loss": None if losses[-1] is None else round(losses[-1], 4),
        "history": [
            None if loss is None else round(loss / math.log(2), 4)
            for loss in losses
        ],
        "accuracy": round(right, 4),
        "bits": round(by_place[SETTINGS["length"] // 2 - 1 :].mean(), 4),
        "by_place": [round(x, 3) for x in by_place],
    }


@STUDY.summary
def content(records: list[dict[str, Any]]) -> dict[str, Any]:
    """Count, and train one transformer more, to be looked at.

    "frequencies of letters" are the bits of a letter for who knows how often
    each comes in the training text, and no more.
    """
    novel, alphabet = load_novel(), Alphabet(load_novel().training)
    return {
        "source": novel.source,
        "parameters": {
            kind: trained_parameters(make(kind, len(alphabet), 0))
            for kind in SETTINGS["kinds"]
        },
        "letters": {
            "training": len(novel.training),
            "held_out": len(novel.held_out),
            "alphabet": len(alphabet),
        },
        "counts": [_counted(before) for before in SETTINGS["before"]],
        "baselines": {
            "frequencies of letters": round(
                Ngrams(novel.training, 0).bits(novel.training), 4
            )
        },
        "shown": _shown(SETTINGS["shown_rate"], records[0]["seed"]),
    }


@STUDY.slice
def first_tenth(recording: Mapping[str, Any]) -> Iterator[tuple]:
    """Train each kind for a tenth of the steps; count a few letters."""
    for then in recording["records"]:
        if (then["learning_rate"], then["seed"]) == (0.003, 1):
            steps = SETTINGS["steps"] // SETTINGS["tenths"]
            _, [first] = train(then["kind"], 0.003, 1, steps=steps)
            bits = first["loss"] / math.log(2)
            yield f"{then['kind']}: loss", then["history"][0], bits
    for then in recording["counts"][:3]:
        before = then["before"]
        now = _counted(before)
        yield f"{before} letters before", then["bits"], now["bits"]


def make(kind: str, n_letters: int, seed: int) -> Writer:
    """Make a model with its first weights."""
    return writer(kind, n_letters, seed=seed, **SETTINGS["model"])


def train(
    kind: str, rate: float, seed: int, steps: int | None = None
) -> tuple[Writer, list[dict[str, Any]]]:
    """Train one model, all steps or the first; give it and its history.

    The history has an entry for each tenth of all steps.
    """
    steps = steps or SETTINGS["steps"]
    text = load_novel().training
    alphabet = Alphabet(text)
    model = make(kind, len(alphabet), seed)
    draw = batches(
        alphabet.encode(text), length=SETTINGS["length"],
        size=SETTINGS["batch"],
    )  # fmt: skip
    history = models.train(
        model,
        draw,
        steps=steps,
        learning_rate=rate,
        seed=1000 + seed,
        evaluations=max(1, SETTINGS["tenths"] * steps // SETTINGS["steps"]),
        progress=False,
    )
    return model, history


def _shown(rate: float, seed: int) -> dict[str, Any]:
    """Train the transformer once more, to be looked at."""
    model, _ = train("attention", rate, seed)
    novel = load_novel()
    alphabet = Alphabet(novel.training)
    letters = alphabet.encode(novel.held_out)
    start = alphabet.encode(SETTINGS["start"])
    excerpt = novel.held_out[: SETTINGS["shown"]]
    weights = characters.attentions(model, alphabet.encode(excerpt))
    distances = characters.weight_by_distance(
        model, letters, length=SETTINGS["length"]
    )

    def written(temperature: float) -> str:
        options = {"temperature": temperature, "length": SETTINGS["length"]}
        text = characters.write(
            model, start, SETTINGS["written"], seed=seed, **options
        )
        return alphabet.decode(text)

    return {
        "kind": "attention",
        "learning_rate": rate,
        "seed": seed,
        "written": {str(t): written(t) for t in SETTINGS["temperatures"]},
        "excerpt": excerpt,
        "weights": pack_array(weights.numpy(), step=1 / 4096),
        "by_distance": distances.round(4).tolist(),
    }


def _counted(before: int) -> dict[str, Any]:
    """Count with so many letters of context, and measure."""
    novel = load_novel()
    counts = Ngrams(novel.training, before)
    return {
        "before": before,
        "bits": round(counts.bits(novel.held_out), 4),
        "contexts": counts.contexts,
    }


# What the page shows

EDGES = [1, 2, 3, 4, 6, 8, 16, 32, 64]


@STUDY.claim("9.principle")
def bits(recording: Mapping[str, Any]) -> dict[str, Any]:
    """Give the bits of each kind and of counts, and how far it looks."""
    best = runs_at_best(recording["records"], "kind")
    fewest = min(recording["counts"], key=lambda one: one["bits"])
    first, second = (  # layers: a mean distance for each head
        [np.dot(np.arange(len(row)), row) for row in layer]
        for layer in recording["shown"]["by_distance"]
    )
    return {
        "attention": [r["bits"] for r in best["attention"]],
        "equal": [r["bits"] for r in best["equal weights"]],
        "gru": [r["bits"] for r in best["GRU"]],
        "counts": fewest["bits"],
        "counted": fewest["before"],
        "contexts": fewest["contexts"],
        "size": recording["parameters"]["attention"],
        "nearest": min(second),
        "near_most": max(second),
        "farthest": max(first + second),
        "equal_distance": (recording["settings"]["length"] - 1) / 2,
    }


@STUDY.figure("""
    Held-out bits for a letter over the letters before it, 1 to 64. Counts fall
    lowest, at four letters, and turn up at six. The GRU and, above it,
    attention fall up to eight letters and are level from there on. Equal
    weights stop falling after two letters and rise slowly.
""")
def by_letters(recording: Mapping[str, Any]) -> Any:
    """Draw the bits over how many letters stand before."""
    best = runs_at_best(recording["records"], "kind")
    counted = {one["before"]: one["bits"] for one in recording["counts"]}
    return figures.curves(
        EDGES,
        {kind: _between_edges(runs) for kind, runs in best.items()}
        | {"counts": [counted.get(n, np.nan) for n in EDGES]},
        xlabel="letters before (up to)",
        ylabel="held-out bits for a letter",
        title="Recorded: each model at its best rate, 3 seeds",
        log_x=True,
    )


def table() -> Any:
    """Show the bits of every kind at every learning rate."""
    recording = STUDY.recording
    found: dict[str, dict[str, list[float]]] = {}
    for run in recording["records"]:
        rates = found.setdefault(run["kind"], {})
        rates.setdefault(str(run["learning_rate"]), []).append(run["bits"])
    return lab.table(
        [
            {"model": kind, **{rate: span(x) for rate, x in rates.items()}}
            for kind, rates in found.items()
        ],
        caption="Recorded: held-out bits with 32 letters or more before, by "
        "learning rate",
        columns=["model", *map(str, SETTINGS["learning_rate"])],
    )


def _between_edges(runs: list[dict[str, Any]]) -> np.ndarray:
    """Give mean bits between the edges, one row a seed."""
    rows = np.array([run["by_place"] for run in runs])
    parts = np.split(rows, EDGES[:-1], axis=1)
    return np.stack([part.mean(axis=1) for part in parts], axis=1)
