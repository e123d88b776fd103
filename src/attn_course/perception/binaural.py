"""Two voices, two ears: attention to a direction, from the mixture alone.

A voice from the right reaches the right ear earlier and louder. Each cell of
the two ears' spectrograms carries this trace: a difference of phase and of
level. It is the cell's **key**. The **query** is a direction: the difference
that a voice from there would leave. The **values** are the cells themselves.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Complex, Float

from attn_course.random_numbers import normal

__all__ = [
    "DIRECTIONS",
    "Mixture",
    "attend",
    "beam_weights",
    "beamform",
    "diffuse_noise",
    "direction_scores",
    "direction_weights",
    "echoes",
    "expected_keys",
    "head",
    "ideal_ratio_mask",
    "interaural_keys",
    "interaural_time",
    "inverse_stft",
    "mix",
    "near_ear",
    "place",
    "si_sdr",
    "stft",
]

RATE = 16_000  # samples a second
WINDOW, HOP = 512, 256  # samples: 32 ms, half of it overlaps
FREQUENCIES = np.fft.rfftfreq(WINDOW, 1 / RATE)  # (257,) in Hz
DIRECTIONS = np.arange(-90.0, 91.0, 5.0)  # (37,) degrees; 0 is ahead

HEAD_RADIUS = 0.0875  # metres
SPEED_OF_SOUND = 343.0  # metres a second
LEVEL_UNIT = 10.0  # decibels that weigh as much as a phase of one radian
BEAM = 15.0  # degrees to either side of the query
NOISE_DIRECTIONS = np.arange(-82.5, 90.0, 15.0)  # (12,) degrees


class Mixture(NamedTuple):
    """What two ears hear, `ears (2, n)`, and what it was made of.

    `voices (2, 2, n)`: each voice alone at the left and right ear, and
    `noise (2, n)`. `ears` is their sum. Attention sees `ears` alone; the
    parts are for measuring and for the upper bound.
    """

    ears: Float[np.ndarray, "2 n"]
    voices: Float[np.ndarray, "2 2 n"]
    noise: Float[np.ndarray, "2 n"]


# From sound to cells and back


def stft(sound: Float[Any, "... n"]) -> Complex[np.ndarray, "... 257 t"]:
    """Cut a sound into cells of 31.25 Hz and 16 ms.

    Sine windows of 32 ms overlap by half. Used twice, their squares sum to
    1, so `inverse_stft` gives the sound back.

    Examples
    --------
    >>> sound = normal(0, 1000)
    >>> cells = stft(sound)
    >>> cells.shape, bool(np.allclose(inverse_stft(cells, 1000), sound))
    ((257, 5), True)
    """
    sound = np.asarray(sound, dtype=float)
    n = sound.shape[-1]
    edges = [(0, 0)] * (sound.ndim - 1) + [(HOP, HOP + -n % HOP)]
    padded = np.pad(sound, edges)
    starts = np.arange(0, padded.shape[-1] - HOP, HOP)
    frames = padded[..., starts[:, None] + np.arange(WINDOW)]  # (..., t, 512)
    return np.fft.rfft(frames * _sine_window()).swapaxes(-1, -2)


def inverse_stft(
    cells: Complex[Any, "... 257 t"], n: int
) -> Float[np.ndarray, "... n"]:
    """Add the windows of all cells up to a sound of `n` samples."""
    cells = np.asarray(cells)
    frames = np.fft.irfft(cells.swapaxes(-1, -2)) * _sine_window()
    count = frames.shape[-2]
    sound = np.zeros((*frames.shape[:-2], (count + 1) * HOP))
    for t in range(count):
        sound[..., t * HOP : t * HOP + WINDOW] += frames[..., t, :]
    return sound[..., HOP : HOP + n]


def _sine_window() -> Float[np.ndarray, " 512"]:
    return np.sin(np.pi * (np.arange(WINDOW) + 0.5) / WINDOW)


# A head


def interaural_time(angle: Float[Any, "..."]) -> Float[np.ndarray, "..."]:
    """Tell how much later the far ear hears, in seconds.

    Woodworth's path round a sphere (1938): a/c · (θ + sin θ) for `angle` θ
    from −90 to 90 degrees; positive when the sound comes from the right.

    Examples
    --------
    >>> (1e6 * interaural_time(np.array([-90, 0, 30, 90]))).round()
    array([-656.,    0.,  261.,  656.])
    """
    theta = np.deg2rad(np.asarray(angle, dtype=float))
    return HEAD_RADIUS / SPEED_OF_SOUND * (theta + np.sin(theta))


def head(
    angle: Float[Any, "..."], frequency: Float[Any, " f"]
) -> Complex[np.ndarray, "... 2 f"]:
    """Tell what a head does to a sound on its way to the left and right ear.

    A sphere with one pole and one zero for its shadow, and a delay round it
    (Brown and Duda 1998). The two delays differ by
    Woodworth's time. At low frequencies both ears hear alike; at high ones
    the near ear gets up to 6 dB more and the far ear much less.

    Parameters
    ----------
    angle
        Degrees, −90 (left) to 90 (right).
    frequency
        Hz.

    Returns
    -------
    array
        A complex factor for each ear and frequency.
    """
    theta = np.deg2rad(np.asarray(angle, dtype=float))[..., None]
    if not (np.abs(theta) <= np.pi / 2 + 1e-9).all():
        raise ValueError(f"expected angles from -90 to 90, got {angle}")
    frequency = np.asarray(frequency, dtype=float)
    incidence = np.pi / 2 + theta * np.array([1.0, -1.0])  # (..., 2)
    around = HEAD_RADIUS / SPEED_OF_SOUND
    delay = around * (
        1
        + np.where(
            incidence < np.pi / 2, -np.cos(incidence), incidence - np.pi / 2
        )
    )  # (..., 2), seconds, never negative
    alpha = 1.05 + 0.95 * np.cos(incidence * 180 / 150)
    omega = 2 * np.pi * frequency
    zero = 1 + 1j * alpha[..., None] * omega * around / 2
    pole = 1 + 1j * omega * around / 2
    return zero / pole * np.exp(-1j * omega * delay[..., None])


def place(voice: Float[Any, " n"], angle: float) -> Float[np.ndarray, "2 n"]:
    """Give what the left and right ear hear of a voice from a direction.

    The delay is exact: it turns the phase of each frequency of the whole
    sound.
    """
    voice = np.asarray(voice, dtype=float)
    size = _fft_size(voice.shape[-1])
    frequency = np.fft.rfftfreq(size, 1 / RATE)
    spectrum = np.fft.rfft(voice, size)  # (f,)
    both = np.fft.irfft(spectrum * head(angle, frequency), size)
    return both[:, : voice.shape[-1]]


@lru_cache(maxsize=8)
def diffuse_noise(n: int, seed: int = 0) -> Float[np.ndarray, "2 n"]:
    """Make noise that comes from everywhere, with a mean square of 1.

    Twelve independent noises from twelve directions, each louder at low
    frequencies, as a room full of people is.
    """
    size = _fft_size(n)
    frequency = np.fft.rfftfreq(size, 1 / RATE)
    bins = len(frequency)
    numbers = normal(seed, 2 * bins * len(NOISE_DIRECTIONS))
    parts = numbers.reshape(len(NOISE_DIRECTIONS), bins, 2)
    spectra = parts[..., 0] + 1j * parts[..., 1]  # (12, f)
    spectra = spectra / np.sqrt(np.maximum(frequency, 200.0))
    total = sum(
        head(angle, frequency) * spectrum
        for angle, spectrum in zip(NOISE_DIRECTIONS, spectra, strict=True)
    )
    noise = np.array(np.fft.irfft(total, size)[:, :n])
    noise /= np.sqrt((noise**2).mean())
    noise.setflags(write=False)  # kept, and handed out again
    return noise


def echoes(
    voice: Float[Any, " n"], seed: int = 0, seconds: float = 0.4
) -> Float[np.ndarray, "2 n"]:
    """Give what a room sends back of a voice: from everywhere, dying away.

    A simple model of a room: its answer to a click is noise that loses 60
    decibels in `seconds` and begins 5 milliseconds after the click.
    """
    voice = np.asarray(voice, dtype=float)
    length = int(seconds * RATE)
    decay = 10 ** (-3 * np.arange(length) / length)
    answer = np.pad(
        diffuse_noise(length, seed) * decay, ((0, 0), (RATE // 200, 0))
    )
    size = _fft_size(voice.shape[-1] + answer.shape[-1])
    spectra = np.fft.rfft(answer, size) * np.fft.rfft(voice, size)
    return np.fft.irfft(spectra, size)[:, : voice.shape[-1]]


def mix(
    voices: Sequence[Float[Any, " n"]],
    angles: Sequence[float],
    *,
    noise: float = -15.0,
    echo: float | None = None,
    seed: int = 0,
) -> Mixture:
    """Let two voices speak at once, from two directions, in some noise.

    Parameters
    ----------
    voices
        Two sounds of the same length.
    angles
        Where each speaks from, in degrees.
    noise
        Level of the noise against both voices together, in decibels.
    echo
        Level of a room's echoes against both voices, in decibels; None: no
        room. They count as noise: the voices are what comes straight.
    seed
        Of the noise and of the room.

    Raises
    ------
    ValueError
        When these are not two voices of one length and two angles.
    """
    lengths = [len(voice) for voice in voices]
    if len(lengths) != 2 or len(set(lengths)) != 1 or len(angles) != 2:
        raise ValueError(
            "expected two voices of the same length and two angles, got "
            f"lengths {lengths} and angles {list(angles)}"
        )
    parts = np.stack(
        [place(v, a) for v, a in zip(voices, angles, strict=True)]
    )  # (voice, ear, n)
    both = parts.sum(axis=0)
    loudness = np.sqrt((both**2).mean()) * 10 ** (noise / 20)
    rest = loudness * diffuse_noise(lengths[0], seed)
    if echo is not None:
        room = sum(
            echoes(voice, 100 * seed + 10 * i + 1)
            for i, voice in enumerate(voices)
        )
        level = np.sqrt((both**2).mean() / (room**2).mean())  # pyright: ignore[reportAttributeAccessIssue]
        rest = rest + level * 10 ** (echo / 20) * room
    return Mixture(both + rest, parts, rest)


def _fft_size(n: int) -> int:
    # Room for the longest delay, so that nothing comes round from the end.
    return 1 << int(n + 64 - 1).bit_length()


# Keys, query, weights


def interaural_keys(
    cells: Complex[Any, "2 257 t"],
) -> Float[np.ndarray, "3 257 t"]:
    """Give each cell its key: three numbers, from the mixture alone.

    Cosine and sine of the phase by which the right ear is ahead, and the
    level by which it is louder, in units of 10 decibels.
    """
    left, right = np.asarray(cells)
    return _as_key(right * left.conj(), np.abs(left), np.abs(right))


def expected_keys(
    angles: Float[Any, " d"],
) -> Float[np.ndarray, "d 3 257"]:
    """Give the key that a voice from each direction would leave: a query."""
    left, right = np.moveaxis(head(angles, FREQUENCIES), -2, 0)
    keys = _as_key(right * left.conj(), np.abs(left), np.abs(right))
    return np.moveaxis(keys, 0, 1)


def _as_key(cross: Any, left: Any, right: Any) -> np.ndarray:
    # A cell that is silent at one ear points nowhere: it gets phase 0 and a
    # level difference of at most 60 decibels.
    size = np.abs(cross)
    silent = size < 1e-15
    unit = np.where(silent, 1.0, cross / np.where(silent, 1.0, size))
    level = 20 * np.log10((right + 1e-9) / (left + 1e-9))
    level = np.clip(level, -60.0, 60.0) / LEVEL_UNIT
    return np.stack([unit.real, unit.imag, level])  # pyright: ignore[reportAttributeAccessIssue]


def direction_scores(
    keys: Float[Any, "3 257 t"],
    angles: Float[Any, " d"] = DIRECTIONS,
) -> Float[np.ndarray, "d 257 t"]:
    """Score each direction in each cell: −½‖query − key‖².

    The phase part is cos(Δφ) − 1, a dot product of two unit vectors less 1:
    it never minds whole turns.
    """
    queries = expected_keys(angles)[..., None]  # (d, 3, 257, 1)
    phase = queries[:, 0] * keys[0] + queries[:, 1] * keys[1] - 1.0
    return phase - 0.5 * (queries[:, 2] - keys[2]) ** 2


def direction_weights(
    scores: Float[Any, "d 257 t"], temperature: float = 0.05
) -> Float[np.ndarray, "d 257 t"]:
    """Let each cell divide itself among the directions: a softmax over d."""
    if not temperature > 0:
        raise ValueError(f"expected a temperature above 0, got {temperature}")
    logits = np.asarray(scores) / temperature
    shares = np.exp(logits - logits.max(axis=0))
    return shares / shares.sum(axis=0)


def beam_weights(
    weights: Float[Any, "d 257 t"], angle: float
) -> Float[np.ndarray, "257 t"]:
    """Sum the shares of the directions within 15° of the query."""
    inside = np.abs(DIRECTIONS - angle) <= BEAM + 1e-9
    return np.asarray(weights)[inside].sum(axis=0)


def attend(
    ears: Float[Any, "2 n"],
    angle: float,
    *,
    temperature: float = 0.05,
) -> tuple[Float[np.ndarray, "2 n"], Float[np.ndarray, "257 t"]]:
    """Listen in one direction: weights times cells, made sound again.

    Parameters
    ----------
    ears
        The mixture at the left and right ear; nothing else is used.
    angle
        The query, in degrees.
    temperature
        Of the softmax over directions.

    Returns
    -------
    sound, weights
        Two channels, and the weight of each cell.

    Examples
    --------
    >>> from attn_course.data import load_voice
    >>> names = "gregson", "superlative"
    >>> mixture = mix([load_voice(name) for name in names], (-40, 30))
    >>> target = mixture.voices[0, 0]  # the first voice, at the left ear
    >>> heard, weights = attend(mixture.ears, -40)
    >>> round(si_sdr(mixture.ears[0], target)), round(si_sdr(heard[0], target))
    (1, 9)
    """
    cells = stft(ears)
    scores = direction_scores(interaural_keys(cells))
    weights = beam_weights(direction_weights(scores, temperature), angle)
    return inverse_stft(weights * cells, np.shape(ears)[-1]), weights


# What to compare with


def beamform(
    ears: Float[Any, "2 n"], angle: float
) -> Float[np.ndarray, "2 n"]:
    """Add up both ears so that a voice from `angle` passes unchanged.

    Delay and sum, with the head's known gains: the same fixed filter at all
    times. Gives what is left at each ear.
    """
    cells = stft(ears)
    way = head(angle, FREQUENCIES)[..., None]  # (2, 257, 1)
    gain = (np.abs(way) ** 2).sum(axis=0)
    voice = (way.conj() * cells).sum(axis=0) / gain  # at the mouth
    return inverse_stft(way * voice, np.shape(ears)[-1])


def ideal_ratio_mask(
    target: Float[Any, "2 n"], rest: Float[Any, "2 n"]
) -> Float[np.ndarray, "257 t"]:
    """Weigh each cell by the target's share of its energy.

    This needs the clean voices: an upper bound, never a method.
    """
    wanted = (np.abs(stft(target)) ** 2).sum(axis=0)
    other = (np.abs(stft(rest)) ** 2).sum(axis=0)
    return wanted / np.maximum(wanted + other, 1e-20)


def near_ear(angle: float) -> int:
    """Give the ear on the side of a direction: 0 left, 1 right."""
    return int(angle >= 0)


def si_sdr(estimate: Float[Any, " n"], target: Float[Any, " n"]) -> float:
    """Measure signal against everything else, in decibels.

    Scale-invariant signal-to-distortion ratio (Le Roux et al. 2019): what
    of the estimate points along the target is signal; noise, the other
    voice and distortion are the rest. Loudness does not count.

    Examples
    --------
    >>> si_sdr([1.0, 1.0], [1.0, 0.0])
    0.0
    """
    estimate, target = np.asarray(estimate), np.asarray(target)
    energy = float(target @ target)
    if energy == 0.0:
        raise ValueError("expected a target with some sound, got silence")
    signal = float(estimate @ target) ** 2 / energy
    rest = max(float(estimate @ estimate) - signal, 1e-30)
    return float(10 * np.log10(max(signal, 1e-30) / rest))
