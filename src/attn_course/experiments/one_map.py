"""What one attention map shows, and what it hides.

One map in several forms: that of L6H12 of MiniLM, the head which came nearest
to the article's row of *it*, in “The cat sat on the mat because it was tired”
(recording `minilm-cat`). The graph leaves out weights below 0.05, which was
set for the picture. Beside the weight from *it* to *cat* stands the control of
`reading.read_map`: what the other words give *cat*. Then: is a map complete,
that is, a weight for every pair? And is the darker colour the larger weight,
in two colour maps of matplotlib?

It is one sentence and one head, chosen for being striking: enough to show how
a map misleads, not how often.
"""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float

from attn_course import figures, lab
from attn_course.data import load_recording, unpack_array
from attn_course.experiments.study import Study
from attn_course.interpret.head_scores import read_map
from attn_course.interpret.real_heads import recorded_weights

if TYPE_CHECKING:
    from attn_course.figures import Chart

__all__ = ["STUDY", "measure", "table"]

L6H12 = (5, 11)
THRESHOLD = 0.05
STUDY = Study(
    "one-map",
    chapter=5,
    question="What does one attention map show, and what does it hide?",
    design=__doc__,
    rests_on=["minilm-cat", "smollm2-tired"],
    seeds=0,
    packages=["matplotlib"],
    tolerance=1e-9,
)


@STUDY.run
def measure() -> dict[str, Any]:
    """Measure the map, by claim."""
    tokens, weights = _read()
    it, cat = tokens.index("it"), tokens.index("cat")
    one, row = weights[*L6H12], weights[:, :, it]
    shown = (one >= THRESHOLD) & ~np.eye(len(tokens), dtype=bool)
    link = np.zeros_like(shown)
    link[it, cat] = True
    words = np.ones(len(tokens), dtype=bool)
    words[[0, -1]] = False  # [CLS] and [SEP]
    given = read_map(one, link, asks=words)
    favourites = row[..., 1:-1].argmax(-1) + 1
    causal = unpack_array(load_recording("smollm2-tired")["weights"])
    light = {name: figures.lightness(name) for name in ("jet", "cividis")}
    falls = {name: float((np.diff(x) < 0).mean()) for name, x in light.items()}
    return {
        "5.diagram": {
            "article": 3,
            "article_of": 8 * 8,
            "arrows": int(shown.sum()),
            "cells": one.size,
            "kept": float(one[shown].sum() / one.sum()),
        },
        "5.it-cat": {
            "weight": float(given.score),
            "others": float(given.others),
            "heads": row[..., 0].size,
            "most": int((row.argmax(-1) == cat).sum()),
            "most_of_words": int((favourites == cat).sum()),
        },
        "5.complete": {
            "rows_off": float(np.abs(weights.sum(axis=-1) - 1).max()),
            "zeros": int((weights == 0).sum()),
            "causal_zeros": float((causal == 0).all(axis=(0, 1)).mean()),
        },
        "5.darker": {
            "jet_falls": falls["jet"],
            "cividis_falls": falls["cividis"],
            "jet_low": float(light["jet"][0]),
            "jet_middle": float(light["jet"].max()),
            "jet_high": float(light["jet"][-1]),
        },
    }


@STUDY.slice
def again(recording: Mapping[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """Measure all of it once more."""
    for claim_id, now in measure().items():
        then = recording[claim_id]
        yield claim_id, list(then.values()), [now[name] for name in then]


@STUDY.claim("5.diagram")
def of_the_graph(recording: Mapping[str, Any]) -> dict[str, Any]:
    """Give how much of the map the graph keeps."""
    return recording["5.diagram"]


@STUDY.claim("5.it-cat")
def of_it_and_cat(recording: Mapping[str, Any]) -> dict[str, Any]:
    """Give what "it" gives "cat", and what the others give it."""
    return recording["5.it-cat"]


@STUDY.claim("5.complete")
def of_all_pairs(recording: Mapping[str, Any]) -> dict[str, Any]:
    """Give which pairs have no weight."""
    return recording["5.complete"]


@STUDY.claim("5.darker")
def of_colours(recording: Mapping[str, Any]) -> dict[str, Any]:
    """Give how light the colours of small and large weights are."""
    return recording["5.darker"]


def _read() -> tuple[list[str], Float[np.ndarray, "L H n n"]]:
    """Give tokens and weights of the sentence."""
    recording = load_recording("minilm-cat")
    return recording["tokens"], recorded_weights(recording)


@STUDY.figure(
    """
    Two attention maps of 13 by 13 tokens. Head A shows a lively pattern of
    pale and strong cells; its scale ends at 0.32. Head B is pale nearly
    everywhere; its scale ends at 1.
    """
)
def two_scales(recording: Mapping[str, Any]) -> "Chart":
    """Draw one head twice, with another scale."""
    tokens, weights = _read()
    return figures.maps(
        {"Head A": weights[0, 0], "Head B": weights[0, 0]},
        tokens,
        highest=[None, 1.0],
    )


@STUDY.figure(
    """
    Arcs from the word it: a thick one to cat, marked 0.71, thinner ones to
    mat, 0.10, and to the start token, 0.09.
    """
)
def lines(recording: Mapping[str, Any]) -> "Chart":
    """Draw one row of the map as lines."""
    tokens, weights = _read()
    it = tokens.index("it")
    row = {"Where “it” looks in L6H12": weights[*L6H12, it]}
    return figures.arcs(tokens, it, row)


@STUDY.figure(
    """
    Thirteen tokens in a circle, with arrows. From every token a thick arrow
    leads to cat; thinner ones lead to mat and to the start token. Hardly any
    arrow leads elsewhere.
    """
)
def graph(recording: Mapping[str, Any]) -> "Chart":
    """Draw the map as a graph."""
    tokens, weights = _read()
    return figures.graph(tokens, weights[*L6H12], threshold=THRESHOLD)


@STUDY.figure(
    """
    The same map four times. In jet the cell cat, cat is dark red, the others
    in its column yellow and green. In grey the same cell is darker than its
    neighbours, and a weight of 0.35 looks brightest. In cividis and its grey
    version the cell cat, cat is the lightest.
    """
)
def colours(recording: Mapping[str, Any]) -> "Chart":
    """Draw the map in two colour maps, each also in grey."""
    tokens, weights = _read()
    cat = tokens.index("cat")
    looks = ("jet", "jet, in grey", "cividis", "cividis, in grey")
    return figures.maps(
        dict.fromkeys(looks, weights[*L6H12]),
        tokens,
        highest=1.0,
        colours=looks,
        mark=(cat, cat),
    )


def table() -> Any:
    """Show the three keys that four words look at most."""
    tokens, weights = _read()
    rows = []
    for word in ("cat", "mat", "it", "tired"):
        row = weights[*L6H12, tokens.index(word)]
        keys = [f"{tokens[j]} {row[j]:.2f}" for j in np.argsort(-row)[:3]]
        rows.append({"query": word, **dict(zip("123", keys, strict=True))})
    return lab.table(
        rows,
        caption="L6H12: the three keys that four words look at most",
        columns=["query", "1", "2", "3"],
    )
