"""A window of attention, three ways, against all of it; ratios of one run.

    python benchmarks/window.py  # where torch finds a C++ compiler

What chapter 7 shows is recorded by `attn-course experiments --only
window-times`; this prints the ratios of this machine and this run, and keeps
nothing.
"""

import numpy as np
import torch

from attn_course.experiments.window_times import (
    CAUSAL,
    SETTINGS,
    measure,
    ratios,
)


def main():
    torch.set_num_threads(1)
    found = measure()
    print(f"times {CAUSAL}: median (lower and upper quartile)")
    causal = np.median(found["seconds_per_call"][CAUSAL], axis=1)
    for place, n in enumerate(SETTINGS["lengths"]):
        words = f"n = {n:5d}  {1000 * causal[place]:7.1f} ms"
        for way, (low, middle, high) in (
            (way, ratio[:, place]) for way, ratio in ratios(found).items()
        ):
            words += f"  {way} {middle:.2f} ({low:.2f} to {high:.2f})"
        print(words)


if __name__ == "__main__":
    main()
