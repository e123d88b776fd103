"""What one look delivers: acuity, the blur of the periphery, sharp places.

A picture is looked at from a distance at which it is so many degrees of
visual angle wide; each of its pixels then counts the same angle. That is
exact at the picture's middle, and 1 % wrong at the edge of one that is 20
degrees wide. Fixations are places in the picture as fractions of its width
and height, shape `(n, 2)`: (0, 0) is the top left corner, (1, 1) the bottom
right one.
"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float

__all__ = [
    "E2",
    "LEVELS",
    "MAR0",
    "MARGIN",
    "blur_radius",
    "eccentricity",
    "fixations_needed",
    "foveate",
    "gaussian_blur",
    "minimum_angle",
    "pixels_per_degree",
    "region_seen",
    "sharp",
    "sharp_fraction",
]

# One minute of arc, in degrees: what "20/20" vision can resolve.
MAR0 = 1 / 60
# Degrees from the centre of gaze at which acuity has halved: Geisler and
# Perry (1998).
E2 = 2.3
# How far beside a region, in degrees, a fixation still counts as on it.
MARGIN = 1.0
# The contrast, 1/64, that is just visible in the same model.
CONTRAST = 1 / 64
# Standard deviations, in pixels, of the blurred copies that `foveate` mixes.
LEVELS = (0.0, 1.0, 2.0, 4.0, 8.0)

# A picture: rows, columns, and perhaps colours.
Picture = Float[np.ndarray, "rows cols *colours"]
Fixations = Float[np.ndarray, "n 2"]


def minimum_angle(
    eccentricity: Float[np.ndarray, "*shape"] | float,
    *,
    mar0: float = MAR0,
    e2: float = E2,
) -> Float[np.ndarray, "*shape"] | float:
    """Give the smallest angle that the eye resolves, in degrees.

    It grows in proportion to the distance from the centre of gaze:
    MAR(e) = MAR₀ · (1 + e / E₂). Strasburger, Rentschler and Jüttner (2011),
    section 3, review the law; the constants are those of `MAR0` and `E2`.

    Parameters
    ----------
    eccentricity
        e: the distance from the centre of gaze, in degrees.
    mar0
        MAR₀: the smallest angle at the centre of gaze, in degrees.
    e2
        E₂: the eccentricity at which the smallest angle has doubled.

    Examples
    --------
    >>> 60 * minimum_angle(np.array([0.0, 2.3, 23.0]))  # minutes of arc
    array([ 1.,  2., 11.])
    """
    return mar0 * (1 + eccentricity / e2)


def pixels_per_degree(columns: int, degrees: float) -> float:
    """Say how many pixels of a picture one degree of visual angle holds.

    Parameters
    ----------
    columns
        The picture's width in pixels.
    degrees
        How wide it appears. At 57 cm, one centimetre is one degree.

    Raises
    ------
    ValueError
        When the picture is not between 0 and 180 degrees wide.

    Examples
    --------
    >>> pixels_per_degree(512, 20.0)
    25.6
    """
    if not 0 < degrees < 180:
        raise ValueError(f"expected degrees within 0 and 180, got {degrees}")
    return columns / degrees


def blur_radius(
    eccentricity: Float[np.ndarray, "*shape"] | float,
    scale: float,
) -> Float[np.ndarray, "*shape"] | float:
    """Give the Gaussian blur, in pixels, that hides what the eye can't see.

    A grating whose bars are MAR(e) wide is the finest that can be seen at
    eccentricity e, and only at full contrast. So it is blurred until 1/64 of
    its contrast is left, the least that an eye can see (Geisler and Perry
    1998). A Gaussian of standard deviation σ leaves exp(−2π²σ²f²) of a
    frequency f; at f = 1 / (2 MAR) that is 1/64 for
    σ = MAR · √(2 ln 64) / π.

    Parameters
    ----------
    eccentricity
        Distance from the centre of gaze in degrees.
    scale
        Pixels for each degree.

    Examples
    --------
    >>> blur_radius(np.array([0.0, 10.0]), scale=25.6).round(2)
    array([0.39, 2.09])
    """
    factor = np.sqrt(2 * np.log(1 / CONTRAST)) / np.pi
    return factor * minimum_angle(eccentricity) * scale


def eccentricity(
    shape: tuple[int, ...], fixations: Fixations, scale: float
) -> Float[np.ndarray, "rows cols"]:
    """Give each pixel's distance to the nearest fixation, in degrees.

    Raises
    ------
    ValueError
        When there is no fixation, or one has not two coordinates.
    """
    fixations = np.asarray(fixations, dtype=float)
    if fixations.ndim != 2 or fixations.shape[1] != 2 or len(fixations) == 0:
        raise ValueError(
            "expected fixations of shape (n, 2) with n of at least 1, got "
            f"{fixations.shape}"
        )
    rows, columns = shape[:2]
    y = np.arange(rows)[:, None] + 0.5
    x = np.arange(columns) + 0.5
    nearest = np.full((rows, columns), np.inf)
    for across, down in fixations:
        squares = (x - across * columns) ** 2 + (y - down * rows) ** 2
        nearest = np.minimum(nearest, squares)
    return np.sqrt(nearest) / scale


def foveate(picture: Picture, fixations: Fixations, degrees: float) -> Picture:
    """Show a picture as the given fixations deliver it.

    Each pixel is as sharp as the nearest fixation made it. Copies of the
    picture, blurred with the standard deviations of `LEVELS`, are mixed: the
    blur that a place needs lies between those of two copies. The numbers are
    blurred as they stand, without undoing the display's gamma.

    Parameters
    ----------
    picture
        Shape `(rows, columns)` or with colours in a third axis.
    fixations
        Shape `(n, 2)`: fractions of width and height.
    degrees
        How wide the picture appears.

    Raises
    ------
    ValueError
        When there are no fixations or `degrees` makes no sense.
    """
    scale = pixels_per_degree(picture.shape[1], degrees)
    sigma = blur_radius(eccentricity(picture.shape, fixations, scale), scale)
    # Which two copies, and how much of the second: 1.5 is halfway between
    # the copies 1 and 2.
    position = np.interp(sigma, LEVELS, np.arange(len(LEVELS)))
    mixed = np.zeros(picture.shape)
    for number, level in enumerate(LEVELS):
        share = np.clip(1 - np.abs(position - number), 0, None)
        if picture.ndim == 3:
            share = share[..., None]
        mixed += share * gaussian_blur(picture, level)
    return mixed


def gaussian_blur(picture: Picture, sigma: float) -> Picture:
    """Blur along rows and columns; beyond the edge the edge continues.

    Examples
    --------
    >>> gaussian_blur(np.eye(3), 0.5).round(2)
    array([[0.81, 0.18, 0.01],
           [0.18, 0.64, 0.18],
           [0.01, 0.18, 0.81]])
    """
    if sigma == 0:
        return picture
    reach = int(np.ceil(3 * sigma))
    offsets = np.arange(-reach, reach + 1)
    kernel = np.exp(-(offsets**2) / (2 * sigma**2))
    kernel /= kernel.sum()
    for axis in (0, 1):
        n = picture.shape[axis]
        # Row i, column j of the matrix: what pixel j gives to pixel i.
        matrix = np.zeros((n, n))
        for offset, weight in zip(offsets, kernel, strict=True):
            source = np.clip(np.arange(n) + offset, 0, n - 1)
            np.add.at(matrix, (np.arange(n), source), weight)
        picture = np.moveaxis(
            np.tensordot(matrix, picture, axes=(1, axis)), 0, axis
        )
    return picture


def sharp(
    shape: tuple[int, ...], fixations: Fixations, degrees: float
) -> Bool[np.ndarray, "rows cols"]:
    """Mark the pixels that at least one fixation has shown sharply.

    Sharp means: at least half as sharp as the eye can see, so within `E2`
    degrees of a fixation.
    """
    scale = pixels_per_degree(shape[1], degrees)
    return eccentricity(shape, fixations, scale) <= E2


def sharp_fraction(
    shape: tuple[int, ...], fixations: Fixations, degrees: float
) -> float:
    """Say which part of a picture the fixations have shown sharply.

    Examples
    --------
    >>> centre = np.array([[0.5, 0.5]])
    >>> round(sharp_fraction((512, 512), centre, degrees=20.0), 3)
    0.042
    """
    return float(sharp(shape, fixations, degrees).mean())


def region_seen(
    box: Sequence[float],
    shape: tuple[int, ...],
    fixations: Fixations,
    degrees: float,
    margin: float = MARGIN,
) -> Bool[np.ndarray, " n"]:
    """Tell for each fixation whether it shows a region sharply.

    It does when it lands on the region's box, or at most `margin` beside it.

    Parameters
    ----------
    box
        Left, top, right, bottom, in pixels.
    shape
        Of the picture: rows and columns first.
    fixations
        Shape `(n, 2)`: fractions of width and height.
    degrees
        How wide the picture appears.
    margin
        In degrees.
    """
    scale = pixels_per_degree(shape[1], degrees)
    left, top, right, bottom = box
    x, y = (np.asarray(fixations) * (shape[1], shape[0])).T  # each (n,)
    beside = np.maximum(np.maximum(left - x, x - right), 0)
    above = np.maximum(np.maximum(top - y, y - bottom), 0)
    return np.sqrt(beside**2 + above**2) / scale <= margin


def fixations_needed(
    box: Sequence[float],
    shape: tuple[int, ...],
    fixations: Fixations,
    degrees: float,
    margin: float = MARGIN,
) -> int | None:
    """Count the fixations until a region is seen; None when it never is.

    Examples
    --------
    >>> path = np.array([[0.9, 0.9], [0.1, 0.1]])
    >>> fixations_needed((0, 0, 20, 20), (100, 100), path, degrees=20.0)
    2
    """
    seen = region_seen(box, shape, fixations, degrees, margin)
    return int(seen.argmax()) + 1 if seen.any() else None
