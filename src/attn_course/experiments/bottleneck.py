"""Translate with one vector or with attention, by length, budget and size.

Every model reads the same synthetic sentences. The fixed vector is widened
until it has as many parameters as the model with additive attention at the
same nominal size. A third model gets the fixed vector replaced by zeros: it
shows what can be guessed about a French sentence without the English one.

Sizes, steps and the learning rate were set beforehand, the same for all
models. A pilot with one seed made the vocabulary smaller and tried hidden
sizes and learning rates, until Bahdanau's model learned within two minutes;
the fixed vector and dot scores were looked at beside it. Each budget is a
training of its own, for the learning rate falls to zero at its end. The other
learning rates were tried in the pilot alone.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from attn_course import figures, lab
from attn_course.data import pack_array, unpack_array
from attn_course.experiments.study import Study
from attn_course.interpret.alignment import (
    Link,
    corpus_error_rate,
    diagonal_links,
    same_place_links,
    strongest_links,
)
from attn_course.nn import seq2seq, train
from attn_course.nn.seq2seq import Batches, Translator, Vocabulary
from attn_course.tasks.translation import grammar, lexicon
from attn_course.tasks.translation.grammar import Clause, Group, Pair

if TYPE_CHECKING:
    from attn_course.figures import Chart

__all__ = [
    "MODELS",
    "SENTENCES",
    "SETTINGS",
    "STUDY",
    "alignment_table",
    "apples_table",
    "make_model",
    "measured",
    "one",
]

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
# Weights are rounded to this.
STEP = 1 / 4096


def is_run(model: str, hidden: int, steps: int) -> bool:
    """Say which budgets and sizes a model is tried with."""
    usual = SETTINGS["hidden"], SETTINGS["steps"]
    return (hidden == usual[0] and steps in BUDGETS.get(model, usual[1:])) or (
        steps == usual[1] and hidden in SIZES.get(model, ())
    )


STUDY = Study(
    "bottleneck",
    chapter=2,
    question="How long may a sentence be that has to pass through one vector?",
    design=__doc__,
    trains=True,
    arms={
        "model": MODELS,
        "hidden": [32, 64, 128],
        "steps": [250, 1000, 4000],
    },
    only=is_run,
    settings=SETTINGS,
    packages=["torch"],
    tolerance=0.05,
)


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


@STUDY.run
def one(model: str, hidden: int, steps: int, seed: int) -> dict[str, Any]:
    """Train one model and measure it.

    `token` is the share of the reference's words, its end included, that
    stand at the same place in the greedy translation; `sentence` the share
    of sentences translated without a mistake: for each length. `hidden` is
    nominal: that of Bahdanau's model with as many parameters.
    """
    network = make_model(model, hidden, seed)
    losses = seq2seq.train(
        network,
        _training(),
        steps=steps,
        size=SETTINGS["size"],
        learning_rate=SETTINGS["learning_rate"],
        seed=1000 + seed,
        progress=False,
    )
    tests = [seq2seq.evaluate(network, batch) for batch in _tests()]
    looks = model in SCORED and hidden == SETTINGS["hidden"]
    return {
        "token": [round(m["token"], 4) for m in tests],
        "sentence": [round(m["sentence"], 4) for m in tests],
        "history": train.thinned(losses),
        "looks": _looks(network) if looks else None,
    }


@STUDY.summary
def content(records: list[dict[str, Any]]) -> dict[str, Any]:
    """Take what attention looks at out of the runs; add what is known once."""
    seeds = sorted({r["seed"] for r in records})
    looks = [(r, found) for r in records if (found := r.pop("looks"))]
    return {
        "axes": {"length": SETTINGS["lengths"]},
        "sizes": _sizes(),
        "bits": {
            str(length): round(
                float(np.mean([p.bits for p in _held_out(length)])), 1
            )
            for length in SETTINGS["lengths"]
        },
        "vocabulary": [len(words) - 3 for words in _vocabularies()],
        "alignments": [
            {k: run[k] for k in ("model", "hidden", "steps", "seed")}
            | found["alignment"]
            for run, found in looks
        ],
        "baselines": _baselines(seeds),
        "maps": _maps(
            {
                (run["model"], run["seed"]): found
                for run, found in looks
                if run["steps"] == SETTINGS["steps"]
            },
            seeds,
        ),
    }


@STUDY.quick
def untrained(recording: Mapping[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """Make every arm's model; measure the baselines."""
    now = {(s["model"], s["hidden"]): s for s in _sizes()}
    for then in recording["sizes"]:
        name = (then["model"], then["hidden"])
        for key in ("own_hidden", "parameters"):
            yield f"{name}: {key}", then[key], now[name][key]
    baselines = _baselines(recording["recorded"]["seeds"])
    for name, then in recording["baselines"].items():
        yield name, then, baselines[name]


@STUDY.slice
def again(recording: Mapping[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """Measure what is not trained; train the three short runs again.

    The others run the same code for longer, up to two minutes each.
    """
    yield from untrained(recording)
    for seed, model in enumerate(("no input", "fixed vector", "Bahdanau")):
        run = {"model": model, "hidden": 64, "steps": 250, "seed": seed}
        [then] = [r for r in recording["records"] if run.items() <= r.items()]
        now = one(**run)
        for key in ("token", "sentence"):
            yield f"{model}: {key}", then[key], now[key]


def make_model(model: str, hidden: int, seed: int) -> Translator:
    """Make an untrained model, with Bahdanau's parameters."""
    words, translated = _vocabularies()
    return seq2seq.as_large_as_bahdanaus(
        hidden=hidden,
        **MODELS[model],
        n_in=len(words),
        n_out=len(translated),
        embedding=SETTINGS["embedding"],
        seed=seed,
    )


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


# Where a model looks


def _looks(model: Translator) -> dict[str, Any]:
    """Give the maps and translations of three sentences, and the error."""
    return {
        "maps": [
            [round(float(w) / STEP) for w in _weights(model, pair).ravel()]
            for pair in SENTENCES
        ],
        "translations": [
            grammar.french_text(_translation(model, pair))
            for pair in SENTENCES
        ],
        "alignment": _score(model),
    }


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
    words, _ = model.greedy(_batches([pair]).take([0]).source)
    return _vocabularies()[1].words(words[0].tolist())


def _score(model: Translator) -> dict[str, float]:
    """Give the alignment error rate, and that one row up or down.

    A model whose weights for a word stand one step too early or late has a
    small rate when the rows are moved. `mass` is the mean share of a word's
    weight on its possible links.
    """
    maps = [_weights(model, pair) for pair in _aligned()]

    def error(shift: int) -> float:
        """Read word i's links from row i + shift; the ends keep their own."""
        rows = [
            np.clip(np.arange(len(w)) + shift, 0, len(w) - 1) for w in maps
        ]
        return _error(
            [strongest_links(w[r]) for w, r in zip(maps, rows, strict=True)]
        )

    mass = [
        float(sum(w[link] for link in pair.possible))
        for w, pair in zip(maps, _aligned(), strict=True)
    ]
    return {
        "error": error(0),
        "error_next_row": error(1),
        "error_last_row": error(-1),
        "mass": round(sum(mass) / sum(len(w) for w in maps), 4),
    }


def _error(links: Sequence[set[Link]]) -> float:
    """Give the alignment error rate over all aligned sentences."""
    sure = [pair.sure for pair in _aligned()]
    possible = [pair.possible for pair in _aligned()]
    return round(corpus_error_rate(links, sure, possible), 4)


def _baselines(seeds: Sequence[int]) -> dict[str, Any]:
    """Score alignments that no training went into."""
    shapes = [(len(p.target), len(p.source)) for p in _aligned()]

    def chance(seed: int) -> float:
        rng = np.random.default_rng(seed)
        return _error(
            [
                set(enumerate(rng.integers(n_in, size=n_out).tolist()))
                for n_out, n_in in shapes
            ]
        )

    untrained = [
        _score(make_model("Bahdanau", SETTINGS["hidden"], seed))["error"]
        for seed in seeds
    ]
    return {
        "diagonal": _error([diagonal_links(*shape) for shape in shapes]),
        "same place": _error([same_place_links(*shape) for shape in shapes]),
        "random": [chance(seed) for seed in seeds],
        "untrained": untrained,
    }


def _sizes() -> list[dict[str, Any]]:
    """List the parameters of each model and nominal size."""
    sizes = []
    for name, hidden in dict.fromkeys(
        (arm["model"], arm["hidden"]) for arm in STUDY.each_arm()
    ):
        model = make_model(name, hidden, 0)
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
    found: Mapping[tuple[str, int], dict[str, Any]], seeds: Sequence[int]
) -> list[dict[str, Any]]:
    """Gather the weights of each sentence: (model, seed, n_out, n_in)."""
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
                "axes": {"model": list(SCORED), "seed": list(seeds)},
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


# What the recording shows


def measured(
    recording: Mapping[str, Any],
    measure: str,
    model: str,
    hidden: int = 64,
    steps: int = 1000,
) -> np.ndarray:
    """Give recorded accuracies, shape (seeds, lengths)."""
    wanted = (model, hidden, steps)
    return np.array(
        [
            r[measure]
            for r in recording["records"]
            if (r["model"], r["hidden"], r["steps"]) == wanted
        ]
    )


@STUDY.claim("2.length")
def words_right(recording: Mapping[str, Any]) -> dict[str, Any]:
    """Give the share of words that are right, by length."""
    fixed = measured(recording, "token", "fixed vector")
    bahdanau = measured(recording, "token", "Bahdanau")
    blind = measured(recording, "token", "no input", steps=250)
    return {
        "fixed_5": fixed[:, 0],
        "fixed_10": fixed[:, 1],
        "fixed_40": fixed[:, -1],
        "bahdanau_5": bahdanau[:, 0],
        "bahdanau_40": bahdanau[:, -1],
        "blind_5": blind[:, 0],
    }


@STUDY.claim("2.power")
def sentences_right(recording: Mapping[str, Any]) -> dict[str, Any]:
    """Give the share of sentences of 20 words that are right, and sizes."""
    place = SETTINGS["lengths"].index(20)

    def right(*run: Any) -> np.ndarray:
        return measured(recording, "sentence", *run)[:, place]

    return {
        "fixed": right("fixed vector"),
        "bahdanau": right("Bahdanau"),
        "half": right("Bahdanau", 32),
        "words": recording["vocabulary"][0],
        "steps": SETTINGS["steps"],
        "batch": SETTINGS["size"],
        "parameters_fixed": _size(recording, "fixed vector")["parameters"],
        "parameters_bahdanau": _size(recording, "Bahdanau")["parameters"],
    }


@STUDY.claim("2.loss")
def room(recording: Mapping[str, Any]) -> dict[str, Any]:
    """Give the room in the vector, and what training and size buy."""
    own = _size(recording, "fixed vector")["own_hidden"]
    usual, wide, trained = (
        measured(recording, "sentence", "fixed vector", *run)[:, 1]
        for run in ((), (128,), (64, 4000))
    )
    long = measured(recording, "token", "fixed vector", steps=4000)
    return {
        "sentence_bits": recording["bits"]["40"],
        "vector_bits": 32 * own,
        "before": usual,
        "after": trained,
        "long": long[:, -1],
        "wide": wide,
    }


@STUDY.claim("2.apples")
def pommes(recording: Mapping[str, Any]) -> dict[str, Any]:
    """Give what "pommes" gives to each English word."""
    weights = _apples(recording)
    return {
        "apples": weights[:, 3, 2],
        "others": weights[:, 3, :2].sum(-1),
    }


@STUDY.claim("2.order")
def other_words(recording: Mapping[str, Any]) -> dict[str, Any]:
    """Give where the other words look, and what the model writes itself."""
    weights = _apples(recording)
    wrote = recording["maps"][0]["translations"]["Bahdanau"]
    return {
        "first": weights[:, 0, 0],
        "second": weights[:, 1, 1],
        "article": weights[:, 2, 2],
        "right": wrote.count("j'aime les pommes"),
        "tried": len(wrote),
    }


@STUDY.claim("2.each-word")
def alignment(recording: Mapping[str, Any]) -> dict[str, Any]:
    """Give the alignment error rates."""
    names = dict(
        zip(("bahdanau", "additive_after", "dot", "general"), SCORED,
            strict=True)
    )  # fmt: skip
    return {
        **{key: _errors(recording, name) for key, name in names.items()},
        "diagonal": recording["baselines"]["diagonal"],
        "shifted": _errors(recording, "Bahdanau", "error_next_row"),
    }


@STUDY.figure(
    """
    Line plot of sentences translated without a mistake over their length
    from 5 to 40 words, with bands over three seeds. The fixed vector falls
    to zero by 15 words; four times the training or twice the size moves the
    fall to the right. Bahdanau's model falls slowly, to about 0.16 at 40.
    """
)
def training_and_size(recording: Mapping[str, Any]) -> "Chart":
    """Draw the share of right sentences for several budgets and sizes."""
    runs = {
        "fixed vector": ("fixed vector",),
        "… four times the training": ("fixed vector", 64, 4000),
        "… twice the size": ("fixed vector", 128),
        "Bahdanau": ("Bahdanau",),
        "… half the size": ("Bahdanau", 32),
    }
    return figures.curves(
        SETTINGS["lengths"],
        {
            name: measured(recording, "sentence", *run)
            for name, run in runs.items()
        },
        xlabel="words in the English sentence",
        ylabel="sentences without a mistake",
        title="What training and size buy",
    )


def apples_table() -> Any:
    """Show where each word of "j'aime les pommes" looks."""
    recording = STUDY.recording
    apples, weights = recording["maps"][0], _apples(recording)
    return lab.table(
        [
            {"French": word}
            | {
                source: _spread(weights[:, i, j])
                for j, source in enumerate(apples["source"])
            }
            for i, word in enumerate(apples["target"])
        ],
        caption="Weights of Bahdanau's model, mean and range of 3 seeds",
        columns=["French", *apples["source"]],
    )


def alignment_table() -> Any:
    """Show the alignment error rate of each score and each baseline."""
    recording = STUDY.recording
    names = {
        "Bahdanau": "additive score, before the step (Bahdanau)",
        "additive, after": "additive score, after the step",
        "Luong dot": "dot score, after the step (Luong)",
        "Luong general": "general score, after the step (Luong)",
    }
    rows = {names[name]: _errors(recording, name) for name in SCORED} | {
        f"baseline: {name}": rate
        for name, rate in recording["baselines"].items()
    }
    return lab.table(
        [
            {"links by": name, "error rate": _spread(rate)}
            for name, rate in rows.items()
        ],
        caption="Alignment error rate of 190 held-out sentences",
        columns=["links by", "error rate"],
    )


def _size(recording: Mapping[str, Any], model: str) -> dict[str, Any]:
    """Give the sizes of a model as large as Bahdanau's usual one."""
    [size] = [
        s
        for s in recording["sizes"]
        if (s["model"], s["hidden"]) == (model, SETTINGS["hidden"])
    ]
    return size


def _apples(recording: Mapping[str, Any]) -> np.ndarray:
    """Give Bahdanau's weights for the first sentence, (seed, 4, 3)."""
    weights = unpack_array(recording["maps"][0]["weights"])
    return weights[SCORED.index("Bahdanau")]


def _errors(
    recording: Mapping[str, Any], model: str, key: str = "error"
) -> list[float]:
    """Give a model's alignment error rates, one for each seed."""
    return [
        a[key]
        for a in recording["alignments"]
        if (a["model"], a["steps"]) == (model, SETTINGS["steps"])
    ]


def _spread(numbers: Any) -> str:
    """Write a number, or the mean and range of several."""
    if np.ndim(numbers) == 0:
        return f"{numbers:.2f}"
    return f"{np.mean(numbers):.2f} ({min(numbers):.2f} to {max(numbers):.2f})"
