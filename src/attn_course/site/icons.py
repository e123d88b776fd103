"""Keep only the icons that the pages show.

The theme ships all of Font Awesome: three fonts of 300 kB and two thousand
style rules. After the pages are written we know which icons they use.
"""

import re
from pathlib import Path
from typing import Any

from attn_course.optional import need

__all__ = [
    "drop_rules", "keep_characters", "setup", "used_codes", "used_names",
]  # fmt: skip

_RULE = re.compile(r'((?:\.fa-[\w-]+:+before,?)+)\{content:"\\([0-9a-f]+)"\}')
_NAME = re.compile(r"\bfa-[\w-]+")
_CODE = re.compile(r'"\\([ef][0-9a-f]{3})"')
_PRIVATE = re.compile("[\ue000-\uf8ff]")
_TTF = re.compile(r',url\([^)]*\.ttf\) format\("truetype"\)')


def used_names(texts: list[str]) -> set[str]:
    """Collect every icon name that pages and scripts mention."""
    return {name for text in texts for name in _NAME.findall(text)}


def drop_rules(style: str, names: set[str]) -> str:
    """Remove the rule of each icon that has none of these names."""

    def keep(rule: re.Match) -> str:
        used = names & set(_NAME.findall(rule.group(1)))
        return rule.group(0) if used else ""

    return _TTF.sub("", _RULE.sub(keep, style))


def used_codes(styles: list[str]) -> set[int]:
    """Collect the characters that style sheets draw with an icon font.

    Some are written as escapes, some as the private character itself.
    """
    escaped = {int(c, 16) for text in styles for c in _CODE.findall(text)}
    literal = {ord(c) for text in styles for c in _PRIVATE.findall(text)}
    return escaped | literal


def keep_characters(source: Path, target: Path, codes: set[int]) -> None:
    """Write the part of a font that draws these characters."""
    subset = need("fontTools.subset")
    TTFont = need("fontTools.ttLib").TTFont

    options = subset.Options(notdef_outline=True, hinting=False)
    font = TTFont(source)
    subsetter = subset.Subsetter(options)
    subsetter.populate(unicodes=codes)
    subsetter.subset(font)
    font.flavor = "woff2"
    font.save(target)


def _subset_icons(app: Any, exception: Exception | None) -> None:
    if exception or app.builder.format != "html":
        return
    pydata_sphinx_theme = need("pydata_sphinx_theme")

    # Start from the theme's own files: those in the output may already be
    # the subset of an earlier build.
    theme = (
        Path(pydata_sphinx_theme.__file__).parent
        / "theme/pydata_sphinx_theme/static"
    )
    out = Path(app.outdir)
    static = out / "_static"
    sheet = "styles/pydata-sphinx-theme.css"
    texts = [
        path.read_text("utf-8")
        for path in [*out.rglob("*.html"), *static.rglob("*.js")]
        if path.name != "fontawesome.js"
    ]
    style = drop_rules((theme / sheet).read_text("utf-8"), used_names(texts))
    (static / sheet).write_text(style, "utf-8")
    codes = used_codes(
        [path.read_text("utf-8") for path in static.rglob("*.css")]
    )
    fonts = "vendor/fontawesome/webfonts"
    for source in sorted((theme / fonts).glob("*.woff2")):
        keep_characters(source, static / fonts / source.name, codes)
    for unused in (static / fonts).glob("*.ttf"):
        unused.unlink()


def setup(app: Any) -> None:
    """Connect to Sphinx."""
    app.connect("build-finished", _subset_icons)
