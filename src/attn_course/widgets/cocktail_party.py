"""`CocktailParty`: two voices at once, and attention to a direction."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, ClassVar, NamedTuple

import traitlets

from attn_course.data import VOICES, load_voice, voice_asset
from attn_course.html import html_table
from attn_course.perception import binaural
from attn_course.widgets.base import CourseWidget, Number

__all__ = ["MIXTURES", "CocktailParty", "Party"]

NOISE = -15.0  # decibels against both voices
SECONDS = 3.2


class Party(NamedTuple):
    """Two voices by name, and the direction of each in degrees."""

    label: str
    voices: tuple[str, str]
    angles: tuple[float, float]


MIXTURES = (
    Party("left and right", ("gregson", "superlative"), (-40, 30)),
    Party("two low voices", ("amiable", "clubs"), (45, -25)),
    Party("close together", ("gregson", "clubs"), (-5, 10)),
    Party("one direction", ("superlative", "gregson"), (30, 30)),
)


class CocktailParty(CourseWidget):
    """Two people speak at once; the reader turns attention to a direction.

    The browser mixes the clean voices for two ears. Keys come from that
    mixture alone, as in `perception.binaural`; the clean voices only measure.

    Parameters
    ----------
    mixtures
        Which voices speak from where: names from `data.VOICES`.
    seed
        Of the noise.

    Raises
    ------
    ValueError
        When a voice has no recording or there is no mixture.

    Examples
    --------
    >>> party = CocktailParty(angle=30)
    >>> before, after = party.measures()["B"]
    >>> round(before), round(after)
    (1, 8)
    """

    _tag = "attn-cocktail"
    _reader: ClassVar[tuple[str, ...]] = (
        "mixture",
        "first",
        "second",
        "attending",
        "angle",
        "temperature",
    )

    mixture = traitlets.Int(0, min=0).tag(sync=True)
    first = Number(0.0, min=-90.0, max=90.0).tag(sync=True)
    second = Number(0.0, min=-90.0, max=90.0).tag(sync=True)
    attending = traitlets.Bool(False).tag(sync=True)
    angle = Number(0.0, min=-90.0, max=90.0).tag(sync=True)
    temperature = Number(0.05, min=0.01, max=1.0).tag(sync=True)

    def __init__(
        self,
        mixtures: Sequence[Party] = MIXTURES,
        *,
        seed: int = 0,
        title: str = "Two voices at once",
        note: str = "",
        name: str = "cocktail",
        **state: Any,
    ) -> None:
        if not mixtures:
            raise ValueError("expected at least one mixture, got none")
        number = state.get("mixture", 0)
        if not 0 <= number < len(mixtures):
            raise ValueError(
                f"expected a mixture from 0 to {len(mixtures) - 1}, "
                f"got {number}"
            )
        names = sorted({voice for party in mixtures for voice in party.voices})
        source = {
            "title": title,
            "note": note,
            "voices": [
                {
                    "asset": voice_asset(voice),  # checks the name
                    "speaker": VOICES[voice].speaker,
                    "words": VOICES[voice].words,
                }
                for voice in names
            ],
            "mixtures": [
                {
                    "label": party.label,
                    "voices": [names.index(v) for v in party.voices],
                    "angles": [float(a) for a in party.angles],
                }
                for party in mixtures
            ],
            "noise": NOISE,
            "seed": seed,
            "seconds": SECONDS,
        }
        self._mixtures = tuple(mixtures)
        first, second = mixtures[number].angles
        start = {"first": first, "second": second}
        super().__init__(name=name, source=source, **{**start, **state})

    def asset_names(self) -> list[str]:
        """Name the sounds of the voices."""
        return [voice["asset"] for voice in self.source["voices"]]

    def measures(self) -> dict[str, tuple[float, float]]:
        """Tell each voice's level against the rest, before and after.

        In decibels, at the ear on the voice's side: see `hearing.si_sdr`.
        """
        return _measures(
            self._mixtures[self.mixture].voices,
            (self.first, self.second),
            self.angle,
            self.temperature,
            self.source["seed"],
        )

    def table(self) -> str:
        """Give what each direction lets through as an HTML table."""
        voices = self._mixtures[self.mixture].voices
        angles = (self.first, self.second)
        options = self.temperature, self.source["seed"]
        rows = []
        for angle in range(-90, 91, 15):
            found = _measures(voices, angles, float(angle), *options)
            cells = [f"{x:.1f}" for pair in found.values() for x in pair]
            rows.append((f"{angle}°", cells))
        a, b = (
            f"{letter} at {angle:.0f}° (“{VOICES[voice].words}”)"
            for letter, angle, voice in zip("AB", angles, voices, strict=True)
        )
        return html_table(
            f"{self.source['title']}: {a} and {b}. Each against the rest, "
            "in decibels",
            ["attend to", "A before", "A after", "B before", "B after"],
            rows,
        )


@lru_cache(maxsize=8)
def _mixed(
    voices: tuple[str, str], angles: tuple[float, float], seed: int
) -> binaural.Mixture:
    sounds = [load_voice(voice) for voice in voices]
    return binaural.mix(sounds, angles, noise=NOISE, seed=seed)


@lru_cache(maxsize=256)
def _measures(
    voices: tuple[str, str],
    angles: tuple[float, float],
    angle: float,
    temperature: float,
    seed: int,
) -> dict[str, tuple[float, float]]:
    mixture = _mixed(voices, angles, seed)
    heard, _ = binaural.attend(mixture.ears, angle, temperature=temperature)
    found = {}
    for letter, voice, at in zip("AB", mixture.voices, angles, strict=True):
        ear = binaural.near_ear(at)
        before = binaural.si_sdr(mixture.ears[ear], voice[ear])
        found[letter] = before, binaural.si_sdr(heard[ear], voice[ear])
    return found
