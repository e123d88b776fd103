"""Two voices at once: what attention to a direction gains, and where not.

The scale-invariant signal-to-distortion ratio of each voice, in dB, at the ear
on its side, by method: the mixture itself ("before"); attention to the
voice's direction; a fixed filter towards it ("beam"); a mask from the clean
voices, an upper bound ("ideal"); attention to the direction farthest from both
voices ("nobody") and to the other voice ("other"). Twelve mixtures with other
noise each time, and sweeps of the angle between the voices, the temperature,
the noise and the echo.

The temperature, 0.05, and the width of the beam, 15° to either side, were
chosen in a pilot on six mixtures that resemble the first six of the twelve
here. The other six came afterwards, and nothing was changed since: four with
voices well apart, one with voices 15° apart, one with both in one direction.
The whole sweep of the temperature is recorded.
"""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from attn_course import figures
from attn_course.data import VOICES, load_voice
from attn_course.experiments.study import Study
from attn_course.perception import binaural

if TYPE_CHECKING:
    from attn_course.figures import Chart

__all__ = ["MIXTURES", "PAIRS", "SETTINGS", "STUDY", "measure"]

# Two voices and their directions in degrees.
MIXTURES = (
    ("gregson", "superlative", -40, 30),
    ("young-man", "gregson", 20, -20),
    ("amiable", "superlative", -60, 10),
    ("clubs", "gregson", -30, 45),
    ("clubs", "amiable", -15, 60),
    ("gregson", "clubs", -25, 25),
    ("young-man", "superlative", 0, 50),
    ("clubs", "superlative", -75, -20),
    ("amiable", "gregson", 40, -10),
    ("clubs", "young-man", 70, -50),
    ("superlative", "gregson", 10, -5),
    ("young-man", "clubs", 30, 30),
)
APART = 10  # so many of them, from the first, are well apart

# Every two voices of different speakers.
PAIRS = tuple(
    (a, b)
    for a, b in itertools.combinations(VOICES, 2)
    if VOICES[a].speaker != VOICES[b].speaker
)

SETTINGS = {
    "separation": [0, 5, 10, 15, 20, 30, 45, 60, 90, 120],
    "temperature": [0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0],
    "noise": [-30, -15, -10, -5, 0],
    "echo": [None, -10, -5, 0, 5],
}
METHODS = ("before", "attention", "beam", "ideal", "nobody", "other")
SWEPT = ("before", "attention")
Ratios = list[dict[str, float]]


def values(measured: str) -> list[Any]:
    """Give the values of a sweep, or the numbers of the mixtures."""
    if measured == "mixtures":
        return list(range(len(MIXTURES)))
    return SETTINGS[measured]


STUDY = Study(
    "cocktail",
    chapter=1,
    question="What does attention to a direction gain when two people speak?",
    design=__doc__,
    arms={"measured": ["mixtures", *SETTINGS]},
    sweep={"value": values},
    settings=SETTINGS,
    tolerance=0.02,
)


@STUDY.run
def one(measured: str, value: Any, seed: int) -> dict[str, Any]:
    """Measure one mixture with every method, or all at one setting."""
    if measured == "mixtures":
        a, b, *angles = MIXTURES[value]
        return {"ratios": measure((a, b), angles, seed=seed)}
    return {
        "ratios": [
            row
            for pair, angles, options in _cases(measured, value)
            for row in measure(
                pair, angles, methods=SWEPT, seed=seed, **options
            )
        ]
    }


@STUDY.summary
def content(records: list[dict[str, Any]]) -> dict[str, Any]:
    """Put the ratios in tables: before and after, (values, voices)."""
    runs = [(r, r.pop("ratios")) for r in records]
    mixtures = [
        {
            "voices": list(MIXTURES[r["value"]][:2]),
            "angles": list(MIXTURES[r["value"]][2:]),
            "seed": r["seed"],
            "ratios": ratios,
        }
        for r, ratios in runs
        if r["measured"] == "mixtures"
    ]
    tables = {
        sweep: {
            method: [
                [
                    row[method]
                    for r, ratios in runs
                    if (r["measured"], r["value"]) == (sweep, value)
                    for row in ratios
                ]
                for value in SETTINGS[sweep]
            ]
            for method in SWEPT
        }
        for sweep in SETTINGS
    }
    return {
        "mixtures": mixtures,
        **tables,
        "rounding": "Rounded to 0.01 dB.",
        "source": {"data": "data.load_voice; see SOURCES.md"},
    }


@STUDY.slice
def again(recording: Mapping[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """Measure three mixtures again, and one at one setting of each sweep."""
    for number in (0, 7, 11):
        a, b, *angles = MIXTURES[number]
        [then] = [
            row["ratios"]
            for row in recording["mixtures"]
            if (row["voices"], row["angles"], row["seed"])
            == ([a, b], angles, 1)
        ]
        now = measure((a, b), angles, seed=1)
        for method in METHODS:
            yield method, *([row[method] for row in x] for x in (then, now))
    for sweep, tried in SETTINGS.items():
        case = 2
        pair, angles, options = _cases(sweep, tried[3])[case]
        now = measure(pair, angles, methods=SWEPT, seed=0, **options)
        for method in SWEPT:
            then = recording[sweep][method][3][2 * case : 2 * case + 2]
            yield f"{sweep}: {method}", then, [row[method] for row in now]


def _cases(sweep: str, value: Any) -> list[tuple[tuple, tuple, dict]]:
    """List what is measured at one setting: voices, directions, options."""
    if sweep == "separation":
        # Both to either side of the front, in steps of 5°.
        left = -5 * round(value / 10)
        return [(pair, (left, left + value), {}) for pair in PAIRS]
    return [
        ((a, b), (x, y), {sweep: value}) for a, b, x, y in MIXTURES[:APART]
    ]


def measure(
    pair: tuple[str, str],
    angles: Sequence[float],
    *,
    methods: Sequence[str] = METHODS,
    temperature: float = 0.05,
    **room: Any,
) -> Ratios:
    """Mix two voices; give each voice's ratio in dB by method.

    `room` goes to `hearing.mix`: noise, echo, seed.
    """
    mixture = binaural.mix([load_voice(name) for name in pair], angles, **room)
    rows = []
    for which, (angle, other) in enumerate((angles, angles[::-1])):
        ear = binaural.near_ear(angle)
        target = mixture.voices[which]
        row = {}
        for method in methods:
            heard = _listen(method, mixture, target, angle, other, temperature)
            row[method] = round(binaural.si_sdr(heard[ear], target[ear]), 2)
        rows.append(row)
    return rows


def _listen(
    method: str,
    mixture: binaural.Mixture,
    target: np.ndarray,
    angle: float,
    other: float,
    temperature: float,
) -> np.ndarray:
    ears = mixture.ears
    if method == "before":
        return ears
    if method == "beam":
        return binaural.beamform(ears, angle)
    if method == "ideal":
        mask = binaural.ideal_ratio_mask(target, ears - target)
        return binaural.inverse_stft(mask * binaural.stft(ears), ears.shape[1])
    query = {
        "attention": angle,
        "other": other,
        "nobody": farthest(angle, other),
    }[method]
    return binaural.attend(ears, query, temperature=temperature)[0]


def farthest(first: float, second: float) -> float:
    """Give the direction that is farthest from both voices."""
    away = [min(abs(d - first), abs(d - second)) for d in binaural.DIRECTIONS]
    return float(binaural.DIRECTIONS[int(np.argmax(away))])


@STUDY.claim("1.cafe")
def methods(recording: Mapping[str, Any]) -> dict[str, Any]:
    """Give the ratios of voices well apart, by method."""
    before, after = (_by_seed(recording, name) for name in SWEPT)
    found = {
        "before": before,
        "after": after,
        "gain": [a - b for a, b in zip(after, before, strict=True)],
        "echo": _gain(recording, "echo", 0),
    }
    for method in ("before", "beam", "attention", "nobody", "ideal"):
        ratios = [v[method] for _, v in _apart(recording)]
        found |= {
            f"{method}_mean": float(np.mean(ratios)),
            f"{method}_low": min(ratios),
            f"{method}_high": max(ratios),
        }
    return found


@STUDY.claim("1.direction")
def directions(recording: Mapping[str, Any]) -> dict[str, Any]:
    """Give the gain at three angles, and that of a wrong query."""
    return {
        "apart": _gain(recording, "separation", 45),
        "close": _gain(recording, "separation", 10),
        "same": _gain(recording, "separation", 0),
        "wrong": _by_seed(recording, "nobody"),
    }


@STUDY.figure(
    """
    What attention gains over the angle between the voices, with a band from
    the lowest to the highest of all voices. Below zero at 0 degrees, near
    zero at 10, then a steep rise to about 7 decibels at 30 to 45 degrees, and
    about 5 beyond 90.
    """
)
def gain_over_angle(recording: Mapping[str, Any]) -> "Chart":
    """Draw the gain over the angle between the voices."""
    before, after = (
        np.array(recording["separation"][method]) for method in SWEPT
    )
    return figures.curves(
        SETTINGS["separation"],
        {"mean, lowest and highest voice": (after - before).T},
        xlabel="angle between the voices in degrees",
        ylabel="gain in dB",
        title="What attention to a direction gains",
    )


def _apart(
    recording: Mapping[str, Any],
) -> list[tuple[int, dict[str, float]]]:
    """List seed and ratios of each voice of the mixtures well apart."""
    known = [[list(m[:2]), list(m[2:])] for m in MIXTURES[:APART]]
    return [
        (row["seed"], voice)
        for row in recording["mixtures"]
        if [row["voices"], row["angles"]] in known
        for voice in row["ratios"]
    ]


def _by_seed(recording: Mapping[str, Any], method: str) -> list[float]:
    """Give the mean ratio of voices well apart in dB, one for each seed."""
    voices = _apart(recording)
    return [
        float(np.mean([v[method] for s, v in voices if s == seed]))
        for seed in recording["recorded"]["seeds"]
    ]


def _gain(recording: Mapping[str, Any], sweep: str, value: Any) -> float:
    """Give what attention gains at one setting of a sweep, in dB."""
    at = SETTINGS[sweep].index(value)
    before, after = (np.mean(recording[sweep][m][at]) for m in SWEPT)
    return float(after - before)
