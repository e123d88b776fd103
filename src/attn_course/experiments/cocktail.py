"""Two voices at once: what attention to a direction gains, and where not.

The temperature, 0.05, and the width of the beam, 15° to either side, were
chosen in a pilot on six mixtures that resemble the first six of the twelve
here. The other six came afterwards, and nothing was changed since: four with
voices well apart, one with voices 15° apart, one with both in one direction.
The whole sweep of the temperature is recorded.
"""

import inspect
import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np

from attn_course import hearing
from attn_course.data import VOICES, load_voice
from attn_course.experiments import fingerprint, provenance
from attn_course.experiments.parts import Parts

__all__ = [
    "MIXTURES",
    "PAIRS",
    "RECORDINGS",
    "SETTINGS",
    "inputs",
    "measure",
    "record",
]

RECORDINGS = ("cocktail",)

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
CODE = (
    "experiments/cocktail.py",
    "experiments/parts.py",
    "hearing.py",
    "random_numbers.py",
)


def inputs(name: str, seeds: Sequence[int]) -> list[Any]:
    """List what the recording depends on, the method's code included."""
    code = (
        hearing.stft,
        hearing.inverse_stft,
        hearing.head,
        hearing.mix,
        hearing.echoes,
        hearing.diffuse_noise,
        hearing.interaural_keys,
        hearing.direction_scores,
        hearing.direction_weights,
        hearing.beam_weights,
        hearing.attend,
        hearing.beamform,
        hearing.ideal_ratio_mask,
        hearing.si_sdr,
    )
    return [list(seeds), *(inspect.getsource(part) for part in code)]


def record(name: str, seeds: Sequence[int]) -> dict[str, Any]:
    """Measure every mixture and every sweep; take up what is done already."""
    # Seeds are left out of the parts' fingerprint: more seeds add rows.
    parts = Parts(name, fingerprint("cocktail", name, 0))
    content = {
        "about": (
            "Two voices from two directions: scale-invariant signal-to-"
            "distortion ratio of each, in dB, at the ear on its side."
        ),
        "chosen": inspect.getdoc(inspect.getmodule(record)),
        "settings": SETTINGS,
        "keys": {
            "before": "the mixture itself",
            "attention": "the query is the voice's direction",
            "beam": "both ears filtered and summed towards the voice",
            "ideal": "a mask from the clean voices: an upper bound",
            "nobody": "the query is the direction farthest from both voices",
            "other": "the query is the other voice's direction",
        },
        "mixtures": _mixtures(parts, seeds),
        **{
            sweep: _sweep(parts, sweep, seeds)
            for sweep in ("separation", "temperature", "noise", "echo")
        },
        "rounding": "Rounded to 0.01 dB.",
        "source": {"data": "data.load_voice; see SOURCES.md"},
        "recorded": provenance(
            name, seeds=list(seeds), packages=[], code=CODE
        ),
    }
    parts.discard()
    return content


def measure(
    pair: tuple[str, str],
    angles: tuple[float, float],
    *,
    methods: Sequence[str] = METHODS,
    temperature: float = 0.05,
    **room: Any,
) -> list[dict[str, float]]:
    """Mix two voices; give each voice's ratio in dB by method.

    `room` goes to `hearing.mix`: noise, echo, seed.
    """
    mixture = hearing.mix([load_voice(name) for name in pair], angles, **room)
    rows = []
    for which, (angle, other) in enumerate((angles, angles[::-1])):
        ear = hearing.near_ear(angle)
        target = mixture.voices[which]
        row = {}
        for method in methods:
            heard = _listen(method, mixture, target, angle, other, temperature)
            row[method] = round(hearing.si_sdr(heard[ear], target[ear]), 2)
        rows.append(row)
    return rows


def _listen(
    method: str,
    mixture: hearing.Mixture,
    target: np.ndarray,
    angle: float,
    other: float,
    temperature: float,
) -> np.ndarray:
    ears = mixture.ears
    if method == "before":
        return ears
    if method == "beam":
        return hearing.beamform(ears, angle)
    if method == "ideal":
        mask = hearing.ideal_ratio_mask(target, ears - target)
        return hearing.inverse_stft(mask * hearing.stft(ears), ears.shape[1])
    query = {
        "attention": angle,
        "other": other,
        "nobody": farthest(angle, other),
    }[method]
    return hearing.attend(ears, query, temperature=temperature)[0]


def farthest(first: float, second: float) -> float:
    """Give the direction that is farthest from both voices."""
    away = [min(abs(d - first), abs(d - second)) for d in hearing.DIRECTIONS]
    return float(hearing.DIRECTIONS[int(np.argmax(away))])


def _mixtures(parts: Parts, seeds: Sequence[int]) -> list[dict[str, Any]]:
    rows = []
    for (a, b, x, y), seed in itertools.product(MIXTURES, seeds):
        name = f"{a} {x} {b} {y} {seed}"
        if name not in parts.done:
            print(f"  {name}", flush=True)
            found = measure((a, b), (x, y), seed=seed)
            parts.add(name, {"voices": found})
        rows.append(
            {
                "voices": [a, b],
                "angles": [x, y],
                "seed": seed,
                "ratios": parts.done[name]["voices"],
            }
        )
    return rows


def _sweep(parts: Parts, sweep: str, seeds: Sequence[int]) -> dict[str, Any]:
    """Sweep one setting: before and after, (values, voices and mixtures)."""
    table: dict[str, list[list[float]]] = {"before": [], "attention": []}
    for value in SETTINGS[sweep]:
        name = f"{sweep} {value}"
        rows = []
        for seed in seeds:
            part = f"{name} {seed}"
            if part not in parts.done:
                print(f"  {part}", flush=True)
                found = _all_mixtures(sweep, value, seed)
                parts.add(part, {"voices": found})
            rows += parts.done[part]["voices"]
        for method, lines in table.items():
            lines.append([row[method] for row in rows])
    return table


def _all_mixtures(sweep: str, value: Any, seed: int) -> list[dict[str, float]]:
    methods = ("before", "attention")
    if sweep == "separation":
        # Both to either side of the front, in steps of 5°.
        left = -5 * round(value / 10)
        cases = [(pair, (left, left + value), {}) for pair in PAIRS]
    else:
        cases = [
            ((a, b), (x, y), {sweep: value}) for a, b, x, y in MIXTURES[:APART]
        ]
    return [
        row
        for pair, angles, options in cases
        for row in measure(pair, angles, methods=methods, seed=seed, **options)
    ]
