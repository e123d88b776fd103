"""How much of two voices gets through when attention goes to one direction.

Two voices, 40° to the left and 30° to the right, in one mixture with the
usual noise. Cells of time and frequency are weighed by their direction, with
temperature and beam as everywhere in the course. Measured is the share of the
energy of both ears that is kept with the query on the left voice. One mixture
shows the size, not a law.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from attn_course.data import load_voice
from attn_course.experiments.study import Study
from attn_course.hearing import (
    beam_weights,
    direction_scores,
    direction_weights,
    interaural_keys,
    mix,
    stft,
)

__all__ = ["STUDY", "select"]

STUDY = Study(
    "one-direction",
    chapter=1,
    question="How much of a sound does attention to one direction keep?",
    design=__doc__,
    seeds=0,
    settings={
        "voices": ["gregson", "superlative"],
        "angles": [-40, 30],
        "query": -40,
    },
    tolerance=1e-4,
)


@STUDY.run
def select() -> dict[str, Any]:
    """Count the cells of the mixture, and the energy that is kept."""
    settings = STUDY.settings
    voices = [load_voice(name) for name in settings["voices"]]
    cells = stft(mix(voices, settings["angles"]).ears)  # (2, bands, times)
    scores = direction_scores(interaural_keys(cells))
    weights = beam_weights(direction_weights(scores), settings["query"])
    energy = (np.abs(cells) ** 2).sum(axis=0)  # (bands, times)
    return {
        "cells": weights.size,
        "energy": float((weights * energy).sum() / energy.sum()),
    }


@STUDY.slice
def again(recording: Mapping[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """Measure once more."""
    for key, value in select().items():
        yield key, recording[key], value


@STUDY.claim("1.select")
def kept(recording: Mapping[str, Any]) -> dict[str, Any]:
    """Give the number of cells, and the energy that is kept."""
    return {key: recording[key] for key in ("cells", "energy")}
