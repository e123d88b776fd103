"""The colours that mean something: read as text, and told apart by all."""

from itertools import combinations

import pytest
from coloraide import Color

from attn_course.colours import ROLES, SURFACES, Tone, stylesheet

THEMES = Tone._fields
# Complete deficiency, in three models of sight.
MODELS = ("brettel", "vienot", "machado")
DEFICIENCIES = ("protan", "deutan", "tritan")


def tones(theme):
    return {name: Color(getattr(tone, theme)) for name, tone in ROLES.items()}


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("surface", ["paper", "card"])
def test_each_can_be_read_as_text(theme, surface):
    behind = getattr(SURFACES[surface], theme)
    for name, colour in tones(theme).items():
        assert colour.contrast(behind, method="wcag21") >= 4.5, name


@pytest.mark.parametrize("theme", THEMES)
def test_each_pair_is_told_apart(theme):
    for (a, one), (b, other) in combinations(tones(theme).items(), 2):
        assert one.delta_e(other, method="2000") >= 12, (a, b)


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("deficiency", DEFICIENCIES)
def test_each_pair_is_told_apart_by_colour_blind_eyes(
    theme, model, deficiency
):
    seen = {
        name: colour.filter(deficiency, method=model)
        for name, colour in tones(theme).items()
    }
    for (a, one), (b, other) in combinations(seen.items(), 2):
        assert one.delta_e(other, method="2000") >= 12, (a, b)


def test_text_and_secondary_text_can_be_read():
    for theme in THEMES:
        for text in ("ink", "soft"):
            for surface in ("paper", "card"):
                colour = Color(getattr(SURFACES[text], theme))
                behind = getattr(SURFACES[surface], theme)
                assert colour.contrast(behind, method="wcag21") >= 4.5


def test_the_style_sheet_has_each_in_both_themes():
    css = stylesheet()
    for name, tone in {**ROLES, **SURFACES}.items():
        for colour in tone:
            assert f"--attn-{name}: {colour};" in css
