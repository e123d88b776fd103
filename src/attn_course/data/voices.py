"""Real voices: five short recordings of four people."""

import io
import wave
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from attn_course.data.assets import load_asset

__all__ = ["VOICES", "Voice", "load_voice", "voice_asset"]

RATE = 16_000  # samples a second


class Voice(NamedTuple):
    """Who speaks, what is said, and where the recording comes from."""

    speaker: str
    words: str
    source: str


_LIBRIVOX = (
    "LibriVox recording of Jane Austen’s “Sense and Sensibility”, public "
    "domain; in Debian’s pocketsphinx-testdata"
)
_ARCTIC = "CMU ARCTIC, Carnegie Mellon University 2003, free for any use"

VOICES = {
    "young-man": Voice(
        "a LibriVox reader",
        "He was not an ill-disposed young man",
        _LIBRIVOX,
    ),
    "amiable": Voice(
        "a LibriVox reader",
        "He might even have been made amiable himself",
        _LIBRIVOX,
    ),
    "superlative": Voice(
        "speaker awb",
        "And you always want to see it in the superlative degree",
        _ARCTIC,
    ),
    "gregson": Voice(
        "speaker slt",
        "He turned sharply, and faced Gregson across the table",
        _ARCTIC,
    ),
    "clubs": Voice(
        "a speaker without a name",
        "Eight of spades, four of clubs, seven of hearts",
        "test data of PocketSphinx, Carnegie Mellon University, BSD licence",
    ),
}


def voice_asset(name: str) -> str:
    """Name the sound file of a voice.

    Raises
    ------
    ValueError
        When there is no voice of that name; the message lists those there
        are.
    """
    if name not in VOICES:
        raise ValueError(f"expected one of {sorted(VOICES)}, got {name!r}")
    return f"sounds/{name}.wav"


def load_voice(name: str) -> Float[np.ndarray, " n"]:
    """Read one voice: 3.2 seconds, 16 000 samples a second, within ±1.

    All have the same length and the same root mean square, 0.05.

    Examples
    --------
    >>> voice = load_voice("gregson")
    >>> voice.shape, round(float((voice**2).mean() ** 0.5), 3)
    ((51200,), 0.05)
    """
    with wave.open(io.BytesIO(load_asset(voice_asset(name)))) as file:
        frames = file.readframes(file.getnframes())
    return np.frombuffer(frames, "<i2") / 32768
