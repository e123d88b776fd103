"""The next letter of a novel: attention, equal weights, a GRU, and counts.

Three models of about 198,000 parameters each learn from 23 chapters of Sense
and Sensibility and are tested on the three after them
(`attn_course.characters`). Each reads pieces of 64 letters, half a million
letters in all: the text twice. Three learning rates are tried with each, and
the one with the lowest training loss is the one to look at. Counts of what
followed the last few letters (`attn_course.ngrams`) are the measure for all.

Pilots with seed 0 tried 200 to 1600 steps, batches of 16 and 32, and a
smaller transformer. 500 steps are what one core does in half a minute: the
lab trains one of these runs. At 1600 steps the GRU passed the counts (1.85
bits against 1.87), the transformer (1.94) had not.
"""

import inspect
import itertools
import math
from collections.abc import Sequence
from typing import Any

import torch

from attn_course import characters, generation, models, ngrams
from attn_course.characters import KINDS, Alphabet, Writer, batches, writer
from attn_course.data import pack_array
from attn_course.data.novel import load_novel
from attn_course.experiments import fingerprint, provenance
from attn_course.experiments.parts import Parts, one_thread
from attn_course.ngrams import Ngrams

__all__ = ["RECORDINGS", "SETTINGS", "inputs", "record", "run_one", "train"]

RECORDINGS = ("char-model",)
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
CODE = (
    "characters.py",
    "data/novel.py",
    "data/texts",
    "experiments/char_model.py",
    "experiments/parts.py",
    "functional.py",
    "generation.py",
    "heads.py",
    "models.py",
    "ngrams.py",
    "positions.py",
    "transformer.py",
)


def inputs(name: str, seeds: Sequence[int]) -> list[Any]:
    """List what the recording depends on, the code it runs included."""
    code = (characters, generation.CausalModel, models.train, ngrams)
    novel = load_novel()
    return [
        list(seeds),
        novel.training,
        novel.held_out,
        *(inspect.getsource(part) for part in code),
    ]


def record(name: str, seeds: Sequence[int]) -> dict[str, Any]:
    """Train every kind with every rate and seed; take up what is there."""
    parts = Parts(name, fingerprint("char_model", name, 0))
    runs = list(
        itertools.product(SETTINGS["kinds"], SETTINGS["learning_rate"], seeds)
    )
    with one_thread():
        done = parts.run(runs, run_one, every=2)
        shown = _shown(SETTINGS["shown_rate"], seeds[0])
    novel, alphabet = load_novel(), Alphabet(load_novel().training)
    content = {
        "about": inspect.getdoc(inspect.getmodule(record)),
        "settings": SETTINGS,
        "source": novel.source,
        "keys": {
            "loss": "training loss in nats, mean over the last tenth",
            "history": "training loss in bits, mean over each tenth",
            "accuracy": "share of held-out letters that got most",
            "bits": "held-out bits for a letter with 32 or more before it",
            "by_place": "held-out bits, by how many letters stand before",
            "shown": (
                "first seed, shown_rate: what it writes at each temperature, "
                "all weights on the first letters of the held-out text, and "
                "what a letter gives to those before it, by distance"
            ),
            "counts": "held-out bits, and how many contexts were counted",
        },
        "parameters": {
            kind: _learning(make(kind, len(alphabet), 0))
            for kind in SETTINGS["kinds"]
        },
        "letters": {
            "training": len(novel.training),
            "held_out": len(novel.held_out),
            "alphabet": len(alphabet),
        },
        "counts": [
            _counted(novel.training, novel.held_out, before)
            for before in SETTINGS["before"]
        ],
        "records": [entry["result"] for entry in done],
        "shown": shown,
        "seconds": round(sum(entry["seconds"] for entry in done)),
        "recorded": provenance(
            name, seeds=list(seeds), packages=["torch"], code=CODE
        ),
    }
    parts.discard()
    return content


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


def run_one(kind: str, rate: float, seed: int) -> dict[str, Any]:
    """Train one model; give its entry of `records`."""
    model, history = train(kind, rate, seed)
    novel = load_novel()
    letters = Alphabet(novel.training).encode(novel.held_out)
    by_place = characters.bits(model, letters, length=SETTINGS["length"])
    pieces = letters.unfold(0, SETTINGS["length"] + 1, SETTINGS["length"])
    right = models.accuracy(
        model, models.Batch((pieces[:, :-1],), pieces[:, 1:].flatten())
    )
    losses = [entry["loss"] for entry in history]
    return {
        "kind": kind,
        "learning_rate": rate,
        "seed": seed,
        "loss": None if losses[-1] is None else round(losses[-1], 4),
        "history": [
            None if loss is None else round(loss / math.log(2), 4)
            for loss in losses
        ],
        "accuracy": round(right, 4),
        "bits": round(by_place[SETTINGS["length"] // 2 - 1 :].mean(), 4),
        "by_place": [round(x, 3) for x in by_place],
    }


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


def _counted(training: str, held_out: str, before: int) -> dict[str, Any]:
    """Count with so many letters of context, and measure."""
    counts = Ngrams(training, before)
    return {
        "before": before,
        "bits": round(counts.bits(held_out), 4),
        "contexts": counts.contexts,
    }


def _learning(model: torch.nn.Module) -> int:
    """Count the parameters that learn."""
    return sum(p.numel() for p in model.parameters() if p.requires_grad)
