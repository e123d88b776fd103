"""How little one look delivers, and how much fifteen.

Arithmetic on a law of acuity, which falls with the distance from the centre
of gaze: the part of a photograph that is seen at half the best acuity or
better, for a picture 20 and 40 degrees wide; acuity 10 and 20 degrees out;
and, for each of the six photographs, the part that was ever sharp after 15
fixations chosen by saliency. Nobody's eyes were measured.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from attn_course.data import load_photos
from attn_course.experiments.study import Study
from attn_course.saliency import scan_paths
from attn_course.seeing import E2, MAR0, minimum_angle, sharp_fraction

__all__ = ["STUDY", "measure"]

# Where the explorer of the lesson looks first: the centre of a photograph.
FIRST = "astronaut"
STUDY = Study(
    "one-look",
    chapter=1,
    question="Which part of a picture is sharp in one look?",
    design=__doc__,
    seeds=0,
    settings={"degrees": [20.0, 40.0], "fixations": 15},
    tolerance=1e-4,
)


@STUDY.run
def measure() -> dict[str, Any]:
    """Measure the sharp part of one look, and of each photograph's path."""
    photos = load_photos()
    centre = np.array([[0.5, 0.5]])
    sharp, sharp_40 = (
        sharp_fraction(photos[FIRST].shape, centre, degrees)
        for degrees in STUDY.settings["degrees"]
    )
    return {
        "sharp": sharp,
        "sharp_40": sharp_40,
        "half_at": E2,
        "at_10": MAR0 / float(minimum_angle(10.0)),
        "at_20": MAR0 / float(minimum_angle(20.0)),
        "after_15": {
            name: sharp_fraction(
                photo.shape,
                scan_paths(photo.pixels(), 20.0)["saliency"].round(4),
                20.0,
            )
            for name, photo in photos.items()
        },
    }


@STUDY.slice
def again(recording: Mapping[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """Measure everything once more."""
    now = measure()
    for key in ("sharp", "sharp_40", "half_at", "at_10", "at_20"):
        yield key, recording[key], now[key]
    for name, part in recording["after_15"].items():
        yield name, part, now["after_15"][name]


@STUDY.claim("1.not-every-pixel")
def one_fixation(recording: Mapping[str, Any]) -> dict[str, Any]:
    """Give the part that one look shows sharply."""
    return {key: recording[key] for key in ("sharp", "sharp_40")}


@STUDY.claim("1.fovea")
def acuity(recording: Mapping[str, Any]) -> dict[str, Any]:
    """Give where acuity has halved, and what is left farther out."""
    return {key: recording[key] for key in ("half_at", "at_10", "at_20")}


@STUDY.claim("1.stitch")
def path(recording: Mapping[str, Any]) -> dict[str, Any]:
    """Give the least and the most that 15 fixations show."""
    parts = recording["after_15"].values()
    return {"least": min(parts), "most": max(parts)}
