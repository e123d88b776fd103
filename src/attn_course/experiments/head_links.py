"""Which heads follow which grammatical link? All heads, on lists.

For each list the best head is chosen on one half of the groups of sentences
and measured on the other, and the other way round: two folds. Beside it: how
well the best of as many heads would do by luck; the same head asked from the
word before; and, for two lists, the same head on a list where the link is
gone. A model with random weights is put through the same search.
"""

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Float

from attn_course.data import pack_array
from attn_course.experiments import provenance, version_of
from attn_course.interpret.real_heads import MODELS, PACKAGES, UNTRAINED
from attn_course.links import (
    LISTS,
    BestHead,
    Link,
    best_head,
    halves,
    looks,
    luck,
    read_links,
)
from attn_course.pretrained import load

__all__ = ["CONTROLS", "RECORDINGS", "inputs", "record", "see", "summary"]

RECORDINGS = ("head-links",)
# A list, and one in which what it tests is gone.
CONTROLS = {
    "agreement": "agreement-impossible",
    "pronouns": "pronouns-impossible",
}
DRAWS = 2000
CODE = (
    "experiments/head_links.py",
    "links.py",
    "families.py",
    "pieces.py",
    "pretrained.py",
    "data/links",
)


def inputs(name: str, seeds: Sequence[int]) -> list[Any]:
    """List what the recording depends on; chance makes random weights."""
    lists = {each: [list(link) for link in read_links(each)] for each in LISTS}
    versions = [version_of(package) for package in PACKAGES]
    return [lists, versions, list(seeds), DRAWS]


def record(name: str, seeds: Sequence[int]) -> dict[str, Any]:
    """Search the heads of both models, and of one that learned nothing."""
    results, grids = [], {}
    for label, short in MODELS.items():
        model = load(short)
        seen = see(model)
        results += summary(label, seen)
        grids[label] = {each: grid(x) for each, x in seen.items()}
        print(f"{label}: {len(seen)} lists", flush=True)
        if short != "minilm":
            continue
        for seed in seeds:
            blank = see(model.untrained(seed))
            results += [{**r, "seed": seed} for r in summary(UNTRAINED, blank)]
            print(f"{UNTRAINED}, seed {seed}", flush=True)
    return {
        "about": __doc__.strip(),
        "results": results,
        "grids": grids,
        "draws": DRAWS,
        "rounding": "Shares in `grids` are rounded to the nearest 1/1024.",
        "recorded": provenance(
            name,
            seeds=list(seeds),
            packages=["torch", "transformers", *PACKAGES],
            code=CODE,
        ),
    }


def see(model: Any) -> dict[str, Float[np.ndarray, "n D L H 2 2"]]:
    """Measure every list, as far as the model can look.

    A causal model never looks ahead. It is given the lists in which both
    nouns come before the word that asks, and D is 1; otherwise D is 2: the
    word asks the noun, the noun asks the word.
    """
    first_word = model.attentions("One two.")[:, :, 0]  # (L, H, n)
    causal = not first_word[..., 1:].any()
    seen = {}
    for name in LISTS:
        links = read_links(name)
        if causal and not all(link.backward for link in links):
            continue
        maps = np.stack([looks(model, link) for link in links])
        seen[name] = maps[:, :1] if causal else maps
    return seen


def summary(model: str, seen: dict[str, np.ndarray]) -> list[dict[str, Any]]:
    """Choose and measure the best head of each list, both ways round."""
    rows = []
    for name, maps in seen.items():
        links = read_links(name)
        half = halves(links)
        folds = [
            _fold(name, links, seen, choose=choose) for choose in (half, ~half)
        ]
        right = maps[..., 0, 0] > maps[..., 0, 1]  # (n, D, L, H)
        chance = luck(right[half], draws=DRAWS, seed=0)
        chance_all = luck(right, draws=DRAWS, seed=0)
        rows.append(
            {
                "model": model,
                "list": name,
                "sentences": len(links),
                "heads": int(np.prod(maps.shape[1:4])),
                "nearest": np.mean([link.nearest for link in links]),
                "first": np.mean([link.first for link in links]),
                "luck_median": np.median(chance),
                "luck_95": np.quantile(chance, 0.95),
                "luck_95_all": np.quantile(chance_all, 0.95),
                "folds": folds,
            }
        )
    return rows


def _fold(
    name: str,
    links: list[Link],
    seen: dict[str, np.ndarray],
    *,
    choose: np.ndarray,
) -> dict[str, Any]:
    """Choose a head on some sentences, measure it on the others."""
    best = best_head(seen[name], choose=choose)
    return {
        **best._asdict(),
        "whole_groups": _whole_groups(seen[name], best, links, choose),
        "without_link": _share(seen[CONTROLS[name]], best, ~choose)
        if name in CONTROLS and CONTROLS[name] in seen
        else None,
    }


def _chosen(maps: np.ndarray, best: BestHead) -> np.ndarray:
    """Say for each sentence whether the chosen head is right, (n,)."""
    pair = maps[:, best.direction, best.layer, best.head, 0]  # (n, 2)
    return pair[:, 0] > pair[:, 1]


def _share(maps: np.ndarray, best: BestHead, where: np.ndarray) -> float:
    return float(_chosen(maps, best)[where].mean())


def _whole_groups(
    maps: np.ndarray, best: BestHead, links: list[Link], choose: np.ndarray
) -> float:
    """Share of held-out groups in which every sentence is right.

    Half right in all groups is what a head scores that goes by place alone.
    """
    right = zip(links, _chosen(maps, best), ~choose, strict=True)
    groups = itertools.groupby(right, key=lambda row: row[0].group)
    whole = [
        all(is_right for _, is_right, _ in rows)
        for rows in (list(rows) for _, rows in groups)
        if rows[0][2]
    ]
    return float(np.mean(whole))


def grid(maps: Float[np.ndarray, "n D L H 2 2"]) -> dict[str, Any]:
    """Give every head's share of right sentences, both halves, (D, L, H)."""
    right = maps[..., 0, 0] > maps[..., 0, 1]  # (n, D, L, H)
    return pack_array(right.mean(axis=0), step=1 / 1024)
