"""Where “it” looks in the article's sentence, in all heads of an encoder.

The article gives the row of *it* in “The cat sat on the mat because it was
tired”: cat 0.7, tired 0.2, mat 0.05. Here is that row in all 72 heads of
MiniLM, from the recording `minilm-cat`. The head that comes nearest is the one
with the smallest sum of absolute differences over these three words: chosen
and shown on the same sentence, so nothing follows from it for others.

Then the last word changes (recording `minilm-endings`): four fit the cat, four
the mat. L4H2 is shown beside the nearest head because its weight changes with
them: picked by hand out of 72, and seen on these sentences. Whether any head
follows pronouns is asked of lists of sentences, in the study `head-links`.
"""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float

from attn_course import figures
from attn_course.data import load_recording, unpack_array
from attn_course.experiments.study import Study
from attn_course.interpret.real_heads import recorded_weights
from attn_course.pretrained import head

if TYPE_CHECKING:
    from attn_course.figures import Chart

__all__ = ["STUDY", "measure"]

# What the article gives the three words.
ARTICLE = {"cat": 0.7, "tired": 0.2, "mat": 0.05}
# Its weight changes with the last word.
BY_HAND = (3, 1)
STUDY = Study(
    "row-of-it",
    chapter=4,
    question="Does any head look where the article says that “it” looks?",
    design=__doc__,
    rests_on=["minilm-cat", "minilm-endings"],
    seeds=0,
    tolerance=1e-9,
)


@STUDY.run
def measure() -> dict[str, Any]:
    """Measure the rows of "it", by claim."""
    tokens, weights = _read("minilm-cat")
    it, cat, tired, mat = map(tokens.index, ("it", *ARTICLE))
    own = np.diagonal(weights, axis1=-2, axis2=-1)  # (L, H, n)
    row = weights[:, :, it]  # (L, H, n)
    nearest = _nearest(row[..., [cat, tired, mat]])
    mean = row.mean(axis=(0, 1))  # (n,)
    on_cat = _endings()
    fits_cat = np.arange(len(on_cat)) < len(on_cat) // 2
    return {
        "4.it-weights": {
            "heads": row[..., 0].size,
            "nearest_layer": nearest[0] + 1,
            "nearest_head": nearest[1] + 1,
            "nearest_cat": float(row[nearest][cat]),
            "nearest_tired": float(row[nearest][tired]),
            "nearest_mat": float(row[nearest][mat]),
            "above_half": int((row[..., cat] > 0.5).sum()),
            "start_first": int((row.argmax(axis=-1) == 0).sum()),
            "mean_cat": float(mean[cat]),
            "mean_tired": float(mean[tired]),
            "mean_start": float(mean[0]),
            **{
                f"{name}_{noun}": float(on_cat[where][:, *place].mean())
                for name, place in (
                    ("insensitive", nearest),
                    ("sensitive", BY_HAND),
                )
                for noun, where in (("cat", fits_cat), ("mat", ~fits_cat))
            },
        },
        "4.every-element": {
            "own_weight": float(own.mean()),
            "heads_own": int((own == 0).any(axis=-1).sum()),
            "tired": _on_animal("minilm-animal"),
            "wide": _on_animal("minilm-animal-wide"),
        },
    }


@STUDY.slice
def again(recording: Mapping[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """Measure all of it once more."""
    for claim_id, now in measure().items():
        then = recording[claim_id]
        yield claim_id, list(then.values()), [now[name] for name in then]


@STUDY.claim("4.it-weights")
def rows_of_it(recording: Mapping[str, Any]) -> dict[str, Any]:
    """Give what "it" looks at, in the nearest head and in all."""
    return recording["4.it-weights"]


@STUDY.claim("4.every-element")
def own_and_animal(recording: Mapping[str, Any]) -> dict[str, Any]:
    """Give what a word gives itself, and what L4H2 gives the animal."""
    return recording["4.every-element"]


def _read(name: str) -> tuple[list[str], Float[np.ndarray, "L H n n"]]:
    """Give tokens and weights of a recorded sentence."""
    recording = load_recording(name)
    return recording["tokens"], recorded_weights(recording)


def _nearest(row: Float[np.ndarray, "L H 3"]) -> tuple[int, int]:
    """Find the head that comes nearest to the article's three weights."""
    distance = np.abs(row - list(ARTICLE.values())).sum(axis=-1)  # (L, H)
    layer, number = np.unravel_index(distance.argmin(), distance.shape)
    return int(layer), int(number)


def _endings() -> Float[np.ndarray, "endings L H"]:
    """Give what "it" gives cat, for each last word: cat's first."""
    return unpack_array(load_recording("minilm-endings")["weights"])[..., 1]


def _on_animal(name: str) -> float:
    """Give what "it" gives to the animal in the head picked by hand."""
    tokens, weights = _read(name)
    return float(weights[*BY_HAND, tokens.index("it"), tokens.index("animal")])


def _place(recording: Mapping[str, Any]) -> tuple[int, int]:
    found = recording["4.it-weights"]
    return found["nearest_layer"] - 1, found["nearest_head"] - 1


@STUDY.figure(
    """
    Three panels of arcs from the word it. In the article a thick arc goes to
    cat, a thinner one to tired. In layer 6, head 12 of MiniLM a thick arc
    goes to cat, thin ones to mat and to the start token. In the mean over all
    heads the thickest arc goes to the start token, and thin ones to tired,
    because, cat and others.
    """
)
def arcs(recording: Mapping[str, Any]) -> "Chart":
    """Draw the article's row, that of the nearest head and the mean row."""
    tokens, weights = _read("minilm-cat")
    it, nearest = tokens.index("it"), _place(recording)
    left = 1 - sum(ARTICLE.values())
    told = np.full(len(tokens), left / (len(tokens) - len(ARTICLE)))
    told[[tokens.index(word) for word in ARTICLE]] = list(ARTICLE.values())
    return figures.arcs(
        tokens,
        it,
        {
            "The article, the rest shared out evenly": told,
            f"The head that comes nearest: {head(*nearest)}": weights[
                *nearest, it
            ],
            "The mean over all heads": weights[:, :, it].mean(axis=(0, 1)),
        },
    )


@STUDY.figure(
    """
    Table of the weight from it to cat: six layers as rows, twelve heads as
    columns. Nearly all cells are pale and below 0.2. Layer 6, head 12 has
    0.71 and layer 4, head 2 has 0.49.
    """
)
def every_head(recording: Mapping[str, Any]) -> "Chart":
    """Draw what "it" gives "cat" in every head."""
    tokens, weights = _read("minilm-cat")
    given = weights[:, :, tokens.index("it"), tokens.index("cat")]  # (L, H)
    return figures.heatmap(
        given,
        *([str(i + 1) for i in range(count)] for count in given.shape),
        title="What “it” gives “cat”",
        ylabel="layer",
        xlabel="head",
    )


@STUDY.figure(
    """
    Bars of the weight from it to cat for eight last words, in two heads. The
    head that comes nearest to the article gives cat between 0.64 and 0.74 for
    every word. Layer 4, head 2 gives 0.28 to 0.56 for words that fit the cat
    and 0.09 to 0.29 for words that fit the mat.
    """
)
def other_endings(recording: Mapping[str, Any]) -> "Chart":
    """Draw what "it" gives "cat" when the last word changes."""
    words = load_recording("minilm-endings")["endings"].values()
    return figures.bars(
        [word for some in words for word in some],
        {
            head(*place): _endings()[:, *place]
            for place in (_place(recording), BY_HAND)
        },
        ylabel="weight from “it” to “cat”",
        title="The cat is tired, hungry …; the mat is soft, dry …",
    )
