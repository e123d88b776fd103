"""One colour each for query, key, value, weight and output, and the page.

Formulas, code, diagrams, charts and widgets take them from here: the site as
CSS variables (`--attn-query`, …), the widgets through
`tools/widget_traits.py`, matplotlib by name. Each has one tone for light
pages and print and one for dark pages, with a contrast of 4.5 : 1 as text
(WCAG 2.2, 1.4.3), and every pair differs by ΔE2000 ≥ 12, for complete protan,
deutan and tritan deficiency too. A colour is never the only carrier of
meaning.
"""

from collections.abc import Mapping
from typing import NamedTuple

__all__ = ["ROLES", "SERIES", "SURFACES", "Tone", "stylesheet"]


class Tone(NamedTuple):
    """A colour on light pages and in print, and on dark pages."""

    light: str
    dark: str


# What the parts of attention look like, wherever they stand.
ROLES: Mapping[str, Tone] = {
    "query": Tone("#0075d2", "#4b80fd"),
    "key": Tone("#bd3c00", "#faa456"),
    "value": Tone("#2e6a4d", "#4fd1a5"),
    "weight": Tone("#603297", "#b0a9f0"),
    "output": Tone("#843863", "#f5cae9"),
}

# Text, secondary text, lines, the page, a card on it.
SURFACES: Mapping[str, Tone] = {
    "ink": Tone("#1d2430", "#e7ebf2"),
    "soft": Tone("#5b6675", "#9aa5b5"),
    "line": Tone("#d9dee6", "#333c4a"),
    "paper": Tone("#ffffff", "#14181f"),
    "card": Tone("#fbfcfe", "#1a1f28"),
}

# Curves, bars and points that stand for anything else, in this order.
SERIES = ("query", "key", "value", "weight", "output", "ink")


def stylesheet() -> str:
    """Write the colours as CSS variables, for light, dark and print.

    `.attn-query` and its like colour what stands in a formula or a text.
    """
    tones = {**ROLES, **SURFACES}
    light, dark = (
        "".join(
            f"  --attn-{name}: {getattr(tone, theme)};\n"
            for name, tone in tones.items()
        )
        for theme in Tone._fields
    )
    roles = "".join(
        f".attn-{name} {{ color: var(--attn-{name}); }}\n" for name in ROLES
    )
    return (
        f":root {{\n{light}}}\n"
        f'@media screen {{\nhtml[data-theme="dark"] {{\n{dark}}}\n}}\n{roles}'
    )
