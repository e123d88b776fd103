"""Which heads follow which grammatical link? All heads, on lists.

Each sentence of a list has a word that asks, a noun that is right and a
rival. A head is right where the right noun gets more weight, in either
direction: the word looks at the noun, or the noun at the word. For each list
the best head is chosen on one half of the groups of sentences and measured on
the other, and the other way round: two folds. Beside it: how well the best of
as many heads would do by luck; the same head asked from the word before; and,
for two lists, the same head on a list where the link is gone. A model with
random weights is put through the same search.

The first list for agreement leaked: a liking for distances solves it. It was
kept as `agreement-leaky`, and the lists were written again, with both nouns
in the same places. SmolLM2 has weights of 4 bits here, and is causal: it is
asked the lists in which both nouns come before the word that asks.
"""

import itertools
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Bool, Float

from attn_course import figures, lab
from attn_course.data import pack_array, unpack_array
from attn_course.experiments.study import Study
from attn_course.interpret.real_heads import (
    MODELS,
    PACKAGES,
    UNTRAINED,
    is_causal,
    loaded,
)
from attn_course.interpret.relations import (
    LISTS,
    BestHead,
    Link,
    best_head,
    halves,
    looks,
    read_links,
)
from attn_course.interpret.statistics import null_of_best

if TYPE_CHECKING:
    from attn_course.figures import Chart

__all__ = ["CONTROLS", "KINDS", "STUDY", "held_out", "search", "see", "table"]

# A list, and one in which what it tests is gone.
CONTROLS = {
    "agreement": "agreement-impossible",
    "pronouns": "pronouns-impossible",
}
# What the lists of the page ask.
KINDS = {
    "pronouns": "pronoun, gender decides",
    "agreement": "verb, number decides",
    "subjects": "verb, structure decides",
    "modifiers": "adjective and noun",
    "roles": "who did it",
    "meaning": "pronoun, meaning decides",
}
SETTINGS = {
    "models": [*MODELS, UNTRAINED],
    "seeds": [0, 1, 2],  # of the random weights
    "draws": 2000,
}
STUDY = Study(
    "head-links",
    chapter=4,
    question="Do single heads follow agreement, modifiers, roles, pronouns?",
    design=__doc__,
    seeds=0,
    settings=SETTINGS,
    packages=["torch", "transformers"],
    needs=PACKAGES,
    data=[f"links/{name}.txt" for name in LISTS],
    # One of 64 sentences whose two weights are all but equal.
    tolerance=0.02,
)


@STUDY.run
def search_all() -> dict[str, Any]:
    """Search the heads of both models, and of one that learned nothing."""
    results, grids = [], {}
    for label, short in MODELS.items():
        model = loaded(short)
        seen = see(model)
        results += search(label, seen)
        grids[label] = {each: _grid(x) for each, x in seen.items()}
        if short != "minilm":
            continue
        for seed in SETTINGS["seeds"]:
            blank = search(UNTRAINED, see(model.untrained(seed)))
            results += [{**row, "seed": seed} for row in blank]
    return {
        "results": results,
        "grids": grids,
        "draws": SETTINGS["draws"],
        "rounding": "Shares in `grids` are rounded to the nearest 1/1024.",
    }


@STUDY.slice
def again(recording: Mapping[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """Ask every model one list again; random weights with one seed."""
    name, rows = "pronouns", _rows(recording)
    for label, short in MODELS.items():
        seen = see(loaded(short), [name])
        yield (
            f"{label}: right",
            unpack_array(recording["grids"][label][name]),
            unpack_array(_grid(seen[name])),
        )
    blank = see(loaded("minilm").untrained(0), [name])
    [now], then = search(UNTRAINED, blank), rows[UNTRAINED, name, 0]
    for key in ("luck_median", "luck_95", "luck_95_all"):
        yield f"{UNTRAINED}: {key}", then[key], now[key]
    for key in ("chosen", "held_out"):
        yield (
            f"{UNTRAINED}: {key}",
            *([fold[key] for fold in row["folds"]] for row in (then, now)),
        )


def see(
    model: Any, names: Any = LISTS
) -> dict[str, Float[np.ndarray, "n D L H 2 2"]]:
    """Measure the lists, as far as the model can look.

    A causal model never looks ahead. It is given the lists in which both
    nouns come before the word that asks, and D is 1; otherwise D is 2: the
    word asks the noun, the noun asks the word.
    """
    causal = is_causal(model)
    seen = {}
    for name in names:
        links = read_links(name)
        if causal and not all(link.backward for link in links):
            continue
        maps = np.stack([looks(model, link) for link in links])
        seen[name] = maps[:, :1] if causal else maps
    return seen


def search(model: str, seen: dict[str, np.ndarray]) -> list[dict[str, Any]]:
    """Choose and measure the best head of each list, both ways round."""
    rows = []
    for name, maps in seen.items():
        links = read_links(name)
        half = halves(links)
        right = maps[..., 0, 0] > maps[..., 0, 1]  # (n, D, L, H)
        draws = SETTINGS["draws"]
        luck = null_of_best(right[half], draws=draws, seed=0)
        luck_all = null_of_best(right, draws=draws, seed=0)
        rows.append(
            {
                "model": model,
                "list": name,
                "sentences": len(links),
                "heads": int(np.prod(maps.shape[1:4])),
                "nearest": np.mean([link.nearest for link in links]),
                "first": np.mean([link.first for link in links]),
                "luck_median": np.median(luck),
                "luck_95": np.quantile(luck, 0.95),
                "luck_95_all": np.quantile(luck_all, 0.95),
                "folds": [
                    _fold(name, links, seen, choose)
                    for choose in (half, ~half)
                ],
            }
        )
    return rows


def _fold(
    name: str,
    links: list[Link],
    seen: dict[str, np.ndarray],
    choose: Bool[np.ndarray, " n"],
) -> dict[str, Any]:
    """Choose a head on some sentences, measure it on the others."""
    best = best_head(seen[name], choose=choose)
    without = seen.get(CONTROLS.get(name, ""))
    return {
        **best._asdict(),
        "whole_groups": _whole_groups(seen[name], best, links, choose),
        "without_link": None
        if without is None
        else float(_chosen(without, best)[~choose].mean()),
    }


def _chosen(maps: np.ndarray, best: BestHead) -> Bool[np.ndarray, " n"]:
    """Say for each sentence whether the chosen head is right."""
    pair = maps[:, best.direction, best.layer, best.head, 0]  # (n, 2)
    return pair[:, 0] > pair[:, 1]


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


def _grid(maps: Float[np.ndarray, "n D L H 2 2"]) -> dict[str, Any]:
    """Give every head's share of right sentences, both halves, (D, L, H)."""
    right = maps[..., 0, 0] > maps[..., 0, 1]  # (n, D, L, H)
    return pack_array(right.mean(axis=0), step=1 / 1024)


# What the recording says


def _rows(recording: Mapping[str, Any]) -> dict[tuple, dict[str, Any]]:
    """Give the results by model, list and seed (None: it was trained)."""
    return {
        (row["model"], row["list"], row.get("seed")): row
        for row in recording["results"]
    }


def held_out(
    recording: Mapping[str, Any],
    name: str,
    model: str = "MiniLM",
    what: str = "held_out",
    seed: int | None = None,
) -> float | None:
    """Average over the two folds; None where the model can't be asked."""
    row = _rows(recording).get((model, name, seed))
    return row and float(np.mean([fold[what] for fold in row["folds"]]))


def _untrained(recording: Mapping[str, Any], name: str) -> list[float]:
    """Give the same with random weights, one number for each seed."""
    return [
        held_out(recording, name, UNTRAINED, seed=seed)
        for seed in recording["recorded"]["seeds"]
    ]


def _luck(recording: Mapping[str, Any], name: str) -> float:
    return _rows(recording)["MiniLM", name, None]["luck_95"]


@STUDY.claim("4.reference")
def pronouns(recording: Mapping[str, Any]) -> dict[str, Any]:
    """Give what heads do for pronouns, where gender or meaning decides."""
    row = _rows(recording)["MiniLM", "pronouns", None]
    return {
        "held_out": held_out(recording, "pronouns"),
        "smollm2": held_out(recording, "pronouns", "SmolLM2"),
        "impossible": held_out(recording, "pronouns", what="without_link"),
        "right": row["folds"][1]["right"],
        "rival": row["folds"][1]["rival"],
        "meaning": held_out(recording, "meaning"),
        "smollm2_meaning": held_out(recording, "meaning", "SmolLM2"),
        "luck": row["luck_95"],
        "sentences": row["sentences"],
        "candidates": row["heads"],
    }


@STUDY.claim("4.agreement")
def agreement(recording: Mapping[str, Any]) -> dict[str, Any]:
    """Give what heads do for verbs, and for the list that leaked."""
    return {
        "held_out": held_out(recording, "agreement"),
        "smollm2": held_out(recording, "agreement", "SmolLM2"),
        "impossible": held_out(recording, "agreement", what="without_link"),
        "subjects": held_out(recording, "subjects"),
        "smollm2_subjects": held_out(recording, "subjects", "SmolLM2"),
        "luck": _luck(recording, "agreement"),
        "leaky": held_out(recording, "agreement-leaky"),
        "leaky_untrained": _untrained(recording, "agreement-leaky"),
    }


@STUDY.claim("4.modifiers")
def modifiers(recording: Mapping[str, Any]) -> dict[str, Any]:
    """Give what heads do for adjectives and their nouns."""
    return {
        "held_out": held_out(recording, "modifiers"),
        "luck": _luck(recording, "modifiers"),
        "untrained": _untrained(recording, "modifiers"),
    }


@STUDY.claim("4.roles")
def roles(recording: Mapping[str, Any]) -> dict[str, Any]:
    """Give what heads do for who did it."""
    return {
        "held_out": held_out(recording, "roles"),
        "whole": held_out(recording, "roles", what="whole_groups"),
        "luck": _luck(recording, "roles"),
        "untrained": _untrained(recording, "roles"),
    }


@STUDY.claim("4.each-head")
def each_head(recording: Mapping[str, Any]) -> dict[str, Any]:
    """Count the kinds of links for which each head of MiniLM beats luck."""
    rows, grids = _rows(recording), recording["grids"]["MiniLM"]
    follows = np.stack(
        [
            unpack_array(grids[name])
            > rows["MiniLM", name, None]["luck_95_all"]
            for name in KINDS
        ]
    )  # (kinds, D, L, H)
    serve = follows.any(axis=1).sum(axis=0)  # (L, H): kinds a head serves
    return {
        "kinds": int(follows.any(axis=(1, 2, 3)).sum()),
        "asked": len(KINDS),
        "one": int((serve == 1).sum()),
        "several": int((serve > 1).sum()),
        "none": int((serve == 0).sum()),
        "most": int(serve.max()),
    }


@STUDY.figure(
    """
    Four tables of all heads of MiniLM, six layers by twelve heads, coloured
    by the share of sentences in which the word looks more at the right noun.
    For pronouns layer 2, head 4 stands out near 1, for modifiers many heads
    of layers 3 to 6; for roles and for meaning all heads are near one half.
    """
)
def every_head(recording: Mapping[str, Any]) -> "Chart":
    """Draw the share right of every head, for four kinds."""
    grids = recording["grids"]["MiniLM"]
    return figures.grids(
        {
            KINDS[name]: unpack_array(grids[name])[0]
            for name in ("pronouns", "modifiers", "roles", "meaning")
        },
        xlabel="head",
        ylabel="layer",
        label="share right",
    )


def table() -> Any:
    """Show how often the best head of each kind is right, held out."""
    recording = STUDY.recording

    def shown(value: float | None) -> str:
        return "–" if value is None else f"{value:.2f}"

    return lab.table(
        [
            {
                "link": text,
                "MiniLM": shown(held_out(recording, name)),
                "SmolLM2": shown(held_out(recording, name, "SmolLM2")),
                "random": f"{shown(min(blank))}–{shown(max(blank))}",
            }
            for name, text in KINDS.items()
            for blank in [_untrained(recording, name)]
        ],
        caption="Recorded: the best head, right on held-out sentences. "
        "Random: MiniLM with random weights, three seeds. 0.50 is a coin. "
        "–: a causal model can't look ahead. SmolLM2 has weights of 4 bits "
        "here.",
        columns=["link", "MiniLM", "SmolLM2", "random"],
    )
