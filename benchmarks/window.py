"""A window of attention, three ways, against all of it; ratios of one run.

    python benchmarks/window.py
    python benchmarks/window.py --flex  # where torch finds a compiler
    python benchmarks/window.py --flex --record  # keeps it for chapter 7

SDPA causal (everything before), SDPA with the window as a mask, the window
block by block (`attn_course.sparse.windowed_attention`), and
`flex_attention`, compiled. A mask alone saves nothing; it even keeps SDPA from
skipping what lies above the diagonal. The ways take turns in every round, so
that what else the machine does falls on all of them.
"""

import shutil
import subprocess
import sys
import time

import numpy as np
import torch
from torch.nn.functional import scaled_dot_product_attention as sdpa

from attn_course import masks
from attn_course.data import save_recording
from attn_course.experiments import machine, provenance
from attn_course.sparse import flex_window, windowed_attention

LENGTHS, LEFT, HEADS, D, ROUNDS = [1024, 2048, 4096, 8192], 256, 4, 64, 15
CAUSAL, FLEX = "SDPA, causal", "flex_attention"
CODE = ("masks.py", "sparse.py")


def ways(n, q):
    """Give each way as a function of nothing."""
    mask = torch.as_tensor(masks.sliding_window(n, left=LEFT, right=0))
    return {
        CAUSAL: lambda: sdpa(q, q, q, is_causal=True),
        "SDPA, mask": lambda: sdpa(q, q, q, mask),
        "blocks": lambda: windowed_attention(q, q, q, left=LEFT),
    }


@torch.no_grad()
def time_all(n, *, with_flex):
    """Give the seconds of each way, one for each round."""
    q = torch.randn(1, HEADS, n, D, generator=torch.Generator().manual_seed(n))
    each = ways(n, q)
    if with_flex:
        compiled = flex_window(n, left=LEFT)
        each[FLEX] = lambda: compiled(q, q, q)
    wanted = each["SDPA, mask"]()
    for name, run in each.items():  # warms up, and checks
        found = run()
        if name != CAUSAL:
            torch.testing.assert_close(found, wanted)
    times = {name: [] for name in each}
    for _ in range(ROUNDS):
        for name, run in each.items():
            start = time.perf_counter()
            run()
            times[name].append(time.perf_counter() - start)
    return times


def line(n, times):
    """Write the times of one length as ratios, the least time in brackets."""
    base = np.array(times[CAUSAL])
    words = f"n = {n:5d}  {1000 * np.median(base):7.1f} ms"
    for name, found in times.items():
        if name != CAUSAL:
            ratio = np.median(found) / np.median(base)
            words += f"  {name} {ratio:.2f} ({min(found) / base.min():.2f})"
    return words


def compiler():
    """Name the compiler that torch finds here."""
    program = shutil.which("g++") or shutil.which("clang++")
    said = subprocess.run(
        [program, "--version"], capture_output=True, text=True, check=True
    )
    return said.stdout.splitlines()[0]


def keep(records, measured_on):
    """Write the recording."""
    made = provenance("window-times", seeds=[], packages=["torch"], code=CODE)
    made["command"] = "python benchmarks/window.py --flex --record"
    content = {
        "about": (
            f"Seconds of causal attention with a window of {LEFT} words, by "
            f"length: {ROUNDS} rounds on one machine, one thread, {HEADS} "
            f"heads of width {D}, float32, forward only; compiled once "
            "beforehand, which is not counted."
        ),
        "settings": {
            "lengths": LENGTHS,
            "left": LEFT,
            "heads": HEADS,
            "d": D,
            "rounds": ROUNDS,
        },
        "machine": {**measured_on, "compiler": compiler()},
        "seconds": {
            name: [
                [float(f"{t:.4g}") for t in times[name]] for times in records
            ]
            for name in records[0]
        },
        "recorded": made,
    }
    save_recording("window-times", content)


def main():
    torch.set_num_threads(1)
    measured_on = machine()
    asked = sys.argv[1:]
    with_flex = "--flex" in asked
    print(f"window of {LEFT}, {HEADS} heads, d = {D}, one thread")
    print(f"ms of {CAUSAL}; the others as times of it, median to median,")
    print("and in brackets the least time to the least")
    records = []
    for n in LENGTHS:
        records.append(time_all(n, with_flex=with_flex))
        print(line(n, records[-1]), flush=True)
    if not with_flex:
        print("flex_attention needs a compiler: add --flex to try it")
    elif "--record" in asked:
        keep(records, measured_on)


if __name__ == "__main__":
    main()
