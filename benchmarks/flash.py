"""Attention in NumPy by tiles against naive attention, in one run.

    python benchmarks/flash.py
    python benchmarks/flash.py 3    # three repeats, with their spread

Prints times of naive attention in the same repeat, on one thread. What chapter
8 shows is recorded: attn-course experiments --only flash-numpy
"""

import sys

import numpy as np

from attn_course.experiments import flash_cost as cost

LENGTHS = [512, 1024, 2048, 4096]
BLOCKS = [64, 128, 256, 512]


def spread(values):
    low, middle, high = np.quantile(values, [0, 0.5, 1])
    return f"{middle:.2f} ({low:.2f}-{high:.2f})"


def table(repeats, key):
    seconds = {
        way: [repeat[key][way] for repeat in repeats]
        for way in repeats[0][key]
    }
    for way, found in cost.ratios(seconds).items():
        cells = "".join(f"{spread(column):>20s}" for column in found.T)
        print(f"  {way:16s}{cells}")


def main():
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1
    settings = {
        "lengths": LENGTHS,
        "sweep_length": LENGTHS[-1],
        "sweep_blocks": BLOCKS,
    }
    repeats = [cost.repeat_alone(seed, settings) for seed in range(count)]
    print("Times of naive attention: median (least-most) of the repeats")
    print(" " * 18 + "".join(f"{f'n = {n}':>20s}" for n in LENGTHS))
    table(repeats, "seconds")
    print("Causal: times of causal naive attention")
    table(repeats, "causal_seconds")
    print(f"Tiles of each size at n = {LENGTHS[-1]}; block_k across")
    print(" " * 18 + "".join(f"{n:>20d}" for n in BLOCKS))
    sweep = np.array([r["sweep_seconds"] for r in repeats])
    base = np.array([r["sweep_naive_seconds"] for r in repeats])
    for row, block_q in zip(
        np.moveaxis(sweep / base[:, None, None], 0, -1), BLOCKS, strict=True
    ):
        cells = "".join(f"{spread(cell):>20s}" for cell in row)
        print(f"  block_q {block_q:<8d}{cells}")
    print("Peak memory beside the input, in MB")
    for way in ("naive", "in place", "textbook tiles", "tiles"):
        peaks = (cost.peak(cost.WAYS[way], n) / 1e6 for n in LENGTHS)
        print(f"  {way:16s}" + "".join(f"{x:20.1f}" for x in peaks))


if __name__ == "__main__":
    main()
