"""Make the book's two fonts from Adobe's Source Sans 3.

The licence reserves the name "Source" for fonts that nobody changed, so these
are called Lesson Sans.

    npm pack source-sans@3.52.0 && tar xzf source-sans-3.52.0.tgz
    python tools/make_fonts.py package

Kept are the weights from 400 to 700 and what the book writes: Latin and
Greek, arrows, signs of mathematics. It needs fontTools and brotli.
"""

import argparse
from pathlib import Path

from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont
from fontTools.varLib.instancer import instantiateVariableFont

TARGET = Path(__file__).parent.parent / "src/attn_course/site/static/fonts"
LATIN = [*range(0x20, 0x7F), *range(0xA0, 0x100), *map(ord, "ŁłŒœŠšŽžıāēīōū")]
SIGNS = [
    *range(0x2010, 0x2027), *map(ord, "′″‹›€™ˉˆ˜ℓ"),
    *map(ord, "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁽⁾ⁿᵀ₀₁₂₃₄₅₆₇₈₉"),
    *map(ord, "←↑→↓↔∂∆∏∑−∕∙√∞∫≈≠≤≥·×÷±½¼¾"),
]  # fmt: skip
GREEK = range(0x391, 0x3CA)
NAME = "Lesson Sans"
FACES = {
    "upright": [*LATIN, *SIGNS, *GREEK],
    "italic": [*range(0x20, 0x7F), *range(0xC0, 0x100), *map(ord, "’‘“”–—…")],
}


def make(package: Path, face: str) -> Path:
    """Write one face; give its path."""
    font = TTFont(package / f"VF/SourceSans3VF-{face.title()}.ttf")
    options = Options(
        hinting=False,
        layout_features=["kern", "mark", "mkmk", "ccmp", "locl", "tnum"],
        name_IDs=[0, 1, 2, 4, 6, 13, 14],
    )
    subsetter = Subsetter(options)
    subsetter.populate(unicodes=FACES[face])
    subsetter.subset(font)
    font = instantiateVariableFont(font, {"wght": (400, 700)})
    for number, name in [(1, NAME), (4, NAME), (6, NAME.replace(" ", ""))]:
        font["name"].setName(name, number, 3, 1, 0x409)
    font.flavor = "woff2"
    target = TARGET / f"lesson-sans-{face}.woff2"
    font.save(target)
    return target


def main() -> None:
    """Write both."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("package", type=Path, help="the unpacked package")
    package = parser.parse_args().package
    for face in FACES:
        path = make(package, face)
        print(f"{path.name}: {path.stat().st_size / 1000:.1f} kB")


if __name__ == "__main__":
    main()
