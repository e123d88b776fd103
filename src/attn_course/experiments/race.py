"""Recurrent layers against self-attention as the text grows.

All layers are 64 wide (`cost.sequential`). Forward alone, and forward and
backward; one sequence, and 16 at once; one thread, and two. The layers take
turns in every round, so that what else the machine does falls on all of them;
up to 1024 words the fastest of five calls counts in each of five rounds.
On one thread nothing runs at the same time as anything else: what is compared
there is the matrix library with one call a step against few large calls.

Beside the clock stands a count, from the operations that torch carries out:
how many matrix products must wait for one another. The numbers of the clock
are of one machine and one run; the ratios are what to read. No size was tuned.
"""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from attn_course import figures, lab
from attn_course.cost import sequential
from attn_course.experiments.study import Study
from attn_course.provenance import machine

if TYPE_CHECKING:
    from attn_course.figures import Chart

__all__ = ["PASSES", "SETTINGS", "STUDY", "counts", "measure", "table"]

SETTINGS = {
    "lengths": [16, 32, 64, 128, 256, 512, 1024, 2048],
    "counted": [16, 32, 64, 128, 256, 512],
    "d_model": 64,
    "heads": 4,
    "rounds": 5,
    # Words of all sequences together, at most: more take minutes.
    "most_words": 8192,
}
BATCHES, THREADS = [1, 16], [1, 2]
PASSES = {"forward": False, "forward and backward": True}
# Short calls are made several times a round, of which the fastest counts.
SHORT, CALLS = 1024, 5
COUNTED = sequential.LAYERS[:4]  # fused attention computes what attention does
RECURRENT, FUSED = sequential.LAYERS[:3], sequential.LAYERS[4]
STUDY = Study(
    "race",
    chapter=7,
    question="What must wait for what, and which layer is faster?",
    design=__doc__,
    seeds=0,
    settings=SETTINGS,
    packages=["torch"],
)


@STUDY.run
def measure() -> dict[str, Any]:
    """Count what waits, and let all layers race."""
    measured_on = machine()
    return {
        "machine": measured_on,
        "parameters": _parameters(),
        "records": _race(),
        "waits": counts(SETTINGS["counted"]),
    }


@STUDY.slice
def count_again(recording: dict[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """Count again: exact, unlike any clock, which is not asked."""
    counted = SETTINGS["counted"][:4]
    for then, now in zip(recording["waits"], counts(counted), strict=True):
        for unit in ("products", "operations", "levels"):
            what = f"{now['layer']}, {now['pass']}: {unit}"
            yield what, then[unit][: len(counted)], now[unit]
    for name, count in _parameters().items():
        yield f"{name}: parameters", recording["parameters"][name], count


def counts(lengths: Sequence[int]) -> list[dict[str, Any]]:
    """Count the steps that wait for one another, by layer and length."""
    rows = []
    for name, way in itertools.product(COUNTED, PASSES):
        paths = [
            sequential.waits(name, n, backward=PASSES[way]) for n in lengths
        ]
        units = paths[0]._fields
        rows.append(
            {
                "layer": name,
                "pass": way,
                **{u: [getattr(p, u) for p in paths] for u in units},
            }
        )
    return rows


def _race() -> list[dict[str, Any]]:
    """Time all layers: quartiles over the rounds, in milliseconds."""
    layers = {
        name: sequential.make(
            name, d_model=SETTINGS["d_model"], heads=SETTINGS["heads"]
        )
        for name in sequential.LAYERS
    }
    rng = torch.Generator().manual_seed(0)
    lengths = SETTINGS["lengths"]
    found: dict[tuple, list[list[float]]] = {
        condition: [[] for _ in lengths]
        for condition in itertools.product(
            THREADS, BATCHES, PASSES, sequential.LAYERS
        )
    }
    for _ in range(SETTINGS["rounds"]):
        for (threads, batch, way, name), times in found.items():
            torch.set_num_threads(threads)
            for place, n in enumerate(lengths):
                if batch * n > SETTINGS["most_words"]:
                    continue
                x = torch.randn(batch, n, SETTINGS["d_model"], generator=rng)
                taken = sequential.seconds(
                    layers[name],
                    x,
                    backward=PASSES[way],
                    repeats=CALLS if batch * n <= SHORT else 1,
                )
                times[place].append(round(1000 * min(taken), 4))
    names = ("threads", "batch", "pass", "layer")
    return [
        {
            **dict(zip(names, condition, strict=True)),
            "ms": [_quartiles(times) for times in by_length],
        }
        for condition, by_length in found.items()
    ]


def _quartiles(times: Sequence[float]) -> list[float] | None:
    """Give lower quartile, median, upper quartile; None for none."""
    if not times:
        return None
    return [round(float(x), 4) for x in np.quantile(times, [0.25, 0.5, 0.75])]


def _parameters() -> dict[str, int]:
    return {
        name: sum(p.numel() for p in sequential.make(name).parameters())
        for name in sequential.LAYERS
    }


# What it says


@STUDY.claim("7.parallel")
def waits(recording: Mapping[str, Any]) -> dict[str, int]:
    """Give what must wait, in the longest text that was counted."""
    attention, rnn = (_waiting(recording, x) for x in ("attention", "RNN"))
    return {
        "rnn_waits": rnn["products"][-1],
        "attention_waits": attention["products"][-1],
        "counted_at": recording["settings"]["counted"][-1],
        "attention_levels": attention["levels"][-1],
        "rnn_levels": rnn["levels"][-1],
    }


@STUDY.claim("7.parallel")
def by_the_clock(recording: Mapping[str, Any]) -> dict[str, float]:
    """Give where fused attention becomes slower, and what threads gain."""
    both = "forward and backward"

    def crossing(layer: str, **how: Any) -> float:
        ours, theirs = (
            word_time(recording, x, **how)[1] for x in (FUSED, layer)
        )
        lengths = recording["settings"]["lengths"]
        return sequential.crossings(lengths, ours, theirs)[0]

    def gain(layer: str, way: str = "forward") -> np.ndarray:
        one, two = (
            word_time(recording, layer, way, threads)[1] for threads in (1, 2)
        )
        return one / two

    return {
        "rnn_crossing": crossing("RNN"),
        "lstm_crossing": crossing("LSTM"),
        "rnn_crossing_2": crossing("RNN", threads=2),
        "lstm_crossing_2": crossing("LSTM", threads=2),
        "lstm_crossing_back": crossing("LSTM", way=both),
        "rnn_crossing_back": crossing("RNN", way=both),
        "attention_gain": gain(FUSED)[-1],
        "attention_gain_back": gain(FUSED, both)[-1],
        "recurrent_gain": max(gain(layer).max() for layer in RECURRENT),
        "longest": recording["settings"]["lengths"][-1],
    }


@STUDY.figure(
    """
    Microseconds a word over 16 to 2048 words, on one thread. RNN and GRU are
    level, the LSTM falls. Fused attention falls at first and rises from 128
    words on, passing the LSTM near 260 words and the RNN near 850. The GRU
    stays above it throughout.
    """
)
def times(recording: Mapping[str, Any]) -> "Chart":
    """Draw the time for a word of one text."""
    return figures.curves(
        recording["settings"]["lengths"],
        {name: word_time(recording, name) for name in (*RECURRENT, FUSED)},
        xlabel="words",
        ylabel="µs a word, one text",
        title="Recorded: forward, one thread, quartiles of 5 rounds",
        log_x=True,
        log_y=True,
    )


def table() -> Any:
    """Show how many matrix products wait for one another."""
    recording = STUDY.recording
    lengths = (16, 128, 512)
    places = [recording["settings"]["counted"].index(n) for n in lengths]
    return lab.table(
        [
            {
                "layer": layer,
                **{
                    str(n): _waiting(recording, layer)["products"][place]
                    for n, place in zip(lengths, places, strict=True)
                },
            }
            for layer in COUNTED
        ],
        caption="Matrix products that wait for one another, by number of "
        "words (forward)",
        columns=["layer", *map(str, lengths)],
    )


def word_time(
    recording: Mapping[str, Any],
    layer: str,
    way: str = "forward",
    threads: int = 1,
) -> np.ndarray:
    """Give the microseconds for a word of one text: quartiles, (3, n)."""
    cell = {"layer": layer, "pass": way, "threads": threads, "batch": 1}
    [row] = [r for r in recording["records"] if cell.items() <= r.items()]
    lengths = np.array(recording["settings"]["lengths"])
    return 1000 * np.transpose(row["ms"]) / lengths


def _waiting(recording: Mapping[str, Any], layer: str) -> dict[str, Any]:
    """Give what waits in one layer, forward."""
    [row] = [
        r
        for r in recording["waits"]
        if (r["layer"], r["pass"]) == (layer, "forward")
    ]
    return row
