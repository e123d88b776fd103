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


def _wrap(phase):
    return (phase + np.pi) % (2 * np.pi) - np.pi


def _phase(time, frequency):
    return 2 * np.pi * time[:, None] * frequency


def _time(theta):
    return RADIUS / SPEED * (theta + np.sin(theta))


# The angle


@EXERCISE.is_wrong
def degrees_for_radians(angle, frequency):
    """You put degrees where radians belong: convert the angle first."""
    return _wrap(_phase(_time(angle), frequency))


@EXERCISE.is_wrong
def sine_of_degrees(angle, frequency):
    """You took the sine of degrees: `np.sin` wants radians."""
    theta = np.deg2rad(angle)
    time = RADIUS / SPEED * (theta + np.sin(angle))
    return _wrap(_phase(time, frequency))


@EXERCISE.is_wrong
def sign_swapped(angle, frequency):
    """You swapped the sign: from the right, the right ear is ahead."""
    return _wrap(-_phase(_time(np.deg2rad(angle)), frequency))


@EXERCISE.is_wrong
def sign_lost(angle, frequency):
    """You lost the sign of the angle: it tells left from right."""
    return _wrap(_phase(_time(np.deg2rad(np.abs(angle))), frequency))


# The time


@EXERCISE.is_wrong
def sine_alone(angle, frequency):
    """You left out θ: the way round the head is θ + sin θ."""
    time = RADIUS / SPEED * np.sin(np.deg2rad(angle))
    return _wrap(_phase(time, frequency))


@EXERCISE.is_wrong
def two_sines(angle, frequency):
    """You took 2 · sin θ, as if the head were not in the way: θ + sin θ."""
    time = 2 * RADIUS / SPEED * np.sin(np.deg2rad(angle))
    return _wrap(_phase(time, frequency))


@EXERCISE.is_wrong
def angle_alone(angle, frequency):
    """You left out sin θ: the way round the head is θ + sin θ."""
    time = RADIUS / SPEED * np.deg2rad(angle)
    return _wrap(_phase(time, frequency))


@EXERCISE.is_wrong
def cosine(angle, frequency):
    """You took the cosine: straight ahead both ears hear at once."""
    theta = np.deg2rad(angle)
    time = RADIUS / SPEED * (theta + np.cos(theta))
    return _wrap(_phase(time, frequency))


@EXERCISE.is_wrong
def diameter(angle, frequency):
    """You doubled the time: a is the radius of the head."""
    return _wrap(_phase(2 * _time(np.deg2rad(angle)), frequency))


@EXERCISE.is_wrong
def milliseconds(angle, frequency):
    """You gave the time in milliseconds: with Hz it must be seconds."""
    return _wrap(_phase(1000 * _time(np.deg2rad(angle)), frequency))


# The phase


@EXERCISE.is_wrong
def not_wrapped(angle, frequency):
    """You did not wrap the phase: whole turns can't be heard."""
    return _phase(_time(np.deg2rad(angle)), frequency)


@EXERCISE.is_wrong
def wrapped_from_0(angle, frequency):
    """You gave phases from 0 to 2π: between −π and π is asked for."""
    return _phase(_time(np.deg2rad(angle)), frequency) % (2 * np.pi)


@EXERCISE.is_wrong
def wrapped_half_a_turn_off(angle, frequency):
    """You added π before the remainder but did not take it away again."""
    phase = _phase(_time(np.deg2rad(angle)), frequency)
    return (phase + np.pi) % (2 * np.pi)


@EXERCISE.is_wrong
def clipped(angle, frequency):
    """You cut the phase at ±π: beyond half a turn it comes round again."""
    phase = _phase(_time(np.deg2rad(angle)), frequency)
    return np.clip(phase, -np.pi, np.pi)


@EXERCISE.is_wrong
def turns(angle, frequency):
    """You gave turns: multiply by 2π for radians."""
    return _wrap(_time(np.deg2rad(angle))[:, None] * frequency)


@EXERCISE.is_wrong
def phase_in_degrees(angle, frequency):
    """You gave the phase in degrees: radians are asked for."""
    return np.rad2deg(expected_phase(angle, frequency))


@EXERCISE.is_wrong
def transposed(angle, frequency):
    """You gave a row for each frequency: directions are the rows."""
    return expected_phase(angle, frequency).T


@EXERCISE.is_wrong
def time_alone(angle, frequency):
    """You gave the time: multiply by 2π times the frequency."""
    time = _time(np.deg2rad(angle))
    return time[:, None] + 0 * frequency
