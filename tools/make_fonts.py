"""Make the book's font from Adobe's Source Sans 3.

The licence reserves the name "Source" for fonts that nobody changed, so this
one is called Lesson Sans.

    npm pack source-sans@3.52.0 && tar xzf source-sans-3.52.0.tgz
    python tools/make_fonts.py package

Kept are the weights from 400 to 600 and what the book writes: Latin and
Greek, arrows, signs of mathematics. Italics are slanted by the browser: their
own letters would cost each page 18 kB. It needs fontTools and brotli.
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


def make(package: Path) -> Path:
    """Write the font; give its path."""
    font = TTFont(package / "VF/SourceSans3VF-Upright.ttf")
    options = Options(
        hinting=False,
        layout_features=["kern", "mark", "mkmk", "ccmp", "locl", "tnum"],
        name_IDs=[0, 1, 2, 4, 6, 13, 14],
    )
    subsetter = Subsetter(options)
    subsetter.populate(unicodes=[*LATIN, *SIGNS, *GREEK])
    subsetter.subset(font)
    font = instantiateVariableFont(font, {"wght": (400, 600)})
    for number, name in [(1, NAME), (4, NAME), (6, NAME.replace(" ", ""))]:
        font["name"].setName(name, number, 3, 1, 0x409)
    font.flavor = "woff2"
    target = TARGET / "lesson-sans.woff2"
    font.save(target)
    return target


def main() -> None:
    """Write it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("package", type=Path, help="the unpacked package")
    path = make(parser.parse_args().package)
    print(f"{path.name}: {path.stat().st_size / 1000:.1f} kB")


if __name__ == "__main__":
    main()
