"""Time and memory of attention as the text grows, naive and fused.

One head of width 64, float32, one thread, forward only: the course's own
`attention` on torch's tensors, which holds all n² scores, and torch's
`scaled_dot_product_attention`, which does not. They take turns, at every
length, several times over. Exponents are fitted for each repeat over the
longer half of the lengths. Memory is what the peak of a fresh process grows
by. Computers differ: read the exponents and ratios, with their spread.

By arithmetic the exponent of time is 2 for both. Naive memory should grow
with n², at least by one table of n² scores; fused memory with n.
"""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch.nn.functional import scaled_dot_product_attention

from attn_course import figures
from attn_course.cost import scaling
from attn_course.experiments.study import Study
from attn_course.functional import attention
from attn_course.provenance import machine

if TYPE_CHECKING:
    from attn_course.figures import Chart

__all__ = ["SETTINGS", "STUDY", "WAYS", "fit", "measure", "peaks"]

WAYS: dict[str, Callable[..., torch.Tensor]] = {
    "naive": attention,
    "SDPA": scaled_dot_product_attention,
}
SETTINGS = {
    "lengths": [64, 128, 256, 512, 1024, 2048, 4096, 8192],
    "fitted": [1024, 2048, 4096, 8192],
    "d": 64,
    "repeats": 5,
}
# The width of GPT-2 small, for which products are counted.
D_MODEL = 768
# The peak only rises: lengths go up, and each one's growth is its own.
MEASURE = r"""
import json, re, sys, torch
from pathlib import Path
from attn_course.experiments.cost_of_length import WAYS
torch.set_num_threads(1)
def peak():
    # Not ru_maxrss: a new process starts with its parent's.
    status = Path("/proc/self/status").read_text()
    return 1024 * int(re.search(r"VmHWM:\s+(\d+)", status)[1])
way, lengths, d = WAYS[sys.argv[1]], json.loads(sys.argv[2]), int(sys.argv[3])
x = torch.randn(1, 1, lengths[-1], d)
with torch.no_grad():
    way(x[..., :16, :], x[..., :16, :], x[..., :16, :])
    before, found = peak(), []
    for n in lengths:
        q = x[..., :n, :]
        way(q, q, q)
        found.append(peak() - before)
print(json.dumps(found))
"""
STUDY = Study(
    "cost-of-length",
    chapter=7,
    question="How do time and memory of attention grow with the text?",
    design=__doc__,
    seeds=0,
    settings=SETTINGS,
    packages=["torch"],
    tolerance=0.3,
)


@STUDY.run
def measure() -> dict[str, Any]:
    """Measure every repeat, then the memory."""
    lengths, measured_on = SETTINGS["lengths"], machine()
    seconds: dict[str, list[list[float]]] = {way: [] for way in WAYS}
    for repeat in range(SETTINGS["repeats"]):
        taken = {way: [] for way in WAYS}
        for n in lengths:
            for way in WAYS:
                taken[way].append(time_one(way, n, seed=repeat))
        for way in WAYS:
            seconds[way].append([float(f"{t:.4g}") for t in taken[way]])
    return {
        "keys": {
            "seconds_per_call": "(repeats, lengths)",
            "exponents": "of time, one for each repeat",
            "peak_bytes": "growth of the process's peak, by length",
            "score_bytes": "n² numbers of 4 bytes, by length",
        },
        "seconds_per_call": seconds,
        "exponents": {
            way: [round(fit(row), 3) for row in rows]
            for way, rows in seconds.items()
        },
        "peak_bytes": {way: peaks(way, lengths) for way in WAYS},
        "score_bytes": [scaling.score_bytes(n) for n in lengths],
        "machine": measured_on,
    }


@STUDY.slice
def memory_again(recording: dict[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """Compare outputs and memory, not times: clocks differ every time.

    Naive memory is compared in powers of ten; of fused memory, which is so
    small that other needs of the process show, only that it is below a table
    of scores.
    """
    generator = torch.Generator().manual_seed(0)
    q, k, v = torch.randn(3, 1, 1, 256, SETTINGS["d"], generator=generator)
    naive, fused = (way(q, k, v) for way in WAYS.values())
    yield "outputs apart", 0, (naive - fused).abs().max().item()
    lengths = [1024, 2048]
    places = [SETTINGS["lengths"].index(n) for n in lengths]
    tables = [scaling.score_bytes(n) for n in lengths]
    yield "scores", [recording["score_bytes"][i] for i in places], tables
    found = {way: peaks(way, lengths) for way in WAYS}
    then = {
        way: [recording["peak_bytes"][way][i] for i in places] for way in WAYS
    }
    yield "naive", np.log10(then["naive"]), np.log10(found["naive"])
    yield (
        "fused below a table",
        then["SDPA"][-1] < tables[-1],
        found["SDPA"][-1] < tables[-1],
    )


@STUDY.claim("7.cost")
def growth_of_both(recording: dict[str, Any]) -> dict[str, float]:
    """Give exponents, the ratio of times, and peaks at the longest text."""
    naive, fused = (
        np.median(recording["seconds_per_call"][way], axis=0) for way in WAYS
    )
    exponents = recording["exponents"]
    peak = {way: b[-1] / 1e6 for way, b in recording["peak_bytes"].items()}
    return {
        "naive_low": min(exponents["naive"]),
        "naive_high": max(exponents["naive"]),
        "sdpa_low": min(exponents["SDPA"]),
        "sdpa_high": max(exponents["SDPA"]),
        "ratio_low": (naive / fused).min(),
        "ratio_high": (naive / fused).max(),
        "n": recording["settings"]["lengths"][-1],
        "naive_peak": peak["naive"],
        "sdpa_peak": peak["SDPA"],
    }


@STUDY.claim("7.cost")
def by_arithmetic(recording: dict[str, Any]) -> dict[str, float]:
    """Count products for each word, and the length that fills a gigabyte.

    Four projections and two feed-forward maps take 12 d², scores and reading
    2 n d.
    """
    n, d = 512, D_MODEL
    return {
        "share": 2 * n * d / (2 * n * d + 12 * d**2),
        "equal": 6 * d,
        "fills": scaling.length_that_fills(10**9),
    }


@STUDY.figure(
    """
    Peak memory in megabytes over 64 to 8192 words, both axes doubling. Naive
    attention rises with the square to above 1000, fused attention in
    proportion to the length, to below 5.
    """
)
def memory(recording: dict[str, Any]) -> "Chart":
    """Draw the peaks of both ways."""
    return figures.curves(
        recording["settings"]["lengths"],
        {way: np.array(b) / 1e6 for way, b in recording["peak_bytes"].items()},
        xlabel="words",
        ylabel="peak memory of one head (MB)",
        title="Recorded: one head, float32, one thread",
        log_x=True,
        log_y=True,
    )


@torch.no_grad()
def time_one(way: str, n: int, *, seed: int) -> float:
    """Time one call; the least of a few where calls are short."""
    generator = torch.Generator().manual_seed(seed)
    q, k, v = torch.randn(3, 1, 1, n, SETTINGS["d"], generator=generator)
    times = []
    for _ in range(1 + max(1, 1024 // n)):  # the first call warms up
        start = time.perf_counter()
        WAYS[way](q, k, v)
        times.append(time.perf_counter() - start)
    return min(times[1:])


def fit(seconds: Sequence[float]) -> float:
    """Fit the exponent of time, over the longer lengths."""
    lengths = SETTINGS["lengths"]
    kept = [i for i, n in enumerate(lengths) if n in SETTINGS["fitted"]]
    return scaling.exponent(
        [lengths[i] for i in kept], [seconds[i] for i in kept]
    )


def peaks(way: str, lengths: Sequence[int]) -> list[int]:
    """Measure how far a fresh process's peak memory grows, in bytes.

    Lengths must go up. Linux only: it is read where Linux tells it.
    """
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, way, repr(list(lengths)), "64"],
        capture_output=True,
        text=True,
        check=True,
    )
    return [int(x) for x in done.stdout.strip(" []\n").split(",")]
