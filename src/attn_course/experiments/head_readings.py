"""What does each head look at? Every head of two models, on 50 sentences.

For each measure: the weight that a head gives its targets, mean over
sentences, and the two controls of `interpret.head_scores`: what equal weights
would give them, and what the other words give the same targets. A label needs
half of the weight, more than all other keys together, and twice what either
control gives. The same once more with
weights that count how long the vectors are that they let through. A model
with random weights is read in the same way.

And one list of sentences asks whether a head looks at the noun of related
meaning: the best head is chosen on one half and tested on the other, both
ways round. SmolLM2 has weights of 4 bits here, and can't look ahead.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Bool, Float

from attn_course import figures, lab
from attn_course.data import pack_array, unpack_array
from attn_course.experiments.study import Study
from attn_course.interpret.head_scores import (
    MEASURES,
    average,
    labelled,
    norm_weighted,
    read_heads,
    spread,
)
from attn_course.interpret.real_heads import (
    MODELS,
    PACKAGES,
    UNTRAINED,
    is_causal,
    loaded,
    norms,
    output_matrices,
)
from attn_course.interpret.relations import (
    RELATED,
    SOUND,
    best_head,
    halves,
    looks,
    read_links,
    sentences,
)
from attn_course.interpret.statistics import null_of_best
from attn_course.pretrained import head

if TYPE_CHECKING:
    from attn_course.figures import Chart

__all__ = ["STUDY", "TEXTS", "part", "read", "related", "table"]

SETTINGS = {
    "models": [*MODELS, UNTRAINED],
    "seeds": [0, 1, 2],  # of the random weights
    "draws": 2000,
}
STEP = 1 / 4096
# How the page calls the measures.
TEXTS = {
    "previous": "previous word",
    "next": "next word",
    "itself": "itself",
    "same": "the same word elsewhere",
    "first": "first token",
    "punctuation": "punctuation",
}
STUDY = Study(
    "head-readings",
    chapter=5,
    question="What does each head look at?",
    design=__doc__,
    seeds=0,
    settings=SETTINGS,
    packages=["torch", "transformers"],
    needs=PACKAGES,
    data=[f"links/{name}.txt" for name in (*SOUND, RELATED)],
    tolerance=2e-3,
)


@STUDY.run
def read_all() -> dict[str, Any]:
    """Read the heads of both models, and of one that learned nothing."""
    texts = sentences()
    models: dict[str, Any] = {}
    pairs = []
    for label, short in MODELS.items():
        model = loaded(short)
        models[label] = read(model, texts)
        pairs.append({"model": label, **related(model)})
        if short != "minilm":
            continue
        for seed in SETTINGS["seeds"]:
            blank = model.untrained(seed)
            models[f"{UNTRAINED}, seed {seed}"] = read(blank, texts)
            pairs.append({"model": UNTRAINED, "seed": seed, **related(blank)})
    return {
        "sentences": texts,
        "measures": list(MEASURES),
        "models": models,
        "related": pairs,
        "rounding": f"Scores are rounded to the nearest {STEP:g}.",
    }


@STUDY.slice
def again(recording: Mapping[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """Read one half of the sentences with every model; one list of pairs."""
    texts, minilm = recording["sentences"][::2], loaded("minilm")
    for name, model in {
        "MiniLM": lambda: minilm,
        f"{UNTRAINED}, seed 0": lambda: minilm.untrained(0),
        "SmolLM2": lambda: loaded("smollm2"),
    }.items():
        now = read(model(), texts)
        for kind in ("weights", "norms"):
            for measure, then in recording["models"][name][kind].items():
                if then is not None:
                    yield (
                        f"{name}, {kind}: {measure}",
                        unpack_array(then["halves"])[0],
                        unpack_array(now[kind][measure]["score"]),
                    )
    then, now = recording["related"][0], related(minilm)
    for key in ("luck_95", "largest_weight"):
        yield f"related: {key}", then[key], now[key]
    yield "related: right", *(unpack_array(x["right"]) for x in (then, now))


def read(model: Any, texts: Sequence[str]) -> dict[str, Any]:
    """Read every head in all sentences, by weight and by norm."""
    causal = is_causal(model)
    mixing = output_matrices(model)
    by_weight, by_norm, spreads, ratios, most = [], [], [], [], []
    for text in texts:
        maps = model.attentions(text)  # (L, H, n, n)
        lengths = norms(model, text, mixing)  # (L, H, n)
        weighed = norm_weighted(maps, lengths)
        options = {"special": model.special(text), "causal": causal}
        tokens = model.tokens(text)
        by_weight.append(read_heads(maps, tokens, **options))
        by_norm.append(read_heads(weighed, tokens, **options))
        spreads.append(spread(maps, causal=causal))
        ratios.append(lengths[..., 0] / lengths[..., 1:].mean(axis=-1))
        most.append((maps[:, :, 1:].argmax(axis=-1) == 0).mean(axis=-1))
    return {
        "layers": model.layers,
        "heads": model.heads,
        "causal": causal,
        "note": model.note,
        "first_tokens": sorted({model.tokens(text)[0] for text in texts}),
        "weights": _measures(by_weight),
        "norms": _measures(by_norm),
        "spread": pack_array(np.mean(spreads, axis=0), step=STEP),
        # How long the first token's value is, beside the mean of the others.
        "first_length": pack_array(np.mean(ratios, axis=0), step=1 / 512),
        # Share of queries whose largest weight is on the first token.
        "first_largest": pack_array(np.mean(most, axis=0), step=STEP),
    }


def _measures(readings: list[dict[str, Any]]) -> dict[str, Any]:
    """Average the readings, over all sentences and over either half."""
    whole = average(readings)
    parts = [average(readings[start::2]) for start in (0, 1)]
    found = {}
    for name, reading in whole.items():
        seen = [one[name].uniform for one in readings]
        count = sum(not math.isnan(x) for x in seen)
        if not count:
            found[name] = None  # a causal model can't look ahead
            continue
        half = np.stack([part[name].score for part in parts])
        found[name] = {
            "score": pack_array(reading.score, step=STEP),
            "others": pack_array(reading.others, step=STEP),
            "uniform": float(reading.uniform),
            "halves": pack_array(half, step=STEP),
            "sentences": count,
        }
    return found


def related(model: Any) -> dict[str, Any]:
    """Look for a head that finds the noun of related meaning."""
    links = read_links(RELATED)
    seen = np.stack([looks(model, link) for link in links])
    if is_causal(model):
        seen = seen[:, :1]  # the nouns can't ask the word behind them
    half = halves(links)
    right = seen[..., 0, 0] > seen[..., 0, 1]  # (n, D, L, H)
    luck = null_of_best(right[half], draws=SETTINGS["draws"], seed=0)
    folds = [best_head(seen, choose=choose) for choose in (half, ~half)]
    return {
        "sentences": len(links),
        "heads": int(np.prod(seen.shape[1:4])),
        "luck_95": float(np.quantile(luck, 0.95)),
        "folds": [fold._asdict() for fold in folds],
        "right": pack_array(right.mean(axis=0), step=1 / 1024),
        # Mean weight on the right noun, the largest over all heads.
        "largest_weight": float(seen[..., 0, 0].mean(axis=0).max()),
    }


# What the recording says


def part(
    recording: Mapping[str, Any],
    model: str,
    measure: str,
    kind: str = "weights",
    what: str = "score",
) -> Float[np.ndarray, "*parts layers heads"]:
    """Give what was recorded for every head."""
    return unpack_array(recording["models"][model][kind][measure][what])


def _equal(recording: Mapping[str, Any], model: str, measure: str) -> float:
    """Give what equal weights would give the targets."""
    return recording["models"][model]["weights"][measure]["uniform"]


def _labelled(
    recording: Mapping[str, Any],
    model: str,
    measure: str,
    kind: str = "weights",
) -> Bool[np.ndarray, "layers heads"]:
    """Say which heads earn the label."""
    scores = [
        part(recording, model, measure, kind, what)
        for what in ("score", "others")
    ]
    return labelled(measure, *scores, _equal(recording, model, measure))


def _untrained(recording: Mapping[str, Any]) -> list[str]:
    return [name for name in recording["models"] if "random" in name]


@STUDY.claim("5.useful")
def sinks(recording: Mapping[str, Any]) -> dict[str, Any]:
    """Give what the first token gets, by weight and by norm."""
    found: dict[str, Any] = {"sentences": len(recording["sentences"])}
    for model, name in (("MiniLM", "sink"), ("SmolLM2", "causal_sink")):
        heads = name.replace("causal_sink", "causal") + "_heads"
        lengths = unpack_array(recording["models"][model]["first_length"])
        found |= {
            name: part(recording, model, "first").mean(),
            f"{name}_norm": part(recording, model, "first", "norms").mean(),
            heads: int(_labelled(recording, model, "first").sum()),
            f"{heads}_norm": int(
                _labelled(recording, model, "first", "norms").sum()
            ),
            heads.replace("heads", "length"): np.median(lengths),
        }
    return {
        **found,
        "sink_equal": _equal(recording, "MiniLM", "first"),
        "separator": part(recording, "MiniLM", "separator").mean(),
        "causal_all": part(recording, "SmolLM2", "first").size,
        "sink_random": [
            part(recording, blank, "first").mean()
            for blank in _untrained(recording)
        ],
    }


def _neighbour(recording: Mapping[str, Any], measure: str) -> dict[str, Any]:
    """Give the best heads of MiniLM by one measure, and the controls."""
    score = part(recording, "MiniLM", measure)
    best = np.unravel_index(score.argmax(), score.shape)
    return {
        "best": score.max(),
        "second": np.sort(score.ravel())[-2],
        "others": part(recording, "MiniLM", measure, what="others")[best],
        "half_low": part(recording, "MiniLM", measure, what="halves")[
            :, *best
        ].min(),
        "labelled": int(_labelled(recording, "MiniLM", measure).sum()),
        "heads": score.size,
        "equal": _equal(recording, "MiniLM", measure),
        "untrained": [
            part(recording, blank, measure).max()
            for blank in _untrained(recording)
        ],
    }


@STUDY.claim("5.previous")
def previous_word(recording: Mapping[str, Any]) -> dict[str, Any]:
    """Give the heads for the previous word; one for the same word beside."""
    score = part(recording, "SmolLM2", "previous")
    same = part(recording, "SmolLM2", "same")
    others = part(recording, "SmolLM2", "same", what="others")
    return {
        **_neighbour(recording, "previous"),
        "causal_best": score.max(),
        "causal_labelled": int(
            _labelled(recording, "SmolLM2", "previous").sum()
        ),
        "causal_heads": score.size,
        "same": same.max(),
        "same_others": others.ravel()[same.argmax()],
    }


@STUDY.claim("5.next")
def next_word(recording: Mapping[str, Any]) -> dict[str, Any]:
    """Give the heads for the next word: an encoder's alone."""
    return _neighbour(recording, "next")


@STUDY.claim("5.related")
def related_word(recording: Mapping[str, Any]) -> dict[str, Any]:
    """Give how often the best head finds the noun of related meaning."""

    def held_out(row: Mapping[str, Any], what: str = "held_out") -> float:
        return float(np.mean([fold[what] for fold in row["folds"]]))

    encoder, *blanks, causal = recording["related"]
    chosen = causal["folds"][0]
    return {
        **{
            what: held_out(encoder, what)
            for what in ("held_out", "control", "right", "rival")
        },
        **{
            f"causal_{what}": held_out(causal, what)
            for what in ("held_out", "right", "rival")
        },
        "causal_layer": chosen["layer"] + 1,
        "causal_head": chosen["head"] + 1,
        "luck": encoder["luck_95"],
        "sentences": encoder["sentences"],
        "untrained": [held_out(row) for row in blanks],
    }


def _sink(recording: Mapping[str, Any], model: str, first: str) -> "Chart":
    """Draw what the first token gets in each layer, mean over heads."""
    by_weight = part(recording, model, "first").mean(axis=1)
    return figures.curves(
        np.arange(len(by_weight)) + 1,
        {
            "weight": by_weight,
            "weight times length": part(
                recording, model, "first", "norms"
            ).mean(axis=1),
            "equal weights": np.full(
                len(by_weight), _equal(recording, model, "first")
            ),
        },
        xlabel="layer",
        ylabel=f"share of {first}, mean over heads",
        title=f"{model}: what words give to the "
        + ("start token" if first == "[CLS]" else "first word"),
    )


@STUDY.figure(
    """
    Lines over the six layers of MiniLM. The weight on the start token rises
    from 0.23 in layer 1 to between 0.5 and 0.6 in layers 2 to 5 and is 0.4 in
    layer 6. Weighed by length it stays near 0.1 in all layers, about where
    equal weights would be.
    """
)
def sink_of_minilm(recording: Mapping[str, Any]) -> "Chart":
    """Draw the start token's share."""
    return _sink(recording, "MiniLM", "[CLS]")


@STUDY.figure(
    """
    Lines over the thirty layers of SmolLM2. The weight on the first word
    starts at 0.26, is near 0.6 in layers 4 to 9, dips to 0.13 in layer 12 and
    then swings between 0.5 and 0.9. Weighed by length it is lower, yet above
    equal weights in nearly all layers.
    """
)
def sink_of_smollm2(recording: Mapping[str, Any]) -> "Chart":
    """Draw the first word's share."""
    return _sink(recording, "SmolLM2", "the first word")


@STUDY.figure(
    """
    Four tables of MiniLM's heads, six layers by twelve heads. For the
    previous word L1H3 stands out at 1, all others are pale. For the next word
    L2H9 is at 0.66. For the same word L1H9 reaches 0.41. For the first token
    most heads of layers 2 to 5 are strong.
    """
)
def every_head(recording: Mapping[str, Any]) -> "Chart":
    """Draw the scores of every head of MiniLM by four measures."""
    return figures.grids(
        {
            TEXTS[measure]: part(recording, "MiniLM", measure)
            for measure in ("previous", "next", "same", "first")
        },
        xlabel="head",
        ylabel="layer",
        label="score",
    )


def table() -> Any:
    """Show the best head by each measure, in both models."""
    recording = STUDY.recording

    def best(model: str, measure: str) -> str:
        if recording["models"][model]["weights"][measure] is None:
            return "–"
        score = part(recording, model, measure)
        at = np.unravel_index(score.argmax(), score.shape)
        others = part(recording, model, measure, what="others")[at]
        count = int(_labelled(recording, model, measure).sum())
        return f"{head(*at)}: {score[at]:.2f} (others {others:.2f}); {count}"

    def best_untrained(measure: str) -> float:
        blanks = _untrained(recording)
        return max(part(recording, m, measure).max() for m in blanks)

    return lab.table(
        [
            {
                "looks at": text,
                "MiniLM": best("MiniLM", measure),
                "SmolLM2": best("SmolLM2", measure),
                "random, best": f"{best_untrained(measure):.2f}",
            }
            for measure, text in TEXTS.items()
        ],
        caption="Recorded: the best head and its score; what other words "
        "give the same targets; how many heads earn the label. –: nothing "
        "there to see",
        columns=["looks at", "MiniLM", "SmolLM2", "random, best"],
    )
