"""Time and memory of attention as the text grows, naive and fused.

One head of width 64, float32, one thread, forward only: the course's own
`attention` on torch's tensors, which holds all n² scores, and torch's
`scaled_dot_product_attention`, which does not. They take turns, at every
length, several times over. Exponents are fitted for each repeat over the
longer half of the lengths. Memory is what the peak of a fresh process grows
by. Computers differ: read the exponents and ratios, with their spread.
"""

import inspect
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch.nn.functional import scaled_dot_product_attention

from attn_course import growth
from attn_course.experiments import machine, provenance
from attn_course.experiments.parts import one_thread
from attn_course.functional import attention

__all__ = [
    "RECORDINGS",
    "SETTINGS",
    "WAYS",
    "inputs",
    "peaks",
    "record",
    "time_one",
]

RECORDINGS = ("cost-of-length",)
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
CODE = ("experiments/cost_of_length.py", "functional.py", "growth.py")
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


def inputs(name: str, seeds: Sequence[int]) -> list[Any]:
    """List what the recording depends on, the code it runs included."""
    return [inspect.getsource(attention), inspect.getsource(growth.exponent)]


def record(name: str, seeds: Sequence[int]) -> dict[str, Any]:
    """Measure every repeat, then the memory."""
    lengths, measured_on = SETTINGS["lengths"], machine()
    seconds: dict[str, list[list[float]]] = {way: [] for way in WAYS}
    with one_thread():
        for repeat in range(SETTINGS["repeats"]):
            taken = {way: [] for way in WAYS}
            for n in lengths:
                for way in WAYS:
                    taken[way].append(time_one(way, n, seed=repeat))
            for way in WAYS:
                seconds[way].append([float(f"{t:.4g}") for t in taken[way]])
            print(f"  repeat {repeat + 1} of {SETTINGS['repeats']}")
    return {
        "about": inspect.getdoc(inspect.getmodule(record)),
        "settings": SETTINGS,
        "keys": {
            "seconds": "(repeats, lengths): one call",
            "exponents": "of time, one for each repeat",
            "peak_bytes": "growth of the process's peak, by length",
            "score_bytes": "n² numbers of 4 bytes, by length",
        },
        "seconds": seconds,
        "exponents": {
            way: [round(fit(row), 3) for row in rows]
            for way, rows in seconds.items()
        },
        "peak_bytes": {way: peaks(way, lengths) for way in WAYS},
        "score_bytes": [growth.score_bytes(n) for n in lengths],
        "machine": measured_on,
        "recorded": provenance(name, seeds=[], packages=["torch"], code=CODE),
    }


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
    return growth.exponent(
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
