"""Cut the novel of chapter 9 out of the package that holds it.

    python tools/make_novel.py FOLDER

FOLDER holds the unpacked Debian package that SOURCES.md names: R's store of
Jane Austen's novels, a row of zlib streams with a length before each.
"""

import re
import struct
import sys
import zlib
from pathlib import Path

HOME = Path(__file__).parents[1] / "src/attn_course/data/texts"
STORE = "usr/lib/R/site-library/janeaustenr/data/Rdata.rdb"
TITLE = "SENSE AND SENSIBILITY"
CHAPTERS = 26
VECTOR = b"\x00\x00\x00\x10"  # R's mark for a vector of texts


def streams(raw: bytes) -> list[bytes]:
    """Unpack every stream of the store."""
    found = []
    while raw:
        stream = zlib.decompressobj()
        found.append(stream.decompress(raw[4:]))
        assert len(found[-1]) == struct.unpack(">I", raw[:4])[0]
        raw = stream.unused_data
    return found


def lines(stream: bytes) -> list[str]:
    """Read a vector of texts: for each its kind, its length, its bytes."""
    at = stream.index(VECTOR) + 4
    (count,) = struct.unpack(">I", stream[at : at + 4])
    at, texts = at + 4, []
    for _ in range(count):
        (length,) = struct.unpack(">I", stream[at + 4 : at + 8])
        texts.append(stream[at + 8 : at + 8 + length].decode("utf-8"))
        at += 8 + length
    return texts


def paragraphs(novel: str) -> list[str]:
    """Join the lines of each paragraph, one space between two words."""
    parts = re.split(r"\n\s*\n", novel)
    return [" ".join(part.split()) for part in parts if part.strip()]


def main(folder: str) -> None:
    """Write the first chapters, a line for each paragraph."""
    raw = (Path(folder) / STORE).read_bytes()
    [novel] = [
        texts for texts in map(lines, streams(raw)) if texts[0] == TITLE
    ]
    text = "\n".join(novel)
    first, last = (text.index(f"\nCHAPTER {n}\n") for n in (1, CHAPTERS + 1))
    path = HOME / "sense-and-sensibility.txt"
    path.write_text("\n".join(paragraphs(text[first:last])) + "\n", "utf-8")


if __name__ == "__main__":
    main(sys.argv[1])
