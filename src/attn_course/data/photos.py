"""Photographs of the first chapter, and what was marked in them by hand."""

import functools
import io
import tomllib
from importlib import resources
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float

from attn_course.data.assets import load_asset
from attn_course.optional import need

__all__ = ["Photo", "Region", "load_photos"]


class Region(NamedTuple):
    """A place that the gaze may go to.

    `kind` is "face", "red" or "text"; `box` holds left, top, right and
    bottom in pixels.
    """

    kind: str
    label: str
    box: tuple[int, int, int, int]


class Photo(NamedTuple):
    """A photograph: what it shows, whose it is, its regions.

    `shape` is (rows, columns).
    """

    name: str
    title: str
    alt: str
    credit: str
    shape: tuple[int, int]
    regions: tuple[Region, ...]

    @property
    def asset(self) -> str:
        """Name the file, as `load_asset` knows it."""
        return f"pictures/{self.name}.jpg"

    def pixels(self) -> Float[np.ndarray, "rows cols *colours"]:
        """Decode the picture: numbers from 0 to 1, grey or with colours.

        Raises
        ------
        ModuleNotFoundError
            When Pillow is missing, which the extra `notebooks` brings.
        """
        Image = need("PIL.Image")
        with Image.open(io.BytesIO(load_asset(self.asset))) as image:
            return np.asarray(image, dtype=float) / 255


@functools.cache
def load_photos() -> dict[str, Photo]:
    """Read what the package knows of each photograph.

    Examples
    --------
    >>> photos = load_photos()
    >>> photos["astronaut"].regions[0].label
    'her face'
    """
    file = resources.files("attn_course") / "data/pictures/regions.toml"
    table = tomllib.loads(file.read_text("utf-8"))
    return {name: _photo(name, entry) for name, entry in table.items()}


def _photo(name: str, entry: dict[str, Any]) -> Photo:
    width, height = entry["size"]
    regions = tuple(
        Region(each["kind"], each["label"], tuple(each["box"]))
        for each in entry["regions"]
    )
    texts = (entry[key] for key in ("title", "alt", "credit"))
    return Photo(name, *texts, (height, width), regions)  # pyright: ignore[reportCallIssue]
