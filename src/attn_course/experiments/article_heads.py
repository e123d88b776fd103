"""The article's four heads, looked for in two real models.

The article names a head for grammar, one for synonyms, one for neighbours and
one for references. This study measures nothing anew: it puts the recordings
of chapters 4 and 5, and that of brackets in code, to this question.

For grammar, synonyms and references (`head-links`, and the related nouns of
`head-readings`) a score is the share of sentences in which the best head
prefers the right noun; the head is chosen on one half of a list and measured
on the other, both ways round. It counts as found where the mean of both folds
is beyond what the best of as many heads reaches by luck in 95 of 100 draws.
Neighbours (`head-readings`) are scored by weight, mean over 50 sentences; a
head counts as found where it earns the label of `interpret.head_scores`: one
half, and twice what its controls get. Beside both models stand three of
MiniLM's shape with random weights.

The thresholds were set before, for chapters 4 and 5; nothing is tuned here.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
from jaxtyping import Bool

from attn_course import lab
from attn_course.data import load_recording, unpack_array
from attn_course.experiments.study import Study
from attn_course.experiments.sweeps import runs_of
from attn_course.interpret.head_scores import labelled
from attn_course.pretrained import head
from attn_course.tasks.code_brackets import labelled_openers
from attn_course.widgets.head_browser import NAMES, recorded_models

__all__ = ["KINDS", "STUDY", "shown", "table"]

ENCODER, CAUSAL = MODELS = ("MiniLM", "SmolLM2")
RANDOM = "MiniLM, random weights"
POSITIONS = ("previous", "next")
KINDS = {
    "agreement": "1 grammar: verb and subject, number decides",
    "modifiers": "1 grammar: adjective and noun",
    "subjects": "1 grammar: verb and subject, structure decides",
    "roles": "1 grammar: who did it",
    "related": "2 synonyms: noun of related meaning",
    "previous": "3 neighbours: previous word",
    "next": "3 neighbours: next word",
    "pronouns": "4 references: pronoun, gender decides",
    "meaning": "4 references: pronoun, meaning decides",
}
# What the browser of heads shows beside positions: list → its name there.
BROWSED = {"pronouns": "pronoun’s noun", "agreement": "verb’s subject"}
STUDY = Study(
    "article-heads",
    chapter=6,
    question="Which of the article's four heads do two real models have?",
    design=__doc__,
    rests_on=["head-links", "head-readings", "code-brackets"],
    arms={"model": [RANDOM]},
    tolerance=1e-6,
)


@STUDY.run
def untrained(model: str, seed: int) -> dict[str, Any]:
    """Give the scores that a model with random weights reaches."""
    scores = {}
    for name in KINDS:
        if name in POSITIONS:
            found = _position(f"{model}, seed {seed}", name)
        else:
            found = _link(name, model=model, seed=seed)
        scores[name] = found and found["score"]
    return {"scores": scores}


@STUDY.summary
def content(records: list[dict[str, Any]]) -> dict[str, Any]:
    """Give what the trained models reach, and how many heads earn labels."""
    readings = load_recording("head-readings")
    browsed = shown()
    labels = {model: _labels(browsed[model]) for model in MODELS}
    return {
        "results": {
            model: {
                name: _position(model, name)
                if name in POSITIONS
                else _link(name, model=model)
                for name in KINDS
            }
            for model in MODELS
        },
        "sentences": len(readings["sentences"]),
        "heads": {model: found.size for model, found in labels.items()},
        "labelled": {m: int(found.sum()) for m, found in labels.items()},
    }


@STUDY.slice
def again(recording: dict[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """Read all of it once more."""
    for then in recording["records"]:
        now = untrained(then["model"], then["seed"])["scores"]
        yield f"seed {then['seed']}", *map(_scores, (then["scores"], now))
    now = content([])
    for model, then in recording["results"].items():
        yield model, *map(_scores, (then, now["results"][model]))
    for name in ("heads", "labelled"):
        yield name, *(list(x[name].values()) for x in (recording, now))


def _scores(found: dict[str, Any]) -> list[float]:
    """List the scores, −1 where a model can't look."""
    each = (x["score"] if isinstance(x, dict) else x for x in found.values())
    return [-1 if score is None else score for score in each]


def _link(name: str, **which: Any) -> dict[str, Any] | None:
    """Say how well the best head of a model follows a link."""
    if name == "related":
        rows = load_recording("head-readings")["related"]
    else:
        rows = runs_of(load_recording("head-links")["results"], list=name)
    rows = runs_of(rows, **which)
    if not rows:
        return None  # a causal model can't look ahead
    [row] = rows
    score = float(np.mean([fold["held_out"] for fold in row["folds"]]))
    return {
        "score": score,
        "luck": row["luck_95"],
        "found": score > row["luck_95"],
        "best": [[fold["layer"], fold["head"]] for fold in row["folds"]],
    }


def _position(model: str, name: str) -> dict[str, Any] | None:
    """Say how much weight the best head of a model gives a place."""
    given = load_recording("head-readings")["models"][model]["weights"][name]
    if given is None:
        return None
    score, others = (unpack_array(given[key]) for key in ("score", "others"))
    best = np.unravel_index(score.argmax(), score.shape)
    return {
        "score": float(score[best]),
        "halves": unpack_array(given["halves"]).max(axis=(1, 2)).tolist(),
        "found": bool(labelled(name, score, others, given["uniform"]).any()),
        "best": [[int(i) for i in best]],
    }


def _labels(model: dict[str, Any]) -> Bool[np.ndarray, "L H"]:
    """Say which heads earn any label but that of a sink."""
    sink, _ = NAMES["first"]
    return np.any(
        [
            measure["labelled"]
            for name, measure in model["measures"].items()
            if "labelled" in measure and name != sink
        ],
        axis=0,
    )


def shown() -> dict[str, dict[str, Any]]:
    """Give what the page's browser of heads shows of each model.

    Only one of three models with random weights, to keep the page light.
    """
    readings = load_recording("head-readings")
    found = recorded_models(readings, maps={ENCODER: "minilm-cat"})
    found = {m: found[m] for m in (*MODELS, f"{RANDOM}, seed 0")}
    links = load_recording("head-links")
    for model in MODELS:
        for name, title in BROWSED.items():
            for row in runs_of(links["results"], model=model, list=name):
                grid = unpack_array(links["grids"][model][name])
                found[model]["measures"][title] = _share(grid, row)
    found[CAUSAL]["measures"]["bracket to close"] = _to_close()
    return found


def _share(grid: np.ndarray, row: dict[str, Any]) -> dict[str, Any]:
    """Describe one link as the browser takes it, from (D, L, H)."""
    share = grid.max(axis=0)  # (L, H): the better direction
    return {
        "score": share,
        "uniform": 0.5,
        "labelled": share > row["luck_95_all"],
        "text": "Share of sentences in which it prefers the right noun; "
        "a label here is a share beyond the luck of the best head.",
    }


def _to_close() -> dict[str, Any]:
    """Describe the weight on the bracket that must be closed next."""
    weights = unpack_array(load_recording("code-brackets")["weights"])
    before = weights[1]  # (L, H, 2): asked from the word before
    return {
        "score": before[..., 0],
        "others": before[..., 1],
        "labelled": labelled_openers(before),
        "text": "Weight on the bracket that must be closed next, in lines of "
        "code; beside it the weight on its rival.",
    }


# What the page tells


def table() -> Any:
    """Show which of the four heads are found, in either model."""
    recording = STUDY.recording
    rows = [
        {
            "article’s head, as asked": text,
            **{m: _verdict(recording["results"][m][name]) for m in MODELS},
            "random": f"{max(_random(recording, name)):.2f}",
        }
        for name, text in KINDS.items()
    ]
    return lab.table(
        rows,
        caption="Recorded: which of the article’s four heads are found. –: a "
        "causal model can’t look ahead. Random: the best of three MiniLMs "
        "with random weights",
        columns=list(rows[0]),
    )


def _verdict(found: dict[str, Any] | None) -> str:
    """Write whether a head is found, its score, and which it is."""
    if found is None:
        return "–"
    names = dict.fromkeys(head(*place) for place in found["best"])
    sign = "found" if found["found"] else "no"
    return f"{sign}: {found['score']:.2f}, {' or '.join(names)}"


def _random(recording: dict[str, Any], name: str) -> list[float]:
    """Give the scores of the models with random weights."""
    return [record["scores"][name] for record in recording["records"]]


def _pair(recording: dict[str, Any], name: str) -> dict[str, Any]:
    """Give the numbers of one list: both models, luck, random weights."""
    encoder, causal = (recording["results"][m][name] for m in MODELS)
    return {
        "held_out": encoder["score"],
        "causal": causal["score"],
        "luck": encoder["luck"],
        "causal_luck": causal["luck"],
        "untrained": _random(recording, name),
    }


@STUDY.claim("6.grammar")
def grammar(recording: dict[str, Any]) -> dict[str, Any]:
    """Tell of agreement, modifiers, and who did it."""
    encoder, causal = (recording["results"][m] for m in MODELS)
    return {
        **_pair(recording, "agreement"),
        "modifiers": encoder["modifiers"]["score"],
        "subjects": encoder["subjects"]["score"],
        "causal_subjects": causal["subjects"]["score"],
        "roles": encoder["roles"]["score"],
    }


@STUDY.claim("6.synonyms")
def synonyms(recording: dict[str, Any]) -> dict[str, Any]:
    """Tell of nouns of related meaning."""
    return _pair(recording, "related")


@STUDY.claim("6.reference")
def reference(recording: dict[str, Any]) -> dict[str, Any]:
    """Tell of pronouns, where gender decides and where meaning does."""
    encoder, causal = (recording["results"][m]["meaning"] for m in MODELS)
    return {
        **_pair(recording, "pronouns"),
        "meaning": encoder["score"],
        "causal_meaning": causal["score"],
        "meaning_luck": encoder["luck"],
    }


@STUDY.claim("6.adjacent")
def adjacent(recording: dict[str, Any]) -> dict[str, Any]:
    """Tell of the previous and the next word, and count labels."""
    encoder, causal = (recording["results"][m] for m in MODELS)
    return {
        "previous": encoder["previous"]["score"],
        "next": encoder["next"]["score"],
        "causal_previous": causal["previous"]["score"],
        "half_low": min(encoder["previous"]["halves"]),
        "next_half_low": min(encoder["next"]["halves"]),
        "untrained": _random(recording, "previous"),
        "sentences": recording["sentences"],
        "some": recording["labelled"][ENCODER],
        "heads": recording["heads"][ENCODER],
        "causal_some": recording["labelled"][CAUSAL],
        "causal_heads": recording["heads"][CAUSAL],
    }
