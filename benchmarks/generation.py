"""The next token with a cache and without, as a text grows, in one run.

    python benchmarks/generation.py

A small model with as many heads of keys and values as of queries, with two
and with one. Times are of this machine and this run; the ratios are what to
read.
"""

import statistics

import torch

from attn_course.experiments.token_times import measure
from attn_course.nn.causal_lm import CausalModel

LENGTHS = [32, 128, 512, 1024]
REPEATS = 3
SHARINGS = {
    "multi-head": 8,
    "grouped-query": 2,
    "multi-query": 1,
}


def main() -> None:
    torch.set_num_threads(1)
    print("ms a token, uncached and cached; ratio; cache in kB")
    for name, kv_heads in SHARINGS.items():
        model = CausalModel(
            1000, layers=4, d_model=256, heads=8, kv_heads=kv_heads,
            d_ff=512, seed=0,
        )  # fmt: skip
        runs = [measure(model, LENGTHS, steps=8) for _ in range(REPEATS)]
        for i, n in enumerate(LENGTHS):
            slow, fast = (
                1000 * statistics.median(run[way][i] for run in runs)
                for way in ("uncached", "cached")
            )
            kilobytes = runs[0]["bytes"][i] / 1000
            print(
                f"  {name:14s} n = {n:5d} {slow:9.1f} {fast:7.1f} "
                f"{slow / fast:7.1f}x {kilobytes:8.0f}"
            )


if __name__ == "__main__":
    main()
