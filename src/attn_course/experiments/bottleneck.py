"""Translate with one vector or with attention, by length, budget and size.

Every model reads the same synthetic sentences. The fixed vector is widened
until it has as many parameters as the model with additive attention at the
same nominal size. A third model gets the fixed vector replaced by zeros: it
shows what can be guessed about a French sentence without the English one.

Sizes, steps and the learning rate were set beforehand, the same for all
models. A pilot with one seed made the vocabulary smaller and tried hidden
sizes and learning rates, until Bahdanau's model learned within two minutes;
the fixed vector and dot scores were looked at beside it. Each budget is a
training of its own, for the learning rate falls to zero at its end.
"""

import inspect
from collections.abc import Sequence
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import torch

from attn_course import alignments, grammar, lexicon, seq2seq
from attn_course.data import pack_array
from attn_course.experiments import fingerprint, provenance
from attn_course.experiments.parts import Parts, one_thread
from attn_course.grammar import Clause, Group, Pair
from attn_course.seq2seq import Batches, Translator, Vocabulary

__all__ = [
    "BASELINES",
    "MODELS",
    "RECORDINGS",
    "SENTENCES",
    "SETTINGS",
    "Run",
    "inputs",
    "record",
    "run_one",
]

RECORDINGS = ("bottleneck",)

SETTINGS = {
    "lengths": [5, 10, 15, 20, 30, 40],
    "hidden": 64,
    "embedding": 64,
    "steps": 1000,
    "size": 32,
    "learning_rate": 0.005,
    "training_pairs": 19_000,
    "held_out_each_length": 100,
    "aligned_pairs": 190,
}
# Names in the recording, and what they are.
MODELS = {
    "no input": {"score": "blind"},
    "fixed vector": {"score": "fixed"},
    "Bahdanau": {"score": "additive", "looks": "before"},
    "additive, after": {"score": "additive", "looks": "after"},
    "Luong dot": {"score": "dot", "looks": "after"},
    "Luong general": {"score": "general", "looks": "after"},
}
SCORED = ("Bahdanau", "additive, after", "Luong dot", "Luong general")
# How many steps, and with which nominal hidden size.
BUDGETS = {
    "no input": (250,),
    "fixed vector": (250, 1000, 4000),
    "Bahdanau": (250, 1000),
}
SIZES = {"fixed vector": (32, 64, 128), "Bahdanau": (32, 64)}
BASELINES = ("diagonal", "same place", "random", "untrained")
CODE = (
    "alignments.py",
    "experiments/bottleneck.py",
    "experiments/parts.py",
    "functional.py",
    "grammar.py",
    "lexicon.py",
    "seq2seq.py",
)
# Weights are rounded to this.
STEP = 1 / 4096


class Run(NamedTuple):
    """One training."""

    model: str
    hidden: int
    steps: int
    seed: int


def _sentences() -> tuple[Pair, ...]:
    """Build the sentences whose weights are recorded."""
    nouns, adjectives = lexicon.NOUNS, lexicon.ADJECTIVES
    i, we = (lexicon.SUBJECT_PRONOUNS[word] for word in ("i", "we"))
    old_friend = Group(nouns["friend"], adjectives=(adjectives["old"],))
    flowers = Group(
        nouns["flower"],
        plural=True,
        adjectives=(adjectives["white"],),
        of=old_friend,
    )
    love = Clause(i, lexicon.TRANSITIVE["love"], flowers)
    flowers_of_friend = Clause(we, lexicon.OPINIONS["think"], that=love)
    tired_friend = Group(nouns["friend"], adjectives=(adjectives["tired"],))
    not_her = Clause(
        tired_friend, lexicon.TRANSITIVE["look"], "her", negated=True
    )
    return tuple(
        grammar.translate([clause])
        for clause in (grammar.I_LOVE_APPLES, flowers_of_friend, not_her)
    )


# All of them are held out.
SENTENCES = _sentences()


def inputs(name: str, seeds: Sequence[int]) -> list[Any]:
    """List what the recording depends on, the code it runs included."""
    code = (
        seq2seq.Translator,
        seq2seq.Batches,
        seq2seq.train,
        seq2seq.evaluate,
        grammar,
        lexicon,
        alignments,
    )
    return [list(seeds), *(inspect.getsource(part) for part in code)]


def record(name: str, seeds: Sequence[int]) -> dict[str, Any]:
    """Train every model with every seed; take up what is done already."""
    # Seeds are left out of the parts' fingerprint: more seeds add runs.
    parts = Parts(name, fingerprint("bottleneck", name, 0))
    with one_thread():
        done = parts.run([(run,) for run in _runs(seeds)], run_one)
        content = _content(name, done, seeds)
    parts.discard()
    return content


def run_one(run: Run) -> dict[str, Any]:
    """Train one model and measure it; give its entries."""
    model = make_model(run)
    seq2seq.train(
        model,
        _training(),
        steps=run.steps,
        size=SETTINGS["size"],
        learning_rate=SETTINGS["learning_rate"],
        seed=1000 + run.seed,
        progress=False,
    )
    measured = [seq2seq.evaluate(model, batch) for batch in _tests()]
    result = {
        "record": {
            **run._asdict(),
            "token": [round(m["token"], 4) for m in measured],
            "sentence": [round(m["sentence"], 4) for m in measured],
        }
    }
    if run.model in SCORED and run.hidden == SETTINGS["hidden"]:
        result["maps"] = [
            [round(float(w) / STEP) for w in _weights(model, pair).ravel()]
            for pair in SENTENCES
        ]
        result["translations"] = [
            grammar.french_text(_translation(model, pair))
            for pair in SENTENCES
        ]
        result["alignment"] = _score(model)
    return result


def make_model(run: Run) -> Translator:
    """Make the untrained model of a run, with Bahdanau's parameters."""
    vocabularies = _vocabularies()
    settings = {
        "n_in": len(vocabularies[0]),
        "n_out": len(vocabularies[1]),
        "embedding": SETTINGS["embedding"],
        "seed": run.seed,
    }
    like = Translator(hidden=run.hidden, **settings)
    if run.model == "Bahdanau":
        return like
    return seq2seq.match_parameters(like, **MODELS[run.model], **settings)


def _runs(seeds: Sequence[int]) -> list[Run]:
    """List the trainings, each once; those that take long come first."""
    hidden, steps = SETTINGS["hidden"], SETTINGS["steps"]
    runs = {}
    for seed in seeds:
        for model in MODELS:
            for budget in BUDGETS.get(model, (steps,)):
                runs[Run(model, hidden, budget, seed)] = None
            for size in SIZES.get(model, ()):
                runs[Run(model, size, steps, seed)] = None
    return list(runs)


# Data


@cache
def _pairs() -> list[Pair]:
    return grammar.sample_pairs(
        SETTINGS["training_pairs"], seed=0, held_out=False
    )


@cache
def _vocabularies() -> tuple[Vocabulary, Vocabulary]:
    """Give each word of the training sentences a number."""
    return (
        Vocabulary(word for pair in _pairs() for word in pair.source),
        Vocabulary(word for pair in _pairs() for word in pair.target),
    )


def _batches(pairs: Sequence[Pair]) -> Batches:
    return Batches([(p.source, p.target) for p in pairs], *_vocabularies())


@cache
def _training() -> Batches:
    return _batches(_pairs())


@cache
def _held_out(length: int) -> list[Pair]:
    return grammar.sample_pairs(
        SETTINGS["held_out_each_length"],
        seed=1,
        held_out=True,
        shortest=length,
        longest=length,
    )


@cache
def _tests() -> list[seq2seq.Batch]:
    """Give the held-out sentences of each length as one batch."""
    pairs = [_held_out(length) for length in SETTINGS["lengths"]]
    return [_batches(some).take(range(len(some))) for some in pairs]


@cache
def _aligned() -> list[Pair]:
    """Give held-out sentences of all lengths, for the alignments."""
    return grammar.sample_pairs(
        SETTINGS["aligned_pairs"], seed=2, held_out=True
    )


# Measures


def _weights(model: Translator, pair: Pair) -> np.ndarray:
    """Give the weights for each word of the right translation.

    The model is given the words before each; the end is left out.
    """
    batch = _batches([pair]).take([0])
    with torch.no_grad():
        memory = model.encode(batch.source)
        _, _, weights = model.decode(
            batch.previous, model.first_state(memory), memory
        )
    return weights[0, :-1].numpy()  # (n_out, n_in)


def _translation(model: Translator, pair: Pair) -> list[str]:
    """Translate a sentence."""
    words, _ = model.greedy(_batches([pair]).take([0]).source)
    return _vocabularies()[1].words(words[0].tolist())


def _score(model: Translator) -> dict[str, float]:
    """Give the alignment error rate, and that one row up or down.

    A model whose weights for a word stand one step too early or late has a
    small rate when the rows are moved.
    """
    maps = [_weights(model, pair) for pair in _aligned()]
    gold = _gold()
    mass = [
        float(sum(w[link] for link in pair.possible))
        for w, pair in zip(maps, _aligned(), strict=True)
    ]
    return {
        "error": _error(maps, gold, 0),
        "error_next_row": _error(maps, gold, 1),
        "error_last_row": _error(maps, gold, -1),
        "mass": round(sum(mass) / sum(len(w) for w in maps), 4),
    }


def _error(maps: list[np.ndarray], gold: tuple[set, set], shift: int) -> float:
    """Read word i's links from row i + shift; the ends keep their own."""
    moved = [
        w[np.clip(np.arange(len(w)) + shift, 0, len(w) - 1)] for w in maps
    ]
    links = [alignments.strongest_links(w) for w in moved]
    return round(alignments.alignment_error_rate(_numbered(links), *gold), 4)


def _numbered(links: Sequence[set]) -> set:
    """Join the links of all sentences, each with its sentence's number."""
    return {(n, *link) for n, some in enumerate(links) for link in some}


@cache
def _gold() -> tuple[set, set]:
    """Give the sure and the possible links of all aligned sentences."""
    return (
        _numbered([pair.sure for pair in _aligned()]),
        _numbered([pair.possible for pair in _aligned()]),
    )


def _baselines(seeds: Sequence[int]) -> dict[str, Any]:
    """Score alignments that no training went into."""
    shapes = [(len(p.target), len(p.source)) for p in _aligned()]
    gold = _gold()

    def error(links: Sequence[set]) -> float:
        rate = alignments.alignment_error_rate(_numbered(links), *gold)
        return round(rate, 4)

    chance = []
    for seed in seeds:
        rng = np.random.default_rng(seed)
        chance.append(
            error(
                [
                    set(enumerate(rng.integers(n_in, size=n_out).tolist()))
                    for n_out, n_in in shapes
                ]
            )
        )
    untrained = [
        _score(make_model(Run("Bahdanau", SETTINGS["hidden"], 0, seed)))
        for seed in seeds
    ]
    return {
        "diagonal": error([alignments.diagonal_links(*s) for s in shapes]),
        "same place": error([alignments.same_place_links(*s) for s in shapes]),
        "random": chance,
        "untrained": [scored["error"] for scored in untrained],
    }


# The file


def _content(
    name: str, done: list[dict[str, Any]], seeds: Sequence[int]
) -> dict[str, Any]:
    """Put together what the recording holds."""
    runs = _runs(seeds)
    results = [one["result"] for one in done]
    return {
        "about": (
            "Token and sentence accuracy of translators by source length, "
            "model, nominal hidden size, training steps and seed; alignment "
            "error rates of attention; weights for three sentences."
        ),
        "settings": SETTINGS,
        "chosen": inspect.getdoc(inspect.getmodule(record)).split("\n\n")[-1],
        "axes": {"length": SETTINGS["lengths"]},
        "conditions": {
            "model": list(MODELS),
            "hidden": sorted({run.hidden for run in runs}),
            "steps": sorted({run.steps for run in runs}),
            "seed": list(seeds),
        },
        "keys": {
            "token": (
                "share of the reference's words, its end included, that "
                "stand at the same place in the greedy translation"
            ),
            "sentence": "share of sentences translated without a mistake",
            "hidden": (
                "nominal: the hidden size of Bahdanau's model with as many "
                "parameters; the own one stands in sizes"
            ),
            "error": "alignment error rate over aligned_pairs held-out pairs",
            "error_next_row": "the same, each word read from the next row",
            "error_last_row": "the same, each word read from the row before",
            "mass": "mean share of a word's weight on its possible links",
        },
        "records": [result["record"] for result in results],
        "sizes": _sizes(runs),
        "bits": {
            str(length): round(
                float(np.mean([p.bits for p in _held_out(length)])), 1
            )
            for length in SETTINGS["lengths"]
        },
        "vocabulary": [len(words) - 3 for words in _vocabularies()],
        "alignments": [
            {**run._asdict(), **result["alignment"]}
            for run, result in zip(runs, results, strict=True)
            if "alignment" in result
        ],
        "baselines": _baselines(seeds),
        "maps": _maps(runs, results),
        "seconds": round(sum(one["seconds"] for one in done), 1),
        "recorded": provenance(
            name, seeds=list(seeds), packages=["torch"], code=CODE
        ),
    }


def _sizes(runs: list[Run]) -> list[dict[str, Any]]:
    """List the parameters of each model and nominal size."""
    sizes = []
    for name, hidden in dict.fromkeys((r.model, r.hidden) for r in runs):
        model = make_model(Run(name, hidden, 0, 0))
        sizes.append(
            {
                "model": name,
                "hidden": hidden,
                "own_hidden": model.hidden,
                "parameters": seq2seq.count_parameters(model),
            }
        )
    return sizes


def _maps(
    runs: list[Run], results: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """Gather the weights of each sentence: (model, seed, n_out, n_in)."""
    found = {
        (run.model, run.seed): result
        for run, result in zip(runs, results, strict=True)
        if "maps" in result and run.steps == SETTINGS["steps"]
    }
    seeds = sorted({seed for _, seed in found})
    maps = []
    for place, pair in enumerate(SENTENCES):
        shape = (len(SCORED), len(seeds), len(pair.target), len(pair.source))
        numbers = [
            found[model, seed]["maps"][place]
            for model in SCORED
            for seed in seeds
        ]
        weights = np.array(numbers).reshape(shape) * STEP
        maps.append(
            {
                "source": list(pair.source),
                "target": list(pair.target),
                "sure": sorted(pair.sure),
                "possible": sorted(pair.possible),
                "axes": {"model": list(SCORED), "seed": seeds},
                "weights": pack_array(weights, step=STEP),
                "translations": {
                    model: [
                        found[model, seed]["translations"][place]
                        for seed in seeds
                    ]
                    for model in SCORED
                },
            }
        )
    return maps
