"""Real speech, small enough to learn in seconds: nine men say two vowels."""

import gzip
from importlib import resources
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

__all__ = ["COEFFICIENTS", "SPEAKERS", "Utterances", "load_utterances"]

COEFFICIENTS, SPEAKERS = 12, 9
# The lines of each part, as the data set shares them out.
PARTS = {"train": slice(270), "test": slice(270, None)}
SOURCE = (
    "Japanese Vowels: M. Kudo, J. Toyama and M. Shimbo 1999, UCI Machine "
    "Learning Repository, https://doi.org/10.24432/C5NS47, CC BY 4.0, by way "
    "of the PyPI package aeon 1.6.0, rounded to hundredths"
)


class Utterances(NamedTuple):
    """Recordings of one utterance each, as frames, and who spoke.

    `frames` has an array `(n, 12)` for each utterance: twelve cepstrum
    coefficients for each of its `n` frames. `speakers` is a number from 0 to
    8, `(utterances,)`; `source` says where they come from.
    """

    frames: tuple[Float[np.ndarray, "n 12"], ...]
    speakers: Int[np.ndarray, " utterances"]
    source: str


def load_utterances(part: str) -> Utterances:
    """Read one part of the data set: "train" or "test", in its order.

    A frame is 25.6 ms of sound, and one starts 6.4 ms after another (Kudo et
    al. 1999). The cepstrum was computed by the data's authors.

    Raises
    ------
    ValueError
        When there is no such part.

    Examples
    --------
    >>> spoken = load_utterances("train")
    >>> len(spoken.frames), spoken.frames[0].shape
    (270, (20, 12))
    """
    if part not in PARTS:
        raise ValueError(f"expected part in {list(PARTS)}, got {part!r}")
    file = resources.files("attn_course") / "data/utterances.csv.gz"
    lines = gzip.decompress(file.read_bytes()).decode("ascii").split()
    rows = [np.array(x.split(","), dtype=np.int64) for x in lines[PARTS[part]]]
    return Utterances(
        frames=tuple(r[1:].reshape(-1, COEFFICIENTS) / 100 for r in rows),
        speakers=np.array([row[0] for row in rows]) - 1,
        source=SOURCE,
    )
