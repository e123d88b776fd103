"""`GazeExplorer`: a photograph as one look, or a path of them, delivers it."""

import functools
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
import traitlets
from jaxtyping import Float

from attn_course.data import Photo, load_photos
from attn_course.html import html_table
from attn_course.perception.foveation import fixations_needed, sharp_fraction
from attn_course.perception.saliency import MAX_FIXATIONS, scan_paths
from attn_course.widgets.base import CourseWidget, Number

__all__ = ["GazeExplorer"]

FREE, OWN = "free look", "your own"
WAYS = ("saliency", "centre first", "random")
DEGREES = 20.0
NOTE = (
    "A place is seen when a fixation lands on it, or at most 1° beside it. "
    "The paths were made for a picture 20° wide."
)


class GazeExplorer(CourseWidget):
    """Move a fovea over a photograph, or follow a path of fixations.

    Each place of the picture is blurred as far as the eye could not see it
    from the nearest fixation, for a picture as wide as the reader says.

    Parameters
    ----------
    pictures
        Names of photographs of the course, as in `load_photos`; all of them
        when none are given. The first one is shown.

    Raises
    ------
    ValueError
        When there is no photograph of that name.

    Examples
    --------
    >>> gaze = GazeExplorer(["astronaut"])
    >>> gaze.x = 0.1
    >>> gaze.fixations
    array([[0.1, 0.5]])
    >>> round(gaze.sharp_fraction, 3)
    0.04
    """

    _tag = "attn-gaze"
    _reader: ClassVar[tuple[str, ...]] = (
        "picture",
        "x",
        "y",
        "degrees",
        "regions",
        "path",
        "step",
        "own",
    )
    _constants = ("OWN",)

    picture = traitlets.Unicode().tag(sync=True)
    x = Number(0.5, min=0.0, max=1.0).tag(sync=True)
    y = Number(0.5, min=0.0, max=1.0).tag(sync=True)
    degrees = Number(DEGREES, min=5.0, max=80.0).tag(sync=True)
    regions = traitlets.Bool(False).tag(sync=True)
    path = traitlets.Unicode(FREE).tag(sync=True)
    step = traitlets.Int(MAX_FIXATIONS, min=1, max=MAX_FIXATIONS).tag(
        sync=True
    )
    own = traitlets.List(
        Number(min=0.0, max=1.0), maxlen=2 * MAX_FIXATIONS
    ).tag(sync=True)

    def __init__(
        self,
        pictures: Sequence[str] | None = None,
        *,
        title: str = "What one look delivers",
        note: str = NOTE,
        name: str = "gaze",
        **state: Any,
    ) -> None:
        photos = load_photos()
        names = list(photos) if pictures is None else list(pictures)
        unknown = [each for each in names if each not in photos]
        if unknown or not names:
            raise ValueError(
                f"expected pictures among {list(photos)}, got {names}"
            )
        self._photos = {each: photos[each] for each in names}
        super().__init__(
            name=name,
            source={
                "title": title,
                "note": note,
                "photos": [_entry(p) for p in self._photos.values()],
            },
            **{"picture": names[0], **state},
        )

    @traitlets.validate("picture")
    def _check_picture(self, proposal: Any) -> str:
        return self._known("picture", proposal.value, list(self._photos))

    @traitlets.validate("path")
    def _check_path(self, proposal: Any) -> str:
        return self._known("path", proposal.value, [FREE, *WAYS, OWN])

    @traitlets.validate("own")
    def _check_own(self, proposal: Any) -> list[float]:
        if len(proposal.value) % 2:
            raise traitlets.TraitError(
                "expected own as x, y, x, y, …, got "
                f"{len(proposal.value)} numbers"
            )
        return proposal.value

    def _known(self, what: str, value: str, names: list[str]) -> str:
        if value not in names:
            raise traitlets.TraitError(
                f"expected {what} among {names}, got {value!r}"
            )
        return value

    def asset_names(self) -> list[str]:
        """Name the photographs."""
        return [photo.asset for photo in self._photos.values()]

    @property
    def photo(self) -> Photo:
        """The photograph that is shown."""
        return self._photos[self.picture]

    @property
    def paths(self) -> dict[str, Float[np.ndarray, "n 2"]]:
        """The paths over this photograph, each of 15 fixations."""
        return (
            _paths(next(iter(self._photos)))
            if not self.picture
            else (_paths(self.picture))
        )

    @property
    def fixations(self) -> Float[np.ndarray, "n 2"]:
        """Every fixation that made what is shown, the last one last."""
        here = [self.x, self.y]
        if self.path == FREE:
            return np.array([here])
        if self.path == OWN:
            # A place that was just added is not looked at a second time.
            now = [] if self.own[-2:] == here else here
            return np.array([*self.own, *now]).reshape(-1, 2)
        return self.paths[self.path][: self.step]

    @property
    def sharp_fraction(self) -> float:
        """The part of the picture that these fixations show sharply."""
        return sharp_fraction(self.photo.shape, self.fixations, self.degrees)

    @property
    def needed(self) -> dict[str, dict[str, int | None]]:
        """Fixations until each region is seen, for each path; or None."""
        own = np.array(self.own).reshape(-1, 2)
        paths = {**self.paths, **({OWN: own} if len(own) else {})}
        return {
            region.label: {
                name: fixations_needed(
                    region.box, self.photo.shape, path, self.degrees
                )
                for name, path in paths.items()
            }
            for region in self.photo.regions
        }

    def table(self) -> str:
        """Give the fixations needed as an HTML table."""
        rows = [
            (label, ["never" if n is None else str(n) for n in by.values()])
            for label, by in self.needed.items()
        ]
        title = (
            f"{self.photo.title}, {self.degrees:.0f}° wide: fixations until "
            f"each place is seen, {MAX_FIXATIONS} at most"
        )
        names = list(next(iter(self.needed.values())))
        return html_table(title, ["place", *names], rows)


@functools.cache
def _paths(name: str) -> dict[str, np.ndarray]:
    """Look at a photograph in three ways; the model takes half a second."""
    paths = scan_paths(load_photos()[name].pixels(), DEGREES)
    # Rounded here, so that both sides count with the same places.
    return {way: path.round(4) for way, path in paths.items()}


def _entry(photo: Photo) -> dict[str, Any]:
    """Give what the browser needs to know of a photograph."""
    return {
        "name": photo.name,
        "title": photo.title,
        "alt": photo.alt,
        "credit": photo.credit,
        "width": photo.shape[1],
        "height": photo.shape[0],
        "asset": photo.asset,
        "regions": [region._asdict() for region in photo.regions],
        "paths": {
            name: path.tolist() for name, path in _paths(photo.name).items()
        },
    }
