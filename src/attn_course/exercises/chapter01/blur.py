"""Exercise 1.1: how far a photograph is blurred beside the fovea."""

import numpy as np

from attn_course.exercises.cases import Case, sized
from attn_course.exercises.core import Exercise


def inputs(rng: np.random.Generator) -> list[Case]:
    """Give distances in pixels, and pictures of many sizes."""
    cases = [
        Case("at the fixation itself", (np.zeros(1), 512, 20.0)),
        Case("one pixel is one degree", (np.array([2.3, 10.0]), 40, 40.0)),
        Case("a picture near by", (np.array([0.0, 100.0]), 512, 60.0)),
        Case("a picture far away", (np.array([5.0, 200.0]), 640, 3.0)),
    ]
    # Seconds of arc are right, and float16 ends at 65,504.
    return cases + [x for x in sized(rng, _draw) if x.name != "float16"]


def _draw(rng, batch, n):
    """Draw distances, a picture's width and how wide it appears."""
    columns = int(rng.integers(200, 1200))
    distance = rng.uniform(0, columns / 4, (*batch, n)).round(1)
    return distance, columns, round(rng.uniform(5, 60), 1)


EXERCISE = Exercise(
    id="1.1",
    title="Blur radius beside the fovea",
    statement="""\
Write `blur_radius(distance, columns, degrees)`: how far a photograph must be
blurred, so many pixels from the place that is looked at, to hide what the eye
can't see there.

- `distance` holds distances in pixels, of any shape. The photograph is
  `columns` pixels wide and appears `degrees` degrees wide; every pixel counts
  the same angle. Return radii in pixels, in the shape of `distance`.
- Of the smallest angle that can be told apart, the eye says
  MAR(e) = MAR₀ · (1 + e / 2.3), with e in degrees and MAR₀ one minute of arc:
  a sixtieth of a degree.
- The blur's radius is 0.92 · MAR, in pixels. (It is the standard deviation of
  a Gaussian that makes the finest visible stripes vanish.)""",
    difficulty=1,
    minutes=10,
    hints=[
        "How many pixels make one degree? Call it the scale. You need it "
        "twice.",
        "Divide the distance by the scale: that is e. The formula then gives "
        "an angle in degrees.",
        "Back to pixels: multiply the angle by the scale, then by 0.92.",
    ],
    inputs=inputs,
)


@EXERCISE.is_solution
def blur_radius(distance, columns, degrees):
    """Give the blur's radius in pixels.

    distance (...), in pixels → (...), in pixels
    """
    scale = columns / degrees  # pixels for each degree
    eccentricity = distance / scale  # degrees
    smallest = (1 + eccentricity / 2.3) / 60  # degrees
    return 0.92 * smallest * scale


# Right in other words


@EXERCISE.is_right
def multiplied_out(distance, columns, degrees):
    """Multiply out: the scale cancels in the second term."""
    return 0.92 / 60 * (columns / degrees + distance / 2.3)


@EXERCISE.is_right
def in_minutes(distance, columns, degrees):
    """Work in minutes of arc throughout."""
    scale = columns / (60 * degrees)
    minutes = 1 + distance / scale / (60 * 2.3)
    return 0.92 * minutes * scale


@EXERCISE.is_right
def one_by_one(distance, columns, degrees):
    """Take each distance by itself."""
    per_pixel = degrees / columns
    radii = [
        0.92 * (1 / 60) * (1 + d * per_pixel / 2.3) / per_pixel
        for d in distance.ravel().tolist()
    ]
    return np.reshape(radii, distance.shape)


# Units

EXERCISE.edits(
    """
pixels_as_degrees: You put pixels into the law: it takes degrees.
    distance / scale → distance
angle_returned: You returned an angle in degrees: multiply by pixels per
        degree.
    smallest * scale → smallest
minutes_as_degrees: You took MAR₀ as one degree: it is one minute, a sixtieth.
    / 60 →
second_of_arc: You divided by 3600: MAR₀ is a minute of arc, not a second.
    / 60 → / 3600
eccentricity_in_radians: You turned e into radians: the law takes degrees.
    distance / scale → np.deg2rad(distance / scale)
smallest_in_radians: You turned the smallest angle into radians: stay with
        degrees.
    0.92 * smallest → 0.92 * np.deg2rad(smallest)
eccentricity_in_minutes: You turned e into minutes of arc: the law takes
        degrees.
    distance / scale → 60 * distance / scale
scale_upside_down: You divided degrees by columns: pixels per degree is the
        other way.
    scale = columns / degrees → scale = degrees / columns
half_the_picture: You took half the picture's width for the whole of it.
    scale = columns / degrees → scale = columns / 2 / degrees
    """
)


# The law

EXERCISE.edits(
    """
perfect_fovea: You forgot the 1 in the brackets: the fovea itself has a limit
        too.
    1 + eccentricity → eccentricity
mar0_forgotten_in_the_fovea: You added 1 instead of MAR₀: it stands before the
        brackets.
    (1 + eccentricity / 2.3) / 60 → 1 + eccentricity / 2.3 / 60
no_fall: You left out e: the blur grows away from the fixation.
    1 + eccentricity → 1 + 0 * eccentricity
multiplied_by_e2: You multiplied by 2.3: divide e by it.
    eccentricity / 2.3 → eccentricity * 2.3
e2_left_out: You left out the 2.3.
    / 2.3 →
acuity: You divided by the brackets: that is acuity, which falls. MAR grows.
    (1 + eccentricity / 2.3) / 60 → 1 / (1 + eccentricity / 2.3) / 60
squared: You squared e: the law is a straight line.
    eccentricity / 2.3 → eccentricity**2 / 2.3
angle_left_unblurred: You returned the MAR in pixels: the blur is 0.92 times as
        wide.
    0.92 * →
diameter: You returned the diameter: the radius is half of it.
    0.92 → 2 * 0.92
whole_pixels: You rounded to whole pixels: near the fixation nothing is left.
    → np.round(blur_radius(distance, columns, degrees))
never_below_one: You made every radius at least one pixel: a blur may be finer.
    → np.maximum(blur_radius(distance, columns, degrees), 1.0)
one_number: You returned one number: each distance has its own radius.
    → float(np.max(blur_radius(distance, columns, degrees)))
flattened: You flattened the array: keep the shape of `distance`.
    → blur_radius(distance, columns, degrees).reshape(-1, 1)
in_the_dtype_of_distances: You kept the dtype of the distances: ints cut the
        radii off.
    → blur_radius(distance, columns, degrees).astype(distance.dtype)
    """
)
