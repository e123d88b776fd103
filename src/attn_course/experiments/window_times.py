"""A window of attention, three ways, against all of it, by the clock.

SDPA causal (everything before), SDPA with a window of 256 words as a mask,
the window block by block (`attn_course.sparse.windowed_attention`), and
`flex_attention`, compiled once beforehand, which is not counted. A mask alone
saves nothing; it even keeps SDPA from skipping what lies above the diagonal.
Four heads of width 64, float32, one thread, forward only. The ways take turns
in every round, so that what else the machine does falls on all of them: read
the ratios, with their quartiles. No size was tuned.
"""

import shutil
import subprocess
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch.nn.functional import scaled_dot_product_attention as sdpa

from attn_course import figures, lab, masks
from attn_course.experiments.study import Study
from attn_course.provenance import machine
from attn_course.sparse import flex_window, windowed_attention

if TYPE_CHECKING:
    from attn_course.figures import Chart

__all__ = ["SETTINGS", "STUDY", "measure", "table", "ways"]

SETTINGS = {
    "lengths": [1024, 2048, 4096, 8192],
    "left": 256,
    "heads": 4,
    "d": 64,
    "rounds": 15,
}
CAUSAL, FLEX = "SDPA, causal", "flex_attention"
STUDY = Study(
    "window-times",
    chapter=7,
    question="Does a sparse pattern save time by the clock?",
    design=__doc__,
    seeds=0,
    settings=SETTINGS,
    packages=["torch"],
    tolerance=1e-4,
)


@STUDY.run
def measure() -> dict[str, Any]:
    """Time every way at every length; a C++ compiler is needed."""
    measured_on = {**machine(), "compiler": _compiler()}
    taken = [_time_all(n) for n in SETTINGS["lengths"]]
    return {
        "machine": measured_on,
        "seconds_per_call": {
            way: [[float(f"{t:.4g}") for t in times[way]] for times in taken]
            for way in taken[0]
        },
    }


@STUDY.slice
def outputs_again(recording: dict[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """Compare what the ways compute, and that all were timed; no clock.

    `flex_attention` is not compiled here: its rule is what is checked.
    """
    q = _drawn(SETTINGS["lengths"][0])
    with torch.no_grad(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="flex_attention called")
        found = {way: run() for way, run in ways(q, compiled=False).items()}
    shape = [len(SETTINGS["lengths"]), SETTINGS["rounds"]]
    for way, output in found.items():
        times = recording["seconds_per_call"][way]
        yield f"{way}: times", shape, np.shape(times)
        if way != CAUSAL:
            apart = (output - found["SDPA, mask"]).abs().max().item()
            yield f"{way}: apart", 0, apart


@STUDY.claim("7.sparse")
def by_the_clock(recording: Mapping[str, Any]) -> dict[str, float]:
    """Give median times, as shares of causal attention's."""
    found = ratios(recording)
    return {
        "timed_at": recording["settings"]["lengths"][-1],
        "timed_mask": found["SDPA, mask"][1, -1],
        "timed_flex": found[FLEX][1, -1],
        "timed_flex_short": found[FLEX][1, 0],
    }


@STUDY.figure(
    """
    Time over 1024 to 8192 words, as a multiple of causal attention's. With
    the window as a mask it rises from 1.6 to 2.5; block by block it falls
    from 1.4 to 0.44, with flex_attention from 1.3 to 0.27.
    """
)
def against_all(recording: Mapping[str, Any]) -> "Chart":
    """Draw the ratios over the length."""
    return figures.curves(
        recording["settings"]["lengths"],
        ratios(recording),
        xlabel="words",
        ylabel="times as long as SDPA over all",
        title="Recorded: a window of 256, quartiles of 15 rounds",
        log_x=True,
        log_y=True,
    )


def table() -> Any:
    """Show the ratios at every length."""
    recording = STUDY.recording
    lengths = recording["settings"]["lengths"]
    return lab.table(
        [
            {
                "way": way,
                **{
                    f"{n} words": f"{middle:.2f} ({low:.2f} to {high:.2f})"
                    for n, (low, middle, high) in zip(
                        lengths, ratio.T, strict=True
                    )
                },
            }
            for way, ratio in ratios(recording).items()
        ],
        caption="Recorded: a window of 256, times as long as SDPA over all "
        "earlier words (median and quartiles of 15 rounds)",
        columns=["way", *(f"{n} words" for n in lengths)],
    )


def ratios(recording: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """Give lower quartile, median and upper quartile: `(3, lengths)`.

    Each round is divided by causal attention's of that round.
    """
    taken = {
        way: np.array(times)
        for way, times in recording["seconds_per_call"].items()
    }
    return {
        way: np.quantile(times / taken[CAUSAL], [0.25, 0.5, 0.75], axis=1)
        for way, times in taken.items()
        if way != CAUSAL
    }


def ways(
    q: torch.Tensor, *, compiled: bool
) -> dict[str, Callable[[], torch.Tensor]]:
    """Give each way as a function of nothing."""
    n, left = q.shape[-2], SETTINGS["left"]
    mask = torch.as_tensor(masks.sliding_window(n, left=left, right=0))
    flex = flex_window(n, left=left, compiled=compiled)
    return {
        CAUSAL: lambda: sdpa(q, q, q, is_causal=True),
        "SDPA, mask": lambda: sdpa(q, q, q, mask),
        "blocks": lambda: windowed_attention(q, q, q, left=left),
        FLEX: lambda: flex(q, q, q),
    }


@torch.no_grad()
def _time_all(n: int) -> dict[str, list[float]]:
    """Give the seconds of each way, one for each round."""
    each = ways(_drawn(n), compiled=True)
    for run in each.values():  # warms up
        run()
    times: dict[str, list[float]] = {way: [] for way in each}
    for _ in range(SETTINGS["rounds"]):
        for way, run in each.items():
            start = time.perf_counter()
            run()
            times[way].append(time.perf_counter() - start)
    return times


def _drawn(n: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(n)
    return torch.randn(
        1, SETTINGS["heads"], n, SETTINGS["d"], generator=generator
    )


def _compiler() -> str:
    """Name the compiler that torch finds here."""
    program = shutil.which("g++") or shutil.which("clang++")
    if program is None:
        raise OSError("expected a C++ compiler (g++ or clang++), got none")
    said = subprocess.run(
        [program, "--version"], capture_output=True, text=True, check=True
    )
    return said.stdout.splitlines()[0]
