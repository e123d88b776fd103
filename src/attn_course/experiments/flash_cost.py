"""Time and memory of attention in NumPy: naive, in place, in tiles.

One head of width 64, float32, forward only, one thread. The ways take turns
at every length, several times over, each time in a new process; times are of
the processor, in which what else runs counts little. Read the ratios to
`naive` in the same repeat, with their spread: computers differ. Memory is
what NumPy holds at most beside the input, as `tracemalloc` counts it, the
same each time. Torch's `scaled_dot_product_attention` (SDPA) is there for
its time; `tracemalloc` does not see its memory.

`seconds` are those of one call, (repeats, lengths) by way, `causal_seconds`
the same under a causal mask; `sweep_seconds` are those of tiles of each size,
(repeats, block_q, block_k), with naive attention beside them. Nothing was
tuned beforehand: of the sizes of tiles all are recorded.
"""

import json
import os
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

import numpy as np
import torch
from torch.nn.functional import scaled_dot_product_attention

from attn_course import figures, lab
from attn_course.experiments.study import Study
from attn_course.flash import fast, naive, tiled
from attn_course.provenance import machine
from attn_course.tables import span

__all__ = [
    "CAUSAL",
    "SETTINGS",
    "STUDY",
    "WAYS",
    "measure",
    "peak",
    "ratios",
    "repeat_alone",
    "table",
    "time_all",
]

SETTINGS = {
    "lengths": [512, 1024, 2048, 4096, 8192],
    "d": 64,
    "repeats": 5,
    "textbook_blocks": [64, 64],
    "tiles_blocks": [256, 512],
    "sweep_length": 4096,
    "sweep_blocks": [32, 64, 128, 256, 512, 1024],
}
SHOWN = 4096  # words, in the table and in the claims
NAMES = {
    "naive": "the formula",
    "in place": "the formula, in place",
    "textbook tiles": "tiles of 64 × 64, as in the paper",
    "tiles": "tiles of 256 × 512, written for speed",
    "SDPA": "PyTorch’s fused attention",
}
# The libraries read these when they are loaded, hence a new process.
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
ALONE = """
import json, sys
from {0.__module__} import {0.__name__} as measure
print(json.dumps(measure(int(sys.argv[1]), json.loads(sys.argv[2]))))
"""
STUDY = Study(
    "flash-numpy",
    chapter=8,
    question="Does attention in tiles pay in NumPy, in memory and in time?",
    design=__doc__,
    seeds=0,
    settings=SETTINGS,
    packages=["torch"],
    tolerance=20_000,  # bytes: Python's own objects differ a little
)


def _sdpa(
    query: np.ndarray, key: np.ndarray, value: np.ndarray, causal: bool = False
) -> np.ndarray:
    """Give NumPy's arrays to torch, without a copy."""
    # Without a batch and a head axis it takes the slow way.
    arrays = (torch.from_numpy(x)[None, None] for x in (query, key, value))
    output = scaled_dot_product_attention(*arrays, is_causal=causal)
    return output[0, 0].numpy()


WAYS: dict[str, Callable[..., Any]] = {
    "naive": naive.naive_attention,
    "in place": naive.naive_attention_in_place,
    "textbook tiles": tiled.tiled_attention,
    "tiles": fast.flash_attention,
    "SDPA": _sdpa,
}
CAUSAL = {
    name: partial(WAYS[name], causal=True)
    for name in ("naive", "in place", "tiles", "SDPA")
}


@STUDY.run
def measure() -> dict[str, Any]:
    """Measure every repeat, then the memory."""
    measured_on = machine()
    repeats = [
        repeat_alone(repeat, SETTINGS) for repeat in range(SETTINGS["repeats"])
    ]
    blocks, n = SETTINGS["sweep_blocks"], SETTINGS["sweep_length"]
    return {
        **{
            key: {
                way: [repeat[key][way] for repeat in repeats]
                for way in repeats[0][key]
            }
            for key in ("seconds", "causal_seconds")
        },
        **{
            key: [repeat[key] for repeat in repeats]
            for key in ("sweep_seconds", "sweep_naive_seconds")
        },
        "peak_bytes": _peaks(SETTINGS["lengths"]),
        "sweep_peak_bytes": [
            [peak(_tiles(block_q, block_k), n) for block_k in blocks]
            for block_q in blocks
        ],
        "machine": measured_on,
    }


@STUDY.slice
def memory_again(recording: dict[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """Measure the memory of every way again, at three lengths.

    Times are of another machine, or of another day.
    """
    lengths = SETTINGS["lengths"][:3]
    for way, peaks in _peaks(lengths).items():
        yield way, recording["peak_bytes"][way][: len(lengths)], peaks


def ratios(seconds: dict[str, Any]) -> dict[str, np.ndarray]:
    """Divide each way's times by those of naive, in the same repeat.

    Examples
    --------
    >>> found = ratios({"naive": [[2.0, 8.0]], "tiles": [[1.0, 2.0]]})
    >>> found["tiles"]
    array([[0.5 , 0.25]])
    """
    base = np.array(seconds["naive"])
    return {way: np.array(times) / base for way, times in seconds.items()}


def repeat_alone(seed: int, settings: dict[str, Any]) -> dict[str, Any]:
    """Run `time_all` in a new process, on one thread."""
    done = subprocess.run(
        [
            *(sys.executable, "-c", ALONE.format(time_all)),
            *(str(seed), json.dumps(settings)),
        ],
        env={**os.environ, **ONE_THREAD},
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)


def time_all(seed: int, settings: dict[str, Any]) -> dict[str, Any]:
    """Time every way at every length, then the tiles of every size."""
    torch.set_num_threads(1)
    blocks, n = settings["sweep_blocks"], settings["sweep_length"]
    plain, causal = ({way: [] for way in ways} for ways in (WAYS, CAUSAL))
    for length in settings["lengths"]:
        for ways, taken in ((WAYS, plain), (CAUSAL, causal)):
            for name, way in ways.items():
                taken[name].append(_time(way, length, seed))
    sweep = [
        [_time(_tiles(block_q, block_k), n, seed) for block_k in blocks]
        for block_q in blocks
    ]
    return {
        "seconds": plain,
        "causal_seconds": causal,
        "sweep_seconds": sweep,
        "sweep_naive_seconds": _time(WAYS["naive"], n, seed),
    }


def peak(way: Callable[..., Any], n: int) -> int:
    """Measure the most bytes that NumPy holds at once beside the input.

    The same each time, whatever else runs.

    Examples
    --------
    >>> peak(lambda q, k, v: np.ones(1000), 8) // 1000  # and a few for Python
    8
    """
    arrays = _arrays(n, 0)
    way(*_arrays(8, 0))
    tracemalloc.start()
    try:
        way(*arrays)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def _peaks(lengths: list[int]) -> dict[str, list[int]]:
    """Give the memory of every way but SDPA's, which NumPy does not hold."""
    return {
        way: [peak(function, n) for n in lengths]
        for way, function in WAYS.items()
        if way != "SDPA"
    }


def _arrays(n: int, seed: int) -> np.ndarray:
    """Draw query, key and value, each `(n, d)`."""
    rng = np.random.default_rng(seed)
    shape = (3, n, SETTINGS["d"])
    return rng.standard_normal(shape, dtype=np.float32)


def _tiles(block_q: int, block_k: int) -> Callable[..., Any]:
    """Give the fast tiles in another size."""
    return partial(fast.flash_attention, block_q=block_q, block_k=block_k)


def _time(way: Callable[..., Any], n: int, seed: int) -> float:
    """Time one call, in seconds of the processor: the least of a few.

    The first does not count: to be given memory that no process had before
    takes time of its own, most of all for large arrays.
    """
    arrays, times = _arrays(n, seed), []
    for _ in range(1 + max(2, 4096 // n)):
        start = time.process_time()
        way(*arrays)
        times.append(time.process_time() - start)
    return float(f"{min(times[1:]):.4g}")


# What the page shows


@STUDY.claim("8.memory")
def at_4096_words(recording: Mapping[str, Any]) -> dict[str, Any]:
    """Give times and memory at 4096 words, and those of tiles of each size."""
    ways = {
        "tiles": "tiles",
        "textbook": "textbook tiles",
        "in_place": "in place",
    }
    plain, causal = _at_shown(recording)
    megabytes = _megabytes(recording)
    at = recording["settings"]["lengths"].index(SHOWN)
    found = {"n": SHOWN, "repeats": recording["settings"]["repeats"]}
    for name, way in {**ways, "sdpa": "SDPA"}.items():
        found[f"{name}_low"], found[f"{name}_high"] = _ends(plain[way])
    for name, way in {"naive": "naive", **ways}.items():
        found[f"{name}_mb"] = megabytes[way][at]
    found["share"] = found["tiles_mb"] / found["naive_mb"]
    found["causal_low"], found["causal_high"] = _ends(causal["tiles"])
    found["best_tile"], found["worst_tile"] = _ends(_swept(recording))
    found["smallest"] = min(recording["settings"]["sweep_blocks"])
    return found


@STUDY.figure("""
    Peak memory in megabytes over 512 to 8192 words, both axes doubling. Naive
    and in-place attention rise with the square, to about 800 and 270. Both
    kinds of tiles rise slowly and stay below 10.
""")
def peaks(recording: Mapping[str, Any]) -> Any:
    """Draw the memory of each way over lengths."""
    return figures.curves(
        recording["settings"]["lengths"],
        _megabytes(recording),
        xlabel="words",
        ylabel="peak memory of one head (MB)",
        title="Recorded: NumPy, one head, float32",
        log_x=True,
        log_y=True,
    )


@STUDY.figure("""
    Time of fast tiles as a multiple of the formula's, for 32 to 1024 queries
    and 32 to 1024 keys in a tile. The smallest tile takes nearly three times
    the formula's time; from 256 by 256 on all take about half of it.
""")
def sizes(recording: Mapping[str, Any]) -> Any:
    """Draw the time of tiles of each size."""
    blocks = [str(b) for b in recording["settings"]["sweep_blocks"]]
    return figures.heatmap(
        _swept(recording),
        blocks,
        blocks,
        title="Recorded: 4096 words, medians of 5 repeats",
        ylabel="queries in a tile",
        xlabel="keys in a tile",
        label="times the formula’s time",
    )


def table() -> Any:
    """Show time and memory of each way at 4096 words."""
    recording = STUDY.recording
    plain, causal = _at_shown(recording)
    megabytes = _megabytes(recording)
    at = recording["settings"]["lengths"].index(SHOWN)
    return lab.table(
        [
            {
                "way": text,
                "time": span(plain[way]),
                "MB": f"{megabytes[way][at]:.1f}"
                if way in megabytes
                else "not counted",
                "causal": span(causal[way]) if way in causal else "–",
            }
            for way, text in NAMES.items()
        ],
        caption="Recorded: 4096 words. Time as a multiple of the formula’s, "
        "5 repeats; causal as a multiple of the causal formula’s",
        columns=["way", "time", "MB", "causal"],
    )


def _at_shown(
    recording: Mapping[str, Any],
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Give each way's ratio to naive in each repeat, plain and causal."""
    at = recording["settings"]["lengths"].index(SHOWN)
    plain, causal = (
        {way: found[:, at] for way, found in ratios(recording[key]).items()}
        for key in ("seconds", "causal_seconds")
    )
    return plain, causal


def _megabytes(recording: Mapping[str, Any]) -> dict[str, np.ndarray]:
    return {
        way: np.array(peaks) / 1e6
        for way, peaks in recording["peak_bytes"].items()
    }


def _swept(recording: Mapping[str, Any]) -> np.ndarray:
    """Give the median ratio to naive of tiles: `(block_q, block_k)`."""
    naive_seconds = np.array(recording["sweep_naive_seconds"])
    seconds = np.array(recording["sweep_seconds"])
    return np.median(seconds / naive_seconds[:, None, None], axis=0)


def _ends(values: np.ndarray) -> tuple[float, float]:
    return values.min(), values.max()
