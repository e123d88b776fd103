"""Exercise 1.2: a direction as a query, the phase it leaves at two ears."""

import math

import numpy as np

from attn_course.exercises.cases import Case, sized
from attn_course.exercises.core import Exercise

RADIUS, SPEED = 0.0875, 343.0  # metres; metres a second


def inputs(rng: np.random.Generator) -> list[Case]:
    """Give directions in degrees and frequencies in Hz."""
    ahead = np.zeros(1), np.array([500.0])
    right = np.array([90.0]), np.array([200.0, 500.0, 3000.0])
    left = np.array([-90.0]), np.array([200.0, 500.0, 3000.0])
    # Times in microseconds are right, and float16 ends at 65,504.
    cases = [case for case in sized(rng, _draw) if case.name != "float16"]
    return [
        Case("straight ahead", ahead),
        Case("from the right", right),
        Case("from the left", left),
        Case("a frequency of 0", (np.array([30.0, -30.0]), np.zeros(1))),
        Case("low and high frequencies", _draw(rng, 2, 12)),
        *cases,
    ]


def _draw(rng, d, f):
    """Draw directions and frequencies of which some make whole turns."""
    return rng.uniform(-85.0, 85.0, d), rng.uniform(50.0, 7000.0, f)


EXERCISE = Exercise(
    id="1.2",
    title="Interaural phase",
    statement="""\
Write `expected_phase(angle, frequency)`, the query. A sound comes from there:
by how much is the right ear's phase ahead of the left one's?

- `angle` has shape `(d,)`: degrees from −90 (left) to 90 (right). `frequency`
  has shape `(f,)`: Hz. Return shape `(d, f)`: radians, wrapped to between −π
  and π.
- The right ear hears earlier by a/c · (θ + sin θ) seconds (Woodworth 1938): θ
  is the angle in radians, a = 0.0875 m the radius of a head, c = 343 m/s.""",
    difficulty=1,
    minutes=10,
    hints=[
        "First the time for each direction: shape (d,). `np.deg2rad` makes "
        "radians of degrees.",
        "One turn of phase is 2π, and a sound of f Hz makes f turns a second. "
        "Every direction meets every frequency: look at `np.outer`.",
        "Whole turns can't be heard. `(phase + np.pi) % (2 * np.pi)` removes "
        "them: what must still be taken away?",
    ],
    inputs=inputs,
)


@EXERCISE.is_solution
def expected_phase(angle, frequency):
    """Predict the phase by which the right ear is ahead, in radians.

    angle (d,) in degrees, frequency (f,) in Hz → (d, f)
    """
    theta = np.deg2rad(angle)
    earlier = 0.0875 / 343 * (theta + np.sin(theta))  # (d,) in seconds
    phase = 2 * np.pi * np.outer(earlier, frequency)  # (d, f)
    return (phase + np.pi) % (2 * np.pi) - np.pi


# Right in other words


@EXERCISE.is_right
def with_complex_numbers(angle, frequency):
    """Turn a complex number; its angle has no whole turns."""
    theta = angle[:, None] * np.pi / 180
    turn = np.exp(
        2j * np.pi * frequency * RADIUS / SPEED * (theta + np.sin(theta))
    )
    return np.angle(turn)


@EXERCISE.is_right
def in_microseconds(angle, frequency):
    """Take the time in microseconds, and the remainder of turns."""
    theta = np.radians(angle)
    micros = RADIUS / SPEED * (theta + np.sin(theta)) * 1e6
    turns = np.multiply.outer(micros, frequency) / 1e6
    return 2 * np.pi * (turns - np.round(turns))


@EXERCISE.is_right
def with_loops(angle, frequency):
    """One direction and one frequency at a time."""
    out = np.empty((len(angle), len(frequency)))
    for i, degrees in enumerate(angle):
        theta = math.radians(degrees)
        earlier = RADIUS / SPEED * (theta + math.sin(theta))
        for j, hertz in enumerate(frequency):
            out[i, j] = math.remainder(math.tau * hertz * earlier, math.tau)
    return out


# The angle

EXERCISE.edits(
    """
degrees_for_radians: You put degrees where radians belong: convert the angle
        first.
    np.deg2rad(angle) → angle
sine_of_degrees: You took the sine of degrees: `np.sin` wants radians.
    np.sin(theta) → np.sin(angle)
sign_swapped: You swapped the sign: from the right, the right ear is ahead.
    phase = 2 * np.pi → phase = -2 * np.pi
sign_lost: You lost the sign of the angle: it tells left from right.
    deg2rad(angle) → deg2rad(np.abs(angle))
    """
)


# The time

EXERCISE.edits(
    """
sine_alone: You left out θ: the way round the head is θ + sin θ.
    theta + np.sin(theta) → np.sin(theta)
two_sines: You took 2 · sin θ, as if the head were not in the way: θ + sin θ.
    theta + np.sin(theta) → 2 * np.sin(theta)
angle_alone: You left out sin θ: the way round the head is θ + sin θ.
    theta + np.sin(theta) → theta
cosine: You took the cosine: straight ahead both ears hear at once.
    np.sin(theta) → np.cos(theta)
diameter: You doubled the time: a is the radius of the head.
    0.0875 → 2 * 0.0875
milliseconds: You gave the time in milliseconds: with Hz it must be seconds.
    0.0875 → 1000 * 0.0875
    """
)


# The phase

EXERCISE.edits(
    """
not_wrapped: You did not wrap the phase: whole turns can't be heard.
    (phase + np.pi) % (2 * np.pi) - np.pi → phase
wrapped_from_0: You gave phases from 0 to 2π: between −π and π is asked for.
    (phase + np.pi) % (2 * np.pi) - np.pi → phase % (2 * np.pi)
wrapped_half_a_turn_off: You added π before the remainder but did not take it
        away again.
    (2 * np.pi) - np.pi → (2 * np.pi)
clipped: You cut the phase at ±π: beyond half a turn it comes round again.
    (phase + np.pi) % (2 * np.pi) - np.pi → np.clip(phase, -np.pi, np.pi)
turns: You gave turns: multiply by 2π for radians.
    phase = 2 * np.pi * → phase =
phase_in_degrees: You gave the phase in degrees: radians are asked for.
    → np.rad2deg(expected_phase(angle, frequency))
transposed: You gave a row for each frequency: directions are the rows.
    → expected_phase(angle, frequency).T
time_alone: You gave the time: multiply by 2π times the frequency.
    2 * np.pi * np.outer(earlier, frequency) → earlier[:, None] + 0 * frequency
    (phase + np.pi) % (2 * np.pi) - np.pi → phase
    """
)
