"""Time and memory of attention in NumPy: naive, in place, in tiles.

One head of width 64, float32, forward only, one thread. The ways take turns
at every length, several times over, each time in a new process; times are of
the processor, in which what else runs counts little. Read the ratios to
`naive` in the same repeat, with their spread: computers differ. Memory is
what NumPy holds at most beside the input, as `tracemalloc` counts it, the
same each time. Torch's `scaled_dot_product_attention` (SDPA) is there for
its time; `tracemalloc` does not see its memory.
"""

import inspect
import json
import os
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
from torch.nn.functional import scaled_dot_product_attention

from attn_course.experiments import machine, provenance
from attn_course.flash import fast, memory, naive, tiled

__all__ = [
    "CAUSAL",
    "RECORDINGS",
    "SETTINGS",
    "WAYS",
    "inputs",
    "peak",
    "ratios",
    "record",
    "repeat_alone",
    "time_all",
]

RECORDINGS = ("flash-numpy",)
SETTINGS = {
    "lengths": [512, 1024, 2048, 4096, 8192],
    "d": 64,
    "repeats": 5,
    "textbook_blocks": [64, 64],
    "tiles_blocks": [256, 512],
    "sweep_length": 4096,
    "sweep_blocks": [32, 64, 128, 256, 512, 1024],
}
CODE = (
    "experiments/flash_cost.py",
    "flash/fast.py",
    "flash/memory.py",
    "flash/naive.py",
    "flash/tiled.py",
)
# The libraries read these when they are loaded, hence a new process.
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
ALONE = """
import json, sys
from attn_course.experiments import flash_cost
settings = json.loads(sys.argv[2])
print(json.dumps(flash_cost.time_all(int(sys.argv[1]), settings)))
"""


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


def inputs(name: str, seeds: Sequence[int]) -> list[Any]:
    """List what the recording depends on, the code it runs included."""
    code = (
        fast._forward_head,
        fast._Job,
        memory.SlowMemory,
        naive.naive_attention,
        naive.naive_attention_in_place,
        tiled.tiled_attention,
    )
    return [inspect.getsource(part) for part in code]


def record(name: str, seeds: Sequence[int]) -> dict[str, Any]:
    """Measure every repeat, then the memory."""
    measured_on = machine()
    repeats = []
    for repeat in range(SETTINGS["repeats"]):
        repeats.append(repeat_alone(repeat, SETTINGS))
        print(f"  repeat {repeat + 1} of {SETTINGS['repeats']}", flush=True)
    lengths, blocks = SETTINGS["lengths"], SETTINGS["sweep_blocks"]
    n = SETTINGS["sweep_length"]
    numpy_ways = [way for way in WAYS if way != "SDPA"]
    return {
        "about": inspect.getdoc(inspect.getmodule(record)),
        "settings": SETTINGS,
        "keys": {
            "seconds": "(repeats, lengths): one call, by way",
            "causal_seconds": "the same under a causal mask",
            "sweep_seconds": "(repeats, block_q, block_k), of tiles",
            "sweep_naive_seconds": "(repeats,), naive beside them",
            "peak_bytes": "(lengths,), by way",
            "sweep_peak_bytes": "(block_q, block_k), of tiles",
        },
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
        "peak_bytes": {
            way: [peak(WAYS[way], n) for n in lengths] for way in numpy_ways
        },
        "sweep_peak_bytes": [
            [peak(_tiles(block_q, block_k), n) for block_k in blocks]
            for block_q in blocks
        ],
        "machine": measured_on,
        "recorded": provenance(name, seeds=[], packages=["torch"], code=CODE),
    }


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
        [sys.executable, "-c", ALONE, str(seed), json.dumps(settings)],
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
