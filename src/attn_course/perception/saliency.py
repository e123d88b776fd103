"""Where the eye might go: two classical models, and paths of fixations.

A map says how strongly each place of a picture draws the gaze. It has 40
cells along the picture's longer side. `scan_path` visits a map's peaks, one
after the other.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Float

from attn_course.perception.foveation import E2, pixels_per_degree

__all__ = [
    "CELLS",
    "MAX_FIXATIONS",
    "centre_map",
    "itti_koch",
    "random_map",
    "scan_path",
    "scan_paths",
    "spectral_residual",
]

# Cells of a map along the picture's longer side.
CELLS = 40
# Itti, Koch and Niebur (1998) work on 640 × 480 pixels.
WORKING_SIZE = 640
# Three fixations a second, for five seconds.
MAX_FIXATIONS = 15

Array = np.ndarray
Map = Float[np.ndarray, "rows cols"]


def map_shape(picture_shape: tuple[int, ...]) -> tuple[int, int]:
    """Give the rows and columns of a picture's map.

    Examples
    --------
    >>> map_shape((400, 600, 3))
    (27, 40)
    """
    longer = max(picture_shape[:2])
    rows, columns = (round(n * CELLS / longer) for n in picture_shape[:2])
    return max(rows, 1), max(columns, 1)


# The model of Itti, Koch and Niebur (1998)


def itti_koch(picture: Float[np.ndarray, "rows cols *colours"]) -> Map:
    """Find what differs from its surroundings (Itti, Koch, Niebur 1998).

    Brightness, two pairs of opponent colours and four orientations are
    compared between fine and coarse copies of the picture: centre against
    surround. Maps with few strong peaks count more than maps with many. The
    orientations come from Gabor filters with the constants of Walther and
    Koch (2006).

    Parameters
    ----------
    picture
        Numbers from 0 to 1, grey or with three colours.

    Returns
    -------
    map
        Not negative, 40 cells along the longer side.
    """
    red, green, blue = _channels(_working_copy(picture))
    brightness = (red + green + blue) / 3
    light = _pyramid(brightness)
    intensity = _conspicuity([_centre_surround(light)])

    # Hue is only judged where there is light enough to see it.
    lit = brightness > brightness.max() / 10
    r, g, b = (
        np.where(lit, channel / np.where(lit, brightness, 1), 0)
        for channel in (red, green, blue)
    )
    broad = [
        r - (g + b) / 2,
        g - (r + b) / 2,
        b - (r + g) / 2,
        (r + g) / 2 - abs(r - g) / 2 - b,
    ]
    pure_r, pure_g, pure_b, yellow = (
        _pyramid(np.maximum(channel, 0)) for channel in broad
    )
    # The paper's formula takes green minus red around the centre; as printed
    # it would favour red among red. Its own software subtracts like from
    # like, and so do we.
    colour = _conspicuity(
        [
            _centre_surround(_minus(pure_r, pure_g)),
            _centre_surround(_minus(pure_b, yellow)),
        ]
    )

    orientation = sum(
        _normalise(
            _conspicuity(
                [_centre_surround([_oriented(x, angle) for x in light])]
            )
        )
        for angle in (0, 45, 90, 135)
    )
    parts = (intensity, colour, orientation)
    total = sum(_normalise(part) for part in parts) / 3  # pyright: ignore[reportArgumentType]
    return _resize(total, map_shape(picture.shape))  # pyright: ignore[reportArgumentType]


def _working_copy(picture: Array) -> Array:
    """Scale so that the longer side has 640 pixels."""
    factor = WORKING_SIZE / max(picture.shape[:2])
    rows, columns = (round(n * factor) for n in picture.shape[:2])
    return _resize(picture, (rows, columns))


def _channels(picture: Array) -> list[Array]:
    if picture.ndim == 2:
        return [picture] * 3
    return [picture[..., i] for i in range(3)]


def _minus(a: list[Array], b: list[Array]) -> list[Array]:
    return [x - y for x, y in zip(a, b, strict=True)]


def _pyramid(picture: Array) -> list[Array]:
    """Halve a picture eight times, smoothing it before (Burt's kernel)."""
    kernel = np.array([1, 4, 6, 4, 1]) / 16
    levels = [picture]
    for _ in range(8):
        smooth = levels[-1]
        for axis in (0, 1):
            smooth = _convolve(smooth, kernel, axis)
        levels.append(smooth[::2, ::2])
    return levels


def _convolve(
    picture: Array, kernel: Array, axis: int, beyond: Any = "edge"
) -> Array:
    """Filter along one axis; `beyond` the edge as in `numpy.pad`."""
    reach, n = len(kernel) // 2, picture.shape[axis]
    padding = [(0, 0), (0, 0)]
    padding[axis] = (reach, reach)
    padded = np.pad(picture, padding, mode=beyond)
    parts = (
        weight * np.take(padded, np.arange(i, i + n), axis=axis)
        for i, weight in enumerate(kernel)
    )
    return sum(parts)  # pyright: ignore[reportReturnType]


def _centre_surround(levels: list[Array]) -> list[Array]:
    """Compare levels 2, 3, 4 with those 3 and 4 levels coarser."""
    return [
        abs(levels[c] - _resize(levels[c + step], levels[c].shape))
        for c in (2, 3, 4)
        for step in (3, 4)
    ]


def _conspicuity(features: list[list[Array]]) -> Array:
    """Add up normalised maps at the scale of level 4."""
    shape = features[0][-1].shape
    return sum(  # pyright: ignore[reportReturnType]
        _shrink(_normalise(each), shape) for maps in features for each in maps
    )


def _normalise(values: Array) -> Array:
    """Promote maps with few peaks: multiply by (1 − mean of the others)².

    The map is first scaled to a maximum of 1; the mean is that of all other
    local maxima.
    """
    top = values.max()
    if top <= 1e-12:
        return np.zeros_like(values)
    scaled = values / top
    padded = np.pad(scaled, 1, mode="constant", constant_values=-1.0)
    rows, columns = scaled.shape
    neighbours = [
        padded[1 + i : 1 + i + rows, 1 + j : 1 + j + columns]
        for i in (-1, 0, 1)
        for j in (-1, 0, 1)
        if (i, j) != (0, 0)
    ]
    peaks = scaled[(scaled >= np.max(neighbours, axis=0)) & (scaled > 0)]
    others = np.sort(peaks)[:-1]
    mean = others.mean() if len(others) else 0.0
    return scaled * (1 - mean) ** 2


def _oriented(picture: Array, angle: float) -> Array:
    """Give the energy of a Gabor filter: bars that run along `angle`."""
    period, spread, reach = 7.0, 7.0 / 3, 4
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1].astype(float)
    turn = np.deg2rad(angle)
    across = x * np.sin(turn) + y * np.cos(turn)
    envelope = np.exp(-(x**2 + y**2) / (2 * spread**2))
    energy = np.zeros_like(picture)
    for wave in (np.cos, np.sin):
        kernel = envelope * wave(2 * np.pi * across / period)
        kernel -= (
            envelope * kernel.sum() / envelope.sum()
        )  # no answer to light
        kernel /= abs(kernel).sum()
        energy += _filter(picture, kernel) ** 2
    return np.sqrt(energy)


def _filter(picture: Array, kernel: Array) -> Array:
    reach = len(kernel) // 2
    padded = np.pad(picture, reach, mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, kernel.shape)
    return np.einsum("ijkl,kl->ij", windows, kernel)


def _resize(picture: Array, shape: tuple[int, int]) -> Array:
    """Interpolate to another number of rows and columns."""
    for axis, wanted in enumerate(shape):
        n = picture.shape[axis]
        at = np.clip((np.arange(wanted) + 0.5) * n / wanted - 0.5, 0, n - 1)
        low = np.minimum(at.astype(int), max(n - 2, 0))
        share = (at - low).reshape([-1 if i == axis else 1
                                    for i in range(picture.ndim)])  # fmt: skip
        high = np.minimum(low + 1, n - 1)
        picture = (1 - share) * np.take(picture, low, axis) + share * np.take(
            picture, high, axis
        )
    return picture


def _shrink(picture: Array, shape: Sequence[int]) -> Array:
    """Average blocks of pixels: the area that each new pixel covers."""
    for axis, wanted in enumerate(shape):
        n = picture.shape[axis]
        edges = np.linspace(0, n, wanted + 1)
        inner = np.arange(n)
        # Row i: how much of each old pixel the new pixel i covers.
        cover = np.clip(
            np.minimum(edges[1:, None], inner + 1)
            - np.maximum(edges[:-1, None], inner),
            0,
            None,
        )
        cover /= cover.sum(axis=1, keepdims=True)
        picture = np.moveaxis(np.tensordot(cover, picture, (1, axis)), 0, axis)
    return picture


# The model of Hou and Zhang (2007)


def spectral_residual(picture: Float[np.ndarray, "rows cols *colours"]) -> Map:
    """Find what is unusual in a picture's spectrum (Hou and Zhang 2007).

    The amplitudes of most pictures fall smoothly with frequency. What is
    left of their logarithm after its local average is taken away, with the
    old phases, marks the unusual places. Grey values alone: this model sees
    no colour.

    Parameters
    ----------
    picture
        Numbers from 0 to 1, grey or with three colours.

    Returns
    -------
    map
        Not negative, 40 cells along the longer side.
    """
    grey = sum(_channels(picture)) / 3
    longer = max(grey.shape)  # pyright: ignore[reportAttributeAccessIssue]
    small = _shrink(grey, [round(n * 64 / longer) for n in grey.shape])  # pyright: ignore[reportArgumentType, reportAttributeAccessIssue]
    spectrum = np.fft.fft2(small)
    log_amplitude = np.log(abs(spectrum) + 1e-12)
    average = log_amplitude
    for axis in (0, 1):
        average = _convolve(average, np.ones(3) / 3, axis)
    changed = np.exp(log_amplitude - average + 1j * np.angle(spectrum))
    energy = abs(np.fft.ifft2(changed)) ** 2
    kernel = np.exp(-(np.arange(-5, 6) ** 2) / (2 * 2.5**2))
    for axis in (0, 1):
        # Beyond the edge is nothing, as in the authors' own code.
        energy = _convolve(energy, kernel / kernel.sum(), axis, "constant")
    return _resize(energy, map_shape(picture.shape))


# Maps that know nothing of the picture


def centre_map(
    picture_shape: tuple[int, ...], rng: np.random.Generator
) -> Map:
    """Prefer what is near the middle, as people do (Tatler 2007).

    Places equally far from the middle are ordered by chance.
    """
    rows, columns = map_shape(picture_shape)
    y = np.arange(rows)[:, None] - (rows - 1) / 2
    x = np.arange(columns) - (columns - 1) / 2
    distance = np.sqrt(x**2 + y**2)
    return distance.max() + 1 - distance + rng.random((rows, columns))


def random_map(
    picture_shape: tuple[int, ...], rng: np.random.Generator
) -> Map:
    """Prefer places by chance."""
    return rng.random(map_shape(picture_shape))


# From a map to a path


def scan_path(
    saliency: Map, degrees: float, count: int = MAX_FIXATIONS
) -> Float[np.ndarray, "count 2"]:
    """Visit the peaks of a map, highest first, each place once.

    What a fixation has shown sharply, within `E2` degrees, is not visited
    again: inhibition of return, as in Itti, Koch and Niebur (1998). Where
    every place has been visited, all are open again.

    Parameters
    ----------
    saliency
        The map, `(rows, columns)`.
    degrees
        How wide the picture appears.
    count
        How many fixations.

    Returns
    -------
    fixations
        Fractions of width and height, in the order of the visits.

    Raises
    ------
    ValueError
        When the map is empty or holds NaN.

    Examples
    --------
    >>> peaks = np.array([[0.0, 0.0, 1.0, 0.0], [3.0, 0.0, 0.0, 2.0]])
    >>> scan_path(peaks, degrees=8.0, count=2)
    array([[0.125, 0.75 ],
           [0.875, 0.75 ]])
    """
    saliency = np.asarray(saliency, dtype=float)
    if saliency.ndim != 2 or saliency.size == 0 or np.isnan(saliency).any():
        raise ValueError(
            "expected a map in two dimensions without NaN, got shape "
            f"{saliency.shape}"
        )
    rows, columns = saliency.shape
    radius = E2 * pixels_per_degree(columns, degrees)  # cells
    y, x = np.mgrid[:rows, :columns]
    open_places = np.ones_like(saliency, dtype=bool)
    path = np.zeros((count, 2))
    for step in range(count):
        if not open_places.any():
            open_places[:] = True
        values = np.where(open_places, saliency, -np.inf)
        row, column = np.unravel_index(values.argmax(), saliency.shape)
        path[step] = (column + 0.5) / columns, (row + 0.5) / rows
        visited = (x - column) ** 2 + (y - row) ** 2 <= radius**2
        open_places &= ~visited
    return path


def scan_paths(
    pixels: Float[np.ndarray, "rows cols *colours"],
    degrees: float,
    count: int = MAX_FIXATIONS,
    seed: int = 0,
) -> dict[str, Float[np.ndarray, "count 2"]]:
    """Look at a picture in three ways, each as a path of fixations.

    "saliency" follows `itti_koch`; "centre first" and "random" know nothing
    of the picture.

    Parameters
    ----------
    pixels
        Numbers from 0 to 1, grey or with three colours.
    degrees
        How wide the picture appears.
    count
        Fixations for each path.
    seed
        Of the two paths that chance has a part in.
    """
    rng = np.random.default_rng(seed)
    maps = {
        "saliency": itti_koch(pixels),
        "centre first": centre_map(pixels.shape, rng),
        "random": random_map(pixels.shape, rng),
    }
    return {
        name: scan_path(each, degrees, count) for name, each in maps.items()
    }
